/// The first line of a request (RFC 9112 §3).
enum RequestLine {
  /// Longer than any registered method; what is longer is not implemented (§3: 501).
  static let methodBytesMax = 32

  /// A head without headers; nil for an empty line.
  static func parse(_ line: Bytes) throws(HTTPError) -> RequestHead? {
    if line.isEmpty { return nil }
    guard let first = line.firstIndex(of: Grammar.space), let last = line.lastIndex(of: Grammar.space),
      first < last
    else { throw .malformedRequestLine }
    let method = line.cut(from: 0, to: first)
    let target = line.cut(from: first + 1, to: last)
    guard Grammar.isToken(method) else { throw .malformedMethod }
    guard method.count <= methodBytesMax else { throw .methodTooLong }
    // §3: one SP on each side; more of them, or one inside the target, makes the line ambiguous.
    guard !target.isEmpty, !target.contains(Grammar.space) else { throw .malformedRequestLine }
    // The version before the target, so that an HTTP/2 preface ("PRI * HTTP/2.0") is told about versions.
    let minorVersion = try HTTPVersion.minor(line.cut(from: last + 1, to: line.count))
    let methodName = String(decoding: method, as: UTF8.self)
    guard methodName != "CONNECT" else { throw .connectNotSupported }
    let mapped = try mapTarget(target, isOptions: methodName == "OPTIONS")
    return RequestHead(
      method: methodName, target: mapped.target, minorVersion: minorVersion,
      targetAuthority: mapped.authority)
  }

  /// §3.2: any of the forms but CONNECT's, as origin form.
  private static func mapTarget(
    _ target: Bytes, isOptions: Bool
  ) throws(HTTPError) -> (target: String, authority: String?) {
    guard target.allSatisfy({ Grammar.isVisible($0) && $0 != Grammar.hash }) else {
      throw .malformedTarget
    }
    if target.first == Grammar.slash { return (String(decoding: target, as: UTF8.self), nil) }
    if isOptions, target.elementsEqual("*".utf8) { return ("*", nil) }
    return try mapAbsolute(target, isOptions: isOptions)
  }

  /// §3.2.2: a server accepts `http://host/path` although clients send it to proxies only.
  private static func mapAbsolute(
    _ target: Bytes, isOptions: Bool
  ) throws(HTTPError) -> (target: String, authority: String?) {
    guard let scheme = ["http://", "https://"].first(where: { hasPrefix(target, $0) }) else {
      throw .malformedTarget
    }
    let rest = target.cut(from: scheme.utf8.count, to: target.count)
    let end = rest.firstIndex { $0 == Grammar.slash || $0 == UInt8(ascii: "?") } ?? rest.count
    let authority = rest.cut(from: 0, to: end)
    guard Authority.isValid(authority) else { throw .malformedTarget }
    let path = rest.cut(from: end, to: rest.count)
    let host = String(decoding: authority, as: UTF8.self)
    // §3.2.4: OPTIONS without path and query is meant for the server as a whole.
    if path.isEmpty { return (isOptions ? "*" : "/", host) }
    let origin = String(decoding: path, as: UTF8.self)
    return (path.first == Grammar.slash ? origin : "/" + origin, host)
  }

  private static func hasPrefix(_ bytes: Bytes, _ prefix: String) -> Bool {
    Grammar.equalIgnoringCase(bytes.prefix(prefix.utf8.count), prefix.utf8)
  }
}

enum HTTPVersion {
  /// The minor version of `HTTP/1.0` or `HTTP/1.1` (RFC 9112 §2.3; the name is case-sensitive).
  static func minor(_ text: Bytes) throws(HTTPError) -> Int {
    guard text.count == 8, text.prefix(5).elementsEqual("HTTP/".utf8), Grammar.isDigit(text[5]),
      text[6] == UInt8(ascii: "."), Grammar.isDigit(text[7])
    else { throw .malformedVersion }
    guard text[5] == UInt8(ascii: "1"), text[7] <= UInt8(ascii: "1") else { throw .unsupportedVersion }
    return Int(text[7] - UInt8(ascii: "0"))
  }
}
