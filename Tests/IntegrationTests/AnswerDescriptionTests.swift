import Ethereum
import JSON
import TestSupport
import Testing

@testable import Server

/// Over HTTP the server answers what its description says, and all that it says can be seen.
@Suite(.serialized) struct AnswerDescriptionTests {
  /// What cannot be brought about here: storage that fails (StorageFailureTests), and a server without any page.
  private static func isRare(_ answer: String) -> Bool {
    answer.hasSuffix(" 500") || answer == "GET /readyz 503" || answer == "GET / 404"
  }

  @Test func everyAnswerIsDescribed() async throws {
    let issuer = try Issuer()
    try await withScene({ $0.refresh.cooldown = .seconds(600) }) { scene in
      let described = try await Described(of: scene)
      try await pages(scene, described)
      try await methods(scene, described)
      try await wallets(scene, described)
      try await rows(scene, described)
      try await streams(scene, described)
      try await refreshes(scene, described)
      try await guarded(issuer, described)
      try await refused(described)
      let expected = described.describedAnswers.filter { !Self.isRare($0) }
      #expect(expected.subtracting(described.answers).sorted() == [])
    }
  }

  private func call(
    _ scene: Scene, _ described: Described, _ method: String, _ path: String, _ target: String? = nil,
    headers: [(String, String)] = [], body: String? = nil, _ status: Int = 200
  ) async throws -> Answer {
    let answer = try await scene.call(method, target ?? path, headers: headers, body: body)
    #expect(answer.status == status, "\(method) \(target ?? path): \(answer)")
    described.expect(answer, method, path)
    return answer
  }

  private func pages(_ scene: Scene, _ described: Described) async throws {
    for path in ["/", "/monitor", "/playground"] {
      let page = try await call(scene, described, "GET", path)
      #expect(page[header: "Content-Security-Policy"]?.contains("default-src 'self'") == true)
      // Below a proxy's path the page's own files are beside it.
      #expect(!page.text.contains(#"src="/"#) && !page.text.contains(#"href="/"#), "\(path)")
    }
    for path in [
      "/api/v1/chains", "/api/v1/stats", "/api/v1/openapi.json", "/api/v1/asyncapi.json", "/healthz",
      "/readyz",
      "/metrics",
    ] {
      _ = try await call(scene, described, "GET", path)
      _ = try await call(scene, described, "GET", path, headers: [("Host", "a"), ("Host", "b")], 400)
    }
    let handshake = try await call(scene, described, "GET", "/ws", nil, 426)
    #expect(handshake[header: "Upgrade"] == "websocket")
    for (key, status) in [("x", 400), ("dGhlIHNhbXBsZSBub25jZQ==", 101)] {
      let wire = try await Wire.connect(port: try scene.port)
      wire.write(Wire.handshake("/ws").replacing("dGhlIHNhbXBsZSBub25jZQ==", with: key))
      let answer = try await eventually("an answer") {
        var bytes = wire.bytes
        return Answer.take(from: &bytes)
      }
      wire.abort()
      #expect(answer.status == status)
      described.expect(answer, "GET", "/ws")
    }
  }

  /// An address answers to the methods that are described, and no others.
  private func methods(_ scene: Scene, _ described: Described) async throws {
    let calls = Set(described.describedAnswers.map { $0.split(separator: " ").prefix(2).map(String.init) })
    for path in Set(calls.map { $0[1] }) where path != "/ws" {
      let target = path.replacing("{id}", with: "1").replacing("{address}", with: "native")
      let answer = try await scene.call("PUT", target)
      #expect(answer.status == 405, "\(path): \(answer)")
      let allowed = Set((answer[header: "Allow"] ?? "").split(separator: ", ").map(String.init))
      let wanted = Set(calls.filter { $0[1] == path }.map { $0[0] })
      #expect(allowed.subtracting(["HEAD"]) == wanted, "\(path)")
      for method in wanted { described.expect(answer, method, path) }
    }
  }

