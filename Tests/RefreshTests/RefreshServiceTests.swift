import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// Who is read when, and who is told.
@Suite(.timeLimit(.minutes(10)))
struct RefreshServiceTests {
  // MARK: Refreshes

  @Test func aHundredRefreshesAreOneRead() async throws {
    try await withFixture(Fixture()) { fixture in
      let wallet = try await fixture.register()
      // Long enough for all to come meanwhile: who comes behind the read would be told to wait.
      try await fixture.node.setChainLatency(.seconds(3))
      let blocks = try await withThrowingTaskGroup(of: UInt64.self) { group in
        for _ in 0..<100 { group.addTask { try await fixture.service.refreshNow(wallet).block } }
        var blocks: [UInt64] = []
        for try await block in group { blocks.append(block) }
        return blocks
      }
      #expect(blocks == Array(repeating: 1_000, count: 100))
      #expect(try await fixture.calls == 1)
    }
  }

  @Test func theCooldownIsOneForAll() async throws {
    try await withFixture(Fixture()) { fixture in
      let other = WalletKey(chain: fixture.chain.code, address: .numbered(5))
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      fixture.clock.advance(by: .seconds(4))
      #expect(
        await fixture.service.requestRefresh(fixture.key)
          == .cooldown(agoMilliseconds: 4_000, retryMilliseconds: 6_000))
      let error = await #expect(throws: RefreshError.self) {
        _ = try await fixture.service.refreshNow(wallet)
      }
      guard case .cooldown(4_000, 6_000) = error else {
        Issue.record("\(error as Any)")
        return
      }
      #expect(await fixture.service.requestRefresh(other) == .accepted, "another wallet's is its own")
      fixture.clock.advance(by: .seconds(6))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.calls >= 2)
    }
  }

  @Test func aFailedRefreshCoolsNothingDown() async throws {
    try await withFixture(Fixture()) { fixture in
      let wallet = try await fixture.register()
      try await fixture.node.setChainFault(.status(500))
      await #expect(throws: RefreshError.self) { _ = try await fixture.service.refreshNow(wallet) }
      try await fixture.node.setChainFault(nil)
      _ = try await fixture.service.refreshNow(wallet)
    }
  }

  @Test func otherReadsCoolNothingDown() async throws {
    try await withFixture(Fixture()) { fixture in
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "snapshot")
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
    }
  }

  @Test func noCooldownIsAllowed() async throws {
    try await withFixture(Fixture { $0.cooldown = .zero }) { fixture in
      let wallet = try await fixture.register()
      for _ in 0..<3 { _ = try await fixture.service.refreshNow(wallet) }
      #expect(try await fixture.calls == 3)
    }
  }

  /// What a background read brings may have been read before the refresh was asked for.
  @Test func aRefreshReadsAnew() async throws {
    try await withFixture(Fixture()) { fixture in
      await fixture.service.start()
      try await fixture.node.setChainLatency(.milliseconds(300))
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "balances")
      while try await fixture.calls == 0 { try await Task.sleep(for: .milliseconds(5)) }
      try await fixture.mine { $0.setNative(Fixture.owner, to: 7) }
      let wallet = try await fixture.register()
      #expect(try await fixture.service.refreshNow(wallet).block == 1_001)
      #expect(await fixture.rows(wallet)[0] == "native=7")
    }
  }

  @Test func whatCannotBeRefreshed() async throws {
    try await withFixture(Fixture()) { fixture in
      let error = await #expect(throws: RefreshError.self) { _ = try await fixture.service.refreshNow(4_711) }
      guard case .unknownWallet = error else {
        Issue.record("\(error as Any)")
        return
      }
      let code = try ChainCode(parsing: "NOWHERE")
      #expect(
        await fixture.service.requestRefresh(WalletKey(chain: code, address: .numbered(1)))
          == .chainUnsupported(code))
    }
  }

  // MARK: Failure

  @Test func whatWasFreshIsStaleAfterAFailure() async throws {
    try await withFixture(Fixture(tokens: 2)) { fixture in
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      try await fixture.node.setChainFault(.status(503))
      fixture.clock.advance(by: .seconds(60))
      await #expect(throws: RefreshError.self) { _ = try await fixture.service.refreshNow(wallet) }
      #expect(await fixture.rows(wallet) == ["native=1000000 stale", "2=1 stale"])
      try await fixture.node.setChainFault(nil)
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1"])
    }
  }

  @Test func aColdReadThatFailedIsUnknownAndTriedAgain() async throws {
    try await withFixture(Fixture()) { fixture in
      try await fixture.node.setChainFault(.status(503))
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "snapshot")
      let wallet = try await fixture.register()
      #expect(await fixture.ledger.wallet(wallet)?.state == .unknown)
      try await fixture.node.setChainFault(nil)
      while await fixture.ledger.wallet(wallet)?.state != .fresh {
        fixture.clock.advance(by: .milliseconds(20))
        try await Task.sleep(for: .milliseconds(5))
      }
      await fixture.recorder.wait(for: "snapshot")
    }
  }

  @Test func aReadThatWeCutShortMakesNothingStale() async throws {
    let fixture = try await Fixture(tokens: 2)
    let wallet = try await fixture.register()
    _ = try await fixture.service.refreshNow(wallet)
    fixture.clock.advance(by: .seconds(60))
    try await fixture.node.setChainFault(.silence)
    try await fixture.node.resetStatistics()
    let refresh = Task { try await fixture.service.refreshNow(wallet) }
    while try await fixture.node.chainStatistics.requests == 0 { try await Task.sleep(for: .milliseconds(5)) }
    await fixture.service.stop()
    await #expect(throws: RefreshError.self) { _ = try await refresh.value }
    #expect(await fixture.rows(wallet) == ["native=1000000", "2=1"])
    #expect(await fixture.service.chainStates().map(\.isDown) == [false])
    await fixture.stop()
  }

  @Test func aChainIsDownAfterTwoFailures() async throws {
    try await withFixture(Fixture()) { fixture in
      let wallet = try await fixture.register()
      try await fixture.node.setChainFault(.status(500))
      for expected in [false, true, true] {
        await #expect(throws: RefreshError.self) { _ = try await fixture.service.refreshNow(wallet) }
        #expect(await fixture.service.chainStates().map(\.isDown) == [expected])
      }
      let down = fixture.clock.now
      fixture.clock.advance(by: .seconds(30))
      try await fixture.node.setChainFault(nil)
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.service.chainStates().map(\.isDown) == [false])
      #expect(
        fixture.recorder.events.filter { $0.contains("\"chain\"") } == [
          #"{"type":"status","chain":"TEST","state":"down","since":\#(down)}!"#,
          #"{"type":"status","chain":"TEST","state":"up","since":\#(down + 30_000)}"#,
        ])
    }
  }

  /// A chain whose head nobody says and whose reads fail is down once, since the first of the two; and up when neither
  /// is so any more.
  @Test(arguments: [false, true])
  func aChainThatIsDownForTwoReasonsWentDownOnce(_ readsFailFirst: Bool) async throws {
    try await withFixture(Fixture(staleHead: .seconds(60))) { fixture in
      let (service, chain) = (fixture.service, fixture.chain.code)
      let down = fixture.clock.now
      func fail() async {
        for _ in 0..<2 { await service.noteFailure(chain, .noEndpoint(chain)) }
      }
      if readsFailFirst { await fail() } else { await service.noteHeadLost(chain) }
      fixture.clock.advance(by: .seconds(30))
      if readsFailFirst { await service.noteHeadLost(chain) } else { await fail() }
      #expect(await service.chainStates().map(\.since) == [down])
      fixture.clock.advance(by: .seconds(30))
      await service.noteSuccess(chain)
      #expect(await service.chainStates().map(\.since) == [down])
      await service.noteHead(chain, .node, 7, timestamp: UInt64(fixture.clock.now / 1_000))
      #expect(await service.chainStates().map(\.isDown) == [false])
      #expect(
        fixture.recorder.events.filter { $0.contains("\"chain\"") } == [
          #"{"type":"status","chain":"TEST","state":"down","since":\#(down)}!"#,
          #"{"type":"status","chain":"TEST","state":"up","since":\#(down + 60_000)}"#,
        ])
    }
  }

  /// Another reason is news; that the chain is down since then is not.
  @Test func aChainThatStoodStillAndIsLostIsDownSinceItsNewestBlock() async throws {
    try await withFixture(Fixture(staleHead: .seconds(60))) { fixture in
      let (service, chain) = (fixture.service, fixture.chain.code)
      let block = fixture.clock.now
      fixture.clock.advance(by: .seconds(61))
      await service.noteHead(chain, .node, 7, timestamp: UInt64(block / 1_000))
      fixture.clock.advance(by: .seconds(1))
      for _ in 0..<3 { await service.noteFailure(chain, .noEndpoint(chain)) }
      await service.noteHeadLost(chain)
      #expect(await service.chainStates().map(\.since) == [block])
      await service.noteSuccess(chain)
      await service.noteHead(chain, .node, 7, timestamp: UInt64(block / 1_000))
      let still =
        #"{"type":"status","chain":"TEST","state":"down","since":\#(block),"reason":"standing_still"}!"#
      #expect(
        fixture.recorder.events.filter { $0.contains("\"chain\"") } == [
          still, #"{"type":"status","chain":"TEST","state":"down","since":\#(block)}!"#, still,
        ])
    }
  }

  // MARK: Watching

  @Test func aColdWatchIsReadAndToldInOrder() async throws {
    try await withFixture(Fixture()) { fixture in
      let priced = Recorder()
      await fixture.service.setPriceRound { tokens in priced.publish(.counting(tokens.count)) }
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "done")
      let status = #"{"type":"status","wallet":"\#(fixture.key)","refreshing":"#
      #expect(
        fixture.recorder.events == [
          "reply 1", status + #""balances"}"#, "snapshot 1", status + #""prices"}"#,
          status + #""done","as_of":\#(fixture.clock.now),"block":1000}"#,
        ])
      #expect(priced.events == ["5"], "the prices of what is held: the coin and four tokens")
      let calls = try await fixture.calls
      #expect(calls == 1)
    }
  }

  @Test func aFailedRefreshIsToldToo() async throws {
    try await withFixture(Fixture()) { fixture in
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "done")
      try await fixture.node.setChainFault(.garbage)
      #expect(await fixture.service.requestRefresh(fixture.key) == .accepted)
      await fixture.recorder.wait(for: "failed")
    }
  }

  @Test func aWatchedWalletIsReadAgainBeforeItsTime() async throws {
    try await withFixture(Fixture { $0.balanceTTL = .milliseconds(200) }) { fixture in
      await fixture.service.start()
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "done")
      // The clock of the service stands but for this; what it sleeps is real.
      while try await fixture.calls < 4 {
        fixture.clock.advance(by: .milliseconds(20))
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(
        fixture.recorder.events.filter { $0.contains("balances") }.count == 1,
        "reads by themselves are silent")
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [1], tokens: []))
      let other = WalletKey(chain: fixture.chain.code, address: .numbered(5))
      fixture.watch([other])
      await fixture.recorder.wait(for: "snapshot 2")
      let calls = try await fixture.calls
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [2], tokens: []))
      _ = try await fixture.register()
      fixture.clock.advance(by: .seconds(10))
      try await Task.sleep(for: .milliseconds(400))
      #expect(try await fixture.calls <= calls + 1, "one may have been under way")
    }
  }

  @Test func whatIsFreshIsNotReadAgain() async throws {
    try await withFixture(Fixture()) { fixture in
      await fixture.service.start()
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      fixture.watch([fixture.key])
      await fixture.recorder.wait(for: "reply")
      let other = WalletKey(chain: fixture.chain.code, address: .numbered(5))
      fixture.watch([other])
      await fixture.recorder.wait(for: "done")
      #expect(try await fixture.calls == 2)
    }
  }

  /// After a failed read, or a start, what is held may be young and yet in doubt.
  @Test func whatIsStaleIsReadHoweverYoung() async throws {
    try await withFixture(Fixture()) { fixture in
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      await fixture.ledger.acceptFailure(of: wallet)
      #expect(await fixture.ledger.wallet(wallet)?.state == .stale)
      await fixture.service.start()
      fixture.watch([fixture.key])
      while await fixture.ledger.wallet(wallet)?.state != .fresh {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(try await fixture.calls == 2)
    }
  }

  /// Wallets by number; each holds its number of coins, and of the second token.
  private func numberedWallets(_ fixture: Fixture, _ count: UInt64) async throws -> [WalletKey] {
    try await fixture.mine { chain in
      for number in 0..<count {
        chain.setNative(.numbered(10_000 + number), to: UInt256(number))
        try chain.mint(.numbered(2), to: .numbered(10_000 + number), amount: UInt256(number))
      }
    }
    return (0..<count).map { WalletKey(chain: fixture.chain.code, address: .numbered(10_000 + $0)) }
  }

  private func expectNumbers(_ fixture: Fixture, _ keys: [WalletKey]) async throws {
    for (number, key) in keys.enumerated() {
      let rows = await fixture.rows(try await fixture.register(key))
      #expect(rows == (number == 0 ? ["native=0"] : ["native=\(number)", "2=\(number)"]))
    }
  }

  /// Those that wait share calls, and each gets what is its own.
  @Test func manyWalletsAreReadTogether() async throws {
    try await withFixture(Fixture { $0.readsPerChain = 4 }) { fixture in
      let keys = try await numberedWallets(fixture, 1_000)
      // A read takes longer than a wallet takes to come.
      try await fixture.node.setChainLatency(.milliseconds(300))
      await fixture.service.start()
      fixture.watch(keys)
      for _ in keys { await fixture.recorder.wait(for: "snapshot") }
      let calls = try await fixture.calls
      // 9 sub-calls a wallet, 1,500 a call; the first four had nobody to wait with.
      #expect((8...40).contains(calls), "\(calls)")
      try await expectNumbers(fixture, keys)
    }
  }

  /// A token that reverts without a word is looked at once; an aggregate that is refused is not repeated.
  @Test(arguments: [SimulatedContract.Behaviour.reverts(reason: nil), .burnsGas])
  func oneThatSpoilsIsNoHarmToOthers(_ behaviour: SimulatedContract.Behaviour) async throws {
    try await withFixture(Fixture { $0.readsPerChain = 1 }) { fixture in
      let keys = try await numberedWallets(fixture, 100)
      try await fixture.mine {
        $0.deploy(
          SimulatedContract(name: "Bad", symbol: "BAD", decimals: 3, behaviour: behaviour), at: .numbered(4))
      }
      await fixture.service.start()
      fixture.watch(keys)
      for _ in keys { await fixture.recorder.wait(for: "snapshot") }
      try await expectNumbers(fixture, keys)
    }
  }

  @Test func aWalletDeletedMeanwhileIsForgotten() async throws {
    try await withFixture(Fixture()) { fixture in
      let wallet = try await fixture.register()
      try await fixture.node.setChainLatency(.seconds(5))
      let refresh = Task { try await fixture.service.refreshNow(wallet) }
      while try await fixture.calls == 0 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(try await fixture.ledger.delete(wallet))
      await #expect(throws: RefreshError.self) { _ = try await refresh.value }
      #expect(await fixture.service.chainStates().map(\.isDown) == [false])
    }
  }
}

extension LedgerBatch {
  /// A status that says a number: for recording.
  fileprivate static func counting(_ count: Int) -> LedgerBatch {
    var batch = LedgerBatch(revision: 0)
    batch.statuses = [StatusFrame(subject: .prices, json: Array("\(count)".utf8), isAbnormal: false)]
    return batch
  }
}
