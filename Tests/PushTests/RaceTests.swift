import Ethereum
import EventLoop
import JSON
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Push

/// Batches are published while clients subscribe, unsubscribe, resume, pause and drop. Whatever the interleaving,
/// a client that follows the protocol's rules ends up with what the ledger holds, and never sees a frame it can't
/// place.
@Suite("No gap and no race")
struct RaceTests {
  static let wallets = 24
  static let tokens = 12

  /// Random accepts until told to stop.
  private func publish(_ bench: PushBench, seed: UInt64, isDone: Finish) async throws {
    var generator = SeededGenerator(seed: seed)
    while !isDone.value, !Task.isCancelled {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<5:
        let count = Int.random(in: 1...Self.tokens, using: &generator)
        try await bench.price(
          (0..<count).map { _ in
            (
              TokenID(Int.random(in: 0...Self.tokens, using: &generator)),
              Int.random(in: 1..<100_000, using: &generator)
            )
          })
      case 5..<9:
        let wallet = PushBench.wallet(Int.random(in: 0..<Self.wallets, using: &generator))
        let count = Int.random(in: 0..<5, using: &generator)
        try await bench.read(
          wallet, native: UInt64.random(in: 0..<100, using: &generator),
          (0..<count).map { _ in
            (
              TokenID(Int.random(in: 1...Self.tokens, using: &generator)),
              UInt64.random(in: 0..<4, using: &generator)
            )
          })
      default:
        let wallet = try await bench.register(
          PushBench.wallet(Int.random(in: 0..<Self.wallets, using: &generator)))
        if Bool.random(using: &generator) {
          await bench.ledger.acceptFailure(of: wallet)
        } else {
          _ = try await bench.ledger.setVisible(
            Bool.random(using: &generator), wallet: wallet,
            token: TokenID(Int.random(in: 0...Self.tokens, using: &generator)))
        }
      }
      // Slower than the loops, or there would be nothing but bursts.
      if Int.random(in: 0..<3, using: &generator) > 0 { try await bench.flush() }
    }
  }

  @Test(
    "seeded rounds of everything at once",
    arguments: [(1, 65_536, false), (2, 65_536, true), (3, 3_000, false), (4, 3_000, true), (5, 0, false)])
  func rounds(seed: Int, mark: Int, isBatched: Bool) async throws {
    let bench = try await PushBench(shards: 2, sendBuffer: mark < 65_536 ? 16_384 : nil) {
      $0.unsentBytes = mark
    }
    for token in 1...Self.tokens { try await bench.addToken(token) }
    try await bench.price((0...Self.tokens).map { (TokenID($0), 100) })
    // Half of the wallets have never been read.
    for wallet in 0..<Self.wallets / 2 { try await bench.read(PushBench.wallet(wallet), [(1, 5)]) }
    let isDone = Finish(of: 4)
    let isQuiet = Finish(of: 2)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<2 {
        group.addTask {
          try await self.publish(bench, seed: UInt64(seed * 100 + number), isDone: isDone)
          isQuiet.one()
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { players in
        for number in 0..<4 {
          players.addTask {
            var player = Player(
              bench: bench, shard: number % 2, isBatched: isBatched,
              generator: SeededGenerator(seed: UInt64(seed * 1_000 + number)))
            try await player.play(rounds: 120)
            isDone.one()
            try await player.compare(when: isQuiet)
          }
        }
        try await players.waitForAll()
      }
      try await group.waitForAll()
    }
  }
}

/// Set when so many have finished.
private final class Finish: Sendable {
  private let left: Mutex<Int>
  init(of count: Int) { left = Mutex(count) }
  var value: Bool { left.withLock { $0 == 0 } }
  func one() { left.withLock { $0 -= 1 } }
}

/// One client of the race.
private struct Player {
  let bench: PushBench
  let shard: Int
  let isBatched: Bool
  var generator: SeededGenerator
  var model = Model()
  var client: TestClient!
  var subscribed: Set<String> = []
  var id = 0

  init(bench: PushBench, shard: Int, isBatched: Bool, generator: SeededGenerator) {
    self.bench = bench
    self.shard = shard
    self.isBatched = isBatched
    self.generator = generator
  }

