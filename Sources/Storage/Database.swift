// The database: what must outlive the process.
//
// One SQLite file, one connection, one serial queue (GRDB's): with a single writer and reads only at the
// start, a pool would cost memory and give nothing. Write-ahead log, synchronous FULL: what a transaction
// committed survives a killed process and a power cut.
//
// Two kinds of writes. Registrations, deletions and visibility are durable when their call returns
// (`WalletStore`). Prices and balances follow a moment later, many at a time (`Writer`); a crash may lose the
// last of them, which the next read of the chain brings back. What must not happen is that a revision names
// two different states. So:
//
// The life of a revision counter. Opening marks the file unclean before anything is served,
// `Writer.closeCleanly` marks it clean in the very transaction that stores the last state. Who opens a clean
// file goes on with its epoch and revision; who opens an unclean one, where clients may have seen revisions
// that were never stored, begins a new epoch.
//
//   Database.swift          opening, transactions, closing
//   Database+Restore.swift  a start: opening, loading, and what becomes of a damaged file
//   Salvage.swift           what can still be read of one
//   DamagedFiles.swift      where it is kept
//   Database+Epoch.swift    the life of the revision counter
//   Database+Load.swift     what a start reads
//   Database+Wallets.swift  registrations, deletions, visibility
//   Database+Write.swift    one transaction of the writer
//   Database+Chains.swift   the chains table
//   Writer.swift            when to write
//   StoredPrice.swift       which prices are worth a row

import GRDB
import Ledger
import Logging
import Synchronization

public final class Database: Sendable {
  /// `:memory:`, or the file with links resolved.
  public let path: String
  /// Where this life of the counter begins.
  public let start: Start
  let queue: DatabaseQueue
  let logger: Logger
  let metrics = StorageMetrics()
  private let lock: FileLock?
  private let state = Mutex(State())

  private struct State {
    var isClosed = false
    /// Writes what the ledger holds now; there once a writer has started.
    var flush: (@Sendable () async throws(StorageError) -> Void)?
  }

  /// Opens or creates the database, brings its tables up to date, and marks it unclean, durably.
  ///
  /// Blocks for as long as the disk takes: call it before serving.
  ///
  /// - Parameters:
  ///   - path: of the file; `:memory:` for a database that lives as long as the object.
  ///   - random: what a new epoch's name is made of.
  public static func open(
    path: String, random: UInt64, settings: StorageSettings, logger: Logger
  ) throws(StorageError) -> Database {
    try open(path: path, random: random, settings: settings, logger: logger, migrator: Schema.migrator)
  }

  /// - Parameter migrator: what this version is to be.
  static func open(
    path: String, random: UInt64, settings: StorageSettings, logger: Logger, migrator: DatabaseMigrator
  ) throws(StorageError) -> Database {
    guard path != inMemory else {
      return try Database(
        path: path, lock: nil, random: random, settings: settings, logger: logger, migrator: migrator)
    }
    let path = FileLock.resolve(path)
    return try Database(
      path: path, lock: try FileLock(guarding: path), random: random, settings: settings, logger: logger,
      migrator: migrator)
  }

  static let inMemory = ":memory:"

  /// - Parameter lock: of the file; none in memory.
  init(
    path: String, lock: FileLock?, random: UInt64, settings: StorageSettings, logger: Logger,
    migrator: DatabaseMigrator
  ) throws(StorageError) {
    self.path = path
    self.lock = lock
    self.logger = logger
    if lock != nil { try FileLock.checkFile(path) }
    do {
      let configuration = Self.configuration(settings, isFile: lock != nil)
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.inDatabase { try Self.checkOwner(of: $0, path: path, migrator) }
      // Before the file is marked unclean: one that cannot be brought up to date stays as its version left it.
      try migrator.migrate(queue)
      start = try queue.inDatabase { try Self.begin(on: $0, random: random) }
    } catch {
      throw StorageError(error, path: path)
    }
  }

