import Metrics

/// What became of looking for entries: pure counts, told to the metrics at once.
struct CacheLookups: Equatable {
  enum Result: String, CaseIterable, Hashable {
    /// Need not be read.
    case hit
    /// Held, but its time is up or will be before the next read, or what is shown is not good.
    case stale
    case miss
  }

  private struct Series: Hashable {
    var kind: CacheKey.Kind
    var result: Result
  }
  private var counts: [Series: Int] = [:]

  subscript(kind: CacheKey.Kind, result: Result) -> Int {
    get { counts[Series(kind: kind, result: result), default: 0] }
    set { counts[Series(kind: kind, result: result)] = newValue }
  }
}

/// How well the cache does.
struct CacheMetrics: Sendable {
  private let lookups: [CacheKey.Kind: [CacheLookups.Result: Counter]]
  private let entries = Gauge(label: "cache_entries")
  private let bytes = Gauge(label: "cache_bytes")
  private let hot = Gauge(label: "cache_wallets", dimensions: [("temperature", "hot")])
  private let warm = Gauge(label: "cache_wallets", dimensions: [("temperature", "warm")])
  private let cold = Gauge(label: "cache_wallets", dimensions: [("temperature", "cold")])

  init() {
    lookups = Dictionary(
      uniqueKeysWithValues: CacheKey.Kind.allCases.map { kind in
        (
          kind,
          Dictionary(
            uniqueKeysWithValues: CacheLookups.Result.allCases.map { result in
              let labels = [("kind", kind.rawValue), ("result", result.rawValue)]
              return (result, Counter(label: "cache_lookups_total", dimensions: labels))
            })
        )
      })
  }

  func note(_ counts: CacheLookups) {
    for (kind, counters) in lookups {
      for (result, counter) in counters where counts[kind, result] > 0 {
        counter.increment(by: counts[kind, result])
      }
    }
  }

  /// - Parameters:
  ///   - watched: wallets that somebody watches.
  ///   - all: wallets that are registered.
  func note(_ figures: CacheFigures, watched: Int, all: Int) {
    entries.record(figures.entries)
    bytes.record(figures.bytes)
    let asked = max(figures.wallets, watched)
    hot.record(watched)
    warm.record(asked - watched)
    cold.record(max(0, all - asked))
  }
}
