import Ethereum
import Ledger
import Testing

@testable import Refresh

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
    let plan = wallets.plan(head: test.head, overlap: 2, first: 0, most: 100)
    #expect(plan.from == test.from)
    #expect(plan.through == test.head)
    #expect(plan.wallets.map(\.id).sorted() == test.taking)
    #expect(plan.late == test.late)
    wallets.noteCovered(plan)
    #expect(!wallets.isAnyBehind(test.head, first: 0))
    let again = wallets.plan(head: test.head, overlap: 2, first: 0, most: 100)
    #expect(again.late.isEmpty, "who is late waits for a whole read")
  }

  private struct FirstCase {
    var blocks: [UInt64?]
    var head: UInt64
    var first: UInt64
    var most: UInt64 = 100
    var from: UInt64
    var behind: UInt64
  }
  private static let firstCases: [FirstCase] = [
    FirstCase(blocks: [100], head: 105, first: 0, from: 101, behind: 5),
    FirstCase(blocks: [100], head: 105, first: 1, from: 100, behind: 5),
    FirstCase(blocks: [100], head: 105, first: 30, from: 71, behind: 5),
    FirstCase(blocks: [105], head: 105, first: 30, from: 76, behind: 0),
    // Read at a block that the head's node does not have yet.
    FirstCase(blocks: [110], head: 105, first: 30, from: 76, behind: 0),
    FirstCase(blocks: [10], head: 15, first: 30, from: 0, behind: 5),
    FirstCase(blocks: [0], head: 0, first: 30, from: 0, behind: 0),
    FirstCase(blocks: [.max], head: .max, first: 30, from: .max - 29, behind: 0),
    // As far as there is room.
    FirstCase(blocks: [100], head: 150, first: 70, from: 51, behind: 50),
    FirstCase(blocks: [100], head: 151, first: 70, from: 52, behind: 51),
    FirstCase(blocks: [50], head: 150, first: 70, from: 51, behind: 100),
    FirstCase(blocks: [40, 101], head: 150, first: 70, from: 51, behind: 49),
    FirstCase(blocks: [100], head: 100, first: 70, most: 1, from: 100, behind: 0),
    FirstCase(blocks: [99], head: 100, first: 70, most: 1, from: 100, behind: 1),
  ]

  @Test(arguments: firstCases)
  private func aFirstPassLooksFurtherBack(_ test: FirstCase) {
    var wallets = Self.wallets(test.blocks)
    let plan = wallets.plan(head: test.head, overlap: 0, first: test.first, most: test.most)
    #expect(plan.from == test.from)
    #expect(plan.behind == test.behind)
    wallets.noteCovered(plan)
    guard test.head < .max else { return }
    let next = wallets.plan(head: test.head + 1, overlap: 0, first: test.first, most: test.most)
    #expect(next.from == test.head + 1, "the next one does not")
    wallets.forgetBlocks()
    wallets.noteRead(0, block: test.head + 1)
    let anew = wallets.plan(head: test.head + 2, overlap: 0, first: test.first, most: 200)
    #expect(anew.from == test.head + 2 - min(test.head + 2, test.first))
  }

  @Test func aReadThatEndsLateIsLookedBehind() {
    var wallets = Self.wallets([100])
    let plan = wallets.plan(head: 110, overlap: 0, first: 0, most: 100)
    // It ended while the pass was under way, and is of a block before the pass's.
    wallets.noteRead(0, block: 107)
    wallets.noteCovered(plan)
    #expect(wallets.isAnyBehind(110, first: 0))
    let next = wallets.plan(head: 111, overlap: 0, first: 0, most: 100)
    #expect(next.from == 101)
    wallets.noteCovered(next)
    // And one that ended after it.
    wallets.noteRead(0, block: 109)
    #expect(wallets.plan(head: 112, overlap: 0, first: 0, most: 100).from == 110)
    // A read of a newer block proves nothing about tokens that it did not ask for.
    wallets.noteRead(0, block: 120)
    #expect(wallets.plan(head: 121, overlap: 0, first: 0, most: 100).from == 110)
  }

  @Test func whoLeavesIsForgotten() {
    var wallets = Self.wallets([100, 100])
    wallets.remove(0)
    wallets.noteRead(0, block: 50)
    #expect(wallets.wallet(at: .numbered(0)) == nil)
    #expect(wallets.wallet(at: .numbered(1)) == 1)
    #expect(wallets.plan(head: 101, overlap: 0, first: 0, most: 100).wallets.map(\.id) == [1])
    wallets.forgetBlocks()
    #expect(wallets.plan(head: 101, overlap: 0, first: 0, most: 100).wallets.isEmpty)
    wallets.noteRead(1, block: 101)
    #expect(wallets.plan(head: 102, overlap: 0, first: 0, most: 100).wallets.map(\.id) == [1])
  }

  // MARK: What was not missed

  private static func covered(_ wallets: inout FollowedWallets, _ head: UInt64) {
    wallets.noteCovered(wallets.plan(head: head, overlap: 2, first: 0, most: 100))
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

  @Test func afterAForkBlocksAreLookedAtAgain() {
    var wallets = Self.wallets([100, nil, nil, 110])
    wallets.noteRead(1, block: 108)
    Self.covered(&wallets, 112)
    wallets.remove(3)
    #expect(wallets.rewind(to: 107) == [1], "nothing is known of it without what was read at 108")
    #expect(wallets.continuity(of: 0) == Continuity(since: 101, through: 107))
    #expect(wallets.continuity(of: 1) == nil)
    #expect(wallets.continuity(of: 2) == nil)
    let plan = wallets.plan(head: 111, overlap: 0, first: 0, most: 100)
    #expect(plan.from == 108 && plan.wallets.map(\.id) == [0])
    wallets.noteRead(1, block: 111)
    wallets.add(3, address: .numbered(3), readAt: 112)
    #expect(wallets.continuity(of: 3)?.since == 113, "and what was known of who left is forgotten")
    #expect(wallets.rewind(to: 111) == [3])
    #expect(wallets.rewind(to: 111).isEmpty)
  }

  @Test func firstReadsAreProvenByWhatTheySawOfTheirBlock() {
    var wallets = Self.wallets([nil, nil, nil, 99])
    let traits = BlockTraits(parentHash: Bytes32(UInt256(7)), timestamp: 5)
    let other = BlockTraits(parentHash: Bytes32(UInt256(7)), timestamp: 6)
    wallets.noteRead(0, block: 100, traits: traits)
    wallets.noteRead(1, block: 100, traits: other)
    wallets.noteRead(2, block: 103, traits: traits)
    // It is followed already.
    wallets.noteRead(3, block: 101, traits: traits)
    let reads = wallets.unproven(through: 102)
    #expect(reads.keys.sorted() == [100])
    #expect(reads[100]?.map(\.id).sorted() == [0, 1])
    #expect(reads[100]?.first { $0.id == 1 }?.traits == other)
    wallets.noteProven([(id: 0, traits: traits), (id: 2, traits: other)])
    wallets.forgetBlock(1)
    #expect(wallets.unproven(through: 200).keys.sorted() == [103])
    #expect(wallets.continuity(of: 1) == nil && wallets.continuity(of: 0) != nil)
    // The next read is another one.
    wallets.noteRead(1, block: 104)
    #expect(wallets.unproven(through: 200).keys.sorted() == [103])
  }

  /// What was read in a block that is none of the chain's vouches for nothing, but passes go on from its number.
  @Test func whoseReadWasDisprovenIsStillFollowed() {
    var wallets = Self.wallets([nil])
    wallets.noteRead(0, block: 100, traits: BlockTraits(parentHash: Bytes32(UInt256(7)), timestamp: 5))
    Self.covered(&wallets, 110)
    wallets.noteDisproven(0)
    #expect(wallets.continuity(of: 0) == nil)
    #expect(wallets.unproven(through: 200).isEmpty)
    #expect(wallets.isAnyBehind(110, first: 32) && !wallets.isAnyBehind(110, first: 0))
    #expect(wallets.plan(head: 112, overlap: 0, first: 32, most: 100).from == 79)
    // A part of it says nothing of the whole.
    wallets.noteRead(0, block: 111, isWhole: false)
    #expect(wallets.continuity(of: 0) == nil)
    let traits = BlockTraits(parentHash: Bytes32(UInt256(8)), timestamp: 6)
    wallets.noteRead(0, block: 112, traits: traits)
    #expect(wallets.continuity(of: 0) == Continuity(since: 113, through: 110))
    #expect(wallets.unproven(through: 112)[112]?.map(\.traits) == [traits])
  }

  /// What came in before it was read is looked for at once, not when there is another block.
  @Test func whoIsNewIsLookedAt() {
    var wallets = Self.wallets([nil, 100])
    Self.covered(&wallets, 100)
    #expect(!wallets.isAnyBehind(100, first: 32))
    wallets.noteRead(0, block: 100)
    #expect(wallets.isAnyBehind(100, first: 32) && !wallets.isAnyBehind(100, first: 0))
    Self.covered(&wallets, 100)
    #expect(!wallets.isAnyBehind(100, first: 32))
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

  /// Somebody may have had it read meanwhile, in a block that is no more.
  @Test func whatWasReadOfWhoHadLeftIsNotSure() {
    var wallets = Self.wallets([nil, nil, nil, nil])
    for wallet in 0...3 as ClosedRange<WalletID> { wallets.noteRead(wallet, block: 100) }
    Self.covered(&wallets, 110)
    wallets.remove(0)
    wallets.remove(1)
    wallets.remove(2, isSure: false)
    #expect(wallets.add(0, address: .numbered(0), readAt: 115) == 110)
    #expect(wallets.continuity(of: 0) == Continuity(since: 101, through: 110))
    #expect(wallets.rewind(to: 105).isEmpty)
    #expect(wallets.add(1, address: .numbered(1), readAt: 115) == 105, "a reorganisation since")
    #expect(wallets.continuity(of: 1) == Continuity(since: 101, through: 105))
    // Of the others no pass says anything.
    #expect(wallets.add(2, address: .numbered(2), readAt: 115) == 0)
    #expect(wallets.add(9, address: .numbered(9), readAt: 115) == 0)
    for wallet in [2, 9] as [WalletID] {
      #expect(wallets.continuity(of: wallet) == Continuity(since: 116, through: 115))
    }
    #expect(wallets.add(8, address: .numbered(8), readAt: nil) == nil)
    #expect(wallets.add(9, address: .numbered(9), readAt: 117) == nil, "it is there already")
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
