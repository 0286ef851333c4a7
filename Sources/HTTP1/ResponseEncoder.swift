/// Writes responses (RFC 9112 §4). On an error nothing is appended to the output.
public enum ResponseEncoder {
  /// The head alone, ending in its empty line. The body's length is the caller's to declare; a response
  /// that declares none ends with the connection.
  public static func encode(_ head: ResponseHead, into output: inout [UInt8]) throws(HTTPLocalError) {
    try check(head)
    append(head, contentLength: nil, into: &output)
  }

  /// The head with a Content-Length of the body's size, then the body.
  /// - Parameter answersHead: true for an answer to HEAD: the length is told, the body stays here
  ///   (RFC 9110 §9.3.2).
  public static func encode(
    _ head: ResponseHead, body: some Collection<UInt8>, answersHead: Bool = false,
    into output: inout [UInt8]
  ) throws(HTTPLocalError) {
    try check(head)
    try HeadEncoding.checkNoLength(head.headers)
    if HTTPStatus.allowsNoBody(head.status) {
      // RFC 9110 §8.6: no Content-Length in 1xx and 204, and none but the true one in 304.
      guard body.isEmpty else { throw .conflictingLength }
      append(head, contentLength: nil, into: &output)
      return
    }
    append(head, contentLength: body.count, into: &output)
    if !answersHead { output.append(contentsOf: body) }
  }

  private static func check(_ head: ResponseHead) throws(HTTPLocalError) {
    guard (100...999).contains(head.status) else { throw .malformedStatus }
    guard Grammar.isFieldText(head.reason.utf8.span) else { throw .malformedReason }
    try HeadEncoding.checkVersion(head.minorVersion)
    try head.headers.check()
  }

  private static func append(_ head: ResponseHead, contentLength: Int?, into output: inout [UInt8]) {
    output.append(contentsOf: head.minorVersion == 0 ? "HTTP/1.0 ".utf8 : "HTTP/1.1 ".utf8)
    output.append(contentsOf: String(head.status).utf8)
    output.append(Grammar.space)
    output.append(contentsOf: head.reason.utf8)
    HeadEncoding.appendLineEnd(into: &output)
    output += head.headers.wire
    if let contentLength {
      HeadEncoding.append("Content-Length", String(contentLength), into: &output)
    }
    HeadEncoding.appendLineEnd(into: &output)
  }
}

/// Writes the body that `Transfer-Encoding: chunked` announces (RFC 9112 §7.1).
public enum ChunkedEncoding {
  /// One chunk. Nothing for an empty piece: an empty chunk would end the body.
  public static func append(_ piece: some Collection<UInt8>, into output: inout [UInt8]) {
    guard !piece.isEmpty else { return }
    output.append(contentsOf: String(piece.count, radix: 16).utf8)
    HeadEncoding.appendLineEnd(into: &output)
    output.append(contentsOf: piece)
    HeadEncoding.appendLineEnd(into: &output)
  }

  /// The last chunk, without trailers.
  public static func end(into output: inout [UInt8]) {
    output.append(contentsOf: "0\r\n\r\n".utf8)
  }
}
