import EventLoop
import JSON
import TestSupport
import Testing

@testable import Server

/// The whole server behind TLS.
@Suite struct TLSTests {
  private func withTLS(
    _ files: CertificateFiles, _ configure: (inout Settings) -> Void = { _ in },
    _ body: (Scene) async throws -> Void
  ) async throws {
    try await withScene({ settings in
      settings.http.tls = files.settings
      configure(&settings)
    }) { try await body($0) }
  }

  @Test func servesRequestsAndPushes() async throws {
    let files = try CertificateFiles()
    try await withTLS(files) { scene in
      #expect(try scene.server.url == "https://127.0.0.1:\(scene.port)")
      #expect(try scene.server.webSocketURL == "wss://127.0.0.1:\(scene.port)")
      #expect(try await scene.call("GET", "/healthz", tls: files.client).status == 200)
      let client = try await scene.watcher(tls: files.client)
      try await scene.expectPrices(at: client, "4001.5")
      client.close()
      #expect(try await client.ended().code == 1000)
    }
  }

  @Test func plainTextIsToldWhatToDo() async throws {
    let files = try CertificateFiles()
    try await withTLS(files) { scene in
      let answer = try await scene.call("GET", "/")
      #expect(answer.status == 400 && answer[header: "Connection"] == "close")
      #expect(answer.json["error"]?.string?.contains("https://") == true)
    }
  }

  @Test func aReloadChangesTheCertificateAndNothingElse() async throws {
    let (first, second) = (try CertificateFiles(), try CertificateFiles())
    try await withTLS(first) { scene in
      let old = try await scene.watcher(tls: first.client)
      try await scene.expectPrices(at: old, "4001.5")
      var settings = scene.settings
      settings.http.tls = second.settings
      try await scene.server.reload(settings)
      try await scene.expectPrices(at: old, "4002.5")
      let new = try await scene.watcher(tls: second.client)
      try await scene.expectPrices(at: new, "4003.5")
      try await old.frame("the new price") { $0["price_usd"]?.string == "4003.5" }
      let refused = try await Wire.connect(port: try scene.port, tls: first.client)
      guard case .filter = try await eventually("the end", { refused.closeReason }) else {
        Issue.record("the certificate before is still shown: \(String(describing: refused.closeReason))")
        return
      }
    }
  }

  @Test func aReloadOfBadFilesChangesNothing() async throws {
    let (files, other) = (try CertificateFiles(), try CertificateFiles())
    let mixed = Settings.TLS(certificate: other.settings.certificate, key: files.settings.key)
    try await withTLS(files) { scene in
      let old = try await scene.watcher(tls: files.client)
      for bad in [mixed, Settings.TLS(certificate: "/no/such/file", key: "/no/such/file"), nil] {
        var settings = scene.settings
        settings.http.tls = bad
        try await scene.server.reload(settings)
        #expect(try await scene.call("GET", "/healthz", tls: files.client).status == 200)
      }
      try await scene.expectPrices(at: old, "4002.5")
    }
  }

  @Test(
    arguments: [
      [], [0x16], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x01],
    ] as [[UInt8]])
  func aHandshakeThatNeverFinishesIsEnded(_ bytes: [UInt8]) async throws {
    let files = try CertificateFiles()
    try await withTLS(files, { $0.limits.handshake = .seconds(3) }) { scene in
      let stuck = try await Wire.connect(port: try scene.port)
      stuck.write(bytes)
      _ = try await stuck.untilEnd()
      #expect(try await scene.call("GET", "/healthz", tls: files.client).status == 200)
    }
  }

  /// Established, and then no request.
  @Test func silenceAfterTheHandshakeIsEnded() async throws {
    let files = try CertificateFiles()
    try await withTLS(files, { $0.limits.handshake = .seconds(3) }) { scene in
      let silent = try await Wire.connect(port: try scene.port, tls: files.client)
      _ = try await silent.untilEnd()
      #expect(silent.isConnected)
      // It was told: an end without close_notify would have been an error.
      #expect(try await eventually("the end") { silent.closeReason } == .requested)
    }
  }

  @Test func aHalfOpenConnectionIsFound() async throws {
    let files = try CertificateFiles()
    let limits: (inout Settings) -> Void = {
      $0.limits.idlePing = .milliseconds(100)
      $0.limits.pong = .milliseconds(200)
    }
    try await withTLS(files, limits) { scene in
      // It never answers a ping.
      let dead = try await Wire.connect(port: try scene.port, tls: files.client)
      dead.write(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
      _ = try await eventually("the upgrade") { dead.bytes.starts(with: "HTTP/1.1 101".utf8) }
      _ = try await dead.untilEnd()
    }
  }

  @Test func garbageEndsThatConnectionOnly() async throws {
    let files = try CertificateFiles()
    try await withTLS(files) { scene in
      let neighbour = try await scene.watcher(tls: files.client)
      var generator = SeededGenerator(seed: 3)
      for _ in 0..<20 {
        let wire = try await Wire.connect(port: try scene.port)
        wire.write([0x16, 0x03, 0x01, 0x01, 0x00, 0x01, 0x00, 0x00, 0xfc] + generator.bytes(300))
        _ = try await wire.untilEnd()
      }
      try await scene.expectPrices(at: neighbour, "4005.5")
    }
  }

  @Test func handshakesAreCounted() async throws {
    let files = try CertificateFiles()
    try await withTLS(files) { scene in
      func figure(_ series: String) async throws -> Int {
        let text = try await scene.call("GET", "/metrics", tls: files.client).text
        let line = text.split(separator: "\n").first { $0.hasPrefix("walletpush_tls_\(series) ") }
        return try #require(line?.split(separator: " ").last.flatMap { Int($0) })
      }
      let full = #"handshakes_total{resumed="false",version="1.3"}"#
      let before = try await figure(full)
      #expect(try await figure(full) == before + 1, "the look itself is one")
      let plain = #"handshakes_failed_total{reason="plain_text"}"#
      let plainBefore = try await figure(plain)
      _ = try await scene.call("GET", "/healthz")
      #expect(try await figure(plain) == plainBefore + 1)
      let unfinished = #"handshakes_failed_total{reason="unfinished"}"#
      let unfinishedBefore = try await figure(unfinished)
      try await Wire.connect(port: try scene.port).abort()
      _ = try await eventually("the count") {
        try await figure(unfinished) == unfinishedBefore + 1
      }
      let refused = #"handshakes_failed_total{reason="refused"}"#
      let refusedBefore = try await figure(refused)
      let wire = try await Wire.connect(port: try scene.port)
      wire.write([0x17, 0x03, 0x03, 0x00, 0x01, 0x00])
      _ = try await wire.untilEnd()
      #expect(try await figure(refused) == refusedBefore + 1)
      #expect(try await figure("certificate_expires_seconds") > 1_735_689_600)
    }
  }

  @Test func aBadCertificateKeepsTheServerFromStarting() async throws {
    let scene = try Scene { $0.http.tls = Settings.TLS(certificate: "/no/such/cert.pem", key: "/no/key.pem") }
    await #expect { try await scene.start() } throws: { error in
      "\(error)".hasPrefix("http.tls.certificate: /no/such/cert.pem: cannot be read: No such file")
    }
    await scene.end()
  }
}
