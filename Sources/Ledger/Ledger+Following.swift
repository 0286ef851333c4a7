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

/// One cell.
public struct WalletToken: Sendable, Hashable {
  public var wallet: WalletID
  public var token: TokenID

  public init(wallet: WalletID, token: TokenID) {
    self.wallet = wallet
    self.token = token
  }
}

/// Where the balance of a cell is asked for.
public struct TokenPlace: Sendable, Equatable {
  public var cell: WalletToken
  public var owner: Address
  public var contract: Address
}

/// What whoever follows a chain's blocks needs of the ledger.
extension Ledger {
  /// Single cells of wallets, all read at one block. A cell that was read at a higher block stays as it is; when the
  /// wallet was last read as a whole does not change. Wallets that have not been read as a whole yet are left to
  /// that read.
  ///
  /// - Parameter fork: the chain was reorganised above this block: what was read of these wallets at a higher one is
  ///   opened before anything is accepted, so that nothing of the branch that is no more comes in between.
  /// - Returns: the tokens that stay as they are and say something else: read at a higher block. The native coins are not
  ///   among them.
  @discardableResult
  public func accept(
    _ changes: [WalletChanges], block: UInt64, after fork: (block: UInt64, wallets: [WalletID])? = nil
  ) -> [WalletToken] {
    if let fork { reopen(fork.wallets, above: fork.block) }
    var refused: [WalletToken] = []
    for change in changes {
      guard let held = wallets[change.wallet], held.isComplete else { continue }
      var news: [(token: TokenID, outcome: WalletReading.Outcome)] = []
      for reading in change.outcomes
      where Int(reading.token) < tokens.count && !confirm(reading, held, block: block) {
        if case .balance = reading.outcome,
          held.rows.dropFirst().contains(where: { $0.token == reading.token && $0.block > block })
        {
          refused.append(WalletToken(wallet: held.id, token: reading.token))
        } else {
          news.append(reading)
        }
      }
      if !news.isEmpty { acceptNews(news, of: change.wallet, block: block) }
    }
    return refused
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
    for id in ids { wallets[id]?.block = nil }
    reopen(ids, above: 0)
  }

  /// The same for what was read above a block that is still in the chain.
  private func reopen(_ ids: some Sequence<WalletID>, above block: UInt64) {
    for id in ids {
      guard let cells = wallets[id] else { continue }
      if let held = cells.block { wallets[id]?.block = min(held, block) }
      for index in cells.rows.indices where cells.rows[index].block > block {
        wallets[id]?.rows[index].block = block
      }
    }
  }

  /// The tokens of these wallets that were read above a block. The native coins are not among them.
  public func cells(of ids: some Sequence<WalletID>, above block: UInt64) -> [WalletToken] {
    var cells: [WalletToken] = []
    for id in ids {
      guard let rows = wallets[id]?.rows else { continue }
      for row in rows.dropFirst() where row.block > block {
        cells.append(WalletToken(wallet: id, token: row.token))
      }
    }
    return cells
  }

  /// Where to ask for each of these cells, as far as they are of active tokens.
  public func places(of cells: some Sequence<WalletToken>) -> [TokenPlace] {
    cells.compactMap { cell in
      guard let owner = wallets[cell.wallet]?.key.address, Int(cell.token) < tokens.count,
        tokens[Int(cell.token)].info.isActive, let contract = tokens[Int(cell.token)].key.contract
      else { return nil }
      return TokenPlace(cell: cell, owner: owner, contract: contract)
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
  public func holdings(of ids: some Sequence<WalletID>, limit: Int) -> [TokenPlace] {
    var holdings: [TokenPlace] = []
    for id in ids {
      guard let cells = wallets[id] else { continue }
      let held = cells.rows.lazy.filter { $0.isKnown && !$0.balance.isZero }
      for place in places(of: held.map { WalletToken(wallet: id, token: $0.token) }) {
        guard holdings.count < limit else { return holdings }
        holdings.append(place)
      }
    }
    return holdings
  }

  /// Takes in a token that a transfer made known. `nil`: there are as many tokens as there may be.
  public func admit(_ key: TokenKey, info: TokenInfo) -> TokenID? {
    tokenIDs[key] ?? (tokens.count < limits.tokens ? addToken(key: key, info: info) : nil)
  }
}
