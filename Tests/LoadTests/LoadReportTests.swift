import JSON
import Testing
import Upstream

@testable import Load

@Suite struct LoadReportTests {
  private func report(_ change: (inout LoadReport) -> Void = { _ in }) throws -> LoadReport {
    var plan = LoadPlan(url: try WebSocketURL("ws://127.0.0.1:8080/ws"))
    plan.connections = 4
    plan.slowFraction = 0.25
    plan.storms = 1
    var report = LoadReport(plan: plan)
    report.rampTime = .milliseconds(250)
    report.measuredTime = .seconds(2)
    report.cpuTime = .milliseconds(100)
    report.window = .init(messages: 50, frames: 100, payloadBytes: 20_000, wireBytes: 21_000)
    report.counters.opened = 4
    report.counters.ready = 4
    report.counters.prices = 90
    report.counters.balances = 10
    report.slow = .init(clients: 1, newest: 1, lags: 2)
    var storm = LoadReport.Storm()
    storm.dropped = 3
    storm.returned = 3
    storm.resumed = 2
    storm.time = .milliseconds(40)
    storm.times.record(40_000)
    report.storms = [storm]
    for value: UInt64 in 1...1_000 { report.times.delivery.record(value * 1_000) }
    change(&report)
    return report
  }

  private func json(_ report: LoadReport) throws -> JSONValue {
    try JSONParser.parse(report.json, limits: JSONLimits(depth: 8, numberBytes: 64))
  }

  /// The names that scripts rely on.
  static let shape: [String: [String]] = [
    "connections": ["asked", "opened", "ready", "failed", "lost", "open_at_end"],
    "seconds": ["ramp", "measured"],
    "delivery": [
      "frames", "frames_per_second", "messages", "messages_per_second", "payload_bytes",
      "payload_bytes_per_second",
      "wire_bytes", "wire_bytes_per_second",
    ],
    "delivery_ms": ["count", "mean", "p50", "p90", "p99", "p99_9", "max"],
    "connect_ms": ["count", "mean", "p50", "p90", "p99", "p99_9", "max"],
    "subscribe_ok_ms": ["count", "mean", "p50", "p90", "p99", "p99_9", "max"],
    "snapshot_ms": ["count", "mean", "p50", "p90", "p99", "p99_9", "max"],
    "frames": ["price", "balance", "token", "snapshot", "heartbeat", "lag", "status", "repeated"],
    "violations": [
      "revision_descended", "below_heartbeat", "heartbeat_behind", "epoch_changed", "malformed_frame",
      "newest_missing",
    ],
    "slow": ["clients", "newest", "missing", "closed", "unjudged", "lags", "catch_up_seconds"],
    "client": ["loops", "cpu_seconds", "cpu_us_per_frame"],
  ]

