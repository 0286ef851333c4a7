import TestSupport
import Testing

@testable import Server

/// One request in a thousand seconds, so that no second comes in time however slow the machine is.
@Suite(.serialized)
struct RequestRateTests {
  private static let rate = 0.001

  @Test("of one connection: what makes us work is limited, what costs no more than a refusal is not")
  func perConnection() async throws {
    let folder = try TemporaryFolder()
    try folder.write("index.html", "a page")
    try await withScene({
      $0.limits.requestsPerSecond = Self.rate
      $0.http.webRoot = folder.path
    }) { scene in
      let wire = try await Wire.connect(port: try scene.port)
      func ask(_ method: String, _ target: String, _ further: String = "") async throws -> Answer {
        wire.forget()
        wire.write("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(further)\r\n")
        return try await eventually("an answer to \(target)") {
          var bytes = wire.bytes
          return Answer.take(from: &bytes)
        }
      }
      let free = [
        ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/index.html", 200), ("GET", "/nope", 404),
        ("OPTIONS", "/api/v1/wallets", 204), ("OPTIONS", "*", 204),
      ]
      for (method, target, status) in free { #expect(try await ask(method, target).status == status) }
      #expect(try await ask("GET", "/api/v1/stats").status == 200)
      for target in ["/api/v1/stats", "/%61pi/v1/wallets", "/api/v1/wallets/\(scene.wallet)", "/metrics"] {
        let refused = try await ask("GET", target)
        #expect(refused.status == 429, "\(target)")
        #expect(refused.json["code"] == "rate_limited")
        let retry = refused.json["retry_ms"]?.int ?? 0
        #expect((1...1_000_000).contains(retry), "\(refused)")
        #expect(refused[header: "Retry-After"] == "\((retry + 999) / 1_000)", "\(refused)")
        #expect(refused[header: "Connection"] == nil, "a new connection would have a new allowance")
      }
      let body = #"{"chain":"ETH","address":"0x0000000000000000000000000000000000000001"}"#
      #expect(
        try await ask("POST", "/api/v1/wallets", "Content-Length: \(body.utf8.count)\r\n\r\n\(body)").status
          == 429)
      let registered = try await scene.server.ledger.walletCount
      #expect(registered == 0)
      for (method, target, status) in free { #expect(try await ask(method, target).status == status) }
      // Another connection, and a WebSocket on this one.
      #expect(
        try await scene.call("GET", "/metrics").text.contains(#"requests_refused_total{reason="rate"}"#))
      wire.forget()
      wire.write(Wire.handshake("/ws"))
      try await eventually("hello") { wire.bytes.firstRange(of: Array(#""type":"hello""#.utf8)) }
    }
  }

  @Test("of one address, where addresses are counted")
  func perAddress() async throws {
    try await withScene({
      $0.limits.requestsPerSecond = Self.rate
      $0.limits.connectionsPerAddress = 100
    }) { scene in
      #expect(try await scene.call("GET", "/api/v1/stats").status == 200)
      for _ in 0..<3 { #expect(try await scene.call("GET", "/api/v1/stats").status == 429) }
      #expect(try await scene.call("GET", "/healthz").status == 200)
      _ = try await scene.client().ask(1, #""op":"ping""#)
    }
  }

  @Test("of each client of a proxy; a page of a listed origin may read the refusal")
  func behindAProxy() async throws {
    try await withScene({
      $0.limits.requestsPerSecond = Self.rate
      $0.http.trustedProxies = [AddressRange("127.0.0.0/8")].compactMap { $0 }
      $0.http.allowedOrigins = ["https://app.example"]
    }) { scene in
      func ask(_ client: String) async throws -> Answer {
        try await scene.call(
          "GET", "/api/v1/stats", headers: [("X-Forwarded-For", client), ("Origin", "https://app.example")])
      }
      #expect(try await ask("198.51.100.7").status == 200)
      let refused = try await ask("198.51.100.7")
      #expect(refused.status == 429)
      #expect(refused[header: "Access-Control-Allow-Origin"] == "https://app.example")
      #expect(refused[header: "Access-Control-Expose-Headers"]?.contains("Retry-After") == true)
      #expect(try await ask("198.51.100.8").status == 200)
    }
  }
}
