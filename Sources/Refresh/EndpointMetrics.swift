import Metrics

/// What is counted for one endpoint. Labels: the chain, and the endpoint's host.
struct EndpointMetrics: Sendable {
  private let dimensions: [(String, String)]
  let requests: Counter
  let hedges: Counter
  private let latency: Metrics.Timer
  private let state: [(EndpointHealth.State, Meter)]
  private let head: Meter

  init(chain: String, endpoint: String) {
    let dimensions = [("chain", chain), ("endpoint", endpoint)]
    self.dimensions = dimensions
    requests = Counter(label: "refresh_endpoint_requests_total", dimensions: dimensions)
    hedges = Counter(label: "refresh_endpoint_hedges_total", dimensions: dimensions)
    latency = Metrics.Timer(label: "refresh_endpoint_request_seconds", dimensions: dimensions)
    head = Meter(label: "refresh_endpoint_head_block", dimensions: dimensions)
    state = EndpointHealth.State.allCases.map { state in
      (state, Meter(label: "refresh_endpoint_state", dimensions: dimensions + [("state", state.rawValue)]))
    }
  }

  func note(_ elapsed: Duration, _ error: RefreshError?) {
    latency.recordNanoseconds(elapsed.inNanoseconds)
    guard let error else { return }
    Counter(
      label: "refresh_endpoint_failures_total", dimensions: dimensions + [("kind", error.failureKind)]
    ).increment()
  }

  func noteAside(_ reason: EndpointHealth.State) {
    Counter(label: "refresh_endpoint_aside_total", dimensions: dimensions + [("reason", reason.rawValue)])
      .increment()
  }

  func set(_ current: EndpointHealth.State, head block: UInt64?) {
    for (state, meter) in state { meter.set(state == current ? 1 : 0) }
    if let block { head.set(Double(block)) }
  }
}

extension RefreshError {
  /// A word for metrics.
  var failureKind: String {
    switch self {
    case .unreachable(_, .timedOut): "timeout"
    case .unreachable(_, let error) where error.fault == .network: "network"
    case .unreachable(_, let error) where error.fault == .local: "local"
    case .unreachable: "protocol"
    case .status: "status"
    case .rateLimited: "rate_limited"
    case .node(_, let error) where error.kind == .rateLimited: "rate_limited"
    case .node: "node"
    case .malformed: "malformed"
    // Said of readings, not of requests.
    case .wrongChain, .behind, .cooldown, .unknownWallet, .chainNotServed, .noEndpoint, .noMulticall,
      .resting,
      .stopped:
      "other"
    }
  }
}
