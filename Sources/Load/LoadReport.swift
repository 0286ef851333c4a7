import EventLoop

/// What a load test found. Times in the figures are microseconds.
public struct LoadReport: Sendable {
  public struct Storm: Sendable {
    /// Clients that were dropped at once.
    public internal(set) var dropped = 0
    public internal(set) var returned = 0
    public internal(set) var failed = 0
    /// Of those that returned, the ones that got only what had changed.
    public internal(set) var resumed = 0
    /// From the first drop until the last client had everything again.
    public internal(set) var time = Duration.zero
    /// Each client's own time, from its drop.
    public internal(set) var times = LoadTimes.histogram

    mutating func add(_ storm: LoadLoop.Storm, _ times: HdrHistogram, since began: LoopInstant) {
      dropped += storm.dropped
      returned += storm.returned
      failed += storm.failed
      resumed += storm.resumed
      if storm.returned > 0 { time = max(time, storm.lastReturn - began) }
      self.times.merge(times)
    }

    /// Neither back nor failed when the waiting ended.
    var missing: Int { max(0, dropped - returned - failed) }
  }

  /// What came while it was measured.
  struct Window: Sendable {
    var messages: UInt64 = 0
    var frames: UInt64 = 0
    var payloadBytes: UInt64 = 0
    var wireBytes: UInt64 = 0
  }

  public let plan: LoadPlan
  public internal(set) var isInterrupted = false
  var rampTime = Duration.zero
  var measuredTime = Duration.zero
  /// Of this process, while it measured.
  var cpuTime = Duration.zero
  var slowTime = Duration.zero
  var storms: [Storm] = []
  var slow = LoadLoop.SlowOutcome()
  var window = Window()
  var counters = LoadCounters()
  var times = LoadTimes()
  var openAtEnd = 0

  init(plan: LoadPlan) { self.plan = plan }

  mutating func setWindow(from first: LoadTotal, to last: LoadTotal) {
    window.messages = last.counters.messages &- first.counters.messages
    window.frames = last.counters.dataFrames &- first.counters.dataFrames
    window.payloadBytes = last.counters.payloadBytes &- first.counters.payloadBytes
    window.wireBytes = last.wireBytes &- first.wireBytes
  }

  mutating func add(_ sample: LoadSample, _ times: LoadTimes) {
    counters += sample.counters
    self.times += times
    openAtEnd += sample.open
    slow.clients += sample.slow.clients
    slow.newest += sample.slow.newest
    slow.missing += sample.slow.missing
    slow.closed += sample.slow.closed
    slow.lags += sample.slow.lags
  }

  // MARK: - Judgement

  public var violations: Int { counters.violations.values.reduce(0) { $0 + $1.count } }
  /// Connections, handshakes and subscribes that went wrong, and errors that the server sent.
  public var errors: Int { counters.errors.values.reduce(0) { $0 + $1.count } }
  /// Clients that never got their values, or lost their connection, without an error to show for it.
  var unaccounted: Int {
    let missing = isInterrupted ? 0 : plan.connections - counters.ready - counters.failed
    return max(0, missing) + storms.reduce(0) { $0 + (isInterrupted ? 0 : $1.missing) }
      + (isInterrupted ? 0 : slowUnjudged)
  }
  var slowUnjudged: Int { plan.slowFraction > 0 ? slow.unjudged : 0 }

  /// Whether everything went as the protocol promises: then the command's exit code is 0.
  public var isWell: Bool { violations == 0 && errors == 0 && unaccounted == 0 }

  // MARK: - Derived figures

  var measuredSeconds: Double { max(measuredTime.inSeconds, 1e-9) }
  var framesPerSecond: Double { Double(window.frames) / measuredSeconds }
  var cpuShare: Double { cpuTime.inSeconds / measuredSeconds }
  /// Nil when nothing came.
  var cpuMicrosecondsPerFrame: Double? {
    window.frames == 0 ? nil : cpuTime.inSeconds * 1e6 / Double(window.frames)
  }
  var isClientBusy: Bool { cpuShare > 0.8 * Double(plan.loops) }

  /// In milliseconds.
  static let percentiles: [(name: String, percent: Double)] = [
    ("p50", 50), ("p90", 90), ("p99", 99), ("p99_9", 99.9),
  ]

  /// What the figures may mislead about, one line each.
  public var warnings: [String] {
    var lines: [String] = []
    if counters.negativeLatencies > 0 {
      let milliseconds = (Double(counters.mostNegative) / 1_000).formatted(3)
      lines.append(
        "\(counters.negativeLatencies) prices came before they were accepted, by up to \(milliseconds) ms: the clocks of"
          + " server and client disagree, and the delivery times are wrong by as much")
    }
    if isClientBusy {
      lines.append(
        "this client was busy itself (\((cpuShare * 100).formatted(0)) % of a core over \(plan.loops) loops):"
          + " the times are partly its own; more --loops, or a machine of its own")
    }
    if slowUnjudged > 0 {
      lines.append("\(slowUnjudged) slow clients had not caught up when the waiting ended")
    }
    if window.frames == 0, counters.ready > 0, !isInterrupted {
      lines.append("nothing was pushed while it was measured: the values of these keys do not move")
    }
    return lines
  }
}

extension Double {
  /// So many digits behind the point.
  func formatted(_ places: Int) -> String {
    guard isFinite, magnitude < 1e15 else { return "\(self)" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let units = Int64((magnitude * scale).rounded())
    let sign = self < 0 && units > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(units)" }
    let fraction = String(units % Int64(scale))
    return
      "\(sign)\(units / Int64(scale)).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }
}
