// The monitor page's figures: what the metrics count, as JSON. Durations are microseconds, moments Unix milliseconds.
//
// Counts are those since the start. Who looks twice subtracts, and so gets rates and, of a histogram's buckets, what
// was usual between the two looks; the server keeps nothing for those who look.

import Glibc
import JSON
import Jobs
import Ledger
import Refresh

struct OperatorFigures {
  private let time: UnixMilliseconds
  private let jobs: [(key: String, value: JobFigures)]
  private let chains: [ChainState]
  private let metrics: [String: [MetricReading]]

  init(_ services: Services) async {
    time = services.clock()
    jobs = services.jobs.figures.sorted { $0.key < $1.key }
    chains = await services.chainStates()
    metrics = services.metrics.readings(of: Self.names)
  }

  private static let names: Set<String> = [
    "push_delivery_seconds", "http_request_seconds", "http_responses_total",
    "cache_entries", "cache_bytes", "cache_lookups_total",
    "pricing_age_seconds", "pricing_watched_tokens", "pricing_unpriced_tokens",
    "pricing_last_success_seconds",
    "pricing_batches_total", "pricing_batches_failed_total", "pricing_source_resting",
    "pricing_batch_seconds",
    "upstream_request_seconds", "upstream_requests_total", "upstream_connections_open",
    "upstream_requests_waiting",
    "eventloop_connections_open", "eventloop_turns_total", "eventloop_turn_longest_seconds",
    "eventloop_mailbox_depth", "eventloop_bytes_in_total", "eventloop_bytes_out_total",
  ].reduce(into: []) { $0.insert("walletpush_" + $1) }

  private func readings(_ name: String) -> [MetricReading] { metrics["walletpush_" + name] ?? [] }

  /// Of a series without labels.
  private func number(_ name: String) -> Double { readings(name).first?.number ?? 0 }

  private func number(_ name: String, _ label: String, _ value: String) -> Double {
    readings(name).first { $0.label(label) == value }?.number ?? 0
  }

  // MARK: JSON

  func write(to writer: inout JSONWriter) {
    writer.member("time", Int(time))
    writer.key("delivery")
    writer.histogram(readings("push_delivery_seconds").first)
    writeHTTP(to: &writer)
    writeCache(to: &writer)
    writeJobs(to: &writer)
    writePrices(to: &writer)
    writer.key("chains")
    Router.write(chains, to: &writer)
    writeUpstreams(to: &writer)
    writeLoops(to: &writer)
    writeProcess(to: &writer)
  }

  private func writeHTTP(to writer: inout JSONWriter) {
    writer.key("http")
    writer.beginObject()
    writer.key("responses")
    writer.beginObject()
    for reading in readings("http_responses_total") {
      writer.key(reading.label("status") ?? "")
      writer.whole(reading.number)
    }
    writer.endObject()
    writer.key("latency")
    writer.histogram(readings("http_request_seconds").first)
    writer.endObject()
  }

  private func writeCache(to writer: inout JSONWriter) {
    var kinds: [String: [String: Double]] = [:]
    for reading in readings("cache_lookups_total") {
      guard let kind = reading.label("kind"), let result = reading.label("result") else { continue }
      kinds[kind, default: [:]][result] = reading.number
    }
    writer.key("cache")
    writer.beginObject()
    writer.key("entries")
    writer.whole(number("cache_entries"))
    writer.key("bytes")
    writer.whole(number("cache_bytes"))
    writer.list("lookups", kinds.sorted { $0.key < $1.key }) { writer, kind in
      writer.member("kind", kind.key)
      writer.key("hit")
      writer.whole(kind.value["hit"] ?? 0)
      writer.key("stale")
      writer.whole(kind.value["stale"] ?? 0)
      writer.key("miss")
      writer.whole(kind.value["miss"] ?? 0)
    }
    writer.endObject()
  }

  private func writeJobs(to writer: inout JSONWriter) {
    writer.list("jobs", jobs) { writer, job in
      writer.member("job", job.key)
      writer.member("started", job.value.started)
      writer.member("done", job.value.done)
      writer.member("failed", job.value.failed)
      writer.member("restarts", job.value.restarts)
      writer.member("refused", job.value.refused)
      writer.member("running", job.value.running)
      writer.member("waiting", job.value.waiting)
      writer.key("oldest_us")
      writer.whole(job.value.oldest / .microseconds(1))
    }
  }

