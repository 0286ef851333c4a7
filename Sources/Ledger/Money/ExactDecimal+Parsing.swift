import Ethereum

extension ExactDecimal {
  /// Parses a JSON number (RFC 8259 §6), exponent included; nil when malformed or beyond the bounds.
  @inlinable
  public init?(parsing bytes: some Collection<UInt8>) {
    let parsed = bytes.withContiguousStorageIfAvailable { ExactDecimal(parsing: $0.span.bytes) }
    if let parsed {
      guard let parsed else { return nil }
      self = parsed
    } else {
      let copy = Array(bytes)
      self.init(parsing: copy.span.bytes)
    }
  }

  /// Parses a JSON number (RFC 8259 §6), exponent included; nil when malformed or beyond the bounds.
  @inlinable
  public init?(parsing text: some StringProtocol) {
    self.init(parsing: text.utf8)
  }

  /// Parses a JSON number (RFC 8259 §6), exponent included; nil when malformed or beyond the bounds.
  public init?(parsing bytes: RawSpan) {
    var scanner = NumberScanner()
    guard scanner.scan(bytes) else { return nil }
    self.init(
      significand: scanner.significand, digitCount: scanner.digitCount,
      exponent: scanner.pendingZeros - scanner.fractionDigits + scanner.exponent,
      fractionDigits: max(0, scanner.fractionDigits - scanner.exponent), isNegative: scanner.isNegative)
  }
}

/// Reads one JSON number, once through, byte by byte.
///
/// A zero may turn out to be a trailing one, so zeros wait in `pendingZeros` until another digit follows.
/// The number is then ±significand × 10^(pendingZeros − fractionDigits + exponent). Digits are gathered in 64 bits, in
/// most numbers all of them, and go into the significand many at a time.
///
/// The counts grow by at most one a byte, and the exponent stops growing far above any length, so that no
/// sum of them overflows and no number beyond the bounds comes back into them.
private struct NumberScanner {
  var significand = UInt256.zero
  var digitCount = 0
  var pendingZeros = 0
  var fractionDigits = 0
  var exponent = 0
  var isNegative = false

  private var offset = 0
  /// The digits behind those of the significand.
  private var gathered: UInt64 = 0
  private var gatheredDigits = 0

  private static let exponentLimit = 1 << 56

  /// RFC 8259 §6: number = [ minus ] int [ frac ] [ exp ], and nothing after it.
  mutating func scan(_ bytes: RawSpan) -> Bool {
    isNegative = skip(UInt8(ascii: "-"), bytes)
    defer { settle() }
    return scanInteger(bytes) && scanFraction(bytes) && scanExponent(bytes) && offset == bytes.byteCount
  }

  /// RFC 8259 §6: int = zero / ( digit1-9 *DIGIT ); leading zeros are not allowed.
  private mutating func scanInteger(_ bytes: RawSpan) -> Bool {
    guard let first = nextDigit(bytes), take(first) else { return false }
    if first == 0 { return true }
    while let digit = nextDigit(bytes) {
      guard take(digit) else { return false }
    }
    return true
  }

  /// RFC 8259 §6: frac = decimal-point 1*DIGIT
  private mutating func scanFraction(_ bytes: RawSpan) -> Bool {
    guard skip(UInt8(ascii: "."), bytes) else { return true }
    while let digit = nextDigit(bytes) {
      fractionDigits += 1
      guard take(digit) else { return false }
    }
    return fractionDigits > 0
  }

  /// RFC 8259 §6: exp = e [ minus / plus ] 1*DIGIT
  private mutating func scanExponent(_ bytes: RawSpan) -> Bool {
    guard skip(UInt8(ascii: "e"), bytes) || skip(UInt8(ascii: "E"), bytes) else { return true }
    let isExponentNegative = skip(UInt8(ascii: "-"), bytes)
    if !isExponentNegative { _ = skip(UInt8(ascii: "+"), bytes) }
    guard let first = nextDigit(bytes) else { return false }
    exponent = Int(first)
    while let digit = nextDigit(bytes) {
      exponent = min(exponent * 10 + Int(digit), Self.exponentLimit)
    }
    if isExponentNegative { exponent = -exponent }
    return true
  }

  private mutating func take(_ digit: UInt8) -> Bool {
    if digit == 0 {
      if digitCount > 0 { pendingZeros += 1 }
      return true
    }
    let count = pendingZeros + 1
    digitCount += count
    guard digitCount <= ExactDecimal.maximumDigits else { return false }
    if gatheredDigits + count > digitsPerChunk { settle() }
    if count <= digitsPerChunk {
      gathered = gathered &* powersOfTen[count] &+ UInt64(digit)
      gatheredDigits += count
    } else {
      _ = significand.multiplyReportingOverflow(byPowerOfTen: count - 1)
      gathered = UInt64(digit)
      gatheredDigits = 1
    }
    pendingZeros = 0
    return true
  }

  /// At most 77 digits: 256 bits hold them all.
  private mutating func settle() {
    _ = significand.multiplyReportingOverflow(byPowerOfTen: gatheredDigits)
    _ = significand.addReportingOverflow(UInt256(gathered))
    gathered = 0
    gatheredDigits = 0
  }

  private mutating func nextDigit(_ bytes: RawSpan) -> UInt8? {
    guard offset < bytes.byteCount else { return nil }
    let digit = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) &- UInt8(ascii: "0")
    guard digit <= 9 else { return nil }
    offset += 1
    return digit
  }

  private mutating func skip(_ byte: UInt8, _ bytes: RawSpan) -> Bool {
    guard offset < bytes.byteCount, bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) == byte
    else { return false }
    offset += 1
    return true
  }
}
