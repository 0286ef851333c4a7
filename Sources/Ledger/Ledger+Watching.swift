import Ethereum
import JSON

extension Ledger {
  /// Works off the inbox. Registrations of one turn share one transaction: ten thousand clients with new wallets
  /// wait for a handful of commits, not for ten thousand.
  func drainInbox() async {
    while let messages = inbox.takeAll() {
      registeredNow = []
      var failures = await registerMissing(in: messages)
      for message in messages {
        // A wallet may have been deleted since, by a message before this one.
        if message.walletKeys.contains(where: { walletIDs[$0] == nil && failures[$0] == nil }) {
          failures.merge(await registerMissing(in: [message])) { $1 }
        }
        await handle(message, failures: failures)
      }
    }
  }

  private func handle(_ message: LedgerInbox.Message, failures: [WalletKey: WatchFailure]) async {
    switch message {
    case .watch(let request): watch(request, failures: failures)
    case .unwatch(let shard, let wallets, let tokens):
      unwatch(shard: shard, wallets: wallets, tokens: tokens)
    case .register(let keys, let answer):
      answer(
        keys.map { key in
          if let failure = failures[key] { return .failure(failure) }
          guard let id = walletIDs[key] else { return .failure(.notStored) }
          // Whoever asked first has registered it.
          return .success((id, registeredNow.remove(key) != nil))
        })
    case .delete(let id, let answer): await delete(id, answer)
    case .setVisible(let isVisible, let wallet, let token, let answer):
      await setVisible(isVisible, wallet: wallet, token: token, answer)
    }
  }

  // MARK: Registration

  private func registerMissing(in messages: [LedgerInbox.Message]) async -> [WalletKey: WatchFailure] {
    var failures: [WalletKey: WatchFailure] = [:]
    var added: [(id: WalletID, key: WalletKey)] = []
    var seen: Set<WalletKey> = []
    for key in messages.flatMap(\.walletKeys) where walletIDs[key] == nil && seen.insert(key).inserted {
      if !chains.contains(key.chain) {
        failures[key] = .chainUnsupported(key.chain)
      } else if wallets.count + added.count >= limits.wallets {
        failures[key] = .serverFull(limit: limits.wallets)
      } else {
        added.append((nextWalletID, key))
        nextWalletID += 1
      }
    }
    guard !added.isEmpty else { return failures }
    do {
      try await store.insert(added)
    } catch {
      for (_, key) in added { failures[key] = .notStored }
      return failures
    }
    for (id, key) in added {
      walletIDs[key] = id
      wallets[id] = WalletCells(id: id, key: key, registeredRevision: nextRevision())
      registeredNow.insert(key)
    }
    return failures
  }

  // MARK: Watching

  private func watch(_ request: WatchRequest, failures: [WalletKey: WatchFailure]) {
    let bit = UInt64(1) << UInt64(request.shard & 63)
    var rowTokens: Set<TokenID> = []
    let walletResults = request.wallets.map { key -> (WalletKey, Result<WalletCells, WatchFailure>) in
      if let failure = failures[key] { return (key, .failure(failure)) }
      guard let id = walletIDs[key] else { return (key, .failure(.notStored)) }
      registeredNow.remove(key)
      follow(id, bit: request.isOnce ? nil : bit)
      guard let cells = wallets[id] else { return (key, .failure(.notStored)) }
      rowTokens.formUnion(cells.rows.map(\.token))
      return (key, .success(cells))
    }
    let tokenResults = request.tokens.map { key -> (TokenKey, Result<PriceCell, WatchFailure>) in
      guard chains.contains(key.chain) else { return (key, .failure(.chainUnsupported(key.chain))) }
      guard tokenIDs[key] != nil || tokens.count < limits.tokens else {
        return (key, .failure(.serverFull(limit: limits.tokens)))
      }
      let id = tokenIDs[key] ?? addToken(key: key, info: TokenInfo(isListed: false))
      tokenWatchers[id, default: 0] |= bit
      markLoading(id)
      return (key, .success(prices[Int(id)]))
    }
    let reply = WatchReply(
      ticket: request.ticket, revision: revision, wallets: walletResults, tokens: tokenResults,
      rowTokens: rowTokens.sorted().map { prices[Int($0)] }, epoch: epoch)
    publisher.deliver(reply, toShard: request.shard)
    let wanted = reply.rowTokens + tokenResults.compactMap { try? $0.1.get() }
    if wanted.contains(where: { $0.state != .fresh }) {
      for observer in observers { observer.pricesWanted() }
    }
  }

  /// - Parameter bit: of the loop that watches it; nil: nobody stays.
  private func follow(_ id: WalletID, bit: UInt64?) {
    let wasWatched = isWatched(id)
    if !wasWatched {
      age(wallet: id)
      markLoading(wallet: id)
    }
    if let bit { walletWatchers[id, default: 0] |= bit }
    guard let cells = wallets[id] else { return }
    if isWatched(id) { markLoading(rowsOf: cells) }
    guard !wasWatched else { return }
    for observer in observers {
      observer.walletWanted(id, key: cells.key, isWatched: bit != nil)
    }
  }

