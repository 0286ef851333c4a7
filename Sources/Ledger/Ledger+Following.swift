import Ethereum

/// Balances of one wallet, read because something happened to them.
public struct WalletChanges: Sendable {
  public var wallet: WalletID
  public var outcomes: [(token: TokenID, outcome: WalletReading.Outcome)]

  public init(wallet: WalletID, outcomes: [(token: TokenID, outcome: WalletReading.Outcome)]) {
    self.wallet = wallet
    self.outcomes = outcomes
  }
}

/// What whoever follows a chain's blocks needs of the ledger.
extension Ledger {
  /// Single cells of wallets, all read at one block. A cell that was read at a higher block stays as it is; when the
  /// wallet was last read as a whole does not change. Wallets that have not been read as a whole yet are left to
  /// that read.
  public func accept(_ changes: [WalletChanges], block: UInt64) {
    for change in changes {
      guard let held = wallets[change.wallet], held.isComplete else { continue }
      let news = change.outcomes.filter { Int($0.token) < tokens.count && !confirm($0, held, block: block) }
      guard !news.isEmpty else { continue }
      acceptNews(news, of: change.wallet, block: block)
    }
  }

  /// - Returns: whether the reading says what is held: most do, and cost no copy of the wallet's rows.
  private func confirm(
    _ reading: (token: TokenID, outcome: WalletReading.Outcome), _ held: WalletCells, block: UInt64
  ) -> Bool {
    guard let index = held.rows.firstIndex(where: { $0.token == reading.token }) else { return false }
    let row = held.rows[index]
    guard row.isKnown, row.state == stateWhenRead(held.key.chain), reading.outcome == .balance(row.balance)
    else { return false }
    wallets[held.id]?.rows[index].block = max(row.block, block)
    return true
  }

  private func acceptNews(
    _ news: [(token: TokenID, outcome: WalletReading.Outcome)], of wallet: WalletID, block: UInt64
  ) {
    guard var cells = wallets[wallet] else { return }
    var batch = LedgerBatch(revision: revision)
    let state = stateWhenRead(cells.key.chain)
    var changed: [Int] = []
    for (token, outcome) in news {
      if let index = cells.rows.firstIndex(where: { $0.token == token }) {
        if update(&cells.rows[index], with: outcome, block: block, state: state), !changed.contains(index) {
          changed.append(index)
        }
      } else if cells.rows.count < limits.tokensPerWallet,
        let row = newRow(token, outcome, isNative: false, block: block, state: state)
      {
        changed.append(cells.rows.count)
        cells.rows.append(row)
      }
    }
    guard !changed.isEmpty else {
      wallets[wallet] = cells
      return
    }
    finish(&cells, changed: changed, to: &batch)
  }

  /// The blocks at which these wallets were read are no measure any more: the chain was reorganised or set back, or
  /// one of the blocks never was. Whatever is read next counts as newer.
  public func reopen(_ ids: some Sequence<WalletID>) {
    for id in ids {
      guard let count = wallets[id]?.rows.count else { continue }
      wallets[id]?.block = nil
      for index in 0..<count { wallets[id]?.rows[index].block = 0 }
    }
  }

  /// Which of the contracts are tokens that are known and active, and which nobody has heard of.
  public func lookUp(
    _ contracts: Set<Address>, on chain: ChainCode
  ) -> (active: [Address: TokenID], unknown: Set<Address>) {
    var active: [Address: TokenID] = [:]
    var unknown: Set<Address> = []
    for contract in contracts {
      if let id = tokenIDs[TokenKey(chain: chain, contract: contract)] {
        if tokens[Int(id)].info.isActive { active[contract] = id }
      } else {
        unknown.insert(contract)
      }
    }
    return (active, unknown)
  }

  /// What the wallets are known to hold of active tokens, at most `limit` of them: wallets in the order given.
  public func holdings(
    of ids: some Sequence<WalletID>, limit: Int
  ) -> [(wallet: WalletID, owner: Address, token: TokenID, contract: Address)] {
    var holdings: [(wallet: WalletID, owner: Address, token: TokenID, contract: Address)] = []
    for id in ids {
      guard let cells = wallets[id] else { continue }
      for row in cells.rows where row.isKnown && !row.balance.isZero {
        guard let contract = tokens[Int(row.token)].key.contract, tokens[Int(row.token)].info.isActive
        else { continue }
        guard holdings.count < limit else { return holdings }
        holdings.append((id, cells.key.address, row.token, contract))
      }
    }
    return holdings
  }

  /// Takes in a token that a transfer made known. `nil`: there are as many tokens as there may be.
  public func admit(_ key: TokenKey, info: TokenInfo) -> TokenID? {
    tokenIDs[key] ?? (tokens.count < limits.tokens ? addToken(key: key, info: info) : nil)
  }
}
