import JSON
import TestSupport
import Testing
import WebSocket

@testable import Server

/// permessage-deflate as a whole server negotiates it, and keeps it.
@Suite(.serialized) struct CompressionTests {
  /// The answer's Sec-WebSocket-Extensions to an offer.
  private func answer(_ scene: Scene, to offer: String) async throws -> String? {
    let wire = try await Wire.connect(port: try scene.port)
    wire.write(
      "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: \(offer)\r\n\r\n")
    let head = try await eventually("the end of the answer's head") {
      let text = String(decoding: wire.bytes, as: UTF8.self)
      return text.contains("\r\n\r\n") ? text : nil
    }
    wire.abort()
    #expect(head.hasPrefix("HTTP/1.1 101 "))
    let name = "Sec-WebSocket-Extensions: "
    return head.split(separator: "\r\n").first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
  }

  private static let browser = "permessage-deflate; client_max_window_bits"

  @Test func browsersGetItWithoutContextTakeover() async throws {
    try await withScene { scene in
      let agreed = try await answer(scene, to: Self.browser)
      #expect(agreed == "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
      // What breaks a rule is no reason to refuse the connection.
      #expect(try await answer(scene, to: "permessage-deflate; server_max_window_bits=99") == nil)
    }
  }

  @Test func settingsDecide() async throws {
    try await withScene({ $0.compression.enabled = false }) { scene in
      let agreed = try await answer(scene, to: Self.browser)
      #expect(agreed == nil)
    }
    try await withScene({
      $0.compression.contextTakeover = true
      $0.compression.windowBits = 10
    }) { scene in
      let agreed = try await answer(scene, to: Self.browser)
      #expect(agreed == "permessage-deflate; client_max_window_bits=10")
    }
  }

  @Test(arguments: [false, true])
  func aWalletIsTheSameCompressed(_ contextTakeover: Bool) async throws {
    try await withScene({ $0.compression.contextTakeover = contextTakeover }) { scene in
      let settings = DeflateSettings(
        minimumBytes: 0, contextTakeover: true, windowBits: 15, level: 6, inflationRatio: 200)
      let client = try await MessageListener.connect(
        "ws://127.0.0.1:\(try scene.port)/ws", deflate: settings)
      client.send(.text, Array(#"{"op":"subscribe","id":1,"wallets":["\#(scene.wallet)"]}"#.utf8))
      var snapshot: JSONValue?
      while snapshot?["state"] != "fresh" {
        let message = try #require(await client.next())
        let frame = try JSONParser.parse(
          Array(message.dropFirst()), limits: JSONLimits(depth: 32, numberBytes: 128))
        if frame["type"] == "snapshot" { snapshot = frame }
      }
      #expect(snapshot?.balances == (try await scene.balances(scene.wallet)))
      client.abort()
      let metrics = try await scene.call("GET", "/metrics")
      let name = "walletpush_compression_messages_compressed "
      let line = try #require(metrics.text.split(separator: "\n").first { $0.hasPrefix(name) })
      #expect(line.dropFirst(name.count) != "0")
    }
  }
}
