/// An absolute `ws:` or `wss:` URL (RFC 6455 §3), as strict as ``HTTPURL``.
public struct WebSocketURL: Hashable, Sendable, CustomStringConvertible {
  /// Where the handshake's request goes: `http:` for `ws:`, `https:` for `wss:`.
  public let http: HTTPURL

  /// Parses `text`, all of it.
  public init(_ text: String) throws(HTTPURLError) {
    for (prefix, scheme) in [("ws://", "http://"), ("wss://", "https://")]
    where text.prefix(prefix.count).lowercased() == prefix {
      http = try HTTPURL(scheme + text.dropFirst(prefix.count))
      return
    }
    throw .notWebSocket
  }

  private init(_ http: HTTPURL) { self.http = http }

  /// Whether the connection is by TLS.
  public var isSecure: Bool { http.scheme == .https }

  /// This URL with `suffix` behind its path, as in ``HTTPURL/appending(_:)``.
  public func appending(_ suffix: String) throws(HTTPURLError) -> WebSocketURL {
    WebSocketURL(try http.appending(suffix))
  }

  /// The URL without path and query, which may hold an API key: fit for logs and metrics.
  public var origin: String { "\(isSecure ? "wss" : "ws")://\(http.authority)" }

  public var description: String { origin + http.target }
}
