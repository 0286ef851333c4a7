import EventLoop
import HTTP1
import TestSupport
import Testing
import WebSocket

@testable import Upstream

struct WebSocketClientTests {
  private static let settings = DeflateSettings(
    minimumBytes: 0, contextTakeover: true, windowBits: 12, level: 6, inflationRatio: 2_000)

  private func ending(_ recorder: WebSocketRecorder) async -> WebSocketEnding? {
    guard case .closed(let ending)? = await recorder.untilEnd().last else { return nil }
    return ending
  }

  // MARK: - What goes well

  /// Whether each end speaks compression.
  @Test(arguments: [true, false], [true, false])
  func talksAndCloses(_ clientDeflates: Bool, _ serverDeflates: Bool) async throws {
    let server = try WebSocketServer(settings: serverDeflates ? Self.settings : nil)
    defer { server.stop() }
    let recorder = try WebSocketRecorder(
      try server.url("/chain?key=1"), deflate: clientDeflates ? Self.settings : nil
    ) {
      $0.subprotocols = ["a", "b"]
      $0.headers = ["Authorization": "Bearer x"]
    }
    #expect(await recorder.next() == .opened("a"))
    let text = Array(String(repeating: "balance ", count: 10_000).utf8)
    let binary = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    for _ in 0..<2 {
      recorder.send(.text, text)
      #expect(await recorder.next() == .message(.text, text))
      recorder.send(.binary, binary)
      #expect(await recorder.next() == .message(.binary, binary))
    }
    recorder.onLoop { try? $0.close(.goingAway, reason: "enough") }
    #expect(await recorder.untilEnd() == [.closed(.closed(code: .goingAway, reason: ""))])
    let head = try #require(server.heads.first)
    #expect(head.target == "/chain?key=1")
    #expect(head.headers.first("Authorization") == "Bearer x")
    #expect(head.headers.contains("Sec-WebSocket-Extensions") == clientDeflates)
  }

  @Test func theServerMayCloseFirst() async throws {
    let server = try WebSocketServer()
    defer { server.stop() }
    let recorder = try WebSocketRecorder(
      try server.url(),
      beforeItOpens: { client in
        #expect(throws: LocalError.notOpen) { try client.send(text: "too early") }
      })
    #expect(await recorder.next() == .opened(nil))
    recorder.send(.text, Array("close".utf8))
    #expect(await recorder.untilEnd() == [.closed(.closed(code: .drain, reason: "as you like"))])
    recorder.onLoop { client in
      #expect(throws: LocalError.notOpen) { try client.send(text: "too late") }
      #expect(throws: LocalError.notOpen) { try client.ping() }
      #expect(throws: Never.self) { try client.close() }
    }
  }

  /// Frames right behind the 101, in the same bytes.
  @Test func nothingBehindTheHandshakeIsLost() async throws {
    let frames = WebSocketFrame.text("first") + WebSocketFrame.binary([1, 2])
    let server = try WebSocketServer(.sends(frames))
    defer { server.stop() }
    let recorder = try WebSocketRecorder(try server.url())
    #expect(await recorder.next() == .opened(nil))
    #expect(await recorder.next() == .message(.text, Array("first".utf8)))
    #expect(await recorder.next() == .message(.binary, [1, 2]))
  }

  @Test(arguments: ["localhost", "127.0.0.1"])
  func secure(_ host: String) async throws {
    let certificates = try Certificates.shared.get()
    let context = try certificates.server(.good)
    let server = try WebSocketServer(settings: Self.settings, makeFilter: { context.makeFilter() })
    defer { server.stop() }
    let security = try certificates.client
    let recorder = try WebSocketRecorder(
      try server.url(scheme: "wss", host: host), deflate: Self.settings
    ) { $0.security = security }
    #expect(await recorder.next() == .opened(nil))
    let message = [UInt8](repeating: 0x61, count: 500_000)
    recorder.send(.text, message)
    #expect(await recorder.next() == .message(.text, message))
    recorder.onLoop { try? $0.close() }
    #expect(await ending(recorder) == .closed(code: .normal, reason: ""))
  }

  @Test func silenceIsProbedAndAnswersCount() async throws {
    let server = try WebSocketServer()
    defer { server.stop() }
    // Pings every few milliseconds, each answered: the connection stays, until it is closed.
    let recorder = try WebSocketRecorder(try server.url()) {
      $0.pingInterval = .milliseconds(5)
      $0.pongTimeout = .seconds(60)
    }
    #expect(await recorder.next() == .opened(nil))
    for number in 0..<20 {
      recorder.send(.text, [UInt8(ascii: "a") + UInt8(number)])
      #expect(await recorder.next() == .message(.text, [UInt8(ascii: "a") + UInt8(number)]))
    }
    recorder.onLoop { try? $0.close() }
    #expect(await ending(recorder) == .closed(code: .normal, reason: ""))
  }

