import EventLoop
import TestSupport
import Testing
import WebSocket

@testable import Server

/// The echo server of the conformance suites, where these do not look: what large echoes hold, and a Close that is too
/// long.
@Suite(.serialized) struct EchoTests {
  private func withEcho(
    deflates: Bool, _ body: (MessageListener) async throws -> Void
  ) async throws {
    let server = try EchoServer(port: 0, loops: 1)
    defer { server.stop() }
    let listener = try await MessageListener.connect(
      "ws://127.0.0.1:\(server.address.port)", deflate: deflates ? EchoServer.compression : nil)
    try await body(listener)
    listener.abort()
  }

  /// 16 MiB of text and of noise, and all the lengths at which a header changes its form.
  @Test(arguments: [false, true])
  func echoesAreWhatWasSent(_ deflates: Bool) async throws {
    var generator = SeededGenerator(seed: 3)
    let noise = generator.bytes(EchoServer.messageBytes)
    let line = Array("{\"wallet\":\"ETH:0x5065\",\"price_usd\":\"3404.336\",\"é\":\"💰\"}\n".utf8)
    var text: [UInt8] = []
    while text.count + line.count <= EchoServer.messageBytes { text += line }
    text += [UInt8](repeating: 0x20, count: EchoServer.messageBytes - text.count)
    try await withEcho(deflates: deflates) { echoes in
      for count in [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000, EchoServer.messageBytes] {
        echoes.send(.binary, Array(noise[..<count]))
        let echo = await echoes.next()
        #expect(echo == [MessageKind.binary.rawValue] + noise[..<count], "\(count) bytes of noise")
      }
      echoes.send(.text, text)
      let echo = await echoes.next()
      #expect(echo == [MessageKind.text.rawValue] + text)
    }
  }

  @Test(arguments: [false, true])
  func aMessageOverTheLimitIsRefused(_ deflates: Bool) async throws {
    try await withEcho(deflates: deflates) { echoes in
      echoes.send(.binary, [UInt8](repeating: 0, count: EchoServer.messageBytes + 1))
      #expect(await echoes.next() == nil)
      #expect(
        echoes.ending == .closed(code: .messageTooBig, reason: RemoteError.messageTooBig.reason))
    }
  }

  /// RFC 6455 §5.5: 126 bytes in a Close break a rule. The suite's case 7.3.6 is content with any end; echoing it
  /// would not be one.
  @Test func anOversizedCloseIsRefused() async throws {
    let server = try EchoServer(port: 0, loops: 1)
    defer { server.stop() }
    let wire = try await Wire.connect(port: server.address.port)
    wire.write(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    let payload: [UInt8] = [0x03, 0xE8] + [UInt8](repeating: 0x2A, count: 124)
    // A masking key of zero: the payload as it is.
    wire.write([0x88, 0x80 | 126, 0, 126, 0, 0, 0, 0] + payload)
    let bytes = try await wire.untilEnd()
    let reason = Array(RemoteError.controlTooLong.reason.utf8)
    #expect(bytes.suffix(reason.count + 4) == [0x88, UInt8(reason.count + 2), 0x03, 0xEA] + reason)
  }
}
