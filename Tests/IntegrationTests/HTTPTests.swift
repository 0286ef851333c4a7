import Devnet
import Ethereum
import Glibc
import JSON
import TestSupport
import Testing

/// The HTTP interface over sockets, on a simulated chain.
@Suite(.serialized) struct HTTPTests {
  private func body(_ wallet: WalletKey) -> String {
    #"{"chain":"\#(wallet.chain)","address":"\#(wallet.address.lowercase)"}"#
  }

  // MARK: - Wallets

  @Test func walletsComeAndGo() async throws {
    try await withScene { scene in
      let wallet = scene.wallet
      let made = try await scene.call("POST", "/api/v1/wallets", body: body(wallet))
      #expect(made.status == 201, "\(made)")
      #expect(made.json["wallet"]?.string == "\(wallet)")
      #expect(made.json["chain"] == "ETH")
      #expect(made.json["address"]?.string == wallet.address.lowercase)
      #expect(made.json["epoch"]?.string?.isEmpty == false)
      #expect(made.json["rev"]?.int != nil)
      let id = try #require(made.json["id"]?.int)
      let again = try await scene.call("POST", "/api/v1/wallets", body: body(wallet))
      #expect(again.status == 200)
      #expect(again.json["id"]?.int == id)

      for name in ["\(id)", "\(wallet)", "eth:\(wallet.address.lowercase)"] {
        let one = try await scene.call("GET", "/api/v1/wallets/\(name)")
        #expect(one.status == 200)
        #expect(one.json["id"]?.int == id)
      }
      #expect(try await scene.call("DELETE", "/api/v1/wallets/\(id)").status == 204)
      #expect(try await scene.call("GET", "/api/v1/wallets/\(id)").status == 404)
      // DELETE doesn't register what it is to delete.
      #expect(try await scene.call("DELETE", "/api/v1/wallets/\(wallet)").status == 404)
      #expect(try await scene.call("GET", "/api/v1/wallets").json["wallets"]?.array?.isEmpty == true)
      // GET does register.
      #expect(try await scene.call("GET", "/api/v1/wallets/\(wallet)").status == 200)
      #expect(try await scene.call("GET", "/api/v1/wallets").json["wallets"]?.array?.count == 1)
    }
  }

  @Test func walletListIsPaged() async throws {
    try await withScene { scene in
      for wallet in scene.world.wallets {
        _ = try await scene.call("POST", "/api/v1/wallets", body: body(wallet))
      }
      let first = try await scene.call("GET", "/api/v1/wallets?limit=2").json
      #expect(first["wallets"]?.array?.count == 2)
      let next = try #require(first["next"]?.int)
      let second = try await scene.call("GET", "/api/v1/wallets?limit=2&after=\(next)").json
      #expect(second["wallets"]?.array?.count == 1)
      #expect(second["next"]?.isNull == true)
      let listed = ((first["wallets"]?.array ?? []) + (second["wallets"]?.array ?? [])).compactMap {
        $0["wallet"]?.string
      }
      #expect(listed == scene.world.wallets.map(\.description))
      for query in ["limit=0", "limit=1001", "limit=x", "after=-1", "after=99999999999999999999"] {
        #expect(try await scene.call("GET", "/api/v1/wallets?\(query)").status == 400, "\(query)")
      }
      let beyond = try await scene.call("GET", "/api/v1/wallets?after=9223372036854775807")
      #expect(beyond.status == 200, "\(beyond)")
    }
  }

