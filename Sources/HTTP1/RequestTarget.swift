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
    let bytes = target.utf8.span
    var start = 0
    while start < bytes.count, bytes[start] != Self.questionMark {
      var end = start
      while end < bytes.count, bytes[end] != Grammar.slash, bytes[end] != Self.questionMark { end += 1 }
      if end > start, let segment = try Self.segment(bytes.extracting(start..<end)) {
        segments.append(segment)
      }
      start = end < bytes.count && bytes[end] == Grammar.slash ? end + 1 : end
    }
    return segments
  }

  private static let questionMark = UInt8(ascii: "?")

  /// nil: `.`, which leads nowhere.
  private static func segment(_ raw: Span<UInt8>) throws(RequestTargetError) -> String? {
    let segment = try PercentEncoding.decode(raw, plusIsSpace: false)
    let bytes = segment.utf8.span
    // Comparing strings takes the square of the length of a run of combining marks.
    if bytes.count <= 2, segment.utf8.allSatisfy({ $0 == UInt8(ascii: ".") }) {
      guard bytes.count < 2 else { throw .parentSegment }
      return nil
    }
    for index in bytes.indices {
      let byte = bytes[index]
      guard byte >= 0x20, byte != 0x7F, byte != Grammar.slash, byte != Grammar.backslash else {
        throw .forbiddenCharacter
      }
    }
    return segment
  }

  /// The query's items in their order, decoded, `+` as a space. Pieces that are empty (`a&&b`) are left out.
  public func queryItems() throws(RequestTargetError) -> [QueryItem] {
    guard let rawQuery else { return [] }
    var items: [QueryItem] = []
    for piece in rawQuery.utf8.split(separator: UInt8(ascii: "&")) {
      let end = piece.firstIndex(of: Grammar.equals) ?? piece.endIndex
      let name = try PercentEncoding.decode(piece[..<end].span, plusIsSpace: true)
      let value = try PercentEncoding.decode(piece[end...].dropFirst().span, plusIsSpace: true)
      items.append(QueryItem(name: name, value: value))
    }
    return items
  }
}

/// Percent-encoding (RFC 3986 §2.1), both ways.
public enum PercentEncoding {
  /// - Parameter plusIsSpace: true for queries, as HTML forms write them.
  public static func decode(
    _ text: Span<UInt8>, plusIsSpace: Bool
  ) throws(RequestTargetError) -> String {
    var index = 0
    while index < text.count, text[index] != Grammar.percent, text[index] != plus { index += 1 }
    // Nearly always.
    if index == text.count { return try validated(text) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    index = 0
    while index < text.count {
      let byte = text[index]
      if byte == Grammar.percent {
        guard text.count - index > 2, let high = Grammar.hexValue(text[index + 1]),
          let low = Grammar.hexValue(text[index + 2])
        else { throw .malformedPercentEncoding }
        bytes.append(high << 4 | low)
        index += 3
      } else {
        bytes.append(plusIsSpace && byte == plus ? Grammar.space : byte)
        index += 1
      }
    }
    return try validated(bytes.span)
  }

  private static let plus = UInt8(ascii: "+")

  private static func validated(_ bytes: Span<UInt8>) throws(RequestTargetError) -> String {
    guard let text = try? UTF8Span(validating: bytes) else { throw .invalidUTF8 }
    return String(copying: text)
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
