import HTTP1
import TestSupport
import Testing

private func encoded(_ head: RequestHead) throws -> String {
  var output: [UInt8] = []
  try RequestEncoder.encode(head, into: &output)
  return String(decoding: output, as: UTF8.self)
}

@Suite struct EncoderTests {
  @Test func requestBytes() throws {
    let head = RequestHead(method: "POST", target: "/a?b", headers: ["Host": "h", "A": ""])
    #expect(try encoded(head) == "POST /a?b HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n")
    var output = Array("before".utf8)
    try RequestEncoder.encode(head, body: Array("hi".utf8), into: &output)
    let text = "beforePOST /a?b HTTP/1.1\r\nHost: h\r\nA: \r\nContent-Length: 2\r\n\r\nhi"
    #expect(String(decoding: output, as: UTF8.self) == text)
  }

  @Test(arguments: [
    (ResponseHead(status: 200), "hi", false, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
    (ResponseHead(status: 200), "hi", true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
    (ResponseHead(status: 404), "", false, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    (ResponseHead(status: 204), "", false, "HTTP/1.1 204 No Content\r\n\r\n"),
    (ResponseHead(status: 599, minorVersion: 0), "", false, "HTTP/1.0 599 \r\nContent-Length: 0\r\n\r\n"),
    (
      ResponseHead(status: 200, reason: "Fine", headers: ["A": "b"]), "x", false,
      "HTTP/1.1 200 Fine\r\nA: b\r\nContent-Length: 1\r\n\r\nx"
    ),
  ])
  func responseBytes(_ head: ResponseHead, _ body: String, _ answersHead: Bool, _ text: String) throws {
    var output: [UInt8] = []
    try ResponseEncoder.encode(head, body: body.utf8, answersHead: answersHead, into: &output)
    #expect(String(decoding: output, as: UTF8.self) == text)
  }

  @Test(
    arguments: [
      (RequestHead(method: "G T", target: "/"), .malformedMethod),
      (RequestHead(method: "", target: "/"), .malformedMethod),
      (RequestHead(method: "GET", target: ""), .malformedTarget),
      (RequestHead(method: "GET", target: "/a b"), .malformedTarget),
      (RequestHead(method: "GET", target: "/\r\n"), .malformedTarget),
      (RequestHead(method: "GET", target: "/é"), .malformedTarget),
      (RequestHead(method: "GET", target: "/#"), .malformedTarget),
      (RequestHead(method: "GET", target: "/", minorVersion: 2), .unsupportedVersion),
      (RequestHead(method: "GET", target: "/"), .missingHost),
      (RequestHead(method: "GET", target: "/", headers: ["Host": "a", "host": "b"]), .missingHost),
    ] as [(RequestHead, HTTPLocalError)])
  func refusedRequests(_ head: RequestHead, _ error: HTTPLocalError) {
    var output: [UInt8] = [1]
    #expect(throws: error) { try RequestEncoder.encode(head, into: &output) }
    #expect(throws: error) { try RequestEncoder.encode(head, body: [], into: &output) }
    #expect(output == [1])
  }

  @Test(
    arguments: [
      ("", "b", .malformedFieldName), ("A B", "b", .malformedFieldName), ("A:", "b", .malformedFieldName),
      ("A\r\n", "b", .malformedFieldName), ("É", "b", .malformedFieldName),
      ("A", "b\r\nC: d", .malformedFieldValue), ("A", "\n", .malformedFieldValue),
      ("A", "\r", .malformedFieldValue), ("A", "\0", .malformedFieldValue),
      ("A", "\u{1B}", .malformedFieldValue),
    ] as [(String, String, HTTPLocalError)])
  func refusedFields(_ name: String, _ value: String, _ error: HTTPLocalError) {
    var headers: HTTPHeaders = ["Host": "a"]
    headers.append(name, value)
    var output: [UInt8] = [1]
    let request = RequestHead(method: "GET", target: "/", headers: headers)
    #expect(throws: error) { try RequestEncoder.encode(request, into: &output) }
    let response = ResponseHead(status: 200, headers: headers)
    #expect(throws: error) { try ResponseEncoder.encode(response, into: &output) }
    #expect(throws: error) { try ResponseEncoder.encode(response, body: [0], into: &output) }
    #expect(output == [1])
  }

  @Test(
    arguments: [
      (ResponseHead(status: 99), .malformedStatus), (ResponseHead(status: 1000), .malformedStatus),
      (ResponseHead(status: 200, reason: "a\r\n"), .malformedReason),
      (ResponseHead(status: 200, minorVersion: -1), .unsupportedVersion),
      (ResponseHead(status: 204), .conflictingLength), (ResponseHead(status: 304), .conflictingLength),
      (ResponseHead(status: 101), .conflictingLength),
      (ResponseHead(status: 200, headers: ["content-length": "1"]), .conflictingLength),
      (ResponseHead(status: 200, headers: ["transfer-encoding": "chunked"]), .conflictingLength),
    ] as [(ResponseHead, HTTPLocalError)])
  func refusedResponses(_ head: ResponseHead, _ error: HTTPLocalError) {
    var output: [UInt8] = [1]
    #expect(throws: error) { try ResponseEncoder.encode(head, body: [0], into: &output) }
    #expect(output == [1])
  }

  @Test func requestWithALengthOfItsOwn() {
    let head = RequestHead(method: "POST", target: "/", headers: ["Host": "a", "Content-Length": "1"])
    var output: [UInt8] = []
    #expect(throws: HTTPLocalError.conflictingLength) {
      try RequestEncoder.encode(head, body: [0], into: &output)
    }
    #expect(output.isEmpty)
  }
}

/// What the encoders write, the parsers read back.
@Suite struct RoundTripTests {
  private static let tokens = Array("abcXYZ019-!#$%&'*+.^_`|~")
  private static let values = Array("abc XYZ\t09,;=\"~:/")

  private static func text(_ alphabet: [Character], _ count: Int, _ generator: inout SeededGenerator)
    -> String
  {
    String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
  }

  private static func headers(_ generator: inout SeededGenerator) -> HTTPHeaders {
    var headers: HTTPHeaders = [:]
    for index in 0..<Int.random(in: 0...8, using: &generator) {
      let name = text(tokens, Int.random(in: 1...12, using: &generator), &generator)
      // A mark at both ends, because blanks there are not part of a value.
      let value = "<" + text(values, Int.random(in: 0...30, using: &generator), &generator) + ">"
      headers.append("X-\(index)-" + name, value)
    }
    return headers
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func requests(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var bytes: [UInt8] = []
    var expected: [Step] = []
    for _ in 0..<5 {
      var head = RequestHead(
        method: Self.text(Self.tokens, Int.random(in: 1...32, using: &generator), &generator),
        target: "/" + Self.text(Self.tokens.filter { $0 != "#" }, 20, &generator),
        minorVersion: Int.random(in: 0...1, using: &generator), headers: Self.headers(&generator))
      head.headers.append("Host", "a.example")
      let body = Self.text(Self.values, Int.random(in: 0...200, using: &generator), &generator)
      try RequestEncoder.encode(head, body: body.utf8, into: &bytes)
      head.headers.append("Content-Length", String(body.utf8.count))
      expected += [.request(head)] + (body.isEmpty ? [] : [.body(body)]) + [.end]
    }
    // One-byte pieces would cut letters of the body in two, so only ASCII comes back letter by letter.
    let ascii = bytes.allSatisfy { $0 < 0x80 }
    #expect(readRequests([bytes]) == expected)
    if ascii {
      expectRandomFeeds(bytes, giving: expected, seeds: seed..<seed + 5, longest: 30) { readRequests($0) }
    }
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func chunkedResponses(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var headers = Self.headers(&generator)
    headers.append("Transfer-Encoding", "chunked")
    let head = ResponseHead(status: 200, headers: headers)
    var bytes: [UInt8] = []
    var body = ""
    try ResponseEncoder.encode(head, into: &bytes)
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let piece = Self.text(Self.tokens, Int.random(in: 0...300, using: &generator), &generator)
      ChunkedEncoding.append(piece.utf8, into: &bytes)
      body += piece
    }
    ChunkedEncoding.end(into: &bytes)
    let steps: [Step] = [.response(head)] + (body.isEmpty ? [] : [.body(body)]) + [.end]
    let expected = ResponseTranscript(steps: steps, isReusable: true)
    expectThreeFeeds(bytes, giving: expected, trailing: []) { readResponse($0) }
    expectRandomFeeds(bytes, giving: expected, seeds: seed..<seed + 5, longest: 60) { readResponse($0) }
  }
}
