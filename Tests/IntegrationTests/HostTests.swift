import TestSupport
import Testing

@testable import Server

/// A page whose name was made to lead to this machine (DNS rebinding).
@Suite(.serialized)
struct HostTests {
  private func answer(to request: String, _ scene: Scene) async throws -> Answer {
    let wire = try await Wire.connect(port: try scene.port)
    wire.write(request)
    return try await eventually("an answer") {
      var bytes = wire.bytes
      return Answer.take(from: &bytes)
    }
  }

  private func get(_ target: String, _ host: String, _ scene: Scene, _ further: String = "") async throws
    -> Answer
  {
    try await answer(
      to: "GET \(target) HTTP/1.1\r\nHost: \(host)\r\nAccept-Encoding: gzip\r\n\(further)\r\n", scene)
  }

  private func upgrade(_ host: String, _ scene: Scene) async throws -> Int {
    let handshake =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://\(host)\r\n"
    return try await get("/ws?wallet=\(scene.wallet)", host, scene, handshake).status
  }

  @Test func strangersNamesAreRefused() async throws {
    try await withScene({ $0.http.allowedHosts = [] }) { scene in
      let port = try scene.port
      let evil = "evil.example:\(port)"
      for target in [
        "/", "/healthz", "/metrics", "/api/v1/wallets", "/api/v1/wallets/\(scene.wallet)", "/no",
      ] {
        let answer = try await get(target, evil, scene)
        #expect(answer.status == 421)
        #expect(answer.json["code"] == "misdirected")
        #expect(answer.text.contains("http.allowedHosts"))
        #expect(answer[header: "Connection"] == nil, "the next request may be for us")
      }
      #expect(try await upgrade(evil, scene) == 421)
      // Which of two names counts: RFC 9112 §3.2.2.
      let absolute = try await get("http://\(evil)/api/v1/stats", "localhost", scene)
      #expect(absolute.status == 421)
      // What a page can write is believed from nobody here.
      let proxied = try await get("/api/v1/stats", evil, scene, "X-Forwarded-For: 198.51.100.7\r\n")
      #expect(proxied.status == 421)
      let registered = try await scene.server.ledger.walletCount
      #expect(registered == 0, "nothing was registered")

      for host in ["localhost:\(port)", "127.0.0.1:\(port)", "[::1]:\(port)", "LOCALHOST"] {
        #expect(try await get("/api/v1/stats", host, scene).status == 200)
        #expect(try await upgrade(host, scene) == 101)
      }
      #expect(try await get("/healthz", "localhost.", scene).status == 200)
      #expect(try await answer(to: "GET /healthz HTTP/1.0\r\n\r\n", scene).status == 200)
      let program = "GET /healthz HTTP/1.1\r\nHost: \(evil)\r\n\r\n"
      #expect(try await answer(to: program, scene).status == 200, "no browser asks without Accept-Encoding")
      let metrics = try await get("/metrics", "localhost", scene)
      let count = metrics.text.split(separator: "\n").first {
        $0.hasPrefix("walletpush_http_requests_refused_total{reason=\"host\"}")
      }
      #expect(count.map { $0.hasSuffix(" 0") } == false)
    }
  }

  @Test func namesThatAreAllowed() async throws {
    try await withScene({ $0.http.allowedHosts = ["app.example"] }) { scene in
      let answer = try await get("/api/v1/stats", "App.Example", scene)
      #expect(answer.status == 200)
      #expect(try await upgrade("app.example:8443", scene) == 101)
      #expect(try await get("/api/v1/stats", "evil.example", scene).status == 421)
    }
  }
}
