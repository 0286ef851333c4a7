/// How much of one message a peer may make us read. All of them count bytes on the wire unless said.
public struct HTTPLimits: Sendable, Equatable {
  /// Longest single line, its CRLF included: a request line, a header line, a chunk-size line.
  public var lineBytes: Int
  /// Longest head: start line, all header lines and the closing empty line. Trailers have as much again.
  public var headBytes: Int
  /// Most header lines in a head, and most trailer lines after a chunked body.
  public var headerCount: Int
  /// Longest body in bytes, after the chunk framing is taken off.
  public var bodyBytes: Int

  /// - Precondition: the first two are positive and the others not negative. They come from the
  ///   configuration, never from a peer.
  public init(lineBytes: Int, headBytes: Int, headerCount: Int, bodyBytes: Int) {
    precondition(lineBytes > 0 && headBytes > 0, "a line and a head need room for at least one byte")
    precondition(headerCount >= 0 && bodyBytes >= 0, "a limit is not negative")
    self.lineBytes = lineBytes
    self.headBytes = headBytes
    self.headerCount = headerCount
    self.bodyBytes = bodyBytes
  }
}
