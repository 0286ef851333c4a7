import EventLoop

/// Takes an ``HTTPURL`` apart. Works on bytes; an index never passes the end.
struct URLParser {
  private typealias Bytes = Substring.UTF8View

  private var rest: Substring

  init(_ text: String) { rest = text[...] }

  mutating func parse() throws(HTTPURLError) -> HTTPURL {
    // RFC 3986 §2: nothing else may stand in a URL, in any part of it.
    guard rest.utf8.allSatisfy(Self.isAllowed) else { throw .forbiddenCharacter }
    let scheme = try takeScheme()
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    let (host, port) = try Self.authority(rest[..<end])
    let target = rest[end...]
    try Self.checkTarget(target.utf8)
    // RFC 9112 §3.2.1: an empty path is sent as "/".
    let slash = target.first == "/" ? "" : "/"
    return HTTPURL(
      scheme: scheme, host: host, port: port ?? scheme.defaultPort, target: slash + target)
  }

  /// What may stand in a request line behind the host.
  static func checkTarget(_ bytes: some Sequence<UInt8>) throws(HTTPURLError) {
    var digitsOwed = 0
    for byte in bytes {
      guard isAllowed(byte) else { throw .forbiddenCharacter }
      guard byte != UInt8(ascii: "#") else { throw .fragment }
      if digitsOwed > 0 {
        guard isHexadecimal(byte) else { throw .malformedPercentEncoding }
        digitsOwed -= 1
      } else if byte == UInt8(ascii: "%") {
        digitsOwed = 2
      }
    }
    guard digitsOwed == 0 else { throw .malformedPercentEncoding }
  }

  /// RFC 3986 §3.1: schemes compare without case.
  private mutating func takeScheme() throws(HTTPURLError) -> HTTPURL.Scheme {
    for (prefix, scheme) in [("http://", HTTPURL.Scheme.http), ("https://", .https)]
    where rest.prefix(prefix.count).lowercased() == prefix {
      rest = rest.dropFirst(prefix.count)
      return scheme
    }
    throw .unsupportedScheme
  }

  private static func authority(_ text: Substring) throws(HTTPURLError) -> (String, UInt16?) {
    // RFC 9110 §4.2.4: userinfo disguises the host; it is an error.
    guard !text.contains("@") else { throw .userInformation }
    if text.first == "[" {
      guard let bracket = text.firstIndex(of: "]") else { throw .malformedIPv6Address }
      let address = text[text.index(after: text.startIndex)..<bracket]
      return (try ipv6(address), try port(text[text.index(after: bracket)...]))
    }
    let colon = text.firstIndex(of: ":") ?? text.endIndex
    let number = try port(text[colon...])
    return (try name(text[..<colon]), number)
  }

  /// `text` is empty or begins where the colon should be.
  private static func port(_ text: Substring) throws(HTTPURLError) -> UInt16? {
    guard !text.isEmpty else { return nil }
    let digits = text.dropFirst()
    guard text.first == ":", !digits.isEmpty, digits.utf8.allSatisfy(isDigit),
      let port = UInt16(digits), port > 0
    else { throw .malformedPort }
    return port
  }

  /// Zone identifiers are refused: they mean something on one machine only.
  private static func ipv6(_ text: Substring) throws(HTTPURLError) -> String {
    guard text.contains(":"), let address = SocketAddress(host: String(text), port: 0) else {
      throw .malformedIPv6Address
    }
    // One spelling for each address: it is the key of a pool.
    return address.family == .v6 ? address.host : text.lowercased()
  }

  private static func name(_ text: Substring) throws(HTTPURLError) -> String {
    guard !text.isEmpty else { throw .missingHost }
    guard text.utf8.count <= 253 else { throw .malformedHost }
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    for label in labels {
      // RFC 1035 §2.3.4; the underscore is no host name's, but in use.
      guard (1...63).contains(label.count), label.allSatisfy(isNameByte),
        label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-")
      else { throw .malformedHost }
    }
    if let last = labels.last, looksNumeric(last) { try checkIPv4(labels) }
    return text.lowercased()
  }

  /// No top-level domain is a number, but `127.1` and `0x7f.1` are addresses to some resolvers.
  private static func looksNumeric(_ label: Bytes) -> Bool {
    if label.allSatisfy(isDigit) { return true }
    let digits = label.dropFirst(2)
    return label.first == UInt8(ascii: "0")
      && (label.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x")) && digits.allSatisfy(isHexadecimal)
  }

  /// RFC 3986 §3.2.2: dec-octet has no leading zeros, which elsewhere mean octal.
  private static func checkIPv4(_ labels: [Bytes]) throws(HTTPURLError) {
    let isAddress =
      labels.count == 4
      && labels.allSatisfy { label in
        label.allSatisfy(isDigit) && label.count <= 3
          && (label.count == 1 || label.first != UInt8(ascii: "0"))
          && UInt8(String(Substring(label))) != nil
      }
    guard isAddress else { throw .malformedIPv4Address }
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\\")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }
}
