import Testing

@testable import WalletPushClient

@Suite struct BackOffTests {
  /// Milliseconds of the first attempts without luck, and with the most of it.
  static let waits: [(random: UInt64, [Int])] = [
    (0, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]),
    (1 << 63, [375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]),
  ]

  @Test(arguments: waits.indices) func doublesUpToALimit(index: Int) {
    let (random, expected) = Self.waits[index]
    var backOff = BackOff(first: .milliseconds(500), longest: .seconds(30))
    for wait in expected { #expect(backOff.next(announced: nil, random: random) == .milliseconds(wait)) }
    backOff.reset()
    #expect(backOff.next(announced: nil, random: random) == .milliseconds(expected[0]))
  }

  @Test func staysBelowTheCeiling() {
    var backOff = BackOff(first: .milliseconds(500), longest: .seconds(30))
    for _ in 0..<100 { #expect(backOff.next(announced: nil, random: .max) <= .seconds(30)) }
  }

  @Test func obeysTheServer() {
    var backOff = BackOff(first: .milliseconds(500), longest: .seconds(30))
    #expect(backOff.next(announced: .milliseconds(3_172), random: 5) == .milliseconds(3_172))
    #expect(backOff.next(announced: .zero, random: 5) == .zero)
    #expect(backOff.next(announced: .seconds(86_400), random: 5) == BackOff.announcedMax)
    // Attempts are attempts, whoever said when.
    #expect(backOff.next(announced: nil, random: 0) == .seconds(2))
  }
}
