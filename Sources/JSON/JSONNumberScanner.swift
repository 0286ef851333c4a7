/// RFC 8259 §6: `[ minus ] int [ frac ] [ exp ]`.
enum JSONNumberScanner {
  enum Outcome {
    /// A whole number literal: the offset behind it, and whether it is a plain integer.
    case end(Int, isInteger: Bool)
    /// The grammar breaks at this offset (the text's length where it ends too early).
    case invalid(at: Int, expected: String)
  }

  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// The offset behind the digits that begin at `start`.
  @inline(__always)
  private static func skipDigits(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var position = start
    while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    return position
  }

  static func scan(_ bytes: Span<UInt8>, from start: Int) -> Outcome {
    var position = start
    var isInteger = true
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    let whole = skipDigits(bytes, position)
    if whole == position { return .invalid(at: position, expected: "a digit") }
    // "Leading zeros are not allowed."
    if whole - position > 1, bytes[position] == UInt8(ascii: "0") {
      return .invalid(at: position, expected: "no leading zero")
    }
    position = whole
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      let fraction = skipDigits(bytes, position + 1)
      if fraction == position + 1 { return .invalid(at: fraction, expected: "a digit after the point") }
      position = fraction
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
      {
        position += 1
      }
      let exponent = skipDigits(bytes, position)
      if exponent == position { return .invalid(at: position, expected: "the exponent's digits") }
      position = exponent
    }
    return .end(position, isInteger: isInteger)
  }
}
