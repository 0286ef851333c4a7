import Ethereum
import JSON
import TestSupport
import Testing

@testable import Server

/// Server-Sent Events of a whole server.
@Suite(.serialized) struct StreamTests {
  private func path(_ wallet: WalletKey, _ query: String = "") -> String {
    "/api/v1/wallets/\(wallet)/stream\(query)"
  }

  private func stream(
    _ scene: Scene, _ query: String = "", headers: [(String, String)] = [], version: String = "1.1"
  ) async throws -> EventWire {
    try await .open(path(scene.wallet, query), port: try scene.port, headers: headers, version: version)
  }

  @Test("the head says what comes, and that it ends with the connection", arguments: ["1.0", "1.1"])
  func head(_ version: String) async throws {
    try await withScene { scene in
      let reader = try await stream(scene, version: version)
      let head = try await reader.head()
      #expect(head.status == 200)
      #expect(head[header: "Content-Type"] == "text/event-stream")
      #expect(head[header: "Cache-Control"] == "no-store")
      #expect(head[header: "X-Accel-Buffering"] == "no")
      #expect(head[header: "Connection"] == "close")
      #expect(head[header: "Content-Length"] == nil && head[header: "Transfer-Encoding"] == nil)
      _ = try await reader.freshID()
      // It registered the wallet, and is a client like others.
      #expect(try await scene.call("GET", "/api/v1/wallets").json["wallets"]?.array?.count == 1)
      let stats = try await scene.call("GET", "/api/v1/stats").json
      #expect(stats["connections"]?.int == 1 && stats["streams"]?.int == 1 && stats["polls"]?.int == 0)
      #expect(try await scene.call("GET", "/metrics").text.contains("walletpush_push_streams 1\n"))
      reader.wire.abort()
      try await eventually("the end") {
        let stats = try await scene.call("GET", "/api/v1/stats").json
        return stats["connections"]?.int == 0 && stats["streams"]?.int == 0
      }
    }
  }

  @Test("HEAD tells of the stream and does not open it")
  func headRequest() async throws {
    try await withScene { scene in
      let answer = try await scene.call("HEAD", path(scene.wallet))
      #expect(answer.status == 200 && answer[header: "Content-Type"] == "text/event-stream")
      #expect(answer[header: "Content-Length"] == nil)
      #expect(try await scene.call("GET", "/api/v1/stats").json["connections"]?.int == 0)
    }
  }

  @Test("cold: loading without an id, then fresh; and then the frames of a WebSocket")
  func frames() async throws {
    try await withScene { scene in
      try await scene.devnet.setChainLatency(.seconds(2))
      let reader = try await stream(scene)
      try await reader.event("loading") { $0.type == "snapshot" && $0.json["state"] == "loading" }
      try await reader.event("a heartbeat") { $0.type == "heartbeat" }
      let id = try await reader.freshID()
      let events = reader.events
      #expect(events.prefix(2).map(\.type) == ["hello", "ok"])
      let firstID = events.firstIndex { $0.id != nil } ?? 0
      #expect(events[..<firstID].contains { $0.json["state"] == "fresh" })
      let epoch = try #require(events[0].json["epoch"]?.string)
      #expect(id.hasPrefix(epoch + ":"))
      #expect(events.map(\.type) == events.map { $0.json["type"]?.string ?? "?" })

      let client = try await scene.watcher()
      try await scene.expectPrices(at: client, "3500.25")
      let price = try await reader.event("the price") {
        $0.json["price_usd"] == "3500.25" && $0.type == "price"
      }
      let frame = client.frames.last { $0["price_usd"] == "3500.25" && $0["type"] == "price" }
      #expect(price.json == frame)
      #expect(price.id == "\(epoch):\(price.json["rev"]?.int ?? 0)")
    }
  }

  @Test("resumed by the last event's id: only what changed since")
  func resume() async throws {
    try await withScene({ $0.prices.interval = .milliseconds(50) }) { scene in
      let reader = try await stream(scene)
      _ = try await reader.freshID()
      let client = try await scene.watcher()
      try await scene.expectPrices(at: client, "3500.25")
      try await reader.event("the price") { $0.json["price_usd"] == "3500.25" }
      let last = try #require(reader.events.last { $0.id != nil }?.id)
      reader.wire.abort()
      try await scene.expectPrices(at: client, "3500.26")
      try await scene.expectPrices(at: client, "3500.27")

      try await expectResumed(scene, headers: [("Last-Event-ID", last)])
      try await expectResumed(scene, "?since=\(last)")
      // The one that is newer: a browser that comes back asks for the same address.
      try await expectResumed(scene, "?since=zzzz:1", headers: [("Last-Event-ID", last)])
      for foreign in ["zzzz:1", "nonsense"] {
        let again = try await stream(scene, headers: [("Last-Event-ID", foreign)])
        try await again.event("a snapshot") { $0.type == "snapshot" }
        #expect(again.events[1].json["resumed"] == false)
        again.wire.abort()
      }
    }
  }

