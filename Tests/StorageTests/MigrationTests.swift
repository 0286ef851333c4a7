import Ethereum
import GRDB
import Ledger
import Logging
import TestSupport
import Testing

@testable import Storage

/// Files of every released version, opened by this one, and what becomes of a file when it cannot be brought up to date.
struct MigrationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func make(_ released: ReleasedSchema) throws -> String {
    try Outsider(folder.file()).execute(released.sql)
    return folder.file()
  }

  /// Everything a file holds, tables and rows, as text.
  private func dump(_ path: String) throws -> [String] {
    let outside = try Outsider(path)
    return try outside.queue.inDatabase { db in
      var lines = try String.fetchAll(
        db, sql: "SELECT type || ' ' || name || ' ' || ifnull(sql, '') FROM sqlite_master ORDER BY type, name"
      )
      lines.append("application \(try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0)")
      for table in try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      {
        lines += try Row.fetchAll(db, sql: "SELECT * FROM \"\(table)\"").map { "\(table) \($0)" }.sorted()
      }
      return lines
    }
  }

  /// Whoever adds a migration adds a file of its version here, before it is released.
  @Test func everyVersionHasItsFile() {
    #expect(ReleasedSchema.all.map(\.version) == Schema.migrator.migrations)
  }

  @Test("the tables of an old file are those of a new one", arguments: ReleasedSchema.all)
  func tables(_ released: ReleasedSchema) throws {
    let path = try make(released)
    try openDatabase(path).close()
    try openDatabase(folder.file("new.sqlite")).close()
    func shape(_ path: String) throws -> [String] {
      let outside = try Outsider(path)
      return try outside.queue.inDatabase { db in
        try String.fetchAll(
          db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).flatMap { table in
          try Row.fetchAll(db, sql: "PRAGMA table_info(\"\(table)\")").map { "\(table) \($0)" }
            + Row.fetchAll(db, sql: "PRAGMA index_list(\"\(table)\")").map { "\(table) \($0)" }
            + Row.fetchAll(db, sql: "PRAGMA foreign_key_list(\"\(table)\")").map { "\(table) \($0)" }
        }
      }
    }
    #expect(try shape(path) == shape(folder.file("new.sqlite")))
  }

  @Test("all that an old file holds is there", arguments: ReleasedSchema.all)
  func data(_ released: ReleasedSchema) async throws {
    let database = try openDatabase(try make(released))
    let (state, problems) = try database.loadCounting()
    #expect(problems == LoadProblems())
    #expect(state.tokens.map(\.id) == [0, 1, 2])
    #expect(
      state.tokens.map(\.key.description) == [
        "ETH:native", "ETH:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        "ETH:0x00000000000000000000000000000000000000aa",
      ])
    #expect(
      state.tokens.map(\.info) == [
        TokenInfo(symbol: "ETH", name: "Ether", decimals: 18, isListed: true),
        TokenInfo(
          symbol: "USDC", name: "USD Coin", decimals: 6, logo: "https://logos.example/usdc.png",
          isListed: true),
        TokenInfo(isListed: false, isActive: false),
      ])
    #expect(state.prices.map(\.token) == [0, 1])
    #expect(state.prices.map { $0.price?.plainText } == ["3011.520", "0.00000010"])
    #expect(state.prices.map { $0.change?.text } == ["-1.20", nil])
    #expect(state.prices.map(\.acceptedAt) == [1_763_805_600_123, nil])
    #expect(state.prices.map(\.sourceTime) == [1_763_805_590_000, 0])
    #expect(state.prices.map(\.revision) == [4710, 25])
    #expect(state.wallets.map(\.id) == [2, 10] && state.nextWalletID == 11)
    #expect(
      state.wallets.map(\.key.description) == [
        "ETH:0x00000000000000000000000000000000000000b2", "ETH:0x00000000000000000000000000000000000000b1",
      ])
    #expect(state.wallets.map(\.registeredRevision) == [17, 4711])
    #expect(state.wallets.map(\.isComplete) == [true, false])
    #expect(state.wallets.map(\.block) == [21_000_000, nil])
    #expect(state.wallets.map(\.readAt) == [1_763_805_600_000, nil])
    #expect(
      state.wallets[0].rows == [
        BalanceRow(
          token: 0, balance: 1_230_000_000_000_000_000, block: 21_000_000, state: .fresh, isKnown: true,
          revision: 4700, rowRevision: 18),
        BalanceRow(
          token: 2, balance: .zero, block: 0, state: .unknown, isKnown: false, revision: 20, rowRevision: 20),
        BalanceRow(
          token: 1, balance: .max, block: 20_999_999, state: .stale, isKnown: true, isVisible: false,
          revision: 4600, rowRevision: 19),
      ])
    #expect(state.wallets[1].rows.isEmpty)
    let shown = try await database.loadStoredPrices()
    #expect(shown == [0: StoredPrice(price: decimal("3011.52"), change: Hundredths(value: -120))])
    let fantom = try #require(try? ChainCode(parsing: "FTM"))
    #expect(try database.syncChains([]) == [fantom])
  }

  @Test("the epoch goes on after a clean stop", arguments: ReleasedSchema.all)
  func cleanEpoch(_ released: ReleasedSchema) async throws {
    let path = try make(released)
    let rig = try await Rig(path)
    #expect(rig.database.start == Start(epoch: "frozen-1", revision: 4711, wasClean: true, isNew: false))
    // What turns stale at a start gets revisions above all that were ever given.
    #expect(await rig.ledger.priceCell(0).revision > 4711)
    let turned = try #require(await rig.ledger.wallet(2)?.rows.first)
    #expect(turned.state == .stale && turned.revision > 4711)
    // And it is written as ever.
    try await rig.writer.start()
    _ = try await rig.fill(wallets: 0..<3, tokens: 2)
    let revision = await rig.ledger.revision
    try await rig.writer.closeCleanly()
    let next = try openDatabase(path)
    #expect(next.start == Start(epoch: "frozen-1", revision: revision, wasClean: true, isNew: false))
    #expect(try next.load().wallets.map(\.id) == [2, 10, 11, 12, 13])
  }

  @Test("a new epoch begins after an unclean one, above every revision", arguments: ReleasedSchema.all)
  func uncleanEpoch(_ released: ReleasedSchema) throws {
    let path = try make(released)
    try Outsider(path).execute(
      "UPDATE meta SET value = '0' WHERE key = 'clean'; UPDATE meta SET value = '5' WHERE key = 'revision'")
    let start = try openDatabase(path, random: 3).start
    #expect(start == Start(epoch: makeEpoch(random: 3), revision: 4710, wasClean: false, isNew: false))
  }

  // MARK: Files that cannot be brought up to date

  private func open(_ path: String, _ migrator: DatabaseMigrator) throws(StorageError) -> Storage.Database {
    try Database.open(
      path: path, random: 1, settings: quickSettings,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, migrator: migrator)
  }

  @Test("a newer file is refused and not touched", arguments: ReleasedSchema.all)
  func newer(_ released: ReleasedSchema) throws {
    let path = try make(released)
    try Outsider(path).execute(
      "INSERT INTO grdb_migrations (identifier) VALUES ('v8'), ('v9'); ALTER TABLE tokens ADD COLUMN more TEXT"
    )
    let before = try dump(path)
    let error = StorageError.newerSchema(path: path, migrations: ["v8", "v9"])
    #expect(throws: error) { _ = try openDatabase(path) }
    #expect(try dump(path) == before)
    #expect(
      "\(error)" == "\(path) was written by a newer version of walletpush (it has the migration v8, v9):"
        + " run that version, or name another file")
  }

  private struct Gone: Error {}

  /// Half of a migration, and what ends it.
  private static let failures: [(name: String, body: @Sendable (GRDB.Database) throws -> Void)] = [
    ("an error of ours", { _ in throw Gone() }),
    ("a table that is not there", { try $0.execute(sql: "INSERT INTO nothing VALUES (1)") }),
    ("a row that is there already", { try $0.execute(sql: "INSERT INTO meta VALUES ('epoch', 'x')") }),
    ("a reference to nothing", { try $0.execute(sql: "UPDATE wallet_tokens SET wallet_id = 77") }),
    (
      "a full disk",
      { db in
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        try db.execute(sql: "PRAGMA max_page_count = \(pages)")
        try db.execute(sql: "CREATE TABLE large AS SELECT randomblob(1000000) AS bytes")
      }
    ),
  ]

  @Test("a migration that fails leaves the file as it was", arguments: failures.indices)
  func failing(_ index: Int) async throws {
    let failure = Self.failures[index]
    let released = try #require(ReleasedSchema.all.last)
    let path = try make(released)
    let before = try dump(path)
    var migrator = Schema.migrator
    migrator.registerMigration("next") { db in
      try db.execute(sql: "ALTER TABLE tokens ADD COLUMN more TEXT")
      try db.execute(sql: "UPDATE meta SET value = 'broken'")
      try db.execute(sql: "DELETE FROM wallets WHERE id = 10")
      try failure.body(db)
    }
    #expect(throws: StorageError.self, "\(failure.name)") { _ = try open(path, migrator) }
    #expect(try dump(path) == before, "\(failure.name)")
    // The version it is of goes on as if nothing had been.
    let rig = try await Rig(path)
    #expect(rig.database.start == Start(epoch: "frozen-1", revision: 4711, wasClean: true, isNew: false))
    #expect(await rig.ledger.walletCount == 2)
    try await rig.writer.closeCleanly()
  }

  @Test func aFullDiskIsCalledOne() throws {
    let path = try make(try #require(ReleasedSchema.all.last))
    var migrator = Schema.migrator
    let failure = try #require(Self.failures.last)
    migrator.registerMigration("next") { try failure.body($0) }
    #expect(throws: StorageError.diskFull(path: path)) { _ = try open(path, migrator) }
  }
}
