import Ledger

/// Snapshots as they stand on this loop now: of many clients that come for the same wallet at once, as after a restart
/// or behind a popular page, one has it built, and the others share its bytes. Whatever changes empties it, so it
/// holds what was asked for since the last change.
struct SnapshotCache {
  /// What is kept at most, in bytes of frames.
  static let maximumBytes = 1_048_576

  private var frames: [UInt32: [UInt8]] = [:]
  private var bytes = 0

  /// - Parameter wallet: its place in the shard's table.
  subscript(wallet: UInt32) -> [UInt8]? { frames[wallet] }

  mutating func insert(_ frame: [UInt8], for wallet: UInt32) {
    guard bytes + frame.count <= Self.maximumBytes else { return }
    frames[wallet] = frame
    bytes += frame.count
  }

  mutating func removeAll() {
    guard bytes > 0 else { return }
    frames.removeAll(keepingCapacity: frames.count <= 64)
    bytes = 0
  }
}