  // MARK: - What goes wrong

  @Test func nobodyListens() async throws {
    let port = try RefusingPort()
    let ending = await ending(
      try WebSocketRecorder(try WebSocketURL("ws://127.0.0.1:\(port.number)/")))
    withExtendedLifetime(port) {}
    guard case .failed(.transport(.connectFailed)) = ending else {
      Issue.record("\(String(describing: ending))")
      return
    }
  }

  static let answers: [(String, WebSocketClientError)] = [
    ("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno\r\n", .notOpened(.status(403))),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .notOpened(.status(200))),
    ("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", .notOpened(.acceptWrong)),
    ("SSH-2.0-OpenSSH\r\n\r\n", .malformedResponse(.malformedStatusLine)),
  ]

  @Test(arguments: answers)
  func theHandshakeIsRefused(_ answer: String, _ error: WebSocketClientError) async throws {
    let server = try WebSocketServer(.answers(answer))
    defer { server.stop() }
    #expect(try await WebSocketRecorder(try server.url()).untilEnd() == [.closed(.failed(error))])
    #expect(!error.description.isEmpty)
  }

  @Test func timesOutInTheHandshake() async throws {
    let server = try WebSocketServer(.silent)
    defer { server.stop() }
    let recorder = try WebSocketRecorder(try server.url()) { $0.handshakeTimeout = .milliseconds(20) }
    #expect(await ending(recorder) == .failed(.handshakeTimedOut))
  }

  @Test func timesOutInTheCloseAndInSilence() async throws {
    let server = try WebSocketServer(.deaf)
    defer { server.stop() }
    let closing = try WebSocketRecorder(try server.url()) { $0.closeTimeout = .milliseconds(20) }
    #expect(await closing.next() == .opened(nil))
    closing.onLoop { try? $0.close() }
    #expect(await ending(closing) == .failed(.closeTimedOut))
    let silent = try WebSocketRecorder(try server.url()) {
      $0.pingInterval = .milliseconds(20)
      $0.pongTimeout = .milliseconds(20)
    }
    #expect(await ending(silent) == .failed(.noPong))
  }

  @Test func theServerBreaksTheProtocol() async throws {
    let server = try WebSocketServer(.sends([0x83, 0x00]))
    defer { server.stop() }
    let recorder = try WebSocketRecorder(try server.url())
    #expect(
      await recorder.untilEnd() == [.opened(nil), .closed(.failed(.protocolBroken(.reservedOpcode)))])
    // RSV1 that nobody negotiated, and a message over our limit.
    let other = try WebSocketServer(.sends([0xC1, 0x00]))
    defer { other.stop() }
    #expect(try await ending(WebSocketRecorder(try other.url())) == .failed(.protocolBroken(.reservedBits)))
    let long = try WebSocketServer(.sends([0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0]))
    defer { long.stop() }
    #expect(try await ending(WebSocketRecorder(try long.url())) == .failed(.protocolBroken(.messageTooBig)))
  }

  @Test func endsWithoutAWord() async throws {
    let server = try WebSocketServer(.drops)
    defer { server.stop() }
    #expect(try await ending(WebSocketRecorder(try server.url())) == .failed(.endedWithoutClose))
    let echo = try WebSocketServer()
    defer { echo.stop() }
    let recorder = try WebSocketRecorder(try echo.url())
    #expect(await recorder.next() == .opened(nil))
    recorder.onLoop { $0.abort() }
    #expect(await ending(recorder) == .failed(.aborted))
    // Before it is open a close is the same.
    let early = try WebSocketRecorder(try echo.url(), beforeItOpens: { try? $0.close() })
    #expect(await ending(early) == .failed(.aborted))
  }

  @Test(arguments: [
    Certificates.Kind.stranger, .selfSigned, .expired, .notYetValid, .other, .nameless,
  ])
  func aBadCertificateIsRefused(_ kind: Certificates.Kind) async throws {
    let certificates = try Certificates.shared.get()
    let context = try certificates.server(kind)
    let server = try WebSocketServer(makeFilter: { context.makeFilter() })
    defer { server.stop() }
    let security = try certificates.client
    let url = try server.url(scheme: "wss", host: "localhost")
    let refused = try await ending(WebSocketRecorder(url) { $0.security = security })
    guard case .failed(.transport(.insecure)) = refused else {
      Issue.record("it was believed")
      return
    }
    #expect(try await ending(WebSocketRecorder(url)) == .failed(.transport(.securityNotConfigured)))
  }
}
