import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// What a read that nobody asked for leaves out.
@Suite(.timeLimit(.minutes(3)))
struct CachingTests {
  /// Followed, and read often enough that what is left out is known.
  private func withSettled(
    tokens: Int = 5, empty: Int = 20, follow: FollowSettings? = .quick,
    configure: (inout RefreshSettings) -> Void = { _ in },
    _ body: (Fixture, WalletID) async throws -> Void
  ) async throws {
    let fixture = try await Fixture(tokens: tokens, empty: empty, follow: follow, configure: configure)
    try await withFixture(fixture) { fixture in
      // The first block's changes have no logs.
      try await fixture.mine { _ in }
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "done")
      let wallet = try await fixture.register()
      if follow != nil {
        try await until {
          try await fixture.mine { _ in }
          return try await fixture.dueRead(wallet) < empty
        }
      }
      try await body(fixture, wallet)
    }
  }

  /// The coin and three questions about the block, what is held, and nothing of the other two thousand.
  @Test func aWalletOfTwoThousandTokensAsksForWhatItHolds() async throws {
    try await withSettled(tokens: 17, empty: 1_984) { fixture, wallet in
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 16)
      // Not so a refresh.
      try await fixture.node.resetStatistics()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.node.chainStatistics.subcalls >= WalletCall.preludeMaximum + 2_001)
    }
  }

  @Test func whatIsNotFollowedIsReadWhole() async throws {
    try await withSettled(follow: nil) { fixture, wallet in
      for _ in 0..<3 {
        let subcalls = try await fixture.dueRead(wallet)
        #expect(subcalls == WalletCall.preludeMaximum + 25)
      }
    }
  }

  @Test func aDayLaterAllIsReadAgain() async throws {
    try await withSettled { fixture, wallet in
      await fixture.advance(by: .seconds(86_400 - 100), wallet)
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 25)
      try await until { try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 4 }
    }
  }

  /// A transfer without a log, perhaps.
  @Test func anotherNativeBalanceMakesEverythingDue() async throws {
    try await withSettled { fixture, wallet in
      try await fixture.mine { $0.setNative(Fixture.owner, to: 5) }
      try await until { await fixture.rows(wallet).first == "native=5" }
      try await until { await fixture.isAllDue(wallet) }
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 25)
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 4)
    }
  }

  @Test func whatCameInIsShownAndReadFromThenOn() async throws {
    try await withSettled { fixture, wallet in
      try await fixture.mine { try $0.mint(.numbered(20), to: Fixture.owner, amount: 3) }
      try await until { await fixture.rows(wallet).contains("20=3") }
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 5)
      try await fixture.mine {
        try $0.transfer(.numbered(20), from: Fixture.owner, to: .numbered(900), amount: 3)
      }
      try await until { await fixture.rows(wallet).contains("20=0") }
      // The pass has read it, a read has not: it is kept in mind by the next one.
      try await until { try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 4 }
      #expect(await fixture.rows(wallet).contains("20=0"))
    }
  }

  /// A read that leaves out makes fresh what it leaves out: it holds at least until the next.
  @Test func whatIsLeftOutIsAsFreshAsTheRest() async throws {
    try await withSettled { fixture, wallet in
      try await fixture.mine {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(900), amount: 4)
      }
      try await until { await fixture.rows(wallet).contains("5=0") }
      try await until { try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 3 }
      await fixture.advance(by: .seconds(290), wallet)
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 3)
      let cells = try #require(await fixture.ledger.wallet(wallet))
      #expect(cells.readAt == fixture.clock.now)
      await fixture.advance(by: .seconds(299), wallet)
      await fixture.ledger.sweep()
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1", "3=2", "4=3", "5=0"])
      // And no longer: with the time up all of it is stale, and all that is shown is read.
      await fixture.advance(by: .seconds(2), wallet)
      await fixture.ledger.sweep()
      #expect(await fixture.rows(wallet).allSatisfy { $0.hasSuffix("stale") })
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 4)
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1", "3=2", "4=3", "5=0"])
    }
  }

  @Test func afterAFailureAllThatIsShownIsRead() async throws {
    try await withSettled { fixture, wallet in
      await fixture.ledger.acceptFailure(of: wallet)
      let subcalls = try await fixture.dueRead(wallet)
      #expect(subcalls >= WalletCall.preludeMaximum + 4)
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1", "3=2", "4=3", "5=4"])
    }
  }

  /// While blocks cannot be looked at nothing is taken for known.
  @Test func withoutLogsEverythingIsRead() async throws {
    try await withSettled { fixture, wallet in
      try await fixture.node.withChain { $0.configuration.hasLogs = false }
      try await fixture.mine { try $0.mint(.numbered(20), to: Fixture.owner, amount: 3) }
      try await until { await fixture.isAllDue(wallet) }
      // A pass without logs, which comes when it comes, asks for some of them too.
      #expect(try await fixture.dueRead(wallet) >= WalletCall.preludeMaximum + 25)
      #expect(await fixture.rows(wallet).contains("20=3"))
    }
  }

  @Test func aTokenThatFailsIsAskedForEveryTime() async throws {
    try await withSettled { fixture, wallet in
      let odd = SimulatedContract(
        name: "Odd", symbol: "ODD", decimals: 6, behaviour: .reverts(reason: "paused"))
      try await fixture.mine { $0.deploy(odd, at: .numbered(20)) }
      fixture.clock.advance(by: .seconds(20))
      _ = try await fixture.service.refreshNow(wallet)
      for _ in 0..<3 { #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 5) }
      // Heard of by no log.
      try await fixture.mine { chain in
        try chain.mint(.numbered(20), to: Fixture.owner, amount: 3)
        var fine = odd
        fine.behaviour = .standard
        chain.deploy(fine, at: .numbered(20))
      }
      try await until { await fixture.rows(wallet).contains("20=3") }
    }
  }

  @Test(arguments: [300, 3_600])
  func aTokenThatIsListedLaterIsRead(listSeconds: Int) async throws {
    try await withSettled(configure: { $0.tokenListTTL = .seconds(listSeconds) }) { fixture, wallet in
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 4)
      try await fixture.node.withChain { chain in
        chain.deploy(SimulatedContract(name: "Later", symbol: "LAT", decimals: 2), at: .numbered(700))
        try chain.mint(.numbered(700), to: Fixture.owner, amount: 8)
      }
      let key = TokenKey(chain: fixture.chain.code, contract: .numbered(700))
      await fixture.ledger.applyList([
        (key, TokenInfo(symbol: "LAT", name: "Later", decimals: 2, isListed: true))
      ])
      try await fixture.mine { _ in }
      await fixture.service.readAgain(fixture.chain.code)
      try await until {
        fixture.clock.advance(by: .seconds(1))
        await fixture.service.work()
        return await fixture.rows(wallet).contains("700=8")
      }
    }
  }

  /// A name that its contract does not tell is not asked for with every read.
  @Test func metadataIsAskedForOnce() async throws {
    try await withFixture(Fixture(tokens: 1, hasMetadata: false)) { fixture in
      try await fixture.mine {
        $0.deploy(
          SimulatedContract(name: "", symbol: "", decimals: 6, behaviour: .standard), at: .numbered(1))
      }
      let wallet = try await fixture.register()
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 4)
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 1)
      fixture.clock.advance(by: .seconds(86_400))
      #expect(try await fixture.dueRead(wallet) == WalletCall.preludeMaximum + 4)
    }
  }

  /// However many ask for a wallet that was never read, the chain is asked once.
  @Test func tenThousandWhoWantOneWalletAreOneCall() async throws {
    try await withFixture(Fixture()) { fixture in
      let wallet = try await fixture.register()
      await fixture.service.start()
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<10_000 { group.addTask { await fixture.ledger.want(wallet) } }
      }
      // All of them have been taken in when one that came later was.
      let other = WalletKey(chain: fixture.chain.code, address: .numbered(9_000))
      fixture.watch([other])
      await fixture.recorder.wait(for: "done")
      try await until { await fixture.ledger.wallet(wallet)?.state == .fresh }
      #expect(try await fixture.calls == 2, "one for each of the two")
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1", "3=2", "4=3", "5=4"])
      // And none again while it is young.
      await fixture.ledger.want(wallet)
      await fixture.service.work()
      #expect(await fixture.service.flights.isEmpty)
      // What nobody asks for any more costs nothing.
      fixture.clock.advance(by: .seconds(600))
      await fixture.service.sweep()
      #expect(await fixture.cache.sweep(now: fixture.clock.now).wallets == 0)
    }
  }
}

