import EventLoop
import JSON
import Ledger
import Testing

@testable import Push

@Suite("Limits and misbehaviour, over sockets")
struct LimitTests {
  @Test("each op over the rate gets its own error, with a time to come back")
  func rateLimited() async throws {
    let bench = try await PushBench { $0.operationsPerSecond = 5 }
    let client = try await bench.greeted()
    client.send(all: (1...8).map { "{\"op\":\"ping\",\"id\":\($0)}" })
    var replies: [JSONValue] = []
    for _ in 1...8 { replies.append(try await client.message()) }
    #expect(replies.map { $0["id"]?.int } == Array(1...8))
    #expect(replies.prefix(5).allSatisfy { $0.type == "pong" })
    let refused = replies.dropFirst(5)
    #expect(
      refused.allSatisfy {
        $0.type == "error" && $0.text("code") == "rate_limited"
          && (1...1_000).contains($0["retry_ms"]?.int ?? 0)
      })
  }

  @Test("who goes on and on beyond the rate is closed with 4003, after a bounded number of replies")
  func tooManyRefusals() async throws {
    let bench = try await PushBench {
      $0.operationsPerSecond = 0.1
      $0.excess = 20
    }
    let client = try await bench.greeted()
    client.send(all: Array(repeating: "{\"op\":\"ping\"}", count: 100))
    var replies = 0
    var code: UInt16?
    while code == nil {
      switch try await client.next() {
      case .message: replies += 1
      case .close(let found, let reason):
        #expect(!reason.isEmpty)
        code = found
      case .ended: throw TestClient.Unexpected(description: "ended without a Close")
      }
    }
    #expect(code == 4003)
    // The one that was allowed, and the refusals; a few more when the machine is slow.
    #expect((20...60).contains(replies), "\(replies)")
    #expect(try await bench.statistics().closedAbuse == 1)
  }

  @Test("a flood of pings is closed with 4003; a few are nothing", arguments: [0x9, 0xA] as [UInt8])
  func pings(_ opcode: UInt8) async throws {
    let bench = try await PushBench {
      $0.operationsPerSecond = 1
      $0.excess = 50
    }
    let frame: [UInt8] = [0x80 | opcode, 0x80, 0, 0, 0, 0]
    let patient = try await bench.greeted()
    for _ in 1...20 { patient.send(raw: frame) }
    patient.send("{\"op\":\"ping\"}")
    _ = try await patient.message("pong")
    let flooding = try await bench.greeted()
    flooding.send(raw: Array(repeating: frame, count: 10_000).flatMap { $0 })
    #expect(try await flooding.closeCode() == 4003)
    #expect(try await bench.statistics().closedAbuse == 1)
  }

  @Test("a message in too many frames closes with 1008", arguments: [0, 1])
  func tinyFragments(_ bytes: Int) async throws {
    let bench = try await PushBench { $0.messageFrames = 64 }
    let client = try await bench.greeted()
    let payload = [UInt8](repeating: 0x20, count: bytes)
    // Masked with zeros: not changed.
    client.send(raw: [0x01, 0x80 | UInt8(bytes), 0, 0, 0, 0] + payload)
    for _ in 0..<100 { client.send(raw: [0x00, 0x80 | UInt8(bytes), 0, 0, 0, 0] + payload) }
    #expect(try await client.closeCode() == 1008)
  }

  @Test("a list longer than a connection can use is paid for")
  func longLists() async throws {
    let bench = try await PushBench {
      $0.operationsPerSecond = 10
      $0.walletsPerConnection = 10
    }
    let client = try await bench.greeted()
    func list(_ count: Int) -> String {
      "{\"op\":\"unsubscribe\",\"wallets\":[" + (0..<count).map { "\"\($0)\"" }.joined(separator: ",") + "]}"
    }
    client.send(list(10))
    #expect(try await client.message("ok").list("failed").count == 10)
    client.send(list(5_000))
    let long = try await client.message("ok")
    #expect(long.list("failed").count == 1_500)
    #expect(long["failed_more"]?.int == 3_500)
    client.send("{\"op\":\"ping\"}")
    let refused = try await client.message("error")
    #expect(refused.text("code") == "rate_limited")
    #expect(refused["retry_ms"]?.int ?? 0 > 30_000)
  }

  @Test(
    "a reply is no many times longer than the longest message, whatever keys that has",
    arguments: [true, false])
  func amplification(_ isEmpty: Bool) async throws {
    let bench = try await PushBench()
    let client = try await bench.greeted()
    for op in ["subscribe", "unsubscribe"] {
      for list in ["wallets", "tokens"] {
        // Of no chain that there is.
        let keys = (0..<(isEmpty ? 21_000 : 4_200))
          .map { isEmpty ? "\"\"" : "\"X\($0 + 1_000):native\"" }.joined(separator: ",")
        client.send("{\"op\":\"\(op)\",\"\(list)\":[\(keys)]}")
        let reply = try await client.message()
        #expect("\(reply)".utf8.count < 4 * 65_536)
      }
    }
  }

  /// The contract names every wallet beyond the limit.
  @Test("of whole wallet keys in the longest message every one is named")
  func everyWalletIsNamed() async throws {
    let bench = try await PushBench { $0.walletsPerConnection = 3 }
    let client = try await bench.greeted()
    let keys = (1...1_336).map { "\"\(PushBench.wallet($0))\"" }.joined(separator: ",")
    client.send("{\"op\":\"subscribe\",\"wallets\":[\(keys)]}")
    let reply = try await client.message("ok")
    #expect(reply.list("wallets").count == 3)
    #expect(reply.list("failed").count == 1_333)
    #expect(reply.list("failed").allSatisfy { $0.text("code") == "too_many_wallets" })
    #expect(reply["failed_more"] == nil)
  }

  @Test("a binary message closes with 1003")
  func binary() async throws {
    let bench = try await PushBench()
    let client = try await bench.greeted()
    client.sendBinary([1, 2, 3])
    client.send("{\"op\":\"ping\"}")
    #expect(try await client.closeCode() == 1003)
    try await client.untilEnded()
  }

  @Test("a message over the limit closes with 1009; one at the limit is read")
  func oversize() async throws {
    let bench = try await PushBench { $0.messageBytes = 1_000 }
    let client = try await bench.greeted()
    func ping(_ bytes: Int) -> String {
      let frame = "{\"op\":\"ping\",\"pad\":\"\"}"
      return "{\"op\":\"ping\",\"pad\":\"" + String(repeating: "x", count: bytes - frame.utf8.count) + "\"}"
    }
    client.send(ping(1_000))
    _ = try await client.message("pong")
    client.send(ping(1_001))
    #expect(try await client.closeCode() == 1009)
  }

  @Test("a client that goes is forgotten, and so is what only it followed")
  func gone() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let client = try await bench.client(wallets: [wallet])
    _ = try await client.messages(through: "heartbeat")
    client.send("{\"op\":\"subscribe\",\"tokens\":[\"ETH:native\"]}")
    _ = try await client.messages(through: "heartbeat")
    client.drop()
    try await client.untilEnded()
    let shard = bench.shards[0]
    while try await shard.loop.perform({ shard.clientCount }) > 0 { await Task.yield() }
    _ = await bench.ledger.register([])
    #expect(await bench.ledger.watchedWalletCount == 0)
    #expect(await bench.ledger.watchedTokens().isEmpty)
  }

  @Test("draining: told when to come back, then closed with 4100; nobody new is taken")
  func drain() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let clients = [try await bench.client(wallets: [wallet]), try await bench.client(wallets: [wallet])]
    for client in clients { _ = try await client.messages(through: "heartbeat") }
    let shard = bench.shards[0]
    try await shard.loop.perform { shard.drain(window: .seconds(3), random: { 4_172 }) }
    for client in clients {
      #expect(
        "\(try await client.message())" == "{\"type\":\"reconnect\",\"reason\":\"drain\",\"retry_ms\":1222}")
      #expect(try await client.closeCode() == 4100)
    }
    let late = try await bench.greeted()
    _ = try await late.message("reconnect")
    #expect(try await late.closeCode() == 4100)
  }

  @Test("a ping that is not answered: 4109; answered ones go on for ever")
  func noPong() async throws {
    let bench = try await PushBench {
      $0.pingInterval = .milliseconds(30)
      $0.pongTimeout = .seconds(4)
    }
    let patient = try await bench.greeted()
    let mute = try await bench.client(answersPings: false)
    _ = try await mute.message("hello")
    #expect(try await mute.closeCode() == 4109)
    patient.send("{\"op\":\"ping\"}")
    _ = try await patient.messages(through: "pong")
    let closed = try await bench.statistics().closedNoPong
    #expect(closed == 1)
  }

  @Test("silence is filled with heartbeats")
  func heartbeats() async throws {
    let bench = try await PushBench { $0.pingInterval = .milliseconds(20) }
    let client = try await bench.greeted()
    for _ in 0..<3 { #expect(try await client.message("heartbeat").rev == 100) }
  }

  @Test("a reply in the turn of the liveness timer doesn't make an old connection slow")
  func notSlow() async throws {
    // All timers are due in every turn, and the connection is older than the time a slow client is given.
    let bench = try await PushBench {
      $0.pingInterval = .milliseconds(1)
      $0.slowTimeout = .milliseconds(1)
    }
    let client = try await bench.greeted()
    for id in 0..<300 {
      client.send("{\"op\":\"ping\",\"id\":\(id)}")
      _ = try await client.messages(through: "pong")
    }
    let closed = try await bench.statistics().closedSlow
    #expect(closed == 0)
  }
}
