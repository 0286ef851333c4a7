import Metrics
import Upstream

/// How a chain is followed.
public struct FollowSettings: Sendable {
  /// From one look at the head to the next, where no endpoint announces it.
  public var poll: Duration
  /// Endpoints that announce new blocks.
  public var announcers: [WebSocketURL]
  /// Between the starts of two passes, however fast blocks come.
  public var minimumInterval = Duration.seconds(2)
  /// Blocks that one pass looks at; who is further behind is read as a whole. Public nodes take so many in one filter.
  public var rangeMaximum: UInt64 = 500
  /// Blocks that the next pass looks at again.
  public var overlap: UInt64 = 2
  /// Blocks below a wallet's first read that its first pass looks at: no pass has seen the block of that read, and it
  /// may turn out to be none of the chain's.
  public var firstOverlap: UInt64 = 32
  /// After a node has turned out to have no logs, and the longest pause after one restart too many.
  public var rest = Duration.seconds(600)

  public init(poll: Duration, announcers: [WebSocketURL] = []) {
    self.poll = poll
    self.announcers = announcers
  }

  /// Whether more blocks than half of what one pass may look at would come in `poll`.
  ///
  /// - Parameters:
  ///   - blocks: those of a pass.
  ///   - isHurried: they came in the shortest time there is between two, and not in `poll`.
  func isPollTooSlow(for blocks: UInt64, isHurried: Bool) -> Bool {
    Double(blocks) * (isHurried ? max(1, poll / minimumInterval) : 1) > Double(rangeMaximum / 2)
  }
}

/// What following costs and brings, by chain.
struct FollowMetrics: Sendable {
  let passes: Counter
  let calls: Counter
  let logs: Counter
  let changes: Counter
  let failures: Counter
  let gaps: Counter
  let reorganisations: Counter
  /// Wallets whose first read was of a block that is none of the chain's.
  let orphans: Counter
  /// Unlisted tokens that were left to a later transfer: too many of them at once.
  let leftOut: Counter
  let head: Gauge
  /// Between the head's own time and now.
  let lag: Gauge
  let wallets: Gauge
  let duration: Metrics.Timer

  init(chain: String) {
    let chain = [("chain", chain)]
    func counter(_ name: String) -> Counter { Counter(label: "refresh_follow_\(name)", dimensions: chain) }
    func gauge(_ name: String) -> Gauge { Gauge(label: "refresh_follow_\(name)", dimensions: chain) }
    passes = counter("passes_total")
    calls = counter("calls_total")
    logs = counter("logs_total")
    changes = counter("changes_total")
    failures = counter("failures_total")
    gaps = counter("gaps_total")
    reorganisations = counter("reorgs_total")
    orphans = counter("orphaned_reads_total")
    leftOut = counter("tokens_left_out_total")
    head = gauge("head_block")
    lag = gauge("lag_seconds")
    wallets = gauge("wallets")
    duration = Metrics.Timer(label: "refresh_follow_pass", dimensions: chain)
  }
}
