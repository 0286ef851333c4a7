// The versioned cells.
//
// Every price and every balance is a cell with its latest value and the revision at which it was set. There is no
// log of changes and no queue per client: whoever wants to follow, a client, an event loop or the database, is
// a cursor that asks for what is above its revision. One actor owns the cells; event loops hold copies of those that
// are watched on them, and change these copies only by what this actor publishes, in order.
//
//   Ledger.swift              what is held, tokens, reading accessors
//   Ledger+Prices.swift       accepting prices
//   Ledger+Balances.swift     accepting reads of wallets
//   Ledger+Watching.swift     registrations, watchers, deletions, in the order they were asked for
//   Ledger+Staleness.swift    what time does to cells
//   Ledger+Persistence.swift  restoring, and what has changed since the database last looked

import Ethereum

/// Times after which a value that was not confirmed counts as stale.
public struct LedgerTimes: Sendable {
  public var balance: UnixMilliseconds
  public var price: UnixMilliseconds
  /// How long a wallet whose changes were asked for counts as watched.
  public var visit: UnixMilliseconds

  public init(balance: UnixMilliseconds, price: UnixMilliseconds, visit: UnixMilliseconds = 60_000) {
    self.balance = balance
    self.price = price
    self.visit = visit
  }
}

/// The bounds of what strangers can make the ledger hold.
public struct LedgerLimits: Sendable {
  public var wallets: Int
  /// Tokens in all: listed, held, or subscribed by name.
  public var tokens: Int
  public var tokensPerWallet: Int

  public init(wallets: Int, tokens: Int, tokensPerWallet: Int) {
    self.wallets = wallets
    self.tokens = tokens
    self.tokensPerWallet = tokensPerWallet
  }
}

