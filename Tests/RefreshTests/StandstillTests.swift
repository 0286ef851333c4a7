import Testing

@testable import Refresh

struct StandstillTests {
  private static let limit = Duration.seconds(60)

  @Test func anOldHeadIsAStandstillWhereBlocksComeByTheClock() {
    var standstill = Standstill(limit: Self.limit)
    #expect(standstill.since(now: 1_000_000) == nil, "nothing was seen")
    standstill.look(.node, 7, timestamp: 100)
    let ages = [100_000, 160_000, 160_001, 900_000].map { standstill.since(now: $0) }
    #expect(ages == [nil, nil, 100_000, 100_000])
    standstill.look(.node, 8, timestamp: 900)
    #expect(standstill.since(now: 900_000) == nil)
    // A node whose clock is ahead.
    standstill.look(.node, 9, timestamp: 2_000)
    #expect(standstill.since(now: 900_000) == nil)
  }

  @Test func theNewestOfBothKindsCounts() {
    var standstill = Standstill(limit: Self.limit)
    // Contracts may count other blocks than the node.
    standstill.look(.node, 1_000_000, timestamp: 100)
    standstill.look(.reading, 7, timestamp: 200)
    #expect(standstill.since(now: 250_000) == nil)
    // One that tells contracts the time of now has no newer block for that.
    standstill.look(.reading, 7, timestamp: 400)
    #expect(standstill.since(now: 400_000) == 200_000)
  }

  @Test func aHeadThatNobodySaysIsLostUntilSomebodyDoes() {
    var standstill = Standstill(limit: nil)
    standstill.look(.node, 7, timestamp: 100)
    standstill.lost(now: 5_000)
    standstill.lost(now: 9_000)
    #expect(standstill.since(now: 9_000) == 5_000 && standstill.isLost)
    for kind in [EndpointTable.HeadKind.node, .reading] {
      standstill.lost(now: 5_000)
      standstill.look(kind, 7, timestamp: 100)
      #expect(standstill.since(now: 9_000) == nil && !standstill.isLost)
    }
    standstill.lost(now: 5_000)
    standstill.forget()
    #expect(standstill.since(now: 9_000) == nil)
  }

  @Test func withoutALimitAgeSaysNothing() {
    var standstill = Standstill(limit: nil)
    standstill.look(.node, 7, timestamp: 100)
    #expect(standstill.since(now: 1_000_000_000_000) == nil)
  }

  @Test func timesBeyondAllBoundsTrapNothing() {
    var standstill = Standstill(limit: Self.limit)
    for time in [UInt64.max, .max / 1_000, .max / 1_000 + 1, 0] as [UInt64] {
      standstill.look(.node, .max, timestamp: time)
      _ = standstill.since(now: 1_000)
      standstill.forget()
    }
  }

  @Test func aBlockThatWasAnnouncedIsWaitedForAWhile() {
    var standstill = Standstill(limit: nil)
    standstill.announced(8, now: 0)
    #expect(standstill.since(now: 100_000) == nil, "nothing to compare it with")
    standstill.look(.node, 7, timestamp: 1)
    for number in [6, 7, 7 + Standstill.leadMaximum + 1] as [UInt64] { standstill.announced(number, now: 0) }
    #expect(standstill.since(now: 100_000) == nil, "no news, or beyond belief")
    standstill.announced(8, now: 10_000)
    standstill.announced(9, now: 35_000)
    standstill.look(.node, 7, timestamp: 1)
    #expect([39_999, 40_000].map { standstill.since(now: $0) } == [nil, 10_000])
    standstill.look(.node, 8, timestamp: 1)
    #expect(standstill.since(now: 100_000) == nil)
  }

  @Test func aChainThatWasSetBackOwesNoBlock() {
    var standstill = Standstill(limit: nil)
    standstill.look(.node, 700, timestamp: 1)
    standstill.announced(701, now: 0)
    standstill.look(.node, 3, timestamp: 1)
    #expect(standstill.since(now: 100_000) == nil)
  }

  @Test func whenNobodyLooksNothingIsKnown() {
    var standstill = Standstill(limit: Self.limit)
    standstill.look(.node, 7, timestamp: 1)
    standstill.announced(8, now: 0)
    standstill.forget()
    #expect(standstill.since(now: 1_000_000) == nil)
  }
}
