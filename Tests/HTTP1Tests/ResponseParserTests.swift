import HTTP1
import TestSupport
import Testing

struct ResponseCase: Sendable, CustomTestStringConvertible {
  var text: String
  var method = "GET"
  var closes = false
  var steps: [Step]
  var isReusable = true
  /// Whether bytes behind the response would still belong to it.
  var takesAll = false

  var testDescription: String { text.debugDescription }
}

private func ok(_ headers: HTTPHeaders, minorVersion: Int = 1) -> Step {
  .response(ResponseHead(status: 200, reason: "OK", minorVersion: minorVersion, headers: headers))
}

private func head(_ status: Int, _ reason: String = "", _ headers: HTTPHeaders = [:]) -> Step {
  .response(ResponseHead(status: status, reason: reason, headers: headers))
}

private let line = "HTTP/1.1 200 OK\r\n"

private let accepted: [ResponseCase] = [
  .init(
    text: line + "Content-Length: 5\r\n\r\nhello",
    steps: [ok(["Content-Length": "5"]), .body("hello"), .end]),
  .init(text: line + "Content-Length: 0\r\n\r\n", steps: [ok(["Content-Length": "0"]), .end]),
  .init(
    text: line + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
    steps: [ok(["Transfer-Encoding": "chunked"]), .body("abc"), .end]),
  .init(
    text: line + "Content-Length: 1\r\nConnection: close\r\n\r\nx",
    steps: [ok(["Content-Length": "1", "Connection": "close"]), .body("x"), .end], isReusable: false),
  .init(
    text: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
    steps: [ok(["Content-Length": "1"], minorVersion: 0), .body("x"), .end], isReusable: false),
  .init(
    text: line + "\r\nall of it", closes: true, steps: [ok([:]), .body("all of it"), .end],
    isReusable: false, takesAll: true),
  .init(
    text: line + "\r\n", closes: true, steps: [ok([:]), .end], isReusable: false, takesAll: true),
  .init(
    text: line + "Content-Length: 99999\r\n\r\n", method: "HEAD",
    steps: [ok(["Content-Length": "99999"]), .end]),
  .init(
    text: line + "Transfer-Encoding: chunked\r\n\r\n", method: "HEAD",
    steps: [ok(["Transfer-Encoding": "chunked"]), .end]),
  .init(text: "HTTP/1.1 204 No Content\r\n\r\n", steps: [head(204, "No Content"), .end]),
  .init(
    text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    steps: [head(304, "Not Modified", ["Content-Length": "9"]), .end]),
  .init(text: "HTTP/1.1 204 \r\n\r\n", steps: [head(204), .end]),
  .init(text: "HTTP/1.1 204\r\n\r\n", steps: [head(204), .end]),
  .init(text: "HTTP/1.1 204 d'accord, çà\t!\r\n\r\n", steps: [head(204, "d'accord, çà\t!"), .end]),
  .init(
    text: "HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n",
    steps: [head(999, "x", ["Content-Length": "0"]), .end]),
  .init(
    text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + line
      + "Content-Length: 1\r\n\r\nx",
    steps: [ok(["Content-Length": "1"]), .body("x"), .end]),
  .init(
    text: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    steps: [
      head(101, "Switching Protocols", ["Upgrade": "websocket", "Connection": "Upgrade"]), .end,
    ], isReusable: false),
]

