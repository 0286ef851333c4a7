import EventLoop
import JSON
import Ledger
import WebSocket

/// A batch with its frames' bytes, built once for all loops.
final class FramedBatch: Sendable {
  let batch: LedgerBatch
  /// One for each change.
  let frames: [[UInt8]]
  /// One for each status.
  let statusFrames: [[UInt8]]
  /// When the ledger accepted it.
  let acceptedAt = ContinuousClock.now

  init(_ batch: LedgerBatch) {
    self.batch = batch
    frames = batch.changes.map { WebSocketFrame.text($0.json) }
    statusFrames = batch.statuses.map { WebSocketFrame.text($0.json) }
  }
}

/// Carries what the ledger accepted to the shards: one mailbox message per event loop and batch.
public final class Hub: LedgerPublisher {
  private let shards: [Shard]

  public init(shards: [Shard]) { self.shards = shards }

  public func publish(_ batch: LedgerBatch) {
    let framed = FramedBatch(batch)
    for shard in shards { shard.loop.post { shard.take(framed) } }
  }

  public func deliver(_ reply: WatchReply, toShard index: Int) {
    guard shards.indices.contains(index) else { return }
    let shard = shards[index]
    shard.loop.post { shard.take(reply) }
  }
}
