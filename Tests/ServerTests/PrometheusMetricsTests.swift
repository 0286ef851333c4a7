import CoreMetrics
import Testing

@testable import Server

@Suite struct PrometheusMetricsTests {
  /// What is rendered, without the figures of this process.
  private func text(_ metrics: PrometheusMetrics) -> String {
    let text = String(decoding: metrics.render(), as: UTF8.self)
    return text.split(separator: "# TYPE process_cpu").first.map(String.init) ?? text
  }

  @Test func golden() {
    let metrics = PrometheusMetrics(seriesMaximum: 100)
    metrics.makeCounter(label: "http_responses_total", dimensions: [("status", "2xx")]).increment(by: 3)
    metrics.makeCounter(label: "http_responses_total", dimensions: [("status", "5xx")]).increment(by: 1)
    metrics.makeCounter(label: "walletpush_reads", dimensions: []).increment(by: 7)
    metrics.makeFloatingPointCounter(label: "work", dimensions: []).increment(by: 1.5)
    metrics.makeMeter(label: "depth", dimensions: [("b", "x\"\u{301}y\\z\r\n"), ("a.c", "1")]).set(2.5)
    metrics.makeRecorder(label: "gauge", dimensions: [], aggregate: false).record(Int64(-4))
    let timer = metrics.makeTimer(label: "read.time", dimensions: [("chain", "ETH")])
    timer.recordNanoseconds(500_000)
    timer.recordNanoseconds(2_000_000_000)
    timer.recordNanoseconds(90_000_000_000)
    let buckets = [
      ("0.0005", 1), ("0.001", 1), ("0.0025", 1), ("0.005", 1), ("0.01", 1), ("0.025", 1), ("0.05", 1),
      ("0.1", 1),
      ("0.25", 1), ("0.5", 1), ("1.0", 1), ("2.5", 2), ("5.0", 2), ("10.0", 2), ("30.0", 2), ("60.0", 2),
      ("+Inf", 3),
    ].map { "walletpush_read_time_seconds_bucket{chain=\"ETH\",le=\"\($0.0)\"} \($0.1)\n" }.joined()
    #expect(
      text(metrics) == """
        # TYPE walletpush_depth gauge
        walletpush_depth{a_c="1",b="x\\"\u{301}y\\\\z\r\\n"} 2.5
        # TYPE walletpush_gauge gauge
        walletpush_gauge -4
        # TYPE walletpush_http_responses_total counter
        walletpush_http_responses_total{status="2xx"} 3
        walletpush_http_responses_total{status="5xx"} 1
        # TYPE walletpush_read_time_seconds histogram
        \(buckets)walletpush_read_time_seconds_sum{chain="ETH"} 92.0005
        walletpush_read_time_seconds_count{chain="ETH"} 3
        # TYPE walletpush_reads_total counter
        walletpush_reads_total 7
        # TYPE walletpush_work_total counter
        walletpush_work_total 1.5
        # TYPE walletpush_metrics_series_refused_total counter
        walletpush_metrics_series_refused_total 0

        """)
  }

  @Test func oneSeriesForOneName() {
    let metrics = PrometheusMetrics(seriesMaximum: 100)
    let labels = [("b", "2"), ("a", "1")]
    metrics.makeCounter(label: "x", dimensions: labels).increment(by: 1)
    metrics.makeCounter(label: "x", dimensions: labels.reversed()).increment(by: 1)
    #expect(text(metrics).contains("walletpush_x_total{a=\"1\",b=\"2\"} 2\n"))
  }

  @Test func tableIsBounded() {
    let metrics = PrometheusMetrics(seriesMaximum: 3)
    for index in 0..<10 { metrics.makeCounter(label: "x\(index)", dimensions: []).increment(by: 1) }
    let lines = text(metrics).split(separator: "\n").filter { $0.hasPrefix("walletpush_x") }
    #expect(lines.count == 3)
    #expect(text(metrics).contains("walletpush_metrics_series_refused_total 7\n"))
    // Those that are known stay known.
    metrics.makeCounter(label: "x0", dimensions: []).increment(by: 1)
    #expect(text(metrics).contains("walletpush_x0_total 2\n"))
  }

  @Test(arguments: [
    (0.0, "0"), (1e14, "100000000000000"), (1e18, "1e+18"), (-2.5, "-2.5"), (.infinity, "inf"), (.nan, "nan"),
  ])
  func gaugeValues(_ value: Double, _ written: String) {
    let metrics = PrometheusMetrics(seriesMaximum: 3)
    metrics.makeMeter(label: "g", dimensions: []).set(value)
    #expect(text(metrics).contains("walletpush_g \(written)\n"))
  }

  @Test func sizesAreHistograms() {
    let metrics = PrometheusMetrics(seriesMaximum: 3)
    let recorder = metrics.makeRecorder(label: "tokens", dimensions: [], aggregate: true)
    for value in [0, 1, 2, 10_001] as [Int64] { recorder.record(value) }
    let text = text(metrics)
    #expect(text.contains("walletpush_tokens_bucket{le=\"1.0\"} 2\n"))
    #expect(text.contains("walletpush_tokens_bucket{le=\"10000.0\"} 3\n"))
    #expect(text.contains("walletpush_tokens_bucket{le=\"+Inf\"} 4\n"))
    #expect(text.contains("walletpush_tokens_sum 10004.0\nwalletpush_tokens_count 4\n"))
  }

  /// Many count at once, while somebody looks.
  @Test func nothingIsLost() async {
    let metrics = PrometheusMetrics(seriesMaximum: 1_000)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for index in 0..<1_000 {
            metrics.makeCounter(label: "all", dimensions: []).increment(by: 1)
            metrics.makeFloatingPointCounter(label: "half", dimensions: []).increment(by: 0.5)
            metrics.makeTimer(label: "time", dimensions: []).recordNanoseconds(1_000_000)
            metrics.makeCounter(label: "own", dimensions: [("task", "\(task)"), ("n", "\(index % 10)")])
              .increment(by: 1)
            if index % 100 == 0 { _ = metrics.render() }
          }
        }
      }
    }
    let text = text(metrics)
    #expect(text.contains("walletpush_all_total 8000\n"))
    #expect(text.contains("walletpush_half_total 4000.0\n"))
    #expect(text.contains("walletpush_time_seconds_count 8000\n"))
    #expect(text.contains("walletpush_own_total{n=\"3\",task=\"5\"} 100\n"))
  }

  @Test func figuresOfTheProcess() {
    let text = String(decoding: PrometheusMetrics(seriesMaximum: 1).render(), as: UTF8.self)
    for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      let value = line?.split(separator: " ").last.flatMap { Double($0) } ?? 0
      #expect(value > 0, "\(name)")
    }
  }
}
