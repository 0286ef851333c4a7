import Testing

@testable import Server

@Suite struct OriginPolicyTests {
  @Test(
    arguments: [
      ([], nil, "a.example", true), ([], "http://a.example", "a.example", true),
      ([], "https://a.example", "a.example", true), ([], "HTTP://A.example", "a.EXAMPLE", true),
      ([], "http://a.example:8080", "a.example:8080", true),
      ([], "http://a.example:8081", "a.example:8080", false),
      ([], "http://b.example", "a.example", false), ([], "null", "a.example", false),
      ([], "", "a.example", false),
      ([], "http://a.example", nil, false), ([], "http://a.example.evil.example", "a.example", false),
      ([], "http://evil.example/a.example", "a.example", false), ([], "ftp://a.example", "a.example", false),
      (["https://app.example"], "https://app.example", "a.example", true),
      (["https://app.example"], "https://APP.example", nil, true),
      (["https://app.example"], "http://app.example", "a.example", false),
      (["https://app.example"], nil, "a.example", true), (["*"], "https://any.example", "a.example", true),
      (["*"], "null", nil, true),
    ] as [([String], String?, String?, Bool)])
  func decision(_ allowed: [String], _ origin: String?, _ host: String?, _ isAllowed: Bool) {
    #expect(OriginPolicy(allowed: allowed).allows(origin, host: host) == isAllowed)
  }
}
