import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// A chain that answers and does not move, and one of which no node tells the transfers.
@Suite(.timeLimit(.minutes(3)))
struct StandstillFollowingTests {
  /// A fixture whose owner is watched, read, and followed. Its head is of now.
  private func withWatched(
    staleHead: Duration? = nil, rest: Duration = .seconds(600), hasLogs: Bool = true,
    _ body: (Fixture, WalletID) async throws -> Void
  ) async throws {
    var follow = FollowSettings.quick
    follow.rest = rest
    let fixture = try await Fixture(follow: follow, staleHead: staleHead)
    try await withFixture(fixture) { fixture in
      try await fixture.node.withChain { $0.configuration.hasLogs = hasLogs }
      try await mine(fixture) { _ in }
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "done")
      try await body(fixture, try await fixture.register())
    }
  }

  /// A block of now.
  private func mine(
    _ fixture: Fixture, _ change: @escaping @Sendable (inout SimulatedChain) throws -> Void
  ) async throws {
    let now = UInt64(fixture.clock.now / 1_000)
    try await fixture.node.withChain { chain in
      try change(&chain)
      chain.mine(timestamp: now)
    }
  }

  /// Reads that are due are made as time goes by.
  private func untilFresh(_ fixture: Fixture, _ wallet: WalletID) async throws {
    try await until {
      fixture.clock.advance(by: .milliseconds(20))
      return await isAll(.fresh, fixture, wallet)
    }
  }

  private func isAll(_ state: CellState, _ fixture: Fixture, _ wallet: WalletID) async -> Bool {
    await fixture.ledger.wallet(wallet)?.rows.allSatisfy { $0.state == state } == true
  }

  // MARK: Standing still

  @Test func aFrozenChainIsStaleUntilItMoves() async throws {
    try await withWatched(staleHead: .seconds(60)) { fixture, wallet in
      #expect(await isAll(.fresh, fixture, wallet))
      let stopped = fixture.clock.now / 1_000 * 1_000
      fixture.clock.advance(by: .seconds(61))
      try await until { await isAll(.stale, fixture, wallet) }
      let state = try #require(await fixture.service.chainStates().first)
      #expect(state.down == .standingStill && state.since == stopped)
      let status = await fixture.recorder.wait(for: "\"chain\"")
      #expect(
        status
          == #"{"type":"status","chain":"TEST","state":"down","since":\#(stopped),"reason":"standing_still"}!"#
      )
      // A read succeeds, and says nothing of now.
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await isAll(.stale, fixture, wallet))
      #expect(await fixture.service.continuity(of: wallet, fixture.chain.code) == nil)
      try await mine(fixture) { $0.setNative(Fixture.owner, to: 5) }
      try await untilFresh(fixture, wallet)
      #expect(await fixture.rows(wallet).first == "native=5")
      #expect(await fixture.recorder.wait(for: "\"chain\"").contains(#""state":"up""#))
      #expect(await fixture.service.chainStates().map(\.isDown) == [false])
    }
  }

  @Test func aChainThatMinesOnDemandMayRest() async throws {
    try await withWatched { fixture, wallet in
      fixture.clock.advance(by: .seconds(86_400))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await isAll(.fresh, fixture, wallet))
      #expect(await fixture.service.chainStates().map(\.isDown) == [false])
    }
  }

  /// Nobody follows it: what is read tells the block's time.
  @Test func aReadSaysItTooWhereNobodyFollows() async throws {
    try await withFixture(Fixture(staleHead: .seconds(60))) { fixture in
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await isAll(.stale, fixture, wallet), "the first block is years old")
      try await mine(fixture) { _ in }
      fixture.clock.advance(by: .seconds(11))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await isAll(.fresh, fixture, wallet))
    }
  }

  @Test func aBlockThatWasAnnouncedAndIsNowhereIsAStandstill() async throws {
    try await withWatched { fixture, wallet in
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      let next = try await fixture.node.withChain { $0.head.number + 1 }
      try await until {
        follower.headAnnounced(next)
        fixture.clock.advance(by: .seconds(1))
        return await isAll(.stale, fixture, wallet)
      }
      #expect(await fixture.service.chainStates().map(\.down) == [.standingStill])
      try await mine(fixture) { $0.setNative(Fixture.owner, to: 5) }
      try await untilFresh(fixture, wallet)
    }
  }

  /// No read is due, and yet it is known that nothing is known.
  @Test func aChainThatNoNodeAnswersForIsStaleAtOnce() async throws {
    try await withWatched { fixture, wallet in
      #expect(await isAll(.fresh, fixture, wallet))
      try await fixture.node.setChainFault(.status(503))
      try await until { await isAll(.stale, fixture, wallet) }
      #expect(await fixture.service.chainStates().map(\.down) == [.unreachable])
      #expect(await fixture.recorder.wait(for: "\"chain\"").contains(#""state":"down","since":"#))
      try await fixture.node.setChainFault(nil)
      try await untilFresh(fixture, wallet)
      try await until { await fixture.service.chainStates().map(\.isDown) == [false] }
    }
  }

  /// That is an answer, and what is read is as good as ever.
  @Test func aNodeThatWillNotSayItsHeadIsNoSilence() async throws {
    try await withWatched { fixture, wallet in
      let before = try await looks(fixture)
      try await fixture.node.setChainFault(.rpcError(code: -32_601, message: "no such method"))
      try await until { try await looks(fixture) >= before + 6 }
      #expect(await isAll(.fresh, fixture, wallet))
      #expect(await fixture.service.chainStates().map(\.isDown) == [false])
    }
  }

  private func looks(_ fixture: Fixture) async throws -> Int {
    try await fixture.node.chainStatistics.methods["eth_getBlockByNumber", default: 0]
  }

  @Test func whoLeavesTakesTheJudgementAlong() async throws {
    try await withWatched(staleHead: .seconds(60)) { fixture, wallet in
      fixture.clock.advance(by: .seconds(61))
      try await until { await isAll(.stale, fixture, wallet) }
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallet], tokens: []))
      try await until { await fixture.service.chainStates().map(\.isDown) == [false] }
    }
  }

  // MARK: Without logs

  @Test func withoutLogsWhatIsHeldIsFollowed() async throws {
    try await withWatched(hasLogs: false) { fixture, wallet in
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await mine(fixture) { _ in }
      try await until { await follower.restsUntil != nil }
      let before = await fixture.ledger.wallet(wallet)
      try await mine(fixture) {
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 7)
        try $0.mint(.numbered(3), to: Fixture.owner, amount: 7)
        $0.setNative(Fixture.owner, to: 9)
      }
      try await until { await fixture.rows(wallet).contains("3=9") }
      #expect(await fixture.rows(wallet) == ["native=9", "2=1", "3=9", "4=3", "5=4"])
      let after = await fixture.ledger.wallet(wallet)
      #expect(after?.block == before?.block && after?.readAt == before?.readAt, "no whole read")
      #expect(await fixture.service.continuity(of: wallet, fixture.chain.code) == nil)
    }
  }

  @Test func logsThatAreToldAgainAreFollowedAgain() async throws {
    try await withWatched(rest: .milliseconds(100), hasLogs: false) { fixture, wallet in
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await mine(fixture) { _ in }
      try await until { await follower.restsUntil != nil }
      // What came meanwhile is found by the read of the whole wallet.
      try await mine(fixture) {
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 7)
        $0.configuration.hasLogs = true
      }
      try await until { await fixture.rows(wallet).contains("1=7") }
      try await until { await fixture.service.continuity(of: wallet, fixture.chain.code) != nil }
      try await mine(fixture) { try $0.mint(.numbered(1), to: Fixture.owner, amount: 1) }
      try await until { await fixture.rows(wallet).contains("1=8") }
    }
  }

  @Test func aNodeThatRefusesEveryRangeHasNoLogs() async throws {
    try await withWatched { fixture, wallet in
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await fixture.node.withChain { $0.configuration.logsMaximum = 0 }
      try await until {
        try await mine(fixture) { try $0.mint(.numbered(2), to: Fixture.owner, amount: 1) }
        return await follower.restsUntil != nil
      }
      try await mine(fixture) { $0.setNative(Fixture.owner, to: 9) }
      try await until { await fixture.rows(wallet).first == "native=9" }
      #expect(await fixture.service.chainStates().map(\.endpoints).joined().allSatisfy { $0.state == .up })
    }
  }

  // MARK: Without a gap

  @Test func whatIsFollowedWithoutAGapIsKnown() async throws {
    try await withWatched { fixture, wallet in
      let code = fixture.chain.code
      func continuity() async -> Continuity? { await fixture.service.continuity(of: wallet, code) }
      try await until { await continuity() != nil }
      let since = try #require(await continuity()?.since)
      for _ in 0..<3 { try await mine(fixture) { _ in } }
      try await until { await continuity()?.through == 1_004 }
      #expect(await continuity()?.since == since)
      // While it cannot be read nothing is known; what was followed before goes on afterwards.
      try await fixture.node.setChainFault(.status(503))
      try await until { await continuity() == nil }
      try await fixture.node.setChainFault(nil)
      try await until { await continuity() != nil }
      #expect(await continuity()?.since == since)
      // Too many blocks for one pass: what happened to the wallet in them is not known.
      try await fixture.node.withChain { for _ in 0..<600 { $0.mine() } }
      try await until { await continuity()?.since ?? 0 > 1_004 }
    }
  }
}
