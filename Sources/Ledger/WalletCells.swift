import Ethereum

/// A wallet's number, as the HTTP API shows it; never reused.
public typealias WalletID = Int64

/// One token of one wallet. 64 bytes, because a server holds many of them.
public struct BalanceRow: Sendable, Equatable {
  /// Base units. Meaningless unless `isKnown`.
  public var balance: UInt256
  /// The block the balance was read at.
  public var block: UInt64
  /// When the balance or its state last changed.
  public var revision: Revision
  /// When the row was inserted, or its metadata or visibility last changed.
  public var rowRevision: Revision
  public var token: TokenID
  public var state: CellState
  /// Some read of this balance has succeeded.
  public var isKnown: Bool
  public var isVisible: Bool

  public init(
    token: TokenID, balance: UInt256, block: UInt64, state: CellState, isKnown: Bool,
    isVisible: Bool = true, revision: Revision, rowRevision: Revision
  ) {
    self.balance = balance
    self.block = block
    self.revision = revision
    self.rowRevision = rowRevision
    self.token = token
    self.state = state
    self.isKnown = isKnown
    self.isVisible = isVisible
  }

  /// The newest of the row's own revisions (its price's not counted).
  public var newestRevision: Revision { max(revision, rowRevision) }
}

/// Everything known of one wallet, as a value: loops hold copies that share the rows' storage.
///
/// Rows: the native coin first; every token whose balance is, or ever was, above zero. A row is never removed, and
/// new ones come last, so an index into the rows stays good while a snapshot goes out in parts.
public struct WalletCells: Sendable {
  public let id: WalletID
  public let key: WalletKey
  public var rows: [BalanceRow] = []
  /// Without rows: `.loading` while the first read is under way, `.unknown` after it failed.
  public var emptyState: CellState = .unknown
  /// Some read of the whole wallet has succeeded: it has had its first full snapshot.
  public var isComplete = false
  public var block: UInt64?
  /// When the wallet was last read from the chain.
  public var readAt: UnixMilliseconds?
  /// When the state of a wallet without rows last changed; then when its first whole read was there.
  public var stateRevision: Revision = 0
  /// When the wallet was registered: a client that resumes from before it needs a snapshot.
  public var registeredRevision: Revision

  public init(id: WalletID, key: WalletKey, registeredRevision: Revision) {
    self.id = id
    self.key = key
    self.registeredRevision = registeredRevision
  }

  /// The wallet's state: its native row's, or `loading`/`unknown` without rows.
  public var state: CellState { rows.first?.state ?? emptyState }

  /// Whether a client that was told all up to a revision can't have the rows that changes apply to: the wallet was
  /// never read, or only since, or registered again.
  public func needsSnapshot(since revision: Revision) -> Bool {
    !isComplete || registeredRevision > revision || stateRevision > revision
  }
}

/// What one read of a wallet said, all of it at one block.
public struct WalletReading: Sendable {
  public enum Outcome: Sendable, Equatable {
    case balance(UInt256)
    /// The token could not be read. It is not zero.
    case failed
  }
  public var wallet: WalletID
  public var block: UInt64
  /// When the answer came.
  public var readAt: UnixMilliseconds
  /// The native coin first.
  public var outcomes: [(token: TokenID, outcome: Outcome)]

  public init(
    wallet: WalletID, block: UInt64, readAt: UnixMilliseconds,
    outcomes: [(token: TokenID, outcome: Outcome)]
  ) {
    self.wallet = wallet
    self.block = block
    self.readAt = readAt
    self.outcomes = outcomes
  }
}
