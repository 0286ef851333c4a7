import HTTP1

/// The bounds of an ``HTTPClient``. An origin is a scheme, a host and a port.
public struct HTTPClientConfiguration: Sendable {
  /// Connections to one origin, those being opened included; at least 1.
  public var connectionsPerOrigin: Int
  /// Requests to one origin that wait for a connection; more are refused.
  public var waitingPerOrigin: Int
  /// How long a kept-alive connection may serve nothing before it is closed.
  public var idleTimeout: Duration
  /// How long a connection may serve at all: so that changes in DNS and of certificates are noticed.
  public var connectionLifetime: Duration
  /// How long a name's addresses are used before they are looked up again.
  public var addressLifetime: Duration
  /// Longest line of a response's head.
  public var lineBytes: Int
  /// Longest head of a response.
  public var headBytes: Int
  /// Most header lines of a response.
  public var headerCount: Int
  /// `User-Agent`; none is sent when empty.
  public var userAgent: String
  /// For `https:` URLs; without it they fail with ``UpstreamError/securityNotConfigured``.
  public var security: (any TransportSecurity)?

  public init(
    connectionsPerOrigin: Int, waitingPerOrigin: Int, idleTimeout: Duration, connectionLifetime: Duration,
    addressLifetime: Duration, lineBytes: Int, headBytes: Int, headerCount: Int, userAgent: String,
    security: (any TransportSecurity)?
  ) {
    self.connectionsPerOrigin = max(1, connectionsPerOrigin)
    self.waitingPerOrigin = max(0, waitingPerOrigin)
    self.idleTimeout = idleTimeout
    self.connectionLifetime = connectionLifetime
    self.addressLifetime = addressLifetime
    self.lineBytes = max(1, lineBytes)
    self.headBytes = max(1, headBytes)
    self.headerCount = max(0, headerCount)
    self.userAgent = userAgent
    self.security = security
  }

  /// A starting point: 8 connections and 1,024 waiting requests for each origin, 60 s idle, 10 minutes in
  /// all.
  public static func standard(
    userAgent: String, security: (any TransportSecurity)?
  ) -> HTTPClientConfiguration {
    HTTPClientConfiguration(
      connectionsPerOrigin: 8, waitingPerOrigin: 1_024, idleTimeout: .seconds(60),
      connectionLifetime: .seconds(600), addressLifetime: .seconds(30), lineBytes: 16_384, headBytes: 65_536,
      headerCount: 200, userAgent: userAgent, security: security)
  }

  func limits(bodyBytes: Int) -> HTTPLimits {
    HTTPLimits(lineBytes: lineBytes, headBytes: headBytes, headerCount: headerCount, bodyBytes: bodyBytes)
  }
}
