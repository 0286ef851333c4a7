/// A 256-bit quantity, what the EVM computes with: balances, prices of feeds, block numbers.
public struct UInt256: Sendable, Hashable {
  /// The 64-bit words, the most significant first, as they stand in a big-endian word.
  public let w3, w2, w1, w0: UInt64

  /// The most significant word first.
  @inlinable
  public init(_ w3: UInt64, _ w2: UInt64, _ w1: UInt64, _ w0: UInt64) {
    self.w3 = w3
    self.w2 = w2
    self.w1 = w1
    self.w0 = w0
  }

  @inlinable
  public init(_ value: UInt64) { self.init(0, 0, 0, value) }

  public static let zero = UInt256(0)
  public static let max = UInt256(.max, .max, .max, .max)

  @inlinable
  public var isZero: Bool { w3 | w2 | w1 | w0 == 0 }

  /// The value, where it fits.
  @inlinable
  public var uint64: UInt64? { w3 | w2 | w1 == 0 ? w0 : nil }

  /// The value, where it fits.
  @inlinable
  public var uint128: UInt128? { w3 | w2 == 0 ? UInt128(w1) << 64 | UInt128(w0) : nil }

  /// The nearest binary float, for charts and logs; not for money.
  public var double: Double {
    ((Double(w3) * 0x1p64 + Double(w2)) * 0x1p64 + Double(w1)) * 0x1p64 + Double(w0)
  }
}

extension UInt256: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: UInt64) { self.init(value) }
}

extension UInt256: Comparable {
  @inlinable
  public static func < (left: UInt256, right: UInt256) -> Bool {
    if left.w3 != right.w3 { return left.w3 < right.w3 }
    if left.w2 != right.w2 { return left.w2 < right.w2 }
    if left.w1 != right.w1 { return left.w1 < right.w1 }
    return left.w0 < right.w0
  }
}

// Arithmetic. Nothing here traps, save a division by zero.
extension UInt256 {
  /// The sum modulo 2^256.
  public func addingReportingOverflow(_ other: UInt256) -> (partialValue: UInt256, overflow: Bool) {
    var carry = false
    func add(_ a: UInt64, _ b: UInt64) -> UInt64 {
      let (sum, first) = a.addingReportingOverflow(b)
      let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
      carry = first || second
      return total
    }
    let r0 = add(w0, other.w0)
    let r1 = add(w1, other.w1)
    let r2 = add(w2, other.w2)
    let r3 = add(w3, other.w3)
    return (UInt256(r3, r2, r1, r0), carry)
  }

  /// The difference modulo 2^256.
  public func subtractingReportingOverflow(_ other: UInt256) -> (partialValue: UInt256, overflow: Bool) {
    var borrow = false
    func subtract(_ a: UInt64, _ b: UInt64) -> UInt64 {
      let (difference, first) = a.subtractingReportingOverflow(b)
      let (total, second) = difference.subtractingReportingOverflow(borrow ? 1 : 0)
      borrow = first || second
      return total
    }
    let r0 = subtract(w0, other.w0)
    let r1 = subtract(w1, other.w1)
    let r2 = subtract(w2, other.w2)
    let r3 = subtract(w3, other.w3)
    return (UInt256(r3, r2, r1, r0), borrow)
  }

  /// The whole product: `high` · 2^256 + `low`.
  public func multipliedFullWidth(by factor: UInt64) -> (high: UInt64, low: UInt256) {
    var carry: UInt64 = 0
    func multiply(_ word: UInt64) -> UInt64 {
      // (2^64−1)² + (2^64−1) fits 128 bits.
      let (high, low) = word.multipliedFullWidth(by: factor)
      let (sum, overflow) = low.addingReportingOverflow(carry)
      carry = high &+ (overflow ? 1 : 0)
      return sum
    }
    let r0 = multiply(w0)
    let r1 = multiply(w1)
    let r2 = multiply(w2)
    let r3 = multiply(w3)
    return (carry, UInt256(r3, r2, r1, r0))
  }

  /// The whole product: `high` · 2^256 + `low`.
  public func multipliedFullWidth(by factor: UInt256) -> (high: UInt256, low: UInt256) {
    // Long multiplication, one word of the factor after the other; `sum` is what is not final yet.
    var sum = UInt256.zero
    var low = InlineArray<4, UInt64>(repeating: 0)
    let words: InlineArray<4, UInt64> = [factor.w0, factor.w1, factor.w2, factor.w3]
    for position in 0..<4 {
      let row = multipliedFullWidth(by: words[position])
      let (partial, carry) = sum.addingReportingOverflow(row.low)
      let high = row.high &+ (carry ? 1 : 0)
      low[position] = partial.w0
      sum = UInt256(high, partial.w3, partial.w2, partial.w1)
    }
    return (sum, UInt256(low[3], low[2], low[1], low[0]))
  }

  /// - Parameter divisor: not 0.
  public func quotientAndRemainder(
    dividingBy divisor: UInt64
  ) -> (quotient: UInt256, remainder: UInt64) {
    var remainder: UInt64 = 0
    func divide(_ word: UInt64) -> UInt64 {
      if remainder == 0, word < divisor {
        remainder = word
        return 0
      }
      let (quotient, rest) = divisor.dividingFullWidth((remainder, word))
      remainder = rest
      return quotient
    }
    let r3 = divide(w3)
    let r2 = divide(w2)
    let r1 = divide(w1)
    let r0 = divide(w0)
    return (UInt256(r3, r2, r1, r0), remainder)
  }
}

// Big-endian words, as in calldata and return data.
extension UInt256 {
  /// The word that begins at `offset`; nil where fewer than 32 bytes are left.
  public init?(bigEndian bytes: Span<UInt8>, at offset: Int = 0) {
    guard offset >= 0, offset <= bytes.count, bytes.count - offset >= 32 else { return nil }
    let raw = bytes.bytes
    func word(_ start: Int) -> UInt64 {
      UInt64(bigEndian: raw.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
    }
    self.init(word(offset), word(offset + 8), word(offset + 16), word(offset + 24))
  }

  /// Appends the 32 bytes of the big-endian word.
  public func append(to output: inout [UInt8]) {
    withUnsafeBytes(of: (w3.bigEndian, w2.bigEndian, w1.bigEndian, w0.bigEndian)) {
      output.append(contentsOf: $0)
    }
  }

  /// The 32 bytes of the big-endian word.
  public var bigEndianBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    append(to: &bytes)
    return bytes
  }

  /// The byte at `index` of the big-endian word, 0 … 31, the most significant first.
  public func byte(_ index: Int) -> UInt8 {
    let words: InlineArray<4, UInt64> = [w3, w2, w1, w0]
    return UInt8(truncatingIfNeeded: words[index / 8] >> UInt64(56 - index % 8 * 8))
  }
}
