import Ethereum

extension Ledger {
  /// What became of a reading.
  public enum ReadingVerdict: Sendable, Equatable {
    case accepted
    /// Read at a lower block than what is held: dropped whole.
    case outdated(heldBlock: UInt64)
    /// The wallet was deleted meanwhile.
    case unknownWallet
  }

  /// A read of a wallet that succeeded, at least in parts: a token that failed keeps its value and turns stale.
  @discardableResult
  public func accept(_ reading: WalletReading) -> ReadingVerdict {
    guard var cells = wallets[reading.wallet] else { return .unknownWallet }
    if let block = cells.block, reading.block < block { return .outdated(heldBlock: block) }
    var batch = LedgerBatch(revision: revision)
    var index: [TokenID: Int] = [:]
    index.reserveCapacity(cells.rows.count)
    for (position, row) in cells.rows.enumerated() { index[row.token] = position }
    let state = stateWhenRead(cells.key.chain)
    var changed: [Int] = []
    for (position, (token, outcome)) in reading.outcomes.enumerated() where Int(token) < tokens.count {
      if let held = index[token] {
        // A reading that names a token twice is believed once: a row changes once at a block.
        guard held >= 0 else { continue }
        index[token] = -1
        if update(&cells.rows[held], with: outcome, block: reading.block, state: state) {
          changed.append(held)
        }
      } else if cells.rows.count < limits.tokensPerWallet,
        let row = newRow(token, outcome, isNative: position == 0, block: reading.block, state: state)
      {
        index[token] = -1
        changed.append(cells.rows.count)
        cells.rows.append(row)
      }
    }
    cells.block = reading.block
    cells.readAt = reading.readAt
    finish(&cells, changed: changed, to: &batch)
    return .accepted
  }

  /// A read of a wallet that failed altogether: what was fresh is stale, what was loading is unknown.
  public func acceptFailure(of wallet: WalletID) {
    guard var cells = wallets[wallet] else { return }
    var batch = LedgerBatch(revision: revision)
    if cells.isComplete {
      let changed = makeStale(&cells)
      guard !changed.isEmpty else { return }
      commit(cells, changedRows: changed, to: &batch)
      send(&batch)
    } else if cells.emptyState == .loading {
      cells.emptyState = .unknown
      cells.stateRevision = nextRevision()
      wallets[wallet] = cells
      if isWatched(wallet) {
        batch.wallets = [cells]
        batch.snapshots = [wallet]
      }
      send(&batch)
    }
  }

  /// The first read that succeeds ends with one full snapshot; later ones with the rows that changed.
  func finish(_ cells: inout WalletCells, changed: [Int], to batch: inout LedgerBatch) {
    let isFirst = !cells.isComplete
    cells.isComplete = true
    if isFirst { cells.stateRevision = changed.isEmpty ? nextRevision() : revision }
    // Before the frames are built: they say that the price is on its way.
    if isWatched(cells.id) { markLoading(rowsOf: cells) }
    commit(cells, changedRows: isFirst ? [] : changed, to: &batch)
    if isWatched(cells.id) {
      if isFirst {
        batch.snapshots = [cells.id]
        batch.tokens = cells.rows.map { prices[Int($0.token)] }
      }
      if cells.rows.contains(where: { prices[Int($0.token)].state == .loading }) {
        for observer in observers { observer.pricesWanted() }
      }
    }
    send(&batch)
  }

  /// - Parameter state: of a balance that was read.
  /// - Returns: whether the row changed.
  func update(
    _ row: inout BalanceRow, with outcome: WalletReading.Outcome, block: UInt64, state good: CellState
  ) -> Bool {
    // Somebody looked at this one later than at the whole.
    guard block >= row.block else { return false }
    switch outcome {
    case .balance(let balance):
      row.block = block
      if row.isKnown, row.balance == balance, row.state == good { return false }
      row.balance = balance
      row.isKnown = true
      row.state = good
    case .failed:
      let state: CellState = row.isKnown ? .stale : .unknown
      if row.state == state { return false }
      row.state = state
    }
    row.revision = nextRevision()
    return true
  }

  /// A token that was never held gets a row only when it is held now; the native coin always has one.
  func newRow(
    _ token: TokenID, _ outcome: WalletReading.Outcome, isNative: Bool, block: UInt64, state good: CellState
  ) -> BalanceRow? {
    switch outcome {
    case .balance(let balance):
      guard isNative || balance != .zero else { return nil }
      let revision = nextRevision()
      return BalanceRow(
        token: token, balance: balance, block: block, state: good, isKnown: true, revision: revision,
        rowRevision: revision)
    case .failed:
      guard isNative else { return nil }
      let revision = nextRevision()
      return BalanceRow(
        token: token, balance: .zero, block: block, state: .unknown, isKnown: false, revision: revision,
        rowRevision: revision)
    }
  }

  /// - Returns: the rows that changed.
  func makeStale(_ cells: inout WalletCells) -> [Int] {
    var changed: [Int] = []
    for index in cells.rows.indices where cells.rows[index].state == .fresh {
      cells.rows[index].state = .stale
      cells.rows[index].revision = nextRevision()
      changed.append(index)
    }
    return changed
  }
}
