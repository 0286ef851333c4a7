import Ethereum
import Ledger
import Testing

@testable import Refresh

struct HeadTrackTests {
  /// A block of one of several forks that part at 100.
  static func block(_ number: UInt64, fork: UInt64 = 0) -> BlockHeader {
    func hash(_ number: UInt64) -> Bytes32 { Bytes32(UInt256(0, 0, number >= 100 ? fork : 0, number)) }
    return BlockHeader(number: number, hash: hash(number), parentHash: hash(number - 1), timestamp: number)
  }

  private static let looks: [(BlockHeader, HeadTrack.Look)] = [
    (block(110), .same), (block(110, fork: 1), .reorganised), (block(111), .next),
    (block(111, fork: 1), .reorganised), (block(112), .ahead), (block(112, fork: 1), .ahead),
    (block(1_000_000), .ahead), (block(105), .behind), (block(105, fork: 1), .reorganised),
    // Not one of those that were seen.
    (block(108), .behind), (block(3), .behind), (block(108, fork: 1), .behind),
  ]

  @Test(arguments: looks)
  func whatALookMeans(_ head: BlockHeader, _ look: HeadTrack.Look) {
    var track = HeadTrack()
    let first = track.look(at: Self.block(105), now: 0)
    #expect(first == .first)
    for number in [105, 110] as [UInt64] { track.accept(Self.block(number)) }
    let found = track.look(at: head, now: 0)
    #expect(found == look)
    #expect(track.held == Self.block(110), "looking changes nothing")
  }

  @Test func aLowerHeadIsBelievedAtTheSecondLook() {
    var track = HeadTrack()
    track.accept(Self.block(1_000))
    let far = [track.look(at: Self.block(7), now: 0), track.look(at: Self.block(8), now: 1)]
    #expect(far == [.behind, .reorganised])
    track.reset()
    track.accept(Self.block(1_000))
    // A node that lags a little is waited for.
    let near = [0, 10_000, 29_999, 30_000].map { track.look(at: Self.block(990), now: $0) }
    #expect(near == [.behind, .behind, .behind, .reorganised])
    // One that has caught up meanwhile did lag.
    let caught = track.look(at: Self.block(1_000), now: 30_000)
    let again = track.look(at: Self.block(990), now: 40_000)
    #expect(caught == .same && again == .behind)
  }

  @Test func whatLaggedIsNoOtherChainHoweverLong() {
    var track = HeadTrack()
    for number in 500...600 as ClosedRange<UInt64> { track.accept(Self.block(number)) }
    let looks = [0, 60_000, 600_000].map { track.look(at: Self.block(590), now: $0) }
    #expect(looks == [.behind, .behind, .behind])
  }
}

extension HeadTrackTests {
  @Test func afterAForkWhatIsAboveItWasNeverSeen() {
    var track = HeadTrack()
    for number in [90, 95, 101, 103] as [UInt64] { track.accept(Self.block(number)) }
    #expect(track.seen(below: 103).map(\.number) == [89, 90, 94, 95, 100, 101, 102], "and their parents")
    #expect(track.seen(below: 95).map(\.hash) == [89, 90, 94].map { Self.block($0).hash })
    track.rewind(to: Self.block(95))
    #expect(track.held == Self.block(95))
    #expect(track.seen(below: .max).map(\.number) == [89, 90, 94, 95])
    let looks = [96, 103].map { track.look(at: Self.block($0, fork: 1), now: 0) }
    #expect(looks == [.next, .ahead])
  }
}
