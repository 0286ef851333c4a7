import Ethereum

/// What the ledger accepted in one act, as it goes to every event loop: frames in ascending revision,
/// and the new value of each wallet that somebody watches.
public struct LedgerBatch: Sendable {
  public struct Change: Sendable {
    public enum Subject: Sendable {
      case price(PriceCell)
      /// A `balance` or `token` frame of this wallet.
      case row(WalletID)
    }
    public var subject: Subject
    public var revision: Revision
    /// The frame's JSON.
    public var json: [UInt8]
  }

  /// The ledger's revision after this batch.
  public var revision: Revision
  public var changes: [Change] = []
  /// New values of watched wallets.
  public var wallets: [WalletCells] = []
  /// Watched wallets whose first read ended: their subscribers get one full snapshot instead of rows.
  public var snapshots: [WalletID] = []
  /// The tokens of all rows in `wallets` that are new, with their prices.
  public var tokens: [PriceCell] = []
  public var statuses: [StatusFrame] = []
  public var deleted: [WalletID] = []

  public init(revision: Revision) { self.revision = revision }

  var isEmpty: Bool {
    changes.isEmpty && wallets.isEmpty && statuses.isEmpty && deleted.isEmpty && tokens.isEmpty
  }
}

/// A status without revision.
public struct StatusFrame: Sendable {
  public enum Subject: Sendable, Hashable {
    case wallet(WalletID)
    case chain(ChainCode)
    case prices
  }
  public var subject: Subject
  public var json: [UInt8]
  /// Whether a client that subscribes later is told at once (a chain down, prices stale).
  public var isAbnormal: Bool

  public init(subject: Subject, json: [UInt8], isAbnormal: Bool) {
    self.subject = subject
    self.json = json
    self.isAbnormal = isAbnormal
  }
}

/// The answer to one shard's `watch`: delivered through the same mailbox as the batches, so that nothing
/// accepted before it is missing and nothing after it is lost.
public struct WatchReply: Sendable {
  public var ticket: UInt64
  public var revision: Revision
  /// In the order asked for.
  public var wallets: [(key: WalletKey, result: Result<WalletCells, WatchFailure>)]
  public var tokens: [(key: TokenKey, result: Result<PriceCell, WatchFailure>)]
  /// The price cells of all rows above.
  public var rowTokens: [PriceCell]
  public var epoch: String
}

/// Why one wallet or token of a list can't be watched.
public enum WatchFailure: Error, Sendable, Equatable {
  case chainUnsupported(ChainCode)
  /// The server holds as many wallets as it may.
  case serverFull(limit: Int)
  /// The database did not take the registration.
  case notStored
}

/// Where accepted changes go. Called on the ledger's own isolation, in order; must not block.
public protocol LedgerPublisher: Sendable {
  func publish(_ batch: LedgerBatch)
  func deliver(_ reply: WatchReply, toShard shard: Int)
}

/// Who wants to know that somebody watches. Called on the ledger's isolation; must not block.
public protocol WatchObserver: Sendable {
  /// A wallet got its first watcher, or was asked for by `get`.
  func walletWanted(_ wallet: WalletID, key: WalletKey, isWatched: Bool)
  /// The last watcher left.
  func walletUnwatched(_ wallet: WalletID)
  /// Some token without a price came to be watched.
  func pricesWanted()
}

/// Registrations and visibility, durable when these return.
public protocol WalletStore: Sendable {
  func insert(_ wallets: [(id: WalletID, key: WalletKey)]) async throws
  func delete(_ wallet: WalletID) async throws
  func setVisible(_ isVisible: Bool, wallet: WalletID, token: TokenID) async throws
}
