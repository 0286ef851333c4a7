extension HTTPError: CustomStringConvertible {
  /// One sentence: what was wrong, and what would be right.
  public var explanation: String {
    switch self {
    case .bareLineFeed: "A line ended in LF alone; every line ends in CRLF."
    case .bareCarriageReturn: "A line holds a CR that is not followed by LF; every line ends in CRLF."
    case .emptyLinesBeforeRequest: "More than one empty line came before the request line; send none."
    case .malformedRequestLine:
      "The request line is not three words with one space between them, as in \"GET / HTTP/1.1\"."
    case .malformedMethod: "The method is not a token of letters, digits and marks, as in \"GET\"."
    case .methodTooLong: "The method is longer than any this server knows; send one such as \"GET\"."
    case .connectNotSupported: "CONNECT is for proxies, which this server is not; send another method."
    case .malformedTarget:
      "The request target is neither a path that begins with \"/\" nor a whole http(s) address,"
        + " all in visible ASCII without \"#\"."
    case .malformedVersion: "The protocol version does not read like \"HTTP/1.1\"."
    case .unsupportedVersion: "This server speaks HTTP/1.0 and HTTP/1.1; send one of them."
    case .requestLineTooLong(let limit):
      "The request line is longer than \(limit) bytes; shorten the address."
    case .malformedStatusLine: "The status line does not read like \"HTTP/1.1 200 OK\"."
    case .statusLineTooLong(let limit): "The status line is longer than \(limit) bytes; shorten it."
    case .missingHost: "An HTTP/1.1 request needs a Host header; add one."
    case .repeatedHost: "The Host header came more than once; send one."
    case .malformedHost: "The Host header is not a host name or address with an optional \":port\"."
    case .unknownExpectation: "The only Expect value this server can meet is \"100-continue\"."
    case .closedBeforeResponse: "The peer closed the connection before it answered; it should answer first."
    case .closedEarly: "The peer closed the connection in the middle of a message; it should finish first."
    case .foldedField: "A header line begins with a space or tab; folded lines are obsolete, use one line."
    case .missingColon: "A header line has no colon; write it as \"Name: value\"."
    case .emptyFieldName: "A header line begins with its colon; write it as \"Name: value\"."
    case .whitespaceBeforeColon: "A header name is followed by a space or tab; put the colon right after it."
    case .malformedFieldName: "A header name is not a token of letters, digits and marks."
    case .malformedFieldValue: "A header value holds a control character; use visible characters and spaces."
    case .fieldLineTooLong(let limit): "A header line is longer than \(limit) bytes; shorten it."
    case .headTooLarge(let limit): "The header section is longer than \(limit) bytes; send fewer headers."
    case .tooManyFields(let limit): "There are more than \(limit) header lines; send fewer headers."
    case .malformedContentLength: "Content-Length is not a plain decimal number in range."
    case .repeatedContentLength: "Content-Length came more than once; send it once."
    case .contentLengthWithTransferEncoding:
      "Content-Length and Transfer-Encoding came together; send only one of them."
    case .transferEncodingInHTTP10: "Transfer-Encoding does not exist in HTTP/1.0; send Content-Length."
    case .malformedTransferEncoding: "Transfer-Encoding is malformed; the value to send is \"chunked\"."
    case .chunkedNotFinal: "\"chunked\" must come once and last in Transfer-Encoding."
    case .unknownTransferCoding: "The only transfer coding understood here is \"chunked\"."
    case .bodyTooLarge(let limit): "The body is longer than \(limit) bytes; send less."
    case .malformedChunkSize: "A chunk does not begin with its size in hexadecimal digits."
    case .chunkSizeOverflow: "A chunk size is too large for any machine; send smaller chunks."
    case .malformedChunkExtension: "A chunk extension does not read like \";name=value\"; leave it out."
    case .chunkLineTooLong(let limit): "A chunk-size line is longer than \(limit) bytes; shorten it."
    case .chunkExtensionsTooLong(let limit):
      "The chunk extensions of one body are longer than \(limit) bytes; leave them out."
    case .chunkNotTerminated: "A chunk's data is not followed by CRLF; end it after exactly its size."
    }
  }

  public var description: String { explanation }
}