  @Test func jsonKeepsItsShape() throws {
    let value = try json(try report())
    for (name, members) in Self.shape {
      #expect(value[name]?.object?.members.map(\.key) == members, "\(name)")
    }
    #expect(
      value.object?.members.map(\.key) == [
        "schema", "url", "well", "interrupted", "connections", "seconds", "delivery", "delivery_ms",
        "negative_delivery_times", "connect_ms", "subscribe_ok_ms", "snapshot_ms", "frames", "violations",
        "errors",
        "closes", "slow", "storms", "client", "warnings",
      ])
    #expect(
      value["storms"]?[0]?.object?.members.map(\.key) == [
        "dropped", "returned", "resumed", "failed", "all_returned_seconds", "return_ms",
      ])
  }

  @Test func jsonHoldsTheFigures() throws {
    let value = try json(try report())
    #expect(value["schema"] == "walletpush.load.v1")
    #expect(value["well"] == true && value["interrupted"] == false)
    #expect(value["delivery"]?["frames_per_second"]?.number?.double == 50)
    #expect(value["delivery_ms"]?["count"] == 1_000)
    #expect(value["delivery_ms"]?["max"]?.number?.double == 1_000)
    let median = value["delivery_ms"]?["p50"]?.number?.double ?? 0
    #expect(median >= 500 && median <= 500.5)
    #expect(value["client"]?["cpu_us_per_frame"]?.number?.double == 1_000)
    #expect(value["storms"]?[0]?["all_returned_seconds"]?.number?.double == 0.04)
    #expect(value["seconds"]?["ramp"]?.number?.double == 0.25)
  }

  @Test func withoutFramesAFrameCostsNothingKnown() throws {
    let value = try json(try report { $0.window = .init() })
    #expect(value["client"]?["cpu_us_per_frame"]?.isNull == true)
    #expect(value["warnings"]?.array?.count == 1)
  }

  typealias Change = @Sendable (inout LoadReport) -> Void
  static let unwell: [(String, Change)] = [
    ("a violation", { $0.counters.violations[.revisionDescended] = .init(count: 1, example: "x") }),
    ("an error", { $0.counters.count(error: "http_503", "x") }),
    ("a client that never was ready", { $0.counters.ready = 3 }),
    ("a client that did not return", { $0.storms[0].returned = 2 }),
    ("a slow client that did not catch up", { $0.slow.newest = 0 }),
  ]

  @Test(arguments: unwell) func anythingWrongShows(_ what: String, _ change: Change) throws {
    #expect(try report().isWell)
    let report = try report(change)
    #expect(!report.isWell)
    #expect(report.table.contains("NOT well"))
    #expect(try json(report)["well"] == false)
  }

  /// A client that was closed as slow, as the protocol says, is no fault.
  @Test func aClosedSlowClientIsNone() throws {
    #expect(
      try report {
        $0.slow = .init(clients: 1, closed: 1)
        $0.counters.closes[4_108] = 1
      }.isWell)
  }

  @Test func interruptedIsNoFault() throws {
    #expect(
      try report {
        $0.isInterrupted = true
        $0.counters.ready = 2
        $0.slow.newest = 0
        $0.storms[0].returned = 1
      }.isWell)
  }

  @Test func warningsSayWhatMisleads() throws {
    let busy = try report { $0.cpuTime = .seconds(1.9) }
    #expect(busy.warnings.contains { $0.contains("busy") })
    let skewed = try report {
      $0.counters.negativeLatencies = 3
      $0.counters.mostNegative = 12_500
    }
    #expect(skewed.warnings.contains { $0.contains("12.500 ms") && $0.contains("clocks") })
    #expect(skewed.table.contains("clocks"))
    #expect(try report().warnings.isEmpty)
  }

  @Test func theTableHoldsTheFigures() throws {
    let table = try report {
      $0.counters.count(error: "http_503", "the server answered 503")
      $0.counters.closes[1_006] = 2
    }.table
    for text in [
      "4 of 4 ready", "p99.9", "http_503: 1, first: the server answered 503", "1006: 2", "2 lags",
    ] {
      #expect(table.contains(text), "\(text)")
    }
  }

  @Test(arguments: [
    (0.0, 2, "0.00"), (1.005, 2, "1.00"), (1.5, 0, "2"), (-0.001, 2, "0.00"), (-1.25, 1, "-1.3"),
    (12.3456, 3, "12.346"),
    (999.999, 2, "1000.00"), (.infinity, 1, "inf"), (1e20, 1, "1e+20"),
  ])
  func numbersAreRounded(_ value: Double, _ places: Int, _ text: String) {
    #expect(value.formatted(places) == text)
  }

  @Test func countersAddUp() {
    var total = LoadCounters()
    for number in 1...3 {
      var part = LoadCounters()
      part.messages = UInt64(number)
      part.payloadBytes = 10
      part.prices = 2
      part.lags = 1
      part.mostNegative = UInt64(number * 100)
      part.ready = number
      part.count(error: "x", "first")
      part.violations[.epochChanged, default: .init(example: "e")].count += number
      part.closes[1_006] = 1
      total += part
    }
    #expect(total.messages == 6 && total.payloadBytes == 30 && total.prices == 6 && total.lags == 3)
    #expect(total.mostNegative == 300 && total.ready == 6 && total.dataFrames == 6)
    #expect(total.errors["x"]?.count == 3 && total.violations[.epochChanged]?.count == 6)
    #expect(total.closes == [1_006: 3])
  }
}
