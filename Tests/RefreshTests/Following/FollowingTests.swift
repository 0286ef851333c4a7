import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// What happens on a simulated chain shows without anybody's asking.
@Suite(.timeLimit(.minutes(10)))
struct FollowingTests {
  /// A fixture whose owner is watched, read, and followed.
  private func withWatched(
    tokens: Int = 5, chain: Chain? = nil, hasArbSys: Bool = false, follow: FollowSettings = .quick,
    _ body: (Fixture, WalletID) async throws -> Void
  ) async throws {
    let fixture = try await Fixture(tokens: tokens, chain: chain, hasArbSys: hasArbSys, follow: follow)
    try await withFixture(fixture) { fixture in
      // The first block's changes have no logs.
      try await fixture.mine { _ in }
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "done")
      try await body(fixture, try await fixture.register())
    }
  }

  /// A pass that began after this call is over.
  private func untilPassed(_ fixture: Fixture) async throws {
    try await fixture.node.resetStatistics()
    try await until {
      try await fixture.node.chainStatistics.methods["eth_getBlockByNumber", default: 0] >= 3
    }
  }

  private func untilShown(_ fixture: Fixture, _ wallet: WalletID, row: String) async throws {
    try await until { await fixture.rows(wallet).contains(row) }
  }

  // MARK: What comes and goes

  @Test func aTransferArrivesWithoutARefresh() async throws {
    try await withWatched { fixture, wallet in
      let before = await fixture.ledger.wallet(wallet)
      try await fixture.mine {
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 7)
        $0.setNative(Fixture.owner, to: 9)
      }
      try await untilShown(fixture, wallet, row: "1=7")
      #expect(await fixture.rows(wallet) == ["native=9", "2=1", "3=2", "4=3", "5=4", "1=7"])
      let after = await fixture.ledger.wallet(wallet)
      #expect(after?.block == before?.block && after?.readAt == before?.readAt, "no whole read")
      #expect(after?.rows.first?.block == 1_002)
    }
  }

  @Test func whatIsSoldGoesToZero() async throws {
    try await withWatched { fixture, wallet in
      try await fixture.mine {
        try $0.transfer(.numbered(3), from: Fixture.owner, to: .numbered(99), amount: 2)
      }
      try await untilShown(fixture, wallet, row: "3=0")
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1", "3=0", "4=3", "5=4"])
    }
  }

  @Test func aTokenThatNobodyListedBecomesARow() async throws {
    try await withWatched { fixture, wallet in
      try await fixture.mine {
        $0.deploy(SimulatedContract(name: "Surprise", symbol: "SUR", decimals: 3), at: .numbered(77))
        try $0.mint(.numbered(77), to: Fixture.owner, amount: 50)
        // Of this one nothing stays.
        $0.deploy(SimulatedContract(name: "Passing", symbol: "PAS", decimals: 3), at: .numbered(78))
        try $0.mint(.numbered(78), to: Fixture.owner, amount: 50)
        try $0.transfer(.numbered(78), from: Fixture.owner, to: .numbered(9), amount: 50)
      }
      try await untilShown(fixture, wallet, row: "77=50")
      let code = fixture.chain.code
      let id = try #require(await fixture.ledger.tokenID(of: TokenKey(chain: code, contract: .numbered(77))))
      let info = try #require(await fixture.ledger.token(id)).info
      #expect(info == TokenInfo(symbol: "SUR", name: "Surprise", decimals: 3, isListed: false))
      #expect(await fixture.ledger.tokenID(of: TokenKey(chain: code, contract: .numbered(78))) == nil)
    }
  }

  @Test(arguments: [SimulatedContract.Behaviour.burnsGas, .reverts(reason: nil), .returnsGarbage(bytes: 5)])
  func aStrangeTokenSpoilsNothing(_ behaviour: SimulatedContract.Behaviour) async throws {
    try await withWatched { fixture, wallet in
      try await fixture.mine {
        for number in [60, 61, 62] as [UInt64] {
          $0.deploy(
            SimulatedContract(name: "Odd", symbol: "ODD", decimals: 3, behaviour: behaviour),
            at: .numbered(number))
          try $0.mint(.numbered(number), to: Fixture.owner, amount: 1)
        }
        $0.deploy(SimulatedContract(name: "Fine", symbol: "FIN", decimals: 3), at: .numbered(77))
        try $0.mint(.numbered(77), to: Fixture.owner, amount: 50)
        try $0.mint(.numbered(2), to: Fixture.owner, amount: 50)
      }
      try await untilShown(fixture, wallet, row: "77=50")
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=51", "3=2", "4=3", "5=4", "77=50"])
    }
  }

  /// A listed one that turned bad is found out by a whole read.
  @Test func aListedTokenThatFailsIsStale() async throws {
    try await withWatched { fixture, wallet in
      try await fixture.mine {
        try $0.mint(.numbered(2), to: Fixture.owner, amount: 50)
        try $0.mint(.numbered(4), to: Fixture.owner, amount: 50)
        $0.deploy(
          SimulatedContract(name: "Odd", symbol: "ODD", decimals: 6, behaviour: .burnsGas), at: .numbered(2))
      }
      try await untilShown(fixture, wallet, row: "2=1 stale")
      try await untilShown(fixture, wallet, row: "4=53")
    }
  }

  @Test func arbitrumCountsItsOwnBlocks() async throws {
    var chain = try Chain.test()
    chain.quirks = .blockNumberFromArbSys
    try await withWatched(chain: chain, hasArbSys: true) { fixture, wallet in
      for amount in 1...4 as ClosedRange<UInt64> {
        try await fixture.node.withChain { chain in
          for _ in 0..<3 { chain.mine() }
          try chain.mint(.numbered(1), to: Fixture.owner, amount: 1)
          chain.mine()
        }
        try await untilShown(fixture, wallet, row: "1=\(amount)")
      }
      #expect(await fixture.ledger.wallet(wallet)?.block == 1_001, "no whole read since the first")
    }
  }

  @Test func anAnnouncedHeadIsNotWaitedFor() async throws {
    var follow = FollowSettings.quick
    follow.poll = .seconds(3_600)
    try await withWatched(follow: follow) { fixture, wallet in
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      for amount in 1...3 as ClosedRange<UInt64> {
        try await fixture.mine { try $0.mint(.numbered(1), to: Fixture.owner, amount: 1) }
        follower.headAnnounced()
        try await untilShown(fixture, wallet, row: "1=\(amount)")
      }
    }
  }

  // MARK: Reorganisations and resets

  @Test(arguments: [1, 2, 9])
  func whatAReorganisationUndidIsReadAgain(blocks: Int) async throws {
    try await withWatched { fixture, wallet in
      for _ in 0..<2 { try await fixture.mine { _ in } }
      let before = try await fixture.node.withChain { $0 }
      try await fixture.mine {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
      }
      try await untilShown(fixture, wallet, row: "5=0")
      try await fixture.node.withChain { chain in
        chain = before
        chain.configuration.seed = 2
        for _ in 0..<blocks { chain.mine() }
      }
      try await untilShown(fixture, wallet, row: "5=4")
      // And following goes on.
      try await fixture.mine { try $0.mint(.numbered(1), to: Fixture.owner, amount: 7) }
      try await untilShown(fixture, wallet, row: "1=7")
    }
  }

  @Test func aChainThatWasSetBackIsBelieved() async throws {
    try await withWatched { fixture, wallet in
      // What no pass has seen can't be seen to be lower than before.
      try await untilPassed(fixture)
      let chain = fixture.chain
      try await fixture.node.withChain { held in
        var other = SimulatedChain(
          .init(chainID: chain.chainID, seed: 9, multicall3: chain.multicall3, firstBlock: 10))
        other.setNative(Fixture.owner, to: 5)
        for (address, contract) in held.contracts { other.deploy(contract, at: address) }
        other.mine()
        held = other
      }
      try await untilShown(fixture, wallet, row: "native=5")
      try await untilShown(fixture, wallet, row: "5=0")
      try await fixture.mine { try $0.mint(.numbered(1), to: Fixture.owner, amount: 7) }
      try await untilShown(fixture, wallet, row: "1=7")
    }
  }

  /// The same where nobody follows: a second look is believed.
  @Test func aHighBlockFreezesNoValue() async throws {
    try await withFixture(Fixture(tokens: 2)) { fixture in
      let wallet = try await fixture.register()
      let native = await fixture.ledger.intern(.native(fixture.chain.code), info: TokenInfo(isListed: true))
      await fixture.ledger.accept(
        WalletReading(
          wallet: wallet, block: 1_000_000_000, readAt: fixture.clock.now, outcomes: [(native, .balance(1))]))
      #expect(try await fixture.service.refreshNow(wallet).isOutdated)
      #expect(await fixture.rows(wallet) == ["native=1"])
      fixture.clock.advance(by: .seconds(11))
      #expect(try await !fixture.service.refreshNow(wallet).isOutdated)
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1"])
    }
  }

  // MARK: Nodes that say nothing

  @Test func withoutLogsReadsGoOnByTime() async throws {
    let fixture = try await Fixture(follow: .quick) { $0.balanceTTL = .milliseconds(200) }
    try await withFixture(fixture) { fixture in
      try await fixture.node.withChain { $0.configuration.hasLogs = false }
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "done")
      let wallet = try await fixture.register()
      try await fixture.mine { try $0.mint(.numbered(1), to: Fixture.owner, amount: 7) }
      try await until { try await fixture.node.chainStatistics.methods["eth_getLogs", default: 0] >= 1 }
      try await until {
        fixture.clock.advance(by: .milliseconds(20))
        return await fixture.rows(wallet).contains("1=7")
      }
      #expect(
        try await fixture.node.chainStatistics.methods["eth_getLogs", default: 0] <= 2,
        "it is not asked again soon")
    }
  }

  @Test(arguments: [true, false])
  func aGapIsReadAnew(isTooFarBehind: Bool) async throws {
    try await withWatched { fixture, wallet in
      try await fixture.node.withChain { chain in
        try chain.mint(.numbered(1), to: Fixture.owner, amount: 7)
        // The node says that the range holds too much, or it is longer than ours may be.
        if !isTooFarBehind { chain.configuration.logsMaximum = 0 }
        for _ in 0..<(isTooFarBehind ? 600 : 1) { chain.mine() }
      }
      try await untilShown(fixture, wallet, row: "1=7")
      #expect(await fixture.ledger.wallet(wallet)?.block ?? 0 > 1_001, "read as a whole")
      try await fixture.mine {
        $0.configuration.logsMaximum = 100
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 1)
      }
      try await untilShown(fixture, wallet, row: "1=8")
    }
  }

  @Test func anOutageIsCaughtUpWith() async throws {
    try await withWatched { fixture, wallet in
      try await fixture.node.setChainFault(.status(503))
      try await fixture.mine { try $0.mint(.numbered(1), to: Fixture.owner, amount: 7) }
      try await fixture.node.resetStatistics()
      try await until { try await fixture.node.chainStatistics.requests >= 3 }
      try await fixture.node.setChainFault(nil)
      try await untilShown(fixture, wallet, row: "1=7")
      #expect(await fixture.ledger.wallet(wallet)?.block == 1_001, "no whole read")
    }
  }

  // MARK: Several chains

  @Test func eachChainIsFollowedByItself() async throws {
    let second = Chain(unlisted: try ChainCode(parsing: "OTHER"), chainID: 7, rpc: [])
    try await withFixture(Fixture(tokens: 2, second: second, follow: .quick)) { fixture in
      let node = try #require(fixture.secondNode)
      for node in [fixture.node, node] { try await node.withChain { _ = $0.mine() } }
      await fixture.service.start()
      let other = WalletKey(chain: second.code, address: Fixture.owner)
      fixture.watch([fixture.key, other])
      for _ in 0..<2 { await fixture.recorder.wait(for: "done") }
      let wallets = [try await fixture.register(), try await fixture.register(other)]
      // The first chain can't be read; the second goes on.
      try await fixture.node.setChainFault(.status(503))
      try await node.withChain { chain in
        chain.deploy(SimulatedContract(name: "B", symbol: "B", decimals: 2), at: .numbered(2))
        try chain.mint(.numbered(2), to: Fixture.owner, amount: 70)
        chain.mine()
      }
      try await untilShown(fixture, wallets[1], row: "2=70")
      try await fixture.node.setChainFault(nil)
      try await fixture.mine { try $0.mint(.numbered(2), to: Fixture.owner, amount: 4) }
      try await untilShown(fixture, wallets[0], row: "2=5")
      #expect(await fixture.rows(wallets[1]) == ["native=0", "2=70"])
    }
  }

  // MARK: Cost

  @Test func aPassOverAThousandWalletsIsFourCalls() async throws {
    try await withFixture(Fixture(tokens: 2, follow: .quick)) { fixture in
      try await fixture.mine { _ in }
      await fixture.service.start()
      let keys = (0..<1_000).map { WalletKey(chain: fixture.chain.code, address: .numbered(10_000 + $0)) }
      fixture.watch(keys)
      for _ in keys { await fixture.recorder.wait(for: "done") }
      try await untilPassed(fixture)
      let last = try await fixture.register(keys[999])
      try await until { await fixture.ledger.wallet(last)?.state == .fresh }
      try await fixture.node.resetStatistics()
      try await fixture.mine { chain in
        for (index, key) in keys.enumerated() {
          chain.setNative(key.address, to: 3)
          if index % 3 == 0 { try chain.mint(.numbered(1), to: key.address, amount: 5) }
        }
      }
      try await untilShown(fixture, last, row: "1=5")
      for key in keys {
        let wallet = try await fixture.register(key)
        #expect(await fixture.rows(wallet).first == "native=3")
      }
      let methods = try await fixture.node.chainStatistics.methods
      #expect(methods["eth_getLogs"] == 2)
      #expect(methods["eth_call"] == 1)
      #expect(Set(methods.keys) == ["eth_getLogs", "eth_call", "eth_getBlockByNumber"])
    }
  }

  /// The second is asked while the first is not answered.
  @Test func transfersFromAndToAreAskedForTogether() async throws {
    let fixture = try await Fixture(timeout: .seconds(600), follow: .quick)
    try await withFixture(fixture) { fixture in
      try await fixture.mine { _ in }
      await fixture.service.start()
      fixture.watch([fixture.key])
      let wallet = try await fixture.register()
      try await fixture.untilFollowed([wallet])
      try await fixture.node.setChainFault(.silenceAbout(method: "eth_getLogs"))
      try await fixture.mine { _ in }
      try await until { try await fixture.node.chainStatistics.methods["eth_getLogs"] == 2 }
      // Or the pass would wait for the answer.
      fixture.node.stop()
    }
  }

  @Test func nobodyWatchingCostsNothing() async throws {
    try await withWatched { fixture, wallet in
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallet], tokens: []))
      // A pass may be under way, for as long as the machine makes it. Once it is over there is silence.
      try await until {
        try await fixture.node.resetStatistics()
        try await fixture.mine { $0.setNative(Fixture.owner, to: 5) }
        try await Task.sleep(for: .milliseconds(300))
        return try await fixture.node.chainStatistics.requests == 0
      }
      // Who comes later is read, and followed again.
      fixture.watch([fixture.key])
      try await fixture.mine { $0.setNative(Fixture.owner, to: 6) }
      try await untilShown(fixture, wallet, row: "native=6")
    }
  }
}
