// A start.
//
// A damaged file must not keep a server from its users: what it shows is on the chains, and what it alone knows, the
// wallets that were registered, is in two places of the file. So what can still be read goes into a new file, which
// is finished before the damaged one is moved aside; that one is kept whole. A crash in between leaves either the damaged
// file where it was, or the new one ready beside an empty place, which the next start puts there.
//
// Only damage is treated so, and only of a file that says it is ours: what is no database, is another program's or a
// newer version's, cannot be opened or cannot be read for the disk's sake stops the start as it is.

import GRDB
import Ledger
import Logging

/// A database ready to serve from.
public struct RestoredDatabase: Sendable {
  public var database: Database
  public var state: RestoredState
  /// Damaged files that lie beside it, the oldest first.
  public var damagedFiles: [String]
}

extension Database {
  /// What is wrong with the path, as far as it shows without opening what is there.
  ///
  /// - Throws: `noFolder` or `notAFile`.
  public static func check(path: String) throws(StorageError) {
    if path != inMemory { try FileLock.checkPlace(path) }
  }

  /// Opens or creates the database, as ``open(path:random:settings:logger:)`` does, and loads all that a ledger begins with.
  ///
  /// - Parameters:
  ///   - replacesDamaged: whether a damaged file is set aside for a new one with what can be read of it; otherwise
  ///     `damaged` is thrown.
  ///   - now: what the damaged file's new name says.
  public static func restore(
    path: String, random: UInt64, settings: StorageSettings, logger: Logger, replacesDamaged: Bool,
    now: UnixMilliseconds
  ) throws(StorageError) -> RestoredDatabase {
    let migrator = Schema.migrator
    guard path != inMemory else {
      let database = try open(path: path, random: random, settings: settings, logger: logger)
      return RestoredDatabase(database: database, state: try database.load(), damagedFiles: [])
    }
    let path = FileLock.resolve(path)
    let lock = try FileLock(guarding: path)
    let files = DamagedFiles(path: path)
    let salvaged = path + ".salvaged"
    func restored() throws(StorageError) -> RestoredDatabase {
      let database = try Database(
        path: path, lock: lock, random: random, settings: settings, logger: logger, migrator: migrator)
      do throws(StorageError) {
        try database.checkAfterCrash()
        return RestoredDatabase(database: database, state: try database.load(), damagedFiles: files.names)
      } catch {
        database.closeFile()
        throw error
      }
    }
    do throws(StorageError) {
      // An earlier start has set the damaged file aside, and got no further.
      if !files.exists, DamagedFiles(path: salvaged).exists {
        try files.finishSettingAside()
        try files.replace(by: salvaged)
      }
      do throws(StorageError) {
        return try restored()
      } catch {
        guard error.isDamage, replacesDamaged, files.isOurs, files.names.count < DamagedFiles.maximum
        else { throw error }
        try files.begin(salvaged)
        let report = try Salvage.copy(from: path, to: salvaged, settings, migrator, logger)
        let kept = try files.setAside(now: now)
        try files.replace(by: salvaged)
        report.log(error, kept: kept, path: path, logger)
        return try restored()
      }
    } catch {
      lock.release()
      throw error
    }
  }

  /// Where the last stop was not clean, be it that the file was damaged while it was in use, pages that a load does not
  /// read are looked at too: indexes, which would fail a write later.
  private func checkAfterCrash() throws(StorageError) {
    guard !start.wasClean, !start.isNew else { return }
    let path = path
    try blockingTransaction { db in
      let found = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
      guard found == "ok" else { throw StorageError.damaged(path: path, detail: found) }
    }
  }
}

extension StorageError {
  /// The content is damaged, and nothing else is wrong. A file whose header is nonsense SQLite calls no database.
  fileprivate var isDamage: Bool {
    switch self {
    case .damaged, .notADatabase: true
    default: false
    }
  }
}
