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
  /// Nil where nobody watches a token with a price.
  private let oldestPriceAge: UnixMilliseconds?
  private let metrics: [String: [MetricReading]]

  init(_ services: Services) async {
    time = services.clock()
    jobs = services.jobs.figures.sorted { $0.key < $1.key }
    chains = await services.chainStates()
    oldestPriceAge = await services.pricing.oldestPriceAge()
    metrics = services.metrics.readings(of: Self.names)
  }

  private static let names: Set<String> = [
    "push_delivery_seconds", "http_request_seconds", "http_responses_total",
    "cache_entries", "cache_bytes", "cache_lookups_total",
    "pricing_watched_tokens", "pricing_unpriced_tokens",
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
    writer.member("delivery", readings("push_delivery_seconds").first)
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
    writer.object("http") { writer in
      writer.object("responses") { writer in
        for reading in readings("http_responses_total") {
          writer.member(reading.label("status") ?? "", whole: reading.number)
        }
      }
      writer.member("latency", readings("http_request_seconds").first)
    }
  }

  private func writeCache(to writer: inout JSONWriter) {
    var kinds: [String: [String: Double]] = [:]
    for reading in readings("cache_lookups_total") {
      guard let kind = reading.label("kind"), let result = reading.label("result") else { continue }
      kinds[kind, default: [:]][result] = reading.number
    }
    writer.object("cache") { writer in
      writer.member("entries", whole: number("cache_entries"))
      writer.member("bytes", whole: number("cache_bytes"))
      writer.objects("lookups", kinds.sorted { $0.key < $1.key }) { writer, kind in
        writer.member("kind", kind.key)
        writer.member("hit", whole: kind.value["hit"] ?? 0)
        writer.member("stale", whole: kind.value["stale"] ?? 0)
        writer.member("miss", whole: kind.value["miss"] ?? 0)
      }
    }
  }

  private func writeJobs(to writer: inout JSONWriter) {
    writer.objects("jobs", jobs) { writer, job in
      writer.member("job", job.key)
      writer.member("started", job.value.started)
      writer.member("done", job.value.done)
      writer.member("failed", job.value.failed)
      writer.member("restarts", job.value.restarts)
      writer.member("refused", job.value.refused)
      writer.member("running", job.value.running)
      writer.member("waiting", job.value.waiting)
      writer.member("oldest_us", whole: job.value.oldest / .microseconds(1))
    }
  }

  private func writePrices(to writer: inout JSONWriter) {
    writer.object("prices") { writer in
      writer.key("age_us")
      if let oldestPriceAge { writer.int(Int(oldestPriceAge) * 1_000) } else { writer.null() }
      writer.member("watched", whole: number("pricing_watched_tokens"))
      writer.member("unpriced", whole: number("pricing_unpriced_tokens"))
      writer.key("last_success_at")
      let last = number("pricing_last_success_seconds")
      if last > 0 { writer.whole(last * 1_000) } else { writer.null() }
      writer.objects("sources", readings("pricing_batches_total").compactMap { $0.label("source") }) {
        writer, source in
        writer.member("source", source)
        writer.member("batches", whole: number("pricing_batches_total", "source", source))
        writer.member("failed", whole: number("pricing_batches_failed_total", "source", source))
        writer.member("resting", number("pricing_source_resting", "source", source) != 0)
        writer.member("latency", readings("pricing_batch_seconds").first { $0.label("source") == source })
      }
    }
  }

  private func writeUpstreams(to writer: inout JSONWriter) {
    var outcomes: [String: [MetricReading]] = [:]
    for reading in readings("upstream_requests_total") {
      outcomes[reading.label("host") ?? "", default: []].append(reading)
    }
    writer.objects("upstreams", readings("upstream_request_seconds")) { writer, latency in
      let host = latency.label("host") ?? ""
      writer.member("host", host)
      writer.member("connections", whole: number("upstream_connections_open", "host", host))
      writer.member("waiting", whole: number("upstream_requests_waiting", "host", host))
      writer.object("outcomes") { writer in
        for reading in outcomes[host] ?? [] {
          writer.member(reading.label("outcome") ?? "", whole: reading.number)
        }
      }
      writer.member("latency", latency)
    }
  }

  private func writeLoops(to writer: inout JSONWriter) {
    writer.objects("loops", readings("eventloop_turns_total").compactMap { $0.label("loop") }) {
      writer, loop in
      writer.member("loop", loop)
      writer.member("connections", whole: number("eventloop_connections_open", "loop", loop))
      writer.member("turns", whole: number("eventloop_turns_total", "loop", loop))
      writer.member("longest_turn_us", whole: number("eventloop_turn_longest_seconds", "loop", loop) * 1e6)
      writer.member("mailbox", whole: number("eventloop_mailbox_depth", "loop", loop))
      writer.member("bytes_in", whole: number("eventloop_bytes_in_total", "loop", loop))
      writer.member("bytes_out", whole: number("eventloop_bytes_out_total", "loop", loop))
    }
  }

  private func writeProcess(to writer: inout JSONWriter) {
    writer.object("process") { writer in
      writer.member("cpu_us", whole: ProcessFigures.cpuSeconds * 1e6)
      writer.key("resident_bytes")
      if let bytes = ProcessFigures.residentBytes { writer.int(bytes) } else { writer.null() }
    }
  }
}

extension JSONWriter {
  /// Rounded; what no whole number says exactly, or is none, at the nearest end.
  fileprivate mutating func whole(_ value: Double) {
    int(value.isNaN ? 0 : Int(min(max(value, -9e15), 9e15).rounded()))
  }

  fileprivate mutating func member(_ name: StaticString, whole value: Double) {
    key(name)
    whole(value)
  }

  /// The same under a name from anywhere.
  @_disfavoredOverload
  fileprivate mutating func member(_ name: String, whole value: Double) {
    key(name)
    whole(value)
  }

  /// `{"count":…,"sum_us":…,"le_us":[…],"counts":[…]}`: of each bucket its upper end and what fell into it alone; the
  /// last count is of what is above all ends.
  fileprivate mutating func member(_ name: StaticString, _ reading: MetricReading?) {
    var histogram = HistogramReading(bounds: [], counts: [0], sum: 0)
    if case .histogram(let found) = reading?.value { histogram = found }
    object(name) { writer in
      writer.member("count", Int(histogram.counts.reduce(0, +)))
      writer.member("sum_us", whole: histogram.sum * 1e6)
      writer.key("le_us")
      writer.beginArray()
      for bound in histogram.bounds { writer.whole(bound * 1e6) }
      writer.endArray()
      writer.key("counts")
      writer.beginArray()
      for count in histogram.counts { writer.int(Int(count)) }
      writer.endArray()
    }
  }
}
