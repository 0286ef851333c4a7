// Watched set → batches → fetch with bounded concurrency → compare → ledger.
//
// A round asks for every watched token once, however many wallets hold it and however many chains share its coin.
// Rounds follow each other at the interval; a token that comes to be watched without a fresh price is asked for in a
// small round of its own, soon. A missing price changes nothing, and neither does a failed batch.

import Ethereum
import JSON
import Ledger
import Logging
import Metrics
import Synchronization
import Upstream

public struct PricingSettings: Sendable {
  /// Between the starts of two rounds.
  public var interval: Duration
  public var defiLlamaURL: HTTPURL
  public var timeout = Duration.seconds(10)
  /// Requests under way at once.
  public var concurrency = 4
  /// How long to gather wishes before a small round.
  public var gathering = Duration.milliseconds(30)

  public init(interval: Duration, defiLlamaURL: HTTPURL) {
    self.interval = interval
    self.defiLlamaURL = defiLlamaURL
  }
}

public actor PricePipeline {
  private let ledger: Ledger
  private let source: any PriceSource
  private let settings: PricingSettings
  private let clock: @Sendable () -> UnixMilliseconds
  private let logger: Logger
  private nonisolated let signal: AsyncStream<Void>
  private nonisolated let wish: AsyncStream<Void>.Continuation

  private var runner: Task<Void, Never>?
  private var smallRunner: Task<Void, Never>?
  /// The round under way, and the one that waits for it and takes in all that is asked for meanwhile.
  private var current: Task<Void, Never>?
  private var next: Task<Void, Never>?
  private var wantedIDs: Set<TokenID> = []
  /// Tokens that the next round asks for, whole rounds not counted.
  var wantedCount: Int { wantedIDs.count }
  private var wantsWhole = false
  /// When the last small round began: they keep a distance.
  private var smallRoundAt: ContinuousClock.Instant?
  /// The source asked to be left alone until then.
  private var restUntil: ContinuousClock.Instant?
  /// Whole rounds in a row of which every request failed.
  private var failedRounds = 0
  private var isStale = false
  private var isStopped = false
  /// When tokens were asked for lately, so that one without a price isn't asked for without end.
  private var askedAt: [TokenID: ContinuousClock.Instant] = [:]

  private let rounds = Counter(label: "pricing_rounds_total")
  private let requestsFailed = Counter(label: "pricing_batches_failed_total")
  private let nonsense = Counter(label: "pricing_nonsense_total")
  private let accepted = Counter(label: "pricing_accepted_total")
  private let outdated = Counter(label: "pricing_outdated_total")
  private let duration = Metrics.Timer(label: "pricing_round")
  private let watchedGauge = Gauge(label: "pricing_watched_tokens")
  private let lastSuccess = Gauge(label: "pricing_last_success_seconds")

  public init(
    ledger: Ledger, source: any PriceSource, settings: PricingSettings,
    clock: @escaping @Sendable () -> UnixMilliseconds, logger: Logger
  ) {
    self.ledger = ledger
    self.source = source
    self.settings = settings
    self.clock = clock
    self.logger = logger
    (signal, wish) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  public init(
    ledger: Ledger, chains: [Chain], client: HTTPClient, settings: PricingSettings,
    clock: @escaping @Sendable () -> UnixMilliseconds, logger: Logger
  ) {
    self.init(
      ledger: ledger,
      source: DefiLlama(
        base: settings.defiLlamaURL, client: client, chains: chains, timeout: settings.timeout),
      settings: settings, clock: clock, logger: logger)
  }

  public func start() {
    guard runner == nil else { return }
    runner = Task { [weak self] in
      var next = ContinuousClock.now
      while !Task.isCancelled {
        guard let self else { return }
        await self.round()
        next = max(next + (await self.pause), ContinuousClock.now)
        try? await Task.sleep(until: next)
      }
    }
    smallRunner = Task { [weak self, signal, settings] in
      for await _ in signal {
        try? await Task.sleep(for: settings.gathering)
        guard let self, !Task.isCancelled else { return }
        await self.smallRound()
      }
    }
  }

  /// The rounds under way are cut short.
  public func stop() async {
    isStopped = true
    runner?.cancel()
    smallRunner?.cancel()
    wish.finish()
    current?.cancel()
    next?.cancel()
    await next?.value
    await current?.value
    await runner?.value
    await smallRunner?.value
  }

  /// From the start of one round to that of the next: longer, up to half a minute, while the source is down.
  private var pause: Duration {
    let longest = max(settings.interval, .seconds(30))
    return min(longest, settings.interval * (1 << min(max(0, failedRounds - 1), 10)))
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

  /// A round for these tokens alone: what a refreshed wallet holds.
  public func refreshPrices(of ids: [TokenID]) async {
    guard !ids.isEmpty else { return }
    wantedIDs.formUnion(ids)
    await inTurn()
  }

  /// A round for watched tokens without a fresh price.
  private func smallRound() async {
    let now = ContinuousClock.now
    askedAt = askedAt.filter { now - $0.value < settings.interval }
    let watched = await ledger.watchedTokens().filter { askedAt[$0.id] == nil }
    var ids: [TokenID] = []
    for token in watched where await ledger.priceCell(token.id).state != .fresh { ids.append(token.id) }
    await refreshPrices(of: ids)
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
    wantsWhole = false
    wantedIDs = []
    var tokens: [Token] = []
    if isWhole {
      tokens = await ledger.watchedTokens()
      watchedGauge.record(tokens.count)
    } else {
      smallRoundAt = .now
    }
    for id in ids.subtracting(tokens.map(\.id)).sorted() {
      if let token = await ledger.token(id), token.info.isActive { tokens.append(token) }
    }
    if !tokens.isEmpty { await run(tokens, isWhole: isWhole) }
  }

  private func run(_ tokens: [Token], isWhole: Bool) async {
    guard !isStopped else { return }
    let began = ContinuousClock.now
    for token in tokens { askedAt[token.id] = began }
    if let restUntil, began < restUntil {
      // Nobody is asked, and whoever waits for a first price learns that there is none yet.
      await ledger.accept(prices: [], asked: tokens.map(\.id))
      await judge(failures: 1, of: 1, last: .rateLimited(retryAfter: restUntil - began), isWhole: isWhole)
      return
    }
    restUntil = nil
    var holders: [CoinName: [TokenID]] = [:]
    var coins: [CoinName] = []
    var unpriced: [TokenID] = []
    for token in tokens {
      guard let coin = source.coin(for: token) else {
        unpriced.append(token.id)
        continue
      }
      if holders[coin] == nil { coins.append(coin) }
      holders[coin, default: []].append(token.id)
    }
    if !unpriced.isEmpty { await ledger.accept(prices: [], asked: unpriced) }
    let outcome = await fetch(source.batches(coins), holders)
    guard !isStopped else { return }
    rounds.increment()
    duration.recordNanoseconds(Int64((ContinuousClock.now - began) / .nanoseconds(1)))
    if !coins.isEmpty {
      await judge(failures: outcome.failed, of: outcome.total, last: outcome.last, isWhole: isWhole)
    }
  }

  /// Each batch goes into the ledger as soon as it is there. After a batch that was told to come later, no more are
  /// sent.
  private func fetch(
    _ batches: [[CoinName]], _ holders: [CoinName: [TokenID]]
  ) async -> (failed: Int, total: Int, last: PriceSourceError?) {
    var succeeded = 0
    var last: PriceSourceError?
    await withTaskGroup(of: (Int, Result<Quotes, PriceSourceError>).self) { group in
      var next = 0
      func launch() {
        guard next < batches.count, restUntil == nil, !isStopped else { return }
        let index = next
        next += 1
        group.addTask { [source, clock] in
          do throws(PriceSourceError) {
            return (index, .success(try await source.quotes(for: batches[index], now: clock())))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      for _ in 0..<max(1, settings.concurrency) { launch() }
      for await (index, result) in group {
        switch result {
        case .success(let quotes):
          succeeded += 1
          if let wait = quotes.retryAfter { rest(wait) }
          launch()
          await accept(quotes, batches[index], holders)
        case .failure(let error):
          last = error
          requestsFailed.increment()
          if case .rateLimited(let wait) = error { rest(wait) }
          launch()
          // Held prices stay as they are; who has none learns it.
          if !isStopped { await accept(Quotes(), batches[index], holders) }
        }
      }
      for index in next..<batches.count where !isStopped { await accept(Quotes(), batches[index], holders) }
    }
    return (batches.count - succeeded, batches.count, last)
  }

  private func rest(_ wait: Duration) { restUntil = max(restUntil ?? .now, .now + wait) }

  private func accept(
    _ quotes: Quotes, _ batch: [CoinName], _ holders: [CoinName: [TokenID]]
  ) async {
    nonsense.increment(by: quotes.nonsense)
    var readings: [PriceReading] = []
    for coin in batch {
      guard let quote = quotes.quotes[coin.lowercased()] else { continue }
      for token in holders[coin] ?? [] {
        readings.append(
          PriceReading(token: token, price: quote.price, change: quote.change, sourceTime: quote.time))
      }
    }
    let verdict = await ledger.accept(prices: readings, asked: batch.flatMap { holders[$0] ?? [] })
    accepted.increment(by: verdict.accepted)
    outdated.increment(by: verdict.outdated)
  }

  // MARK: - What clients are told

  /// Two rounds of which every request failed: prices are stale until one succeeds.
  private func judge(failures: Int, of total: Int, last: PriceSourceError?, isWhole: Bool) async {
    guard failures == total else {
      failedRounds = 0
      lastSuccess.record(Double(clock() / 1_000))
      if isStale {
        isStale = false
        logger.notice("prices are live again", metadata: ["source": "\(source.name)"])
        await announce("live", isAbnormal: false)
      }
      return
    }
    guard isWhole else { return }
    failedRounds += 1
    guard failedRounds >= 2, !isStale else { return }
    isStale = true
    logger.error(
      "no prices", metadata: ["source": "\(source.name)", "reason": "\(last.map { "\($0)" } ?? "")"])
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
  public nonisolated func walletWanted(
    _ wallet: WalletID, key: WalletKey, readAt: UnixMilliseconds?, isWatched: Bool
  ) {}

  public nonisolated func walletUnwatched(_ wallet: WalletID) {}

  public nonisolated func pricesWanted() { wish.yield() }
}
