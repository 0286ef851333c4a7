import HTTP1
import Testing

private func head(_ target: String) -> RequestHead { RequestHead(method: "GET", target: target) }

@Suite struct RequestTargetTests {
  @Test(
    arguments: [
      ("/", "/", nil), ("/a/b", "/a/b", nil), ("/a?", "/a", ""), ("/a?b=c?d", "/a", "b=c?d"), ("*", "*", nil),
    ] as [(String, String, String?)])
  func split(_ target: String, _ path: String, _ query: String?) {
    #expect(head(target).rawPath == path)
    #expect(head(target).rawQuery.map(String.init) == query)
  }

  @Test(
    arguments: [
      ("/", []), ("/a", ["a"]), ("/a/", ["a"]), ("//a///b/", ["a", "b"]), ("/./a/.", ["a"]),
      ("/a%20b+c", ["a b+c"]), ("/%C3%a9", ["é"]), ("/...", ["..."]), ("/%2e", []), ("/a?b/../c", ["a"]),
      ("/api/v1/wallets/ETH:0xd8", ["api", "v1", "wallets", "ETH:0xd8"]),
    ] as [(String, [String])])
  func segments(_ target: String, _ expected: [String]) throws {
    #expect(try head(target).pathSegments() == expected)
  }

  @Test(
    arguments: [
      ("/..", .parentSegment), ("/a/../b", .parentSegment), ("/%2e%2E/b", .parentSegment),
      ("/.%2e", .parentSegment), ("/a%2fb", .forbiddenCharacter), ("/a%5Cb", .forbiddenCharacter),
      ("/a\\..\\b", .forbiddenCharacter), ("/%00", .forbiddenCharacter), ("/%0d%0a", .forbiddenCharacter),
      ("/%7f", .forbiddenCharacter), ("/%", .malformedPercentEncoding), ("/%4", .malformedPercentEncoding),
      ("/%zz", .malformedPercentEncoding), ("/%+1", .malformedPercentEncoding), ("/%ff", .invalidUTF8),
      ("/%c0%ae%c0%ae", .invalidUTF8), ("/%ed%a0%80", .invalidUTF8), ("/%25%32", nil),
    ] as [(String, RequestTargetError?)])
  func refusedSegments(_ target: String, _ error: RequestTargetError?) throws {
    if let error {
      #expect(throws: error) { try head(target).pathSegments() }
      #expect(error.explanation.hasSuffix("."))
    } else {
      #expect(try head(target).pathSegments() == ["%2"])
    }
  }

  @Test(
    arguments: [
      ("/", []), ("/?", []), ("/?a", [("a", "")]), ("/?a=b", [("a", "b")]), ("/?=b", [("", "b")]),
      ("/?a=b=c", [("a", "b=c")]), ("/?&a=1&&b=2&", [("a", "1"), ("b", "2")]),
      ("/?wallet=ETH:0x1&wallet=BSC%3A0x2", [("wallet", "ETH:0x1"), ("wallet", "BSC:0x2")]),
      ("/?a+b=c+d%2B%26", [("a b", "c d+&")]), ("/?q=%E2%82%AC", [("q", "€")]),
    ] as [(String, [(String, String)])])
  func query(_ target: String, _ expected: [(String, String)]) throws {
    #expect(try head(target).queryItems() == expected.map { QueryItem(name: $0.0, value: $0.1) })
  }

  @Test(
    arguments: [
      ("/?a=%", .malformedPercentEncoding), ("/?%g0=a", .malformedPercentEncoding), ("/?a=%80", .invalidUTF8),
    ] as [(String, RequestTargetError)])
  func refusedQuery(_ target: String, _ error: RequestTargetError) {
    #expect(throws: error) { try head(target).queryItems() }
  }

  @Test(arguments: ["", "a-Z_0.9~", "a b+c/d?e&f=g%", "é€😀", "\r\n\0"])
  func percentEncodingRoundTrip(_ text: String) throws {
    let encoded = PercentEncoding.encode(text)
    #expect(try PercentEncoding.decode(encoded.utf8.span, plusIsSpace: true) == text)
    let target = "/?" + encoded + "=" + encoded
    #expect(target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
  }

  @Test func encodedBytes() {
    #expect(PercentEncoding.encode("a b/é") == "a%20b%2F%C3%A9")
  }
}
