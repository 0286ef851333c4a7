import Ledger
import Metrics

/// How often a price that is wanted need not be asked for. Balances are counted under the same name.
struct PriceLookups: Sendable {
  private let hits = Self.counter("hit")
  private let stale = Self.counter("stale")
  private let misses = Self.counter("miss")

  private static func counter(_ result: String) -> Counter {
    Counter(label: "cache_lookups_total", dimensions: [("kind", "token_price"), ("result", result)])
  }

  /// - Parameter states: of the wanted prices.
  func note(_ states: [CellState]) {
    for state in states {
      switch state {
      case .fresh: hits.increment()
      case .stale: stale.increment()
      case .loading, .unknown: misses.increment()
      }
    }
  }
}
