import Devnet
import Ethereum
import Ledger
import Synchronization
import Testing

@testable import Pricing

@Suite(.timeLimit(.minutes(10)))
struct PricePipelineTests {
  private static let usdc = "ETH:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
  private static let usdcCoin = "ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
  private static let stale = #"{"type":"status","prices":"stale"}!"#
  private static let live = #"{"type":"status","prices":"live"}"#

  private func keys(_ range: Range<Int>) -> [String] {
    range.map { "ETH:\(Address.numbered(UInt64($0)).lowercase)" }
  }

  // MARK: DefiLlama's format over HTTP

  @Test func chainsThatShareACoinShareTheQuestion() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline()
      try await fixture.setPrice("coingecko:ethereum", "2412.30")
      try await fixture.setPrice(Self.usdcCoin, "0.9998")
      try await fixture.watch(["ETH:native", "BASE:native", "ARB:native", Self.usdc])
      await pipeline.round()
      #expect(try await fixture.price("ETH:native") == "2412.3 120515.00 fresh")
      #expect(try await fixture.price("BASE:native") == "2412.3 120515.00 fresh")
      #expect(try await fixture.price("ARB:native") == "2412.3 120515.00 fresh")
      #expect(try await fixture.price(Self.usdc).hasPrefix("0.9998 "))
      let statistics = try await fixture.node.priceStatistics
      #expect([statistics.current, statistics.percentage, statistics.coins] == [1, 1, 4])
    }
  }

  @Test func manyTokensAreAskedInBatches() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline()
      for key in keys(0..<250) { try await fixture.setPrice("ethereum:" + key.dropFirst(4), "1.5") }
      try await fixture.watch(keys(0..<250))
      await pipeline.round()
      for key in keys(0..<250) { #expect(try await fixture.price(key).hasPrefix("1.5 ")) }
      let statistics = try await fixture.node.priceStatistics
      #expect([statistics.current, statistics.percentage, statistics.coins] == [3, 3, 500])
      #expect(statistics.tooLong == 0)
    }
  }

  @Test func aMissingPriceChangesNothing() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline()
      try await fixture.setPrice(Self.usdcCoin, "2.50")
      try await fixture.watch([Self.usdc, "ETH:native"])
      await pipeline.round()
      #expect(try await fixture.price(Self.usdc) == "2.5 25.00 fresh")
      #expect(try await fixture.price("ETH:native") == "- - unknown", "asked, and nothing was said")
      let revision = await fixture.ledger.revision
      try await fixture.node.withPrices { $0[Self.usdcCoin] = nil }
      await pipeline.round()
      #expect(try await fixture.price(Self.usdc) == "2.5 25.00 fresh")
      #expect(await fixture.ledger.revision == revision)
    }
  }

  @Test func aMissingChangeKeepsWhatIsHeld() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline()
      try await fixture.setPrice(Self.usdcCoin, "2.50")
      try await fixture.watch([Self.usdc])
      await pipeline.round()
      try await fixture.node.withPrices { prices in
        prices.setPrice(Self.usdcCoin, "3.00")
        prices[Self.usdcCoin]?.dayAgoTicks = nil
      }
      await pipeline.round()
      #expect(try await fixture.price(Self.usdc) == "3 25.00 fresh")
    }
  }

  @Test(arguments: [
    Fault.status(500), .status(502), .status(403), .garbage, .disconnect, .rateLimited(retryAfter: nil),
  ])
  func aFaultChangesNothing(_ fault: Fault) async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline()
      try await fixture.setPrice(Self.usdcCoin, "2.50")
      try await fixture.watch([Self.usdc])
      await pipeline.round()
      try await fixture.node.setPriceFault(fault)
      try await fixture.watch(["ETH:native"])
      await pipeline.round()
      #expect(try await fixture.price(Self.usdc) == "2.5 25.00 fresh")
      #expect(try await fixture.price("ETH:native") == "- - unknown", "nobody waits for ever")
      #expect(fixture.recorder.statuses.isEmpty)
      await pipeline.round()
      #expect(fixture.recorder.statuses == [Self.stale])
      await pipeline.round()
      #expect(fixture.recorder.statuses == [Self.stale], "said once")
    }
  }

  @Test func aSourceThatIsDownComesBack() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(interval: .milliseconds(20))
      try await fixture.setPrice(Self.usdcCoin, "2.50")
      try await fixture.node.setPriceFault(.status(503))
      try await fixture.watch([Self.usdc])
      await pipeline.start()
      while fixture.recorder.statuses != [Self.stale] { try await Task.sleep(for: .milliseconds(5)) }
      try await fixture.node.setPriceFault(nil)
      while fixture.recorder.statuses != [Self.stale, Self.live] {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(try await fixture.price(Self.usdc) == "2.5 25.00 fresh")
      await pipeline.stop()
    }
  }

  @Test func a429IsObeyed() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline()
      try await fixture.node.setPriceFault(.rateLimited(retryAfter: 600))
      try await fixture.watch([Self.usdc])
      await pipeline.round()
      let requests = try await fixture.node.priceStatistics.requests
      #expect(requests <= 2)
      try await fixture.node.setPriceFault(nil)
      for _ in 0..<3 { await pipeline.round() }
      await pipeline.refreshPrices(of: [0])
      #expect(try await fixture.node.priceStatistics.requests == requests)
      #expect(fixture.recorder.statuses == [Self.stale], "a source at rest has no prices either")
    }
  }

  @Test func nobodyWatchesNobodyAsks() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline()
      await pipeline.round()
      #expect(try await fixture.node.priceStatistics.requests == 0)
    }
  }

  @Test func aTokenThatComesToBeWatchedIsAskedForSoon() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(interval: .seconds(3_600))
      try await fixture.setPrice(Self.usdcCoin, "2.50")
      try await fixture.setPrice("coingecko:ethereum", "2000")
      await pipeline.start()
      try await fixture.watch([Self.usdc])
      while try await fixture.price(Self.usdc) != "2.5 25.00 fresh" {
        try await Task.sleep(for: .milliseconds(5))
      }
      try await fixture.watch([Self.usdc, "ETH:native"])
      while try await !fixture.price("ETH:native").hasSuffix("fresh") {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(
        try await fixture.node.priceStatistics.coins == 4, "each coin once, for its price and its change")
      await pipeline.stop()
    }
  }

  // MARK: Rounds

  @Test func aBatchThatFailsIsLostAlone() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = ScriptedSource(batchSize: 1) { batch, number in
        batch[0].hasSuffix("native") ? .failure(.status(500)) : .success(ScriptedSource.quotes(batch, "7"))
      }
      let pipeline = try await fixture.pipeline(source)
      try await fixture.watch(["ETH:native", Self.usdc])
      for _ in 0..<3 { await pipeline.round() }
      #expect(try await fixture.price(Self.usdc) == "7 - fresh")
      #expect(try await fixture.price("ETH:native") == "- - unknown")
      #expect(fixture.recorder.statuses.isEmpty)
    }
  }

  @Test(arguments: [false, true])
  func afterA429NoMoreBatchesAreSent(isAnswered: Bool) async throws {
    try await withFixture(Fixture()) { fixture in
      let source = ScriptedSource(batchSize: 1) { batch, number in
        guard isAnswered else { return .failure(.rateLimited(retryAfter: .seconds(600))) }
        var quotes = ScriptedSource.quotes(batch, "7")
        quotes.retryAfter = .seconds(600)
        return .success(quotes)
      }
      let pipeline = try await fixture.pipeline(source)
      try await fixture.watch(keys(0..<50))
      await pipeline.round()
      #expect(source.requests.count <= 4)
      for key in keys(0..<50) { #expect(try await !fixture.price(key).contains("loading")) }
      await pipeline.round()
      #expect(source.requests.count <= 4)
    }
  }

  /// Ten thousand refreshes make two rounds, not ten thousand.
  @Test func whatIsAskedForMeanwhileIsOneRound() async throws {
    try await withFixture(Fixture()) { fixture in
      let gate = AsyncGate()
      let source = ScriptedSource { batch, number in
        if number == 1 { await gate.wait() }
        return .success(ScriptedSource.quotes(batch, "7"))
      }
      let pipeline = try await fixture.pipeline(source)
      var ids: [TokenID] = []
      for key in keys(0..<20) {
        ids.append(await fixture.ledger.intern(try TokenKey(parsing: key), info: TokenInfo(isListed: true)))
      }
      let first = ids[0]
      await withTaskGroup { group in
        group.addTask { await pipeline.refreshPrices(of: [first]) }
        while source.requests.isEmpty { await Task.yield() }
        // Begun here and now: all of them are with the pipeline before it is asked how much is wanted.
        for id in ids + ids + ids { group.addImmediateTask { await pipeline.refreshPrices(of: [id]) } }
        while await pipeline.wantedCount < 20 { await Task.yield() }
        gate.open()
      }
      #expect(source.requests.map(\.count) == [1, 20])
      for key in keys(0..<20) { #expect(try await fixture.price(key) == "7 - fresh") }
    }
  }

  @Test func olderPricesAreDropped() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = ScriptedSource { batch, number in
        .success(ScriptedSource.quotes(batch, "\(number)", change: 100, time: number == 2 ? 1_000 : 2_000))
      }
      let pipeline = try await fixture.pipeline(source)
      try await fixture.watch([Self.usdc])
      await pipeline.round()
      await pipeline.round()
      #expect(try await fixture.price(Self.usdc) == "1 1.00 fresh")
      await pipeline.round()
      #expect(try await fixture.price(Self.usdc) == "3 1.00 fresh", "an equal time is not older")
    }
  }

  @Test func stopCutsARoundShort() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = ScriptedSource { batch, number in
        try? await Task.sleep(for: .seconds(600))
        return .failure(.unreachable("cancelled"))
      }
      let pipeline = try await fixture.pipeline(source)
      try await fixture.watch([Self.usdc])
      await pipeline.start()
      while source.requests.isEmpty { await Task.yield() }
      await pipeline.stop()
      await pipeline.round()
      #expect(source.requests.count == 1)
      #expect(fixture.recorder.statuses.isEmpty)
    }
  }
}

/// Holds whoever waits until it is opened.
private final class AsyncGate: Sendable {
  private let stream: AsyncStream<Void>
  private let sink: AsyncStream<Void>.Continuation
  init() { (stream, sink) = AsyncStream.makeStream() }
  func open() { sink.finish() }
  func wait() async { for await _ in stream {} }
}
