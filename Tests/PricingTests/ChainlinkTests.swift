import Devnet
import Ethereum
import JSON
import Ledger
import Testing
import Upstream

@testable import Pricing

@Suite(.timeLimit(.minutes(10)))
struct ChainlinkTests {
  private static let usdc = "ETH:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"

  // MARK: Which token has which feed

  @Test(arguments: [
    ("ETH:native", "eth:0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419"),
    // The same coin on other chains, and wrapped.
    ("BASE:native", "eth:0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419"),
    ("ETH:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "eth:0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419"),
    ("BSC:native", "bsc:0x0567f2323251f0aab15c8dfb1967e4e8a7d42aee"),
    ("MATIC:native", "matic:0xab594600376ec9fd91f8e885dadf0ce036862de0"),
    (usdc, "eth:0x8fffffd4afb6115b954bd326cbe7b4ba576818f6"),
    // Bridged ones have prices of their own, and what no list of ours names may call itself anything.
    ("BSC:0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d", nil),
    ("FTM:0x04068da6c83afcfa0e13ba15a6696662335d5b75", nil),
    ("ETH:0x00000000000000000000000000000000000000aa", nil), ("AVAX:native", nil),
  ])
  func feedsOfTokens(_ key: String, _ coin: CoinName?) async throws {
    try await withFixture(Fixture()) { fixture in
      let source = try Chainlink(
        chains: ChainRegistry.chains, client: fixture.client, requestsPerMinute: 60)
      let id = await fixture.ledger.intern(
        try TokenKey(parsing: key), info: TokenInfo(symbol: "USDC", isListed: true))
      let token = try #require(await fixture.ledger.token(id))
      #expect(source.coin(for: token) == coin)
    }
  }

  /// A feed that is set goes before a built-in one, and a chain's own before that of the same coin elsewhere.
  @Test func feedsThatAreSet() async throws {
    try await withFixture(Fixture()) { fixture in
      func feed(_ base: String, _ number: UInt64, _ token: UInt64? = nil) -> ChainlinkFeed {
        ChainlinkFeed(base: base, address: .numbered(number), token: token.map { .numbered($0) })
      }
      let set = [
        "ETH": [feed("USDC", 1), feed("STK", 2, 77), feed("STK", 2, 78)], "BASE": [feed("ETH", 3)],
        "AVAX": [feed("AVAX", 4), feed("USDC", 5, 79)],
      ]
      let chains = ChainRegistry.chains.map { chain in
        var chain = chain
        chain.chainlinkFeeds = set[chain.code.description, default: []] + chain.chainlinkFeeds
        return chain
      }
      let source = try Chainlink(chains: chains, client: fixture.client, requestsPerMinute: 60)
      func coin(_ key: String) async throws -> CoinName? {
        let id = await fixture.ledger.intern(try TokenKey(parsing: key), info: TokenInfo(isListed: true))
        return try await source.coin(for: #require(fixture.ledger.token(id)))
      }
      func name(_ chain: String, _ number: UInt64) -> String {
        "\(chain):\(Address.numbered(number).lowercase)"
      }
      let builtIn = "eth:0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419"
      #expect(try await coin(Self.usdc) == name("eth", 1))
      #expect(try await coin("ETH:\(Address.numbered(77).lowercase)") == name("eth", 2))
      #expect(try await coin("ETH:\(Address.numbered(78).lowercase)") == name("eth", 2))
      #expect(try await coin("BASE:native") == name("base", 3))
      #expect(try await coin("BASE:0x4200000000000000000000000000000000000006") == name("base", 3))
      #expect(try await coin("OP:native") == builtIn)
      #expect(try await coin("ETH:native") == builtIn)
      #expect(try await coin("AVAX:native") == name("avax", 4))
      #expect(try await coin("AVAX:\(Address.numbered(79).lowercase)") == name("avax", 5))
    }
  }

  @Test func aFeedThatIsSetIsReadOnItsChain() async throws {
    try await withFixture(Fixture()) { fixture in
      var chain = try #require(ChainRegistry.chains.first)
      chain.chainID = try await fixture.node.withChain { $0.configuration.chainID }
      chain.rpc = [fixture.node.rpcURL]
      chain.chainlinkFeeds.insert(
        ChainlinkFeed(base: "STK", address: .numbered(2), token: .numbered(77)), at: 0)
      try await fixture.node.withChain { simulated in
        simulated.deploy(
          SimulatedContract(
            name: "STK / USD", symbol: "", decimals: 8,
            round: .init(answer: 150_000_000, updatedAt: simulated.head.timestamp)),
          at: .numbered(2))
      }
      let pipeline = try await fixture.pipeline(
        Chainlink(chains: [chain], client: fixture.client, requestsPerMinute: 100_000, timeout: .seconds(20)))
      let key = "ETH:\(Address.numbered(77).lowercase)"
      try await fixture.watch([key])
      await pipeline.round()
      #expect(try await fixture.price(key) == "1.50000000 - fresh")
    }
  }

  @Test func eachChainHasItsCall() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = try Chainlink(
        chains: ChainRegistry.chains, client: fixture.client, requestsPerMinute: 60)
      #expect(source.batches(["eth:1", "bsc:1", "eth:2"]) == [["eth:1", "eth:2"], ["bsc:1"]])
      #expect(source.batches((0..<101).map { "eth:\($0)" }).map(\.count) == [50, 50, 1])
    }
  }

