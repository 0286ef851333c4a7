import EventLoop
import JSON

extension LoadReport {
  /// One JSON object, on one line. Its shape is documented (LoadTesting.md): names stay, and carry their unit.
  public var json: String {
    var writer = JSONWriter(reserving: 4_096)
    writer.beginObject()
    writer.member("schema", "walletpush.load.v1")
    writer.member("url", plan.url.description)
    writer.member("well", isWell)
    writer.member("interrupted", isInterrupted)
    write(connections: &writer)
    writer.object("seconds") { writer in
      writer.member("ramp", rampTime.inSeconds)
      writer.member("measured", measuredTime.inSeconds)
    }
    write(traffic: &writer)
    write(times: &writer)
    write(counts: &writer)
    if plan.slowFraction > 0 { write(slow: &writer) }
    if plan.storms > 0 { write(storms: &writer) }
    writer.object("client") { writer in
      writer.member("loops", plan.loops)
      writer.member("cpu_seconds", cpuTime.inSeconds)
      writer.member("cpu_us_per_frame", cpuMicrosecondsPerFrame)
    }
    writer.key("warnings")
    writer.beginArray()
    for line in warnings { writer.string(line) }
    writer.endArray()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func write(connections writer: inout JSONWriter) {
    writer.object("connections") { writer in
      writer.member("asked", plan.connections)
      writer.member("opened", counters.opened)
      writer.member("ready", counters.ready)
      writer.member("failed", counters.failed)
      writer.member("lost", counters.lost)
      writer.member("open_at_end", openAtEnd)
    }
  }

  private func write(traffic writer: inout JSONWriter) {
    writer.object("delivery") { writer in
      writer.member("frames", window.frames)
      writer.member("frames_per_second", framesPerSecond)
      writer.member("messages", window.messages)
      writer.member("messages_per_second", Double(window.messages) / measuredSeconds)
      writer.member("payload_bytes", window.payloadBytes)
      writer.member("payload_bytes_per_second", Double(window.payloadBytes) / measuredSeconds)
      writer.member("wire_bytes", window.wireBytes)
      writer.member("wire_bytes_per_second", Double(window.wireBytes) / measuredSeconds)
    }
  }

  private func write(times writer: inout JSONWriter) {
    writer.member("delivery_ms", times.delivery)
    writer.member("negative_delivery_times", counters.negativeLatencies)
    writer.member("connect_ms", times.connect)
    writer.member("subscribe_ok_ms", times.subscribed)
    writer.member("snapshot_ms", times.snapshot)
  }

  private func write(counts writer: inout JSONWriter) {
    writer.object("frames") { writer in
      writer.member("price", counters.prices)
      writer.member("balance", counters.balances)
      writer.member("token", counters.tokens)
      writer.member("snapshot", counters.snapshots)
      writer.member("heartbeat", counters.heartbeats)
      writer.member("lag", counters.lags)
      writer.member("status", counters.statuses)
      writer.member("repeated", counters.repeats)
    }
    writer.object("violations") { writer in
      for violation in Violation.allCases {
        writer.key(violation.rawValue)
        writer.int(counters.violations[violation]?.count ?? 0)
      }
    }
    writer.object("errors") { writer in
      for (kind, tally) in counters.errors.sorted(by: { $0.key < $1.key }) {
        writer.key(kind)
        writer.int(tally.count)
      }
    }
    writer.object("closes") { writer in
      for (code, count) in counters.closes.sorted(by: { $0.key < $1.key }) {
        writer.key("\(code)")
        writer.int(count)
      }
    }
  }

  private func write(slow writer: inout JSONWriter) {
    writer.object("slow") { writer in
      writer.member("clients", slow.clients)
      writer.member("newest", slow.newest)
      writer.member("missing", slow.missing)
      writer.member("closed", slow.closed)
      writer.member("unjudged", slowUnjudged)
      writer.member("lags", slow.lags)
      writer.member("catch_up_seconds", slowTime.inSeconds)
    }
  }

  private func write(storms writer: inout JSONWriter) {
    writer.objects("storms", storms) { writer, storm in
      writer.member("dropped", storm.dropped)
      writer.member("returned", storm.returned)
      writer.member("resumed", storm.resumed)
      writer.member("failed", storm.failed)
      writer.member("all_returned_seconds", storm.missing + storm.failed == 0 ? storm.time.inSeconds : nil)
      writer.member("return_ms", storm.times)
    }
  }
}

extension JSONWriter {
  /// With at most 6 digits behind the point; null where there is no number.
  fileprivate mutating func member(_ name: StaticString, _ value: Double?) {
    key(name)
    if let value, let number = JSONNumber(text: value.formatted(6)) { self.number(number) } else { null() }
  }

  /// A histogram of microseconds, in milliseconds.
  fileprivate mutating func member(_ name: StaticString, _ histogram: HdrHistogram) {
    object(name) { writer in
      writer.member("count", histogram.count)
      writer.member("mean", histogram.mean / 1_000)
      for (name, percent) in LoadReport.percentiles {
        writer.key(name)
        writer.milliseconds(histogram.percentile(percent))
      }
      writer.key("max")
      writer.milliseconds(histogram.max)
    }
  }

  private mutating func milliseconds(_ microseconds: UInt64) {
    if let value = JSONNumber(text: (Double(microseconds) / 1_000).formatted(3)) {
      number(value)
    } else {
      null()
    }
  }
}
