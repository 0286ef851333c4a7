import Ethereum
import GRDB
import Glibc
import Ledger
import TestSupport
import Testing

@testable import Storage

/// A disk that fails under a running server: serving goes on, it is seen, and when it works again all that was accepted
/// meanwhile is stored.
struct FailureTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Accepts things while the database fails, ends the failure, and looks at what came of it.
  private static func endure(
    _ path: String, _ expected: @Sendable (StorageError) -> Bool,
    fail: @Sendable (Storage.Database) throws -> Void, mend: @Sendable (Storage.Database) throws -> Void
  ) async throws {
    let rig = try await Rig(path, random: 1, interval: .milliseconds(1))
    try await rig.writer.start()
    let ids = try await rig.fill(wallets: 0..<20, tokens: 10)
    try await rig.writer.flush()
    #expect(rig.writer.isHealthy)
    try fail(rig.database)
    // More than fits what little room there may be.
    for round in 1...3 as ClosedRange<UInt64> {
      for id in ids {
        await rig.ledger.accept(
          WalletReading(
            wallet: id, block: 200 + round, readAt: 9,
            outcomes: (0..<10).map { ($0, .balance(UInt256(7, 7, 7, round))) }))
      }
      do throws(StorageError) {
        try await rig.writer.flush()
        Issue.record("it was written all the same")
      } catch {
        #expect(expected(error), "\(error)")
      }
    }
    #expect(!rig.writer.isHealthy)
    #expect(await rig.ledger.wallet(ids[0])?.rows[3].balance == UInt256(7, 7, 7, 3))
    // What must be stored before it is answered is refused.
    guard case .failure(.notStored)? = await rig.ledger.register([wallet(77)]).first else {
      Issue.record("registered without being stored")
      return
    }
    await #expect(throws: StorageError.self) {
      _ = try await rig.ledger.setVisible(false, wallet: ids[0], token: 0)
    }
    try mend(rig.database)
    try await eventually("recovers by itself") { rig.writer.isHealthy }
    #expect(try await rig.ledger.register([wallet(77)]).map { try $0.get().isNew } == [true])
    let revision = await rig.ledger.revision
    try await rig.writer.closeCleanly()
    let next = try openDatabase(path, random: 2)
    #expect(
      next.start == Start(epoch: makeEpoch(random: 1), revision: revision, wasClean: true, isNew: false))
    let stored = try next.load().wallets
    #expect(stored.map(\.key) == (0..<20).map { wallet($0) } + [wallet(77)])
    for cells in stored.prefix(20) {
      #expect(cells.block == 203 && cells.isComplete)
      #expect(cells.rows.map(\.balance) == Array(repeating: UInt256(7, 7, 7, 3), count: 10))
      #expect(cells.rows.allSatisfy { $0.isVisible })
    }
    next.close()
  }

  @Test func fullDisk() async throws {
    let path = folder.file()
    try await Self.endure(path, { $0 == .diskFull(path: path) }) { database in
      try database.queue.inDatabase { db in
        // Every write needs room, not only the one that happens to fill a page.
        for event in ["UPDATE ON wallets", "INSERT ON wallets", "UPDATE ON wallet_tokens"] {
          try db.execute(
            sql: """
              CREATE TEMP TRIGGER "\(event)" AFTER \(event) BEGIN
                INSERT INTO meta VALUES (hex(randomblob(5000)), '');
              END
              """)
        }
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        try db.execute(sql: "PRAGMA max_page_count = \(pages)")
      }
    } mend: { database in
      try database.queue.inDatabase { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
    }
  }

  @Test func readOnly() async throws {
    let path = folder.file()
    try await Self.endure(path) {
      guard case .notPermitted(path, _) = $0 else { return false }
      return true
    } fail: { database in
      try database.queue.inDatabase { try $0.execute(sql: "PRAGMA query_only = 1") }
    } mend: { database in
      try database.queue.inDatabase { try $0.execute(sql: "PRAGMA query_only = 0") }
    }
  }

  /// The system refuses to let files grow. In a process of its own: the limit is the process's.
  @Test func noRoomForTheLog() async throws {
    let path = folder.file()
    await #expect(processExitsWith: .success) { [path = path as String] in
      signal(SIGXFSZ, SIG_IGN)
      try await Self.endure(path) {
        guard case .failed(path, _) = $0 else { return false }
        return "\($0)".contains("disk I/O error")
      } fail: { _ in
        try limitFileSize(1)
      } mend: { _ in
        try limitFileSize(nil)
      }
    }
  }

  @Test("a file that becomes nonsense under a running server")
  func damagedMeanwhile() async throws {
    let path = folder.file()
    let rig = try await Rig(path, interval: .milliseconds(1))
    try await rig.writer.start()
    let ids = try await rig.fill(wallets: 0..<20, tokens: 10)
    try await rig.writer.flush()
    try rig.database.queue.inDatabase { db in
      try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      // What SQLite has in memory would hide it.
      try db.execute(sql: "PRAGMA shrink_memory")
    }
    var bytes = try #require(readFile(path))
    for index in 4096..<bytes.count { bytes[index] = 0xA5 }
    try writeFile(path, bytes)
    await rig.ledger.accept(
      WalletReading(wallet: ids[0], block: 201, readAt: 9, outcomes: [(0, .balance(42))]))
    do throws(StorageError) {
      try await rig.writer.flush()
      Issue.record("it was written all the same")
    } catch {
      guard case .damaged(path, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(!rig.writer.isHealthy)
    #expect(await rig.ledger.wallet(ids[0])?.rows[0].balance == 42)
    await #expect(throws: StorageError.self) { try await rig.writer.closeCleanly() }
    rig.database.close()
  }

  // MARK: At a start

  @Test("whichever page is nonsense: it is said, or nothing of what is loaded was on it")
  func anyDamagedPage() async throws {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    _ = try await rig.fill(wallets: 0..<60, tokens: 10)
    try await rig.writer.closeCleanly()
    let good = try #require(readFile(folder.file()))
    let pages = good.count / 4096
    #expect(pages > 10)
    var damaged = 0
    for page in 1..<pages {
      let path = folder.file("page\(page).sqlite")
      var bytes = good
      for index in (page * 4096)..<((page + 1) * 4096) { bytes[index] = 0xA5 }
      try writeFile(path, bytes)
      do throws(StorageError) {
        let database = try openDatabase(path)
        defer { database.close() }
        let wallets = try database.load().wallets
        #expect(wallets.map(\.key) == (0..<60).map { wallet($0) })
        #expect(
          wallets.allSatisfy {
            $0.rows.count == 10 && $0.rows[9].balance == UInt256(UInt64($0.id) * 1000 + 9)
          })
      } catch {
        guard case .damaged(path, _) = error else {
          Issue.record("page \(page): \(error)")
          continue
        }
        damaged += 1
      }
    }
    #expect(damaged > pages / 2)
  }

  /// As somebody who is not the superuser: he may write everything.
  private func refused(_ path: String, _ file: String, _ prepare: () -> Void) async {
    prepare()
    chmod(folder.path, geteuid() == 0 ? 0o755 : 0o700)
    await #expect(processExitsWith: .success) { [path = path as String, file = file as String] in
      if geteuid() == 0 { #expect(setuid(65_534) == 0) }
      #expect(throws: StorageError.notPermitted(path: file, reason: "Permission denied")) {
        _ = try openDatabase(path)
      }
    }
  }

  @Test(arguments: [0o444, 0o000] as [mode_t])
  func readOnlyFile(mode: mode_t) async throws {
    let path = folder.file()
    try openDatabase(path).close()
    await refused(path, path) {
      chmod(path + ".lock", 0o666)
      chmod(path, mode)
    }
  }

  @Test func readOnlyFolder() async throws {
    let path = folder.file()
    if geteuid() != 0 { chmod(folder.path, 0o555) }
    defer { chmod(folder.path, 0o755) }
    await #expect(processExitsWith: .success) { [path = path as String, folder = folder.path as String] in
      if geteuid() == 0 {
        #expect(chmod(folder, 0o555) == 0 && setuid(65_534) == 0)
      }
      #expect(throws: StorageError.notPermitted(path: path + ".lock", reason: "Permission denied")) {
        _ = try openDatabase(path)
      }
    }
  }
}

/// - Parameter bytes: nil: as far as it may be.
private func limitFileSize(_ bytes: rlim_t?) throws {
  var limit = rlimit()
  try #require(getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
  limit.rlim_cur = bytes ?? limit.rlim_max
  try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
}
