// What a start reads: rows are stepped in SQLite's own memory and become the ledger's values one by one, so
// that the whole costs little more than the ledger's own size.
//
// The file is ours, but disks fail and people edit. A value that makes no sense costs what depends on it and
// nothing more: a balance becomes unknown, a price is forgotten, a wallet without a readable address is left
// out; all are counted and logged. Only the numbers of tokens must hold, since every row and every client's
// table is built on them: a gap there is an error.

import Ethereum
import GRDB
import Ledger

/// Stored values that made no sense, by what became of them.
struct LoadProblems: Sendable, Equatable {
  /// Balances that are unknown now.
  var balances = 0
  /// Prices that are forgotten.
  var prices = 0
  /// Wallets that are left out, with their rows.
  var wallets = 0
  /// Rows of wallets or tokens that don't exist, left out.
  var orphans = 0

  var count: Int { balances + prices + wallets + orphans }
}

extension Database {
  /// Everything a ledger begins with. Blocks: call it before serving.
  public func load() throws(StorageError) -> RestoredState {
    let (state, problems) = try loadCounting()
    if problems.count > 0 {
      metrics.valuesRejected.increment(by: problems.count)
      logger.error(
        "the database holds values that make no sense; they count as unknown",
        metadata: [
          "file": "\(path)", "balances": "\(problems.balances)", "prices": "\(problems.prices)",
          "wallets": "\(problems.wallets)", "orphans": "\(problems.orphans)",
        ])
    }
    return state
  }

  func loadCounting() throws(StorageError) -> (state: RestoredState, problems: LoadProblems) {
    try blockingTransaction { db in
      var loader = Loader(revisionMaximum: try Meta(db).revision ?? start.revision, path: path)
      try loader.loadTokens(db)
      try loader.loadPrices(db)
      try loader.loadWallets(db)
      return (loader.state, loader.problems)
    }
  }

  /// Prices as table `tokens` shows them.
  func loadStoredPrices() async throws(StorageError) -> [TokenID: StoredPrice] {
    try await transaction { db in
      var prices: [TokenID: StoredPrice] = [:]
      let statement = try RawStatement(
        "SELECT id, current_price_usd, price_change_24h FROM tokens WHERE current_price_usd IS NOT NULL",
        on: db)
      while try statement.step() {
        guard let id = TokenID(exactly: statement.integer(0)) else { continue }
        prices[id] = StoredPrice(
          price: statement.decimal(1), change: statement.decimal(2)?.roundedToHundredths())
      }
      return prices
    }
  }
}

private struct Loader {
  /// The counter as it is stored.
  let revisionMaximum: Revision
  let path: String
  var state = RestoredState()
  var problems = LoadProblems()

  // MARK: Tokens and prices

  mutating func loadTokens(_ db: GRDB.Database) throws {
    let statement = try RawStatement(
      """
      SELECT id, chain, address, symbol, name, decimals, logo_url, is_listed, is_active
      FROM tokens ORDER BY id
      """, on: db)
    while try statement.step() {
      let id = statement.integer(0)
      let expected = TokenID(state.tokens.count)
      guard id == Int64(expected) else {
        throw damaged("table tokens has number \(id) where \(expected) should follow")
      }
      guard let key = statement.tokenKey(chain: 1, address: 2) else {
        throw damaged("token \(id) has a chain or address that is none")
      }
      // Cleaned anew: an earlier version may have let through what this one does not.
      let info = TokenInfo(
        symbol: statement.text(3).flatMap { TokenText.clean($0, limit: TokenText.symbolLimit) },
        name: statement.text(4).flatMap { TokenText.clean($0, limit: TokenText.nameLimit) },
        decimals: statement.decimals(5),
        logo: statement.text(6), isListed: statement.bool(7), isActive: statement.bool(8))
      state.tokens.append((expected, key, info))
    }
  }

  private func damaged(_ detail: String) -> StorageError { .damaged(path: path, detail: detail) }

  mutating func loadPrices(_ db: GRDB.Database) throws {
    let statement = try RawStatement(
      """
      SELECT token_id, price, change_hundredths, accepted_at, source_time, revision
      FROM ledger_prices ORDER BY token_id
      """, on: db)
    while try statement.step() {
      guard let token = knownToken(statement.integer(0)), let price = statement.decimal(1), !price.isNegative
      else {
        problems.prices += 1
        continue
      }
      state.prices.append(
        RestoredPrice(
          token: token, price: price, change: statement.optionalInteger(2).map { Hundredths(value: $0) },
          acceptedAt: statement.optionalInteger(3), sourceTime: statement.integer(4),
          revision: revision(statement.integer(5))))
    }
  }

  private func knownToken(_ number: Int64) -> TokenID? {
    TokenID(exactly: number).flatMap { Int($0) < state.tokens.count ? $0 : nil }
  }

  /// No stored revision may be above the counter.
  private func revision(_ stored: Int64) -> Revision { min(Revision(clamping: stored), revisionMaximum) }

  // MARK: Wallets

