import Ethereum

/// What a read of one wallet has to ask the chain for.
public struct ReadPlan: Sendable {
  public struct Entry: Sendable, Hashable {
    public var id: TokenID
    public var contract: Address
    /// Name, symbol or decimals are missing.
    public var needsMetadata: Bool

    public init(id: TokenID, contract: Address, needsMetadata: Bool) {
      self.id = id
      self.contract = contract
      self.needsMetadata = needsMetadata
    }
  }
  public var wallet: WalletID
  public var key: WalletKey
  public var native: TokenID
  public var tokens: [Entry]

  public init(wallet: WalletID, key: WalletKey, native: TokenID, tokens: [Entry]) {
    self.wallet = wallet
    self.key = key
    self.native = native
    self.tokens = tokens
  }
}

extension Ledger {
  /// Every active listed token of the wallet's chain, and those the wallet has rows of. `nil`: there is no such wallet.
  public func readPlan(for wallet: WalletID) -> ReadPlan? {
    guard let cells = wallets[wallet] else { return nil }
    let chain = cells.key.chain
    let native =
      tokenIDs[.native(chain)] ?? addToken(key: .native(chain), info: TokenInfo(decimals: 18, isListed: true))
    var entries = listedTokens(of: chain)
    if cells.rows.count > 1 {
      let listed = Set(entries.map(\.id))
      for row in cells.rows where !listed.contains(row.token) {
        if let entry = entry(row.token) { entries.append(entry) }
      }
    }
    return ReadPlan(wallet: wallet, key: cells.key, native: native, tokens: entries)
  }

  /// Put together once, until some token changes.
  private func listedTokens(of chain: ChainCode) -> [ReadPlan.Entry] {
    if let known = listedEntries[chain] { return known }
    let entries = tokens.filter { $0.key.chain == chain && $0.info.isListed }.compactMap { entry($0.id) }
    listedEntries[chain] = entries
    return entries
  }

  private func entry(_ id: TokenID) -> ReadPlan.Entry? {
    let token = tokens[Int(id)]
    guard let contract = token.key.contract, token.info.isActive else { return nil }
    return ReadPlan.Entry(id: id, contract: contract, needsMetadata: !token.info.isComplete)
  }

  /// How many rows the wallet has now.
  public func rowCount(of wallet: WalletID) -> Int { wallets[wallet]?.rows.count ?? 0 }

  /// The tokens a price is worth asking for when the wallet was read.
  public func heldTokens(of wallet: WalletID) -> [TokenID] {
    guard let cells = wallets[wallet] else { return [] }
    return cells.rows.indices.filter(cells.isPriceWanted).map { cells.rows[$0].token }
  }
}
