import Ethereum

// `UInt256` as a decimal's magnitude: four words, no heap.

extension UInt256: DecimalMagnitude {
  static var one: UInt256 { UInt256(1) }

  var isOdd: Bool { w0 & 1 == 1 }

  mutating func multiplyReportingOverflow(by factor: UInt64) -> Bool {
    let product = multipliedFullWidth(by: factor)
    self = product.low
    return product.high != 0
  }

  /// Returns whether it overflowed; the value is then meaningless.
  mutating func multiplyReportingOverflow(by factor: UInt256) -> Bool {
    if let small = factor.uint64 { return multiplyReportingOverflow(by: small) }
    let product = multipliedFullWidth(by: factor)
    self = product.low
    return !product.high.isZero
  }

  mutating func addReportingOverflow(_ other: UInt256) -> Bool {
    let sum = addingReportingOverflow(other)
    self = sum.partialValue
    return sum.overflow
  }

  func distance(from other: UInt256) -> UInt256 {
    self < other
      ? other.subtractingReportingOverflow(self).partialValue
      : subtractingReportingOverflow(other).partialValue
  }

  func isLess(than other: UInt256) -> Bool {
    self < other
  }

  mutating func divide(by divisor: UInt64) -> UInt64 {
    let result = quotientAndRemainder(dividingBy: divisor)
    self = result.quotient
    return result.remainder
  }
}
