import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// A chain behind several endpoints that misbehave, over real HTTP. The rests are short, all else is the default.
@Suite(.timeLimit(.minutes(10)))
struct EndpointTests {
  static let rows = ["native=1000000", "2=1", "3=2", "4=3", "5=4"]

  /// Reads the wallet anew.
  private func refresh(_ fixture: Fixture, _ wallet: WalletID) async throws -> RefreshOutcome {
    fixture.clock.advance(by: .seconds(60))
    return try await fixture.service.refreshNow(wallet)
  }

  private func states(_ fixture: Fixture) async -> [EndpointHealth.State] {
    await fixture.service.chainStates()[0].endpoints.map(\.state)
  }

  /// Reads until the endpoints are in these states.
  private func refresh(
    _ fixture: Fixture, _ wallet: WalletID, until expected: [EndpointHealth.State]
  ) async throws {
    while await states(fixture) != expected {
      _ = try? await refresh(fixture, wallet)
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  // MARK: Choosing

  @Test func theFasterOneIsFoundByProbes() async throws {
    try await withFixture(Fixture(nodes: 3)) { fixture in
      // Further apart than what a busy machine adds.
      for (node, latency) in zip(fixture.nodes, [4, 3, 0]) {
        try await node.setChainLatency(.seconds(latency))
      }
      await fixture.service.start()
      while await fixture.service.chainStates()[0].endpoints.contains(where: { $0.latency == nil }) {
        try await Task.sleep(for: .milliseconds(5))
      }
      for node in fixture.nodes { try await node.resetStatistics() }
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.rows)
      let asked = try await fixture.nodes[2].chainStatistics.methods["eth_call"]
      #expect(asked == 1)
      #expect(try await fixture.calls == 1)
    }
  }

  /// The time limit is longer than this suite's.
  @Test func aSlowAnswerIsNotWaitedFor() async throws {
    var rules = EndpointRules.quick
    rules.hedgeMinimum = .milliseconds(250)
    try await withFixture(Fixture(nodes: 2, timeout: .seconds(3_600), rules: rules)) { fixture in
      try await fixture.nodes[0].setChainFault(.silence)
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.rows)
      // The one that won comes first from now on. A machine that is slow now and then makes it late now and then.
      var asked = 1
      for _ in 0..<20 where asked > 0 {
        try await fixture.nodes[0].resetStatistics()
        _ = try await refresh(fixture, wallet)
        asked = try await fixture.nodes[0].chainStatistics.requests
      }
      #expect(asked == 0)
    }
  }

  /// The first one is slow to answer every time and is the better one by every other measure.
  @Test func secondRequestsAreFew() async throws {
    var rules = EndpointRules.quick
    rules.hedgeMinimum = .milliseconds(1)
    try await withFixture(Fixture(nodes: 2, rules: rules)) { fixture in
      for node in fixture.nodes { try await node.setChainLatency(.milliseconds(30)) }
      let wallet = try await fixture.register()
      for _ in 0..<20 { _ = try await refresh(fixture, wallet) }
      #expect(try await fixture.calls <= 20 + 5 + 1)
    }
  }

  // MARK: Failing

  @Test func anEndpointThatFailsIsLeftAloneAndComesBack() async throws {
    try await withFixture(Fixture(nodes: 2)) { fixture in
      let wallet = try await fixture.register()
      try await fixture.nodes[1].setChainFault(.status(500))
      try await fixture.nodes[0].setChainFault(.status(503))
      await #expect(throws: RefreshError.self) { _ = try await refresh(fixture, wallet) }
      try await refresh(fixture, wallet, until: [.failing, .failing])
      try await fixture.nodes[1].setChainFault(nil)
      try await refresh(fixture, wallet, until: [.failing, .up])
      #expect(await fixture.rows(wallet) == Self.rows)
      // Nobody's read is risked on it: what it is asked are probes. Methods are counted where this fault is met.
      try await fixture.nodes[0].setChainFault(.rpcError(code: -32603, message: "internal error"))
      try await fixture.nodes[0].resetStatistics()
      for _ in 0..<5 { _ = try await refresh(fixture, wallet) }
      #expect(try await fixture.nodes[0].chainStatistics.methods["eth_call"] == nil)
      try await fixture.nodes[0].setChainFault(nil)
      try await refresh(fixture, wallet, until: [.up, .up])
    }
  }