  private func wallets(_ scene: Scene, _ described: Described) async throws {
    let path = "/api/v1/wallets"
    func body(_ wallet: WalletKey) -> String {
      #"{"chain":"\#(wallet.chain)","address":"\#(wallet.address.lowercase)"}"#
    }
    for (index, wallet) in scene.world.wallets.enumerated() {
      _ = try await call(scene, described, "POST", path, body: body(wallet), 201)
      _ = try await call(scene, described, "GET", "\(path)/{id}", "\(path)/\(index + 1)")
    }
    _ = try await call(scene, described, "POST", path, body: body(scene.wallet))
    for body in ["{", "[]", #"{"chain":"ETH","address":"0x12"}"#, #"{"chain":"NO","address":"0x12"}"#] {
      _ = try await call(scene, described, "POST", path, body: body, 400)
    }
    let nowhere = #"{"chain":"NOPE","address":"0xd8da6bf26964af9d7eed9e03e53415d37aa96045"}"#
    #expect(
      try await call(scene, described, "POST", path, body: nowhere, 400).json["code"] == "chain_unsupported")
    let page = try await call(scene, described, "GET", path, "\(path)?limit=2")
    #expect(page.json["next"]?.int == 2)
    #expect(try await call(scene, described, "GET", path).json["next"]?.isNull == true)
    _ = try await call(scene, described, "GET", path, "\(path)?limit=0", 400)
    for (method, rest) in [
      ("GET", ""), ("DELETE", ""), ("GET", "/balances"), ("POST", "/refresh_balances"),
      ("PATCH", "/tokens/native"),
    ] {
      let template = "\(path)/{id}\(rest.hasPrefix("/tokens") ? "/tokens/{address}" : rest)"
      let body = method == "PATCH" ? #"{"is_visible":true}"# : nil
      _ = try await call(scene, described, method, template, "\(path)/ETH:0x12\(rest)", body: body, 400)
      _ = try await call(scene, described, method, template, "\(path)/999\(rest)", body: body, 404)
    }
    _ = try await call(scene, described, "DELETE", "\(path)/{id}", "\(path)/3", 204)
  }

  private func rows(_ scene: Scene, _ described: Described) async throws {
    let path = "/api/v1/wallets/{id}"
    let target = "/api/v1/wallets/\(scene.wallet)"
    let watcher = try await scene.watcher()
    try await scene.expectPrices(at: watcher, "371.5")
    let balances = try await call(scene, described, "GET", "\(path)/balances", "\(target)/balances")
    #expect(balances.json["tokens"]?.array?.isEmpty == false && balances.json["total_usd"]?.string != nil)
    _ = try await eventually("an answer that says that nothing has changed") {
      let before = try await scene.call("GET", "\(target)/balances")
      let answer = try await scene.call(
        "GET", "\(target)/balances", headers: [("If-None-Match", before[header: "ETag"] ?? "")])
      guard answer.status == 304 else { return nil as Bool? }
      described.expect(answer, "GET", "\(path)/balances")
      return true
    }
    let tokens = "\(path)/tokens/{address}"
    let row = try await call(
      scene, described, "PATCH", tokens, "\(target)/tokens/native", body: #"{"is_visible":false}"#)
    #expect(row.json["visible"] == false)
    for (token, body) in [("native", "{"), ("native", "{}"), ("0x12", #"{"is_visible":true}"#)] {
      _ = try await call(scene, described, "PATCH", tokens, "\(target)/tokens/\(token)", body: body, 400)
    }
    // Figures of a server that has work.
    let stats = try await call(scene, described, "GET", "/api/v1/stats").json
    described.expect(stats, is: "Figures")
    for list in ["jobs", "chains", "upstreams", "loops"] {
      #expect(stats[list]?.array?.isEmpty == false, "\(list)")
    }
    #expect(stats["cache"]?["lookups"]?.array?.isEmpty == false)
    #expect(stats["prices"]?["sources"]?.array?.isEmpty == false)
    let delivery = try #require(stats["delivery"])
    #expect((delivery["count"]?.int ?? 0) > 0)
    #expect(delivery["counts"]?.array?.count == (delivery["le_us"]?.array?.count ?? 0) + 1)
    #expect(delivery["count"]?.int == delivery["counts"]?.array?.compactMap(\.int).reduce(0, +))
    #expect((stats["http"]?["latency"]?["count"]?.int ?? 0) > 0)
    #expect((stats["process"]?["cpu_us"]?.int ?? 0) > 0)
  }

  private func streams(_ scene: Scene, _ described: Described) async throws {
    let path = "/api/v1/wallets/{id}"
    let target = "/api/v1/wallets/\(scene.wallet)"
    let snapshot = try await call(scene, described, "GET", "\(path)/changes", "\(target)/changes")
    #expect(snapshot.json["changes"]?[0]?["type"] == "snapshot")
    for part in ["stream", "changes"] {
      _ = try await call(scene, described, "GET", "\(path)/\(part)", "/api/v1/wallets/ETH:0x12/\(part)", 400)
      _ = try await call(scene, described, "GET", "\(path)/\(part)", "/api/v1/wallets/999/\(part)", 404)
    }
    let wire = try await Wire.connect(port: try scene.port)
    wire.write("GET \(target)/stream HTTP/1.1\r\nHost: a\r\n\r\n")
    let text = try await eventually("a heartbeat") {
      let text = String(decoding: wire.bytes, as: UTF8.self)
      return text.contains("\"type\":\"heartbeat\"") && text.hasSuffix("\n\n") ? text : nil
    }
    wire.abort()
    let lines = text.split(whereSeparator: \.isNewline)
    described.expect(
      Answer(status: 200, headers: [("Content-Type", "text/event-stream")], body: []), "GET", "\(path)/stream"
    )
    #expect(lines.first == "HTTP/1.1 200 OK")
    #expect(lines.contains { $0.lowercased().hasPrefix("content-type: text/event-stream") })
    let frames = try lines.filter { $0.hasPrefix("data: ") }.map {
      try JSONParser.parse(Array($0.dropFirst(6).utf8), limits: JSONLimits(depth: 16, numberBytes: 64))
    }
    #expect(frames.count >= 4)
    for frame in frames { described.expect(frame: frame) }
    let since = "\(snapshot.json["epoch"]?.string ?? ""):\(snapshot.json["rev"]?.int ?? 0)"
    try await scene.setPrice("373.125")
    let changes = try await call(
      scene, described, "GET", "\(path)/changes", "\(target)/changes?since=\(since)&wait=25")
    #expect(changes.json["changes"]?.array?.isEmpty == false)
  }

  private func refreshes(_ scene: Scene, _ described: Described) async throws {
    let path = "/api/v1/wallets/{id}/refresh_balances"
    let target = "/api/v1/wallets/\(scene.world.wallets[1])/refresh_balances"
    _ = try await call(scene, described, "POST", path, target)
    let cooling = try await call(scene, described, "POST", path, target, 429)
    #expect(cooling.json["retry_ms"]?.int != nil && cooling[header: "Retry-After"] != nil)
    try await scene.devnet.setChainFault(.status(503))
    _ = try await eventually("a chain that is down") {
      _ = try await call(
        scene, described, "POST", path, "/api/v1/wallets/\(scene.wallet)/refresh_balances", 502)
      let chains = try await scene.call("GET", "/api/v1/chains")
      described.expect(chains, "GET", "/api/v1/chains")
      return chains.json["chains"]?[0]?["state"] == "down"
    }
    try await scene.devnet.setChainFault(nil)
  }

  /// Every call, without a token and with one that is bound to another wallet.
  private func guarded(_ issuer: Issuer, _ described: Described) async throws {
    try await withScene({ $0.auth = issuer.settings }) { scene in
      let bound = try issuer.bearer(wallets: [scene.wallet])
      let other = "\(scene.world.wallets[1])"
      for answer in described.describedAnswers.sorted() where answer.hasSuffix(" 401") {
        let words = answer.split(separator: " ").map(String.init)
        let target = words[1].replacing("{id}", with: other).replacing("{address}", with: "native")
        let body = words[0] == "PATCH" ? #"{"is_visible":true}"# : nil
        _ = try await call(scene, described, words[0], words[1], target, body: body, 401)
        guard described.describedAnswers.contains("\(words[0]) \(words[1]) 403") else { continue }
        let wallet = #"{"chain":"ETH","address":"\#(scene.world.wallets[1].address.lowercase)"}"#
        _ = try await call(
          scene, described, words[0], words[1], target, headers: bound,
          body: words[0] == "POST" && words[1].hasSuffix("wallets") ? wallet : body, 403)
      }
      // What a user may see of the figures.
      let totals = try await call(scene, described, "GET", "/api/v1/stats", headers: bound)
      described.expect(totals.json, is: "Totals")
      #expect(totals.json["jobs"] == nil)
      described.expect(
        try await scene.call("GET", "/api/v1/stats", headers: issuer.bearer()).json, is: "Figures")
      // What everybody may see.
      for path in [
        "/api/v1/openapi.json", "/api/v1/asyncapi.json", "/monitor", "/playground", "/", "/healthz",
      ] {
        _ = try await call(scene, described, "GET", path)
      }
    }
  }

  /// Every call, beyond the rate; and pages where there are none.
  private func refused(_ described: Described) async throws {
    let folder = try TemporaryFolder()
    try folder.write("index.html", "front")
    try await withScene({
      $0.limits.requestsPerSecond = 0.001
      $0.http.webRoot = folder.path
    }) { scene in
      for answer in described.describedAnswers.sorted() where answer.hasSuffix(" 429") {
        let words = answer.split(separator: " ").map(String.init)
        let target = words[1].replacing("{id}", with: "1").replacing("{address}", with: "native")
        let text = "\(words[0]) \(target) HTTP/1.1\r\nHost: a\r\n"
        let wire = try await Wire.connect(port: try scene.port)
        wire.write(text + "\r\n" + text + "Connection: close\r\n\r\n")
        var bytes = try await wire.untilEnd()
        _ = Answer.take(from: &bytes)
        let second = try #require(Answer.take(from: &bytes), "\(answer)")
        #expect(second.status == 429, "\(answer): \(second)")
        described.expect(second, words[0], words[1])
      }
      for path in ["/monitor", "/playground"] { _ = try await call(scene, described, "GET", path, nil, 404) }
    }
  }
}
