import Ethereum
import Ledger
import Logging

extension PricePipeline {
  /// What a round's tokens are to its sources.
  struct Round {
    let isWhole: Bool
    /// Tokens that have had a price: they are asked for whatever a source said.
    let priced: Set<TokenID>
    let insisted: Set<TokenID>
  }

  /// The coins one source is asked for, and who has them.
  private struct Question {
    private(set) var coins: [CoinName] = []
    private(set) var holders: [CoinName: [TokenID]] = [:]

    init(_ tokens: [Token], _ source: any PriceSource) {
      holders.reserveCapacity(tokens.count)
      for token in tokens {
        guard let coin = source.coin(for: token) else { continue }
        let known = holders.count
        holders[coin, default: []].append(token.id)
        if holders.count > known { coins.append(coin) }
      }
    }
  }

  /// What became of one source's batches.
  private struct Answer {
    var priced: Set<TokenID> = []
    var succeeded = 0
    var failed = 0
    var failedInARow = 0
    var lastError: PriceSourceError?
    /// Coins of batches that were too long.
    var refused: [CoinName] = []
    /// Coins that were not asked for: the budget was spent, or the source rests.
    var left: [CoinName] = []
  }

  /// Asks one source for what those before it did not price.
  ///
  /// - Parameter isUrgent: nobody else has an answer, so a source that was set aside is probed before its time.
  /// - Returns: the tokens that it did not price either.
  func ask(
    _ index: Int, _ tokens: [Token], of round: Round, isUrgent: Bool = false, _ outcome: inout Outcome
  ) async -> [Token] {
    let source = sources[index].source
    let isWhole = round.isWhole
    let question = Question(tokens, source)
    let due = leaveOutAbsent(question, of: index, round)
    guard !due.isEmpty else {
      // It had an answer for all of them: that they have no price.
      if !question.coins.isEmpty { outcome.isUndecided = true }
      return tokens
    }
    outcome.isKnown = true
    let permit = sources[index].health.permit(now: .now, isUrgent: isUrgent)
    guard permit != .rest else {
      outcome.reasons.append("\(source.name): left alone for a while")
      if isSetAside(index) { outcome.setAside.append(index) }
      return tokens
    }
    let coins = sources[index].inTurn(due)
    var answer = Answer()
    var batches = source.batches(coins)
    if permit == .probe {
      await fetch(Array(batches.prefix(1)), question.holders, of: index, isUrgent: isUrgent, &answer)
      let isBack = answer.succeeded > 0 || !answer.refused.isEmpty
      batches = isBack ? source.batches(answer.refused) + batches.dropFirst() : []
    }
    // A source that takes fewer coins than it was thought to is asked again, each time for fewer.
    while !batches.isEmpty && !isStopped {
      answer.refused = []
      await fetch(batches, question.holders, of: index, isUrgent: isUrgent, &answer)
      batches = source.batches(answer.refused)
    }
    guard !isStopped else { return tokens }
    sources[index].noteLeft(answer.left, of: coins, isWhole: isWhole)
    sources[index].metrics.leftOut.increment(by: answer.left.count)
    settle(index, answer, &outcome)
    return tokens.filter { !answer.priced.contains($0.id) }
  }

  /// - Returns: the coins that the source is to be asked for: of those it had no price for lately only what is held at a
  ///   price, whoever gave it, and what somebody insists on.
  private func leaveOutAbsent(_ question: Question, of index: Int, _ round: Round) -> [CoinName] {
    if round.isWhole { sources[index].absences.keep { question.holders[$0] != nil } }
    for coin in question.coins where question.holders[coin]?.contains(where: round.insisted.contains) == true
    {
      sources[index].absences.forget(coin)
    }
    let now = ContinuousClock.now
    let due = question.coins.filter { coin in
      !sources[index].absences.rests(coin, now: now)
        || question.holders[coin]?.contains(where: round.priced.contains) == true
    }
    if round.isWhole { sources[index].metrics.absent.record(question.coins.count - due.count) }
    return due
  }

