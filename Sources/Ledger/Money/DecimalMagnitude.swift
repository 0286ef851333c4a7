// The whole-number arithmetic under money: what a decimal's digits need, written once for two sizes.
//
// A decimal is a whole number (its magnitude) times a power of ten. Almost every magnitude fits 256 bits,
// which need no heap; a 256-bit balance times a long price does not. So each algorithm is generic over
// `DecimalMagnitude` and runs on `UInt256` first. Operations that grow a number report overflow; on overflow
// the caller starts again with `Natural`, which grows and never overflows.

/// A natural number that decimal algorithms can run on.
protocol DecimalMagnitude {
  static var one: Self { get }
  var isZero: Bool { get }
  var isOdd: Bool { get }

  /// Returns whether it overflowed; the value is then meaningless.
  mutating func multiplyReportingOverflow(by factor: UInt64) -> Bool

  /// Returns whether it overflowed; the value is then meaningless.
  mutating func addReportingOverflow(_ other: Self) -> Bool

  /// |self − other|
  func distance(from other: Self) -> Self

  func isLess(than other: Self) -> Bool

  /// Divides by a divisor above zero and returns the remainder.
  mutating func divide(by divisor: UInt64) -> UInt64
}

/// 10^0 … 10^19: the powers of ten that fit 64 bits.
let powersOfTen: [UInt64] = [
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
  100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
  10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]

/// The decimal digits of one division: 10^19 is the largest power of ten in 64 bits.
let digitsPerChunk = 19

extension DecimalMagnitude {
  /// Multiplies by 10^`power` (0 or more) and returns whether it overflowed.
  mutating func multiplyReportingOverflow(byPowerOfTen power: Int) -> Bool {
    var left = power
    while left > 0 {
      let step = min(left, digitsPerChunk)
      if multiplyReportingOverflow(by: powersOfTen[step]) { return true }
      left -= step
    }
    return false
  }

  /// Divides by 10^`power` (0 or more), rounding to nearest, a tie to the even neighbour.
  ///
  /// The last digit dropped says which half the rest lies in; whether anything non-zero was dropped before
  /// it (the sticky remainder) tells a tie from a little more than one.
  mutating func divideHalfEven(byPowerOfTen power: Int) {
    guard power > 0 else { return }
    var sticky = false
    var left = power - 1
    while left > 0, !isZero {
      let step = min(left, digitsPerChunk)
      if divide(by: powersOfTen[step]) != 0 { sticky = true }
      left -= step
    }
    let lastDigit = divide(by: 10)
    if lastDigit > 5 || (lastDigit == 5 && (sticky || isOdd)) { increment() }
  }

  /// Appends magnitude × 10^`exponent` with exactly `fractionDigits` digits after the point (no point for 0).
  /// `exponent` is at least −`fractionDigits`, and 0 or less for zero.
  ///
  /// Digits come out of division last first, so they are appended backwards and then turned round.
  func appendPlainText(exponent: Int, fractionDigits: Int, isNegative: Bool, to output: inout [UInt8]) {
    let start = output.count
    var digits = BackwardDigits(fractionDigits: fractionDigits)
    for _ in 0..<max(0, exponent + fractionDigits) { digits.append(0, to: &output) }
    var rest = self
    while !rest.isZero {
      var chunk = rest.divide(by: powersOfTen[digitsPerChunk])
      let digitsAtLeast = rest.isZero ? 1 : digitsPerChunk
      var written = 0
      while written < digitsAtLeast || chunk > 0 {
        let quotient = chunk / 10
        digits.append(UInt8(truncatingIfNeeded: chunk - quotient * 10), to: &output)
        chunk = quotient
        written += 1
      }
    }
    while digits.position <= fractionDigits { digits.append(0, to: &output) }
    if isNegative { output.append(UInt8(ascii: "-")) }
    reverse(&output, from: start)
  }

  /// Callers have just divided by ten, so that one more always fits.
  private mutating func increment() {
    _ = addReportingOverflow(.one)
  }
}

/// Writes digits from the last to the first, with the point where it belongs.
private struct BackwardDigits {
  let fractionDigits: Int
  var position = 0

  init(fractionDigits: Int) { self.fractionDigits = fractionDigits }

  mutating func append(_ digit: UInt8, to output: inout [UInt8]) {
    if position == fractionDigits, position > 0 { output.append(UInt8(ascii: ".")) }
    output.append(UInt8(ascii: "0") &+ digit)
    position += 1
  }
}

/// In place; `output[start...].reverse()` would copy the slice.
private func reverse(_ output: inout [UInt8], from start: Int) {
  var low = start
  var high = output.count - 1
  while low < high {
    output.swapAt(low, high)
    low += 1
    high -= 1
  }
}
