import Ethereum
import Ledger

/// What is known of one wallet: its snapshot, and every change since.
public struct WalletState: Sendable {
  /// What a refresh of the server is at.
  public enum Refresh: Sendable, Hashable {
    /// The chain is read.
    case balances
    /// Prices are asked for.
    case prices
    /// It ended without success.
    case failed
  }

  /// Which wallet it is.
  public let key: WalletKey
  /// Nil until the first snapshot. `loading`: the server has not read the wallet yet.
  public internal(set) var state: CellState?
  /// The last block that was read; nil where that is unknown.
  public internal(set) var block: UInt64?
  /// When the server last read the wallet from the chain.
  public internal(set) var asOf: UnixMilliseconds?
  /// By token; without order: ``sortedRows``.
  public internal(set) var rows: [TokenKey: TokenRow] = [:]
  /// The last snapshot is here with all its parts, and the server has read the wallet.
  public internal(set) var isComplete = false
  /// A refresh under way, or that failed; nil where there is none.
  public internal(set) var refresh: Refresh?
  /// The wallet was deleted on the server: the subscription is over.
  public internal(set) var isDeleted = false
  /// The snapshot whose next part is expected.
  var arriving: (part: UInt64, revision: Revision)?

  /// A wallet of which nothing is known yet.
  public init(key: WalletKey) { self.key = key }

  /// The chain's own coin first, then what is worth most; what has no value comes last, by its key.
  public var sortedRows: [TokenRow] {
    let valued: [(row: TokenRow, value: ExactValue?)] = rows.values.map { ($0, $0.value) }
    return valued.sorted { Self.comesFirst($0, $1) }.map { $0.row }
  }

  private static func comesFirst(
    _ left: (row: TokenRow, value: ExactValue?), _ right: (row: TokenRow, value: ExactValue?)
  ) -> Bool {
    if left.row.token.isNative != right.row.token.isNative { return left.row.token.isNative }
    switch (left.value, right.value) {
    case (let first?, let second?):
      if second.isLess(than: first) { return true }
      return first.isLess(than: second) ? false : left.row.token < right.row.token
    case (.some, nil): return true
    case (nil, .some): return false
    case (nil, nil): return left.row.token < right.row.token
    }
  }

  /// What the wallet is worth. Adds up all rows.
  public var total: WalletTotal {
    var total = WalletTotal()
    total.add(self)
    return total
  }
}

extension WalletState {
  /// A snapshot part. Part 1 replaces the rows and ends an earlier snapshot; later parts insert or replace.
  ///
  /// - Parameter room: rows that may be added before ``ClientLimits/rows`` is reached.
  /// - Returns: nil for a part that does not go on where the last one ended; else the rows left out for want of room.
  mutating func take(_ snapshot: SnapshotFrame, room: Int) -> Int? {
    if snapshot.part == 1 {
      rows.removeAll(keepingCapacity: true)
      isDeleted = false
    } else if arriving?.part != snapshot.part || arriving?.revision != snapshot.revision {
      // All parts have the revision of the first.
      return nil
    }
    arriving = snapshot.isLast ? nil : (snapshot.part + 1, snapshot.revision)
    isComplete = snapshot.isLast && snapshot.state != .loading
    state = snapshot.state
    block = snapshot.block
    asOf = snapshot.asOf
    var leftOut = 0
    for row in snapshot.rows where !put(row, room: room) { leftOut += 1 }
    return leftOut
  }

  /// Inserts or replaces a row; false where there is no room for another.
  mutating func put(_ row: TokenRow, room: Int) -> Bool {
    guard rows[row.token] != nil || rows.count < room else { return false }
    rows[row.token] = row
    return true
  }

  /// A wallet's state is its native row's, its block the last one read.
  mutating func follow(_ token: TokenKey, _ state: CellState, block: UInt64?) {
    if token == .native(key.chain) { self.state = state }
    self.block = block ?? self.block
  }

  /// What belonged to the connection that is gone.
  mutating func connectionLost() {
    refresh = nil
    arriving = nil
  }
}