  mutating func loadWallets(_ db: GRDB.Database) throws {
    let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM wallets") ?? 0
    state.wallets.reserveCapacity(count)
    let statement = try RawStatement(
      """
      SELECT id, chain, address, block, read_at, is_complete, registered_revision FROM wallets ORDER BY id
      """, on: db)
    var rows = try RowReader(db)
    while try statement.step() {
      let id = statement.integer(0)
      guard let key = statement.walletKey(chain: 1, address: 2) else {
        problems.wallets += 1
        problems.orphans += try rows.skip(before: id)
        _ = try rows.read(wallet: id) { _ in nil }
        continue
      }
      // A wallet the writer has never seen has never been read: whoever resumes needs its snapshot.
      var cells = WalletCells(
        id: id, key: key,
        registeredRevision: statement.optionalInteger(6).map { revision($0) } ?? revisionMaximum)
      cells.block = statement.optionalInteger(3).map { UInt64(bitPattern: $0) }
      cells.readAt = statement.optionalInteger(4)
      cells.isComplete = statement.bool(5)
      try loadRows(of: id, from: &rows, into: &cells)
      state.wallets.append(cells)
    }
    problems.orphans += try rows.skipAll()
    state.nextWalletID = try nextWalletID(db)
  }

  private mutating func loadRows(
    of id: WalletID, from rows: inout RowReader, into cells: inout WalletCells
  ) throws {
    problems.orphans += try rows.skip(before: id)
    cells.rows = try rows.read(wallet: id) { statement in
      guard let token = knownToken(statement.integer(1)) else {
        problems.orphans += 1
        return nil
      }
      return row(token, statement)
    }
  }

  private mutating func row(_ token: TokenID, _ statement: RawStatement) -> BalanceRow {
    let wasKnown = statement.bool(3)
    let balance = wasKnown ? statement.withText(2) { UInt256(decimalUTF8: $0) } ?? nil : nil
    if wasKnown, balance == nil { problems.balances += 1 }
    let stored = CellState(rawValue: UInt8(clamping: statement.integer(4)))
    return BalanceRow(
      token: token, balance: balance ?? .zero, block: UInt64(bitPattern: statement.integer(5)),
      state: balance == nil ? .unknown : stored == .fresh ? .fresh : .stale, isKnown: balance != nil,
      isVisible: statement.bool(8), revision: revision(statement.integer(6)),
      rowRevision: revision(statement.integer(7)))
  }

  /// SQLite remembers the highest number ever given, so that a deleted wallet's is not given again.
  private func nextWalletID(_ db: GRDB.Database) throws -> WalletID {
    let highest = try Int64.fetchOne(
      db,
      sql: "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'wallets'), 0), "
        + "ifnull((SELECT max(id) FROM wallets), 0))")
    let (next, overflow) = (highest ?? 0).addingReportingOverflow(1)
    guard !overflow, next > 0 else { throw damaged("the wallets' numbers are used up") }
    return next
  }
}

/// The rows of all wallets, read along with the wallets: both come in the order of their numbers.
private struct RowReader {
  private let statement: RawStatement
  /// The wallet of the row that the statement stands on; `nil` after the last.
  private var wallet: WalletID?
  /// Filled and emptied again for each wallet, so that each gets an array of just its size.
  private var scratch: [BalanceRow] = []

  init(_ db: GRDB.Database) throws {
    statement = try RawStatement(
      """
      SELECT wallet_id, token_id, balance, is_known, state, block, revision, row_revision, is_visible
      FROM wallet_tokens ORDER BY wallet_id, position, token_id
      """, on: db)
    try advance()
  }

  private mutating func advance() throws { wallet = try statement.step() ? statement.integer(0) : nil }

  /// Passes over rows of wallets before `id`, which don't exist, and returns how many there were.
  mutating func skip(before id: WalletID) throws -> Int { try skip { $0 < id } }

  mutating func skipAll() throws -> Int { try skip { _ in true } }

  private mutating func skip(while condition: (WalletID) -> Bool) throws -> Int {
    var count = 0
    while let wallet, condition(wallet) {
      count += 1
      try advance()
    }
    return count
  }

  mutating func read(wallet id: WalletID, _ row: (RawStatement) -> BalanceRow?) throws -> [BalanceRow] {
    scratch.removeAll(keepingCapacity: true)
    while wallet == id {
      if let row = row(statement) { scratch.append(row) }
      try advance()
    }
    return scratch.withUnsafeBufferPointer { Array($0) }
  }
}

extension RawStatement {
  fileprivate func decimal(_ column: Int32) -> ExactDecimal? {
    withText(column) { ExactDecimal(parsing: $0.span.bytes) } ?? nil
  }

  /// 0…77, or unknown.
  fileprivate func decimals(_ column: Int32) -> UInt8? {
    optionalInteger(column).flatMap { UInt8(exactly: $0) }.flatMap { $0 <= 77 ? $0 : nil }
  }

  fileprivate func chain(_ column: Int32) -> ChainCode? {
    withText(column) { try? ChainCode(parsing: $0.span) } ?? nil
  }

  fileprivate func address(_ column: Int32) -> Address? {
    withText(column) { try? Address(parsing: $0.span) } ?? nil
  }

  fileprivate func walletKey(chain: Int32, address: Int32) -> WalletKey? {
    guard let chain = self.chain(chain), let address = self.address(address) else { return nil }
    return WalletKey(chain: chain, address: address)
  }

  /// An empty address is the chain's own coin.
  func tokenKey(chain: Int32, address: Int32) -> TokenKey? {
    guard let chain = self.chain(chain) else { return nil }
    if withText(address, { $0.isEmpty }) == true { return .native(chain) }
    return self.address(address).map { TokenKey(chain: chain, contract: $0) }
  }
}
