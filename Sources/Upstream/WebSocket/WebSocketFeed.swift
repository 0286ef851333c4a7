import EventLoop
import WebSocket

/// Text messages of a server that announces something, for as long as they are wanted: one connection at a time, to
/// the first of the addresses that takes it. When it is lost, the next address is tried, ever later while nothing comes.
///
/// ``start()`` and ``stop()`` may be called from any thread; everything else lives on one loop of the client.
public final class WebSocketFeed: @unchecked Sendable {
  /// Called on the loop: it must not block.
  public enum Event: Sendable {
    /// The handshake is through, and the greeting is on its way.
    case opened
    case text([UInt8])
    /// It opened and is lost, or did not open. Another attempt follows.
    case lost(host: String, WebSocketEnding)
  }

  private let urls: [WebSocketURL]
  private let loop: EventLoop
  private let resolver: Resolver
  private let configuration: WebSocketClientConfiguration
  private let greeting: String
  private let report: @Sendable (Event) -> Void
  private var client: WebSocketClient?
  private var isWanted = false
  private var next = 0
  private var pause: ReconnectPause
  private var timer = TimerID.none

  /// - Parameters:
  ///   - urls: in the order of preference; with none of them nothing ever happens.
  ///   - client: whose loops, resolver and TLS are used. It must outlive the feed's `stop`.
  ///   - greeting: a text that is sent whenever a connection opens.
  public init(
    _ urls: [WebSocketURL], client: HTTPClient, greeting: String,
    pause: ReconnectPause = ReconnectPause(minimum: .seconds(1), maximum: .seconds(60)),
    report: @escaping @Sendable (Event) -> Void
  ) {
    self.urls = urls
    // HTTPClient has a loop at least; which one does not matter to a connection that is hardly used.
    let home = client.clients[0]
    loop = home.loop
    resolver = home.resolver
    configuration = .standard(security: client.configuration.security)
    self.greeting = greeting
    self.pause = pause
    self.report = report
  }

  public func start() {
    loop.post { [self] in
      guard !isWanted, !urls.isEmpty else { return }
      isWanted = true
      connect()
    }
  }

  /// Ends the connection. Nothing is reported any more once this has been carried out on the loop.
  public func stop() {
    loop.post { [self] in
      isWanted = false
      loop.cancel(timer)
      try? client?.close()
    }
  }

  private func connect() {
    let client = WebSocketClient(
      urls[next % urls.count], loop: loop, resolver: resolver, configuration: configuration,
      deflatePool: nil, handler: self)
    self.client = client
    client.connect()
  }
}

extension WebSocketFeed: WebSocketClientHandler {
  public func opened(_ client: WebSocketClient, subprotocol: String?) {
    guard client === self.client, isWanted else { return }
    try? client.send(text: greeting)
    report(.opened)
  }

  public func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient) {
    guard client === self.client, isWanted, kind == .text else { return }
    // Opening alone is no good sign: some servers open and drop who they don't want.
    pause.reset()
    report(.text(Array(payload)))
  }

  public func closed(_ client: WebSocketClient, _ ending: WebSocketEnding) {
    guard client === self.client else { return }
    self.client = nil
    guard isWanted else { return }
    report(.lost(host: client.url.http.host, ending))
    next = (next + 1) % urls.count
    var generator = SystemRandomNumberGenerator()
    timer = loop.schedule(after: pause.next(random: generator.next()), self, tag: 0)
  }
}

extension WebSocketFeed: TimerTarget {
  public func timerFired(tag: UInt64, now: LoopInstant) {
    if isWanted, client == nil { connect() }
  }
}

/// How long to wait before a lost connection is tried again: each time twice as long, less up to a half at random, so
/// that those who lost it together don't come back together. Pure.
public struct ReconnectPause: Sendable {
  let minimum: Duration
  let maximum: Duration
  private var attempts = 0

  public init(minimum: Duration, maximum: Duration) {
    self.minimum = minimum
    self.maximum = max(minimum, maximum)
  }

  public mutating func reset() { attempts = 0 }

  /// - Parameter random: any 64 bits.
  public mutating func next(random: UInt64) -> Duration {
    let whole = min(maximum, minimum * (1 << min(attempts, 16)))
    attempts += 1
    return whole - whole / 2 * (Double(random >> 11) / Double(1 << 53))
  }
}