  @Test(arguments: [
    ("{", 400, "bad_json"), ("[]", 400, "bad_request"), (#"{"chain":"ETH"}"#, 400, "bad_request"),
    (#"{"chain":"ETH","address":"0x12"}"#, 400, "bad_wallet"),
    (#"{"chain":"ETH","address":"0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}"#, 400, "bad_wallet"),
    (#"{"chain":"NOPE","address":"0xd8da6bf26964af9d7eed9e03e53415d37aa96045"}"#, 400, "chain_unsupported"),
  ])
  func walletsThatAreRefused(_ body: String, _ status: Int, _ code: String) async throws {
    try await withScene { scene in
      let answer = try await scene.call("POST", "/api/v1/wallets", body: body)
      #expect(answer.status == status)
      #expect(answer.json["code"]?.string == code)
      #expect(answer.json["error"]?.string?.isEmpty == false)
      #expect(try await scene.call("GET", "/api/v1/wallets").json["wallets"]?.array?.isEmpty == true)
    }
  }

  // MARK: - Balances

  private func freshBalances(_ scene: Scene) async throws -> Answer {
    try await eventually("fresh, priced balances") {
      let answer = try await scene.call("GET", "/api/v1/wallets/\(scene.wallet)/balances")
      return answer.json["state"] == "fresh" && answer.json["unpriced"]?.int == 0 ? answer : nil
    }
  }

  @Test func balancesWithETag() async throws {
    // Nothing moves but what the test moves.
    try await withScene({ $0.prices.interval = .seconds(600) }) { scene in
      let cold = try await scene.call("GET", "/api/v1/wallets/\(scene.wallet)/balances")
      #expect(cold.status == 200)
      #expect(cold.json["type"] == "snapshot")
      #expect(cold.json["tokens"]?.array?.isEmpty == true)
      let client = try await scene.watcher()
      let answer = try await freshBalances(scene)
      #expect(answer.json.balances == (try await scene.balances(scene.wallet)))
      #expect(answer.json["total_usd"]?.string != nil)
      let etag = try #require(answer[header: "ETag"])
      #expect(etag.hasPrefix("W/\"") && etag.hasSuffix("\""))
      #expect(etag != cold[header: "ETag"])

      let path = "/api/v1/wallets/\(scene.wallet)/balances"
      for match in [etag, "\"x\", \(etag)", "*", String(etag.dropFirst(2))] {
        let unchanged = try await scene.call("GET", path, headers: [("If-None-Match", match)])
        #expect(unchanged.status == 304, "\(match)")
        #expect(unchanged[header: "ETag"] == etag)
        #expect(unchanged.body.isEmpty)
      }
      #expect(try await scene.call("GET", path, headers: [("If-None-Match", "\"x\"")]).status == 200)

      try await scene.move(nil)
      _ = try await client.ask(9, #""op":"refresh","wallet":"\#(scene.wallet)""#)
      try await client.next("balance")
      let changed = try await scene.call("GET", path, headers: [("If-None-Match", etag)])
      #expect(changed.status == 200)
      #expect(changed[header: "ETag"] != etag)
      #expect(changed.json.balances == (try await scene.balances(scene.wallet)))
    }
  }

  @Test(arguments: [(nil, "refreshed"), ("zh-CN,zh;q=0.9,en;q=0.8", "已成功更新"), ("en,zh;q=0.1", "refreshed")])
  func refreshBalances(_ language: String?, _ words: String) async throws {
    try await withScene { scene in
      let headers = language.map { [("Accept-Language", $0)] } ?? []
      let answer = try await scene.call(
        "POST", "/api/v1/wallets/\(scene.wallet)/refresh_balances", headers: headers)
      #expect(answer.status == 200, "\(answer)")
      let json = answer.json
      #expect(json["message"]?.string?.contains(words) == true)
      #expect(json["message"]?.string?.contains(scene.wallet.address.lowercase) == true)
      #expect(json["wallet_address"]?.string == scene.wallet.address.lowercase)
      #expect(json["wallet"]?.string == "\(scene.wallet)")
      #expect(json["status"] == "success")
      #expect(json["token_count"]?.int == (try await scene.balances(scene.wallet)).count)
      let time = try #require(json["refresh_time"]?.string)
      #expect(time.wholeMatch(of: /20\d\d-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d/) != nil)
      #expect(json["id"]?.int != nil && json["rev"]?.int != nil && json["epoch"]?.string != nil)
    }
  }

  @Test func refreshOfNobody() async throws {
    try await withScene { scene in
      let english = try await scene.call("POST", "/api/v1/wallets/9/refresh_balances")
      #expect(english.status == 404)
      #expect(english.json["error"] == "wallet 9 does not exist")
      #expect(english.json["code"] == "not_found")
      let chinese = try await scene.call(
        "POST", "/api/v1/wallets/9/refresh_balances", headers: [("Accept-Language", "zh-CN")])
      #expect(chinese.json == english.json, "errors are English")
      #expect(
        try await scene.call("POST", "/api/v1/wallets/ETH:0x1/refresh_balances").json["code"] == "bad_wallet")
    }
  }

  @Test func refreshWithNodeDown() async throws {
    try await withScene({ $0.refresh.cooldown = .seconds(600) }) { scene in
      _ = try await scene.watcher()
      let held = try await scene.balances(scene.wallet)
      try await scene.devnet.setChainFault(.status(503))
      let answer = try await scene.call("POST", "/api/v1/wallets/\(scene.wallet)/refresh_balances")
      #expect(answer.status == 502)
      #expect(answer.json["code"] == "upstream_down")
      let retry = try #require(answer.json["retry_ms"]?.int)
      #expect(retry >= 1 && answer[header: "Retry-After"] == "\((retry + 999) / 1_000)")
      let kept = try await scene.call("GET", "/api/v1/wallets/\(scene.wallet)/balances").json
      #expect(kept.balances == held)
      #expect(kept["state"] == "stale")
      // A refresh that failed doesn't cool down. The node may still be left alone for what it did.
      try await scene.devnet.setChainFault(nil)
      let path = "/api/v1/wallets/\(scene.wallet)/refresh_balances"
      try await eventually("a refresh") { try await scene.call("POST", path).status == 200 }
      #expect(try await scene.call("POST", path).status == 429)
    }
  }

  @Test(arguments: [
    ("native", "{", 400, "bad_json"), ("native", "{}", 400, "bad_request"),
    ("0x12", #"{"is_visible":true}"#, 400, "bad_token"),
    ("0xd8da6bf26964af9d7eed9e03e53415d37aa96045", #"{"is_visible":true}"#, 404, "not_found"),
  ])
  func visibilityThatIsRefused(_ token: String, _ body: String, _ status: Int, _ code: String) async throws {
    try await withScene { scene in
      _ = try await scene.watcher()
      let answer = try await scene.call(
        "PATCH", "/api/v1/wallets/\(scene.wallet)/tokens/\(token)", body: body)
      #expect(answer.status == status, "\(answer)")
      #expect(answer.json["code"]?.string == code)
    }
  }

  @Test func visibilityIsPushed() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      let path = "/api/v1/wallets/\(scene.wallet)/tokens/native"
      #expect(try await scene.call("PATCH", path, body: #"{"is_visible":false}"#).status == 200)
      let row = try await client.next("token")
      #expect(row["token"] == "ETH:native")
      #expect(row["visible"] == false)
      // PATCH registers nobody.
      let other = "/api/v1/wallets/\(scene.world.wallets[1])/tokens/native"
      #expect(try await scene.call("PATCH", other, body: #"{"is_visible":false}"#).status == 404)
    }
  }

  // MARK: - The server itself

  @Test func health() async throws {
    try await withScene { scene in
      let health = try await scene.call("GET", "/healthz")
      #expect(health.status == 200)
      #expect(health.json["status"] == "ok")
      let ready = try await scene.call("GET", "/readyz")
      #expect(ready.status == 200)
      #expect(ready.json["status"] == "ready")
      let chain = try await scene.call("GET", "/api/v1/chains").json["chains"]?[0]
      #expect(chain?["chain"] == "ETH")
      #expect(chain?["chain_id"]?.int == 31_337)
      #expect(chain?["state"] == "up")
      let endpoint = chain?["endpoints"]?[0]
      #expect(endpoint?["host"]?.string?.hasPrefix("127.0.0.1:") == true, "neither a scheme nor a path")
      #expect(endpoint?["state"] == "up")
      #expect(endpoint?["multicall3"] == true)
      #expect(endpoint?["error_percent"]?.int == 0)
      _ = try await scene.watcher()
      let stats = try await scene.call("GET", "/api/v1/stats").json
      #expect(stats["connections"]?.int == 1)
      #expect(stats["wallets_watched"]?.int == 1)
      #expect(stats["streams"]?.int == 0 && stats["polls"]?.int == 0)
      #expect(stats["rev"]?.int ?? 0 > 0)
    }
  }

  @Test func metricsParse() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      try await scene.expectPrices(at: client, "402.75")
      let answer = try await scene.call("GET", "/metrics")
      #expect(answer.status == 200)
      #expect(answer[header: "Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
      var types: [String: Substring] = [:]
      var samples: [String: Double] = [:]
      #expect(answer.text.hasSuffix("\n"))
      for line in answer.text.split(separator: "\n") {
        if line.hasPrefix("# TYPE ") {
          let words = line.split(separator: " ")
          #expect(words.count == 4 && types[String(words[2])] == nil, "\(line)")
          types[String(words[2])] = words[3]
          continue
        }
        let match = try #require(
          line.wholeMatch(
            of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})? (\S+)/),
          "\(line)")
        let value = try #require(Double(match.output.5), "\(line)")
        let name = String(match.output.1)
        let family = types.keys.first { family in
          name == family || ["_bucket", "_sum", "_count"].contains { name == family + $0 }
        }
        #expect(family != nil, "no type for \(line)")
        let key = name + (match.output.2.map(String.init) ?? "")
        #expect(samples[key] == nil, "twice: \(line)")
        samples[key] = value
      }
      #expect(samples["walletpush_push_connections"] == 1)
      #expect((samples["walletpush_push_delivery_seconds_count"] ?? 0) > 0)
      #expect((samples["walletpush_ledger_revision"] ?? 0) > 0)
      #expect((samples["walletpush_refresh_reads_total"] ?? 0) >= 1)
      #expect((samples["process_resident_memory_bytes"] ?? 0) > 1_000_000)
      #expect((samples["process_open_fds"] ?? 0) > 3)
    }
  }

  // MARK: - Files

  /// A folder with a page.
  private func withPage(_ body: (Scene) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    try folder.write("index.html", "<!doctype html><title>t</title>")
    try folder.write("app.js", "export {}")
    try await withScene({ $0.http.webRoot = folder.path }, body)
  }

  @Test func files() async throws {
    try await withPage { scene in
      let page = try await scene.call("GET", "/")
      #expect(page.status == 200)
      #expect(page.text == "<!doctype html><title>t</title>")
      #expect(page[header: "Content-Type"] == "text/html; charset=utf-8")
      #expect(page[header: "X-Content-Type-Options"] == "nosniff")
      #expect(page[header: "Content-Security-Policy"]?.contains("default-src 'self'") == true)
      #expect(page[header: "Date"]?.hasSuffix(" GMT") == true)
      let etag = try #require(page[header: "ETag"])
      let unchanged = try await scene.call("GET", "/index.html", headers: [("If-None-Match", etag)])
      #expect(unchanged.status == 304 && unchanged.body.isEmpty)
      #expect(unchanged[header: "Content-Length"] == nil)
      let script = try await scene.call("GET", "/app.js?v=1")
      #expect(script[header: "Content-Type"] == "text/javascript; charset=utf-8")
      let head = try await scene.call("HEAD", "/app.js")
      #expect(head.status == 200 && head[header: "Content-Length"] == "9")
      for path in [
        "/nope", "/../app.js", "/%2e%2e/etc/passwd", "/app.js/x", "/api", "/api/v1", "/api/v1/nope",
        "/" + String(repeating: "e%CC%81", count: 86),
      ] {
        let answer = try await scene.call("GET", path)
        #expect([400, 404].contains(answer.status), "\(path) \(answer)")
        #expect(answer.json["code"]?.string != nil)
      }
    }
  }

  // MARK: - Methods and origins

  @Test(arguments: [
    ("PUT", "/api/v1/wallets", "GET, POST"), ("POST", "/api/v1/wallets/7", "GET, DELETE"),
    ("POST", "/api/v1/wallets/7/balances", "GET"), ("GET", "/api/v1/wallets/7/refresh_balances", "POST"),
    ("GET", "/api/v1/wallets/7/tokens/native", "PATCH"), ("POST", "/api/v1/chains", "GET"),
    ("DELETE", "/api/v1/stats", "GET"), ("POST", "/", "GET, HEAD"), ("POST", "/metrics", "GET, HEAD"),
    ("POST", "/healthz", "GET, HEAD"), ("DELETE", "/readyz", "GET, HEAD"),
  ])
  func methodsThatAreNotAllowed(_ method: String, _ path: String, _ allowed: String) async throws {
    try await withScene { scene in
      let answer = try await scene.call(method, path)
      #expect(answer.status == 405)
      #expect(answer[header: "Allow"] == allowed)
      #expect(answer.json["code"] == "method_not_allowed")
    }
  }

  @Test func headAnswersWithoutBody() async throws {
    try await withScene { scene in
      for path in ["/healthz", "/readyz", "/metrics", "/api/v1/chains", "/api/v1/stats", "/api/v1/wallets"] {
        let answer = try await scene.call("HEAD", path)
        #expect(answer.status == 200, "\(path)")
        #expect((Int(answer[header: "Content-Length"] ?? "") ?? 0) > 0, "\(path)")
      }
    }
  }

  @Test func foreignOriginsAreRefused() async throws {
    try await withScene { scene in
      let foreign = [("Origin", "https://evil.example")]
      for path in ["/ws", "/api/v1/wallets", "/api/v1/stats"] {
        let answer = try await scene.call("GET", path, headers: foreign)
        #expect(answer.status == 403, "\(path)")
        #expect(answer.json["code"] == "forbidden")
        #expect(answer[header: "Access-Control-Allow-Origin"] == nil)
      }
      let post = try await scene.call(
        "POST", "/api/v1/wallets", headers: [("Origin", "null")], body: body(scene.wallet))
      #expect(post.status == 403)
      await #expect(throws: NothingCame.self) { _ = try await scene.client(headers: foreign) }
      #expect(try await scene.call("GET", "/api/v1/wallets").json["wallets"]?.array?.isEmpty == true)
      let own = [("Origin", "http://127.0.0.1:\(try scene.port)")]
      #expect(try await scene.call("GET", "/api/v1/stats", headers: own).status == 200)
      _ = try await scene.client(headers: own)
    }
  }

  @Test func listedOriginsMayRead() async throws {
    try await withScene({ $0.http.allowedOrigins = ["https://app.example"] }) { scene in
      let listed = [("Origin", "https://app.example")]
      let answer = try await scene.call("GET", "/api/v1/stats", headers: listed)
      #expect(answer.status == 200)
      #expect(answer[header: "Access-Control-Allow-Origin"] == "https://app.example")
      #expect(answer[header: "Vary"] == "Origin")
      let preflight = try await scene.call(
        "OPTIONS", "/api/v1/wallets", headers: listed + [("Access-Control-Request-Method", "POST")])
      #expect(preflight.status == 204)
      #expect(preflight[header: "Access-Control-Allow-Methods"]?.contains("PATCH") == true)
      #expect(preflight[header: "Content-Length"] == nil)
      _ = try await scene.client(headers: listed)
      #expect(
        try await scene.call("GET", "/api/v1/stats", headers: [("Origin", "http://x.example")]).status == 403)
    }
  }

  // MARK: - Connections

  /// Requests that come in one piece are answered in their order, those answered away from the loop too.
  @Test func pipelining() async throws {
    try await withScene { scene in
      let wire = try await Wire.connect(port: try scene.port)
      let head = "HTTP/1.1\r\nHost: a\r\n"
      wire.write(
        "GET /healthz \(head)\r\nGET /api/v1/stats \(head)\r\nHEAD /healthz \(head)\r\n"
          + "GET /api/v1/wallets/9 \(head)\r\nGET /metrics \(head)\r\nGET /nope \(head)Connection: close\r\n\r\n"
      )
      var bytes = try await wire.untilEnd()
      var seen: [Int] = []
      for isHead in [false, false, true, false, false, false] {
        seen.append(try #require(Answer.take(from: &bytes, isHead: isHead)).status)
      }
      #expect(seen == [200, 200, 200, 404, 200, 404])
      #expect(bytes.isEmpty)
    }
  }

  @Test func byteByByte() async throws {
    try await withScene { scene in
      let wire = try await Wire.connect(port: try scene.port)
      let body = body(scene.wallet)
      let text =
        "POST /api/v1/wallets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
      for byte in text.utf8 {
        wire.write([byte])
        await Task.yield()
      }
      var bytes = try await wire.untilEnd()
      // RFC 9110 §10.1.1: it may be left out when the body is on its way already.
      var status = Answer.take(from: &bytes)?.status
      if status == 100 { status = Answer.take(from: &bytes)?.status }
      #expect(status == 201)
    }
  }

  /// A client that has said all it wants to say still gets its answer.
  @Test func messagesBehindTheHandshake() async throws {
    try await withScene { scene in
      let wire = try await Wire.connect(port: try scene.port)
      // In one write: the handshake and a masked (with zeros) ping operation.
      let message = Array(#"{"op":"ping","id":1}"#.utf8)
      wire.write(
        Array(
          ("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").utf8)
          + [0x81, 0x80 | UInt8(message.count), 0, 0, 0, 0] + message)
      try await eventually("the pong") {
        String(decoding: wire.bytes, as: UTF8.self).contains(#""type":"pong","id":1"#)
      }
      #expect(String(decoding: wire.bytes, as: UTF8.self).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
      wire.abort()
    }
  }

  /// A client that has ended its side (`nc -N`) still gets its answer, and then the end.
  @Test(arguments: ["/healthz", "/api/v1/stats"]) func halfClose(_ path: String) async throws {
    try await withScene { scene in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = try scene.port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      #expect(connected == 0)
      let request = Array("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
      #expect(write(descriptor, request, request.count) == request.count)
      #expect(shutdown(descriptor, Int32(SHUT_WR)) == 0)
      #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
      var bytes: [UInt8] = []
      try await eventually("the end of the connection") {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &piece, piece.count)
        if count > 0 { bytes.append(contentsOf: piece[..<count]) }
        return count == 0
      }
      #expect(Answer.take(from: &bytes)?.status == 200)
    }
  }
}
