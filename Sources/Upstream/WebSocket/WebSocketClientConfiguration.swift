import EventLoop
import HTTP1
import WebSocket

/// The bounds and habits of a ``WebSocketClient``.
public struct WebSocketClientConfiguration: Sendable {
  /// For the lookup of the name, and for each address: until TCP, and TLS, are established.
  public var connectTimeout: Duration
  /// From the request to the end of its answer.
  public var handshakeTimeout: Duration
  /// From our Close, or our answer to one, to the end of the connection.
  public var closeTimeout: Duration
  /// So long a silence of the server is answered with a ping; nil: never.
  public var pingInterval: Duration?
  /// So long the server may be silent after that ping.
  public var pongTimeout: Duration
  /// What the server may make us hold.
  public var limits: WebSocketLimits
  /// Longest head of the handshake's answer, in bytes.
  public var headBytes: Int
  /// Offered, best first.
  public var subprotocols: [String]
  /// Further header fields of the request: `Authorization`, `Origin`.
  public var headers: HTTPHeaders
  /// permessage-deflate as it is offered, where the client was given a pool; how to compress says the pool.
  public var deflate: DeflateOffer
  /// For `wss:` URLs.
  public var security: (any TransportSecurity)?
  /// The server's addresses where they are known: then its name is not looked up.
  public var addresses: [SocketAddress] = []
  /// The address of ours to connect from; nil: the kernel's choice.
  public var source: SocketAddress?
  /// What the kernel takes on, about half of it, while reading is paused; nil: megabytes.
  public var receiveBufferBytes: Int32?

  public init(
    connectTimeout: Duration, handshakeTimeout: Duration, closeTimeout: Duration, pingInterval: Duration?,
    pongTimeout: Duration, limits: WebSocketLimits, headBytes: Int, subprotocols: [String] = [],
    headers: HTTPHeaders = [:], deflate: DeflateOffer = DeflateOffer(), security: (any TransportSecurity)?
  ) {
    self.connectTimeout = connectTimeout
    self.handshakeTimeout = handshakeTimeout
    self.closeTimeout = closeTimeout
    self.pingInterval = pingInterval
    self.pongTimeout = pongTimeout
    self.limits = limits
    self.headBytes = max(1, headBytes)
    self.subprotocols = subprotocols
    self.headers = headers
    self.deflate = deflate
    self.security = security
  }

  /// A starting point: 10 s to connect, to shake hands and to close, a ping after 30 s of silence and 10 s for
  /// its answer, messages of up to 1 MiB.
  public static func standard(security: (any TransportSecurity)?) -> WebSocketClientConfiguration {
    WebSocketClientConfiguration(
      connectTimeout: .seconds(10), handshakeTimeout: .seconds(10), closeTimeout: .seconds(10),
      pingInterval: .seconds(30), pongTimeout: .seconds(10),
      limits: WebSocketLimits(messageBytes: 1 << 20, fragments: 1_024, replyBytes: 4_096),
      headBytes: 16_384, security: security)
  }
}
