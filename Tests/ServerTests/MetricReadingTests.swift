import CoreMetrics
import Testing

@testable import Server

/// What the monitor is told of the metrics.
@Suite struct MetricReadingTests {
  @Test func readings() throws {
    let metrics = PrometheusMetrics(seriesMaximum: 100)
    metrics.makeCounter(label: "asked", dimensions: [("host", "b"), ("a", "1")]).increment(by: 3)
    metrics.makeCounter(label: "asked", dimensions: [("host", "a"), ("a", "1")]).increment(by: 1)
    metrics.makeCounter(label: "other", dimensions: []).increment(by: 1)
    metrics.makeFloatingPointCounter(label: "work", dimensions: []).increment(by: 1.5)
    metrics.makeMeter(label: "level", dimensions: []).set(-2.5)
    let timer = metrics.makeTimer(label: "time", dimensions: [])
    for nanoseconds in [400_000, 700_000, 700_000, 90_000_000_000] as [Int64] {
      timer.recordNanoseconds(nanoseconds)
    }
    let found = metrics.readings(of: [
      "walletpush_asked_total", "walletpush_work_total", "walletpush_level", "walletpush_time_seconds",
      "walletpush_nothing",
    ])
    #expect(found.count == 4)
    let asked = try #require(found["walletpush_asked_total"])
    #expect(asked.map { $0.label("host") } == ["a", "b"])
    #expect(asked.map(\.number) == [1, 3])
    #expect(asked[0].label("a") == "1" && asked[0].label("z") == nil)
    #expect(found["walletpush_work_total"]?.first?.number == 1.5)
    #expect(found["walletpush_level"]?.first?.number == -2.5)
    let time = try #require(found["walletpush_time_seconds"]?.first)
    #expect(time.number == 4)
    guard case .histogram(let histogram) = time.value else {
      Issue.record("\(time.value)")
      return
    }
    #expect(histogram.bounds == Histogram.seconds)
    #expect(histogram.counts == [1, 2] + [Int64](repeating: 0, count: Histogram.seconds.count - 2) + [1])
    #expect(abs(histogram.sum - 90.0018) < 1e-9)
  }
}
