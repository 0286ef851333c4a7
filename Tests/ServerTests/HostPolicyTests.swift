import Testing

@testable import Server

@Suite struct HostPolicyTests {
  private func policy(_ configure: (inout Settings) -> Void = { _ in }) -> HostPolicy {
    var settings = Settings()
    configure(&settings)
    return HostPolicy(settings)
  }

  @Test(
    "on loopback, without tokens and TLS: names that can't be made to lead here",
    arguments: [
      ("localhost", true), ("localhost:8080", true), ("LocalHost:8080", true), ("localhost.", true),
      ("localhost.:8080", true), ("127.0.0.1", true), ("127.0.0.1:8080", true), ("127.0.0.1:9", true),
      ("127.8.9.1:8080", true), ("[::1]", true), ("[::1]:8080", true), ("[0:0:0:0:0:0:0:1]:8080", true),
      ("[::ffff:127.0.0.1]", true),
      // HTTP/1.0 without Host: no browser's.
      (nil, true),
      ("evil.example", false), ("evil.example:8080", false), ("localhost.evil.example", false),
      ("127.0.0.1.evil.example", false), ("evillocalhost", false), ("x.localhost", false),
      ("localhost..", false), ("127.1", false), ("0x7f.0.0.1", false), ("2130706433", false),
      ("0.0.0.0", false), ("192.0.2.1:8080", false), ("[2001:db8::1]", false), ("[::]", false),
      (":8080", false), ("", false), (".", false), ("*", false), ("a", false), ("[::1", false), ("[", false),
    ] as [(String?, Bool)])
  func byDefault(_ host: String?, _ isAllowed: Bool) {
    #expect(policy().allows(host) == isAllowed)
    // A browser on this machine comes from the trusted proxy's own address.
    #expect(
      policy { $0.http.trustedProxies = [AddressRange("127.0.0.1")].compactMap { $0 } }.allows(host)
        == isAllowed)
    #expect(policy { $0.http.host = "::1" }.allows(host) == isAllowed)
    #expect(policy { $0.http.host = "localhost" }.allows(host) == isAllowed)
    #expect(policy { $0.http.allowedOrigins = ["https://app.example"] }.allows(host) == isAllowed)
  }

  @Test("any name where something else stands in between, or nothing is to be kept out")
  func unchecked() {
    for host in ["evil.example", "evil.example:8080", "192.0.2.1", "localhost"] {
      #expect(policy { $0.auth = Settings.Auth(keys: "/jwks.json") }.allows(host))
      #expect(policy { $0.http.tls = Settings.TLS(certificate: "/c", key: "/k") }.allows(host))
      #expect(policy { $0.http.host = "0.0.0.0" }.allows(host))
      #expect(policy { $0.http.host = "192.0.2.7" }.allows(host))
      #expect(policy { $0.http.allowedOrigins = ["*"] }.allows(host))
      #expect(policy { $0.http.allowedHosts = ["a.example", "*"] }.allows(host))
    }
  }

  @Test(
    "with a list: those named, loopback and the address that is listened on; whatever else is set",
    arguments: [
      ("a.example", true), ("A.Example:8080", true), ("a.example.", true), ("a.example.:443", true),
      ("198.51.100.7:80", true), ("[2001:db8:0::7]:80", true), ("localhost:8080", true), ("127.0.0.1", true),
      ("[::1]", true), (nil, true),
      ("b.example", false), ("x.a.example", false), ("a.example.evil.example", false), ("xa.example", false),
      ("198.51.100.8", false), ("[2001:db8::8]", false), ("", false),
    ] as [(String?, Bool)])
  func listed(_ host: String?, _ isAllowed: Bool) {
    let listed = ["a.example", "198.51.100.7", "2001:db8::7"]
    #expect(policy { $0.http.allowedHosts = listed }.allows(host) == isAllowed)
    let guarded = policy {
      $0.http.allowedHosts = listed
      $0.http.host = "192.0.2.7"
      $0.http.allowedOrigins = ["*"]
      $0.auth = Settings.Auth(keys: "/jwks.json")
      $0.http.tls = Settings.TLS(certificate: "/c", key: "/k")
    }
    #expect(guarded.allows(host) == isAllowed)
    #expect(guarded.allows("192.0.2.7:8080"))
  }

  /// As health checks ask, which know no name.
  @Test("listening on every address, every address is ours", arguments: ["0.0.0.0", "::"])
  func boundToAll(_ host: String) {
    let policy = policy {
      $0.http.host = host
      $0.http.allowedHosts = ["a.example"]
    }
    #expect(policy.allows("10.1.2.3:8080"))
    #expect(policy.allows("[2001:db8::9]"))
    #expect(policy.allows("a.example"))
    #expect(!policy.allows("evil.example"))
  }
}