public actor Ledger {
  public nonisolated let epoch: String
  public nonisolated let inbox = LedgerInbox()
  let publisher: any LedgerPublisher
  let store: any WalletStore
  let limits: LedgerLimits
  let times: LedgerTimes
  /// Chains that are served; others are refused as `chain_unsupported`.
  let chains: Set<ChainCode>
  let clock: @Sendable () -> UnixMilliseconds
  var observers: [any WatchObserver] = []

  public internal(set) var revision: Revision

  /// By token number.
  var tokens: [Token] = []
  var prices: [PriceCell] = []
  /// When each price was last confirmed by a source, changed or not; 0 for never.
  var priceConfirmedAt: [UnixMilliseconds] = []
  /// When a source last said each 24 h change; 0 for never.
  var changeConfirmedAt: [UnixMilliseconds] = []
  /// How many loops have a direct subscription to the token: one bit each.
  var tokenWatchers: [TokenID: UInt64] = [:]
  var tokenIDs: [TokenKey: TokenID] = [:]
  /// What a read asks for, for each chain; made when it is asked for.
  var listedEntries: [ChainCode: [ReadPlan.Entry]] = [:]

  var walletIDs: [WalletKey: WalletID] = [:]
  var wallets: [WalletID: WalletCells] = [:]
  /// Which loops watch the wallet: one bit each; none for one that is only visited.
  var walletWatchers: [WalletID: UInt64] = [:]
  /// Wallets that somebody asks about now and then, and until when they count as watched.
  var visits: [WalletID: UnixMilliseconds] = [:]
  var nextWalletID: WalletID = 1
  /// Chains whose newest block is too old: what is read of them is stale.
  var stillChains: Set<ChainCode> = []
  /// The wallets that the current turn of the inbox registered.
  var registeredNow: Set<WalletKey> = []

  var dirtyPrices: Set<TokenID> = []
  var dirtyTokens: Set<TokenID> = []
  var dirtyWallets: Set<WalletID> = []
  var persister: (@Sendable () -> Void)?

  public init(
    epoch: String, revision: Revision, chains: Set<ChainCode>, publisher: any LedgerPublisher,
    store: any WalletStore, limits: LedgerLimits, times: LedgerTimes,
    clock: @escaping @Sendable () -> UnixMilliseconds
  ) {
    self.epoch = epoch
    self.revision = revision
    self.chains = chains
    self.publisher = publisher
    self.store = store
    self.limits = limits
    self.times = times
    self.clock = clock
    inbox.attach(self)
  }

  /// Who is told when wallets come to be watched. Call before the first client.
  public func observe(with observer: any WatchObserver) { observers.append(observer) }

  func nextRevision() -> Revision {
    revision += 1
    return revision
  }

  // MARK: Tokens

  /// The token's number; a token seen for the first time gets one. Metadata that was missing is filled in, and rows
  /// that show the token are sent anew.
  @discardableResult
  public func intern(_ key: TokenKey, info: TokenInfo) -> TokenID {
    internAll([(key, info)])[0]
  }

  /// See `intern`; one batch for all.
  @discardableResult
  public func internAll(_ entries: [(key: TokenKey, info: TokenInfo)]) -> [TokenID] {
    var changed: Set<TokenID> = []
    let ids = entries.map { key, info in
      guard let id = tokenIDs[key] else { return addToken(key: key, info: info) }
      var merged = tokens[Int(id)].info.filled(from: info)
      merged.isListed = tokens[Int(id)].info.isListed || info.isListed
      if merged != tokens[Int(id)].info {
        replaceToken(id, info: merged)
        changed.insert(id)
      }
      return id
    }
    if !changed.isEmpty { republishRows(of: changed) }
    return ids
  }

  /// What a token list says wins over what is held.
  ///
  /// - Parameter whole: the chain of which the entries are all that its lists name: whatever else was listed is not
  ///   any more. `nil`: lists are missing, and nothing is taken off.
  public func applyList(_ entries: [(key: TokenKey, info: TokenInfo)], whole: ChainCode? = nil) {
    var changed: Set<TokenID> = []
    if let whole {
      let named = Set(entries.map(\.key))
      for token in tokens
      where token.key.chain == whole && token.info.isListed && token.key.contract != nil
        && !named.contains(token.key)
      {
        var info = token.info
        info.isListed = false
        replaceToken(token.id, info: info)
        changed.insert(token.id)
      }
    }
    for (key, info) in entries {
      guard let id = tokenIDs[key] else {
        var listed = info
        listed.isListed = true
        _ = addToken(key: key, info: listed)
        continue
      }
      let held = tokens[Int(id)].info
      var merged = info.filled(from: held)
      merged.isListed = true
      merged.isActive = held.isActive
      if merged != held {
        replaceToken(id, info: merged)
        changed.insert(id)
      }
    }
    if !changed.isEmpty { republishRows(of: changed) }
  }

  func addToken(key: TokenKey, info: TokenInfo) -> TokenID {
    let id = TokenID(tokens.count)
    let token = Token(id: id, key: key, info: info)
    tokens.append(token)
    tokenIDs[key] = id
    listedEntries[key.chain] = nil
    prices.append(
      PriceCell(
        token: token, price: nil, change: nil, state: .unknown, acceptedAt: nil, sourceTime: 0, revision: 0))
    priceConfirmedAt.append(0)
    changeConfirmedAt.append(0)
    dirtyTokens.insert(id)
    persister?()
    return id
  }

  private func replaceToken(_ id: TokenID, info: TokenInfo) {
    let token = Token(id: id, key: tokens[Int(id)].key, info: info)
    tokens[Int(id)] = token
    listedEntries[token.key.chain] = nil
    prices[Int(id)] = prices[Int(id)].with(token: token)
    dirtyTokens.insert(id)
    persister?()
  }

  /// Metadata changed: every row that shows it is a change of its own.
  private func republishRows(of changed: Set<TokenID>) {
    var batch = LedgerBatch(revision: revision)
    for id in wallets.keys {
      guard var cells = wallets[id] else { continue }
      var touched: [Int] = []
      for index in cells.rows.indices where changed.contains(cells.rows[index].token) {
        cells.rows[index].rowRevision = nextRevision()
        touched.append(index)
      }
      guard !touched.isEmpty else { continue }
      commit(cells, changedRows: touched, to: &batch)
    }
    batch.tokens = changed.sorted().map { prices[Int($0)] }
    send(&batch)
  }

  // MARK: Reading

  public func token(_ id: TokenID) -> Token? { Int(id) < tokens.count ? tokens[Int(id)] : nil }
  public func tokenID(of key: TokenKey) -> TokenID? { tokenIDs[key] }
  public func priceCell(_ id: TokenID) -> PriceCell { prices[Int(id)] }
  public func wallet(_ id: WalletID) -> WalletCells? { wallets[id] }
  public func walletID(of key: WalletKey) -> WalletID? { walletIDs[key] }
  public var walletCount: Int { wallets.count }
  public var tokenCount: Int { tokens.count }
  public var watchedWalletCount: Int { walletWatchers.count }

  /// A page of wallets in the order of their numbers: those after `after`, at most `limit`.
  ///
  /// - Parameter keys: only these; nil: all.
  public func walletPage(
    after: WalletID, limit: Int, among keys: Set<WalletKey>? = nil
  ) -> [(id: WalletID, key: WalletKey)] {
    // Paging is rare next to everything else: sorting on demand costs less than an ordered index kept always.
    let ids = keys.map { $0.compactMap { walletIDs[$0] } } ?? Array(wallets.keys)
    return ids.filter { $0 > after }.sorted().prefix(limit).compactMap { id in
      wallets[id].map { (id, $0.key) }
    }
  }

  /// A wallet's snapshot, built here for callers that are not event loops.
  public func snapshot(of id: WalletID) -> SnapshotEncoder? {
    guard wallets[id] != nil else { return nil }
    age(wallet: id)
    guard let cells = wallets[id] else { return nil }
    return SnapshotEncoder(
      cells: cells, epoch: epoch, revision: revision, prices: cells.rows.map { prices[Int($0.token)] })
  }

  // MARK: Publishing

  func isWatched(_ id: WalletID) -> Bool { walletWatchers[id] != nil }

  /// Stores the wallet's new value and, where it is watched, adds the frames of the changed rows to the batch.
  func commit(_ cells: WalletCells, changedRows: [Int], to batch: inout LedgerBatch) {
    wallets[cells.id] = cells
    dirtyWallets.insert(cells.id)
    guard isWatched(cells.id) else { return }
    batch.wallets.append(cells)
    for index in changedRows {
      let row = cells.rows[index]
      let price = prices[Int(row.token)]
      let isWholeRow = row.rowRevision >= row.revision
      let json =
        isWholeRow
        ? Frames.token(wallet: cells.key, row: row, price: price)
        : Frames.balance(wallet: cells.key, row: row, token: price.token)
      if isWholeRow { batch.tokens.append(price) }
      batch.changes.append(
        .init(subject: .row(cells.id), revision: row.newestRevision, json: json))
    }
  }

  /// Publishes what was accepted, if anything, and wakes the database's writer.
  func send(_ batch: inout LedgerBatch) {
    if revision != batch.revision || !dirtyPrices.isEmpty || !dirtyWallets.isEmpty { persister?() }
    batch.revision = revision
    guard !batch.isEmpty else { return }
    batch.changes.sort { $0.revision < $1.revision }
    publisher.publish(batch)
  }

  /// A status without revision, to whom it concerns.
  public func announce(_ status: StatusFrame) {
    if case .wallet(let id) = status.subject, !isWatched(id) { return }
    var batch = LedgerBatch(revision: revision)
    batch.statuses = [status]
    send(&batch)
  }
}

extension PriceCell {
  func with(token: Token) -> PriceCell {
    PriceCell(
      token: token, price: price, change: change, state: state, acceptedAt: acceptedAt,
      sourceTime: sourceTime, revision: revision)
  }

  func with(state: CellState, revision: Revision) -> PriceCell {
    PriceCell(
      token: token, price: price, change: change, state: state, acceptedAt: acceptedAt,
      sourceTime: sourceTime, revision: revision)
  }
}
