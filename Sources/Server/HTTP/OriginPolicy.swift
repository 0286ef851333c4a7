/// Which web pages may use the server (RFC 6454). A request without `Origin` comes from no page and is allowed.
struct OriginPolicy: Sendable {
  private let listed: Set<WebOrigin>
  private let allowsAll: Bool
  /// Whether TLS ends here.
  private let isSecure: Bool

  /// - Parameter allowed: origins, and perhaps `*`: all, `null` among them.
  init(allowed: [String], isSecure: Bool) {
    listed = Set(allowed.compactMap { try? WebOrigin($0) })
    allowsAll = allowed.contains("*")
    self.isSecure = isSecure
  }

  /// Whether the settings name it.
  func isListed(_ origin: String) -> Bool {
    if allowsAll { return true }
    guard let origin = try? WebOrigin(origin) else { return false }
    return listed.contains(origin)
  }

  /// - Parameter host: the request's `Host`, to tell a page of our own.
  func allows(_ origin: String?, host: String?) -> Bool {
    guard let origin else { return true }
    return isListed(origin) || isOwn(origin, host: host)
  }

  /// A page that this server, or a proxy in front of it, has served. Only the proxy knows whether that was over TLS;
  /// where TLS ends here, a page that came without it is not ours.
  ///
  /// With a list the own page stays welcome, unless a name of somebody else's may have been made to lead here.
  private func isOwn(_ text: String, host: String?) -> Bool {
    guard let host, let origin = try? WebOrigin(text), ["http", "https"].contains(origin.scheme),
      origin == WebOrigin(scheme: origin.scheme, host: host)
    else { return false }
    if isSecure, origin.scheme != "https" { return false }
    return (listed.isEmpty && !allowsAll) || origin.isUnmistakable
  }
}
