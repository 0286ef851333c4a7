import TestSupport
import Testing

@testable import Load

@Suite struct HdrHistogramTests {
  static let percents = [0, 0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100]

  /// Values of some shape, below 2^40.
  enum Shape: CaseIterable, CustomTestStringConvertible {
    case small, uniform, anyMagnitude, constant, twoHumps

    func values(_ count: Int, _ random: inout SeededGenerator) -> [UInt64] {
      (0..<count).map { index in
        switch self {
        case .small: .random(in: 0..<3_000, using: &random)
        case .uniform: .random(in: 0..<(1 << 32), using: &random)
        case .anyMagnitude: random.next() >> UInt64.random(in: 24..<64, using: &random)
        case .constant: 123_456_789
        case .twoHumps:
          index % 100 == 0
            ? .random(in: 900_000..<1_000_000, using: &random) : .random(in: 50..<70, using: &random)
        }
      }
    }

    var testDescription: String { "\(self)" }
  }

  /// The smallest value that so many percent are not above.
  private func exact(_ percent: Double, of sorted: [UInt64]) -> UInt64 {
    sorted[max(1, Int((percent / 100 * Double(sorted.count)).rounded(.up))) - 1]
  }

  private func expectClose(_ histogram: HdrHistogram, to values: [UInt64], _ comment: Comment) {
    let sorted = values.sorted()
    var slack = 1.0
    for _ in 0..<histogram.significantDigits { slack /= 10 }
    for percent in Self.percents {
      let expected = exact(percent, of: sorted)
      let found = histogram.percentile(percent)
      #expect(found >= expected, comment)
      #expect(Double(found) <= Double(expected) * (1 + slack), comment)
    }
    #expect(histogram.max == sorted.last, comment)
    #expect(histogram.count == UInt64(values.count), comment)
    let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
    #expect(abs(histogram.mean - mean) <= mean * 1e-9, comment)
  }

  @Test(arguments: Shape.allCases, [1, 3, 4])
  func percentilesAreExactToTheDigits(_ shape: Shape, _ digits: Int) {
    for count in [1, 7, 1_000] {
      let seed = UInt64(count * 10 + digits)
      var random = SeededGenerator(seed: seed)
      let values = shape.values(count, &random)
      var histogram = HdrHistogram(significantDigits: digits, highest: 1 << 40)
      let held = histogram.heldBytes
      for value in values { histogram.record(value) }
      expectClose(histogram, to: values, "seed \(seed)")
      #expect(histogram.heldBytes == held)
    }
  }

  /// Around the edges of all buckets: nothing falls out of its step, and steps do not overlap.
  @Test(arguments: [1, 3]) func everyStepHoldsItsValues(_ digits: Int) {
    var slack: UInt64 = 1
    for _ in 0..<digits { slack *= 10 }
    for bit in stride(from: 0, to: 63, by: digits) {
      for offset in -1...1 {
        let value = UInt64(max(0, (1 << bit) + offset))
        var histogram = HdrHistogram(significantDigits: digits, highest: UInt64(Int64.max))
        histogram.record(value)
        // Another above keeps the step's own end in sight.
        histogram.record(.max >> 1)
        let found = histogram.percentile(50)
        #expect(found >= value && found - value <= value / slack, "\(value) was read as \(found)")
      }
    }
  }

  @Test func mergingIsRecordingEverything() {
    var random = SeededGenerator(seed: 9)
    let parts = (0..<4).map { Shape.anyMagnitude.values(500 * $0 + 1, &random) }
    var merged = HdrHistogram(significantDigits: 3, highest: 1 << 40)
    for part in parts {
      var histogram = HdrHistogram(significantDigits: 3, highest: 1 << 40)
      for value in part { histogram.record(value) }
      let isMerged = merged.merge(histogram)
      #expect(isMerged)
    }
    expectClose(merged, to: parts.flatMap { $0 }, "merged")
    let other = HdrHistogram(significantDigits: 2, highest: 1 << 40)
    let shorter = HdrHistogram(significantDigits: 3, highest: 1 << 30)
    let (first, second) = (merged.merge(other), merged.merge(shorter))
    #expect(!first && !second)
    expectClose(merged, to: parts.flatMap { $0 }, "as before")
  }

  @Test func whatIsTooLargeIsCountedAndNotLost() {
    var histogram = HdrHistogram(significantDigits: 3, highest: 1_000_000)
    for value: UInt64 in [5, 6, 2_000_000, .max] { histogram.record(value) }
    #expect(histogram.saturated == 2)
    #expect(histogram.count == 4)
    #expect(histogram.percentile(50) == 6)
    #expect(histogram.percentile(100) == .max)
  }

  @Test func nothingRecordedIsZero() {
    var histogram = HdrHistogram(significantDigits: 3, highest: 1_000)
    for _ in 0..<2 {
      #expect(Self.percents.allSatisfy { histogram.percentile($0) == 0 })
      #expect(histogram.max == 0 && histogram.mean == 0 && histogram.count == 0 && histogram.saturated == 0)
      histogram.record(5_000)
      #expect(histogram.max == 5_000)
      histogram.reset()
    }
  }

  /// Whatever is asked for.
  @Test func shapesAreClamped() {
    for (digits, highest) in [(-4, UInt64(0)), (0, 1), (99, 2), (5, .max)] {
      var histogram = HdrHistogram(significantDigits: digits, highest: min(highest, 1 << 24))
      histogram.record(1)
      #expect(histogram.percentile(100) == 1)
      #expect((1...5).contains(histogram.significantDigits))
    }
  }
}
