// A backend for swift-metrics that answers Prometheus (text format 0.0.4).
//
// Whoever counts holds the counter; adding to it is one atomic operation. The lock guards only the table of
// series, which changes when a label is seen for the first time. The table is bounded: what comes above goes into one
// series that nobody sees but in its count.

import CoreMetrics
import JSON
import Synchronization

public final class PrometheusMetrics: MetricsFactory {
  struct SeriesKey: Hashable {
    var name: String
    /// Rendered: `{chain="ETH"}`, or empty.
    var labels: String
  }

  struct Entry {
    var series: any Series
    var dimensions: [(String, String)]
  }

  struct Table {
    var entries: [SeriesKey: Entry] = [:]
    var refused: Int64 = 0
  }

  let table = Mutex(Table())
  private let seriesMaximum: Int

  /// - Parameter seriesMaximum: names and labels together.
  public init(seriesMaximum: Int) { self.seriesMaximum = seriesMaximum }

  private func series<Kind: Series>(
    _ label: String, _ dimensions: [(String, String)], suffix: String, _ make: @Sendable () -> Kind
  ) -> Kind {
    let name = MetricName.make(label, suffix: suffix)
    let key = SeriesKey(name: name, labels: MetricName.labels(dimensions))
    return table.withLock { table in
      if let known = table.entries[key]?.series as? Kind { return known }
      let made = make()
      if table.entries.count < seriesMaximum, table.entries[key] == nil {
        table.entries[key] = Entry(series: made, dimensions: dimensions)
      } else {
        table.refused += 1
      }
      return made
    }
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions, suffix: "_total") { IntegerCounter() }
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(label, dimensions, suffix: "_total") { DoubleCounter() }
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(label, dimensions, suffix: "") { DoubleGauge() }
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    if aggregate { return series(label, dimensions, suffix: "") { Histogram(bounds: Histogram.sizes) } }
    return series(label, dimensions, suffix: "") { DoubleGauge() }
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(label, dimensions, suffix: "_seconds") { Histogram(bounds: Histogram.seconds) }
  }

  // Series live as long as the process.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  /// The whole table and the process's own figures, ordered by name.
  public func render() -> [UInt8] {
    let (all, refused) = table.withLock { ($0.entries, $0.refused) }
    var out = ""
    var lastName = ""
    for (key, entry) in all.sorted(by: { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }) {
      if key.name != lastName {
        lastName = key.name
        out += "# TYPE \(key.name) \(entry.series.type)\n"
      }
      entry.series.render(name: key.name, labels: key.labels, to: &out)
    }
    out += "# TYPE walletpush_metrics_series_refused_total counter\n"
    out += "walletpush_metrics_series_refused_total \(refused)\n"
    ProcessFigures.render(to: &out)
    return Array(out.utf8)
  }
}

/// Names as Prometheus wants them.
enum MetricName {
  static func make(_ label: String, suffix: String) -> String {
    var name = sanitized(label)
    if !name.hasPrefix("walletpush_") { name = "walletpush_" + name }
    return name.hasSuffix(suffix) ? name : name + suffix
  }

  /// `{chain="ETH",status="2xx"}`, ordered by label.
  static func labels(_ dimensions: [(String, String)]) -> String {
    guard !dimensions.isEmpty else { return "" }
    let parts = dimensions.sorted { $0.0 < $1.0 }.map { "\(sanitized($0.0))=\"\(escaped($0.1))\"" }
    return "{" + parts.joined(separator: ",") + "}"
  }

  private static func sanitized(_ text: String) -> String {
    String(
      text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  private static func escaped(_ text: String) -> String {
    // By scalars: "\r\n" is one character, and not "\n".
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// One name with one set of labels.
protocol Series: AnyObject, Sendable {
  var type: String { get }
  var value: MetricReading.Value { get }
  func render(name: String, labels: String, to out: inout String)
}

final class IntegerCounter: CounterHandler, Series {
  private let count = Atomic<Int64>(0)
  var type: String { "counter" }
  var value: MetricReading.Value { .number(Double(count.load(ordering: .relaxed))) }

  func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
  func reset() { count.store(0, ordering: .relaxed) }

  func render(name: String, labels: String, to out: inout String) {
    out += "\(name)\(labels) \(count.load(ordering: .relaxed))\n"
  }
}

/// A `Double` that several threads add to.
final class AtomicDouble: Sendable {
  private let bits = Atomic<UInt64>(0)

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
  func set(_ new: Double) { bits.store(new.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + amount).bitPattern
      let (exchanged, found) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
      if exchanged { return }
      old = found
    }
  }
}

final class DoubleCounter: FloatingPointCounterHandler, Series {
  private let sum = AtomicDouble()
  var type: String { "counter" }
  var value: MetricReading.Value { .number(sum.value) }

  func increment(by amount: Double) { sum.add(amount) }
  func reset() { sum.set(0) }

  func render(name: String, labels: String, to out: inout String) {
    out += "\(name)\(labels) \(sum.value)\n"
  }
}

final class DoubleGauge: MeterHandler, RecorderHandler, Series {
  private let level = AtomicDouble()
  var type: String { "gauge" }
  var value: MetricReading.Value { .number(level.value) }

  func set(_ value: Int64) { level.set(Double(value)) }
  func set(_ value: Double) { level.set(value) }
  func increment(by amount: Double) { level.add(amount) }
  func decrement(by amount: Double) { level.add(-amount) }
  func record(_ value: Int64) { level.set(Double(value)) }
  func record(_ value: Double) { level.set(value) }

  func render(name: String, labels: String, to out: inout String) {
    let value = level.value
    let text = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    out += "\(name)\(labels) \(text)\n"
  }
}

final class Histogram: TimerHandler, RecorderHandler, Series {
  static let seconds = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]
  static let sizes: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]

  private let bounds: [Double]
  private let counts: [AtomicDouble]
  private let sum = AtomicDouble()
  var type: String { "histogram" }
  var value: MetricReading.Value {
    .histogram(
      HistogramReading(bounds: bounds, counts: counts.map { Int64($0.value) }, sum: sum.value))
  }

  init(bounds: [Double]) {
    self.bounds = bounds
    counts = (0...bounds.count).map { _ in AtomicDouble() }
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count].add(1)
    sum.add(value)
  }

  func render(name: String, labels: String, to out: inout String) {
    let inner = labels.isEmpty ? "" : labels.dropFirst().dropLast() + ","
    var total = 0.0
    for (bound, count) in zip(bounds, counts) {
      total += count.value
      out += "\(name)_bucket{\(inner)le=\"\(bound)\"} \(Int64(total))\n"
    }
    total += counts[bounds.count].value
    out += "\(name)_bucket{\(inner)le=\"+Inf\"} \(Int64(total))\n"
    out += "\(name)_sum\(labels) \(sum.value)\n\(name)_count\(labels) \(Int64(total))\n"
  }
}

/// The process's one metrics system.
public enum ServerMetrics {
  /// Makes swift-metrics count here. Once in a process.
  public static func bootstrap() -> PrometheusMetrics {
    let metrics = PrometheusMetrics(seriesMaximum: 5_000)
    MetricsSystem.bootstrap(metrics)
    return metrics
  }
}
