import Ethereum
import JSON
import Ledger
import TestSupport
import Testing
import WebSocket

@testable import Push

@Suite("Replies, byte by byte")
struct ReplyTests {
  private func text(_ frame: [UInt8]) -> String {
    String(decoding: frame[WebSocketFrame.payloadStart(of: frame)...], as: UTF8.self)
  }

  @Test func hello() {
    var settings = PushBench.settings
    settings.serverName = "walletpush/0.1.0"
    settings.operationsPerSecond = 20
    settings.pingInterval = .seconds(25)
    #expect(
      text(Replies.hello(settings: settings, epoch: "k3f9", revision: 8_100))
        == "{\"type\":\"hello\",\"protocol\":\"walletpush.v1\",\"server\":\"walletpush/0.1.0\",\"epoch\":\"k3f9\",\"rev\":8100,"
        + "\"ping_s\":25,\"limits\":{\"wallets\":100,\"ops_per_s\":20,\"message_bytes\":65536}}")
    settings.operationsPerSecond = 0.5
    settings.pingInterval = .milliseconds(1_500)
    let odd = text(Replies.hello(settings: settings, epoch: "k3f9", revision: 8_100))
    #expect(odd.contains("\"ping_s\":1.5,"))
    #expect(odd.contains("\"ops_per_s\":0.5,"))
  }

  @Test func ok() throws {
    #expect(text(Replies.ok(nil)) == "{\"type\":\"ok\"}")
    #expect(text(Replies.ok(.integer(-3))) == "{\"type\":\"ok\",\"id\":-3}")
    #expect(text(Replies.ok(.text("a\"b"))) == "{\"type\":\"ok\",\"id\":\"a\\\"b\"}")
    let key = try WalletKey(parsing: PushBench.wallet(1))
    var failed = FailedKeys()
    failed.append("ETH:0xZZ", isToken: false, Refusal(.badWallet, "no"))
    failed.append("x", isToken: true, Refusal(.internal, "later", retryMilliseconds: 5))
    let reply = Replies.ok(.integer(1)) { out in
      out.append(keys: [key, key], named: "wallets")
      out.append(failed: failed)
    }
    #expect(
      text(reply) == "{\"type\":\"ok\",\"id\":1,\"wallets\":[\"\(key)\",\"\(key)\"],\"failed\":["
        + "{\"wallet\":\"ETH:0xZZ\",\"code\":\"bad_wallet\",\"message\":\"no\"},"
        + "{\"token\":\"x\",\"code\":\"internal\",\"message\":\"later\",\"retry_ms\":5}]}")
  }

  @Test func others() throws {
    #expect(
      text(Replies.pong(.integer(8), time: 1_763_805_600_123))
        == "{\"type\":\"pong\",\"id\":8,\"time\":1763805600123}")
    #expect(
      text(Replies.error(.integer(5), Refusal(.cooldown, "refreshed 4 s ago", retryMilliseconds: 6_000)))
        == "{\"type\":\"error\",\"id\":5,\"code\":\"cooldown\",\"message\":\"refreshed 4 s ago\",\"retry_ms\":6000}"
    )
    #expect(
      text(Replies.error(nil, Refusal(.badJSON, "no")))
        == "{\"type\":\"error\",\"code\":\"bad_json\",\"message\":\"no\"}")
    #expect(
      text(Replies.heartbeat(epoch: "k3f9", revision: 8_140))
        == "{\"type\":\"heartbeat\",\"epoch\":\"k3f9\",\"rev\":8140}")
    #expect(text(Replies.lag(revision: 8_122)) == "{\"type\":\"lag\",\"rev\":8122}")
    #expect(
      text(Replies.reconnect(retryMilliseconds: 3_172))
        == "{\"type\":\"reconnect\",\"reason\":\"drain\",\"retry_ms\":3172}")
    let key = try WalletKey(parsing: PushBench.wallet(1))
    #expect(text(Replies.deleted(key)) == "{\"type\":\"status\",\"wallet\":\"\(key)\",\"state\":\"deleted\"}")
  }
}

