import EventLoop
import WebSocket

@testable import Upstream

extension WebSocketLimits {
  static let testing = WebSocketLimits(messageBytes: 1 << 20, fragments: 1_000, replyBytes: 4_096)
}

/// A client whose events a test takes one after the other.
final class WebSocketRecorder: Sendable {
  enum Event: Equatable, Sendable {
    case opened(String?)
    case message(MessageKind, [UInt8])
    case closed(WebSocketEnding)
  }

  private final class Forward: WebSocketClientHandler {
    let source: AsyncStream<Event>.Continuation
    init(_ source: AsyncStream<Event>.Continuation) { self.source = source }

    func opened(_ client: WebSocketClient, subprotocol: String?) { source.yield(.opened(subprotocol)) }
    func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient) {
      source.yield(.message(kind, Array(payload)))
    }
    func closed(_ client: WebSocketClient, _ ending: WebSocketEnding) {
      source.yield(.closed(ending))
      source.finish()
    }
  }

  private let loop: EventLoop
  private let resolver: Resolver
  private let client: WebSocketClient
  let events: AsyncStream<Event>

  /// Begins to connect.
  ///
  /// - Parameter beforeItOpens: done in the same turn, in which it can't have opened.
  init(
    _ url: WebSocketURL, deflate: DeflateSettings? = nil,
    _ change: (inout WebSocketClientConfiguration) -> Void = { _ in },
    beforeItOpens: @escaping @Sendable (WebSocketClient) -> Void = { _ in }
  ) throws {
    loop = try EventLoop(name: "client", configuration: .testing)
    resolver = try Resolver(threads: 1, queueMaximum: 10)
    var configuration = WebSocketClientConfiguration.standard(security: nil)
    configuration.limits = .testing
    // Long enough that no slow machine fails a test; those that wait for a time-out make it short.
    configuration.connectTimeout = .seconds(60)
    configuration.handshakeTimeout = .seconds(60)
    configuration.closeTimeout = .seconds(60)
    configuration.pingInterval = nil
    change(&configuration)
    let (events, source) = AsyncStream<Event>.makeStream()
    self.events = events
    client = WebSocketClient(
      url, loop: loop, resolver: resolver, configuration: configuration,
      deflatePool: deflate.map { DeflatePool($0) }, handler: Forward(source))
    try loop.start()
    onLoop {
      $0.connect()
      beforeItOpens($0)
    }
  }

  deinit {
    loop.stop()
    loop.join()
    resolver.stop()
  }

  func onLoop(_ body: @escaping @Sendable (WebSocketClient) -> Void) {
    let client = client
    loop.post { body(client) }
  }

  func send(_ kind: MessageKind, _ bytes: [UInt8]) {
    onLoop { client in bytes.withUnsafeBytes { try? client.send(kind, $0) } }
  }

  /// What the client heard up to its end.
  func untilEnd() async -> [Event] {
    var heard: [Event] = []
    for await event in events { heard.append(event) }
    return heard
  }

  /// The next event.
  func next() async -> Event? {
    for await event in events { return event }
    return nil
  }
}
