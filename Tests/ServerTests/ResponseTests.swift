import HTTP1
import Testing

@testable import Server

@Suite struct ResponseTests {
  private func encode(_ response: Response, isHead: Bool = false, keepsAlive: Bool = true) -> String {
    String(
      decoding: Router.encode(response, isHead: isHead, keepsAlive: keepsAlive, unixSeconds: 1_795_342_860)
        .flatMap { $0 }, as: UTF8.self)
  }

  private static let date = "Date: Sun, 22 Nov 2026 10:21:00 GMT\r\n"

  @Test func json() {
    let head =
      "HTTP/1.1 404 Not Found\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n"
    let body = #"{"error":"a \"b\"","code":"not_found"}"#
    let whole = head + Self.date + "Content-Length: \(body.utf8.count)\r\n\r\n"
    #expect(encode(.notFound("a \"b\"")) == whole + body)
    #expect(encode(.notFound("a \"b\""), isHead: true) == whole)
  }

  @Test(arguments: [(204, "No Content"), (304, "Not Modified")])
  func answersWithoutBody(_ status: Int, _ reason: String) {
    #expect(encode(Response(status: status)) == "HTTP/1.1 \(status) \(reason)\r\n\(Self.date)\r\n")
  }

  @Test func lastAnswer() {
    #expect(
      encode(Response(status: 200, body: [65]), keepsAlive: false)
        == "HTTP/1.1 200 OK\r\n\(Self.date)Content-Length: 1\r\nConnection: close\r\n\r\nA")
  }

  @Test func methodNotAllowed() {
    #expect(encode(.methodNotAllowed("GET, PUT")).contains("\r\nAllow: GET, PUT\r\n"))
  }

  /// Nothing that is sent can begin a header of its own.
  @Test(arguments: ["a\r\nX: y", "a\nb", "nul\u{0}"])
  func headersThatCannotBeSent(_ value: String) {
    let text = encode(Response(status: 200, headers: [("ETag", value)], body: [65]))
    #expect(text.hasPrefix("HTTP/1.1 500 "))
    #expect(!text.contains("X: y"))
    #expect(text.hasSuffix("\r\n\r\n"))
  }

  @Test(
    arguments: [
      (nil, false), ("\"a\"", true), ("W/\"a\"", true), ("\"b\"", false), ("*", true),
      ("\"b\", W/\"a\"", true),
      ("\"b\",\"c\"", false), ("a", false), ("", false), (",,\"a\",", true), ("\"b\" ,\t\"a\"", true),
    ] as [(String?, Bool)])
  func ifNoneMatch(_ value: String?, _ isMatch: Bool) {
    let headers = HTTPHeaders(value.map { [("If-None-Match", $0)] } ?? [])
    #expect(headers.matches(etag: "W/\"a\"") == isMatch)
    #expect(headers.matches(etag: "\"a\"") == isMatch)
  }
}
