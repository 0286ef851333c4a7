// What can still be read of a damaged database.
//
// Each table is read from its beginning until a page makes no sense, and then from its end: what one damaged page holds is
// lost, and what lies between two. Wallets and tokens are also read out of the indexes of their addresses, which hold
// all that cannot be learnt anew: a wallet's number, chain and address, a token's number, chain and contract. The rest is
// taken where it is whole: a wallet of which a row is missing counts as never read, and the chain is asked.

import GRDB
import GRDBSQLite
import Ledger
import Logging

/// What became of a damaged database's content.
struct SalvageReport: Sendable, Equatable {
  var wallets = 0
  var tokens = 0
  /// Wallets whose balances were not whole, so that they count as never read.
  var walletsToRead = 0
  /// Tables of which some part could not be read.
  var tables: [String] = []

  func log(_ error: StorageError, kept: String, path: String, _ logger: Logger) {
    logger.error(
      """
      the database file was damaged: it was set aside whole, and a new one holds what could be read of it. Look at \
      the disk; if wallets are missing, restore a backup, or register them again; move the damaged file away when you \
      need it no more
      """,
      metadata: [
        "file": "\(path)", "damaged": "\(kept)", "reason": "\(error)", "wallets": "\(wallets)",
        "tokens": "\(tokens)", "walletsToRead": "\(walletsToRead)",
        "incompleteTables": "\(tables.joined(separator: ", "))",
      ])
  }
}

struct Salvage {
  private let source: GRDB.Database
  private let target: GRDB.Database
  private var report = SalvageReport()
  /// Wallets at which their rows ended: some may be missing.
  private var torn: [WalletID] = []

  /// Fills the empty file `target` with what can be read of `path`, which is not changed.
  static func copy(
    from path: String, to target: String, _ settings: StorageSettings, _ migrator: DatabaseMigrator,
    _ logger: Logger
  ) throws(StorageError) -> SalvageReport {
    do {
      // Without a log: this file is moved, and must be whole by itself.
      let queue = try DatabaseQueue(
        path: target, configuration: Database.configuration(settings, isFile: false))
      try migrator.migrate(queue)
      let report = try queue.inDatabase { db -> SalvageReport in
        try Database.transaction(on: db) { db in try copyReadable(from: path, to: db) }
      }
      try queue.close()
      return report
    } catch {
      throw StorageError(error, path: target)
    }
  }

  private static func copyReadable(from path: String, to target: GRDB.Database) throws -> SalvageReport {
    // Opened for reading alone, it is not even cleared of its log.
    var configuration = Configuration()
    configuration.readonly = true
    // Lets SQLite read on where the file is shorter than its header says.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA writable_schema = 1") }
    do {
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      return try queue.inDatabase { source -> SalvageReport in
        var salvage = Salvage(source: source, target: target)
        try salvage.copyAll()
        return salvage.report
      }
    } catch let error as DatabaseError where isDamage(error.resultCode.rawValue) {
      return SalvageReport(tables: ["all"])
    }
  }

  private init(source: GRDB.Database, target: GRDB.Database) {
    self.source = source
    self.target = target
  }

  private static func isDamage(_ code: Int32) -> Bool {
    [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT].contains(code & 0xFF)
  }

  // MARK: - Copying

  private mutating func copyAll() throws {
    try target.execute(sql: "PRAGMA defer_foreign_keys = 1")
    try copy("chains", ["code", "chain_id", "name", "symbol", "is_active"], key: ["code"])
    try copy(
      "tokens",
      [
        "id", "chain", "address", "symbol", "name", "decimals", "logo_url", "is_listed", "is_active",
        "current_price_usd", "price_change_24h", "last_updated",
      ], key: ["id"])
    try copy(
      "wallets",
      ["id", "chain", "address", "created_at", "block", "read_at", "is_complete", "registered_revision"],
      key: ["id"])
    try copy(
      "wallet_tokens",
      [
        "wallet_id", "token_id", "position", "balance", "is_known", "state", "block", "revision",
        "row_revision", "is_visible",
      ], key: ["wallet_id", "token_id"])
    try copy(
      "ledger_prices",
      ["token_id", "price", "change_hundredths", "accepted_at", "source_time", "revision"],
      key: ["token_id"])
    try copyFromIndex("tokens", extra: ("is_listed", "0"))
    try copyFromIndex("wallets", extra: ("created_at", "0"))
    try copySequence()
    try makeConsistent()
  }

  /// Row by row, from both ends if need be. Rows that break a rule of the table are left out.
  private mutating func copy(_ table: String, _ columns: [String], key: [String]) throws {
    for order in ["", " DESC"] {
      let clause = "ORDER BY " + key.map { $0 + order }.joined(separator: ", ")
      let (isWhole, last) = try copy(columns, into: table, columns, clause)
      if isWhole { return }
      if order.isEmpty { report.tables.append(table) }
      if table == "wallet_tokens", let last { torn.append(last) }
    }
  }