  // MARK: On a chain

  /// Ethereum as the fixture's node has it.
  private func source(_ fixture: Fixture, rpc: [String]? = nil, chainID: UInt64? = nil) async throws
    -> Chainlink
  {
    var chain = try #require(ChainRegistry.chains.first)
    chain.chainID = try await fixture.node.withChain { $0.configuration.chainID }
    if let chainID { chain.chainID = chainID }
    chain.rpc = rpc ?? [fixture.node.rpcURL]
    return try Chainlink(
      chains: [chain], client: fixture.client, requestsPerMinute: 100_000, timeout: .seconds(20))
  }

  private struct Feed: CustomTestStringConvertible {
    var answer: UInt256 = 241_230_000_000
    var decimals = 8
    var description = "ETH / USD"
    /// Seconds before the block.
    var age: Int64 = 60
    var behaviour = SimulatedContract.Behaviour.standard
    var price: String?
    var testDescription: String { "\(answer) \(decimals) \(description) \(age) \(behaviour)" }
  }

  private func deploy(_ feed: Feed, _ fixture: Fixture) async throws {
    let address = try #require(ChainRegistry.chains.first?.chainlinkFeeds.first?.address)
    try await fixture.node.withChain { chain in
      chain.deploy(
        SimulatedContract(
          name: feed.description, symbol: "", decimals: feed.decimals, behaviour: feed.behaviour,
          round: .init(
            answer: feed.answer, updatedAt: UInt64(Int64(chain.head.timestamp) - feed.age))),
        at: address)
    }
  }

  private static let feeds = [
    Feed(price: "2412.30000000"), Feed(decimals: 18, price: "0.000000241230000000"),
    Feed(answer: 5, decimals: 0, price: "5"), Feed(age: 0, price: "2412.30000000"),
    Feed(age: 90_000, price: "2412.30000000"),
    // A heartbeat was missed, or comes from the future.
    Feed(age: 90_001), Feed(age: -1),
    Feed(answer: 0), Feed(answer: UInt256(.max, .max, .max, .max)), Feed(answer: UInt256(1 << 63, 0, 0, 0)),
    Feed(answer: UInt256(1 << 62, 0, 0, 0)), Feed(decimals: 78), Feed(description: "BTC / USD"),
    Feed(description: "ETH / USD "), Feed(behaviour: .reverts(reason: "no access")),
    Feed(behaviour: .returnsNothing), Feed(behaviour: .returnsGarbage(bytes: 160)),
  ]

  @Test(arguments: feeds)
  private func aFeedIsBelievedOrNot(_ feed: Feed) async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(source(fixture))
      try await deploy(feed, fixture)
      try await fixture.watch(["ETH:native"])
      await pipeline.round()
      #expect(try await fixture.price("ETH:native") == (feed.price.map { "\($0) - fresh" } ?? "- - unknown"))
    }
  }

  /// Where no feed is, a call succeeds and returns nothing.
  @Test func allFeedsOfAChainAreOneRequest() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(source(fixture))
      try await deploy(Feed(), fixture)
      try await fixture.watch(["ETH:native", Self.usdc, "ETH:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"])
      await pipeline.round()
      #expect(try await fixture.price("ETH:native") == "2412.30000000 - fresh")
      #expect(
        try await fixture.price("ETH:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2") == "2412.30000000 - fresh")
      #expect(try await fixture.price(Self.usdc) == "- - unknown")
      let statistics = try await fixture.node.chainStatistics
      #expect([statistics.requests, statistics.subcalls] == [1, 8])
    }
  }

  @Test func theNextNodeIsAskedWhereOneFails() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(
        source(fixture, rpc: [fixture.node.pricesURL, fixture.node.rpcURL]))
      try await deploy(Feed(), fixture)
      try await fixture.watch(["ETH:native"])
      for _ in 0..<3 { await pipeline.round() }
      #expect(try await fixture.price("ETH:native") == "2412.30000000 - fresh")
      #expect(try await fixture.node.priceStatistics.requests == 1, "who answered last is asked first")
    }
  }

  @Test(arguments: [Fault.garbage, .status(500), .rpcError(code: -32_000, message: "no"), .disconnect])
  func aNodeThatFailsChangesNothing(_ fault: Fault) async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(source(fixture))
      try await deploy(Feed(), fixture)
      try await fixture.node.setChainFault(fault)
      try await fixture.watch(["ETH:native"])
      await pipeline.round()
      #expect(try await fixture.price("ETH:native") == "- - unknown")
      try await fixture.node.setChainFault(nil)
      await pipeline.round()
      #expect(try await fixture.price("ETH:native") == "2412.30000000 - fresh")
    }
  }

  @Test func aNodeOfAnotherChainIsNotBelieved() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(source(fixture, chainID: 999))
      try await deploy(Feed(), fixture)
      try await fixture.watch(["ETH:native"])
      await pipeline.round()
      #expect(try await fixture.price("ETH:native") == "- - unknown")
    }
  }
}
