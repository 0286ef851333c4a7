/// Header lines in the order they came (or will be sent), in one piece as they go over the wire. Names compare
/// without case (RFC 9110 §5.1); the spelling is kept.
///
/// Values are what stands between the blanks after the colon and the end of the line. What of them is not ASCII is
/// opaque (RFC 9110 §5.5): it is passed on as it came, and read as U+FFFD, a byte each.
public struct HTTPHeaders: Sendable, Equatable {
  /// Where a line lies in `wire`. Between its name and its value are a colon and a blank, behind it CR and LF.
  private struct Line: Sendable, Equatable {
    let start: Int
    let nameEnd: Int
    let valueEnd: Int

    var nameLength: Int { nameEnd - start }
    var name: Range<Int> { start..<nameEnd }
    var value: Range<Int> { nameEnd + 2..<valueEnd }
  }

  /// `Name: value`, CR, LF, of all lines.
  private(set) var wire: [UInt8] = []
  private var lines: [Line] = []

  public init() {}

  public init(_ pairs: [(name: String, value: String)]) {
    for pair in pairs { append(pair.name, pair.value) }
  }

  public var count: Int { lines.count }
  public var isEmpty: Bool { lines.isEmpty }

  /// All lines as plain pairs.
  public var pairs: [(name: String, value: String)] {
    lines.map { (String(decoding: wire[$0.name], as: UTF8.self), text($0)) }
  }

  /// Appends a line. Blanks around the value are no part of it. Whether a name or a value can be sent at all is said by
  /// the encoders.
  public mutating func append(_ name: String, _ value: String) {
    var name = name
    var value = value
    name.withUTF8 { name in value.withUTF8 { value in append(name: Bytes(name), value: Bytes(value)) } }
  }

  public mutating func append(contentsOf other: HTTPHeaders) {
    let shift = wire.count
    wire += other.wire
    lines += other.lines.map {
      Line(start: $0.start + shift, nameEnd: $0.nameEnd + shift, valueEnd: $0.valueEnd + shift)
    }
  }

  mutating func append(name: Bytes, value: Bytes) {
    if lines.isEmpty {
      // Enough for nearly all heads.
      wire.reserveCapacity(480)
      lines.reserveCapacity(12)
    }
    let value = value.trimmedOfBlanks
    let start = wire.count
    let nameEnd = start + name.count
    lines.append(Line(start: start, nameEnd: nameEnd, valueEnd: nameEnd + 2 + value.count))
    wire.append(addingCapacity: name.count + value.count + 4) { line in
      line.append(copying: name)
      line.append(Grammar.colon)
      line.append(Grammar.space)
      line.append(copying: value)
      line.append(Grammar.carriageReturn)
      line.append(Grammar.lineFeed)
    }
  }

  // MARK: Looking up

  /// How many lines have that name.
  public func count(of name: String) -> Int {
    var count = 0
    forEach(name) { _ in
      count += 1
      return true
    }
    return count
  }

  public func contains(_ name: String) -> Bool { line(name) != nil }

  /// The value of the first line of that name.
  public func first(_ name: String) -> String? { line(name).map(text) }

  /// The value of the line of that name; nil where there is none, or more than one.
  public func only(_ name: String) -> String? { count(of: name) == 1 ? first(name) : nil }

  /// The values of all lines of that name, in order.
  public func all(_ name: String) -> [String] {
    var values: [String] = []
    forEach(name) { line in
      values.append(text(line))
      return true
    }
    return values
  }

  /// Whether `token` is an element of the comma-separated lists of that name, without regard to case
  /// (`Connection`, `Upgrade`; RFC 9110 §5.6.1, §7.6.1, §7.8).
  public func containsToken(_ name: String, _ token: String) -> Bool {
    var isFound = false
    forEach(name) { line in
      isFound = Grammar.contains(token.utf8.span, in: wire.span.extracting(line.value))
      return !isFound
    }
    return isFound
  }

  /// The elements of the comma-separated lists of that name, in order; nil: something that is no token stands in them.
  /// Empty elements are passed over (RFC 9110 §5.6.1.2).
  public func tokens(_ name: String) -> [String]? {
    var tokens: [String] = []
    for value in all(name) {
      for element in value[...].utf8.split(separator: Grammar.comma).lazy.map(Grammar.trimmed)
      where !element.isEmpty {
        guard Grammar.isToken(element) else { return nil }
        tokens.append(String(Substring(element)))
      }
    }
    return tokens
  }

  /// The first value of that name as it lies in memory.
  func withFirst<Result>(_ name: String, _ body: (Bytes) -> Result) -> Result? {
    guard let line = line(name) else { return nil }
    return wire.withUnsafeBytes { body($0.cut(from: line.value.lowerBound, to: line.value.upperBound)) }
  }

  private func line(_ name: String) -> Line? {
    var found: Line?
    forEach(name) { line in
      found = line
      return false
    }
    return found
  }

  /// The lines of that name, in order, for as long as `body` says to go on.
  @inline(__always)
  private func forEach(_ name: String, _ body: (Line) -> Bool) {
    let wanted = name.utf8.span
    let length = wanted.count
    // Nearly all names differ in length.
    for line in lines where line.nameLength == length {
      guard Grammar.equalIgnoringCase(wire.span.extracting(line.name), wanted) else { continue }
      guard body(line) else { return }
    }
  }

  /// As UTF-8 what is not ASCII would go into comparisons, which take the square of the length of a run of combining
  /// marks.
  private func text(_ line: Line) -> String {
    let value = wire[line.value]
    guard value.contains(where: { $0 >= 0x80 }) else { return String(decoding: value, as: UTF8.self) }
    return String(decoding: value, as: Unicode.ASCII.self)
  }

  // MARK: Sending

  /// Throws where a line can't be sent.
  func check() throws(HTTPLocalError) {
    let bytes = wire.span
    for line in lines {
      guard Grammar.isToken(bytes.extracting(line.name)) else { throw .malformedFieldName }
      guard Grammar.isFieldText(bytes.extracting(line.value)) else { throw .malformedFieldValue }
    }
  }
}

extension OutputSpan<UInt8> {
  fileprivate mutating func append(copying bytes: Bytes) {
    withUnsafeMutableBufferPointer { buffer, count in
      UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]).copyMemory(
        from: bytes)
      count += bytes.count
    }
  }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
  /// `["Content-Type": "text/plain", "Vary": "Origin"]`: the order is kept, a name may come twice.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { append(name, value) }
  }
}
