// A high dynamic range histogram after Gil Tene's.
//
// Theory of operation
//
// For d significant digits a value may be off by one part in 10^d, so 2·10^d steps of equal width are enough to tell
// the values of any range [x, 2x). Rounded up to a power of two that is `slots`. The first bucket has `slots` steps of
// width 1. Each further bucket covers the values twice as large with steps twice as wide; its lower half would repeat
// the bucket before, so only its upper half is stored.
//
//     bucket 0   0 … slots-1             width 1      slots counters
//     bucket 1   slots … 2·slots-1       width 2      slots/2 counters
//     bucket 2   2·slots … 4·slots-1     width 4      slots/2 counters
//
// A value's bucket is the position of its highest bit, its step the bits behind: two shifts and an addition.

/// Counts of values by size, to within a number of significant digits, in memory that does not grow.
///
/// ``record(_:)`` allocates nothing and takes the same few instructions for every value. Of two histograms of the same
/// shape one can be added to the other.
public struct HdrHistogram: Sendable {
  /// 1…5: a value read back is at most one part in 10^digits above what was recorded.
  public let significantDigits: Int
  /// What is larger is counted as this, and in ``saturated``.
  public let highest: UInt64

  private let slotBits: Int
  private var counts: [UInt64]
  /// How many values were recorded.
  public private(set) var count: UInt64 = 0
  /// How many of them were above ``highest``.
  public private(set) var saturated: UInt64 = 0
  /// The largest value recorded, exactly; 0 when there is none.
  public private(set) var max: UInt64 = 0
  private var sum: Double = 0

  /// - Parameters:
  ///   - significantDigits: clamped to 1…5.
  ///   - highest: the largest value told from others; clamped to at least 2.
  public init(significantDigits: Int, highest: UInt64) {
    let digits = Swift.min(Swift.max(significantDigits, 1), 5)
    self.significantDigits = digits
    self.highest = Swift.min(Swift.max(highest, 2), UInt64(Int64.max))
    var steps: UInt64 = 2
    for _ in 0..<digits { steps *= 10 }
    slotBits = UInt64.bitWidth - (steps - 1).leadingZeroBitCount
    counts = []
    counts = Array(repeating: 0, count: index(of: self.highest) + 1)
  }

  /// Counts one value.
  @inline(__always)
  public mutating func record(_ value: UInt64) {
    if value > max { max = value }
    count &+= 1
    sum += Double(value)
    if value > highest {
      saturated &+= 1
      counts[counts.count - 1] &+= 1
    } else {
      counts[index(of: value)] &+= 1
    }
  }

  /// Adds all that `other`, of the same shape, has recorded. One of another shape is not added, and false returned.
  @discardableResult
  public mutating func merge(_ other: HdrHistogram) -> Bool {
    guard other.slotBits == slotBits, other.counts.count == counts.count else { return false }
    for index in counts.indices { counts[index] &+= other.counts[index] }
    count &+= other.count
    saturated &+= other.saturated
    sum += other.sum
    max = Swift.max(max, other.max)
    return true
  }

  /// Forgets all values and keeps the memory.
  public mutating func reset() {
    for index in counts.indices { counts[index] = 0 }
    (count, saturated, sum, max) = (0, 0, 0, 0)
  }

  /// The mean of the values recorded; 0 when there is none.
  public var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// The smallest value that at least `percent` of all values are not above, to within the digits: never less than
  /// it, and never above ``max``. 0 when nothing was recorded.
  public func percentile(_ percent: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let share = Swift.min(Swift.max(percent, 0), 100) / 100
    let rank = Swift.max(1, UInt64((share * Double(count)).rounded(.up)))
    var seen: UInt64 = 0
    for index in counts.indices {
      seen &+= counts[index]
      // What saturated is in the last step, but known to be larger.
      if seen >= rank { return index == counts.count - 1 ? max : Swift.min(top(of: index), max) }
    }
    return max
  }

  /// Bytes of its counters.
  public var heldBytes: Int { counts.capacity * MemoryLayout<UInt64>.stride }

  // MARK: - Steps

  private var halfSlots: Int { 1 << (slotBits - 1) }

  @inline(__always)
  private func index(of value: UInt64) -> Int {
    let highestBit = UInt64.bitWidth - 1 - (value | 1).leadingZeroBitCount
    let bucket = Swift.max(0, highestBit - (slotBits - 1))
    return bucket * halfSlots + Int(truncatingIfNeeded: value >> UInt64(bucket))
  }

  /// The largest value of a step.
  private func top(of index: Int) -> UInt64 {
    let bucket = Swift.max(0, index / halfSlots - 1)
    let step = UInt64(index - bucket * halfSlots)
    return (step + 1) << UInt64(bucket) - 1
  }
}
