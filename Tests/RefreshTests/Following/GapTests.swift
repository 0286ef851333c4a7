import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// Chains that are faster than passes.
@Suite(.timeLimit(.minutes(10)))
struct GapTests {
  private static let range = 8

  /// The owner is watched, read and followed; passes over at most 8 blocks are made when a test says so.
  private func withWatched(
    _ body: (Fixture, WalletID, ChainFollower) async throws -> Void
  ) async throws {
    var follow = FollowSettings.quick
    follow.poll = .seconds(3_600)
    follow.rangeMaximum = UInt64(Self.range)
    let fixture = try await Fixture(tokens: 3, follow: follow)
    try await withFixture(fixture) { fixture in
      // The first block's changes have no logs.
      try await fixture.mine { _ in }
      await fixture.service.start()
      fixture.watch([fixture.key])
      let wallet = try await fixture.register()
      try await fixture.untilFollowed([wallet])
      try await fixture.pass()
      try await body(fixture, wallet, try #require(await fixture.service.followers[fixture.chain.code]))
    }
  }

  private func mine(_ fixture: Fixture, blocks: Int, minting amount: UInt64) async throws {
    try await fixture.mine { chain in
      try chain.mint(.numbered(1), to: Fixture.owner, amount: UInt256(amount))
      for _ in 1..<blocks { chain.mine() }
    }
  }

  /// However often it happens, the next pass does not have to wait for the end of a pause, in which the chain would be
  /// too far ahead again.
  @Test func whereEveryPassComesTooLateEachBringsANewerBlock() async throws {
    try await withWatched { fixture, wallet, follower in
      for gap in 1...12 as ClosedRange<UInt64> {
        try await mine(fixture, blocks: Self.range + 20, minting: 1)
        let head = try await fixture.node.withChain { $0.head.number }
        let reads = try await fixture.calls
        follower.headAnnounced()
        try await until { await fixture.ledger.wallet(wallet)?.block == head }
        #expect(await fixture.rows(wallet).contains("1=\(gap)"))
        // And from there on it is followed, by a pass that nobody has to announce.
        try await until { await follower.track.held?.number == head }
        #expect(await follower.restarts == 0)
        #expect(try await fixture.calls <= reads + 3, "one whole read, and what passes ask")
      }
      try await mine(fixture, blocks: 1, minting: 1)
      let readAt = await fixture.ledger.wallet(wallet)?.block
      try await fixture.pass()
      #expect(await fixture.rows(wallet).contains("1=13"))
      #expect(await fixture.ledger.wallet(wallet)?.block == readAt, "no whole read")
    }
  }

  /// Polling alone would be too slow for this chain.
  @Test func afterManyBlocksTheNextPassComesSoon() async throws {
    try await withWatched { fixture, wallet, follower in
      try await mine(fixture, blocks: Self.range - 2, minting: 1)
      let before = try await fixture.node.chainStatistics.methods["eth_getBlockByNumber", default: 0]
      try await fixture.pass()
      #expect(await fixture.rows(wallet).contains("1=1"))
      // The pass itself, and one more.
      try await until {
        try await fixture.node.chainStatistics.methods["eth_getBlockByNumber", default: 0] >= before + 2
      }
      try await until { await !follower.isHurried }
    }
  }

  @Test(
    arguments: [
      (0, false, false), (250, false, false), (251, false, true), (500, false, true),
      // In 2 seconds instead of 12.
      (0, true, false), (41, true, false), (42, true, true), (251, true, true),
    ] as [(UInt64, Bool, Bool)])
  func howManyBlocksAreTooManyForPolling(_ blocks: UInt64, isHurried: Bool, _ isTooSlow: Bool) {
    let settings = FollowSettings(poll: .seconds(12))
    #expect(settings.isPollTooSlow(for: blocks, isHurried: isHurried) == isTooSlow)
    // Polling cannot be faster than passes are.
    #expect(!FollowSettings(poll: .zero).isPollTooSlow(for: 250, isHurried: isHurried))
  }

  /// A head so high that no wallet's last read is near it, and then the real one.
  @Test func aBogusHeadIsNotRemembered() async throws {
    try await withWatched { fixture, wallet, follower in
      let chain = try await fixture.node.withChain { $0 }
      try await fixture.node.withChain { held in
        var other = SimulatedChain(
          .init(
            chainID: chain.configuration.chainID, seed: 9, multicall3: chain.configuration.multicall3,
            firstBlock: 1 << 60))
        other.mine()
        held = other
        // It is a head, and nothing can be read at it.
        held.configuration.gasCap = 0
      }
      follower.headAnnounced()
      try await until { await follower.track.held == nil }
      try await fixture.node.withChain { $0 = chain }
      try await mine(fixture, blocks: 1, minting: 5)
      try await until {
        follower.headAnnounced()
        fixture.clock.advance(by: .milliseconds(100))
        return await fixture.rows(wallet).contains("1=5")
      }
      #expect(await follower.restarts == 0, "the real one is no other chain")
    }
  }
}
