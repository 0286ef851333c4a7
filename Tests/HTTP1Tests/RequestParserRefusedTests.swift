import HTTP1
import TestSupport
import Testing

struct RefusedRequest: Sendable, CustomTestStringConvertible {
  var text: String
  var error: HTTPError
  var status: Int
  /// What the parser says before it throws.
  var before: [Step]

  init(_ text: String, _ error: HTTPError, _ status: Int = 400, before: [Step] = []) {
    (self.text, self.error, self.status, self.before) = (text, error, status, before)
  }

  /// A header line of an otherwise good request.
  init(field: String, _ error: HTTPError, _ status: Int = 400) {
    self.init("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n", error, status)
  }

  /// A body behind the head of a chunked request.
  init(chunks: String, _ error: HTTPError, _ status: Int = 400, body: String? = nil) {
    let head = RequestHead(
      method: "POST", target: "/", headers: ["Host": "a", "Transfer-Encoding": "chunked"])
    self.init(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, error, status,
      before: [.request(head)] + (body.map { [.body($0)] } ?? []))
  }

  var testDescription: String { "\(text.debugDescription.suffix(80)) \(status)" }
}

private func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

private let lines: [RefusedRequest] = [
  .init("GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
  .init("GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", .bareLineFeed),
  .init("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
  .init("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
  .init("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn),
  .init("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bareCarriageReturn),
  .init("GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n", .bareCarriageReturn),
  .init("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .emptyLinesBeforeRequest),
  .init("\u{16}\u{3}\u{1}", .malformedMethod),
]

private let requestLines: [RefusedRequest] = [
  .init("GET\r\n", .malformedRequestLine),
  .init("GET /\r\n", .malformedRequestLine),
  .init("GET  / HTTP/1.1\r\n", .malformedRequestLine),
  .init("GET /  HTTP/1.1\r\n", .malformedRequestLine),
  .init("GET /a b HTTP/1.1\r\n", .malformedRequestLine),
  .init("GET / HTTP/1.1 \r\n", .malformedRequestLine),
  .init("GET\t/\tHTTP/1.1\r\n", .malformedRequestLine),
  .init(" GET / HTTP/1.1\r\n", .malformedMethod),
  .init("G(T / HTTP/1.1\r\n", .malformedMethod),
  .init("Gé / HTTP/1.1\r\n", .malformedMethod),
  .init(repeated("A", 33) + " / HTTP/1.1\r\n", .methodTooLong, 501),
  .init("CONNECT a:443 HTTP/1.1\r\n", .connectNotSupported, 501),
  .init("GET a HTTP/1.1\r\n", .malformedTarget),
  .init("GET * HTTP/1.1\r\n", .malformedTarget),
  .init("GET ftp://a/ HTTP/1.1\r\n", .malformedTarget),
  .init("GET http:///a HTTP/1.1\r\n", .malformedTarget),
  .init("GET http://u:p@a/ HTTP/1.1\r\n", .malformedTarget),
  .init("GET /#a HTTP/1.1\r\n", .malformedTarget),
  .init("GET /\u{0} HTTP/1.1\r\n", .malformedTarget),
  .init("GET /\u{7F} HTTP/1.1\r\n", .malformedTarget),
  .init("GET /\t HTTP/1.1\r\n", .malformedTarget),
  .init("GET /é HTTP/1.1\r\n", .malformedTarget),
  .init("GET / http/1.1\r\n", .malformedVersion),
  .init("GET / HTTP/1\r\n", .malformedVersion),
  .init("GET / HTTP/1.10\r\n", .malformedVersion),
  .init("GET / HTTP/1.x\r\n", .malformedVersion),
  .init("GET / HTTP/01.1\r\n", .malformedVersion),
  .init("GET / HTTP/1.2\r\n", .unsupportedVersion, 505),
  .init("GET / HTTP/2.0\r\n", .unsupportedVersion, 505),
  .init("GET / HTTP/0.9\r\n", .unsupportedVersion, 505),
  .init("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion, 505),
  .init("GET /" + repeated("a", 600), .requestLineTooLong(limit: 512), 414),
]

private let fieldLines: [RefusedRequest] = [
  .init(field: " b: c", .foldedField),
  .init(field: "\tb: c", .foldedField),
  .init("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedField),
  .init(field: "B", .missingColon),
  .init(field: ": c", .emptyFieldName),
  .init(field: "B : c", .whitespaceBeforeColon),
  .init(field: "B\t: c", .whitespaceBeforeColon),
  .init(field: "B C: d", .malformedFieldName),
  .init(field: "B(: d", .malformedFieldName),
  .init(field: "B\u{0}: d", .malformedFieldName),
  .init(field: "É: d", .malformedFieldName),
  .init(field: "B: \u{0}", .malformedFieldValue),
  .init(field: "B: a\u{B}b", .malformedFieldValue),
  .init(field: "B: a\u{7F}", .malformedFieldValue),
  .init(field: "B: \u{1B}[31m", .malformedFieldValue),
  .init(field: "B: " + repeated("c", 600), .fieldLineTooLong(limit: 512), 431),
  .init(field: repeated("B: c\r\n", 20) + "B: d", .tooManyFields(limit: 20), 431),
  .init(field: repeated("B: \(repeated("c", 400))\r\n", 5) + "B: d", .headTooLarge(limit: 2048), 431),
]

private let meanings: [RefusedRequest] = [
  .init("GET / HTTP/1.1\r\n\r\n", .missingHost),
  .init("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
  .init(field: "host: a", .repeatedHost),
  .init("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .repeatedHost),
  .init(field: "Expect: tea", .unknownExpectation, 417),
  .init(field: "Expect: 100-continue\r\nExpect: tea", .unknownExpectation, 417),
  .init(field: "Content-Length: 5\r\nContent-Length: 6", .repeatedContentLength),
  .init(field: "Content-Length: 5\r\nContent-Length: 5", .repeatedContentLength),
  .init(field: "Content-Length: 5, 5", .repeatedContentLength),
  .init(field: "Content-Length: +5", .malformedContentLength),
  .init(field: "Content-Length: -5", .malformedContentLength),
  .init(field: "Content-Length: 5 5", .malformedContentLength),
  .init(field: "Content-Length: 0x5", .malformedContentLength),
  .init(field: "Content-Length: 5.0", .malformedContentLength),
  .init(field: "Content-Length:", .malformedContentLength),
  .init(field: "Content-Length: ٥", .malformedContentLength),
  .init(field: "Content-Length: 9223372036854775808", .malformedContentLength),
  .init(field: "Content-Length: 99999999999999999999999", .malformedContentLength),
  .init(field: "Content-Length: 9223372036854775807", .bodyTooLarge(limit: 4096), 413),
  .init(field: "Content-Length: 4097", .bodyTooLarge(limit: 4096), 413),
  .init(field: "Content-Length: 5\r\nTransfer-Encoding: chunked", .contentLengthWithTransferEncoding),
  .init(field: "Transfer-Encoding: gzip\r\nContent-Length: x", .contentLengthWithTransferEncoding),
  .init("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
  .init(field: "Transfer-Encoding: chunked, chunked", .chunkedNotFinal),
  .init(field: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .chunkedNotFinal),
  .init(field: "Transfer-Encoding: chunked, gzip", .chunkedNotFinal),
  .init(field: "Transfer-Encoding: gzip, chunked", .unknownTransferCoding, 501),
  .init(field: "Transfer-Encoding: gzip", .unknownTransferCoding, 501),
  .init(field: "Transfer-Encoding: identity", .unknownTransferCoding, 501),
  .init(field: "Transfer-Encoding: xchunked", .unknownTransferCoding, 501),
  .init(field: "Transfer-Encoding: gzip;q=\"1\"", .unknownTransferCoding, 501),
  .init(field: "Transfer-Encoding:", .malformedTransferEncoding),
  .init(field: "Transfer-Encoding: chunked,", .malformedTransferEncoding),
  .init(field: "Transfer-Encoding: ,chunked", .malformedTransferEncoding),
  .init(field: "Transfer-Encoding: chun ked", .malformedTransferEncoding),
  .init(field: "Transfer-Encoding: \"chunked\"", .malformedTransferEncoding),
  .init(field: "Transfer-Encoding: chunked;a=b", .malformedTransferEncoding),
]

private let bodies: [RefusedRequest] = [
  .init(chunks: "\r\n", .malformedChunkSize),
  .init(chunks: "x\r\n", .malformedChunkSize),
  .init(chunks: "-1\r\n", .malformedChunkSize),
  .init(chunks: "0x5\r\n", .malformedChunkSize),
  .init(chunks: " 5\r\n", .malformedChunkSize),
  .init(chunks: "5 \r\n", .malformedChunkSize),
  .init(chunks: "5 5\r\n", .malformedChunkSize),
  .init(chunks: "5,5\r\n", .malformedChunkSize),
  .init(chunks: "5\n", .bareLineFeed),
  .init(chunks: "5\r5\r\n", .bareCarriageReturn),
  .init(chunks: "8000000000000000\r\n", .chunkSizeOverflow),
  .init(chunks: "10000000000000000\r\n", .chunkSizeOverflow),
  .init(chunks: repeated("f", 40) + "\r\n", .chunkSizeOverflow),
  .init(chunks: "7fffffffffffffff\r\n", .bodyTooLarge(limit: 4096), 413),
  .init(chunks: "1\r\nx\r\n7fffffffffffffff\r\n", .bodyTooLarge(limit: 4096), 413, body: "x"),
  .init(chunks: "1\r\nx\r\n1000\r\n", .bodyTooLarge(limit: 4096), 413, body: "x"),
  .init(chunks: "1;\r\n", .malformedChunkExtension),
  .init(chunks: "1;a=\r\n", .malformedChunkExtension),
  .init(chunks: "1;=b\r\n", .malformedChunkExtension),
  .init(chunks: "1;a=\"b\r\n", .malformedChunkExtension),
  .init(chunks: "1;a=\"b\\\r\n", .malformedChunkExtension),
  .init(chunks: "1;a=\"\u{0}\"\r\n", .malformedChunkExtension),
  .init(chunks: "1;a b\r\n", .malformedChunkSize),
  .init(chunks: "1;" + repeated("a", 600), .chunkLineTooLong(limit: 512)),
  .init(
    chunks: repeated("1;\(repeated("a", 300))\r\nx\r\n", 2), .chunkExtensionsTooLong(limit: 512), body: "x"),
  .init(chunks: "1\r\nxx\r\n", .chunkNotTerminated, body: "x"),
  .init(chunks: "1\r\nx\n", .chunkNotTerminated, body: "x"),
  .init(chunks: "1\r\nx\rx", .chunkNotTerminated, body: "x"),
  .init(chunks: "0\r\nB : c\r\n\r\n", .whitespaceBeforeColon),
  .init(chunks: "0\r\nB: \u{0}\r\n\r\n", .malformedFieldValue),
  .init(chunks: "0\r\n b: c\r\n\r\n", .foldedField),
  .init(chunks: "0\r\n\n", .bareLineFeed),
  .init(chunks: "0\r\n" + repeated("B: c\r\n", 21), .tooManyFields(limit: 20), 431),
  .init(chunks: "0\r\nB: " + repeated("c", 600), .fieldLineTooLong(limit: 512), 431),
  .init(chunks: "0\r\n" + repeated("B: \(repeated("c", 400))\r\n", 6), .headTooLarge(limit: 2048), 431),
]

let refusedRequests = lines + requestLines + fieldLines + meanings + bodies

@Suite struct RequestParserRefusedTests {
  @Test(arguments: refusedRequests)
  func threeFeeds(_ refused: RefusedRequest) {
    #expect(refused.error.status == refused.status)
    let steps = refused.before + [.failed(refused.error)]
    let bytes = Array(refused.text.utf8)
    expectThreeFeeds(bytes, giving: steps, trailing: trailingBytes) { readRequests($0) }
    expectRandomFeeds(bytes, giving: steps, seeds: 0..<5, longest: 9) { readRequests($0) }
  }

  /// The same behind a good request: where a connection goes wrong does not hang on what came before.
  @Test(arguments: refusedRequests)
  func behindAnother(_ refused: RefusedRequest) throws {
    let first = try #require(acceptedRequests.first)
    let steps = first.steps + refused.before + [.failed(refused.error)]
    expectThreeFeeds(Array((first.text + refused.text).utf8), giving: steps, trailing: []) {
      readRequests($0)
    }
  }

  @Test(arguments: [
    "", "a b", "a/b", "u@a", "a:b", "a:65536", "a:99999999999999999999", "a:80:80", "[::1", "[]", "[::1]x",
    "[::1%eth0]", "[v1.a]", "[abc]", ":80", "a%2", "a%zz", "é", "a,b c", "a\"",
  ])
  func invalidHosts(_ host: String) {
    let text = "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n"
    #expect(readRequests([Array(text.utf8)]) == [.failed(.malformedHost)])
  }

  /// A limit is what still passes.
  @Test func limitsAreExact() {
    let text = "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n"
    let bytes = Array(text.utf8)
    func read(_ lineBytes: Int, _ headBytes: Int, _ headerCount: Int) -> [Step] {
      let limits = HTTPLimits(
        lineBytes: lineBytes, headBytes: headBytes, headerCount: headerCount, bodyBytes: 0)
      let whole = readRequests([bytes], limits: limits)
      #expect(readRequests(bytes.map { [$0] }, limits: limits) == whole)
      return whole
    }
    #expect(read(16, bytes.count, 2).last == .end)
    #expect(read(15, bytes.count, 2) == [.failed(.requestLineTooLong(limit: 15))])
    #expect(read(16, bytes.count, 1) == [.failed(.tooManyFields(limit: 1))])
    for headBytes in 17..<bytes.count {
      #expect(read(16, headBytes, 2) == [.failed(.headTooLarge(limit: headBytes))])
    }
    #expect(read(16, 15, 2) == [.failed(.requestLineTooLong(limit: 15))])
  }

  /// A line that has no room left for its LF is refused at once, not at the byte behind it.
  @Test func tooLongIsSaidAtTheLimit() {
    let line = Array(("GET /" + repeated("a", 507)).utf8)
    #expect(readRequests([Array(line.dropLast())]) == [])
    #expect(readRequests([line]) == [.failed(.requestLineTooLong(limit: 512))])
    #expect(readRequests(line.map { [$0] }) == [.failed(.requestLineTooLong(limit: 512))])
  }

  @Test(arguments: [HTTPError.closedEarly, .malformedStatusLine] + refusedRequests.map(\.error))
  func explanationsAreSentences(_ error: HTTPError) {
    #expect(error.explanation.hasSuffix("."))
    #expect(error.explanation.count > 30)
    #expect("\(error)" == error.explanation)
  }
}
