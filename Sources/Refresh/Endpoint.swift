import Upstream

/// One URL of a chain. Its path may hold a key: only ``name`` is logged, counted and shown.
struct Endpoint: Sendable {
  /// In the order of the settings.
  let index: Int
  let url: HTTPURL
  /// Host and port; with `#2` and so on where a chain has several URLs of one host.
  let name: String

  var host: String { url.host }

  static func list(_ urls: [HTTPURL]) -> [Endpoint] {
    var seen: [String: Int] = [:]
    return urls.enumerated().map { index, url in
      let count = seen[url.authority, default: 0] + 1
      seen[url.authority] = count
      return Endpoint(index: index, url: url, name: count == 1 ? url.authority : "\(url.authority)#\(count)")
    }
  }
}

/// How endpoints are judged and spared. The defaults suit public endpoints.
public struct EndpointRules: Sendable {
  /// Failures in a row that set an endpoint aside. One of another chain, or behind the others, is set aside at once.
  public var failuresToRest = 3
  /// The first rest; each failed probe doubles it. A quarter more or less, at random.
  public var restMinimum = Duration.seconds(1)
  public var restMaximum = Duration.seconds(15)
  /// The longest `Retry-After` that is believed.
  public var retryAfterMaximum = Duration.seconds(120)
  /// How long somebody who asks waits for the rest of the least bad endpoint when all are set aside.
  public var patience = Duration.seconds(2)
  /// Of one endpoint in the long run, each call of a batch counted; a second's worth at once.
  public var requestsPerSecond = 100.0
  /// The latency and the head of an endpoint that nobody asks are looked at so often, while others are asked.
  public var probeInterval = Duration.seconds(60)
  /// And so often where something may be wrong: after a failure, a late answer, or a height that stands still.
  public var urgentProbeInterval = Duration.seconds(5)
  /// No second request goes out before that, however fast an endpoint is usually.
  public var hedgeMinimum = Duration.milliseconds(250)
  /// Second requests for each first one, in the long run.
  public var hedgeShare = 0.05
  /// Blocks worth so much time, and at least three, may an endpoint be behind the best.
  public var lagMaximum = Duration.seconds(10)
  /// How long it is remembered what a provider refused.
  public var memory = Duration.seconds(3_600)

  public init() {}
}

/// An endpoint as operators see it.
public struct EndpointHealth: Sendable, Equatable {
  public enum State: String, Sendable, Equatable, CaseIterable {
    case up
    /// Its last answer was a failure, or older than what is known.
    case doubtful
    /// Set aside after failures in a row.
    case failing
    /// It said that it is asked too often.
    case limited
    case behind
    case wrongChain = "wrong_chain"
  }

  /// Host and port.
  public var name: String
  public var state: State
  /// Of a light request, smoothed.
  public var latency: Duration?
  /// 0…1, smoothed over the latest attempts.
  public var errorRate: Double
  public var head: UInt64?
  /// Whether there is a Multicall3, as far as is known.
  public var hasMulticall: Bool
}
