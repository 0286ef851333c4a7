// How it works
//
// Bytes are only appended. Whether a comma is due is one flag: it is, after a value or a closing bracket; it
// is not, after an opening bracket or a colon. Nesting is the caller's: a forgotten end shows in the first
// test.

/// Writes compact JSON (RFC 8259) straight into UTF-8 bytes, with no values in between: for frames that are
/// built thousands of times a second.
/// ```swift
/// writer.beginObject()
/// writer.member("type", "price")
/// writer.key("rev"); writer.int(8122)
/// writer.endObject()
/// ```
public struct JSONWriter: Sendable {
  /// What has been written so far.
  public private(set) var bytes: [UInt8]
  private var needsComma = false

  public init(reserving capacity: Int) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Forgets what was written and keeps the memory.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  /// Hands out what was written and starts anew with no memory of it.
  public mutating func take() -> [UInt8] {
    needsComma = false
    let taken = bytes
    bytes = []
    return taken
  }

  @inline(__always)
  private mutating func beginValue() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func open(_ bracket: UInt8) {
    beginValue()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  public mutating func beginObject() { open(UInt8(ascii: "{")) }
  public mutating func endObject() { close(UInt8(ascii: "}")) }
  public mutating func beginArray() { open(UInt8(ascii: "[")) }
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  /// A member's name that is a literal of ours: written as it stands, so it must need no escaping.
  public mutating func key(_ name: StaticString) {
    beginValue()
    bytes.append(UInt8(ascii: "\""))
    append(name)
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A member's name from anywhere, escaped.
  @_disfavoredOverload
  public mutating func key(_ name: String) {
    beginValue()
    appendQuoted(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  public mutating func null() { raw("null") }

  public mutating func bool(_ value: Bool) { value ? raw("true") : raw("false") }

  public mutating func string(_ value: String) {
    beginValue()
    appendQuoted(value)
  }

  /// A string given as its UTF-8 bytes, which must be valid; escaped like any other.
  public mutating func string(utf8 value: Span<UInt8>) {
    beginValue()
    appendQuoted(value)
  }

  public mutating func int(_ value: Int) {
    beginValue()
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(UInt64(value.magnitude))
  }

  public mutating func uint(_ value: UInt64) {
    beginValue()
    appendDigits(value)
  }

  public mutating func number(_ value: JSONNumber) {
    beginValue()
    appendAsIs(value.text)
  }

  /// One or more complete values or members, already JSON: `{"a":1}`, or `"a":1,"b":2` inside an object.
  /// Nothing is checked; an empty text would leave a stray comma.
  public mutating func raw(_ json: [UInt8]) {
    beginValue()
    bytes.append(contentsOf: json)
  }

  public mutating func raw(_ json: StaticString) {
    beginValue()
    append(json)
  }

  /// A string whose content is made of characters that need no escaping (hexadecimal, digits, keys), appended
  /// by `body` straight into the buffer.
  public mutating func string(unescaped body: (inout [UInt8]) -> Void) {
    beginValue()
    bytes.append(UInt8(ascii: "\""))
    body(&bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  public mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .number(let value): number(value)
    case .string(let value): string(value)
    case .array(let elements):
      beginArray()
      for element in elements { self.value(element) }
      endArray()
    case .object(let object):
      beginObject()
      for member in object {
        key(member.key)
        self.value(member.value)
      }
      endObject()
    }
  }
}

// A name and its value in one call.
extension JSONWriter {
  public mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  /// Writes null where there is no string.
  public mutating func member(_ name: StaticString, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  public mutating func member(_ name: StaticString, _ value: Int) {
    key(name)
    int(value)
  }

  public mutating func member(_ name: StaticString, _ value: UInt64) {
    key(name)
    uint(value)
  }

  public mutating func member(_ name: StaticString, _ value: Bool) {
    key(name)
    bool(value)
  }

  /// `"name":{…}`
  public mutating func object(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
    key(name)
    beginObject()
    members(&self)
    endObject()
  }

  /// `"name":[{…},…]`
  public mutating func objects<Element>(
    _ name: StaticString, _ elements: some Sequence<Element>, _ members: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    beginArray()
    for element in elements {
      beginObject()
      members(&self, element)
      endObject()
    }
    endArray()
  }
}

extension JSONWriter {
  private mutating func append(_ text: StaticString) {
    // Not the pointer of a single-scalar literal: withUTF8Buffer serves both forms.
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  private mutating func appendAsIs(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func appendDigits(_ value: UInt64) {
    if value < 10 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
      return
    }
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var first = 20
    var rest = value
    while rest > 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
    for index in first..<20 { bytes.append(digits[index]) }
  }

  private mutating func appendQuoted(_ text: String) {
    var text = text
    text.withUTF8 { appendQuoted($0.span) }
  }

  /// RFC 8259 §7: the quotation mark, the reverse solidus and the control characters must be escaped. U+2028
  /// and U+2029 may stand as they are: they trouble JavaScript source, not JSON.
  private mutating func appendQuoted(_ text: Span<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    var runStart = 0
    for index in 0..<text.count {
      let byte = text[index]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
      appendRun(text, runStart, index)
      appendEscaped(byte)
      runStart = index + 1
    }
    appendRun(text, runStart, text.count)
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendRun(_ text: Span<UInt8>, _ start: Int, _ end: Int) {
    guard start < end else { return }
    text.extracting(start..<end).withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    default:
      append("u00")
      bytes.append(byte >> 4 == 0 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
      let low = byte & 0xF
      bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
    }
  }
}
