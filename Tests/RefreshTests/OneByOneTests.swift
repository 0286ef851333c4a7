import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// Chains without Multicall3: the same answers from batches, or from single calls.
@Suite(.timeLimit(.minutes(10)))
struct OneByOneTests {
  /// No Multicall3 where the settings say, on any node.
  private static func withPlainNodes(
    _ fixture: Fixture, _ body: (Fixture, WalletID) async throws -> Void
  ) async throws {
    try await withFixture(fixture) { fixture in
      for node in fixture.nodes {
        try await node.withChain { $0.configuration.multicall3 = .numbered(9_999) }
      }
      try await body(fixture, try await fixture.register())
    }
  }

  private static func healthy(_ count: Int) -> [String] {
    ["native=1000000"] + (1..<count).map { "\($0 + 1)=\($0)" }
  }

  @Test func batchesOfTenAtOneBlock() async throws {
    try await Self.withPlainNodes(Fixture(tokens: 250)) { fixture, wallet in
      let outcome = try await fixture.service.refreshNow(wallet)
      #expect(outcome.block == 1_000)
      #expect(await fixture.rows(wallet) == Self.healthy(250))
      #expect(try await fixture.calls == 1 + 250)
      #expect(await fixture.service.chainStates()[0].endpoints.map(\.hasMulticall) == [false])
      // What was learnt is remembered: no more tries, the height and the chain, then the coin and 250 tokens in tens.
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      let statistics = try await fixture.node.chainStatistics
      #expect(statistics.requests == 1 + 26)
      #expect(
        statistics.methods == ["eth_chainId": 1, "eth_blockNumber": 1, "eth_getBalance": 1, "eth_call": 250])
    }
  }

  @Test func namesAreReadToo() async throws {
    try await Self.withPlainNodes(Fixture(tokens: 3, hasMetadata: false)) { fixture, wallet in
      try await fixture.mine {
        $0.deploy(
          SimulatedContract(name: "", symbol: "", decimals: 6, behaviour: .noMetadata), at: .numbered(2))
        $0.deploy(
          SimulatedContract(name: "Maker", symbol: "MKR", decimals: 18, behaviour: .bytes32Metadata),
          at: .numbered(3))
      }
      _ = try await fixture.service.refreshNow(wallet)
      var found: [String?] = []
      for number in 1...3 as ClosedRange<UInt64> {
        let key = TokenKey(chain: fixture.chain.code, contract: .numbered(number))
        let id = try #require(await fixture.ledger.tokenID(of: key))
        found.append(await fixture.ledger.token(id)?.info.symbol)
      }
      #expect(found == ["T0", nil, "MKR"])
      // Who says nothing is not asked again.
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.calls == 3)
    }
  }

  @Test(arguments: [
    (Fault.batchesOver(3), 2), (.batchesOver(1), 1), (.batchesOver(0), 1), (.batchesOver(5), 5),
  ])
  func batchesThatAreRefusedShrink(_ fault: Fault, _ size: Int) async throws {
    try await Self.withPlainNodes(Fixture(tokens: 40)) { fixture, wallet in
      try await fixture.node.setChainFault(fault)
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.healthy(40))
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.healthy(40))
      let statistics = try await fixture.node.chainStatistics
      #expect(statistics.requests == (2 + size - 1) / size + (41 + size - 1) / size)
    }
  }

  @Test(arguments: [
    SimulatedContract.Behaviour.reverts(reason: nil), .reverts(reason: "paused"), .returnsNothing,
    .returnsGarbage(bytes: 31), .burnsGas,
  ])
  func anOddTokenIsNotZero(_ behaviour: SimulatedContract.Behaviour) async throws {
    try await Self.withPlainNodes(Fixture(tokens: 12)) { fixture, wallet in
      _ = try await fixture.service.refreshNow(wallet)
      try await fixture.mine { chain in
        chain.deploy(
          SimulatedContract(name: "Odd", symbol: "ODD", decimals: 6, behaviour: behaviour), at: .numbered(5))
      }
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      var expected = Self.healthy(12)
      expected[4] = "5=4 stale"
      #expect(await fixture.rows(wallet) == expected)
    }
  }

  /// Among many requests some fail. That is no reason to begin anew, or to think that batches are refused.
  @Test(arguments: [
    Fault.status(502), .garbage, .disconnect, .rpcError(code: -32603, message: "internal error"),
  ])
  func aRequestThatFailsIsSentAgain(_ fault: Fault) async throws {
    try await Self.withPlainNodes(Fixture(tokens: 40)) { fixture, wallet in
      _ = try await fixture.service.refreshNow(wallet)
      for _ in 0..<3 {
        try await fixture.node.setChainFault(fault, requests: 1)
        fixture.clock.advance(by: .seconds(60))
        _ = try await fixture.service.refreshNow(wallet)
        #expect(await fixture.rows(wallet) == Self.healthy(40))
      }
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.node.chainStatistics.requests == 1 + 5, "still in tens")
    }
  }

  @Test func anEndpointThatHasNoneIsNotTheChains() async throws {
    try await withFixture(Fixture(nodes: 2)) { fixture in
      try await fixture.nodes[0].withChain { $0.configuration.multicall3 = .numbered(9_999) }
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.service.chainStates()[0].endpoints.map(\.hasMulticall) == [false, true])
      try await fixture.nodes[0].setChainFault(.status(500))
      fixture.clock.advance(by: .seconds(60))
      try await fixture.nodes[1].resetStatistics()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(try await fixture.nodes[1].chainStatistics.methods == ["eth_call": 1])
    }
  }

  @Test func anotherChainIsNotTakenForOneWithoutMulticall() async throws {
    try await Self.withPlainNodes(Fixture(tokens: 40)) { fixture, wallet in
      try await fixture.node.setChainFault(.chainID(5))
      let error = await #expect(throws: RefreshError.self) {
        _ = try await fixture.service.refreshNow(wallet)
      }
      if case .wrongChain(_, 31_337, 5) = error {} else { Issue.record("\(error as Any)") }
      #expect(try await fixture.calls == 1, "what the tokens are worth elsewhere is not asked for")
      #expect(await fixture.service.chainStates()[0].endpoints.map(\.hasMulticall) == [true])
    }
  }

  // MARK: Chunks

  @Test func theChunkThatPassedIsRemembered() async throws {
    try await withFixture(Fixture(tokens: 200)) { fixture in
      try await fixture.mine { $0.configuration.gasCap = 300_000 }
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      let first = try await fixture.calls
      try await fixture.node.resetStatistics()
      fixture.clock.advance(by: .seconds(60))
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.healthy(200))
      #expect(try await fixture.calls < first)
      #expect(
        try await fixture.node.chainStatistics.subcalls == WalletCall.preludeMaximum + 200,
        "nothing is asked twice")
    }
  }
}