@Suite("Chunks and batches")
struct ChunkTests {
  private func frame(_ text: String) -> [UInt8] { [0x81, UInt8(text.utf8.count)] + Array(text.utf8) }

  @Test("a mask gathers its frames in order, and clients with one mask share the bytes")
  func masks() {
    var chunk = Chunk()
    var bits: [UInt64] = []
    for index in 0..<Chunk.capacity {
      #expect(!chunk.isFull)
      bits.append(chunk.append(frame("{\"n\":\(index)}"), revision: Revision(index + 1)))
    }
    #expect(chunk.isFull)
    #expect(chunk.revision == 64)
    #expect(bits == (0..<64).map { 1 << $0 })
    #expect(chunk.bytes(for: bits[63]) == frame("{\"n\":63}"))
    #expect(
      chunk.bytes(for: bits[0] | bits[2] | bits[63]) == frame("{\"n\":0}") + frame("{\"n\":2}")
        + frame("{\"n\":63}"))
    #expect(chunk.bytes(for: .max).count == (0..<64).reduce(0) { $0 + frame("{\"n\":\($1)}").count })
    let once = chunk.bytes(for: .max)
    let twice = chunk.bytes(for: .max)
    #expect(once.withUnsafeBytes { a in twice.withUnsafeBytes { b in a.baseAddress == b.baseAddress } })
    chunk.removeAll()
    #expect(chunk.isEmpty)
    _ = chunk.append(frame("a"), revision: 99)
    _ = chunk.append(frame("b"), revision: 100)
    #expect(chunk.bytes(for: 3) == frame("a") + frame("b"), "nothing is left of the chunk before")
  }

  @Test("batches hold whole frames, in order, and stay within 64 KiB", arguments: [1, 2, 3, 40, 700])
  func batches(count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    let texts = (0..<count).map { index in
      "{\"n\":\(index),\"pad\":\"\(String(repeating: "x", count: Int.random(in: 0..<2_000, using: &generator)))\"}"
    }
    let messages = BatchFrames.build(
      texts.map { text in
        let length = text.utf8.count
        return length < 126
          ? frame(text) : [0x81, 126, UInt8(length >> 8), UInt8(length & 0xff)] + Array(text.utf8)
      })
    var found: [Int] = []
    for message in messages {
      let json = message[WebSocketFrame.payloadStart(of: message)...]
      #expect(json.count <= 65_536)
      let value = try JSONParser.parse(json, limits: JSONLimits(depth: 8, numberBytes: 32))
      #expect(value.type == "batch")
      found += value.list("frames").compactMap { $0["n"]?.int }
    }
    #expect(found == Array(0..<count))
    let total = texts.reduce(0) { $0 + $1.utf8.count }
    #expect(messages.count <= total / 60_000 + 1)
  }

  @Test("exactly 64 KiB is one message, one byte more is two")
  func edge() {
    func json(_ count: Int) -> [UInt8] { Array(repeating: 120, count: count) }
    // {"type":"batch","frames":[  a  ,  b  ]}
    let room = 65_536 - 26 - 1 - 2 - 1_000
    func build(_ count: Int) -> [[UInt8]] {
      BatchFrames.build([
        [0x81, 126, UInt8(1_000 >> 8), UInt8(1_000 & 0xff)] + json(1_000),
        [0x81, 126, UInt8(count >> 8), UInt8(count & 0xff)] + json(count),
      ])
    }
    #expect("{\"type\":\"batch\",\"frames\":[".utf8.count == 26)
    #expect(build(room).count == 1)
    #expect(build(room)[0].count - WebSocketFrame.payloadStart(of: build(room)[0]) == 65_536)
    #expect(build(room + 1).count == 2)
    #expect(BatchFrames.build([]).isEmpty)
  }
}
