import Ethereum
import Ledger
import Testing

@testable import Pricing

/// Several sources, asked in their order.
@Suite(.timeLimit(.minutes(10)))
struct PriceSourcesTests {
  private static let stale = #"{"type":"status","prices":"stale"}!"#
  private static let live = #"{"type":"status","prices":"live"}"#

  private func keys(_ range: Range<Int>) -> [String] {
    range.map { "ETH:\(Address.numbered(UInt64($0)).lowercase)" }
  }

  /// Their names at a scripted source.
  private func coins(_ range: Range<Int>) -> [CoinName] { keys(range).map { $0.lowercased() } }

  private func source(
    _ name: String, _ price: String, time: UnixMilliseconds = 1_000
  ) -> ScriptedSource {
    ScriptedSource(name) { batch, _ in .success(ScriptedSource.quotes(batch, price, time: time)) }
  }

  // MARK: In the same round

  /// How a source may fail to give one coin a price.
  enum Lack: String, CaseIterable {
    case missing, old, failed, limited, jump
  }

  @Test(arguments: Lack.allCases)
  func whatTheFirstDoesNotPriceIsAskedOfTheNext(_ lack: Lack) async throws {
    try await withFixture(Fixture()) { fixture in
      let (keys, coins) = (keys(0..<4), coins(0..<4))
      let first = ScriptedSource("first", batchSize: 2) { batch, number in
        // One round of two batches in which nothing is wrong.
        guard number > 2, batch.contains(coins[0]) else {
          return .success(ScriptedSource.quotes(batch, "7", time: 5_000))
        }
        switch lack {
        case .failed: return .failure(.status(500))
        case .limited: return .failure(.rateLimited(retryAfter: .seconds(600)))
        default: break
        }
        var quotes = ScriptedSource.quotes(batch, "7", time: 6_000)
        switch lack {
        case .missing: quotes.quotes[coins[0]] = nil
        case .old: quotes.quotes[coins[0]]?.time = 4_000
        case .jump: quotes.quotes[coins[0]]?.price = ExactDecimal(parsing: "7e9") ?? .zero
        case .failed, .limited: break
        }
        return .success(quotes)
      }
      let second = source("second", "8", time: 7_000)
      let pipeline = try await fixture.pipeline(first, second)
      try await fixture.watch(keys)
      await pipeline.round()
      #expect(second.requests.isEmpty)
      await pipeline.round()
      #expect(second.requests.count == 1)
      #expect(second.requests.first?.contains(coins[0]) == true)
      #expect(try await fixture.price(keys[0]) == "8 - fresh")
      if ![.failed, .limited].contains(lack) { #expect(second.requests == [[coins[0]]]) }
      #expect(fixture.recorder.statuses.isEmpty)
    }
  }

  @Test(arguments: [(3_600, "7"), (3_599, "8")])
  func aPriceThatIsTooOldIsNone(_ maximumSeconds: Int, _ price: String) async throws {
    try await withFixture(Fixture()) { fixture in
      let now = Fixture.now
      let pipeline = try await fixture.pipeline(
        source("first", "7", time: now - 3_600_000), source("second", "8", time: now),
        maximumAge: .seconds(maximumSeconds))
      try await fixture.watch(keys(0..<1))
      await pipeline.round()
      #expect(try await fixture.price(keys(0..<1)[0]) == "\(price) - fresh")
    }
  }

  @Test func whatNobodyKnowsIsUnknownAtTheEnd() async throws {
    try await withFixture(Fixture()) { fixture in
      let (keys, coins) = (keys(0..<2), coins(0..<2))
      let first = ScriptedSource("first") { batch, _ in .success(Quotes()) }
      let second = ScriptedSource("second") { batch, _ in
        .success(ScriptedSource.quotes([coins[1]], "8"))
      }
      let pipeline = try await fixture.pipeline(first, second)
      try await fixture.watch(keys)
      await pipeline.round()
      #expect(try await fixture.price(keys[0]) == "- - unknown")
      #expect(try await fixture.price(keys[1]) == "8 - fresh")
      #expect(first.requests == [coins] && second.requests == [coins], "each coin once of each")
    }
  }

  @Test func anOutdatedPriceDoesNotStandInForANewOne() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first") { batch, number in
        number == 1 ? .failure(.status(500)) : .success(ScriptedSource.quotes(batch, "7", time: 1_000))
      }
      let second = source("second", "8", time: 2_000)
      let pipeline = try await fixture.pipeline(first, second)
      try await fixture.watch(keys(0..<1))
      await pipeline.round()
      await pipeline.round()
      #expect(second.requests.count == 2, "the first knows nothing newer")
      #expect(try await fixture.price(keys(0..<1)[0]) == "8 - fresh")
    }
  }

  // MARK: Sources that are left alone

  @Test func pricesAreStaleOnlyWhenNoSourceGivesAny() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first") { _, _ in .failure(.status(500)) }
      let second = ScriptedSource("second") { batch, number in
        (3...4).contains(number) ? .failure(.status(502)) : .success(ScriptedSource.quotes(batch, "8"))
      }
      let pipeline = try await fixture.pipeline(first, second)
      try await fixture.watch(keys(0..<1))
      for _ in 0..<3 { await pipeline.round() }
      #expect(fixture.recorder.statuses.isEmpty)
      await pipeline.round()
      #expect(fixture.recorder.statuses == [Self.stale])
      await pipeline.round()
      #expect(fixture.recorder.statuses == [Self.stale, Self.live])
    }
  }

  @Test func aSourceThatAsksForRestIsNotAsked() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first") { _, _ in .failure(.rateLimited(retryAfter: .seconds(600))) }
      let second = source("second", "8")
      let pipeline = try await fixture.pipeline(first, second)
      try await fixture.watch(keys(0..<1))
      for _ in 0..<4 { await pipeline.round() }
      #expect(first.requests.count == 1)
      #expect(second.requests.count == 4)
      #expect(fixture.recorder.statuses.isEmpty)
    }
  }

  @Test func aSourceThatFailsAgainAndAgainIsSetAside() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first") { _, _ in .failure(.status(500)) }
      let second = source("second", "8")
      let pipeline = try await fixture.pipeline(first, second, interval: .seconds(600))
      try await fixture.watch(keys(0..<1))
      for _ in 0..<6 { await pipeline.round() }
      #expect(first.requests.count == 3)
      #expect(second.requests.count == 6)
      #expect(fixture.recorder.statuses.isEmpty)
    }
  }

  @Test func aSourceThatWasSetAsideIsProbedWhenItsTimeIsUp() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first", batchSize: 1) { batch, number in
        number <= 10 ? .failure(.status(500)) : .success(ScriptedSource.quotes(batch, "7", time: 2_000))
      }
      let pipeline = try await fixture.pipeline(first, source("second", "8"), interval: .milliseconds(5))
      try await fixture.watch(keys(0..<3))
      for _ in 0..<3 { await pipeline.round() }
      #expect(first.requests.count == 9, "three rounds of three")
      while first.requests.count == 9 {
        try await Task.sleep(for: .milliseconds(1))
        await pipeline.round()
      }
      #expect(first.requests.count == 10, "one request is a probe")
      while first.requests.count == 10 {
        try await Task.sleep(for: .milliseconds(1))
        await pipeline.round()
      }
      #expect(first.requests.count == 13, "one that succeeds is followed by the others")
      for key in keys(0..<3) { #expect(try await fixture.price(key) == "7 - fresh") }
    }
  }

  @Test func whereNobodyAnswersSourcesAreProbedInEveryRound() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first", batchSize: 1) { batch, _ in .failure(.status(500)) }
      let second = ScriptedSource("second", batchSize: 1) { batch, number in
        number <= 11 ? .failure(.status(500)) : .success(ScriptedSource.quotes(batch, "8"))
      }
      let pipeline = try await fixture.pipeline(first, second, interval: .seconds(600))
      try await fixture.watch(keys(0..<3))
      for _ in 0..<3 { await pipeline.round() }
      #expect(fixture.recorder.statuses == [Self.stale])
      for _ in 0..<2 { await pipeline.round() }
      #expect(first.requests.count == 11 && second.requests.count == 11)
      await pipeline.round()
      #expect(first.requests.count == 12 && second.requests.count == 14)
      #expect(fixture.recorder.statuses == [Self.stale, Self.live])
      await pipeline.round()
      #expect(first.requests.count == 12, "now another one answers")
      for key in keys(0..<3) { #expect(try await fixture.price(key) == "8 - fresh") }
    }
  }

  @Test func aRoundDoesNotGoOnAskingWhoDoesNotAnswer() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first", batchSize: 1) { _, _ in .failure(.unreachable("no answer")) }
      let second = source("second", "8")
      let pipeline = try await fixture.pipeline(first, second)
      try await fixture.watch(keys(0..<50))
      await pipeline.round()
      // Three, and those that were under way beside them.
      #expect((3...6).contains(first.requests.count))
      for key in keys(0..<50) { #expect(try await fixture.price(key) == "8 - fresh") }
    }
  }

  // MARK: Budgets

  @Test func whatIsOverTheBudgetGoesToTheNext() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first", batchSize: 1, requestsPerMinute: 4) { batch, _ in
        .success(ScriptedSource.quotes(batch, "7"))
      }
      let second = source("second", "8")
      let pipeline = try await fixture.pipeline(first, second)
      try await fixture.watch(keys(0..<5))
      await pipeline.round()
      #expect(first.requests.count == 2)
      #expect(second.requests.map(\.count) == [3])
    }
  }

  @Test func aSpentBudgetIsNoOutage() async throws {
    try await withFixture(Fixture()) { fixture in
      let only = ScriptedSource("only", requestsPerMinute: 1) { batch, _ in
        .success(ScriptedSource.quotes(batch, "7"))
      }
      let pipeline = try await fixture.pipeline(only)
      try await fixture.watch(keys(0..<1))
      for _ in 0..<5 { await pipeline.round() }
      #expect(only.requests.count == 1)
      #expect(fixture.recorder.statuses.isEmpty)
    }
  }

  // MARK: Jumps

  private static let collapse: [(second: String?, rounds: Int, price: String)] = [
    // Nobody else knows: until it has been repeated three times.
    (nil, 4, "100"), (nil, 5, "0.01"),
    // A second source agrees at once, or contradicts for ever.
    ("0.011", 2, "0.011"), ("99", 9, "99"),
  ]

  @Test(arguments: collapse)
  func aJumpIsHeldBackUntilItIsConfirmed(_ second: String?, _ rounds: Int, _ price: String) async throws {
    try await withFixture(Fixture()) { fixture in
      let first = ScriptedSource("first") { batch, number in
        .success(
          ScriptedSource.quotes(batch, number == 1 ? "100" : "0.01", time: Int64(number) * 1_000))
      }
      let other = ScriptedSource("second") { batch, number in
        .success(second.map { ScriptedSource.quotes(batch, $0, time: 1_500) } ?? Quotes())
      }
      let pipeline = try await fixture.pipeline(first, other)
      try await fixture.watch(keys(0..<1))
      for _ in 0..<rounds { await pipeline.round() }
      #expect(try await fixture.price(keys(0..<1)[0]) == "\(price) - fresh")
    }
  }

  // MARK: Watching

  @Test func whatNobodyWatchesAnyMoreIsNotAskedFor() async throws {
    try await withFixture(Fixture()) { fixture in
      let only = source("only", "7")
      let pipeline = try await fixture.pipeline(only)
      try await fixture.watch(keys(0..<2))
      await pipeline.round()
      try await fixture.unwatch(keys(0..<1)[0])
      await pipeline.round()
      #expect(only.requests == [coins(0..<2), coins(1..<2)])
      try await fixture.unwatch(keys(1..<2)[0])
      await pipeline.round()
      #expect(only.requests.count == 2)
    }
  }
}
