import Ethereum
import Ledger
import Testing

@testable import Refresh

struct HeadTrackTests {
  /// A block of one of several forks that part at 100.
  private static func block(_ number: UInt64, fork: UInt64 = 0) -> BlockHeader {
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

struct FollowedWalletsTests {
  private static func wallets(_ blocks: [UInt64?]) -> FollowedWallets {
    var wallets = FollowedWallets()
    for (index, block) in blocks.enumerated() {
      wallets.add(WalletID(index), address: .numbered(UInt64(index)), readAt: block)
    }
    return wallets
  }

  private struct Case {
    var blocks: [UInt64?]
    var head: UInt64
    var from: UInt64
    var taking: [WalletID]
    var late: [WalletID] = []
  }
  private static let cases: [Case] = [
    Case(blocks: [100], head: 105, from: 99, taking: [0]),
    Case(blocks: [100, 103], head: 105, from: 99, taking: [0, 1]),
    Case(blocks: [104, nil], head: 105, from: 103, taking: [0]),
    Case(blocks: [nil], head: 105, from: 103, taking: []),
    // Read at a block that the head's node does not have yet.
    Case(blocks: [110], head: 105, from: 103, taking: [0]),
    Case(blocks: [105], head: 105, from: 103, taking: [0]),
    Case(blocks: [5, 100], head: 105, from: 4, taking: [0, 1]),
    Case(blocks: [4, 100], head: 105, from: 99, taking: [1], late: [0]),
    Case(blocks: [0], head: 1, from: 0, taking: [0]),
    Case(blocks: [.max], head: .max, from: .max - 2, taking: [0]),
  ]

  @Test(arguments: cases)
  private func whereAPassBegins(_ test: Case) {
    var wallets = Self.wallets(test.blocks)
    let plan = wallets.plan(head: test.head, overlap: 2, most: 100)
    #expect(plan.from == test.from)
    #expect(plan.through == test.head)
    #expect(plan.wallets.map(\.id).sorted() == test.taking)
    #expect(plan.late == test.late)
    wallets.noteCovered(plan)
    #expect(!wallets.isAnyBehind(test.head))
    let again = wallets.plan(head: test.head, overlap: 2, most: 100)
    #expect(again.late.isEmpty, "who is late waits for a whole read")
  }

  @Test func aReadThatEndsLateIsLookedBehind() {
    var wallets = Self.wallets([100])
    let plan = wallets.plan(head: 110, overlap: 0, most: 100)
    // It ended while the pass was under way, and is of a block before the pass's.
    wallets.noteRead(0, block: 107)
    wallets.noteCovered(plan)
    #expect(wallets.isAnyBehind(110))
    let next = wallets.plan(head: 111, overlap: 0, most: 100)
    #expect(next.from == 101)
    wallets.noteCovered(next)
    // And one that ended after it.
    wallets.noteRead(0, block: 109)
    #expect(wallets.plan(head: 112, overlap: 0, most: 100).from == 110)
    // A read of a newer block proves nothing about tokens that it did not ask for.
    wallets.noteRead(0, block: 120)
    #expect(wallets.plan(head: 121, overlap: 0, most: 100).from == 110)
  }

  @Test func whoLeavesIsForgotten() {
    var wallets = Self.wallets([100, 100])
    wallets.remove(0)
    wallets.noteRead(0, block: 50)
    #expect(wallets.wallet(at: .numbered(0)) == nil)
    #expect(wallets.wallet(at: .numbered(1)) == 1)
    #expect(wallets.plan(head: 101, overlap: 0, most: 100).wallets.map(\.id) == [1])
    wallets.forgetBlocks()
    #expect(wallets.plan(head: 101, overlap: 0, most: 100).wallets.isEmpty)
    wallets.noteRead(1, block: 101)
    #expect(wallets.plan(head: 102, overlap: 0, most: 100).wallets.map(\.id) == [1])
  }

  // MARK: What was not missed

  private static func covered(_ wallets: inout FollowedWallets, _ head: UInt64) {
    wallets.noteCovered(wallets.plan(head: head, overlap: 2, most: 100))
  }

  @Test func nothingIsMissedFromTheFirstWholeReadOn() {
    var wallets = Self.wallets([nil])
    #expect(wallets.continuity(of: 0) == nil)
    wallets.noteRead(0, block: 100, isWhole: false)
    #expect(wallets.continuity(of: 0) == nil, "what it left out is not known")
    wallets.noteRead(0, block: 100)
    #expect(wallets.continuity(of: 0) == Continuity(since: 101, through: 100))
    Self.covered(&wallets, 110)
    wallets.noteRead(0, block: 120, isWhole: false)
    wallets.noteRead(0, block: 120)
    #expect(wallets.continuity(of: 0) == Continuity(since: 101, through: 110))
    wallets.noteSign(0, at: 108)
    #expect(wallets.continuity(of: 0)?.since == 108)
    wallets.noteSign(0, at: 105)
    #expect(wallets.continuity(of: 0)?.since == 108)
    // Too far behind.
    Self.covered(&wallets, 300)
    #expect(wallets.continuity(of: 0) == nil)
    wallets.noteRead(0, block: 300)
    #expect(wallets.continuity(of: 0) == Continuity(since: 301, through: 300))
    wallets.forgetBlocks()
    #expect(wallets.continuity(of: 0) == nil)
  }

  @Test func anotherNativeBalanceIsASign() {
    var wallets = Self.wallets([nil])
    wallets.noteRead(0, block: 100, native: 5)
    let sinces = [(5, 110), (5, 111), (6, 112), (6, 113), (nil, 114), (6, 115), (6, 116)].map {
      (balance: UInt256?, block: UInt64) in
      wallets.noteNative(0, balance, at: block)
      return wallets.continuity(of: 0)?.since
    }
    #expect(sinces == [101, 101, 112, 112, 114, 114, 114])
    wallets.forgetBlocks()
    wallets.noteNative(0, 7, at: 120)
    #expect(wallets.continuity(of: 0) == nil)
  }

  /// Clients come back all the time.
  @Test func whoComesBackGoesOnWhereTheWalletWasLeft() {
    var wallets = Self.wallets([nil, nil])
    for wallet in 0...1 as ClosedRange<WalletID> { wallets.noteRead(wallet, block: 100) }
    Self.covered(&wallets, 110)
    wallets.remove(0)
    Self.covered(&wallets, 120)
    wallets.add(0, address: .numbered(0), readAt: 110)
    #expect(wallets.continuity(of: 0) == Continuity(since: 101, through: 110))
    // Not after something was missed, and not without a block.
    wallets.remove(0)
    wallets.forgetBlocks()
    wallets.add(0, address: .numbered(0), readAt: 110)
    #expect(wallets.continuity(of: 0) == Continuity(since: 111, through: 110))
    wallets.remove(0)
    wallets.add(0, address: .numbered(0), readAt: nil)
    #expect(wallets.continuity(of: 0) == nil)
  }

  @Test func whoLeftIsNotRememberedWithoutEnd() {
    var wallets = FollowedWallets()
    for wallet in 0..<WalletID(FollowedWallets.leftMaximum) * 2 + 5 {
      wallets.add(wallet, address: .numbered(UInt64(wallet)), readAt: 100)
      wallets.remove(wallet)
    }
    #expect(wallets.leftCount == 5)
  }
}
