import Testing

@testable import Upstream

struct HTTPURLTests {
  struct Good: Sendable {
    var text: String
    var host: String
    var port: UInt16
    var target: String
    var authority: String
  }

  @Test(arguments: [
    Good(text: "http://a", host: "a", port: 80, target: "/", authority: "a"),
    Good(text: "HTTPS://A.Example", host: "a.example", port: 443, target: "/", authority: "a.example"),
    Good(text: "http://a:8545/", host: "a", port: 8_545, target: "/", authority: "a:8545"),
    Good(text: "https://a:443/x", host: "a", port: 443, target: "/x", authority: "a"),
    Good(text: "https://a:80/x", host: "a", port: 80, target: "/x", authority: "a:80"),
    Good(text: "http://a?q=1", host: "a", port: 80, target: "/?q=1", authority: "a"),
    Good(
      text: "http://a/p/q?x=%20&y=a@b:c/d?e", host: "a", port: 80, target: "/p/q?x=%20&y=a@b:c/d?e",
      authority: "a"),
    Good(text: "http://127.0.0.1:1", host: "127.0.0.1", port: 1, target: "/", authority: "127.0.0.1:1"),
    Good(text: "http://[::1]:65535/v", host: "::1", port: 65_535, target: "/v", authority: "[::1]:65535"),
    Good(
      text: "http://[2001:DB8:0::1]", host: "2001:db8::1", port: 80, target: "/", authority: "[2001:db8::1]"),
    Good(text: "http://x_y.a-b.c1/", host: "x_y.a-b.c1", port: 80, target: "/", authority: "x_y.a-b.c1"),
    Good(
      text: "http://xn--mnchen-3ya.de", host: "xn--mnchen-3ya.de", port: 80, target: "/",
      authority: "xn--mnchen-3ya.de"),
  ])
  func parses(_ good: Good) throws {
    let url = try HTTPURL(good.text)
    #expect(url.host == good.host)
    #expect(url.port == good.port)
    #expect(url.target == good.target)
    #expect(url.authority == good.authority)
    #expect(try HTTPURL(url.description) == url)
  }

  @Test(arguments: [
    ("", HTTPURLError.unsupportedScheme), ("a", .unsupportedScheme), ("ftp://a", .unsupportedScheme),
    ("http:/a", .unsupportedScheme), ("http:a", .unsupportedScheme), ("//a", .unsupportedScheme),
    ("httpss://a", .unsupportedScheme), ("ws://a", .unsupportedScheme),
    ("http://", .missingHost), ("http:///x", .missingHost), ("http://:80", .missingHost),
    ("http://?a", .missingHost),
    ("http://u@a", .userInformation), ("http://u:p@a/", .userInformation), ("http://@a", .userInformation),
    ("http://a b", .forbiddenCharacter), (" http://a", .forbiddenCharacter),
    ("http://a ", .forbiddenCharacter),
    ("http://a\\b", .forbiddenCharacter), ("http://a/\r\nX: y", .forbiddenCharacter),
    ("http://a/\u{0}", .forbiddenCharacter), ("http://münchen.de", .forbiddenCharacter),
    ("http://a/ü", .forbiddenCharacter), ("http://a/\u{7f}", .forbiddenCharacter),
    ("http://a..b", .malformedHost), ("http://.a", .malformedHost), ("http://a.", .malformedHost),
    ("http://-a", .malformedHost), ("http://a-", .malformedHost), ("http://a%41", .malformedHost),
    ("http://a,b", .malformedHost), ("http://a]", .malformedHost),
    ("http://" + String(repeating: "a", count: 64), .malformedHost),
    ("http://" + String(repeating: "a.", count: 127) + "ab", .malformedHost),
    ("http://127.1", .malformedIPv4Address), ("http://1.2.3.4.5", .malformedIPv4Address),
    ("http://256.0.0.1", .malformedIPv4Address), ("http://1.2.3.04", .malformedIPv4Address),
    ("http://2130706433", .malformedIPv4Address), ("http://0x7f.0.0.0x1", .malformedIPv4Address),
    ("http://0x7f000001", .malformedIPv4Address), ("http://a.1", .malformedIPv4Address),
    ("http://[::1", .malformedIPv6Address), ("http://[]", .malformedIPv6Address),
    ("http://[1.2.3.4]", .malformedIPv6Address), ("http://[a]", .malformedIPv6Address),
    ("http://[fe80::1%25eth0]", .malformedIPv6Address), ("http://[:::]", .malformedIPv6Address),
    ("http://a:", .malformedPort), ("http://a:0", .malformedPort), ("http://a:65536", .malformedPort),
    ("http://a:-1", .malformedPort), ("http://a:+1", .malformedPort), ("http://a:8x", .malformedPort),
    ("http://a:80:80", .malformedPort), ("http://[::1]x", .malformedPort), ("http://[::1]:", .malformedPort),
    ("http://a:99999999999999999999", .malformedPort), ("http://::1", .malformedPort),
    ("http://a/%", .malformedPercentEncoding), ("http://a/%4", .malformedPercentEncoding),
    ("http://a/%4g", .malformedPercentEncoding), ("http://a/?%zz", .malformedPercentEncoding),
    ("http://a/#x", .fragment), ("http://a#x", .fragment), ("http://a?b#", .fragment),
  ])
  func refuses(_ text: String, _ error: HTTPURLError) {
    #expect(throws: error) { try HTTPURL(text) }
  }

  @Test(arguments: [
    ("http://a", "/x", "/x"), ("http://a/", "x", "/x"), ("http://a/v3", "/x", "/v3/x"),
    ("http://a/v3/", "/x?y=1", "/v3/x?y=1"), ("http://a/v3?k=1", "/x?y=1", "/v3/x?k=1&y=1"),
    ("http://a/v3?k=1", "/x", "/v3/x?k=1"), ("http://a/v3", "?y=1", "/v3?y=1"), ("http://a/v3/", "", "/v3/"),
  ])
  func appends(_ base: String, _ suffix: String, _ target: String) throws {
    #expect(try HTTPURL(base).appending(suffix).target == target)
  }

  @Test(arguments: ["/a b", "/ü", "/a#b", "/%4", "/\r\n"])
  func refusesToAppend(_ suffix: String) throws {
    let url = try HTTPURL("http://a")
    #expect(throws: HTTPURLError.self) { try url.appending(suffix) }
  }

  @Test func originLeavesOutWhatMayBeSecret() throws {
    #expect(try HTTPURL("https://a:8443/v2/KEY?token=x").origin == "https://a:8443")
  }
}
