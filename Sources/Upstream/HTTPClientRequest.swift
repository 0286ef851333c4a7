import HTTP1

/// One request of an ``HTTPClient``.
public struct HTTPClientRequest: Sendable {
  /// How long to wait for what. All of them count from the moment the wait begins.
  public struct Timeouts: Hashable, Sendable {
    /// For the name's addresses, and again for each address until the connection, TLS included, is there.
    /// Where several requests wait for one connection, that of the request which had it opened counts.
    public var connect: Duration
    /// From handing the request to a connection to the first byte of the response.
    public var firstByte: Duration
    /// The whole call, waiting for a connection and resending included.
    public var total: Duration

    public init(connect: Duration, firstByte: Duration, total: Duration) {
      self.connect = connect
      self.firstByte = firstByte
      self.total = total
    }
  }

  /// A token, as a rule in capitals: methods are case-sensitive (RFC 9110 §9.1). `CONNECT` is refused.
  public var method: String
  public var url: HTTPURL
  /// Sent as they are, behind the client's own `Host`, `User-Agent` and `Accept-Encoding`; the latter two
  /// give way to lines of the same name here. `Content-Length` is the client's to add.
  public var headers: [(String, String)]
  public var body: [UInt8]
  public var timeouts: Timeouts
  /// The longest body taken, counted on the wire and again after decompression.
  public var responseBytesLimit: Int
  /// Whether doing it twice does no more than doing it once (RFC 9110 §9.2.2). Then it is sent once more,
  /// over a fresh connection, when a kept-alive one turned out dead before the first byte of a response.
  public var isIdempotent: Bool

  public init(
    method: String, url: HTTPURL, headers: [(String, String)] = [], body: [UInt8] = [], timeouts: Timeouts,
    responseBytesLimit: Int, isIdempotent: Bool
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeouts = timeouts
    self.responseBytesLimit = max(0, responseBytesLimit)
    self.isIdempotent = isIdempotent
  }
}

/// The answer to an ``HTTPClientRequest``, read to its end.
public struct HTTPClientResponse: Sendable {
  /// 100…999; redirects are returned like any other.
  public var status: Int
  /// As they came: `Content-Encoding` and `Content-Length` tell of the body on the wire, not of `body`.
  public var headers: HTTPHeaders
  /// Decoded: chunks joined, gzip and deflate inflated.
  public var body: [UInt8]
  /// The body's bytes before inflating.
  public var wireBodyBytes: Int
  /// Whether it came over a connection that had served before.
  public var reusedConnection: Bool

  public init(
    status: Int, headers: HTTPHeaders, body: [UInt8], wireBodyBytes: Int = 0, reusedConnection: Bool = false
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.wireBodyBytes = wireBodyBytes
    self.reusedConnection = reusedConnection
  }

  /// 200…299.
  public var isSuccess: Bool { (200...299).contains(status) }
}
