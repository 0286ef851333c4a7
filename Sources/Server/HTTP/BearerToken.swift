import HTTP1

/// Where a request carries its access token. Never in the address: addresses end up in logs and histories.
enum BearerToken {
  private static let subprotocolPrefix = "bearer."

  /// RFC 6750 §2.1: `Authorization: Bearer TOKEN`, the scheme in any letter case (RFC 9110 §11.1). Other schemes are
  /// somebody else's, such as a proxy's.
  static func all(in headers: HTTPHeaders) -> [String] {
    headers.all("Authorization").compactMap { value in
      let scheme = value.prefix { $0 != " " }
      guard scheme.lowercased() == "bearer" else { return nil }
      return String(value.dropFirst(scheme.count).drop { $0 == " " })
    }
  }

  /// Browsers can't set headers of a WebSocket, but they offer sub-protocols: `bearer.TOKEN` among them.
  static func all(inSubprotocols offered: [String]) -> [String] {
    offered.filter { $0.hasPrefix(subprotocolPrefix) }.map { String($0.dropFirst(subprotocolPrefix.count)) }
  }
}
