import Upstream

/// Where a web page comes from: scheme, host and port (RFC 6454 §4), in one spelling.
struct WebOrigin: Hashable, Sendable {
  /// In lower case.
  let scheme: String
  /// Of `http` and `https`: a name in lower case, or an address as the standards spell it, in brackets if it is IPv6.
  let host: String
  /// nil: the scheme's own.
  let port: UInt16?

  /// An origin as browsers send it (RFC 6454 §6.2): `https://app.example:8443`, with nothing behind it. `null`, the
  /// origin of pages that hide theirs, is none.
  init(_ text: String) throws(HTTPURLError) {
    guard let separator = text.firstRange(of: "://") else { throw .unsupportedScheme }
    scheme = text[..<separator.lowerBound].lowercased()
    let authority = text[separator.upperBound...]
    guard !authority.isEmpty else { throw .missingHost }
    guard !authority.contains(where: { "/?# ,\\".contains($0) }) else { throw .forbiddenCharacter }
    guard scheme == "http" || scheme == "https" else {
      // Pages of browser extensions have schemes of their own.
      host = authority.lowercased()
      port = nil
      return
    }
    let url = try HTTPURL(scheme + "://" + authority)
    host = url.host.utf8.contains(UInt8(ascii: ":")) ? "[\(url.host)]" : url.host
    port = url.port == url.scheme.defaultPort ? nil : url.port
  }

  /// Where a page of `host` (a Host header) would come from.
  init?(scheme: String, host: String) {
    try? self.init("\(scheme)://\(host)")
  }

  /// Whether nobody else's name can be made to lead here (DNS rebinding): an address has no name, `localhost` is not
  /// looked up, and over TLS the certificate tells.
  var isUnmistakable: Bool {
    if scheme == "https" || host == "localhost" || host.hasPrefix("[") { return true }
    return AddressRange.parse(address: host) != nil
  }
}
