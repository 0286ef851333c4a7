/// Why a path or query cannot be read. All of them are the peer's fault and answered with 400.
public enum RequestTargetError: Error, Sendable, Equatable {
  /// A `%` without two hexadecimal digits behind it.
  case malformedPercentEncoding
  /// The decoded bytes are not UTF-8.
  case invalidUTF8
  /// A decoded path segment holds a slash, a backslash or a control character.
  case forbiddenCharacter
  /// A path segment is `..`, encoded or not.
  case parentSegment

  public var explanation: String {
    switch self {
    case .malformedPercentEncoding: "A \"%\" in the address is not followed by two hexadecimal digits."
    case .invalidUTF8: "The address is not UTF-8 once its percent-encoding is taken off."
    case .forbiddenCharacter: "A part of the path holds an encoded slash, backslash or control character."
    case .parentSegment: "The path holds \"..\"; send the path that it leads to."
    }
  }
}

/// `name=value` of a query. A name may come more than once.
public struct QueryItem: Sendable, Equatable {
  public var name: String
  /// Empty if there was no `=`.
  public var value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

extension RequestHead {
  /// The target up to its `?`, not decoded.
  public var rawPath: Substring {
    target.utf8.firstIndex(of: UInt8(ascii: "?")).map { target[..<$0] } ?? target[...]
  }

  /// The target behind its first `?`, not decoded. nil without a `?`.
  public var rawQuery: Substring? {
    target.utf8.firstIndex(of: UInt8(ascii: "?")).map { target[target.utf8.index(after: $0)...] }
  }

  /// The path's segments, decoded: `/api//v1/./a%20b/` is `["api", "v1", "a b"]`. Empty segments and `.`
  /// are left out; `..` is refused, before and after decoding, so that a path never leads upwards.
  public func pathSegments() throws(RequestTargetError) -> [String] {
    var segments: [String] = []
    for raw in rawPath.utf8.split(separator: Grammar.slash) {
      let segment = try PercentEncoding.decode(raw, plusIsSpace: false)
      guard segment != ".." else { throw .parentSegment }
      guard segment != "." else { continue }
      let isClean = segment.utf8.allSatisfy {
        $0 >= 0x20 && $0 != 0x7F && $0 != Grammar.slash && $0 != Grammar.backslash
      }
      guard isClean else { throw .forbiddenCharacter }
      segments.append(segment)
    }
    return segments
  }

  /// The query's items in their order, decoded, `+` as a space. Pieces that are empty (`a&&b`) are left out.
  public func queryItems() throws(RequestTargetError) -> [QueryItem] {
    guard let rawQuery else { return [] }
    var items: [QueryItem] = []
    for piece in rawQuery.utf8.split(separator: UInt8(ascii: "&")) {
      let end = piece.firstIndex(of: Grammar.equals) ?? piece.endIndex
      let name = try PercentEncoding.decode(piece[..<end], plusIsSpace: true)
      let value = try PercentEncoding.decode(piece[end...].dropFirst(), plusIsSpace: true)
      items.append(QueryItem(name: name, value: value))
    }
    return items
  }
}

/// Percent-encoding (RFC 3986 §2.1), both ways.
public enum PercentEncoding {
  /// - Parameter plusIsSpace: true for queries, as HTML forms write them.
  public static func decode(
    _ text: some Collection<UInt8>, plusIsSpace: Bool
  ) throws(RequestTargetError) -> String {
    guard text.contains(where: { $0 == Grammar.percent || plusIsSpace && $0 == UInt8(ascii: "+") }) else {
      guard let text = String(validating: text, as: UTF8.self) else { throw .invalidUTF8 }
      return text
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      if byte == Grammar.percent {
        guard let high = iterator.next().flatMap(Grammar.hexValue),
          let low = iterator.next().flatMap(Grammar.hexValue)
        else { throw .malformedPercentEncoding }
        bytes.append(high << 4 | low)
      } else {
        bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? Grammar.space : byte)
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8 }
    return text
  }

  /// Everything but unreserved characters (RFC 3986 §2.3) as `%XX`: fit for a path segment, and for a name
  /// or value of a query.
  public static func encode(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if isUnreserved(byte) {
        bytes.append(byte)
      } else {
        bytes.append(contentsOf: [Grammar.percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
