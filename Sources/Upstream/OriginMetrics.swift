import CoreMetrics
import EventLoop

/// What is told to swift-metrics about one origin. Thread-confined.
final class OriginMetrics {
  private let host: String
  private var outcomes: [String: Counter] = [:]
  private let duration: CoreMetrics.Timer
  private let connectionsOpen: Gauge
  private let requestsWaiting: Gauge
  private let resends: Counter
  private var lastConnections = -1
  private var lastWaiting = -1

  init(host: String) {
    self.host = host
    let dimensions = [("host", host)]
    duration = CoreMetrics.Timer(label: "upstream_request_seconds", dimensions: dimensions)
    connectionsOpen = Gauge(label: "upstream_connections_open", dimensions: dimensions)
    requestsWaiting = Gauge(label: "upstream_requests_waiting", dimensions: dimensions)
    resends = Counter(label: "upstream_requests_resent_total", dimensions: dimensions)
  }

  func ended(_ outcome: Call.Outcome, after elapsed: Duration) {
    let word =
      switch outcome {
      // 200 and 204 are one outcome: few labels, made of nothing that a peer can choose.
      case .success(let response): response.status < 600 ? "\(response.status / 100)xx" : "5xx"
      case .failure(let error): error.outcome
      }
    let counter = outcomes[word] ?? counter(word)
    counter.increment()
    duration.recordNanoseconds(elapsed.wholeNanoseconds)
  }

  private func counter(_ word: String) -> Counter {
    let counter = Counter(label: "upstream_requests_total", dimensions: [("host", host), ("outcome", word)])
    outcomes[word] = counter
    return counter
  }

  func resent() { resends.increment() }

  func set(connections: Int, waiting: Int) {
    if connections != lastConnections { connectionsOpen.record(connections) }
    if waiting != lastWaiting { requestsWaiting.record(waiting) }
    lastConnections = connections
    lastWaiting = waiting
  }
}
