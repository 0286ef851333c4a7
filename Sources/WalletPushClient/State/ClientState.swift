// What the client knows, and how frames change it. Pure.
//
// The protocol sends absolute values, and on one connection the later frame holds the newer one. So merging is
// assignment: no queue, no ordering by revision. (After a later subscribe a frame may carry an older revision and still
// be right.) What a frame does not name is left alone.

import Ethereum
import Ledger

/// What is known of the wallets and tokens that are subscribed to.
public struct ClientState: Sendable {
  /// The wallets that are subscribed to; without rows until the first snapshot.
  public internal(set) var wallets: [WalletKey: WalletState] = [:]
  /// The prices of the tokens that are subscribed to; without a value until the server has said something.
  public internal(set) var prices: [TokenKey: TokenPrice] = [:]
  /// The chains that cannot be read at present, and since when.
  public internal(set) var chainsDown: [ChainCode: UnixMilliseconds?] = [:]
  /// No price source answers at present.
  public internal(set) var pricesAreStale = false
  /// The server leaves values in between out for us, until it has caught up.
  public internal(set) var isConflating = false
  /// Of all wallets together.
  private(set) var rowCount = 0
  let rowsMax: Int
  /// More chains than anybody serves: so many that are down are remembered.
  private static let chainsMax = 1_024

  init(rowsMax: Int) { self.rowsMax = rowsMax }

  mutating func add(_ key: WatchedKey) {
    switch key {
    case .wallet(let key): if wallets[key] == nil { wallets[key] = WalletState(key: key) }
    case .token(let key): if prices[key] == nil { prices[key] = TokenPrice() }
    }
  }

  mutating func remove(_ key: WatchedKey) {
    switch key {
    case .wallet(let key):
      if let wallet = wallets.removeValue(forKey: key) { rowCount -= wallet.rows.count }
    case .token(let key): prices[key] = nil
    }
  }

  /// Statuses belong to a connection: what is not normal is repeated on the next one.
  mutating func connectionLost() {
    chainsDown.removeAll()
    pricesAreStale = false
    isConflating = false
    for key in wallets.keys { wallets[key]?.connectionLost() }
  }

  /// Merges a message and says what it changed.
  ///
  /// - Parameter only: the wallet whose own stream brought it. Between streams there is no order: a price is that
  ///   wallet's alone.
  mutating func apply(_ frame: ServerFrame, only: WalletKey? = nil) -> [Change] {
    switch frame {
    case .snapshot(let snapshot): apply(snapshot)
    case .price(let token, let price, _): apply(price, of: token, only)
    case .balance(let frame): apply(frame)
    case .token(let wallet, let row, let block, _): apply(row, in: wallet, block)
    case .batch(let frames): frames.flatMap { apply($0, only: only) }
    case .status(let status): apply(status)
    case .lag: setConflating(true)
    case .heartbeat: setConflating(false)
    case .hello, .ok, .pong, .error, .reconnect, .other: []
    }
  }

  private mutating func apply(_ snapshot: SnapshotFrame) -> [Change] {
    change(snapshot.wallet) { wallet, room in
      guard let leftOut = wallet.take(snapshot, room: room) else { return [] }
      return leftOut == 0 ? [.wallet(wallet.key)] : [.wallet(wallet.key), .notice(.tooManyRows(wallet.key))]
    }
  }

  /// A price is the token's, in every wallet that has a row for it. Without a row it is ignored.
  private mutating func apply(_ price: TokenPrice, of token: TokenKey, _ only: WalletKey?) -> [Change] {
    var changes: [Change] = []
    if only == nil, prices[token] != nil {
      prices[token] = price
      changes.append(.price(token))
    }
    // A list of their own: to change what one iterates over would copy all rows.
    let holders = (only.map { [$0] } ?? Array(wallets.keys)).filter { wallets[$0]?.rows[token] != nil }
    for key in holders {
      wallets[key]?.rows[token]?.price = price
      changes.append(.row(key, token))
    }
    return changes
  }

  private mutating func apply(_ frame: BalanceFrame) -> [Change] {
    change(frame.wallet) { wallet, _ in
      guard wallet.rows[frame.token] != nil else { return [] }
      wallet.rows[frame.token]?.balance = frame.balance
      wallet.rows[frame.token]?.balanceState = frame.state
      wallet.follow(frame.token, frame.state, block: frame.block)
      return [.row(frame.wallet, frame.token)]
    }
  }

  private mutating func apply(_ row: TokenRow, in key: WalletKey, _ block: UInt64?) -> [Change] {
    change(key) { wallet, room in
      let before = wallet.rows[row.token]
      guard wallet.put(row, room: room) else { return [.notice(.tooManyRows(key))] }
      wallet.follow(row.token, row.balanceState, block: block)
      let isSameSet = before?.isVisible == row.isVisible && before?.isListed == row.isListed
      return isSameSet ? [.row(key, row.token)] : [.wallet(key)]
    }
  }

  private mutating func apply(_ status: StatusFrame) -> [Change] {
    switch status {
    case .refreshing(let key, let refreshing, let asOf, let block):
      return change(key) { wallet, _ in
        wallet.refresh = WalletState.Refresh(refreshing)
        if refreshing == .done {
          wallet.asOf = asOf ?? wallet.asOf
          wallet.block = block ?? wallet.block
        }
        return [.wallet(key)]
      }
    case .deleted(let key):
      return change(key) { wallet, _ in
        wallet.isDeleted = true
        wallet.refresh = nil
        return [.wallet(key), .notice(.deleted(key))]
      }
    case .chain(let chain, let isDown, let since):
      if !isDown {
        chainsDown[chain] = nil
      } else if chainsDown.count < Self.chainsMax {
        chainsDown.updateValue(since, forKey: chain)
      }
      return [.status]
    case .prices(let areStale):
      pricesAreStale = areStale
      return [.status]
    case .forbidden, .expiring: return []
    }
  }

  private mutating func setConflating(_ now: Bool) -> [Change] {
    guard isConflating != now else { return [] }
    isConflating = now
    return [.status]
  }

  /// Changes a wallet that is known, and keeps count of the rows. In place: a copy would copy its rows.
  private mutating func change(
    _ key: WalletKey, _ body: (inout WalletState, _ room: Int) -> [Change]
  ) -> [Change] {
    guard let before = wallets[key]?.rows.count else { return [] }
    let room = before + rowsMax - rowCount
    let changes = body(&wallets[key, default: WalletState(key: key)], room)
    rowCount += (wallets[key]?.rows.count ?? before) - before
    return changes
  }
}

extension WalletState.Refresh {
  /// Nil where it is done.
  fileprivate init?(_ status: StatusFrame.Refreshing) {
    switch status {
    case .balances: self = .balances
    case .prices: self = .prices
    case .failed: self = .failed
    case .done: return nil
    }
  }
}
