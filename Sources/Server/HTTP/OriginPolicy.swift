/// Which web pages may use the server (RFC 6454). A request without `Origin` comes from no page and is allowed.
struct OriginPolicy: Sendable {
  let allowed: Set<String>

  init(allowed: [String]) { self.allowed = Set(allowed.map { $0.lowercased() }) }

  /// Listed in the settings.
  func isListed(_ origin: String) -> Bool { allowed.contains(origin.lowercased()) || allowed.contains("*") }

  /// - Parameter host: the request's `Host`, to tell a page of our own.
  func allows(_ origin: String?, host: String?) -> Bool {
    guard let origin else { return true }
    if isListed(origin) { return true }
    guard allowed.isEmpty, let host else { return false }
    // Same origin: scheme apart, since a proxy may have taken TLS off.
    let lower = origin.lowercased()
    return lower == "http://\(host.lowercased())" || lower == "https://\(host.lowercased())"
  }
}