  @Test func oneFailureOfASoleEndpointIsNotSeen() async throws {
    try await withFixture(Fixture()) { fixture in
      try await fixture.node.setChainFault(.disconnect, requests: 1)
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.rows)
    }
  }

  @Test func whereAllAreSetAsideNobodyWaitsLong() async throws {
    var rules = EndpointRules.quick
    rules.restMinimum = .seconds(3_600)
    rules.restMaximum = .seconds(3_600)
    try await withFixture(Fixture(rules: rules)) { fixture in
      let wallet = try await fixture.register()
      try await fixture.node.setChainFault(.garbage)
      for _ in 0..<3 { _ = try? await refresh(fixture, wallet) }
      try await fixture.node.resetStatistics()
      for _ in 0..<50 {
        let error = await #expect(throws: RefreshError.self) { _ = try await refresh(fixture, wallet) }
        if case .resting = error {} else { Issue.record("\(error as Any)") }
      }
      #expect(try await fixture.node.chainStatistics.requests == 0)
    }
  }

  @Test func manyReadsShareOneProbe() async throws {
    var rules = EndpointRules.quick
    rules.restMinimum = .milliseconds(500)
    try await withFixture(Fixture(rules: rules)) { fixture in
      let wallet = try await fixture.register()
      try await fixture.node.setChainFault(.status(500))
      while await states(fixture) != [.failing] { _ = try? await refresh(fixture, wallet) }
      try await fixture.node.setChainFault(nil)
      try await fixture.node.resetStatistics()
      let keys = (0..<16).map { WalletKey(chain: fixture.chain.code, address: .numbered(10_000 + $0)) }
      let wallets = try await fixture.ledger.register(keys).map { try $0.get().id }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for wallet in wallets { group.addTask { _ = try await fixture.service.refreshNow(wallet) } }
        try await group.waitForAll()
      }
      let heights = try await fixture.node.chainStatistics.methods["eth_blockNumber", default: 0]
      #expect(heights == 1)
    }
  }

  // MARK: Asked too often

  @Test(arguments: [
    Fault.rateLimited(retryAfter: 1), .rateLimited(retryAfter: nil),
    .rpcError(code: -32005, message: "daily request count exceeded, request rate limited"),
    .rpcError(code: -32029, message: "Too Many Requests"),
  ])
  func aSoleEndpointThatIsAskedTooOftenIsAskedLater(_ fault: Fault) async throws {
    try await withFixture(Fixture()) { fixture in
      try await fixture.node.setChainFault(fault, requests: 1)
      let wallet = try await fixture.register()
      let start = ContinuousClock.now
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.rows)
      if fault == .rateLimited(retryAfter: 1) { #expect(ContinuousClock.now - start >= .seconds(1)) }
    }
  }

  @Test func retryAfterIsObeyedWhileOthersServe() async throws {
    try await withFixture(Fixture(nodes: 2)) { fixture in
      try await fixture.nodes[0].setChainFault(.rateLimited(retryAfter: 60), requests: 1)
      let wallet = try await fixture.register()
      for _ in 0..<10 { _ = try await refresh(fixture, wallet) }
      #expect(await states(fixture) == [.limited, .up])
      #expect(try await fixture.nodes[0].chainStatistics.requests == 1)
    }
  }

  @Test func theBudgetOfAnEndpointIsKept() async throws {
    var rules = EndpointRules.quick
    rules.requestsPerSecond = 20
    try await withFixture(Fixture(rules: rules)) { fixture in
      let wallet = try await fixture.register()
      let start = ContinuousClock.now
      for _ in 0..<30 { _ = try await refresh(fixture, wallet) }
      // 20 at once, and one more that is not paid for; then 20 a second.
      #expect(ContinuousClock.now - start >= .milliseconds(9 * 50 - 1))
    }
  }

  // MARK: Other chains, other heights

  @Test func anEndpointOfAnotherChainIsSetAsideAndComesBack() async throws {
    try await withFixture(Fixture(nodes: 2)) { fixture in
      try await fixture.nodes[0].setChainFault(.chainID(5))
      let wallet = try await fixture.register()
      _ = try await fixture.service.refreshNow(wallet)
      #expect(await fixture.rows(wallet) == Self.rows)
      #expect(await states(fixture) == [.wrongChain, .up])
      try await fixture.nodes[0].setChainFault(nil)
      try await refresh(fixture, wallet, until: [.up, .up])
    }
  }

  @Test func aLaggardIsSetAsideAndComesBack() async throws {
    try await withFixture(Fixture(nodes: 2)) { fixture in
      let wallet = try await fixture.register()
      try await fixture.nodes[1].withChain { chain in
        chain.setNative(Fixture.owner, to: 7)
        for _ in 0..<4 { chain.mine() }
      }
      // It has the better height and is in use; then it fails once.
      try await fixture.nodes[0].setChainFault(.status(500), requests: 1)
      _ = try await refresh(fixture, wallet)
      #expect(await fixture.rows(wallet)[0] == "native=7")
      try await fixture.nodes[1].setChainFault(.status(500))
      let other = WalletKey(chain: fixture.chain.code, address: .numbered(5))
      let registered = await fixture.ledger.register([other])
      let id = try #require(try registered.first?.get().id)
      await #expect(throws: RefreshError.self) { _ = try await refresh(fixture, id) }
      #expect(await states(fixture)[0] == .behind, "old balances are not shown as new ones")
      try await fixture.nodes[1].setChainFault(nil)
      try await refresh(fixture, wallet, until: [.behind, .up])
      try await fixture.nodes[0].withChain { chain in for _ in 0..<4 { chain.mine() } }
      try await refresh(fixture, wallet, until: [.up, .up])
    }
  }

  @Test func aLaggardIsFoundByTheProbesOfTheStart() async throws {
    try await withFixture(Fixture(nodes: 3)) { fixture in
      for node in fixture.nodes[1...] {
        try await node.withChain { chain in for _ in 0..<9 { chain.mine() } }
      }
      await fixture.service.start()
      while await states(fixture) != [.behind, .up, .up] { try await Task.sleep(for: .milliseconds(5)) }
    }
  }

  // MARK: For people

  @Test func hostsAreNamedWithoutPathOrKey() throws {
    let names = Endpoint.list(
      try ["https://a.example/v3/SECRET", "http://b.example:81/?key=SECRET", "https://a.example/SECRET2"]
        .map { try .init($0) }
    ).map(\.name)
    #expect(names == ["a.example", "b.example:81", "a.example#2"])
  }
}