  /// What changed while nobody read: the coin's price, twice.
  private func expectResumed(
    _ scene: Scene, _ query: String = "", headers: [(String, String)] = []
  ) async throws {
    let reader = try await stream(scene, query, headers: headers)
    try await reader.event("a heartbeat") { $0.type == "heartbeat" }
    let events = Array(reader.events.prefix { $0.type != "heartbeat" })
    #expect(events[1].json["resumed"] == true)
    let data = events.filter { ["price", "token"].contains($0.type) }
    #expect(data.count == events[1].json["changed"]?.int)
    #expect(data.compactMap(\.id).isEmpty)
    #expect(!events.map(\.type).contains("snapshot"))
    let prices = data.filter { $0.json["token"] == "ETH:native" }.map { $0.json["price_usd"]?.string }
    #expect(prices == ["3500.27"])
    reader.wire.abort()
  }

  @Test("what can't be followed is told by a status, not by a stream")
  func refused() async throws {
    try await withScene { scene in
      let cases = [
        ("GET", "/api/v1/wallets/x/stream", 400, "bad_wallet"),
        ("GET", "/api/v1/wallets/9/stream", 404, "not_found"),
        (
          "GET", "/api/v1/wallets/NOPE:0xd8da6bf26964af9d7eed9e03e53415d37aa96045/stream", 400,
          "chain_unsupported"
        ), ("POST", path(scene.wallet), 405, "method_not_allowed"),
      ]
      for (method, target, status, code) in cases {
        let answer = try await scene.call(method, target)
        #expect(answer.status == status && answer.json["code"]?.string == code, "\(answer)")
      }
      let foreign = try await scene.call(
        "GET", path(scene.wallet), headers: [("Origin", "https://evil.example")])
      #expect(foreign.status == 403)
    }
  }

  @Test("a page of a listed origin may read it")
  func listedOrigin() async throws {
    try await withScene({ $0.http.allowedOrigins = ["https://app.example"] }) { scene in
      let reader = try await stream(scene, headers: [("Origin", "https://app.example")])
      let head = try await reader.head()
      #expect(head[header: "Access-Control-Allow-Origin"] == "https://app.example")
      #expect(head[header: "Vary"] == "Origin")
    }
  }

  @Test("its wallet is deleted: it is told, and the stream ends")
  func deleted() async throws {
    try await withScene { scene in
      let reader = try await stream(scene)
      _ = try await reader.freshID()
      #expect(try await scene.call("DELETE", "/api/v1/wallets/\(scene.wallet)").status == 204)
      let events = try await reader.untilEnd()
      #expect(events.last?.type == "status" && events.last?.json["state"] == "deleted")
    }
  }

  @Test("a drain sends it away with the time to come back after")
  func drain() async throws {
    try await withScene { scene in
      let reader = try await stream(scene)
      _ = try await reader.freshID()
      await scene.stop()
      let events = try await reader.untilEnd()
      let retry = try #require(events.last?.json["retry_ms"]?.int)
      #expect(events.last?.type == "reconnect")
      #expect(String(decoding: reader.wire.bytes, as: UTF8.self).contains("\nretry: \(retry)\n"))
    }
  }

  // MARK: - Access tokens

  @Test("a token bounds it, and ends it when it ends itself")
  func tokens() async throws {
    let issuer = try Issuer()
    try await withScene({ $0.auth = issuer.settings }) { scene in
      let (mine, other) = (scene.world.wallets[0], scene.world.wallets[1])
      #expect(try await scene.call("GET", path(mine)).status == 401)
      let bound = try issuer.bearer(wallets: [other])
      #expect(try await scene.call("GET", path(mine), headers: bound).status == 403)

      let reader = try await stream(scene, headers: try issuer.bearer(wallets: [mine], lifetime: 8))
      try await reader.event("a notice") { $0.json["auth"] == "expiring" }
      let events = try await reader.untilEnd()
      #expect(events.last?.type == "error" && events.last?.json["code"] == "unauthorized")
    }
  }
}
