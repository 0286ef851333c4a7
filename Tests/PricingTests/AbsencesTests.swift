import Ethereum
import Ledger
import Testing

@testable import Pricing

@Suite(.timeLimit(.minutes(10)))
struct AbsencesTests {
  private let start = ContinuousClock.now

  /// Seconds after the first round at which a source is asked that never has a price.
  private func asked(interval: Int, until end: Int, jitter: Double) -> [Int] {
    var absences = Absences(interval: .seconds(interval))
    var times: [Int] = []
    for time in stride(from: 0, through: end, by: interval) {
      let now = start + .seconds(time)
      guard !absences.rests("eth:0x1", now: now) else { continue }
      absences.note("eth:0x1", now: now, jitter: jitter)
      times.append(time)
    }
    return times
  }

  @Test(arguments: [0, 0.5, 0.999])
  func theWaitIsAQuarterOfTheTimeWithoutAPrice(jitter: Double) {
    let times = asked(interval: 15, until: 86_400, jitter: jitter)
    #expect(times.prefix(5) == [0, 15, 30, 45, 60], "at first in every round")
    for (before, after) in zip(times, times.dropFirst()) {
      // What is left of a round's interval is waited for, too.
      #expect(after - before < max(15, before / 4) + 15)
      #expect(after - before < 300 + 15)
    }
    #expect(times.count < 450, "of 5761 rounds")
    #expect(times.count > 86_400 / 315)
  }

  @Test func aLongIntervalIsNotMadeLonger() {
    #expect(asked(interval: 600, until: 6_000, jitter: 0).count == 11)
  }

  @Test func whatHasAPriceBeginsAnew() {
    var absences = Absences(interval: .seconds(15))
    absences.note("a", now: start, jitter: 0)
    absences.note("a", now: start + .seconds(800), jitter: 0)
    #expect(absences.rests("a", now: start + .seconds(999)))
    #expect(!absences.rests("a", now: start + .seconds(1_000)))
    #expect(!absences.rests("b", now: start))
    absences.forget("a")
    #expect(!absences.rests("a", now: start + .seconds(801)))
    absences.note("a", now: start + .seconds(801), jitter: 0)
    #expect(!absences.rests("a", now: start + .seconds(816)))
  }

  @Test func whatNobodyWantsIsForgotten() {
    var absences = Absences(interval: .seconds(15))
    for coin in ["a", "b", "c"] { absences.note(coin, now: start, jitter: 0) }
    absences.keep { $0 == "b" }
    #expect(absences.count == 1)
    #expect(absences.rests("b", now: start) && !absences.rests("a", now: start))
  }
}

/// Rounds an hour apart as the pipeline sees it: what rests does so for minutes.
@Suite(.timeLimit(.minutes(10)))
struct AbsentPriceTests {
  private static let hour = Duration.seconds(3_600)
  private let keys = (0..<3 as Range<UInt64>).map { "ETH:\(Address.numbered($0).lowercase)" }
  private var coins: [CoinName] { keys.map { $0.lowercased() } }

  /// Prices the third token alone.
  private func source(_ name: String = "first") -> ScriptedSource {
    ScriptedSource(name) { [priced = coins[2]] batch, _ in
      .success(ScriptedSource.quotes(batch.filter { $0 == priced }, "7"))
    }
  }

  @Test func aTokenWithoutAPriceIsLeftOutAndOneWithAPriceIsNot() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = source()
      let pipeline = try await fixture.pipeline(source, interval: Self.hour)
      try await fixture.watch(keys)
      await pipeline.round()
      await pipeline.round()
      #expect(source.requests == [coins, [coins[2]]])
      #expect(try await fixture.price(keys[0]) == "- - unknown")
      #expect(try await fixture.price(keys[2]) == "7 - fresh")
    }
  }

  @Test func onceTheSourceHadOneItIsAskedForInEveryRound() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = ScriptedSource { batch, number in
        .success(number == 1 ? ScriptedSource.quotes(batch, "7") : Quotes())
      }
      let pipeline = try await fixture.pipeline(source, interval: Self.hour)
      try await fixture.watch([keys[0]])
      for _ in 0..<4 { await pipeline.round() }
      #expect(source.requests.count == 4)
    }
  }

  enum NoAnswer: CaseIterable { case failed, limited, limitedInAnAnswer, overBudget }

  @Test(arguments: NoAnswer.allCases)
  func aFailureIsNoAbsence(_ kind: NoAnswer) async throws {
    try await withFixture(Fixture()) { fixture in
      let source = ScriptedSource(requestsPerMinute: kind == .overBudget ? 1 : 1_000_000) { _, number in
        guard number == 1 else { return .success(Quotes()) }
        switch kind {
        case .failed: return .failure(.status(500))
        case .limited: return .failure(.rateLimited(retryAfter: .zero))
        case .limitedInAnAnswer:
          var quotes = Quotes()
          quotes.retryAfter = .zero
          return .success(quotes)
        case .overBudget: return .success(Quotes())
        }
      }
      let pipeline = try await fixture.pipeline(source, interval: Self.hour)
      if kind == .overBudget {
        try await fixture.watch([keys[1]])
        await pipeline.round()
      }
      try await fixture.watch([keys[0]])
      await pipeline.round()
      #expect(await pipeline.absentCoins == (kind == .overBudget ? [1] : [0]))
      guard kind != .overBudget else { return }
      await pipeline.round()
      #expect(source.requests.count == 2)
      #expect(await pipeline.absentCoins == [1])
    }
  }

  @Test func eachSourceForItself() async throws {
    try await withFixture(Fixture()) { fixture in
      let first = source()
      let second = ScriptedSource("second") { batch, number in
        number == 1
          ? .failure(.status(500)) : .success(ScriptedSource.quotes(number == 3 ? batch : [], "8"))
      }
      let pipeline = try await fixture.pipeline(first, second, interval: Self.hour)
      try await fixture.watch([keys[0]])
      for _ in 0..<4 { await pipeline.round() }
      #expect(first.requests.count == 1, "it has answered")
      #expect(second.requests.count == 2, "it had not")
      #expect(fixture.recorder.statuses.isEmpty, "that nobody has a price is an answer")
    }
  }

  @Test func aRefreshAsksAndBeginsAnew() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = source()
      let pipeline = try await fixture.pipeline(source, interval: Self.hour)
      try await fixture.watch(keys)
      await pipeline.round()
      let id = try #require(await fixture.ledger.tokenID(of: try TokenKey(parsing: keys[1])))
      await pipeline.refreshPrices(of: [id])
      await pipeline.round()
      #expect(source.requests == [coins, [coins[1]], [coins[2]]])
    }
  }

  @Test func oneThatComesToBeWatchedAgainIsNew() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = source()
      let pipeline = try await fixture.pipeline(source, interval: Self.hour)
      try await fixture.watch(keys)
      await pipeline.round()
      #expect(await pipeline.absentCoins == [2])
      try await fixture.unwatch(keys[0])
      await pipeline.round()
      #expect(await pipeline.absentCoins == [1])
      try await fixture.watch([keys[0]])
      await pipeline.round()
      #expect(source.requests == [coins, [coins[2]], [coins[0], coins[2]]])
      for key in keys { try await fixture.unwatch(key) }
      await pipeline.round()
      #expect(await pipeline.absentCoins == [0])
    }
  }
}

extension PricePipeline {
  fileprivate var absentCoins: [Int] { sources.map(\.absences.count) }
}
