// A WebSocket connection of ours to a server, on one loop.
//
//     resolving → connecting → handshaking → open → closing → ended
//
//   WebSocketClient.swift             what its owner does with it
//   WebSocketClient+Connecting.swift  name, addresses, TLS, handshake
//   WebSocketClient+Events.swift      what comes from the server, and time
//
// Each state has one deadline, and one timer keeps it. Whatever ends the connection says why first; the owner is told
// once, when the transport is gone.

import EventLoop
import HTTP1
import WebSocket

/// A client's end of a WebSocket connection (RFC 6455), by `ws:` or `wss:`. Thread-confined to its loop, but for
/// ``init(_:loop:resolver:configuration:deflatePool:handler:)`` before the loop starts.
///
/// The client keeps itself and its handler alive from ``connect()`` until `closed`. It connects once: for another
/// connection make another client.
public final class WebSocketClient: @unchecked Sendable {
  enum State {
    case idle
    case resolving
    /// To the first of the addresses that are left.
    case connecting
    case handshaking
    case open
    /// A Close was sent, by us first or in answer.
    case closing
    case ended
  }

  public let url: WebSocketURL
  public let loop: EventLoop
  let configuration: WebSocketClientConfiguration
  let resolver: Resolver
  let deflatePool: DeflatePool?
  var handler: (any WebSocketClientHandler)?

  var state = State.idle
  var connection: Connection?
  /// Not yet tried.
  var addresses: ArraySlice<SocketAddress> = []
  /// What the address before said.
  var connectError = UpstreamError.timedOut(.connect)
  var handshake: ClientHandshake
  var response: ResponseParser
  var head: ResponseHead?
  var machine: WebSocketConnection
  var random = SystemRandomNumberGenerator()
  /// Why it ends, as soon as that is known.
  var ending: WebSocketEnding?
  var timer = TimerID.none
  /// When the server was last heard of.
  var lastHeard: LoopInstant
  /// A ping is out, and nothing has come since.
  var isProbing = false

  /// - Parameters:
  ///   - resolver: for names; address literals need none of its threads.
  ///   - deflatePool: of the loop; nil: no compression is offered.
  public init(
    _ url: WebSocketURL, loop: EventLoop, resolver: Resolver, configuration: WebSocketClientConfiguration,
    deflatePool: DeflatePool?, handler: any WebSocketClientHandler
  ) {
    self.url = url
    self.loop = loop
    self.resolver = resolver
    self.configuration = configuration
    self.deflatePool = deflatePool
    self.handler = handler
    lastHeard = loop.now
    handshake = ClientHandshake(
      nonce: (random.next(), random.next()), host: url.http.authority,
      subprotocols: configuration.subprotocols,
      extensions: deflatePool == nil ? [] : [configuration.deflate.extensionOffer])
    response = ResponseParser(
      method: "GET",
      limits: HTTPLimits(
        lineBytes: configuration.headBytes, headBytes: configuration.headBytes, headerCount: 100,
        bodyBytes: configuration.headBytes))
    machine = WebSocketConnection(role: .client(maskingSeed: random.next()), limits: configuration.limits)
  }

  /// Whether messages can be sent.
  public var isOpen: Bool { if case .open = state { true } else { false } }

  /// Bytes that the kernel has not taken yet.
  public var unsentBytes: Int { connection?.unsentBytes ?? 0 }

  // MARK: - Sending

  /// Sends a message. It is queued whatever its size: a sender of much looks at ``unsentBytes``.
  ///
  /// - Throws: `.notOpen` before `opened` and after a Close; `.textNotUTF8`.
  public func send(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) throws(LocalError) {
    guard isOpen else { throw .notOpen }
    writeReplies()
    var out: [UInt8] = []
    try machine.send(kind, payload, into: &out)
    connection?.write(out)
  }

  /// Sends a text message.
  public func send(text: String) throws(LocalError) {
    guard isOpen else { throw .notOpen }
    writeReplies()
    var out: [UInt8] = []
    try machine.send(text: text, into: &out)
    connection?.write(out)
  }

  /// Sends a ping of at most 125 bytes. Pings of the server are answered without our doing.
  public func ping(_ payload: [UInt8] = []) throws(LocalError) {
    guard isOpen else { throw .notOpen }
    writeReplies()
    var out: [UInt8] = []
    try machine.ping(payload, into: &out)
    connection?.write(out)
  }

  /// No more messages until ``resumeReading()``, but those that have arrived; then the server has to wait.
  public func pauseReading() { connection?.pauseReading() }
  public func resumeReading() { connection?.resumeReading() }

  // MARK: - Ending

  /// Begins the closing handshake (§7.1.2); messages that are on their way still come. Before `opened` it is
  /// ``abort()``.
  ///
  /// - Parameter reason: at most 123 bytes of UTF-8.
  public func close(_ code: CloseCode? = .normal, reason: String = "") throws(LocalError) {
    switch state {
    case .idle, .resolving, .connecting, .handshaking: return abort()
    case .closing, .ended: return
    case .open: break
    }
    var out: [UInt8] = []
    try machine.close(code, reason: reason, into: &out)
    connection?.write(out)
    beginClosing()
  }

  /// Ends the connection without a word.
  public func abort() { fail(.aborted) }

  /// What the machine owes: pongs, the answer to a Close.
  func writeReplies() {
    if machine.hasOutput { connection?.write(machine.takeOutput()) }
  }

  func beginClosing() {
    state = .closing
    arm(configuration.closeTimeout)
  }

  /// Ends it at once. The first reason counts.
  func fail(_ error: WebSocketClientError) {
    if case .ended = state { return }
    ending = ending ?? .failed(error)
    if let connection {
      state = .ended
      connection.abort()
    } else {
      // Nobody else will call: tell the owner, but not inside its own call.
      state = .ended
      loop.post { self.finish() }
    }
  }

  /// The transport is gone.
  func finish() {
    state = .ended
    loop.cancel(timer)
    timer = .none
    connection = nil
    let handler = handler
    self.handler = nil
    handler?.closed(self, ending ?? .failed(.endedWithoutClose))
  }

  func arm(_ delay: Duration) {
    loop.cancel(timer)
    timer = loop.schedule(after: delay, self, tag: 0)
  }
}
