import Ledger

/// Balances that are to be looked at once more. Pure.
///
/// A read may be of a block that no pass has come to, by a node on another branch than the one that passes ask: when
/// that block turns out to be none of the chain's, no pass notices, since it never saw it, and the logs of the chain do
/// not tell what did not happen in it. So whatever a read changed is looked at again by the next pass, in the aggregate
/// that it makes anyway. What a read found as it was held before needs that not: it is true on every branch until
/// there is a log.
///
/// No more of them than watched wallets have rows.
struct UnsettledCells {
  private var cells: [WalletID: Set<TokenID>] = [:]
  private(set) var count = 0
  /// The last wallet that was taken where not all were: the others come first, the next time.
  private var last = WalletID.min

  mutating func insert(_ new: some Sequence<WalletToken>) {
    for cell in new where cells[cell.wallet, default: []].insert(cell.token).inserted { count += 1 }
  }

  /// - Returns: whether there were any of this wallet.
  @discardableResult
  mutating func remove(_ wallet: WalletID) -> Bool {
    let removed = cells.removeValue(forKey: wallet)
    count -= removed?.count ?? 0
    return removed != nil
  }

  /// Takes out so many, or all: wallet after wallet, so that what is put back each time keeps nobody waiting.
  mutating func take(most: Int) -> [WalletToken] {
    let order = most < count ? cells.keys.sorted() : Array(cells.keys)
    var taken: [WalletToken] = []
    for wallet in order.filter({ $0 > last }) + order.filter({ $0 <= last }) where taken.count < most {
      let tokens = cells[wallet, default: []]
      let part = tokens.prefix(most - taken.count)
      taken += part.map { WalletToken(wallet: wallet, token: $0) }
      let rest = tokens.subtracting(part)
      cells[wallet] = rest.isEmpty ? nil : rest
      if most < count { last = wallet }
    }
    count -= taken.count
    return taken
  }
}