  /// Somebody asks for the wallet over HTTP, and most likely will again: until then it counts as watched.
  public func visit(_ id: WalletID) {
    guard wallets[id] != nil else { return }
    visits[id] = clock() + times.visit
    follow(id, bit: 0)
    guard let rows = wallets[id]?.rows, rows.contains(where: { prices[Int($0.token)].state != .fresh })
    else { return }
    for observer in observers { observer.pricesWanted() }
  }

  func endVisits(now: UnixMilliseconds) {
    for (id, end) in visits where end <= now {
      visits[id] = nil
      release(id, watchers: 0)
    }
  }

  /// A loop, or a visitor, has left the wallet.
  private func release(_ id: WalletID, watchers bits: UInt64) {
    guard let watchers = walletWatchers[id] else { return }
    let rest = watchers & ~bits
    let isLeft = rest == 0 && visits[id] == nil
    walletWatchers[id] = isLeft ? nil : rest
    if isLeft { for observer in observers { observer.walletUnwatched(id) } }
  }

  /// A wallet that has never been read is about to be.
  private func markLoading(wallet id: WalletID) {
    guard let cells = wallets[id], !cells.isComplete, cells.emptyState != .loading else { return }
    wallets[id]?.emptyState = .loading
    wallets[id]?.stateRevision = nextRevision()
  }

  private func unwatch(shard: Int, wallets ids: [WalletID], tokens: [TokenID]) {
    let bit = UInt64(1) << UInt64(shard & 63)
    for id in ids { release(id, watchers: bit) }
    for id in tokens {
      guard let watchers = tokenWatchers[id] else { continue }
      let rest = watchers & ~bit
      tokenWatchers[id] = rest == 0 ? nil : rest
    }
  }

  // MARK: Deletion and visibility

  private func delete(_ id: WalletID, _ answer: (Result<Bool, any Error>) -> Void) async {
    guard let cells = wallets[id] else { return answer(.success(false)) }
    do {
      try await store.delete(id)
    } catch {
      return answer(.failure(error))
    }
    var batch = LedgerBatch(revision: revision)
    if isWatched(id) { batch.deleted = [id] }
    wallets[id] = nil
    walletIDs[cells.key] = nil
    walletWatchers[id] = nil
    visits[id] = nil
    dirtyWallets.remove(id)
    for observer in observers { observer.walletUnwatched(id) }
    send(&batch)
    answer(.success(true))
  }

  private func setVisible(
    _ isVisible: Bool, wallet: WalletID, token: TokenID,
    _ answer: (Result<(row: BalanceRow, price: PriceCell)?, any Error>) -> Void
  ) async {
    guard wallets[wallet]?.rows.contains(where: { $0.token == token }) == true else {
      return answer(.success(nil))
    }
    do {
      try await store.setVisible(isVisible, wallet: wallet, token: token)
    } catch {
      return answer(.failure(error))
    }
    guard var cells = wallets[wallet], let index = cells.rows.firstIndex(where: { $0.token == token })
    else { return answer(.success(nil)) }
    var batch = LedgerBatch(revision: revision)
    if cells.rows[index].isVisible != isVisible {
      cells.rows[index].isVisible = isVisible
      cells.rows[index].rowRevision = nextRevision()
      commit(cells, changedRows: [index], to: &batch)
    }
    send(&batch)
    answer(.success((cells.rows[index], prices[Int(token)])))
  }
}

extension LedgerInbox.Message {
  /// The wallets that a message registers.
  fileprivate var walletKeys: [WalletKey] {
    switch self {
    case .watch(let request): request.wallets
    case .register(let keys, _): keys
    case .unwatch, .delete, .setVisible: []
    }
  }
}

/// What callers outside the event loops use.
extension Ledger {
  /// Registers wallets, durably. One answer for each key, in order.
  public nonisolated func register(
    _ keys: [WalletKey]
  ) async -> [Result<(id: WalletID, isNew: Bool), WatchFailure>] {
    await withCheckedContinuation { continuation in
      inbox.post(.register(keys) { continuation.resume(returning: $0) })
    }
  }

  /// - Returns: whether there was such a wallet.
  public nonisolated func delete(_ wallet: WalletID) async throws -> Bool {
    try await withCheckedThrowingContinuation { continuation in
      inbox.post(.delete(wallet) { continuation.resume(with: $0) })
    }
  }

  /// - Returns: the row as it is now, or `nil` where the wallet has no such row.
  public nonisolated func setVisible(
    _ isVisible: Bool, wallet: WalletID, token: TokenID
  ) async throws -> (row: BalanceRow, price: PriceCell)? {
    try await withCheckedThrowingContinuation { continuation in
      inbox.post(.setVisible(isVisible, wallet, token) { continuation.resume(with: $0) })
    }
  }

  /// Asks for a read as a watcher would, without watching.
  public func want(_ wallet: WalletID) {
    guard let cells = wallets[wallet], !isWatched(wallet) else { return }
    age(wallet: wallet)
    markLoading(wallet: wallet)
    for observer in observers {
      observer.walletWanted(wallet, key: cells.key, isWatched: false)
    }
  }
}
