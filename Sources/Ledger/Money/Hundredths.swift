import Ethereum

/// A decimal with two places, in hundredths: a percentage as clients see it. −120 is `-1.20`.
public struct Hundredths: Sendable, Hashable, Comparable {
  public var value: Int64

  public init(value: Int64) {
    self.value = value
  }

  /// Always two places: `-1.20`, `0.05`, `0.00` (never `-0.00`).
  public var text: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends ``text`` as ASCII.
  public func append(to output: inout [UInt8]) {
    UInt256(value.magnitude).appendPlainText(
      exponent: -2, fractionDigits: 2, isNegative: value < 0, to: &output)
  }

  /// |self − old| > limit, in hundredths.
  public func moved(from old: Hundredths, byMoreThan limit: UInt64) -> Bool {
    // The distance of two Int64 always fits UInt64.
    let distance = value > old.value ? value &- old.value : old.value &- value
    return UInt64(bitPattern: distance) > limit
  }

  public static func < (left: Hundredths, right: Hundredths) -> Bool {
    left.value < right.value
  }
}

extension Hundredths: CustomStringConvertible {
  public var description: String { text }
}

extension ExactDecimal {
  /// To two places, a tie to the even neighbour (0.005 → 0.00, 0.015 → 0.02); nil if it does not fit.
  public func roundedToHundredths() -> Hundredths? {
    var magnitude = significand
    let shift = exponent + 2
    if shift >= 0 {
      if magnitude.multiplyReportingOverflow(byPowerOfTen: shift) { return nil }
    } else {
      magnitude.divideHalfEven(byPowerOfTen: -shift)
    }
    guard let rounded = magnitude.uint64 else { return nil }
    if isNegative {
      guard rounded <= Int64.min.magnitude else { return nil }
      return Hundredths(value: Int64(truncatingIfNeeded: 0 &- rounded))
    }
    guard let value = Int64(exactly: rounded) else { return nil }
    return Hundredths(value: value)
  }
}
