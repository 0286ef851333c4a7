import EventLoop
import TestSupport
import Testing

@testable import Upstream

struct ConnectionPoolTests {
  private static func pool(
    connections: Int = 2, waiting: Int = 10, idle: Duration = .seconds(60), lifetime: Duration = .seconds(600)
  ) -> ConnectionPool {
    ConnectionPool(.testing(connections: connections, waiting: waiting, idle: idle, lifetime: lifetime))
  }

  private func at(_ seconds: UInt64) -> LoopInstant { LoopInstant(nanoseconds: seconds * 1_000_000_000) }

  @Test func opensOneForEachUpToTheLimit() {
    var pool = Self.pool(connections: 2)
    #expect(pool.request(1, now: at(0)) == [.connect(1, for: 1)])
    #expect(pool.request(2, now: at(0)) == [.connect(2, for: 2)])
    #expect(pool.request(3, now: at(0)) == [])
    #expect(pool.connectionCount == 2)
    #expect(pool.waitingCount == 3)
  }

  @Test func servesInOrderWhicheverConnectionIsReadyFirst() {
    var pool = Self.pool(connections: 2)
    for request in 1...5 { _ = pool.request(UInt64(request), now: at(0)) }
    #expect(pool.connected(2, now: at(1)) == [.run(1, on: 2, isReused: false)])
    #expect(pool.connected(1, now: at(1)) == [.run(2, on: 1, isReused: false)])
    #expect(pool.released(1, isReusable: true, now: at(2)) == [.run(3, on: 1, isReused: true)])
    #expect(pool.released(1, isReusable: true, now: at(3)) == [.run(4, on: 1, isReused: true)])
    #expect(pool.released(2, isReusable: true, now: at(4)) == [.run(5, on: 2, isReused: true)])
    #expect(pool.waitingCount == 0)
  }

  @Test func takesTheOneUsedLast() {
    var pool = Self.pool(connections: 2)
    _ = pool.request(1, now: at(0))
    _ = pool.request(2, now: at(0))
    _ = pool.connected(1, now: at(1))
    _ = pool.connected(2, now: at(1))
    _ = pool.released(2, isReusable: true, now: at(2))
    _ = pool.released(1, isReusable: true, now: at(3))
    #expect(pool.idleCount == 2)
    #expect(pool.request(3, now: at(4)) == [.run(3, on: 1, isReused: true)])
    #expect(pool.request(4, now: at(4)) == [.run(4, on: 2, isReused: true)])
  }

  @Test(arguments: [0, 1, 3])
  func refusesWhenTooManyWait(_ waiting: Int) {
    var pool = Self.pool(connections: 2, waiting: waiting)
    // Two have a connection being opened for them, and don't count.
    for request in 1...(2 + waiting) {
      #expect(!pool.request(UInt64(request), now: at(0)).contains(.fail(UInt64(request), .overloaded)))
    }
    #expect(pool.request(99, now: at(0)) == [.fail(99, .overloaded)])
    _ = pool.connected(1, now: at(1))
    #expect(pool.request(100, now: at(1)) == [.fail(100, .overloaded)])
    _ = pool.connected(2, now: at(1))
    #expect(pool.request(101, now: at(1)) == [.fail(101, .overloaded)])
    #expect(pool.waitingCount == waiting)
  }

  @Test func aBrokenOneIsReplacedForThoseThatWait() {
    var pool = Self.pool(connections: 1)
    _ = pool.request(1, now: at(0))
    _ = pool.request(2, now: at(0))
    _ = pool.connected(1, now: at(1))
    #expect(pool.released(1, isReusable: false, now: at(2)) == [.close(1), .connect(2, for: 2)])
    #expect(pool.connected(2, now: at(3)) == [.run(2, on: 2, isReused: false)])
  }

