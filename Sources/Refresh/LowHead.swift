import Ledger

/// A node names a block below one that was seen before: it lags, or the chain was set back, or what was seen before
/// never was a block. A second look decides. Pure.
struct LowHead {
  /// A node may be so many blocks behind, for a while.
  static let lagBlocks: UInt64 = 64
  static let patience: UnixMilliseconds = 30_000

  private let since: UnixMilliseconds

  /// The first look.
  init(now: UnixMilliseconds) { since = now }

  /// A later look: whether what it found is the chain.
  func isConfirmed(held: UInt64, found: UInt64, now: UnixMilliseconds) -> Bool {
    (held > found && held - found > Self.lagBlocks) || now - since >= Self.patience
  }
}