  static func configuration(_ settings: StorageSettings, isFile: Bool) -> Configuration {
    var configuration = Configuration()
    configuration.label = "walletpush.database"
    configuration.foreignKeysEnabled = true
    let (seconds, attoseconds) = settings.busyTimeout.components
    configuration.busyMode = .timeout(Double(seconds) + Double(attoseconds) / 1e18)
    configuration.prepareDatabase { db in
      // GRDB's own way to WAL would lower `synchronous` to NORMAL, which may lose commits in a power cut.
      if isFile { try db.execute(sql: "PRAGMA journal_mode = WAL") }
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA cache_size = -\(settings.pageCacheKiB)")
      try db.execute(sql: "PRAGMA journal_size_limit = \(settings.logKiB * 1024)")
    }
    return configuration
  }

  /// Neither another program's file nor a newer version's is touched.
  private static func checkOwner(
    of db: GRDB.Database, path: String, _ migrator: DatabaseMigrator
  ) throws {
    let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
    guard tables > 0 else { return }
    let application = try Int32.fetchOne(db, sql: "PRAGMA application_id")
    guard application == Schema.applicationID else { throw StorageError.foreignDatabase(path: path) }
    let known = migrator.migrations
    let newer = try migrator.appliedIdentifiers(db).filter { !known.contains($0) }
    guard newer.isEmpty else { throw StorageError.newerSchema(path: path, migrations: newer.sorted()) }
  }

  // MARK: Transactions

  /// Runs one transaction on the database's queue. It is not given up when the calling task is cancelled:
  /// stopping is when the last state must be written.
  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (GRDB.Database) throws -> Value
  ) async throws(StorageError) -> Value {
    guard !isClosed else { throw .closed(path: path) }
    let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
      queue.asyncWriteWithoutTransaction { db in
        continuation.resume(returning: Result { try Self.transaction(on: db, body) })
      }
    }
    do { return try result.get() } catch { throw StorageError(error, path: path) }
  }

  /// The same for a start, where there is nobody to keep waiting.
  func blockingTransaction<Value>(_ body: (GRDB.Database) throws -> Value) throws(StorageError) -> Value {
    guard !isClosed else { throw .closed(path: path) }
    do {
      return try queue.inDatabase { try Self.transaction(on: $0, body) }
    } catch {
      throw StorageError(error, path: path)
    }
  }

  /// IMMEDIATE: a transaction that can't write says so before it does anything.
  static func transaction<Value>(
    on db: GRDB.Database, _ body: (GRDB.Database) throws -> Value
  ) throws -> Value {
    var value: Value?
    try db.inTransaction(.immediate) {
      value = try body(db)
      return .commit
    }
    guard let value else { throw SQLiteFailure(code: 1, message: "a transaction had no outcome") }
    return value
  }

  // MARK: The writer

  /// Called by the writer when it starts.
  func attach(flush: @escaping @Sendable () async throws(StorageError) -> Void) {
    state.withLock { $0.flush = flush }
  }

  /// Writes what the ledger holds now, where there is a writer.
  func flushWriter() async throws(StorageError) {
    let flush = state.withLock { $0.flush }
    try await flush?()
  }

  // MARK: Closing

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Closes the file as it is. Unless `Writer.closeCleanly` or `closeCleanly(revision:)` came before, the
  /// next start begins a new epoch.
  public func close() {
    closeFile()
    lock?.release()
  }

  /// Closes the file, and keeps the right to it.
  func closeFile() {
    let wasClosed = state.withLock { state in
      defer { state.isClosed = true }
      return state.isClosed
    }
    guard !wasClosed else { return }
    do {
      try queue.close()
    } catch {
      // Nothing is lost: what was committed is in the log, which the next start reads.
      logger.warning("closing the database failed", metadata: ["error": "\(error)"])
    }
  }
}
