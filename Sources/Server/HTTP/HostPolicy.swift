import EventLoop
import HTTP1

/// Under which names the server may be asked (the `Host` of RFC 9110 §7.2), against DNS rebinding: a name of somebody
/// else's is made to lead to this machine, and a page of that name becomes one of our own origin. Where no access
/// token and no certificate stand in between, a server on loopback is open to every page that its user looks at.
///
/// What a page can't choose is the name it came under. An `X-Forwarded-For` it can, so a trusted proxy on this machine
/// changes nothing here: its neighbour, the browser, comes from the same address.
struct HostPolicy: Sendable {
  /// Whether names matter at all.
  private let isChecked: Bool
  /// Whether they matter in requests that come from no browser too.
  private let isListed: Bool
  /// In lower case.
  private let names: Set<String>
  private let addresses: Set<SocketAddress>
  /// Bound to every address of the machine: any address literal is ours.
  private let isBoundToAll: Bool

  init(_ settings: Settings) {
    let http = settings.http
    let isOpen = settings.auth == nil && http.tls == nil && http.isOnLoopback
    // Where pages of all origins are welcome, a name keeps nobody out.
    let isByDefault = isOpen && http.allowedHosts.isEmpty && !http.allowedOrigins.contains("*")
    isListed = !http.allowedHosts.isEmpty && !http.allowedHosts.contains("*")
    isChecked = isByDefault || isListed
    let hosts = http.allowedHosts + [http.host]
    addresses = Set(hosts.compactMap { SocketAddress(host: $0, port: 0) })
    names = Set(hosts.filter { SocketAddress(host: $0, port: 0) == nil }.map(Self.name(of:)))
    isBoundToAll = ["0.0.0.0", "::"].contains(http.host)
  }

  /// Programs may ask for whatever name they like, unless names are listed: only browsers run strangers' pages.
  func allows(_ head: RequestHead) -> Bool {
    guard isChecked, isListed || Self.mayComeFromPage(head) else { return true }
    return allows(head.host)
  }

  /// Browsers send `Accept-Encoding` with whatever they ask for, and no page can take it away (Fetch §2.2.2,
  /// forbidden request-header); nor the `Origin` of a WebSocket's handshake.
  private static func mayComeFromPage(_ head: RequestHead) -> Bool {
    head.headers.contains("Accept-Encoding") || head.headers.contains("Origin")
  }

  /// - Parameter host: `host[:port]` of the request. nil: it came in HTTP/1.0 without any, and from no browser.
  func allows(_ host: String?) -> Bool {
    guard isChecked, let host else { return true }
    let name = Self.name(of: host)
    // An address has no name that could be made to lead here; `localhost` is not looked up.
    if let address = SocketAddress(host: name, port: 0) {
      return address.isLoopback || isBoundToAll || addresses.contains(address)
    }
    return names.contains(name)
  }

  /// The port does not count: whoever has the name has all its ports. Nor does case, or the root's dot behind a name
  /// (RFC 1034 §3.1).
  private static func name(of host: String) -> String {
    var name = host[...]
    if name.first == "[" {
      if let end = name.firstIndex(of: "]") { name = name[...end] }
    } else if let colon = name.firstIndex(of: ":") {
      name = name[..<colon]
    }
    if name.last == "." { name.removeLast() }
    return name.lowercased()
  }
}

extension Settings.HTTP {
  var isOnLoopback: Bool { SocketAddress(host: host, port: 0)?.isLoopback ?? false }
}