  /// Each batch goes into the ledger as soon as it is there. No more are sent when the source asks for rest, when
  /// three failed in a row, or when its budget is spent.
  private func fetch(
    _ batches: [[CoinName]], _ holders: [CoinName: [TokenID]], of index: Int, isUrgent: Bool,
    _ answer: inout Answer
  ) async {
    let source = sources[index].source
    let metrics = sources[index].metrics
    await withTaskGroup(of: (Int, Result<Quotes, PriceSourceError>).self) { group in
      var next = 0
      func launch() {
        guard next < batches.count, !isStopped, answer.failedInARow < SourceHealth.failuresMaximum,
          sources[index].health.permit(now: .now, isUrgent: isUrgent) != .rest,
          sources[index].budget.take(source.requestsPerBatch, now: .now)
        else { return }
        let number = next
        next += 1
        metrics.batches.increment()
        group.addTask { [clock] in
          let began = ContinuousClock.now
          defer { metrics.duration.recordNanoseconds(Int64((ContinuousClock.now - began) / .nanoseconds(1))) }
          do throws(PriceSourceError) {
            return (number, .success(try await source.quotes(for: batches[number], now: clock())))
          } catch {
            return (number, .failure(error))
          }
        }
      }
      for _ in 0..<max(1, settings.concurrency) { launch() }
      for await (number, result) in group {
        switch result {
        case .success(let quotes):
          answer.succeeded += 1
          answer.failedInARow = 0
          if let wait = quotes.retryAfter { rest(index, wait) }
          launch()
          await accept(quotes, batches[number], holders, from: index, &answer)
        case .failure(.tooManyCoins):
          answer.refused += batches[number]
          launch()
        case .failure(let error):
          answer.failed += 1
          answer.failedInARow += 1
          answer.lastError = error
          metrics.failures.increment()
          if case .rateLimited(let wait) = error { rest(index, wait) }
          launch()
        }
      }
      answer.left += batches[next...].joined()
    }
  }

  private func accept(
    _ quotes: Quotes, _ batch: [CoinName], _ holders: [CoinName: [TokenID]], from index: Int,
    _ answer: inout Answer
  ) async {
    let source = sources[index].source.name
    let metrics = sources[index].metrics
    let now = clock()
    let oldest = now - UnixMilliseconds(settings.maximumAge / .milliseconds(1))
    var tooOld = 0
    var readings: [PriceReading] = []
    // Who asks to be left alone may have left out what it has.
    let isWhole = quotes.retryAfter == nil
    for coin in batch {
      guard let quote = quotes.quotes[coin] else {
        if isWhole { sources[index].absences.note(coin, now: .now, jitter: jitter()) }
        continue
      }
      sources[index].absences.forget(coin)
      guard quote.time >= oldest else {
        tooOld += 1
        continue
      }
      for token in holders[coin] ?? [] {
        readings.append(
          PriceReading(token: token, price: quote.price, change: quote.change, sourceTime: quote.time))
      }
    }
    let cells = await ledger.priceCells(of: readings.map(\.token))
    let believed = zip(readings, cells).filter { reading, held in
      jumps.believes(reading.price, of: held, from: source, round: wholeRounds, now: now)
    }.map(\.0)
    let heldBack = readings.count - believed.count
    let verdict = await ledger.accept(prices: believed, asked: [])
    answer.priced.formUnion(believed.lazy.map(\.token))
    // A price from before the one that is held says nothing new: the next source may know more.
    answer.priced.subtract(verdict.outdated)
    accepted.increment(by: verdict.accepted)
    metrics.quotes.increment(by: quotes.quotes.count)
    metrics.nonsense.increment(by: quotes.nonsense)
    metrics.tooOld.increment(by: tooOld)
    metrics.heldBack.increment(by: heldBack)
    metrics.outdated.increment(by: verdict.outdated.count)
  }

  // MARK: - Health

  /// In the penalty box, and not at its own wish.
  private func isSetAside(_ index: Int) -> Bool {
    let health = sources[index].health
    return health.permit(now: .now) == .rest && health.permit(now: .now, isUrgent: true) == .probe
  }

  private func rest(_ index: Int, _ wait: Duration) {
    let state = sources[index]
    if state.health.permit(now: .now) != .rest {
      state.metrics.rests.increment()
      logger.warning(
        "price source asks to be left alone",
        metadata: ["source": "\(state.source.name)", "for": "\(wait)"])
    }
    sources[index].health.rest(wait, now: .now)
  }

  private func settle(_ index: Int, _ answer: Answer, _ outcome: inout Outcome) {
    let name = sources[index].source.name
    if answer.succeeded > 0 {
      outcome.hasAnswer = true
      if sources[index].health.succeeded() {
        logger.notice("price source is back", metadata: ["source": "\(name)"])
      }
    } else if let error = answer.lastError {
      outcome.reasons.append("\(name): \(error)")
      penalize(index, error)
    } else {
      outcome.isUndecided = true
    }
    sources[index].metrics.resting.record(sources[index].health.permit(now: .now) == .rest ? 1 : 0)
  }

  private func penalize(_ index: Int, _ error: PriceSourceError) {
    // Being told to wait is no failure: it waits as long as it was told.
    if case .rateLimited = error { return }
    guard let penalty = sources[index].health.failed(now: .now) else { return }
    sources[index].metrics.rests.increment()
    logger.warning(
      "price source set aside",
      metadata: ["source": "\(sources[index].source.name)", "for": "\(penalty)", "reason": "\(error)"])
  }
}
