import Testing

@testable import Server

@Suite struct OriginPolicyTests {
  @Test(
    "without a list: pages of our own, known by the request's Host",
    arguments: [
      (nil, "a.example", true), ("http://a.example", "a.example", true),
      // A proxy in front may have taken TLS off.
      ("https://a.example", "a.example", true), ("HTTP://A.example", "a.EXAMPLE", true),
      ("http://a.example:8080", "a.example:8080", true), ("http://a.example:8081", "a.example:8080", false),
      ("http://a.example", "a.example:8080", false), ("http://a.example:8080", "a.example", false),
      // The scheme's own port may be said or left out.
      ("http://a.example:80", "a.example", true), ("http://a.example", "a.example:80", true),
      ("https://a.example", "a.example:443", true), ("https://a.example:443", "a.example", true),
      ("http://a.example", "a.example:443", false), ("https://a.example:80", "a.example", false),
      ("http://a.example:080", "a.example", true), ("http://a.example:0", "a.example", false),
      ("http://a.example:", "a.example", false), ("http://a.example:65616", "a.example", false),
      ("http://b.example", "a.example", false), ("http://x.a.example", "a.example", false),
      ("http://example", "a.example", false), ("http://a.example.", "a.example", false),
      ("http://a.example", "a.example.", false), ("http://a.example.evil.example", "a.example", false),
      ("http://evil.example/a.example", "a.example", false),
      ("http://evil.example#a.example", "a.example", false),
      ("http://a.example@evil.example", "a.example", false),
      ("http://evil.example\\a.example", "a.example", false),
      ("http://a.example/", "a.example", false), ("http://a.example?", "a.example", false),
      ("http://a.example http://evil.example", "a.example", false),
      ("http://evil.example, http://a.example", "a.example", false),
      (" http://a.example", "a.example", false),
      ("http://a.example\u{0}", "a.example", false), ("http://", "", false), ("http://", "a.example", false),
      ("//a.example", "a.example", false), ("a.example", "a.example", false),
      ("://a.example", "a.example", false),
      ("ftp://a.example", "a.example", false), ("chrome-extension://a.example", "a.example", false),
      ("null", "a.example", false), ("null", "null", false), ("", "a.example", false), ("", "", false),
      ("*", "a.example", false), ("http://*", "*", false),
      ("http://a.example", nil, false), ("http://a.example", "", false),
      ("http://a.example", "a.example, evil.example", false),
      ("http://127.0.0.1:8080", "127.0.0.1:8080", true), ("http://localhost:8080", "127.0.0.1:8080", false),
      ("http://127.1:8080", "127.0.0.1:8080", false), ("http://0x7f.0.0.1", "127.0.0.1", false),
      ("http://[::1]:8080", "[::1]:8080", true), ("http://[0:0::1]:8080", "[::1]:8080", true),
      ("http://[::1]", "[::1]:80", true), ("http://[::1]:8080", "[::2]:8080", false),
      ("http://::1", "::1", false), ("http://[::1", "[::1", false),
      ("http://[FE80::1]", "[fe80::1]", true),
    ] as [(String?, String?, Bool)])
  func own(_ origin: String?, _ host: String?, _ isAllowed: Bool) {
    #expect(OriginPolicy(allowed: [], isSecure: false).allows(origin, host: host) == isAllowed)
  }

  @Test(
    "where TLS ends here, a page that came without it is not ours",
    arguments: [
      ("https://a.example", "a.example", true), ("http://a.example", "a.example", false),
      ("https://a.example:8443", "a.example:8443", true), ("http://a.example:8443", "a.example:8443", false),
      ("http://a.example:443", "a.example:443", false), (nil, "a.example", true),
    ] as [(String?, String?, Bool)])
  func secure(_ origin: String?, _ host: String?, _ isAllowed: Bool) {
    #expect(OriginPolicy(allowed: [], isSecure: true).allows(origin, host: host) == isAllowed)
  }

  static let list = ["https://app.example", "http://b.example:8080", "http://[::2]", "app-extension://abc"]

  @Test(
    "with a list: those named, and our own page where no other's name can lead here",
    arguments: [
      ("https://app.example", "a.example", true), ("https://APP.example", nil, true),
      ("https://app.example:443", "a.example", true), ("http://app.example", "a.example", false),
      ("https://app.example:8443", "a.example", false), ("https://app.example.", "a.example", false),
      ("https://app.example.evil.example", "a.example", false),
      ("https://evil-app.example", "a.example", false),
      ("https://app.example@evil.example", "a.example", false), ("https://app.example/", "a.example", false),
      ("https://sub.app.example", "a.example", false), ("http://b.example:8080", "a.example", true),
      ("http://b.example", "a.example", false), ("http://[0:0::2]:80", "a.example", true),
      ("app-extension://abc", "a.example", true), ("app-extension://abcd", "a.example", false),
      ("null", "a.example", false), (nil, "a.example", true), ("", "a.example", false), ("*", "*", false),
      // Our own: over TLS, by address, on this machine.
      ("https://a.example", "a.example", true), ("http://127.0.0.1:8080", "127.0.0.1:8080", true),
      ("http://[::1]:8080", "[::1]:8080", true), ("http://localhost:8080", "localhost:8080", true),
      // A name over plain HTTP may be anybody's (DNS rebinding): it has to be named.
      ("http://a.example", "a.example", false), ("http://evil.example:8080", "evil.example:8080", false),
      ("http://localhost.evil.example", "localhost.evil.example", false),
    ] as [(String?, String?, Bool)])
  func listed(_ origin: String?, _ host: String?, _ isAllowed: Bool) {
    let policy = OriginPolicy(allowed: Self.list, isSecure: false)
    #expect(policy.allows(origin, host: host) == isAllowed)
    if policy.isListed(origin ?? "") { #expect(isAllowed) }
  }

  @Test("all pages", arguments: ["https://any.example", "null", "", "x"])
  func all(_ origin: String) {
    #expect(OriginPolicy(allowed: ["*"], isSecure: true).allows(origin, host: nil))
    #expect(OriginPolicy(allowed: ["https://a.example", "*"], isSecure: true).isListed(origin))
  }
}
