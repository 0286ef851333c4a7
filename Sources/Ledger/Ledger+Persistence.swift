import Ethereum

/// What the database gives back at a start.
public struct RestoredState: Sendable {
  public var tokens: [(id: TokenID, key: TokenKey, info: TokenInfo)] = []
  public var prices: [RestoredPrice] = []
  /// Rows in the order they were inserted.
  public var wallets: [WalletCells] = []
  public var nextWalletID: WalletID = 1

  public init() {}

  /// The highest revision that anything in it bears: none of them may be given out again.
  var newestRevision: Revision {
    var newest: Revision = 0
    for price in prices { newest = max(newest, price.revision) }
    for cells in wallets {
      newest = max(newest, cells.registeredRevision)
      for row in cells.rows { newest = max(newest, row.newestRevision) }
    }
    return newest
  }
}

public struct RestoredPrice: Sendable {
  public var token: TokenID
  public var price: ExactDecimal?
  public var change: Hundredths?
  public var acceptedAt: UnixMilliseconds?
  public var sourceTime: UnixMilliseconds
  public var revision: Revision

  public init(
    token: TokenID, price: ExactDecimal?, change: Hundredths?, acceptedAt: UnixMilliseconds?,
    sourceTime: UnixMilliseconds, revision: Revision
  ) {
    self.token = token
    self.price = price
    self.change = change
    self.acceptedAt = acceptedAt
    self.sourceTime = sourceTime
    self.revision = revision
  }
}

/// What has changed since the database last looked.
public struct DirtyState: Sendable {
  public var revision: Revision
  public var tokens: [Token]
  public var prices: [PriceCell]
  public var wallets: [WalletCells]

  public var isEmpty: Bool { tokens.isEmpty && prices.isEmpty && wallets.isEmpty }
}

extension Ledger {
  /// Fills an empty ledger with what was stored. Everything read before this start is stale, and turning stale
  /// is a change: it gets revisions, so that a client resuming within the same epoch is told.
  ///
  /// - Precondition: token numbers are dense from 0 and in order, as the ledger gave them out.
  public func restore(_ restored: consuming RestoredState) {
    var state = restored
    for (id, key, info) in state.tokens {
      guard Int(id) == tokens.count else { continue }
      _ = addToken(key: key, info: info)
    }
    dirtyTokens = []
    revision = max(revision, state.newestRevision)
    for stored in state.prices where Int(stored.token) < tokens.count && stored.price != nil {
      prices[Int(stored.token)] = PriceCell(
        token: tokens[Int(stored.token)], price: stored.price, change: stored.change, state: .stale,
        acceptedAt: stored.acceptedAt, sourceTime: stored.sourceTime, revision: nextRevision())
      changeConfirmedAt[Int(stored.token)] = stored.acceptedAt ?? 0
    }
    wallets.reserveCapacity(state.wallets.count)
    walletIDs.reserveCapacity(state.wallets.count)
    for index in state.wallets.indices {
      // Taken out: rows that two hold would all be copied as soon as one turns stale.
      var cells = state.wallets[index]
      state.wallets[index].rows = []
      cells.rows.removeAll { Int($0.token) >= tokens.count }
      // Without a native row nothing is known of it: it is read as if for the first time.
      if cells.rows.isEmpty { cells.isComplete = false }
      for index in cells.rows.indices where cells.rows[index].state == .fresh {
        cells.rows[index].state = .stale
        cells.rows[index].revision = nextRevision()
      }
      walletIDs[cells.key] = cells.id
      wallets[cells.id] = cells
      nextWalletID = max(nextWalletID, cells.id + 1)
    }
    nextWalletID = max(nextWalletID, state.nextWalletID)
  }

  /// Who writes to the database is called, often, whenever there is something to write; it must not block.
  public func setPersister(_ wake: @escaping @Sendable () -> Void) { persister = wake }

  /// Takes what has changed since the last call. When writing it fails, give it back with `restoreDirty`.
  public func takeDirty() -> DirtyState {
    defer {
      dirtyTokens = []
      dirtyPrices = []
      dirtyWallets = []
    }
    return DirtyState(
      revision: revision,
      tokens: dirtyTokens.sorted().map { tokens[Int($0)] },
      prices: dirtyPrices.sorted().map { prices[Int($0)] },
      wallets: dirtyWallets.sorted().compactMap { wallets[$0] })
  }

  /// Nothing accepted is lost: what could not be written is written, as it is then, at the next try.
  public func restoreDirty(_ state: DirtyState) {
    dirtyTokens.formUnion(state.tokens.map(\.id))
    dirtyPrices.formUnion(state.prices.map(\.token.id))
    dirtyWallets.formUnion(state.wallets.map(\.id))
  }
}
