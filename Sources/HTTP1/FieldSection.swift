/// A header or trailer section as it is read (RFC 9112 §5), and what is left of the limits for it.
struct FieldSection {
  /// What a line was.
  enum Line {
    case field
    /// The empty line that ends the section.
    case end
  }

  private(set) var headers = HTTPHeaders()
  private let keepsFields: Bool
  private(set) var bytesLeft: Int
  private var fieldsLeft: Int

  /// - Parameter keepsFields: whether they are put into `headers`.
  init(_ limits: HTTPLimits, keepsFields: Bool) {
    self.keepsFields = keepsFields
    bytesLeft = limits.headBytes
    fieldsLeft = limits.headerCount
  }

  /// The longest line that may still come.
  func lineLimit(_ limits: HTTPLimits) -> Int { min(limits.lineBytes, bytesLeft) }

  mutating func spend(_ bytes: Int) { bytesLeft -= bytes }

  /// Takes out what was read so far.
  mutating func takeHeaders() -> HTTPHeaders {
    defer { headers = HTTPHeaders() }
    return headers
  }

  /// Reads the next line of the section; nil: the input is used up.
  mutating func next(
    _ input: inout Bytes, _ lines: inout LineReader, _ limits: HTTPLimits
  ) throws(HTTPError) -> Line? {
    let tooLong: HTTPError =
      limits.lineBytes <= bytesLeft
      ? .fieldLineTooLong(limit: limits.lineBytes) : .headTooLarge(limit: limits.headBytes)
    guard
      let line = try lines.next(
        &input, limit: lineLimit(limits), tooLong: tooLong,
        { line throws(HTTPError) in try read(line) })
    else { return nil }
    spend(lines.lastLineBytes)
    guard case .field = line else { return line }
    guard fieldsLeft > 0 else { throw .tooManyFields(limit: limits.headerCount) }
    fieldsLeft -= 1
    return line
  }

  private mutating func read(_ line: Bytes) throws(HTTPError) -> Line {
    guard let first = line.first else { return .end }
    // §5.2: a server may refuse obs-fold with 400. Before the first field (§2.2) it is no better.
    guard !Grammar.isBlank(first) else { throw .foldedField }
    guard let colon = line.firstIndex(of: Grammar.colon) else { throw .missingColon }
    let name = line.cut(from: 0, to: colon)
    guard let last = name.last else { throw .emptyFieldName }
    // §5.1: no whitespace between name and colon; it has been used to hide a header from one of two parsers.
    guard !Grammar.isBlank(last) else { throw .whitespaceBeforeColon }
    guard Grammar.isToken(name) else { throw .malformedFieldName }
    let value = line.cut(from: colon + 1, to: line.count)
    guard value.allSatisfy(Grammar.isFieldText) else { throw .malformedFieldValue }
    if keepsFields { headers.append(name: name, value: value) }
    return .field
  }
}
