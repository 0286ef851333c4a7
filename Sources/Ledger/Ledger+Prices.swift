import Ethereum

extension Ledger {
  /// A price round's answer. Readings that say nothing new make no change; older ones are dropped before they get
  /// a revision. `asked` names every token of the round: one that has never had a price and got none is `unknown`
  /// from now on; one that had keeps it. A missing price changes nothing else.
  ///
  /// - Returns: how many were accepted as changes, and the tokens whose readings were older than what is held.
  @discardableResult
  public func accept(
    prices readings: [PriceReading], asked: [TokenID]
  ) -> (accepted: Int, outdated: [TokenID]) {
    let now = clock()
    var batch = LedgerBatch(revision: revision)
    var accepted = 0
    var outdated: [TokenID] = []
    for reading in readings where Int(reading.token) < tokens.count && !reading.price.isNegative {
      switch accept(reading, now: now) {
      case .changed(let cell):
        accepted += 1
        publish(cell, in: &batch)
      case .same: break
      case .outdated: outdated.append(reading.token)
      }
    }
    for id in asked where Int(id) < tokens.count && prices[Int(id)].state == .loading {
      let cell = prices[Int(id)].with(state: .unknown, revision: nextRevision())
      prices[Int(id)] = cell
      publish(cell, in: &batch)
    }
    send(&batch)
    return (accepted, outdated)
  }

  /// How long a 24 h change is shown that no source says any more: an hour, which is how often sources make it anew.
  static let changeLifetime: UnixMilliseconds = 3_600_000

  private enum Verdict {
    case changed(PriceCell)
    case same
    case outdated
  }

  private func accept(_ reading: PriceReading, now: UnixMilliseconds) -> Verdict {
    let index = Int(reading.token)
    let held = prices[index]
    // A source whose clock runs ahead must not shut out everybody else's later prices.
    let sourceTime = min(reading.sourceTime, now)
    // The same holds for our own clock, should it have been set back since.
    guard sourceTime >= min(held.sourceTime, now) else { return .outdated }
    if reading.change != nil { changeConfirmedAt[index] = now }
    // Sources that know no change, or not this one, leave the held one as it is, but not for ever.
    let isChangeKnown = now - changeConfirmedAt[index] <= Self.changeLifetime
    let change = reading.change ?? (isChangeKnown ? held.change : nil)
    priceConfirmedAt[index] = now
    if held.state == .fresh, held.price == reading.price, held.change == change {
      if sourceTime > held.sourceTime {
        // Not a change, but from now on the bar for older readings.
        prices[index] = PriceCell(
          token: held.token, price: held.price, change: held.change, state: held.state,
          acceptedAt: held.acceptedAt, sourceTime: sourceTime, revision: held.revision)
        dirtyPrices.insert(reading.token)
      }
      return .same
    }
    let cell = PriceCell(
      token: held.token, price: reading.price, change: change, state: .fresh, acceptedAt: now,
      sourceTime: sourceTime, revision: nextRevision())
    prices[index] = cell
    return .changed(cell)
  }

  func publish(_ cell: PriceCell, in batch: inout LedgerBatch) {
    dirtyPrices.insert(cell.token.id)
    batch.changes.append(
      .init(subject: .price(cell), revision: cell.revision, json: Frames.price(cell)))
  }

  /// Every active token that is subscribed by name or held by a watched wallet: what a price round asks for.
  public func watchedTokens() -> [Token] {
    var ids = Set(tokenWatchers.keys)
    for id in walletWatchers.keys {
      guard let cells = wallets[id] else { continue }
      for index in cells.rows.indices where cells.isPriceWanted(at: index) {
        ids.insert(cells.rows[index].token)
      }
    }
    return ids.sorted().map { tokens[Int($0)] }.filter(\.info.isActive)
  }

  /// The held prices of known tokens, in their order.
  public func priceCells(of ids: [TokenID]) -> [PriceCell] {
    ids.compactMap { Int($0) < prices.count ? prices[Int($0)] : nil }
  }

  /// How long ago, in milliseconds, a source last confirmed the one of these tokens' prices for which that is the
  /// longest; a price from before the start counts from when it was accepted. Nil where none has a price.
  public func oldestPriceAge(of ids: [TokenID]) -> UnixMilliseconds? {
    let now = clock()
    return priceCells(of: ids).filter { $0.price != nil }.map { cell in
      now - max(priceConfirmedAt[Int(cell.token.id)], cell.acceptedAt ?? 0)
    }.max()
  }

  /// Before a round: a token that no round has asked for yet is loading until one has. A snapshot taken meanwhile
  /// says so; no frame is made of it. Once a round has come back without a price the token stays unknown until
  /// there is one: it must not swing between the two with every round.
  func markLoading(_ id: TokenID) {
    let cell = prices[Int(id)]
    guard cell.revision == 0, cell.state == .unknown, cell.token.info.isActive else { return }
    prices[Int(id)] = cell.with(state: .loading, revision: 0)
  }

  /// Marks those tokens of the wallet that the next round will ask for.
  func markLoading(rowsOf cells: WalletCells) {
    for index in cells.rows.indices where cells.isPriceWanted(at: index) {
      markLoading(cells.rows[index].token)
    }
  }
}

extension WalletCells {
  /// The native coin, and what is held now.
  func isPriceWanted(at index: Int) -> Bool {
    index == 0 || (rows[index].isKnown && rows[index].balance != .zero)
  }
}
