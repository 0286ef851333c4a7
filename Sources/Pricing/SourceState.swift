import Logging
import Metrics

/// A source, and what the pipeline knows of it. Belongs to the pipeline's actor.
struct SourceState {
  let source: any PriceSource
  let metrics: SourceMetrics
  var health: SourceHealth
  var budget: RequestBudget
  var absences: Absences
  /// Coins that were left out, the longest waiting first.
  private var waiting: [CoinName] = []

  init(_ source: any PriceSource, interval: Duration) {
    self.source = source
    metrics = SourceMetrics(source.name)
    health = SourceHealth(interval: interval)
    absences = Absences(interval: interval)
    budget = RequestBudget(perMinute: source.requestsPerMinute, least: source.requestsPerBatch)
  }

  /// What was left out comes first, so that in the end everything has its turn.
  func inTurn(_ coins: [CoinName]) -> [CoinName] {
    guard !waiting.isEmpty else { return coins }
    let wanted = Set(coins)
    let first = waiting.filter(wanted.contains)
    let known = Set(first)
    return first + coins.filter { !known.contains($0) }
  }

  /// Nobody wants anything.
  mutating func forgetAbsences() {
    absences.keep { _ in false }
    metrics.absent.record(0)
  }

  /// After a round for `coins`.
  ///
  /// - Parameters:
  ///   - left: those of them that were left out.
  ///   - isWhole: whether coins that were not in the round have nobody who wants them.
  mutating func noteLeft(_ left: [CoinName], of coins: [CoinName], isWhole: Bool) {
    if isWhole || waiting.isEmpty {
      waiting = left
    } else {
      let asked = Set(coins)
      waiting = waiting.filter { !asked.contains($0) } + left
    }
  }
}

/// Figures of one source.
struct SourceMetrics {
  /// Batches sent: for prices and, where a source has them apart, changes.
  let batches: Counter
  let failures: Counter
  let quotes: Counter
  let nonsense: Counter
  let tooOld: Counter
  let heldBack: Counter
  let outdated: Counter
  /// Times it was left alone, because it said so or for its failures.
  let rests: Counter
  /// Coins that a round did not ask it for: its budget was spent, or it rests.
  let leftOut: Counter
  /// 1 while it is left alone.
  let resting: Gauge
  /// Coins that the last whole round did not ask it for, because it had no price for them.
  let absent: Gauge
  let duration: Metrics.Timer

  init(_ name: String) {
    let source = [("source", name)]
    batches = Counter(label: "pricing_batches_total", dimensions: source)
    failures = Counter(label: "pricing_batches_failed_total", dimensions: source)
    quotes = Counter(label: "pricing_quotes_total", dimensions: source)
    nonsense = Counter(label: "pricing_nonsense_total", dimensions: source)
    tooOld = Counter(label: "pricing_too_old_total", dimensions: source)
    heldBack = Counter(label: "pricing_held_back_total", dimensions: source)
    outdated = Counter(label: "pricing_outdated_total", dimensions: source)
    rests = Counter(label: "pricing_source_rests_total", dimensions: source)
    leftOut = Counter(label: "pricing_coins_left_out_total", dimensions: source)
    resting = Gauge(label: "pricing_source_resting", dimensions: source)
    absent = Gauge(label: "pricing_coins_resting", dimensions: source)
    duration = Metrics.Timer(label: "pricing_batch", dimensions: source)
  }
}
