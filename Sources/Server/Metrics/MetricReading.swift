// What is counted, for those who look at it in the process itself.

import Synchronization

extension PrometheusMetrics {
  /// What the series of some names hold now, ordered by their labels. The lock is held for no longer than it takes to
  /// copy a reference; nobody who counts waits.
  ///
  /// - Parameter names: as they are exposed, `walletpush_jobs_done_total`.
  func readings(of names: Set<String>) -> [String: [MetricReading]] {
    let all = table.withLock { $0.entries }
    var found: [String: [(labels: String, reading: MetricReading)]] = [:]
    for (key, entry) in all where names.contains(key.name) {
      let reading = MetricReading(dimensions: entry.dimensions, value: entry.series.value)
      found[key.name, default: []].append((key.labels, reading))
    }
    return found.mapValues { $0.sorted { $0.labels < $1.labels }.map(\.reading) }
  }
}

/// One series, as it is now.
struct MetricReading: Sendable {
  enum Value: Sendable, Equatable {
    case number(Double)
    case histogram(HistogramReading)
  }
  var dimensions: [(String, String)]
  var value: Value

  func label(_ name: String) -> String? { dimensions.first { $0.0 == name }?.1 }

  /// A histogram's is how many it has counted.
  var number: Double {
    switch value {
    case .number(let number): number
    case .histogram(let histogram): Double(histogram.counts.reduce(0, +))
    }
  }
}

struct HistogramReading: Sendable, Equatable {
  /// The upper end of each bucket; the last bucket has none.
  var bounds: [Double]
  /// Of each bucket alone: one more than there are bounds.
  var counts: [Int64]
  var sum: Double
}