  @Test func aFailureToConnectFailsAllOnlyWhenNothingIsLeft() {
    var pool = Self.pool(connections: 2)
    for request in 1...4 { _ = pool.request(UInt64(request), now: at(0)) }
    _ = pool.connected(1, now: at(1))
    #expect(pool.connectFailed(2) == [])
    #expect(pool.waitingCount == 3)
    #expect(pool.released(1, isReusable: true, now: at(2)) == [.run(2, on: 1, isReused: true)])
    #expect(
      pool.released(1, isReusable: false, now: at(3)) == [
        .close(1), .connect(3, for: 3), .connect(4, for: 4),
      ])
    #expect(pool.connectFailed(4) == [])
    #expect(pool.connectFailed(3) == [.fail(3, .connectFailed), .fail(4, .connectFailed)])
    #expect(pool.isEmpty)
  }

  @Test func aRequestSentAgainGetsAConnectionOfItsOwn() {
    var pool = Self.pool(connections: 2)
    _ = pool.request(1, now: at(0))
    _ = pool.connected(1, now: at(0))
    _ = pool.released(1, isReusable: true, now: at(1))
    #expect(pool.request(2, now: at(2)) == [.run(2, on: 1, isReused: true)])
    #expect(pool.request(3, now: at(2)) == [.connect(2, for: 3)])
    #expect(pool.request(4, now: at(2)) == [])
    #expect(pool.retry(2, insteadOf: 1, now: at(3)) == [.connect(3, for: 2)])
    #expect(pool.connectionCount == 2)
    // The other connection serves those that wait, though 2 was there before.
    #expect(pool.connected(2, now: at(4)) == [.run(3, on: 2, isReused: false)])
    #expect(pool.connected(3, now: at(4)) == [.run(2, on: 3, isReused: false)])
  }

  @Test func aRetryThatCannotConnectTakesThoseThatWaitAlong() {
    var pool = Self.pool(connections: 1)
    _ = pool.request(1, now: at(0))
    _ = pool.connected(1, now: at(0))
    _ = pool.request(2, now: at(0))
    _ = pool.retry(1, insteadOf: 1, now: at(1))
    #expect(pool.connectFailed(2) == [.fail(1, .connectFailed), .fail(2, .connectFailed)])
    #expect(pool.isEmpty)
  }

  @Test func cancelling() {
    var pool = Self.pool(connections: 1)
    _ = pool.request(1, now: at(0))
    _ = pool.request(2, now: at(0))
    pool.cancel(1)
    #expect(pool.connected(1, now: at(1)) == [.run(2, on: 1, isReused: false)])
    _ = pool.retry(2, insteadOf: 1, now: at(2))
    pool.cancel(2)
    // The connection is there, and serves the next.
    #expect(pool.request(3, now: at(2)) == [])
    #expect(pool.connected(2, now: at(3)) == [.run(3, on: 2, isReused: false)])
    pool.cancel(99)
    #expect(pool.released(2, isReusable: true, now: at(4)) == [])
    #expect(pool.idleCount == 1)
  }

  @Test func idleOnesExpire() {
    var pool = Self.pool(connections: 2, idle: .seconds(10))
    for key in 1...2 as ClosedRange<UInt64> {
      _ = pool.request(key, now: at(0))
      _ = pool.connected(key, now: at(0))
    }
    #expect(pool.nextDeadline == nil)
    _ = pool.released(1, isReusable: true, now: at(1))
    _ = pool.released(2, isReusable: true, now: at(5))
    #expect(pool.nextDeadline == at(11))
    #expect(pool.expire(now: at(10)) == [])
    #expect(pool.expire(now: at(11)) == [.close(1)])
    #expect(pool.nextDeadline == at(15))
    // Too late for the timer, but in time for the request.
    #expect(pool.request(3, now: at(15)) == [.close(2), .connect(3, for: 3)])
  }

  @Test func noneLivesForEver() {
    var pool = Self.pool(connections: 1, idle: .seconds(100), lifetime: .seconds(30))
    _ = pool.request(1, now: at(0))
    _ = pool.connected(1, now: at(10))
    _ = pool.released(1, isReusable: true, now: at(20))
    #expect(pool.nextDeadline == at(40))
    #expect(pool.request(2, now: at(39)) == [.run(2, on: 1, isReused: true)])
    _ = pool.request(3, now: at(39))
    #expect(pool.released(1, isReusable: true, now: at(40)) == [.close(1), .connect(2, for: 3)])
  }

  @Test func stopping() {
    var pool = Self.pool(connections: 2)
    _ = pool.request(1, now: at(0))
    _ = pool.connected(1, now: at(0))
    _ = pool.request(2, now: at(0))
    _ = pool.request(3, now: at(0))
    let actions = pool.stop()
    #expect(actions.prefix(2) == [.fail(2, .stopped), .fail(3, .stopped)])
    #expect(
      Set(actions.dropFirst(2).map { "\($0)" })
        == Set([.close(1), .close(2)].map { (a: ConnectionPool.Action) in "\(a)" }))
    #expect(pool.isEmpty)
    #expect(pool.request(4, now: at(1)) == [.fail(4, .stopped)])
    #expect(pool.released(1, isReusable: true, now: at(1)) == [])
    #expect(pool.connected(2, now: at(1)) == [])
  }

  @Test func lateWordOfForgottenConnectionsChangesNothing() {
    var pool = Self.pool()
    #expect(pool.connected(7, now: at(0)) == [])
    #expect(pool.connectFailed(7) == [])
    #expect(pool.released(7, isReusable: true, now: at(0)) == [])
    pool.closed(7)
    #expect(pool.isEmpty)
  }

  /// Thousands of random events: each request is run or failed, never both after it ended, none is forgotten,
  /// nothing passes its limit, and nobody waits beside an idle connection.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func randomEvents(_ seed: UInt64) {
    var model = PoolModel(seed: seed)
    for _ in 0..<1_500 { model.step() }
    model.finish()
  }
}

