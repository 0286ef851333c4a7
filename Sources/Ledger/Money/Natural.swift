import Ethereum

/// A natural number of any size, for the few values that outgrow 256 bits.
///
/// Its size is bounded by what goes in: a product of two 256-bit numbers, shifted by the exponents that
/// ``ExactDecimal`` and ``Valuation`` allow, stays below 2,048 bits, and a sum grows by a bit per doubling.
struct Natural: DecimalMagnitude, Sendable, Hashable {
  /// Lowest first, without zero limbs at the end; zero has none.
  private var limbs: [UInt64]

  init(_ number: UInt256) {
    limbs = [number.w0, number.w1, number.w2, number.w3]
    dropZeroLimbs()
  }

  private init(limbs: [UInt64]) {
    self.limbs = limbs
    dropZeroLimbs()
  }

  static var one: Natural { Natural(limbs: [1]) }

  var isZero: Bool { limbs.isEmpty }

  var isOdd: Bool { (limbs.first ?? 0) & 1 == 1 }

  /// Never overflows.
  mutating func multiplyReportingOverflow(by factor: UInt64) -> Bool {
    var carry: UInt64 = 0
    for index in limbs.indices { limbs[index] = multiplyLimb(limbs[index], by: factor, carry: &carry) }
    if carry != 0 { limbs.append(carry) }
    dropZeroLimbs()
    return false
  }

  /// Schoolbook multiplication, limb by limb.
  func multiplied(by factor: Natural) -> Natural {
    var product = [UInt64](repeating: 0, count: limbs.count + factor.limbs.count)
    for (shift, limb) in factor.limbs.enumerated() {
      var productCarry: UInt64 = 0
      var sumCarry: UInt64 = 0
      for index in limbs.indices {
        let partial = multiplyLimb(limbs[index], by: limb, carry: &productCarry)
        product[shift + index] = addLimbs(product[shift + index], partial, carry: &sumCarry)
      }
      // The sum so far is below (self × 2^(64 × (shift + 1))), so the topmost limb takes both carries.
      product[shift + limbs.count] = productCarry &+ sumCarry
    }
    return Natural(limbs: product)
  }

  /// Never overflows.
  mutating func addReportingOverflow(_ other: Natural) -> Bool {
    var carry: UInt64 = 0
    for index in 0..<max(limbs.count, other.limbs.count) {
      let sum = addLimbs(limb(index), other.limb(index), carry: &carry)
      if index < limbs.count { limbs[index] = sum } else { limbs.append(sum) }
    }
    if carry != 0 { limbs.append(carry) }
    return false
  }

  func distance(from other: Natural) -> Natural {
    if isLess(than: other) { return other.distance(from: self) }
    var difference = limbs
    var borrow: UInt64 = 0
    for index in limbs.indices {
      difference[index] = subtractLimbs(limbs[index], other.limb(index), borrow: &borrow)
    }
    return Natural(limbs: difference)
  }

  func isLess(than other: Natural) -> Bool {
    if limbs.count != other.limbs.count { return limbs.count < other.limbs.count }
    for index in limbs.indices.reversed() where limbs[index] != other.limbs[index] {
      return limbs[index] < other.limbs[index]
    }
    return false
  }

  mutating func divide(by divisor: UInt64) -> UInt64 {
    var remainder: UInt64 = 0
    for index in limbs.indices.reversed() {
      limbs[index] = divideLimb(limbs[index], by: divisor, remainder: &remainder)
    }
    dropZeroLimbs()
    return remainder
  }

  private func limb(_ index: Int) -> UInt64 {
    index < limbs.count ? limbs[index] : 0
  }

  private mutating func dropZeroLimbs() {
    while limbs.last == 0 { limbs.removeLast() }
  }
}
