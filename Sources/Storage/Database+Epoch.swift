import GRDB
import Ledger

/// Where the life of a revision counter begins.
public struct Start: Sendable, Hashable {
  public var epoch: String
  /// No stored cell has a higher one, and within the epoch no client has seen a higher one.
  public var revision: Revision
  /// The last stop was clean, so that the epoch goes on.
  public var wasClean: Bool
  /// The file had never been used before.
  public var isNew: Bool
}

/// Revisions stay below this; a stored one that doesn't has been tampered with.
let revisionLimit: Revision = 1 << 53

extension Database {
  /// Finds where to begin, and marks the file unclean: from here on the process may die at any time.
  static func begin(on db: GRDB.Database, random: UInt64) throws -> Start {
    try transaction(on: db) { db in
      let last = try Meta(db)
      var start = Start(
        epoch: makeEpoch(random: random), revision: last.revision ?? 0, wasClean: false,
        isNew: last.epoch == nil)
      if last.isClean, let epoch = last.epoch, last.revision != nil {
        start.epoch = epoch
        start.wasClean = true
      } else {
        // The highest number that was ever stored, whatever became of the one kept for this.
        start.revision = max(start.revision, try highestStoredRevision(db))
        if start.epoch == last.epoch { start.epoch = makeEpoch(random: random &+ 1) }
      }
      try Meta.write(db, epoch: start.epoch, revision: start.revision, isClean: false)
      return start
    }
  }

  /// Marks the file clean at `revision`, when everything up to it is stored, and closes it. For those who
  /// write without a `Writer`; it does this itself.
  ///
  /// The ledger must have come to rest: a revision it hands out afterwards would be handed out again.
  public func closeCleanly(revision: Revision) async throws(StorageError) {
    try await transaction { [epoch = start.epoch] db in
      try Meta.write(db, epoch: epoch, revision: revision, isClean: true)
    }
    close()
  }

  private static func highestStoredRevision(_ db: GRDB.Database) throws -> Revision {
    let sql = """
      SELECT max(
        ifnull((SELECT max(max(revision, row_revision)) FROM wallet_tokens), 0),
        ifnull((SELECT max(registered_revision) FROM wallets), 0),
        ifnull((SELECT max(revision) FROM ledger_prices), 0))
      """
    let highest = try Int64.fetchOne(db, sql: sql) ?? 0
    return Revision(clamping: highest) < revisionLimit ? Revision(clamping: highest) : 0
  }
}

/// The table `meta`: what is known of the counter's last life.
struct Meta {
  var epoch: String?
  var revision: Revision?
  var isClean: Bool

  init(_ db: GRDB.Database) throws {
    func value(_ key: String) throws -> String? {
      try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
    }
    // 1–16 characters without a colon, or no client could resume from it.
    epoch = try value("epoch").flatMap { text in
      (1...16).contains(text.utf8.count) && !text.utf8.contains(UInt8(ascii: ":")) ? text : nil
    }
    revision = try value("revision").flatMap { Revision($0) }.flatMap { $0 < revisionLimit ? $0 : nil }
    isClean = try value("clean") == "1"
  }

  static func write(_ db: GRDB.Database, epoch: String, revision: Revision, isClean: Bool) throws {
    let statement = try db.makeStatement(
      sql:
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
    try statement.execute(arguments: ["epoch", epoch])
    try statement.execute(arguments: ["revision", String(revision)])
    try statement.execute(arguments: ["clean", isClean ? "1" : "0"])
  }
}