/// Drives a pool at random and checks it against a record of its own.
private struct PoolModel {
  private static let connectionsMaximum = 3
  private static let waitingMaximum = 5

  private var pool: ConnectionPool
  private var random: SeededGenerator
  private let seed: UInt64
  private var now = LoopInstant(nanoseconds: 0)
  private var nextRequest: UInt64 = 1
  private var waiting: Set<UInt64> = []
  private var connecting: Set<UInt64> = []
  private var running: [UInt64: UInt64] = [:]
  private var idle: Set<UInt64> = []

  init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    pool = ConnectionPool(
      .testing(
        connections: Self.connectionsMaximum, waiting: Self.waitingMaximum, idle: .seconds(20),
        lifetime: .seconds(100)))
  }

  mutating func step() {
    now = now + .seconds(Int.random(in: 0...3, using: &random))
    switch Int.random(in: 0..<10, using: &random) {
    case 0...3:
      waiting.insert(nextRequest)
      nextRequest += 1
      take(pool.request(nextRequest - 1, now: now))
    case 4: connecting.sorted().randomElement(using: &random).map { connected($0) }
    case 5:
      guard let key = connecting.sorted().randomElement(using: &random) else { break }
      connecting.remove(key)
      take(pool.connectFailed(key))
    case 6...7: running.keys.sorted().randomElement(using: &random).map { release($0) }
    case 8: disturb()
    default: take(pool.expire(now: now))
    }
    check()
  }

  private mutating func connected(_ key: UInt64) {
    connecting.remove(key)
    idle.insert(key)
    take(pool.connected(key, now: now))
  }

  private mutating func release(_ key: UInt64) {
    guard let request = running.removeValue(forKey: key) else { return }
    if Bool.random(using: &random), Bool.random(using: &random) {
      waiting.insert(request)
      take(pool.retry(request, insteadOf: key, now: now))
    } else {
      idle.insert(key)
      take(pool.released(key, isReusable: Bool.random(using: &random), now: now))
    }
  }

  private mutating func disturb() {
    if Bool.random(using: &random), let request = waiting.sorted().randomElement(using: &random) {
      waiting.remove(request)
      pool.cancel(request)
    } else if let key = idle.sorted().randomElement(using: &random) {
      idle.remove(key)
      pool.closed(key)
    }
  }

  private mutating func take(_ actions: [ConnectionPool.Action]) {
    for action in actions {
      switch action {
      case .connect(let key, _): #expect(connecting.insert(key).inserted, "seed \(seed)")
      case .run(let request, let key, _):
        #expect(waiting.remove(request) != nil && idle.remove(key) != nil, "seed \(seed)")
        running[key] = request
      case .close(let key): #expect(idle.remove(key) != nil, "seed \(seed)")
      case .fail(let request, _): #expect(waiting.remove(request) != nil, "seed \(seed)")
      }
    }
  }

  private func check() {
    let count = connecting.count + running.count + idle.count
    #expect(pool.connectionCount == count && count <= Self.connectionsMaximum, "seed \(seed)")
    #expect(pool.idleCount == idle.count, "seed \(seed)")
    #expect(idle.isEmpty || pool.waitingCount == 0, "seed \(seed)")
    #expect(
      waiting.isEmpty || connecting.count + running.count > 0, "seed \(seed): nobody to serve those that wait"
    )
    #expect(waiting.count <= Self.waitingMaximum + 2 * Self.connectionsMaximum, "seed \(seed)")
  }

  /// Everything succeeds from here on: nobody may be left.
  mutating func finish() {
    for _ in 0..<100 where !(waiting.isEmpty && running.isEmpty && connecting.isEmpty) {
      for key in connecting.sorted() { connected(key) }
      for key in running.keys.sorted() {
        running[key] = nil
        idle.insert(key)
        take(pool.released(key, isReusable: true, now: now))
      }
    }
    check()
    #expect(waiting.isEmpty && running.isEmpty, "seed \(seed)")
    now = now + .seconds(200)
    take(pool.expire(now: now))
    #expect(pool.isEmpty, "seed \(seed)")
  }
}
