/// One line of a header or trailer section (RFC 9112 §5).
enum FieldLine {
  case field(HTTPHeaders.Field)
  /// The empty line that ends the section.
  case end

  static func parse(_ line: Bytes) throws(HTTPError) -> FieldLine {
    guard let first = line.first else { return .end }
    // §5.2: a server may refuse obs-fold with 400. Before the first field (§2.2) it is no better.
    guard !Grammar.isBlank(first) else { throw .foldedField }
    guard let colon = line.firstIndex(of: Grammar.colon) else { throw .missingColon }
    let name = line.cut(from: 0, to: colon)
    guard let last = name.last else { throw .emptyFieldName }
    // §5.1: no whitespace between name and colon; it has been used to hide a header from one of two parsers.
    guard !Grammar.isBlank(last) else { throw .whitespaceBeforeColon }
    guard Grammar.isToken(name) else { throw .malformedFieldName }
    let value = line.cut(from: colon + 1, to: line.count).trimmedOfBlanks
    guard value.allSatisfy(Grammar.isFieldText) else { throw .malformedFieldValue }
    return .field(HTTPHeaders.Field(name: String(decoding: name, as: UTF8.self), value: text(value)))
  }
}

extension FieldLine {
  /// RFC 9110 §5.5: what is not ASCII is opaque, so it is not read as anything. As UTF-8 it would go into
  /// comparisons, which take the square of the length of a run of combining marks.
  private static func text(_ value: Bytes) -> String {
    guard value.contains(where: { $0 >= 0x80 }) else { return String(decoding: value, as: UTF8.self) }
    return String(decoding: value, as: Unicode.ASCII.self)
  }
}

/// What is left of the limits for one head, or for the trailers of one body.
struct FieldSection {
  private(set) var bytesLeft: Int
  private var fieldsLeft: Int

  init(_ limits: HTTPLimits) {
    bytesLeft = limits.headBytes
    fieldsLeft = limits.headerCount
  }

  /// The longest line that may still come.
  func lineLimit(_ limits: HTTPLimits) -> Int { min(limits.lineBytes, bytesLeft) }

  mutating func spend(_ bytes: Int) { bytesLeft -= bytes }

  /// The next line of the section; nil: the input is used up.
  mutating func next(
    _ input: inout Bytes, _ lines: inout LineReader, _ limits: HTTPLimits
  ) throws(HTTPError) -> FieldLine? {
    let tooLong: HTTPError =
      limits.lineBytes <= bytesLeft
      ? .fieldLineTooLong(limit: limits.lineBytes) : .headTooLarge(limit: limits.headBytes)
    guard
      let line = try lines.next(&input, limit: lineLimit(limits), tooLong: tooLong, FieldLine.parse)
    else { return nil }
    spend(lines.lastLineBytes)
    guard case .field = line else { return line }
    guard fieldsLeft > 0 else { throw .tooManyFields(limit: limits.headerCount) }
    fieldsLeft -= 1
    return line
  }
}
