/// The first part of a response: everything before its body.
public struct ResponseHead: Sendable, Equatable {
  /// 100…999. Those above 599 mean the same as 500 (RFC 9110 §15).
  public var status: Int
  /// The reason phrase, often empty. For people, never for programs (RFC 9112 §4).
  public var reason: String
  /// 0 or 1, of HTTP/1.x.
  public var minorVersion: Int
  public var headers: HTTPHeaders

  /// - Parameter reason: the usual one of the status if nil.
  public init(status: Int, reason: String? = nil, minorVersion: Int = 1, headers: HTTPHeaders = [:]) {
    self.status = status
    self.reason = reason ?? HTTPStatus.reason(status)
    self.minorVersion = minorVersion
    self.headers = headers
  }

  /// Whether the headers let the connection stay open. A body that ends with the connection says no
  /// whatever the headers say: ask ``ResponseParser/isReusable``.
  public var keepAlive: Bool { Persistence.keepAlive(headers, minorVersion: minorVersion) }
}
