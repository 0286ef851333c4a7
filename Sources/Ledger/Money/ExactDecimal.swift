import Ethereum

/// An exact decimal number: what a price or a percentage is; never a binary float.
///
/// The number is ±significand × 10^exponent, where the significand does not end in a zero, so each number has
/// one form and equality and hashing are those of the number: `2.50 == 2.5`. How many digits its source gave
/// after the point is kept beside it, so ``plainText`` still says `2.50`.
///
/// Bounds: at most ``maximumDigits`` digits between the first and the last that are not zero, and at most
/// ``maximumTextLength`` characters of plain text, so that neither memory nor work grows with a stranger's
/// exponent. 40 bytes, no heap.
public struct ExactDecimal: Sendable {
  /// 10^77 − 1 is the longest run of nines in 256 bits.
  public static let maximumDigits = 77

  /// The longest ``plainText``, sign and point included, in characters.
  public static let maximumTextLength = 160

  public static let zero = ExactDecimal()

  /// Without trailing zeros; 0 for zero.
  let significand: UInt256

  /// −158…159; 0 for zero.
  private let storedExponent: Int16

  /// The digits of the significand, 0 for zero.
  private let storedDigitCount: UInt8

  /// The digits after the point in the plain text: at least −exponent.
  private let storedFractionDigits: UInt8

  /// Never set for zero.
  public let isNegative: Bool

  private init() {
    significand = UInt256.zero
    storedExponent = 0
    storedDigitCount = 0
    storedFractionDigits = 0
    isNegative = false
  }

  /// ±significand × 10^exponent, written with `fractionDigits` digits after the point (at least −exponent);
  /// nil beyond the bounds. The significand does not end in a zero and has `digitCount` digits.
  init?(significand: UInt256, digitCount: Int, exponent: Int, fractionDigits: Int, isNegative: Bool) {
    let exponent = significand.isZero ? 0 : exponent
    let isNegative = isNegative && !significand.isZero
    let integerDigits = max(1, digitCount + exponent)
    // Each part is checked before the sum, which could overflow.
    guard digitCount <= Self.maximumDigits, integerDigits <= Self.maximumTextLength,
      fractionDigits <= Self.maximumTextLength
    else { return nil }
    let pointLength = fractionDigits > 0 ? 1 : 0
    let signLength = isNegative ? 1 : 0
    guard signLength + integerDigits + pointLength + fractionDigits <= Self.maximumTextLength,
      let storedExponent = Int16(exactly: exponent), let storedDigitCount = UInt8(exactly: digitCount),
      let storedFractionDigits = UInt8(exactly: fractionDigits)
    else { return nil }
    self.significand = significand
    self.storedExponent = storedExponent
    self.storedDigitCount = storedDigitCount
    self.storedFractionDigits = storedFractionDigits
    self.isNegative = isNegative
  }

  /// ±magnitude × 10^−scale, written with `scale` digits after the point, as an on-chain price feed gives it;
  /// nil beyond the bounds or with a negative scale.
  public init?(magnitude: UInt256, scale: Int, isNegative: Bool = false) {
    guard (0...Self.maximumTextLength).contains(scale) else { return nil }
    var significand = magnitude
    var droppedZeros = 0
    while !significand.isZero {
      var tenth = significand
      guard tenth.divide(by: 10) == 0 else { break }
      significand = tenth
      droppedZeros += 1
    }
    var rest = significand
    var digitCount = 0
    while !rest.isZero {
      _ = rest.divide(by: 10)
      digitCount += 1
    }
    self.init(
      significand: significand, digitCount: digitCount, exponent: droppedZeros - scale,
      fractionDigits: scale, isNegative: isNegative)
  }

  var exponent: Int { Int(storedExponent) }

  public var isZero: Bool { storedDigitCount == 0 }

  /// Plain decimal, no exponent, with the digits its source gave: `2.50`, `0.0000001` for `1e-7`, `1500` for
  /// `1.5e3`, `0` for `-0`.
  public var plainText: String {
    var bytes: [UInt8] = []
    appendPlainText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends ``plainText`` as ASCII.
  public func appendPlainText(to output: inout [UInt8]) {
    significand.appendPlainText(
      exponent: exponent, fractionDigits: Int(storedFractionDigits), isNegative: isNegative, to: &output)
  }

  /// One above the exponent of the leading digit: where the number starts.
  private var leadingPosition: Int { Int(storedDigitCount) + exponent }
}

extension ExactDecimal: Hashable {
  /// Numeric: equal numbers may differ in ``plainText``.
  public static func == (left: ExactDecimal, right: ExactDecimal) -> Bool {
    left.significand == right.significand && left.storedExponent == right.storedExponent
      && left.isNegative == right.isNegative
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(significand)
    hasher.combine(storedExponent)
    hasher.combine(isNegative)
  }
}

extension ExactDecimal: Comparable {
  public static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    return left.isNegative
      ? right.magnitudeIsLess(than: left) : left.magnitudeIsLess(than: right)
  }

  private func magnitudeIsLess(than other: ExactDecimal) -> Bool {
    if isZero || other.isZero { return isZero && !other.isZero }
    if leadingPosition != other.leadingPosition { return leadingPosition < other.leadingPosition }
    // They start at the same place: written to the same last place neither has more digits than the longer
    // one has now, at most 77, so neither scaling overflows.
    let common = min(exponent, other.exponent)
    var own = significand
    var others = other.significand
    _ = own.multiplyReportingOverflow(byPowerOfTen: exponent - common)
    _ = others.multiplyReportingOverflow(byPowerOfTen: other.exponent - common)
    return own.isLess(than: others)
  }
}

extension ExactDecimal: CustomStringConvertible {
  public var description: String { plainText }
}
