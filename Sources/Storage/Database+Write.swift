import Ethereum
import GRDB
import Ledger

/// What one transaction of the writer stores.
struct WriteJob: Sendable {
  var state: DirtyState
  /// Rows at or below are stored already.
  var since: Revision
  /// What table `tokens` is to show from now on: prices that have moved enough.
  var prices: [(token: TokenID, stored: StoredPrice, at: UnixMilliseconds?)] = []
  /// This is the last write, and the ledger rests: the next start may go on from here.
  var isLast = false
}

extension Database {
  /// All of it or nothing.
  ///
  /// - Returns: how many rows were written.
  func write(_ job: WriteJob) async throws(StorageError) -> Int {
    try await transaction { [epoch = start.epoch] db in
      var writer = RowWriter(db: db, job: job)
      // Tokens first: no row names a token that is not there.
      try writer.writeTokens()
      try writer.writeLedgerPrices()
      try writer.writeShownPrices()
      try writer.writeWallets()
      try Meta.write(db, epoch: epoch, revision: job.state.revision, isClean: job.isLast)
      return writer.rows
    }
  }
}

private struct RowWriter {
  let db: GRDB.Database
  let job: WriteJob
  var rows = 0
  private var digits: [UInt8] = []

  init(db: GRDB.Database, job: WriteJob) {
    self.db = db
    self.job = job
    digits.reserveCapacity(160)
  }

  /// `is_active` and the price belong to others: to whoever switches tokens off, and to `writeShownPrices`.
  mutating func writeTokens() throws {
    guard !job.state.tokens.isEmpty else { return }
    let upsert = try RawStatement(
      """
      INSERT INTO tokens (id, chain, address, symbol, name, decimals, logo_url, is_listed, is_active)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET symbol = excluded.symbol, name = excluded.name,
        decimals = excluded.decimals, logo_url = excluded.logo_url, is_listed = excluded.is_listed
      """, on: db)
    for token in job.state.tokens {
      try upsert.bind(1, Int64(token.id))
      try upsert.bind(2, token.key.chain.description)
      try upsert.bind(3, token.key.contract?.lowercase ?? "")
      try upsert.bind(4, token.info.symbol)
      try upsert.bind(5, token.info.name)
      try upsert.bind(6, token.info.decimals.map { Int64($0) })
      try upsert.bind(7, token.info.logo)
      try upsert.bind(8, token.info.isListed)
      try upsert.bind(9, token.info.isActive)
      try run(upsert)
    }
  }

  mutating func writeLedgerPrices() throws {
    guard !job.state.prices.isEmpty else { return }
    let upsert = try RawStatement(
      """
      INSERT INTO ledger_prices (token_id, price, change_hundredths, accepted_at, source_time, revision)
      VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (token_id) DO UPDATE SET price = excluded.price,
        change_hundredths = excluded.change_hundredths, accepted_at = excluded.accepted_at,
        source_time = excluded.source_time, revision = excluded.revision
      """, on: db)
    for cell in job.state.prices {
      // Without a price there is nothing to restore.
      guard let price = cell.price else { continue }
      digits.removeAll(keepingCapacity: true)
      price.appendPlainText(to: &digits)
      try upsert.bind(1, Int64(cell.token.id))
      try upsert.bind(2, utf8: digits)
      try upsert.bind(3, cell.change?.value)
      try upsert.bind(4, cell.acceptedAt)
      try upsert.bind(5, cell.sourceTime)
      try upsert.bind(6, bits: cell.revision)
      try run(upsert)
    }
  }

  mutating func writeShownPrices() throws {
    guard !job.prices.isEmpty else { return }
    let update = try RawStatement(
      """
      UPDATE tokens SET current_price_usd = ?, price_change_24h = ?, last_updated = ? WHERE id = ?
      """, on: db)
    for (token, stored, at) in job.prices {
      try update.bind(1, stored.price?.plainText)
      try update.bind(2, stored.change?.text)
      try update.bind(3, at)
      try update.bind(4, Int64(token))
      try run(update)
    }
  }

  mutating func writeWallets() throws {
    guard !job.state.wallets.isEmpty else { return }
    let update = try RawStatement(
      """
      UPDATE wallets SET block = ?, read_at = ?, is_complete = ?, registered_revision = ? WHERE id = ?
      """, on: db)
    // `is_visible` of a row that is there already is `setVisible`'s.
    let upsert = try RawStatement(
      """
      INSERT INTO wallet_tokens (wallet_id, token_id, position, balance, is_known, state, block, revision,
        row_revision, is_visible)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (wallet_id, token_id) DO UPDATE SET position = excluded.position,
        balance = excluded.balance, is_known = excluded.is_known, state = excluded.state,
        block = excluded.block, revision = excluded.revision, row_revision = excluded.row_revision
      """, on: db)
    for cells in job.state.wallets {
      try update.bind(1, bits: cells.block)
      try update.bind(2, cells.readAt)
      try update.bind(3, cells.isComplete)
      try update.bind(4, bits: cells.registeredRevision)
      try update.bind(5, cells.id)
      try run(update)
      // Deleted since the ledger gave us its state: it stays deleted.
      guard update.changedRows > 0 else { continue }
      for (position, row) in cells.rows.enumerated() where row.newestRevision > job.since {
        try write(row, of: cells.id, at: position, with: upsert)
      }
    }
  }

  private mutating func write(
    _ row: BalanceRow, of wallet: WalletID, at position: Int, with upsert: RawStatement
  ) throws {
    try upsert.bind(1, wallet)
    try upsert.bind(2, Int64(row.token))
    try upsert.bind(3, Int64(position))
    if row.isKnown {
      digits.removeAll(keepingCapacity: true)
      row.balance.appendDecimal(to: &digits)
      try upsert.bind(4, utf8: digits)
    } else {
      try upsert.bind(4, nil as Int64?)
    }
    try upsert.bind(5, row.isKnown)
    try upsert.bind(6, Int64(row.state.rawValue))
    try upsert.bind(7, bits: row.block)
    try upsert.bind(8, bits: row.revision)
    try upsert.bind(9, bits: row.rowRevision)
    try upsert.bind(10, row.isVisible)
    try run(upsert)
  }

  private mutating func run(_ statement: RawStatement) throws {
    try statement.run()
    rows += statement.changedRows
  }
}