  private func writePrices(to writer: inout JSONWriter) {
    writer.key("prices")
    writer.beginObject()
    writer.key("age_us")
    writer.whole(number("pricing_age_seconds") * 1e6)
    writer.key("watched")
    writer.whole(number("pricing_watched_tokens"))
    writer.key("unpriced")
    writer.whole(number("pricing_unpriced_tokens"))
    writer.key("last_success_at")
    let last = number("pricing_last_success_seconds")
    if last > 0 { writer.whole(last * 1_000) } else { writer.null() }
    writer.list("sources", readings("pricing_batches_total").compactMap { $0.label("source") }) {
      writer, source in
      writer.member("source", source)
      writer.key("batches")
      writer.whole(number("pricing_batches_total", "source", source))
      writer.key("failed")
      writer.whole(number("pricing_batches_failed_total", "source", source))
      writer.member("resting", number("pricing_source_resting", "source", source) != 0)
      writer.key("latency")
      writer.histogram(readings("pricing_batch_seconds").first { $0.label("source") == source })
    }
    writer.endObject()
  }

  private func writeUpstreams(to writer: inout JSONWriter) {
    var outcomes: [String: [MetricReading]] = [:]
    for reading in readings("upstream_requests_total") {
      outcomes[reading.label("host") ?? "", default: []].append(reading)
    }
    writer.list("upstreams", readings("upstream_request_seconds")) { writer, latency in
      let host = latency.label("host") ?? ""
      writer.member("host", host)
      writer.key("connections")
      writer.whole(number("upstream_connections_open", "host", host))
      writer.key("waiting")
      writer.whole(number("upstream_requests_waiting", "host", host))
      writer.key("outcomes")
      writer.beginObject()
      for reading in outcomes[host] ?? [] {
        writer.key(reading.label("outcome") ?? "")
        writer.whole(reading.number)
      }
      writer.endObject()
      writer.key("latency")
      writer.histogram(latency)
    }
  }

  private func writeLoops(to writer: inout JSONWriter) {
    writer.list("loops", readings("eventloop_turns_total").compactMap { $0.label("loop") }) { writer, loop in
      writer.member("loop", loop)
      writer.key("connections")
      writer.whole(number("eventloop_connections_open", "loop", loop))
      writer.key("turns")
      writer.whole(number("eventloop_turns_total", "loop", loop))
      writer.key("longest_turn_us")
      writer.whole(number("eventloop_turn_longest_seconds", "loop", loop) * 1e6)
      writer.key("mailbox")
      writer.whole(number("eventloop_mailbox_depth", "loop", loop))
      writer.key("bytes_in")
      writer.whole(number("eventloop_bytes_in_total", "loop", loop))
      writer.key("bytes_out")
      writer.whole(number("eventloop_bytes_out_total", "loop", loop))
    }
  }

  private func writeProcess(to writer: inout JSONWriter) {
    writer.key("process")
    writer.beginObject()
    writer.key("cpu_us")
    writer.whole(ProcessFigures.cpuSeconds * 1e6)
    writer.key("resident_bytes")
    if let bytes = ProcessFigures.residentBytes { writer.int(bytes) } else { writer.null() }
    writer.endObject()
  }
}

extension JSONWriter {
  /// Rounded; what no whole number says exactly, or is none, at the nearest end.
  fileprivate mutating func whole(_ value: Double) {
    int(value.isNaN ? 0 : Int(min(max(value, -9e15), 9e15).rounded()))
  }

  /// `"name":[{…},…]`
  fileprivate mutating func list<Element>(
    _ name: StaticString, _ elements: [Element], _ members: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    beginArray()
    for element in elements {
      beginObject()
      members(&self, element)
      endObject()
    }
    endArray()
  }

  /// `{"count":…,"sum_us":…,"le_us":[…],"counts":[…]}`: of each bucket its upper end and what fell into it alone; the
  /// last count is of what is above all ends.
  fileprivate mutating func histogram(_ reading: MetricReading?) {
    var histogram = HistogramReading(bounds: [], counts: [0], sum: 0)
    if case .histogram(let found) = reading?.value { histogram = found }
    beginObject()
    key("count")
    int(Int(histogram.counts.reduce(0, +)))
    key("sum_us")
    whole(histogram.sum * 1e6)
    key("le_us")
    beginArray()
    for bound in histogram.bounds { whole(bound * 1e6) }
    endArray()
    key("counts")
    beginArray()
    for count in histogram.counts { int(Int(count)) }
    endArray()
    endObject()
  }
}
