// Appending text to bytes, for the frames that are built by hand on hot paths.

extension [UInt8] {
  /// ASCII text known at compile time.
  @inlinable
  public mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// A decimal integer.
  public mutating func append(decimal value: UInt64) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var rest = value
      var start = 20
      repeat {
        start -= 1
        digits[start] = UInt8(truncatingIfNeeded: rest % 10) &+ 48
        rest /= 10
      } while rest != 0
      append(contentsOf: digits[start...])
    }
  }

  /// A decimal integer.
  public mutating func append(decimal value: Int64) {
    if value < 0 { append(45) }
    append(decimal: value.magnitude)
  }

  /// A JSON string with its quotes (RFC 8259 §7), or `null`.
  public mutating func append(json text: String?) {
    guard let text else {
      append("null")
      return
    }
    append(34)
    var copy = text
    copy.withUTF8 { append(jsonEscaped: $0) }
    append(34)
  }

  /// The inside of a JSON string: UTF-8 as it is, quotes, backslashes and control characters escaped.
  public mutating func append(jsonEscaped utf8: UnsafeBufferPointer<UInt8>) {
    var runStart = 0
    for index in 0..<utf8.count {
      let byte = utf8[index]
      guard byte < 0x20 || byte == 34 || byte == 92 else { continue }
      append(contentsOf: utf8[runStart..<index])
      runStart = index + 1
      appendEscape(byte)
    }
    append(contentsOf: utf8[runStart...])
  }

  private mutating func appendEscape(_ byte: UInt8) {
    append(92)
    switch byte {
    case 34, 92: append(byte)
    case 8: append(98)
    case 9: append(116)
    case 10: append(110)
    case 12: append(102)
    case 13: append(114)
    default:
      append("u00")
      let hex: StaticString = "0123456789abcdef"
      append(hex.utf8Start[Int(byte >> 4)])
      append(hex.utf8Start[Int(byte & 15)])
    }
  }
}
