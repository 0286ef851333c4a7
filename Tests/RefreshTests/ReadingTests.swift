import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// Reads of a simulated chain over real HTTP.
@Suite(.timeLimit(.minutes(10)))
struct ReadingTests {
  @Test func aWalletOf250TokensIsOneCall() async throws {
    try await withFixture(Fixture(tokens: 250, hasMetadata: false)) { fixture in
      let wallet = try await fixture.register()
      let outcome = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.calls == 1)
      #expect(outcome.tokenCount == 250, "the coin and all but the one of which there is none")
      #expect(outcome.block == 1_000)
      #expect(await fixture.rows(wallet) == ["native=1000000"] + (1..<250).map { "\($0 + 1)=\($0)" })
      let id = try #require(
        await fixture.ledger.tokenID(of: TokenKey(chain: fixture.chain.code, contract: .numbered(8))))
      let info = try #require(await fixture.ledger.token(id)).info
      #expect(info.symbol == "T7" && info.name == "Token 7" && info.decimals == 6 && info.isListed)
      // Metadata that is known is not asked for again.
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.node.chainStatistics.subcalls == WalletCall.preludeMaximum + 250)
    }
  }

  @Test func moreThanACallHoldsAreReadAtOneBlock() async throws {
    try await withFixture(Fixture(tokens: 2_000)) { fixture in
      let wallet = try await fixture.register()
      #expect(try await fixture.service.refreshNow(wallet).tokenCount == 2_000)
      #expect(try await fixture.calls == 2)
    }
  }

  @Test(arguments: [
    SimulatedContract.Behaviour.reverts(reason: nil), .reverts(reason: "paused"), .returnsNothing,
    .returnsGarbage(bytes: 1), .returnsGarbage(bytes: 31), .burnsGas,
  ])
  func anOddTokenIsNeitherZeroNorASpoiler(_ behaviour: SimulatedContract.Behaviour) async throws {
    try await withFixture(Fixture(tokens: 30)) { fixture in
      let wallet = try await fixture.register()
      let healthy = ["native=1000000"] + (1..<30).map { "\($0 + 1)=\($0)" }
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == healthy)
      // Two of them, one held, one not.
      try await fixture.mine { chain in
        for number in [1, 5] as [UInt64] {
          chain.deploy(
            SimulatedContract(name: "Odd", symbol: "ODD", decimals: 6, behaviour: behaviour),
            at: .numbered(number))
        }
      }
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      var expected = healthy
      expected[4] = "5=4 stale"
      #expect(await fixture.rows(wallet) == expected)
      // Whatever was found out is known from now on.
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == expected)
      #expect(try await fixture.calls == 1)
    }
  }

  @Test(arguments: [false, true])
  func manyBurnersStarveNobody(needsMetadata: Bool) async throws {
    try await withFixture(Fixture(tokens: 200, hasMetadata: !needsMetadata)) { fixture in
      let burners: [UInt64] = [1, 2, 60, 61, 62, 150, 199, 200]
      try await fixture.mine { chain in
        for number in burners {
          chain.deploy(
            SimulatedContract(name: "Odd", symbol: "ODD", decimals: 6, behaviour: .burnsGas),
            at: .numbered(number))
        }
      }
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      let healthy = (1..<200).filter { !burners.contains(UInt64($0 + 1)) }.map { "\($0 + 1)=\($0)" }
      #expect(await fixture.rows(wallet) == ["native=1000000"] + healthy)
      for number in 1...200 where !burners.contains(UInt64(number)) {
        let key = TokenKey(chain: fixture.chain.code, contract: .numbered(UInt64(number)))
        let id = try #require(await fixture.ledger.tokenID(of: key))
        #expect(await fixture.ledger.token(id)?.info.symbol == "T\(number - 1)")
      }
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.calls == 1)
    }
  }

  /// A wallet whose only token spoils the whole call.
  @Test func aBurnerAloneDoesNotHideTheCoin() async throws {
    try await withFixture(Fixture(tokens: 1)) { fixture in
      try await fixture.mine { chain in
        chain.configuration.gasCap = 40_000
        chain.deploy(
          SimulatedContract(name: "Odd", symbol: "ODD", decimals: 6, behaviour: .burnsGas), at: .numbered(1))
      }
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == ["native=1000000"])
    }
  }

  /// Nobody is at fault: the node grants less gas than so many tokens need.
  @Test func aSmallGasCapIsMetInParts() async throws {
    try await withFixture(Fixture(tokens: 200)) { fixture in
      try await fixture.mine { $0.configuration.gasCap = 300_000 }
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == ["native=1000000"] + (1..<200).map { "\($0 + 1)=\($0)" })
    }
  }

  @Test func aTokenThatRecoversIsReadAgain() async throws {
    try await withFixture(Fixture(tokens: 5)) { fixture in
      let wallet = try await fixture.register()
      let token = Address.numbered(3)
      try await fixture.mine {
        $0.deploy(
          SimulatedContract(name: "A", symbol: "A", decimals: 6, behaviour: .reverts(reason: nil)), at: token)
      }
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await !fixture.rows(wallet).contains("3=2"))
      try await fixture.mine { $0.deploy(SimulatedContract(name: "A", symbol: "A", decimals: 6), at: token) }
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet).contains("3=2"))
    }
  }

  @Test func soldToZeroIsZero() async throws {
    try await withFixture(Fixture(tokens: 3)) { fixture in
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      try await fixture.mine {
        try $0.transfer(.numbered(3), from: Fixture.owner, to: .numbered(99), amount: 2)
      }
      fixture.clock.advance(by: .seconds(60))
      let outcome = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1", "3=0"])
      #expect(outcome.block == 1_001)
    }
  }

  @Test(arguments: ["ZKSYNC", "ARB"])
  func chainsThatDiffer(_ code: String) async throws {
    var chain = try #require(ChainRegistry.chain(ChainCode(parsing: code)))
    chain.tokens = []
    try await withFixture(Fixture(tokens: 2, chain: chain, hasArbSys: code == "ARB")) { fixture in
      let wallet = try await fixture.register()
      let outcome = try await fixture.service.refreshNow(wallet)
      #expect(outcome.block == 1_000)
      #expect(await fixture.rows(wallet) == ["native=1000000", "2=1"])
    }
  }

  // MARK: Endpoints

  @Test(arguments: [
    Fault.status(500), .status(404), .rateLimited(retryAfter: 1), .garbage, .disconnect, .chainID(5),
    .silence,
    .rpcError(code: -32603, message: "internal error"), .rpcError(code: -32005, message: "rate limit"),
    .rpcError(code: -32000, message: "header not found"), .rpcError(code: -32000, message: "out of gas"),
  ])
  func anotherEndpointHelps(_ fault: Fault) async throws {
    try await withFixture(Fixture(nodes: 2, timeout: fault == .silence ? .seconds(5) : .seconds(20))) {
      fixture in
      try await fixture.nodes[0].setChainFault(fault)
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet).count == 5)
      #expect(
        try await fixture.nodes[0].chainStatistics.requests <= 3, "a broken node is not asked in halves")
      // The one that answered is asked first from now on. The other one may be probed, if time has passed.
      try await fixture.nodes[0].setChainFault(nil)
      try await fixture.nodes[0].resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.nodes[0].chainStatistics.methods["eth_call"] == nil)
    }
  }

  @Test func anotherChainsBalancesAreNotTaken() async throws {
    try await withFixture(Fixture()) { fixture in
      try await fixture.node.setChainFault(.chainID(5))
      let wallet = try await fixture.register()
      let error = await #expect(throws: RefreshError.self) {
        _ = try await fixture.service.refreshNow(wallet)
      }
      if case .wrongChain(_, 31_337, 5) = error {} else { Issue.record("\(error as Any)") }
      #expect(await fixture.rows(wallet).isEmpty)
      // It was a mistake in somebody's set-up, and is mended.
      try await fixture.node.setChainFault(nil)
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet).count == 5)
    }
  }

  @Test func anEndpointThatIsBehindChangesNothing() async throws {
    try await withFixture(Fixture(nodes: 2)) { fixture in
      let wallet = try await fixture.register()
      try await fixture.nodes[0].withChain { chain in
        chain.setNative(Fixture.owner, to: 5)
        chain.mine()
        chain.mine()
      }
      _ = try await fixture.service.refreshNow(wallet)
      try await fixture.nodes[0].setChainFault(.status(500), requests: 1)
      fixture.clock.advance(by: .seconds(60))
      // The second node has not seen those blocks.
      let outcome = try await fixture.service.refreshNow(wallet)
      #expect(outcome.block == 1_002)
      #expect(await fixture.rows(wallet)[0] == "native=5")
      // And is not preferred for its answer.
      try await fixture.nodes[0].withChain { chain in
        chain.setNative(Fixture.owner, to: 6)
        chain.mine()
      }
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet)[0] == "native=6")
    }
  }
}
