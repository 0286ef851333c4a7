/// An absolute `http:` or `https:` URL (RFC 9110 §4.2), strict: what could be read in two ways is refused.
///
/// It is made of visible ASCII: names in other scripts come as punycode, other bytes percent-encoded. The
/// host is a DNS name, an IPv4 address in four decimal parts, or an IPv6 address in brackets. User names and
/// passwords are refused (RFC 9110 §4.2.4), and so are fragments, which never go to a server.
public struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
  public enum Scheme: String, Hashable, Sendable {
    case http, https

    public var defaultPort: UInt16 { self == .http ? 80 : 443 }
  }

  public let scheme: Scheme
  /// In lower case, and without the brackets of an IPv6 address.
  public let host: String
  public let port: UInt16
  /// Path and query as they go into the request line: begins with `/`.
  public let target: String

  /// Parses `text`, all of it.
  public init(_ text: String) throws(HTTPURLError) {
    var parser = URLParser(text)
    self = try parser.parse()
  }

  init(scheme: Scheme, host: String, port: UInt16, target: String) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.target = target
  }

  /// Host and port as in a Host header: the port only where it is not the scheme's own (RFC 9110 §7.2).
  public var authority: String {
    let host = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    return port == scheme.defaultPort ? host : "\(host):\(port)"
  }

  /// The same with the port in any case.
  var authorityWithPort: String { port == scheme.defaultPort ? "\(authority):\(port)" : authority }

  public var description: String { "\(scheme.rawValue)://\(authority)\(target)" }

  /// The URL without path and query, which may hold an API key: fit for logs and metrics.
  public var origin: String { "\(scheme.rawValue)://\(authority)" }

  /// This URL with `suffix` (a path, a query, or both, percent-encoded) behind its path: `https://a/api/v3`
  /// and `/price?ids=x` make `https://a/api/v3/price?ids=x`.
  ///
  /// A query of this URL stays in front of the suffix's own.
  public func appending(_ suffix: String) throws(HTTPURLError) -> HTTPURL {
    try URLParser.checkTarget(suffix.utf8)
    let (path, query) = Self.split(target)
    let (addedPath, addedQuery) = Self.split(suffix)
    var joined = path
    if !addedPath.isEmpty {
      if joined.last == "/" { joined = joined.dropLast() }
      joined += (addedPath.first == "/" ? "" : "/") + addedPath
    }
    let queries = [query, addedQuery].compactMap { $0 }.filter { !$0.isEmpty }
    let target = String(joined) + (queries.isEmpty ? "" : "?" + queries.joined(separator: "&"))
    return HTTPURL(scheme: scheme, host: host, port: port, target: target)
  }

  private static func split(_ target: String) -> (path: Substring, query: Substring?) {
    // By bytes: finding characters in kilobytes of address takes longer than all that is done with the answer.
    guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (target[...], nil) }
    return (target[..<mark], target[target.utf8.index(after: mark)...])
  }
}

/// What is wrong with the text of a URL.
public enum HTTPURLError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It does not begin with `http://` or `https://`.
  case unsupportedScheme
  /// It does not begin with `ws://` or `wss://`.
  case notWebSocket
  /// A blank, a control character, a backslash, or anything that is not ASCII.
  case forbiddenCharacter
  /// A user name or password in front of the host.
  case userInformation
  case missingHost
  /// Not a DNS name: an empty or too long label, or a character that no name has.
  case malformedHost
  /// Looks like an IPv4 address and is none, in four decimal parts without leading zeros.
  case malformedIPv4Address
  case malformedIPv6Address
  /// Not 1…65535 in decimal digits.
  case malformedPort
  /// A `%` without two hexadecimal digits behind it.
  case malformedPercentEncoding
  /// A `#`.
  case fragment

  public var description: String {
    switch self {
    case .unsupportedScheme: "the URL does not begin with http:// or https://"
    case .notWebSocket: "the URL does not begin with ws:// or wss://"
    case .forbiddenCharacter: "the URL holds a blank, a backslash, or a character that is not visible ASCII"
    case .userInformation: "the URL holds a user name or password; send an Authorization header instead"
    case .missingHost: "the URL has no host"
    case .malformedHost: "the URL's host is not a DNS name"
    case .malformedIPv4Address: "the URL's host looks like an IPv4 address but is not four decimal parts"
    case .malformedIPv6Address: "the URL's host is not an IPv6 address in brackets"
    case .malformedPort: "the URL's port is not a number from 1 to 65535"
    case .malformedPercentEncoding: "a \"%\" in the URL is not followed by two hexadecimal digits"
    case .fragment: "the URL holds a \"#\": a fragment is never sent to a server"
    }
  }
}
