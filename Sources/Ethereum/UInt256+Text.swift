// Decimal text goes 19 digits at a time, the most that fit 64 bits: one hardware division per word and chunk.

private let chunkDigits = 19
private let chunk: UInt64 = 10_000_000_000_000_000_000

/// Why a text is no 256-bit quantity.
public enum QuantityError: Error, Hashable {
  case empty
  case missingPrefix
  /// The byte offset in the text.
  case invalidDigit(offset: Int)
  /// `007`, `0x0a`: the same value could be written in many ways.
  case leadingZero
  /// Above 2^256 − 1.
  case overflow
}

extension QuantityError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .empty: "it has no digits"
    case .missingPrefix: "it does not begin with 0x"
    case .invalidDigit(let offset): "it has something else than a digit at byte \(offset)"
    case .leadingZero: "it has a leading zero"
    case .overflow: "it does not fit 256 bits"
    }
  }
}

extension UInt256 {
  /// Decimal digits and nothing else, without leading zeros: `0`, `1230000000000000000`.
  public init(decimal text: String) throws(QuantityError) {
    let digits = text.utf8.span
    guard digits.count > 0 else { throw .empty }
    if digits.count > 1, digits[0] == UInt8(ascii: "0") { throw .leadingZero }
    var value = UInt256.zero
    for offset in 0..<digits.count {
      let digit = digits[offset] &- UInt8(ascii: "0")
      guard digit < 10 else { throw .invalidDigit(offset: offset) }
      if offset < chunkDigits {
        value = UInt256(value.w0 &* 10 &+ UInt64(digit))
        continue
      }
      let (high, product) = value.multipliedFullWidth(by: 10 as UInt64)
      let (sum, carry) = product.addingReportingOverflow(UInt256(UInt64(digit)))
      guard high == 0, !carry else { throw .overflow }
      value = sum
    }
    self = value
  }

  /// A JSON-RPC QUANTITY: `0x`, then the digits without leading zeros; zero is `0x0`.
  /// - Parameter leadingZeros: accept them too (up to 64 digits in all), as some nodes send padded words.
  public init(quantity text: String, leadingZeros: Bool = false) throws(QuantityError) {
    let digits = text.utf8.span
    guard Hex.hasPrefix(digits) else { throw .missingPrefix }
    guard digits.count > 2 else { throw .empty }
    if !leadingZeros, digits.count > 3, digits[2] == UInt8(ascii: "0") { throw .leadingZero }
    guard digits.count <= 66 else { throw .overflow }
    var words = InlineArray<4, UInt64>(repeating: 0)
    for offset in 2..<digits.count {
      guard let nibble = Hex.nibble(digits[offset]) else { throw .invalidDigit(offset: offset) }
      let fromEnd = digits.count - 1 - offset
      words[fromEnd / 16] |= UInt64(nibble) << UInt64(fromEnd % 16 * 4)
    }
    self.init(words[3], words[2], words[1], words[0])
  }

  /// Appends the decimal digits in ASCII.
  public func appendDecimal(to output: inout [UInt8]) {
    if let small = uint64 { return appendDigits(small, paddedTo: 1, to: &output) }
    var chunks = InlineArray<5, UInt64>(repeating: 0)
    var count = 0
    var rest = self
    while !rest.isZero {
      (rest, chunks[count]) = rest.quotientAndRemainder(dividingBy: chunk)
      count += 1
    }
    appendDigits(chunks[count - 1], paddedTo: 1, to: &output)
    for index in stride(from: count - 2, through: 0, by: -1) {
      appendDigits(chunks[index], paddedTo: chunkDigits, to: &output)
    }
  }

  /// The decimal digits: at most 78.
  public var decimal: String {
    if let small = uint64 { return String(small) }
    var digits: [UInt8] = []
    digits.reserveCapacity(78)
    appendDecimal(to: &digits)
    return String(decoding: digits, as: UTF8.self)
  }

  /// The JSON-RPC QUANTITY: `0x0`, `0x1b4`.
  public var quantity: String {
    if let small = uint64 { return "0x" + String(small, radix: 16) }
    var digits: [UInt8] = [UInt8(ascii: "0"), UInt8(ascii: "x")]
    for index in 0..<32 { Hex.append(UInt64(byte(index)), digits: 2, to: &digits) }
    while digits.count > 3, digits[2] == UInt8(ascii: "0") { digits.remove(at: 2) }
    return String(decoding: digits, as: UTF8.self)
  }
}

extension UInt256: CustomStringConvertible {
  public var description: String { decimal }
}

private func appendDigits(_ value: UInt64, paddedTo width: Int, to output: inout [UInt8]) {
  var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
  var first = 20
  var rest = value
  while rest > 0 {
    let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
    first -= 1
    digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
    rest = quotient
  }
  for index in Swift.min(first, 20 - width)..<20 { output.append(digits[index]) }
}