  /// Where a table's own page is damaged: what the index of addresses holds, which is all of these columns.
  private mutating func copyFromIndex(_ table: String, extra: (column: String, value: String)) throws {
    guard report.tables.contains(table) else { return }
    let key = ["id", "chain", "address"]
    for order in ["", " DESC"] {
      let (isWhole, _) = try copy(
        key + [extra.value], into: table, key + [extra.column],
        "INDEXED BY sqlite_autoindex_\(table)_1 ORDER BY chain\(order), address\(order)")
      if isWhole { return }
    }
  }

  /// - Returns: whether all of it could be read, and the first column of the last row that could.
  private func copy(
    _ expressions: [String], into table: String, _ columns: [String], _ clause: String
  ) throws -> (isWhole: Bool, last: Int64?) {
    var last: Int64?
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    let insert = try RawStatement(
      "INSERT OR IGNORE INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))", on: target)
    do {
      // In the order of the tree, so that nothing is sorted and a page is read when its rows are due.
      let select = try RawStatement(
        "SELECT \(expressions.joined(separator: ", ")) FROM \(table) \(clause)", on: source)
      while try select.step() {
        for index in 0..<Int32(columns.count) { try insert.bind(index + 1, column: index, of: select) }
        try insert.run()
        last = select.integer(0)
      }
      return (true, last)
    } catch  where Self.isUnreadable(error) {
      return (false, last)
    }
  }

  /// A schema that makes no sense has no such table or column, or none that can be read.
  private static func isUnreadable(_ error: any Error) -> Bool {
    switch error {
    case let error as SQLiteFailure: isDamage(error.code)
    case let error as DatabaseError:
      error.resultCode == .SQLITE_ERROR || isDamage(error.resultCode.rawValue)
    default: false
    }
  }

  /// A deleted wallet's number is not given again.
  private func copySequence() throws {
    do {
      let select = try RawStatement("SELECT seq FROM sqlite_sequence WHERE name = 'wallets'", on: source)
      guard try select.step() else { return }
      let highest = select.integer(0)
      try target.execute(sql: "DELETE FROM sqlite_sequence WHERE name = 'wallets'")
      try target.execute(
        sql:
          "INSERT INTO sqlite_sequence (name, seq) SELECT 'wallets', max(?, ifnull(max(id), 0)) FROM wallets",
        arguments: [highest])
    } catch  where Self.isUnreadable(error) {
      return
    }
  }

  // MARK: - What a load relies on

  /// Tokens are numbered without a gap: what comes after one is learnt anew, under other numbers.
  private func tokensWithoutGap() throws -> Int64 {
    let tokens = try RawStatement("SELECT id, chain, address FROM tokens ORDER BY id", on: target)
    var count: Int64 = 0
    while try tokens.step(), tokens.integer(0) == count, tokens.tokenKey(chain: 1, address: 2) != nil {
      count += 1
    }
    return count
  }

  private mutating func makeConsistent() throws {
    let count = try tokensWithoutGap()
    // Of a wallet out of the index its rows may be there. When they were read is not known.
    try target.execute(
      sql: """
        UPDATE wallets SET is_complete = 1,
          block = (SELECT max(block) FROM wallet_tokens WHERE wallet_id = wallets.id)
        WHERE created_at = 0 AND id IN (SELECT wallet_id FROM wallet_tokens)
        """)
    try target.execute(
      sql: """
        CREATE TEMP TABLE torn AS SELECT id FROM wallets WHERE is_complete AND (
          id IN (SELECT wallet_id FROM wallet_tokens WHERE token_id NOT BETWEEN 0 AND ?)
          OR id NOT IN (SELECT wallet_id FROM wallet_tokens GROUP BY wallet_id
            HAVING min(position) = 0 AND max(position) = count(*) - 1))
        """, arguments: [count - 1])
    for wallet in torn { try target.execute(sql: "INSERT INTO torn VALUES (?)", arguments: [wallet]) }
    try target.execute(
      sql: """
        UPDATE wallets SET is_complete = 0, block = NULL, read_at = NULL WHERE id IN (SELECT id FROM torn);
        DELETE FROM wallet_tokens WHERE wallet_id IN (SELECT id FROM torn)
          OR wallet_id NOT IN (SELECT id FROM wallets);
        """)
    for (table, column) in [("tokens", "id"), ("wallet_tokens", "token_id"), ("ledger_prices", "token_id")] {
      try target.execute(
        sql: "DELETE FROM \(table) WHERE \(column) NOT BETWEEN 0 AND ?", arguments: [count - 1])
    }
    report.tokens = Int(count)
    report.wallets = try Int.fetchOne(target, sql: "SELECT count(*) FROM wallets") ?? 0
    report.walletsToRead = try Int.fetchOne(target, sql: "SELECT count(DISTINCT id) FROM torn") ?? 0
    try target.execute(sql: "DROP TABLE torn")
  }
}
