import HTTP1
import TestSupport
import Testing

struct AcceptedRequest: Sendable, CustomTestStringConvertible {
  var name: String
  var text: String
  var head: RequestHead
  var body: String?

  init(_ name: String, _ text: String, _ head: RequestHead, body: String? = nil) {
    (self.name, self.text, self.head, self.body) = (name, text, head, body)
  }

  var testDescription: String { name }

  var steps: [Step] {
    [.request(head)] + (body.map { [.body($0)] } ?? []) + [.end]
  }
}

private func get(_ target: String, _ headers: HTTPHeaders = ["Host": "a"]) -> RequestHead {
  RequestHead(method: "GET", target: target, headers: headers)
}

private func post(_ headers: HTTPHeaders) -> RequestHead {
  RequestHead(method: "POST", target: "/", headers: headers)
}

private let chunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
private let chunkedFields: HTTPHeaders = ["Host": "a", "Transfer-Encoding": "chunked"]

let acceptedRequests: [AcceptedRequest] = [
  .init("plain", "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", get("/a?b=c")),
  .init("one empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", get("/")),
  .init("target as it came", "GET /%zz|{}\\\"<>^` HTTP/1.1\r\nHost: a\r\n\r\n", get("/%zz|{}\\\"<>^`")),
  .init(
    "blanks around values", "GET / HTTP/1.1\r\nHost:\ta \r\nA:b\r\nE:\r\nF: \t \r\nG: x \t y\t\r\n\r\n",
    get("/", ["Host": "a", "A": "b", "E": "", "F": "", "G": "x \t y"])),
  .init(
    "order and repeats", "GET / HTTP/1.1\r\nB: 1\r\nHost: a\r\nb: 2\r\n\r\n",
    get("/", ["B": "1", "Host": "a", "b": "2"])),
  .init(
    "UTF-8 value", "GET / HTTP/1.1\r\nHost: a\r\nA: xé\r\n\r\n",
    get("/", ["Host": "a", "A": "xé"])),
  .init(
    "odd token", "M-S!#$%&'*+.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n",
    RequestHead(method: "M-S!#$%&'*+.^_`|~9", target: "/", headers: ["Host": "a"])),
  .init(
    "HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n",
    RequestHead(method: "GET", target: "/", minorVersion: 0)),
  .init(
    "absolute form", "GET HTTP://h.example:80/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
    RequestHead(method: "GET", target: "/p?q", headers: ["Host": "a"], targetAuthority: "h.example:80")),
  .init(
    "absolute form without path", "GET https://[::1] HTTP/1.1\r\nHost: a\r\n\r\n",
    RequestHead(method: "GET", target: "/", headers: ["Host": "a"], targetAuthority: "[::1]")),
  .init(
    "absolute form with query only", "GET http://h?q HTTP/1.1\r\nHost: a\r\n\r\n",
    RequestHead(method: "GET", target: "/?q", headers: ["Host": "a"], targetAuthority: "h")),
  .init(
    "asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    RequestHead(method: "OPTIONS", target: "*", headers: ["Host": "a"])),
  .init(
    "asterisk form, absolute", "OPTIONS http://h HTTP/1.1\r\nHost: a\r\n\r\n",
    RequestHead(method: "OPTIONS", target: "*", headers: ["Host": "a"], targetAuthority: "h")),
  .init(
    "Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    post(["Host": "a", "Content-Length": "5"]), body: "hello"),
  .init(
    "Content-Length 0", "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
    post(["Host": "a", "content-length": "0"])),
  .init(
    "Content-Length with zeros before", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\n\r\n\n",
    post(["Host": "a", "Content-Length": "003"]), body: "\r\n\n"),
  .init(
    "Expect", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
    post(["Host": "a", "Expect": "100-Continue", "Content-Length": "1"]), body: "x"),
  .init(
    "Expect in HTTP/1.0 is ignored", "POST / HTTP/1.0\r\nExpect: tea\r\n\r\n",
    RequestHead(method: "POST", target: "/", minorVersion: 0, headers: ["Expect": "tea"])),
  .init(
    "chunked", chunkedHead + "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n", post(chunkedFields),
    body: "hello0123456789"),
  .init("chunked, empty", chunkedHead + "000\r\n\r\n", post(chunkedFields)),
  .init(
    "chunked, upper case",
    chunkedHead.replacing("chunked", with: "CHUNKED") + "b\r\nhello world\r\n0\r\n\r\n",
    post(["Host": "a", "Transfer-Encoding": "CHUNKED"]), body: "hello world"),
  .init(
    "chunk extensions",
    chunkedHead + "1;a\r\nx\r\n1 ; b = c;d=\"e;\\\" f\"\r\ny\r\n0;z\r\n\r\n", post(chunkedFields),
    body: "xy"),
  .init(
    "chunk data that looks like framing", chunkedHead + "7\r\n0\r\n\r\nab\r\n0\r\n\r\n",
    post(chunkedFields), body: "0\r\n\r\nab"),
  .init(
    "trailers are dropped", chunkedHead + "1\r\nx\r\n0\r\nHost: b\r\nContent-Length: 9\r\n\r\n",
    post(chunkedFields), body: "x"),
]

extension String {
  fileprivate func replacing(_ part: String, with other: String) -> String {
    split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
}

@Suite struct RequestParserAcceptedTests {
  @Test(arguments: acceptedRequests)
  func threeFeeds(_ accepted: AcceptedRequest) {
    expectThreeFeeds(Array(accepted.text.utf8), giving: accepted.steps, trailing: trailingBytes) {
      readRequests($0)
    }
  }

  /// All of them in one connection, cut at random, with the body of one next to the head of another.
  @Test func pipelinedInRandomPieces() {
    let bytes = acceptedRequests.flatMap { Array($0.text.utf8) }
    let steps = acceptedRequests.flatMap(\.steps)
    expectThreeFeeds(bytes, giving: steps, trailing: trailingBytes) { readRequests($0) }
    expectRandomFeeds(bytes, giving: steps, seeds: 0..<100, longest: 40) { readRequests($0) }
  }

  @Test(arguments: [
    "a", "a.example", "a:80", "a:", "127.0.0.1:65535", "[::1]", "[::ffff:1.2.3.4]:8080", "x_y~-z", "a%2Db",
  ])
  func validHosts(_ host: String) {
    let text = "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n"
    let head = get("/", ["Host": host])
    #expect(readRequests([Array(text.utf8)]) == [.request(head), .end])
    #expect(head.host == host)
  }

  /// RFC 9110 §5.5: opaque. UTF-8 is not read as what it may mean, and what is not UTF-8 is passed on too.
  @Test(arguments: [Array("é".utf8), [0xFF, 0x80]]) func valuesThatAreNotASCII(_ value: [UInt8]) throws {
    let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nA: ".utf8) + value + Array("\r\n\r\n".utf8)
    let steps = readRequests([bytes])
    guard case .request(let head) = try #require(steps.first) else { return #expect(Bool(false), "\(steps)") }
    #expect(steps.count == 2)
    #expect(head.headers.first("A") == "\u{FFFD}\u{FFFD}")
    #expect(head.headers.pairs.last?.value == "\u{FFFD}\u{FFFD}")
    var written: [UInt8] = []
    try RequestEncoder.encode(head, into: &written)
    #expect(written == bytes)
    expectThreeFeeds(bytes, giving: steps, trailing: trailingBytes) { readRequests($0) }
  }
}