  mutating func play(rounds: Int) async throws {
    try await connect()
    for _ in 0..<rounds {
      switch Int.random(in: 0..<12, using: &generator) {
      case 0..<5: try await subscribe(someWallets())
      case 5..<8: try await unsubscribe(someWallets())
      case 8: try await reconnect()
      case 9:
        try await client.pause()
        for _ in 0..<5 { try await bench.flush() }
        client.resume()
      default: try await ask("{\"op\":\"list\"", expecting: "ok")
      }
    }
  }

  private mutating func someWallets() -> [String] {
    let count = Int.random(in: 1...6, using: &generator)
    return Array(
      Set((0..<count).map { _ in PushBench.wallet(Int.random(in: 0..<RaceTests.wallets, using: &generator)) })
    )
  }

  private mutating func connect() async throws {
    client = try await bench.client(shard, receiveBuffer: 16_384)
    _ = try await client.message("hello")
    model.reconnected()
    if isBatched { try await ask("{\"op\":\"set\",\"batch\":true", expecting: "ok") }
  }

  /// Sends an op and takes frames until its reply, which is returned.
  @discardableResult
  private mutating func ask(_ head: String, expecting type: String) async throws -> JSONValue {
    id += 1
    client.send(head + ",\"id\":\(id)}")
    while true {
      let frame = try await client.message()
      if frame["id"]?.int == id {
        #expect(frame.type == type, "\(frame)")
        return frame
      }
      model.take(frame)
    }
  }

  private static func list(_ keys: [String]) -> String {
    keys.map { "\"\($0)\"" }.joined(separator: ",")
  }

  private mutating func subscribe(_ keys: [String]) async throws {
    let ok = try await ask("{\"op\":\"subscribe\",\"wallets\":[\(Self.list(keys))]", expecting: "ok")
    #expect(ok.list("failed").isEmpty)
    subscribed.formUnion(keys)
  }

  private mutating func unsubscribe(_ keys: [String]) async throws {
    let ok = try await ask("{\"op\":\"unsubscribe\",\"wallets\":[\(Self.list(keys))]", expecting: "ok")
    #expect(Set(ok.texts("wallets")) == subscribed.intersection(keys))
    subscribed.subtract(keys)
    model.forget(keys)
  }

  /// Drops the connection wherever it is, and resumes what may be resumed.
  private mutating func reconnect() async throws {
    client.drop()
    let resumable = subscribed.filter { model.resumable.contains($0) }.sorted()
    let others = subscribed.subtracting(resumable).sorted()
    let point = model.resumePoint
    model.forget(others)
    try await connect()
    if let point, !resumable.isEmpty {
      let ok = try await ask(
        "{\"op\":\"subscribe\",\"wallets\":[\(Self.list(resumable))],\"since\":\"k3f9:\(point)\"",
        expecting: "ok")
      #expect(ok["resumed"]?.bool == true)
      model.resumed()
    }
    subscribed = Set(resumable)
    if !others.isEmpty { try await subscribe(others) }
  }

  /// At the end, when nothing is published any more and everything has arrived.
  mutating func compare(when isQuiet: Finish) async throws {
    while !isQuiet.value { try await ask("{\"op\":\"list\"", expecting: "ok") }
    try await bench.flush()
    let shard = bench.shards[shard]
    let deadline = ContinuousClock.now + .seconds(300)
    while try await shard.loop.perform({
      shard.clients.all.contains {
        $0.mode != .live || !$0.debts.isEmpty || $0.connection.unsentBytes > 0
      }
    }) {
      try #require(ContinuousClock.now < deadline, "a client was left behind")
      try await ask("{\"op\":\"list\"", expecting: "ok")
    }
    let ok = try await ask("{\"op\":\"list\"", expecting: "ok")
    #expect(Set(ok.texts("wallets")) == subscribed)
    for wallet in subscribed.sorted() {
      let snapshot = try await bench.snapshot(wallet)
      #expect(model.differences(from: snapshot, wallet: wallet) == [])
    }
  }
}
