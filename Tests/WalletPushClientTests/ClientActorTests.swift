import Ethereum
import JSON
import Synchronization
import TestSupport
import Testing

@testable import WalletPushClient

/// The actor, over a transport that does what the test says.
@Suite struct ClientActorTests {
  final class FakeTransport: Transport {
    private struct State {
      var sent: [String] = []
      var messages: [[UInt8]] = []
      var end: TransportEnd?
      var waiting: CheckedContinuation<[UInt8], any Error>?
    }

    private let state = Mutex(State())

    var sent: [JSONValue] {
      state.withLock { $0.sent }.compactMap {
        try? JSONParser.parse($0, limits: JSONLimits(depth: 8, numberBytes: 64))
      }
    }
    var isClosed: Bool { state.withLock { $0.end != nil } }

    func open() async throws {}

    func receive() async throws -> [UInt8] {
      try await withCheckedThrowingContinuation { continuation in
        state.withLock { state in
          if !state.messages.isEmpty {
            continuation.resume(returning: state.messages.removeFirst())
          } else if let end = state.end {
            continuation.resume(throwing: end)
          } else {
            state.waiting = continuation
          }
        }
      }
    }

    func send(_ text: String) { state.withLock { $0.sent.append(text) } }
    func close() { end(TransportEnd(reason: "closed")) }

    func say(_ texts: String...) {
      state.withLock { state in
        state.messages += texts.map { Array($0.utf8) }
        if let waiting = state.waiting.take() { waiting.resume(returning: state.messages.removeFirst()) }
      }
    }

    func end(_ end: TransportEnd) {
      state.withLock { state in
        state.end = state.end ?? end
        state.waiting.take()?.resume(throwing: end)
      }
    }
  }

  /// Makes transports and remembers them.
  final class Network: Sendable {
    private let made = Mutex<[FakeTransport]>([])

    var factory: TransportFactory {
      TransportFactory {
        let transport = FakeTransport()
        self.made.withLock { $0.append(transport) }
        return transport
      }
    }

    func transport(_ number: Int) async throws -> FakeTransport {
      try await eventually("transport \(number)") {
        self.made.withLock { $0.count > number ? $0[number] : nil }
      }
    }
  }

  private static let options = ClientOptions(
    times: ClientTimes(backOffFirst: .milliseconds(1), backOffMax: .milliseconds(2)))

  private func sent(_ op: String, by transport: FakeTransport, count: Int = 1) async throws -> JSONValue {
    try await eventually(op) {
      let messages = transport.sent.filter { $0["op"]?.string == op }
      return messages.count >= count ? messages[count - 1] : nil
    }
  }

  @Test func followsAWalletOverConnections() async throws {
    let network = Network()
    let client = WalletPushClient(transports: network.factory, options: Self.options)
    let changes = await client.changes()
    await client.subscribe(wallets: [try walletKey()])
    await client.connect()
    let first = try await network.transport(0)
    first.say(Say.hello())
    let id = try #require(try await sent("subscribe", by: first)["id"]?.int)
    first.say(
      Say.ok(id, wallets: [wallet]), Say.snapshot(), Say.heartbeat(10), Say.price(native, "3000", rev: 11))
    let (key, token) = (try walletKey(), try tokenKey(native))
    for await change in changes where change == .row(key, token) { break }
    let total = await client.state.wallets[key]?.total.text
    #expect(total == "3000.00")
    first.end(TransportEnd(code: 4_100, reason: "drain"))
    let second = try await network.transport(1)
    second.say(Say.hello())
    #expect(try await sent("subscribe", by: second)["since"]?.string == "e1:11")
    await client.close()
    try await eventually("closed") { second.isClosed }
  }

  @Test func callsWaitForTheirAnswers() async throws {
    let network = Network()
    let client = WalletPushClient(transports: network.factory, options: Self.options)
    let key = try walletKey()
    await #expect(throws: ClientError.notConnected) { try await client.refresh(key) }
    await client.connect()
    let transport = try await network.transport(0)
    transport.say(Say.hello())
    try await eventually("connected") { await client.isConnected }
    async let refused: Void = client.refresh(key)
    transport.say(
      Say.error(try #require(try await sent("refresh", by: transport)["id"]?.int), "cooldown", retry: 5))
    do {
      try await refused
      Issue.record("it was refused")
    } catch let error as ClientError {
      #expect(error == .refused(ServerRefusal(code: "cooldown", message: "m", retry: .milliseconds(5))))
    }
    async let whole = client.get(key)
    transport.say(Say.ok(try #require(try await sent("get", by: transport)["id"]?.int)), Say.snapshot())
    #expect(try await whole.rows.count == 1)
    async let list = client.list()
    _ = try await sent("list", by: transport)
    await client.close()
    do {
      _ = try await list
      Issue.record("the connection is gone")
    } catch let error as ClientError {
      #expect(error == .disconnected)
    }
  }

  @Test func asksForTokens() async throws {
    let network = Network()
    let reasons = Mutex<[TokenReason]>([])
    let client = WalletPushClient(transports: network.factory, options: Self.options) { reason in
      reasons.withLock { $0.append(reason) }
      return "token"
    }
    await client.connect()
    let first = try await network.transport(0)
    first.say(Say.hello())
    #expect(try await sent("auth", by: first)["token"] == "token")
    first.end(TransportEnd(code: 4_101, reason: "token expired"))
    let second = try await network.transport(1)
    second.say(Say.hello())
    _ = try await sent("auth", by: second)
    #expect(reasons.withLock { $0 } == [.connecting, .expired])
    await client.close()
  }

  @Test func aReaderEndsWithItsTask() async throws {
    let client = WalletPushClient(transports: Network().factory, options: Self.options)
    let changes = await client.changes()
    let reader = Task {
      var count = 0
      for await _ in changes { count += 1 }
      return count
    }
    reader.cancel()
    #expect(await reader.value == 0)
  }
}
