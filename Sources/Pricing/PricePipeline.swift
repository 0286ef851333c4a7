// Watched set → sources in order → batches → fetch with bounded concurrency → compare → ledger.
//
// A round asks for every watched token once, however many wallets hold it and however many chains share its coin.
// What the first source does not price is asked of the next one in the same round. Rounds follow each other at the
// interval; a token that comes to be watched without a fresh price is asked for in a small round of its own, soon. A
// missing price changes nothing, and neither does a failed batch. A token that never had a price is asked for less often
// the longer no source has one.
//
//   PricePipeline.swift         which tokens, and when
//   PricePipeline+Asking.swift  one source's part of a round
//   Absences.swift              what a source has no price for, and when it is asked for it again

import Ethereum
import Jobs
import Ledger
import Logging
import Metrics

public struct PricingSettings: Sendable {
  /// Between the starts of two rounds.
  public var interval: Duration
  /// Prices that their source saw longer ago are none.
  public var maximumAge: Duration
  /// Requests to one source under way at once.
  public var concurrency = 4
  /// How long to gather wishes before a small round.
  public var gathering = Duration.milliseconds(30)

  public init(interval: Duration, maximumAge: Duration) {
    self.interval = interval
    self.maximumAge = maximumAge
  }
}

public actor PricePipeline {
  let ledger: Ledger
  /// In the order in which they are asked.
  var sources: [SourceState]
  let settings: PricingSettings
  let clock: @Sendable () -> UnixMilliseconds
  /// 0..<1
  let jitter: @Sendable () -> Double
  let logger: Logger
  private nonisolated let signal: AsyncStream<Void>
  private nonisolated let wish: AsyncStream<Void>.Continuation

  private let jobs: JobBoard
  private var loops: [JobLoop] = []
  /// The round under way, and the one that waits for it and takes in all that is asked for meanwhile.
  private var current: Task<Void, Never>?
  private var next: Task<Void, Never>?
  private var wantedIDs: Set<TokenID> = []
  /// Those of them that are asked for whether or not a source had a price lately.
  private var insisted: Set<TokenID> = []
  /// Tokens that the next round asks for, whole rounds not counted.
  var wantedCount: Int { wantedIDs.count }
  private var wantsWhole = false
  /// Whole rounds so far.
  private(set) var wholeRounds = 0
  /// When the last small round began: they keep a distance.
  private var smallRoundAt: ContinuousClock.Instant?
  /// Whole rounds in a row in which no source gave anything.
  private var failedRounds = 0
  private var isStale = false
  private(set) var isStopped = false
  /// Of the last whole round.
  private var watched: [TokenID] = []
  /// When tokens were asked for lately, so that one without a price isn't asked for without end.
  private var askedAt: [TokenID: ContinuousClock.Instant] = [:]
  var jumps = JumpGuard()

  private let rounds = Counter(label: "pricing_rounds_total")
  let accepted = Counter(label: "pricing_accepted_total")
  private let lookups = PriceLookups()
  private let duration = Metrics.Timer(label: "pricing_round")
  private let watchedGauge = Gauge(label: "pricing_watched_tokens")
  private let unpricedGauge = Gauge(label: "pricing_unpriced_tokens")
  private let lastSuccess = Gauge(label: "pricing_last_success_seconds")

  /// - Parameter sources: the best first.
  public init(
    ledger: Ledger, sources: [any PriceSource], settings: PricingSettings,
    clock: @escaping @Sendable () -> UnixMilliseconds,
    jitter: @escaping @Sendable () -> Double = { .random(in: 0..<1) }, logger: Logger,
    jobs: JobBoard = JobBoard()
  ) {
    self.jobs = jobs
    self.ledger = ledger
    self.sources = sources.map { SourceState($0, interval: settings.interval) }
    self.settings = settings
    self.clock = clock
    self.jitter = jitter
    self.logger = logger
    (signal, wish) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  public func start() {
    guard loops.isEmpty else { return }
    let whole = JobLoop("prices_round", on: jobs) { [weak self] turns in
      var next = ContinuousClock.now
      while !Task.isCancelled {
        guard let self else { return }
        await turns.run { await self.round() }
        next = max(next + self.settings.interval, ContinuousClock.now)
        try? await Task.sleep(until: next)
      }
    }
    let small = JobLoop("prices_missing", on: jobs) { [weak self, signal, settings] turns in
      for await _ in signal {
        try? await Task.sleep(for: settings.gathering)
        guard let self, !Task.isCancelled else { return }
        await turns.run { await self.smallRound() }
      }
    }
    loops = [whole, small]
    for loop in loops { loop.start() }
  }

  /// The rounds under way are cut short.
  public func stop() async {
    isStopped = true
    for loop in loops { loop.cancel() }
    current?.cancel()
    next?.cancel()
    await next?.value
    await current?.value
    for loop in loops { await loop.stop() }
    wish.finish()
  }

  // MARK: - Rounds
  //
  // One at a time. Whatever is asked for while one runs is gathered into the next: ten thousand refreshes make two
  // rounds, not ten thousand.

  /// A round for every watched token.
  public func round() async {
    wantsWhole = true
    await inTurn()
  }

  /// A round for these tokens alone: what a refreshed wallet holds. Every source is asked.
  public func refreshPrices(of ids: [TokenID]) async {
    guard !ids.isEmpty else { return }
    wantedIDs.formUnion(ids)
    insisted.formUnion(ids)
    await inTurn()
  }

  /// A round for watched tokens without a fresh price.
  private func smallRound() async {
    let now = ContinuousClock.now
    askedAt = askedAt.filter { now - $0.value < settings.interval }
    let watched = await ledger.watchedTokens().map(\.id).filter { askedAt[$0] == nil }
    let cells = await ledger.priceCells(of: watched)
    lookups.note(cells.map(\.state))
    let ids = cells.filter { $0.state != .fresh }.map(\.token.id)
    guard !ids.isEmpty else { return }
    wantedIDs.formUnion(ids)
    await inTurn()
  }

  /// Waits for a round that begins after now.
  private func inTurn() async {
    guard !isStopped else { return }
    if let next {
      await next.value
      return
    }
    let before = current
    let task = Task {
      await before?.value
      await self.keepDistance()
      await self.runNext()
    }
    next = task
    await task.value
  }

  /// Small rounds keep a second between them, where the whole ones do.
  private func keepDistance() async {
    guard !wantsWhole, let smallRoundAt else { return }
    let due = smallRoundAt + min(settings.interval, .seconds(1))
    while !wantsWhole, !isStopped, ContinuousClock.now < due {
      // In short steps, so that a whole round that comes due meanwhile need not wait.
      try? await Task.sleep(for: min(.milliseconds(20), due - ContinuousClock.now))
      if Task.isCancelled { return }
    }
  }

  private func runNext() async {
    current = next
    next = nil
    let isWhole = wantsWhole
    let ids = wantedIDs
    let insisted = insisted
    wantsWhole = false
    wantedIDs = []
    self.insisted = []
    var tokens: [Token] = []
    if isWhole {
      wholeRounds += 1
      tokens = await ledger.watchedTokens()
    } else {
      smallRoundAt = .now
    }
    let watched = tokens.map(\.id)
    for id in ids.subtracting(watched).sorted() {
      if let token = await ledger.token(id), token.info.isActive { tokens.append(token) }
    }
    if !tokens.isEmpty {
      await run(tokens, isWhole: isWhole, insisted: insisted)
    } else if isWhole {
      for index in sources.indices { sources[index].forgetAbsences() }
    }
    if isWhole {
      watchedGauge.record(watched.count)
      self.watched = watched
    }
  }

  /// How long ago, in milliseconds, a source last confirmed that price of the last round's tokens for which it is the
  /// longest. Nil where nobody watches a token with a price.
  public func oldestPriceAge() async -> UnixMilliseconds? { await ledger.oldestPriceAge(of: watched) }

  private func run(_ tokens: [Token], isWhole: Bool, insisted: Set<TokenID>) async {
    guard !isStopped else { return }
    let began = ContinuousClock.now
    let priced = await ledger.priceCells(of: tokens.map(\.id)).filter { $0.price != nil }.map(\.token.id)
    let round = Round(isWhole: isWhole, priced: Set(priced), insisted: insisted)
    for token in tokens { askedAt[token.id] = began }
    var left = tokens
    var outcome = Outcome()
    for index in sources.indices where !left.isEmpty {
      left = await ask(index, left, of: round, &outcome)
      guard !isStopped else { return }
    }
    for index in outcome.setAside where !outcome.hasAnswer {
      left = await ask(index, left, of: round, isUrgent: true, &outcome)
      guard !isStopped else { return }
    }
    // Held prices stay as they are; who has none learns it.
    await ledger.accept(prices: [], asked: left.map(\.id))
    if isWhole { unpricedGauge.record(left.count) }
    rounds.increment()
    duration.recordNanoseconds(Int64((ContinuousClock.now - began) / .nanoseconds(1)))
    if outcome.isKnown { await judge(outcome, isWhole: isWhole) }
  }

  /// What became of a round, over all sources.
  struct Outcome {
    /// Some source has a name for some of the tokens.
    var isKnown = false
    var hasAnswer = false
    /// Some source was not asked for nothing but its budget.
    var isUndecided = false
    /// Sources that were passed over for their failures.
    var setAside: [Int] = []
    /// Why sources gave nothing, by source.
    var reasons: [String] = []
  }

  // MARK: - What clients are told

  /// Two whole rounds in which no source gave anything: prices are stale until one does.
  private func judge(_ outcome: Outcome, isWhole: Bool) async {
    guard !outcome.hasAnswer else {
      failedRounds = 0
      lastSuccess.record(Double(clock() / 1_000))
      if isStale {
        isStale = false
        logger.notice("prices are live again")
        await announce("live", isAbnormal: false)
      }
      return
    }
    guard isWhole, !outcome.isUndecided else { return }
    failedRounds += 1
    guard failedRounds >= 2, !isStale else { return }
    isStale = true
    logger.error("no prices", metadata: ["reasons": "\(outcome.reasons.joined(separator: "; "))"])
    await announce("stale", isAbnormal: true)
  }

  private func announce(_ state: StaticString, isAbnormal: Bool) async {
    var json: [UInt8] = []
    json.append("{\"type\":\"status\",\"prices\":\"")
    json.append(state)
    json.append("\"}")
    await ledger.announce(StatusFrame(subject: .prices, json: json, isAbnormal: isAbnormal))
  }
}

extension PricePipeline: WatchObserver {
  public nonisolated func walletWanted(_ wallet: WalletID, key: WalletKey, isWatched: Bool) {}

  public nonisolated func walletUnwatched(_ wallet: WalletID) {}

  public nonisolated func pricesWanted() { wish.yield() }
}
