import Testing
import Upstream

@testable import Pricing

struct SourceHealthTests {
  // What changes a value can't stand in an expectation: these stand in for it.
  private final class Health {
    private var health = SourceHealth(interval: .seconds(15))
    func permit(now: ContinuousClock.Instant, isUrgent: Bool = false) -> SourceHealth.Permit {
      health.permit(now: now, isUrgent: isUrgent)
    }
    func rest(_ wait: Duration, now: ContinuousClock.Instant) { health.rest(wait, now: now) }
    func failed(now: ContinuousClock.Instant) -> Duration? { health.failed(now: now) }
    func succeeded() -> Bool { health.succeeded() }
  }

  private final class Budget {
    private var budget: RequestBudget
    init(perMinute: Int, least: Int) { budget = RequestBudget(perMinute: perMinute, least: least) }
    func take(_ requests: Int, now: ContinuousClock.Instant) -> Bool { budget.take(requests, now: now) }
  }

  private let start = ContinuousClock.now

  @Test func threeFailuresArePunishedLongerAndLonger() {
    let health = Health()
    #expect(health.failed(now: start) == nil)
    #expect(health.failed(now: start) == nil)
    #expect(health.permit(now: start) == .all)
    var now = start
    for seconds in [30, 60, 120, 120] {
      #expect(health.failed(now: now) == .seconds(seconds))
      #expect(health.permit(now: now + .seconds(seconds) - .nanoseconds(1)) == .rest)
      #expect(health.permit(now: now, isUrgent: true) == .probe)
      #expect(health.failed(now: now) == nil, "a probe before its time makes it no longer")
      now += .seconds(seconds)
      #expect(health.permit(now: now) == .probe)
    }
    #expect(health.succeeded())
    #expect(health.permit(now: now) == .all)
    #expect(health.failed(now: now) == nil, "all is forgotten")
  }

  @Test func aSuccessForgetsFailures() {
    let health = Health()
    for _ in 0..<5 {
      #expect(health.failed(now: start) == nil)
      #expect(health.failed(now: start) == nil)
      #expect(!health.succeeded())
    }
  }

  @Test func itRestsForAsLongAsItAsks() {
    let health = Health()
    health.rest(.seconds(53), now: start)
    health.rest(.seconds(10), now: start)
    #expect(health.permit(now: start + .seconds(52), isUrgent: true) == .rest)
    #expect(health.permit(now: start + .seconds(53)) == .all)
  }

  @Test func budgetsOfPublicServicesAreTheirs() async throws {
    try await withFixture(Fixture()) { try await Self.checkBudgets($0) }
  }

  private static func checkBudgets(_ fixture: Fixture) async throws {
    func coinGecko(_ base: String, key: String = "") throws -> Int {
      try fixture.coinGecko(key: key, base: base, requestsPerMinute: 0).requestsPerMinute
    }
    #expect(try coinGecko("https://api.coingecko.com/api/v3") == 10)
    #expect(try coinGecko("https://api.coingecko.com/api/v3", key: "k") == 30)
    #expect(try coinGecko("https://pro-api.coingecko.com/api/v3", key: "k") == 250)
    #expect(try coinGecko("https://notcoingecko.com") == 1_000_000)
    func defiLlama(_ base: String, _ wanted: Int = 0) throws -> Int {
      DefiLlama(
        base: try HTTPURL(base), client: fixture.client, chains: [], requestsPerMinute: wanted
      ).requestsPerMinute
    }
    #expect(try defiLlama("https://coins.llama.fi") == 300)
    #expect(try defiLlama("https://coins.llama.fi", 7) == 7)
    #expect(try defiLlama("http://127.0.0.1:9") == 1_000_000)
  }

  @Test(arguments: [(10, 1, 5), (1, 1, 1), (1, 2, 2), (300, 2, 150)])
  func aBudgetHasHalfAMinutesWorthAtOnce(_ perMinute: Int, _ batch: Int, _ atOnce: Int) {
    let budget = Budget(perMinute: perMinute, least: batch)
    for _ in 0..<atOnce { #expect(budget.take(1, now: start)) }
    #expect(!budget.take(1, now: start))
  }

  @Test func aBudgetFillsAtItsRate() {
    let budget = Budget(perMinute: 60, least: 2)
    #expect(budget.take(30, now: start))
    #expect(!budget.take(2, now: start + .milliseconds(1_900)))
    #expect(budget.take(2, now: start + .milliseconds(2_100)))
    #expect(!budget.take(31, now: start + .seconds(3_600)), "never more than half of it")
    #expect(budget.take(30, now: start + .seconds(3_600)))
    #expect(!budget.take(1, now: start), "a clock that goes back gives nothing")
  }

  @Test func whatIsLeftOutComesFirst() {
    var state = SourceState(ScriptedSource { _, _ in .failure(.status(500)) }, interval: .seconds(15))
    let coins = ["a", "b", "c", "d"]
    #expect(state.inTurn(coins) == coins)
    state.noteLeft(["c", "d"], of: coins, isWhole: true)
    #expect(state.inTurn(coins) == ["c", "d", "a", "b"])
    #expect(state.inTurn(["a", "d", "e"]) == ["d", "a", "e"], "who is not wanted is not asked for")
    state.noteLeft([], of: ["d"], isWhole: false)
    #expect(state.inTurn(coins) == ["c", "a", "b", "d"])
    state.noteLeft([], of: ["a"], isWhole: true)
    #expect(state.inTurn(coins) == coins)
  }
}
