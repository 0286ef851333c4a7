/// The first part of a request: everything before its body.
public struct RequestHead: Sendable, Equatable {
  /// As sent; methods are case-sensitive (RFC 9110 §9.1).
  public var method: String
  /// In origin form, `/path?query`, not decoded; `*` for an `OPTIONS` of the whole server. A target that
  /// came in absolute form was mapped to it (RFC 9112 §3.2.2).
  public var target: String
  /// 0 or 1, of HTTP/1.x.
  public var minorVersion: Int
  public var headers: HTTPHeaders
  /// `host[:port]` of an absolute-form target, which outranks the Host header (RFC 9112 §3.2.2).
  public var targetAuthority: String?

  public init(
    method: String, target: String, minorVersion: Int = 1, headers: HTTPHeaders = [:],
    targetAuthority: String? = nil
  ) {
    self.method = method
    self.target = target
    self.minorVersion = minorVersion
    self.headers = headers
    self.targetAuthority = targetAuthority
  }

  /// The `host[:port]` the request is for. nil only in HTTP/1.0.
  public var host: String? { targetAuthority ?? headers.first("Host") }

  /// Whether the connection stays open behind the response (RFC 9112 §9.3).
  public var keepAlive: Bool { Persistence.keepAlive(headers, minorVersion: minorVersion) }

  /// Whether the peer waits for `100 Continue` before it sends the body. HTTP/1.0 peers cannot
  /// (RFC 9110 §10.1.1).
  public var expectContinue: Bool { minorVersion > 0 && headers.containsToken("Expect", "100-continue") }

  /// Whether the peer asks to go on in another protocol; to be ignored in HTTP/1.0 (RFC 9110 §7.8).
  public func asksToUpgrade(to name: String) -> Bool {
    minorVersion > 0 && headers.containsToken("Connection", "upgrade")
      && headers.containsToken("Upgrade", name)
  }
}

enum Persistence {
  static func keepAlive(_ headers: HTTPHeaders, minorVersion: Int) -> Bool {
    if headers.containsToken("Connection", "close") { return false }
    return minorVersion > 0 || headers.containsToken("Connection", "keep-alive")
  }
}