extension Fixture {
  /// A read as time would make it. No new block may come meanwhile.
  ///
  /// - Returns: sub-calls that it took.
  func dueRead(_ wallet: WalletID) async throws -> Int {
    try await untilCovered(wallet)
    try await until { await service.flights.isEmpty }
    try await node.resetStatistics()
    _ = try await service.fly(wallet, chain.code, .due).value.get()
    return try await node.chainStatistics.subcalls
  }

  /// Without a read that time begins by itself: it would take from the test what the test is to take.
  func advance(by duration: Duration, _ wallet: WalletID) async {
    await service.unschedule(wallet)
    clock.advance(by: duration)
  }

  /// No pass is to come before the next block, where the wallet is followed.
  func untilCovered(_ wallet: WalletID) async throws {
    try await until {
      let head = try await node.withChain { $0.head.number }
      let continuity = await service.followers[chain.code]?.continuity(of: wallet)
      return continuity.map { $0.through >= head } ?? true
    }
  }

  /// Whether a read would leave nothing out.
  func isAllDue(_ wallet: WalletID) async -> Bool {
    guard let plan = await ledger.readPlan(for: wallet) else { return false }
    return await service.due(plan, for: .due).leftOut == nil
  }
}

extension RefreshService {
  func unschedule(_ wallet: WalletID) { schedule.remove(wallet) }
}
