import EventLoop

extension LoadReport {
  /// The report for people, several lines without a trailing line break.
  public var table: String {
    var lines: [String] = []
    lines.append(
      "\(plan.url)\(isInterrupted ? "   (interrupted: results so far)" : "")")
    lines.append("")
    lines.append(row("connections", "\(counters.ready) of \(plan.connections) ready in \(seconds(rampTime))"))
    if counters.failed + counters.lost > 0 {
      lines.append(row("", "\(counters.failed) failed, \(counters.lost) lost"))
    }
    lines.append(row("measured", seconds(measuredTime)))
    lines += traffic
    lines.append("")
    lines += times(of: [
      ("delivery", times.delivery), ("connect", times.connect), ("subscribe→ok", times.subscribed),
      ("→ snapshot", times.snapshot),
    ])
    lines.append("")
    lines.append(
      row(
        "frames",
        "price \(counters.prices), balance \(counters.balances), token \(counters.tokens), snapshot"
          + " \(counters.snapshots), heartbeat \(counters.heartbeats), lag \(counters.lags)"))
    lines += slowLines + stormLines + faults
    for line in warnings { lines.append(row("note", line)) }
    lines.append(row("result", isWell ? "all well" : "NOT well"))
    return lines.joined(separator: "\n")
  }

  private var traffic: [String] {
    let perSecond = { (value: UInt64) in Double(value) / measuredSeconds }
    var client = "\((cpuShare * 100).formatted(1)) % of a core"
    if let each = cpuMicrosecondsPerFrame { client += ", \(each.formatted(2)) µs a frame" }
    return [
      row(
        "frames/s", "\(framesPerSecond.formatted(0))  (\(perSecond(window.messages).formatted(0)) messages/s)"
      ),
      row(
        "bytes/s",
        "\(perSecond(window.payloadBytes).formatted(0)) payload, \(perSecond(window.wireBytes).formatted(0)) wire"
      ),
      row("this client", client),
    ]
  }

  private func times(of rows: [(String, HdrHistogram)]) -> [String] {
    let head = ["ms", "count", "p50", "p90", "p99", "p99.9", "max"]
    var lines = [cells(head)]
    for (name, histogram) in rows {
      var values = ["\(histogram.count)"]
      if histogram.count == 0 {
        values += Array(repeating: "-", count: 5)
      } else {
        let points = Self.percentiles.map { histogram.percentile($0.percent) } + [histogram.max]
        values += points.map { (Double($0) / 1_000).formatted(2) }
      }
      lines.append(cells([name] + values))
    }
    return lines
  }

  private var slowLines: [String] {
    guard plan.slowFraction > 0 else { return [] }
    return [
      row(
        "slow clients",
        "\(slow.clients): \(slow.newest) ended on the newest values, \(slow.missing) did not, \(slow.closed) were"
          + " closed, \(slowUnjudged) not judged; \(slow.lags) lags; caught up in \(seconds(slowTime))")
    ]
  }

  private var stormLines: [String] {
    storms.enumerated().map { number, storm in
      var text = "\(storm.dropped) dropped, \(storm.returned) back"
      if storm.returned > 0 { text += " in \(seconds(storm.time))" }
      text += " (\(storm.resumed) resumed), \(storm.failed) failed"
      if storm.missing > 0 { text += ", \(storm.missing) not back" }
      let points = [50.0, 99].map { (Double(storm.times.percentile($0)) / 1_000).formatted(1) }
      if storm.returned > 0 { text += "; each p50 \(points[0]) ms, p99 \(points[1]) ms" }
      return row("storm \(number + 1)", text)
    }
  }

  private var faults: [String] {
    var lines: [String] = []
    for (violation, tally) in counters.violations.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      lines.append(row("VIOLATION", "\(violation.rawValue): \(tally.count), first: \(tally.example)"))
    }
    for (kind, tally) in counters.errors.sorted(by: { $0.key < $1.key }) {
      lines.append(row("error", "\(kind): \(tally.count), first: \(tally.example)"))
    }
    if !counters.closes.isEmpty {
      let closes = counters.closes.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
      lines.append(row("closes", closes.joined(separator: ", ")))
    }
    return lines
  }

  private func row(_ name: String, _ text: String) -> String { pad(name, to: 14) + text }

  private func cells(_ texts: [String]) -> String {
    var line = pad(texts.first ?? "", to: 14)
    for text in texts.dropFirst() { line += String(repeating: " ", count: max(1, 11 - text.count)) + text }
    return line
  }

  private func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private func seconds(_ duration: Duration) -> String { "\(duration.inSeconds.formatted(2)) s" }
}