private let refused: [(String, [Step])] = [
  ("\r\n" + line, [.failed(.malformedStatusLine)]),
  ("HTTP/1.1\r\n", [.failed(.malformedStatusLine)]),
  ("HTTP/1.1 20 OK\r\n", [.failed(.malformedStatusLine)]),
  ("HTTP/1.1 2000 OK\r\n", [.failed(.malformedStatusLine)]),
  ("HTTP/1.1 099 OK\r\n", [.failed(.malformedStatusLine)]),
  ("HTTP/1.1 +20 OK\r\n", [.failed(.malformedStatusLine)]),
  ("HTTP/1.1  200 OK\r\n", [.failed(.malformedStatusLine)]),
  ("HTTP/1.1 200\tOK\r\n", [.failed(.malformedStatusLine)]),
  ("HTTP/1.1 200 O\u{0}K\r\n", [.failed(.malformedStatusLine)]),
  ("ICY 200 OK\r\n", [.failed(.malformedVersion)]),
  ("HTTP/2.0 200 OK\r\n", [.failed(.unsupportedVersion)]),
  ("HTTP/1.1 200 OK\n", [.failed(.bareLineFeed)]),
  ("HTTP/1.1 200 " + String(repeating: "x", count: 512), [.failed(.statusLineTooLong(limit: 512))]),
  (line + " A: b\r\n\r\n", [.failed(.foldedField)]),
  (line + "A : b\r\n\r\n", [.failed(.whitespaceBeforeColon)]),
  (line + "Content-Length: 5, 5\r\n\r\n", [.failed(.repeatedContentLength)]),
  (line + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", [.failed(.repeatedContentLength)]),
  (line + "Content-Length: x\r\n\r\n", [.failed(.malformedContentLength)]),
  (line + "Content-Length: 5000\r\n\r\n", [.failed(.bodyTooLarge(limit: 4096))]),
  (
    line + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    [.failed(.contentLengthWithTransferEncoding)]
  ),
  (line + "Transfer-Encoding: gzip, chunked\r\n\r\n", [.failed(.unknownTransferCoding)]),
  ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", [.failed(.transferEncodingInHTTP10)]),
  (
    line + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
    [ok(["Transfer-Encoding": "chunked"]), .failed(.malformedChunkSize)]
  ),
  // Interim responses spend the limits of the final one.
  (String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 100), [.failed(.headTooLarge(limit: 2048))]),
  (String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 120), [.failed(.headTooLarge(limit: 2048))]),
  (
    String(repeating: "HTTP/1.1 100 C\r\nA: b\r\n\r\n", count: 21),
    [.failed(.tooManyFields(limit: 20))]
  ),
]

@Suite struct ResponseParserTests {
  @Test(arguments: accepted)
  func threeFeeds(_ response: ResponseCase) {
    let expected = ResponseTranscript(steps: response.steps, isReusable: response.isReusable)
    var withTrailing = expected
    withTrailing.leftover = "left"
    let trailing = response.takesAll ? [] : Array("left".utf8)
    let bytes = Array(response.text.utf8)
    expectThreeFeeds(bytes, giving: expected, trailing: trailing, withTrailing: withTrailing) {
      readResponse($0, to: response.method, closes: response.closes)
    }
    expectRandomFeeds(bytes, giving: expected, seeds: 0..<20, longest: 12) {
      readResponse($0, to: response.method, closes: response.closes)
    }
  }

  @Test(arguments: refused)
  func refusals(_ text: String, _ steps: [Step]) {
    expectThreeFeeds(Array(text.utf8), giving: ResponseTranscript(steps: steps), trailing: [0x20]) {
      readResponse($0)
    }
  }

  /// Cut at every byte, a response is either complete or an error; silence is no answer.
  @Test(arguments: accepted.filter { !$0.closes })
  func truncated(_ response: ResponseCase) {
    let bytes = Array(response.text.utf8)
    for count in 0..<bytes.count {
      let error: HTTPError = count == 0 ? .closedBeforeResponse : .closedEarly
      let steps = readResponse([Array(bytes.prefix(count))], to: response.method, closes: true).steps
      #expect(steps.last == .failed(error), "after \(count) bytes")
    }
    let whole = readResponse([bytes], to: response.method, closes: true)
    #expect(whole.steps == response.steps)
  }

  @Test func bodyUntilCloseIsLimited() {
    let bytes = Array((line + "\r\n" + String(repeating: "x", count: 4097)).utf8)
    for chunks in [[bytes], bytes.map { [$0] }] {
      #expect(readResponse(chunks).steps.last == .failed(.bodyTooLarge(limit: 4096)))
    }
    let fits = readResponse([bytes.dropLast()], closes: true)
    #expect(fits.steps.last == .end)
  }
}
