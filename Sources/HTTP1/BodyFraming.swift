/// How the end of a body is found (RFC 9112 §6.3).
enum BodyFraming: Equatable {
  case none
  case length(Int)
  case chunked
  /// A response without a length: all that comes until the peer closes.
  case untilClose

  /// What the headers say; nil if they say nothing.
  ///
  /// Everything here that could be read in two ways is refused in both roles, where the RFC would let a
  /// recipient repair it: request smuggling lives on such repairs (§11.2).
  static func declared(_ headers: HTTPHeaders, minorVersion: Int) throws(HTTPError) -> BodyFraming? {
    let codings = headers.all("Transfer-Encoding")
    let lengths = headers.all("Content-Length")
    guard codings.isEmpty else {
      // §6.1: in HTTP/1.0 the framing is faulty.
      guard minorVersion > 0 else { throw .transferEncodingInHTTP10 }
      guard lengths.isEmpty else { throw .contentLengthWithTransferEncoding }
      try checkCodings(codings)
      return .chunked
    }
    guard let length = lengths.first else { return nil }
    // §6.3 item 5 would let "5, 5" pass as 5.
    guard lengths.count == 1, !length.utf8.contains(Grammar.comma) else { throw .repeatedContentLength }
    guard let bytes = Grammar.decimal(length.utf8) else { throw .malformedContentLength }
    return .length(bytes)
  }

  /// Passes exactly one `chunked`, and nothing else.
  private static func checkCodings(_ values: [String]) throws(HTTPError) {
    var chunkedCount = 0
    var unknown = false
    var lastIsChunked = false
    for value in values {
      for element in value[...].utf8.split(separator: Grammar.comma, omittingEmptySubsequences: false) {
        let parts = element.split(
          separator: Grammar.semicolon, maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first else { throw .malformedTransferEncoding }
        let coding = Grammar.trimmed(first)
        guard Grammar.isToken(coding) else { throw .malformedTransferEncoding }
        lastIsChunked = Grammar.equalIgnoringCase(coding, "chunked".utf8)
        // §7.1: chunked has no parameters; their presence is an error.
        if lastIsChunked, parts.count > 1 { throw .malformedTransferEncoding }
        if lastIsChunked { chunkedCount += 1 } else { unknown = true }
      }
    }
    if chunkedCount > 1 || (chunkedCount == 1 && !lastIsChunked) { throw .chunkedNotFinal }
    // §6.1: a coding the server does not understand is answered with 501.
    if unknown { throw .unknownTransferCoding }
  }
}
