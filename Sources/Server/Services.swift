import EventLoop
import Ethereum
import Jobs
import Ledger
import Metrics
import Pricing
import Push
import Refresh
import Storage
import WebSocket

/// What the routes work with.
struct Services: Sendable {
  let serverName: String
  let ledger: Ledger
  let refresh: RefreshService
  let pricing: PricePipeline
  let writer: Writer
  let shards: [Shard]
  /// One for each shard, in their order.
  let sessions: [HTTPSessions]
  let files: StaticFiles
  /// nil: no access tokens are asked for.
  let access: AccessControl?
  let metrics: PrometheusMetrics
  let jobs: JobBoard
  /// Database files that were found damaged and set aside.
  let damagedFiles: Int
  let clock: @Sendable () -> UnixMilliseconds

  func isStorageHealthy() async -> Bool { writer.isHealthy }

  func chainStates() async -> [ChainState] { await refresh.chainStates() }

  /// All loops' figures, each taken on its loop.
  func pushStatistics() async -> (connections: Int, total: ShardStatistics, deflate: DeflateStatistics) {
    var connections = 0
    var total = ShardStatistics()
    var deflate = DeflateStatistics()
    for shard in shards {
      let part = try? await shard.loop.perform {
        (shard.clientCount, shard.statistics, shard.deflateStatistics)
      }
      guard let (count, statistics, compression) = part else { continue }
      connections += count
      total.add(statistics)
      deflate += compression
    }
    return (connections, total, deflate)
  }

  /// Figures that are kept elsewhere are copied when somebody looks.
  func refreshGauges() async {
    jobs.refreshGauges()
    let push = await pushStatistics()
    let total = push.total
    let gauges: [(String, Double)] = [
      ("storage_damaged_files", Double(damagedFiles)),
      ("ledger_revision", Double(await ledger.revision)),
      ("ledger_wallets", Double(await ledger.walletCount)),
      ("ledger_wallets_watched", Double(await ledger.watchedWalletCount)),
      ("ledger_tokens", Double(await ledger.tokenCount)),
      ("pricing_age_seconds", Double(await pricing.oldestPriceAge() ?? 0) / 1_000),
      ("push_connections", Double(push.connections)),
      ("push_streams", Double(total.streams)),
      ("push_polls", Double(total.polls)),
      ("push_connections_opened", Double(total.opened)),
      ("push_messages_received", Double(total.messages)),
      ("push_messages_refused", Double(total.refused)),
      ("push_frames_sent", Double(total.frames)),
      ("push_writes", Double(total.writes)),
      ("push_snapshot_parts_sent", Double(total.snapshots)),
      ("push_snapshots_fresh", Double(total.snapshotsFresh)),
      ("push_snapshots_stale", Double(total.snapshotsStale)),
      ("push_snapshots_missing", Double(total.snapshotsMissing)),
      ("push_lags", Double(total.lags)),
      ("push_closed_slow", Double(total.closedSlow)),
      ("push_closed_no_pong", Double(total.closedNoPong)),
      ("compression_messages_compressed", Double(push.deflate.compressedMessages)),
      ("compression_bytes_before", Double(push.deflate.compressedBytesIn)),
      ("compression_bytes_after", Double(push.deflate.compressedBytesOut)),
      ("compression_messages_inflated", Double(push.deflate.inflatedMessages)),
      ("compression_bytes_received", Double(push.deflate.inflatedBytesIn)),
      ("compression_bytes_inflated", Double(push.deflate.inflatedBytesOut)),
      ("compression_refused_size", Double(push.deflate.refusedSize)),
      ("compression_refused_ratio", Double(push.deflate.refusedRatio)),
      ("compression_refused_data", Double(push.deflate.refusedData)),
      ("push_closed_abuse", Double(total.closedAbuse)),
      ("push_messages_rate_limited", Double(total.rateLimited)),
      ("push_closed_unauthorized", Double(total.closedUnauthorized)),
      ("push_closed_token_expired", Double(total.closedExpired)),
      ("push_streams_opened", Double(total.streamsOpened)),
      ("push_polls_opened", Double(total.pollsOpened)),
      ("push_polls_timed_out", Double(total.pollsTimedOut)),
      ("push_polls_abandoned", Double(total.pollsAbandoned)),
    ]
    for (name, value) in gauges { Gauge(label: name).record(value) }
  }
}

extension ShardStatistics {
  mutating func add(_ other: ShardStatistics) {
    opened += other.opened
    closed += other.closed
    messages += other.messages
    refused += other.refused
    frames += other.frames
    writes += other.writes
    snapshots += other.snapshots
    snapshotsFresh += other.snapshotsFresh
    snapshotsStale += other.snapshotsStale
    snapshotsMissing += other.snapshotsMissing
    lags += other.lags
    caughtUp += other.caughtUp
    closedSlow += other.closedSlow
    closedNoPong += other.closedNoPong
    rateLimited += other.rateLimited
    closedAbuse += other.closedAbuse
    closedUnauthorized += other.closedUnauthorized
    closedExpired += other.closedExpired
    streams += other.streams
    polls += other.polls
    streamsOpened += other.streamsOpened
    pollsOpened += other.pollsOpened
    pollsTimedOut += other.pollsTimedOut
    pollsAbandoned += other.pollsAbandoned
  }
}
