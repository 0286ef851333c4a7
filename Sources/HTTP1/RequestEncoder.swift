/// Writes requests (RFC 9112 §3). On an error nothing is appended to the output.
public enum RequestEncoder {
  /// The head alone, ending in its empty line. The body's length is the caller's to declare.
  public static func encode(_ head: RequestHead, into output: inout [UInt8]) throws(HTTPLocalError) {
    try check(head)
    append(head, contentLength: nil, into: &output)
  }

  /// The head with a Content-Length of the body's size, then the body.
  public static func encode(
    _ head: RequestHead, body: some Collection<UInt8>, into output: inout [UInt8]
  ) throws(HTTPLocalError) {
    try check(head)
    try HeadEncoding.checkNoLength(head.headers)
    append(head, contentLength: body.count, into: &output)
    output.append(contentsOf: body)
  }

  private static func check(_ head: RequestHead) throws(HTTPLocalError) {
    guard Grammar.isToken(head.method.utf8) else { throw .malformedMethod }
    let target = head.target.utf8
    guard !target.isEmpty, target.allSatisfy({ Grammar.isVisible($0) && $0 != Grammar.hash }) else {
      throw .malformedTarget
    }
    try HeadEncoding.checkVersion(head.minorVersion)
    try head.headers.check()
    // §3.2: a client sends Host in all HTTP/1.1 requests.
    guard head.minorVersion == 0 || head.headers.count(of: "Host") == 1 else { throw .missingHost }
  }

  private static func append(_ head: RequestHead, contentLength: Int?, into output: inout [UInt8]) {
    output.append(contentsOf: head.method.utf8)
    output.append(Grammar.space)
    output.append(contentsOf: head.target.utf8)
    output.append(contentsOf: head.minorVersion == 0 ? " HTTP/1.0\r\n".utf8 : " HTTP/1.1\r\n".utf8)
    output += head.headers.wire
    if let contentLength {
      HeadEncoding.append("Content-Length", String(contentLength), into: &output)
    }
    HeadEncoding.appendLineEnd(into: &output)
  }
}
