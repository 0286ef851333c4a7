// Single steps on 64-bit limbs. None of them can overflow: each passes on what does not fit.

/// limb × factor + carry; the upper half becomes the carry. (2^64−1)² + 2^64−1 still fits 128 bits.
@inline(__always)
func multiplyLimb(_ limb: UInt64, by factor: UInt64, carry: inout UInt64) -> UInt64 {
  let product = limb.multipliedFullWidth(by: factor)
  let (low, overflow) = product.low.addingReportingOverflow(carry)
  carry = product.high &+ (overflow ? 1 : 0)
  return low
}

/// left + right + carry, where the carry is 0 or 1 before and after.
@inline(__always)
func addLimbs(_ left: UInt64, _ right: UInt64, carry: inout UInt64) -> UInt64 {
  let (sum, overflow) = left.addingReportingOverflow(right)
  let (total, carryOverflow) = sum.addingReportingOverflow(carry)
  carry = overflow || carryOverflow ? 1 : 0
  return total
}

/// left − right − borrow, where the borrow is 0 or 1 before and after.
@inline(__always)
func subtractLimbs(_ left: UInt64, _ right: UInt64, borrow: inout UInt64) -> UInt64 {
  let (difference, overflow) = left.subtractingReportingOverflow(right)
  let (total, borrowOverflow) = difference.subtractingReportingOverflow(borrow)
  borrow = overflow || borrowOverflow ? 1 : 0
  return total
}

/// (remainder × 2^64 + limb) ÷ divisor, where the remainder is below the divisor before and after, so that
/// the quotient fits.
@inline(__always)
func divideLimb(_ limb: UInt64, by divisor: UInt64, remainder: inout UInt64) -> UInt64 {
  guard remainder != 0 else {
    let quotient = limb / divisor
    remainder = limb &- quotient &* divisor
    return quotient
  }
  let result = divisor.dividingFullWidth((remainder, limb))
  remainder = result.remainder
  return result.quotient
}
