import EventLoop
import Server
import Synchronization
import TestSupport
import Upstream
import WebSocket

/// A WebSocket client by our own client role, whose messages a test takes one after the other.
final class MessageListener: WebSocketClientHandler, Sendable {
  private let client = Mutex<WebSocketClient?>(nil)
  private let messages: AsyncStream<[UInt8]>
  private let source: AsyncStream<[UInt8]>.Continuation
  private let end = Mutex<WebSocketEnding?>(nil)

  private init() { (messages, source) = AsyncStream<[UInt8]>.makeStream() }

  /// Returns once the handshake is through.
  static func connect(_ url: String, deflate: DeflateSettings?) async throws -> MessageListener {
    guard let loop = Wire.loop else { throw NothingCame(description: "an event loop") }
    let resolver = try Resolver(threads: 1, queueMaximum: 1)
    defer { resolver.stop() }
    let address = try WebSocketURL(url)
    let listener = MessageListener()
    try await loop.perform {
      var configuration = WebSocketClientConfiguration.standard(security: nil)
      configuration.limits = WebSocketLimits(
        messageBytes: EchoServer.messageBytes, fragments: 10, replyBytes: 4_096)
      configuration.connectTimeout = .seconds(120)
      configuration.handshakeTimeout = .seconds(120)
      configuration.closeTimeout = .seconds(120)
      configuration.pingInterval = nil
      let client = WebSocketClient(
        address, loop: loop, resolver: resolver, configuration: configuration,
        deflatePool: deflate.map { DeflatePool($0) }, handler: listener)
      listener.client.withLock { $0 = client }
      client.connect()
    }
    guard await listener.next() == [] else {
      throw NothingCame(description: "the handshake: \(String(describing: listener.ending))")
    }
    return listener
  }

  func opened(_ client: WebSocketClient, subprotocol: String?) { source.yield([]) }

  func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient) {
    source.yield([kind.rawValue] + payload)
  }

  func closed(_ client: WebSocketClient, _ ending: WebSocketEnding) {
    end.withLock { $0 = ending }
    source.finish()
  }

  /// Its kind, and then its bytes; nil: the connection has ended.
  func next() async -> [UInt8]? {
    for await message in messages { return message }
    return nil
  }

  var ending: WebSocketEnding? { end.withLock { $0 } }

  private func onLoop(_ body: @escaping @Sendable (WebSocketClient) -> Void) {
    guard let client = client.withLock({ $0 }) else { return }
    client.loop.post { body(client) }
  }

  func send(_ kind: MessageKind, _ bytes: [UInt8]) {
    onLoop { client in bytes.withUnsafeBytes { try? client.send(kind, $0) } }
  }

  func abort() { onLoop { $0.abort() } }
}
