import Ethereum
import Ledger

/// What is known without asking a chain: not the values, which are cells of the ledger, but until when they count.
///
/// Asked and told in batches, so that an implementation that several servers share costs a round trip a read, not one a
/// token. It may forget whatever it likes: what has no entry is read.
public protocol Cache: Sendable {
  /// - Returns: an entry for each key, in their order; `nil` where there is none. One whose time is up may still come.
  func entries(for keys: [CacheKey], now: UnixMilliseconds) async -> [CacheEntry?]

  /// - Parameter entries: no key twice.
  func set(_ entries: [(key: CacheKey, entry: CacheEntry)], now: UnixMilliseconds) async

  func remove(_ keys: [CacheKey], now: UnixMilliseconds) async

  /// Lets go of what nobody asked for lately. Call every second or so.
  func sweep(now: UnixMilliseconds) async -> CacheFigures
}

/// That something was read.
public struct CacheEntry: Sendable, Hashable {
  /// It is known as of this block.
  public var block: UInt64
  public var readAt: UnixMilliseconds
  /// How long it counts at most.
  public var until: UnixMilliseconds

  public init(block: UInt64, readAt: UnixMilliseconds, until: UnixMilliseconds) {
    self.block = block
    self.readAt = readAt
    self.until = until
  }
}

/// What a cache holds.
public struct CacheFigures: Sendable, Equatable {
  public var entries = 0
  public var bytes = 0
  /// With entries of their own.
  public var wallets = 0

  public init(entries: Int = 0, bytes: Int = 0, wallets: Int = 0) {
    self.entries = entries
    self.bytes = bytes
    self.wallets = wallets
  }
}
