import Synchronization
import Testing

@testable import EventLoop

@Suite struct ConnectionBudgetTests {
  private func address(_ host: String, port: UInt16 = 1) throws -> SocketAddress {
    try #require(SocketAddress(host: host, port: port))
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
    ("::ffff:192.0.2.1", "192.0.2.1", true), ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
    ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
    ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
    ("::1", "::2", true), ("::1", "0.0.0.1", false), ("fe80::1", "fe80::2", true),
  ])
  func whatIsOneAddress(_ first: String, _ second: String, _ isOne: Bool) throws {
    let budget = ConnectionBudget(connections: 10, perAddress: 1)
    let held = try budget.admit(try address(first))
    if isOne {
      #expect(throws: ConnectionBudget.Refusal.address) { try budget.admit(address(second, port: 2)) }
      #expect(budget.open == 1 && budget.addressCount == 1)
    } else {
      budget.release(try budget.admit(try address(second, port: 2)))
    }
    budget.release(held)
    #expect(budget.open == 0 && budget.addressCount == 0)
    budget.release(try budget.admit(try address(second)))
  }

  @Test func allIsCheckedFirst() throws {
    let budget = ConnectionBudget(connections: 1, perAddress: 1)
    _ = try budget.admit(try address("192.0.2.1"))
    #expect(throws: ConnectionBudget.Refusal.connections) { try budget.admit(address("192.0.2.1")) }
    #expect(budget.addressCount == 1)
  }

  @Test func withoutLimitPerAddressNothingIsKept() throws {
    let budget = ConnectionBudget(connections: 10, perAddress: nil)
    for _ in 0..<5 { #expect(try budget.admit(address("192.0.2.1")) == nil) }
    #expect(budget.addressCount == 0)
  }

  private final class Held: Sendable {
    private let counts = Mutex([0, 0])

    func change(_ number: Int, by amount: Int) -> Int {
      counts.withLock { counts in
        counts[number] += amount
        return counts[number]
      }
    }
  }

  /// Threads come and go at once: never above the limits, and nothing is left.
  @Test func manyThreads() async throws {
    let budget = ConnectionBudget(connections: 3, perAddress: 1)
    let held = Held()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask {
          for round in 0..<2_000 {
            let number = (task + round) % 2
            let peer = SocketAddress(192, 0, 2, UInt8(number), port: 1)
            guard let share = try? budget.admit(peer) else { continue }
            #expect(held.change(number, by: 1) == 1)
            _ = held.change(number, by: -1)
            budget.release(share)
          }
        }
      }
    }
    #expect(budget.open == 0 && budget.addressCount == 0)
  }

  // MARK: - On a loop

  @Test func theRefusalArrives() throws {
    let budget = ConnectionBudget(connections: 10, perAddress: 2)
    let hand = try HandTurned { $0.budget = budget }
    var servers: [Connection] = []
    let address = ListenAddress(host: "127.0.0.1", port: 0)
    let listener = try hand.loop.listen(on: address, refusal: Array("full".utf8)) {
      servers.append($0)
      return Recorder()
    }
    let clients = (0..<5).map { _ in Recorder() }
    for client in clients {
      // Bytes that the server never reads: they must not turn the refusal into a reset.
      hand.loop.connect(to: listener.address, handler: client).write(Array("hello".utf8))
    }
    hand.turn { clients.filter { $0.inputEndedCount == 1 }.count == 3 }
    #expect(clients.filter { $0.bytes == Array("full".utf8) }.count == 3)
    #expect(hand.loop.statistics.refusedAddress == 3 && hand.loop.statistics.accepted == 2)
    #expect(budget.open == 2 && budget.addressCount == 1)

    // A connection that is being closed still counts; one that is gone doesn't.
    servers[0].close(.requested, afterFlush: true)
    hand.turn(times: 5)
    #expect(budget.open == 2)
    for server in servers { server.close(.requested, afterFlush: false) }
    hand.turn { budget.open == 0 }
    #expect(budget.addressCount == 0)
  }

  @Test(arguments: [ConnectionBudget.Refusal.connections, .address])
  func aFewAreTurnedAway(_ limit: ConnectionBudget.Refusal) throws {
    let budget =
      limit == .connections
      ? ConnectionBudget(connections: 1, perAddress: nil, turnedAway: 2)
      : ConnectionBudget(connections: 10, perAddress: 1, turnedAway: 2)
    let hand = try HandTurned { $0.budget = budget }
    var told: [Connection] = []
    let address = ListenAddress(host: "127.0.0.1", port: 0)
    let listener = try hand.loop.listen(
      on: address, refusal: Array("full".utf8),
      turnAway: { connection, refusal in
        #expect(refusal == limit)
        told.append(connection)
        let handler = Recorder()
        handler.onReceive = { _, connection in
          connection.write(Array("no room".utf8))
          connection.close(.requested, afterFlush: true)
        }
        return handler
      }, accept: { _ in Recorder() })
    func refused() -> UInt64 {
      let now = hand.loop.statistics
      #expect((limit == .connections ? now.refusedAddress : now.refusedConnections) == 0)
      return limit == .connections ? now.refusedConnections : now.refusedAddress
    }
    let clients = (0..<5).map { _ in Recorder() }
    let ends = clients.map { hand.loop.connect(to: listener.address, handler: $0) }
    hand.turn { clients.allSatisfy(\.isConnected) && refused() == 4 }
    hand.turn { clients.filter { $0.bytes == Array("full".utf8) && $0.inputEndedCount == 1 }.count == 2 }
    #expect(told.count == 2 && hand.loop.statistics.turnedAway == 2 && hand.loop.statistics.accepted == 1)
    #expect(budget.open == 1 && budget.turnedAwayOpen == 2 && hand.loop.statistics.acceptedOpen == 1)

    // Those that were refused at once have their end already; the first one is a client.
    for index in clients.indices where clients[index].inputEndedCount == 0 {
      ends[index].write(pattern(300_000))
    }
    hand.turn { clients.filter { $0.bytes == Array("no room".utf8) && $0.inputEndedCount == 1 }.count == 2 }
    for index in clients.indices where clients[index].inputEndedCount == 1 {
      ends[index].close(.requested, afterFlush: true)
    }
    hand.turn { budget.turnedAwayOpen == 0 }
    #expect(budget.open == 1 && hand.loop.statistics.acceptedOpen == 1)
    hand.turn { clients.filter { $0.closeReasons == [.requested] }.count == 4 }

    // A place that is free again is the next one's.
    let next = Recorder()
    hand.loop.connect(to: listener.address, handler: next).write([1])
    hand.turn { next.bytes == Array("no room".utf8) }
    #expect(refused() == 5 && hand.loop.statistics.turnedAway == 3)
  }

  /// A connection whose peer speaks for others counts for one of them until that one has taken its answer.
  @Test func aClientCountsUntilItsAnswerIsTaken() throws {
    let budget = ConnectionBudget(connections: 10, perAddress: 1) { _ in true }
    let hand = try HandTurned { $0.budget = budget }
    var server: Connection?
    let listener = try hand.loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) {
      server = $0
      return Recorder()
    }
    let client = Recorder()
    let end = hand.loop.connect(to: listener.address, handler: client)
    hand.turn { server != nil && client.isConnected }
    let connection = try #require(server)
    let first = try address("198.51.100.7", port: 0)
    let second = try address("198.51.100.8", port: 0)

    // Nothing to be taken; then what the kernel takes at once.
    #expect(connection.count(for: first))
    connection.endCountForClientWhenSent()
    #expect(budget.addressCount == 0)
    #expect(connection.count(for: first))
    connection.write([1])
    connection.endCountForClientWhenSent()
    #expect(!budget.take(first))
    hand.turn { budget.addressCount == 0 }

    end.pauseReading()
    #expect(connection.count(for: first))
    connection.write(pattern(30_000_000))
    connection.endCountForClientWhenSent()
    hand.turn(times: 20)
    #expect(!budget.take(first))
    end.resumeReading()
    hand.turn { budget.addressCount == 0 }

    // The next one takes its place.
    #expect(connection.count(for: first) && connection.count(for: second))
    #expect(budget.addressCount == 1 && !budget.take(second))
    connection.close(.requested, afterFlush: false)
    hand.turn { budget.addressCount == 0 }
  }

  @Test func whoeverIsTurnedAwayWithoutAHandlerIsGoneAtOnce() throws {
    let budget = ConnectionBudget(connections: 0, perAddress: nil, turnedAway: 1)
    let hand = try HandTurned { $0.budget = budget }
    let listener = try hand.loop.listen(
      on: ListenAddress(host: "127.0.0.1", port: 0), turnAway: { _, _ in nil }, accept: { _ in Recorder() })
    for count in 1...3 {
      let client = Recorder()
      _ = hand.loop.connect(to: listener.address, handler: client)
      hand.turn { client.inputEndedCount == 1 }
      #expect(hand.loop.statistics.turnedAway == UInt64(count) && budget.turnedAwayOpen == 0)
    }
    #expect(budget.open == 0 && hand.loop.statistics.acceptedOpen == 0)
  }

  @Test func aProxySpeaksForItsClients() throws {
    let budget = ConnectionBudget(connections: 10, perAddress: 1, isExempt: { $0.isLoopback })
    let hand = try HandTurned { $0.budget = budget }
    let pairs = [try hand.pair(), try hand.pair()]
    #expect(budget.open == 2 && budget.addressCount == 0)
    let client = try address("192.0.2.1")
    let ends = pairs.map(\.serverEnd)
    #expect(ends[0].count(for: client))
    #expect(ends[0].count(for: client), "again: the same place")
    #expect(!ends[1].count(for: client))
    #expect(hand.loop.statistics.refusedAddress == 1)
    #expect(ends[1].count(for: try address("192.0.2.2")))
    ends[1].endCountForClient()
    #expect(budget.addressCount == 1)
    ends[0].close(.requested, afterFlush: false)
    hand.turn { budget.open == 1 }
    #expect(budget.addressCount == 0)
    #expect(ends[1].count(for: client))
    // Even one that counts as the proxy itself would.
    #expect(ends[1].count(for: ends[1].peer))
    ends[1].endCountForClient()
    #expect(budget.addressCount == 0)
  }

  /// Only what was counted for a client ends with its request: the peer's own count stays.
  @Test func aDirectPeerCountsToItsEnd() throws {
    let budget = ConnectionBudget(connections: 10, perAddress: 5)
    let hand = try HandTurned { $0.budget = budget }
    let pair = try hand.pair()
    pair.serverEnd.endCountForClient()
    #expect(budget.addressCount == 1)
    pair.serverEnd.close(.requested, afterFlush: false)
    hand.turn { budget.addressCount == 0 }
  }
}
