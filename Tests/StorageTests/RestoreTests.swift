import Ethereum
import GRDB
import Glibc
import Ledger
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// A damaged file at a start.
struct RestoreTests {
  let folder: TemporaryFolder
  private static let now: UnixMilliseconds = 1_795_658_400_000
  private static let stamp = "20261126T0200Z"
  private static let pageBytes = 4_096

  init() throws { folder = try TemporaryFolder() }

  private func restore(
    _ path: String, replacesDamaged: Bool = true, log: Log = Log()
  ) throws(StorageError) -> RestoredDatabase {
    try Database.restore(
      path: path, random: 9, settings: quickSettings,
      logger: Logger(label: "test") { _ in LogKeeper(log: log) }, replacesDamaged: replacesDamaged,
      now: Self.now)
  }

  private func restoreError(_ path: String, replacesDamaged: Bool = true) -> StorageError? {
    do throws(StorageError) {
      try restore(path, replacesDamaged: replacesDamaged).database.close()
      return nil
    } catch {
      return error
    }
  }

  /// A file of 300 wallets with ten tokens each, one of which is hidden, as a clean stop leaves it.
  private func makeFile() async throws -> [UInt8] {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    let ids = try await rig.fill(wallets: 0..<300, tokens: 10)
    try await rig.writer.flush()
    _ = try await rig.ledger.setVisible(false, wallet: ids[7], token: 3)
    _ = try await rig.ledger.register([wallet(999)])
    _ = try await rig.ledger.delete(301)
    try await rig.writer.closeCleanly()
    return try #require(readFile(folder.file()))
  }

  private func entries() -> [String] {
    var names: [String] = []
    guard let stream = opendir(folder.path) else { return [] }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names.filter { name in
      name.hasPrefix("test.sqlite.") && ![".lock", "-wal", "-shm"].contains { name.hasSuffix($0) }
    }.sorted()
  }

  /// Every page in its turn, the first but for its header: no wallet is lost, wherever it is, and what is shown is what
  /// was written.
  @Test func whicheverPageIsDamagedNoWalletIsLost() async throws {
    let good = try await makeFile()
    let pages = good.count / Self.pageBytes
    #expect(pages > 30)
    var replaced = 0
    var lost: [Int] = []
    var reused: [Int] = []
    for page in 0..<pages {
      let path = folder.file("page\(page).sqlite")
      var bytes = good
      for index in max(100, page * Self.pageBytes)..<((page + 1) * Self.pageBytes) { bytes[index] = 0xA5 }
      try writeFile(path, bytes)
      let restored = try restore(path)
      defer { restored.database.close() }
      guard !restored.damagedFiles.isEmpty else {
        #expect(restored.state.wallets.count == 300, "page \(page)")
        continue
      }
      replaced += 1
      #expect(restored.damagedFiles == [path + ".damaged-" + Self.stamp])
      let kept = readFile(restored.damagedFiles[0]) ?? []
      let range = max(100, page * Self.pageBytes)..<((page + 1) * Self.pageBytes)
      let isKept = kept.count == bytes.count && kept[range] == bytes[range]
      #expect(isKept, "page \(page)")
      #expect(restored.database.start.epoch == makeEpoch(random: 9) && !restored.database.start.wasClean)
      let wallets = restored.state.wallets
      if wallets.map(\.key) != (0..<300).map({ wallet($0) }) { lost.append(page) }
      guard !wallets.isEmpty else { continue }
      if restored.state.nextWalletID != 302 { reused.append(page) }
      for cells in wallets where cells.isComplete {
        #expect(cells.rows.count == 10, "page \(page)")
        #expect(cells.rows.allSatisfy { $0.balance == UInt256(UInt64(cells.id) * 1_000 + UInt64($0.token)) })
        #expect(cells.rows.map(\.isVisible) == (0..<10).map { cells.id != 8 || $0 != 3 }, "page \(page)")
      }
      #expect(wallets.allSatisfy { $0.isComplete || $0.rows.isEmpty && $0.readAt == nil })
    }
    #expect(replaced > pages / 2)
    // Without the schema there is nothing to begin from.
    #expect(lost == [0], "of \(pages) pages")
    #expect(
      reused.count <= 1, "only where the sequence itself is lost a number may be given again: \(reused)")
  }

  @Test func itIsSaidAndTheNewFileIsServedFrom() async throws {
    var bytes = try await makeFile()
    let pages = bytes.count / Self.pageBytes
    for index in ((pages / 2) * Self.pageBytes)..<((pages / 2 + 1) * Self.pageBytes) { bytes[index] = 0xA5 }
    try writeFile(folder.file(), bytes)
    chmod(folder.file(), 0o640)
    let log = Log()
    let restored = try restore(folder.file(), log: log)
    var status = stat()
    #expect(
      stat(folder.file(), &status) == 0 && status.st_mode & 0o777 == 0o640, "nobody else may read it now")
    let kept = folder.file() + ".damaged-" + Self.stamp
    let errors = log.lines.withLock { $0 }.filter { $0.contains("set aside whole") }
    #expect(errors.count == 1)
    #expect(
      errors.first?.contains("damaged=\(kept)") == true && errors.first?.contains("wallets=300") == true)
    try await restored.database.insert([(302, wallet(302))])
    try await restored.database.closeCleanly(revision: restored.database.start.revision)
    let next = try restore(folder.file())
    #expect(next.state.wallets.count == 301 && next.database.start.wasClean)
    #expect(next.damagedFiles == [kept], "until it is moved away")
    next.database.close()
    #expect(entries() == ["test.sqlite.damaged-" + Self.stamp])
  }

  @Test func aFileThatWasDamagedUnderARunningServerIsLookedAtWhole() async throws {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    _ = try await rig.fill(wallets: 0..<300, tokens: 3)
    try await rig.writer.flush()
    rig.database.close()
    let root = try Outsider(folder.file()).number(
      "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_wallets_1'")
    var bytes = try #require(readFile(folder.file()))
    for index in ((root - 1) * Self.pageBytes)..<(root * Self.pageBytes) { bytes[index] = 0xA5 }
    try writeFile(folder.file(), bytes)
    // A load reads no index; the first registration would need it.
    let restored = try restore(folder.file())
    #expect(restored.damagedFiles.count == 1 && restored.state.wallets.count == 300)
    try await restored.database.insert([(400, wallet(400))])
    restored.database.close()
  }

  @Test func aFileCutShortLosesItsEnd() async throws {
    let good = try await makeFile()
    try writeFile(folder.file(), Array(good.prefix(good.count / 2)))
    let restored = try restore(folder.file())
    #expect(restored.damagedFiles.count == 1)
    #expect(!restored.state.wallets.isEmpty)
    restored.database.close()
  }

  @Test("a gap in the tokens' numbers")
  func contentThatContradictsItself() async throws {
    _ = try await makeFile()
    try Outsider(folder.file()).execute("DELETE FROM tokens WHERE id = 4")
    let restored = try restore(folder.file())
    #expect(restored.state.tokens.map(\.id) == [0, 1, 2, 3])
    #expect(restored.state.wallets.count == 300)
    #expect(restored.state.wallets.allSatisfy { !$0.isComplete && $0.rows.isEmpty })
    restored.database.close()
  }

  // MARK: What stops the start

  @Test func theSettingStopsTheStart() async throws {
    var bytes = try await makeFile()
    for index in 100..<bytes.count { bytes[index] = 0xA5 }
    try writeFile(folder.file(), bytes)
    guard case .damaged? = restoreError(folder.file(), replacesDamaged: false) else {
      Issue.record("it was started")
      return
    }
    #expect(entries().isEmpty)
    #expect(restoreError(folder.file()) == nil)
  }

  @Test(arguments: ["{\"http\": {\"port\": 8080}}", "SQLite format 3", ""])
  func anotherFileIsNeverMoved(_ text: String) throws {
    let bytes = Array((text + String(repeating: " ", count: 200)).utf8)
    try writeFile(folder.file(), bytes)
    #expect(restoreError(folder.file()) == .notADatabase(path: folder.file()))
    #expect(readFile(folder.file()) == bytes && entries().isEmpty)
  }

  @Test func anotherProgramsDatabaseIsNeverMoved() throws {
    try Outsider(folder.file()).execute("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(20000))")
    #expect(restoreError(folder.file()) == .foreignDatabase(path: folder.file()))
    var bytes = try #require(readFile(folder.file()))
    for index in 100..<bytes.count { bytes[index] = 0xA5 }
    try writeFile(folder.file(), bytes)
    guard case .damaged? = restoreError(folder.file()) else {
      Issue.record("it was started")
      return
    }
    #expect(readFile(folder.file()) == bytes && entries().isEmpty)
  }

  @Test func aNewerVersionsFileIsNeverMoved() throws {
    try openDatabase(folder.file()).close()
    try Outsider(folder.file()).execute("INSERT INTO grdb_migrations (identifier) VALUES ('v9')")
    #expect(restoreError(folder.file()) == .newerSchema(path: folder.file(), migrations: ["v9"]))
    #expect(entries().isEmpty)
  }

  @Test("three damaged files are enough: then it is the disk")
  func noMoreThanThreeAreKept() async throws {
    var bytes = try await makeFile()
    for index in 100..<bytes.count { bytes[index] = 0xA5 }
    for _ in 0..<DamagedFiles.maximum {
      try writeFile(folder.file(), bytes)
      #expect(restoreError(folder.file()) == nil)
    }
    let kept = ["", "-2", "-3"].map { "test.sqlite.damaged-" + Self.stamp + $0 }
    #expect(entries() == kept)
    try writeFile(folder.file(), bytes)
    guard case .damaged(folder.file(), _)? = restoreError(folder.file()) else {
      Issue.record("it was started")
      return
    }
    #expect(entries() == kept)
  }

  @Test func oneProcessAtATime() throws {
    let first = try restore(folder.file())
    #expect(restoreError(folder.file()) == .inUse(path: folder.file(), process: String(getpid())))
    first.database.close()
    #expect(restoreError(folder.file()) == nil)
  }

  // MARK: A crash meanwhile

  @Test func whatWasSalvagedIsTakenByTheNextStart() async throws {
    _ = try await makeFile()
    #expect(rename(folder.file(), folder.file() + ".salvaged") == 0)
    let restored = try restore(folder.file())
    #expect(restored.state.wallets.count == 300)
    restored.database.close()
    #expect(entries().isEmpty)
  }

  @Test func aLogThatTheCrashLeftBehindGoesToItsFile() async throws {
    let bytes = try await makeFile()
    #expect(rename(folder.file(), folder.file() + ".salvaged") == 0)
    let kept = folder.file() + ".damaged-" + Self.stamp
    try writeFile(kept, bytes)
    try writeFile(folder.file() + "-wal", Array("another file's".utf8))
    let restored = try restore(folder.file())
    #expect(restored.state.wallets.count == 300)
    restored.database.close()
    #expect(readFile(kept + "-wal") == Array("another file's".utf8))
  }

  @Test func whatWasHalfSalvagedIsBegunAnew() async throws {
    var bytes = try await makeFile()
    let pages = bytes.count / Self.pageBytes
    for index in ((pages / 2) * Self.pageBytes)..<((pages / 2 + 1) * Self.pageBytes) { bytes[index] = 0xA5 }
    try writeFile(folder.file(), bytes)
    try writeFile(folder.file() + ".salvaged", Array("half".utf8))
    let restored = try restore(folder.file())
    #expect(restored.state.wallets.count == 300)
    restored.database.close()
    #expect(entries() == ["test.sqlite.damaged-" + Self.stamp])
  }

  @Test(
    arguments: [
      (0, "19700101T0000Z"), (951_782_399_999, "20000228T2359Z"), (now, stamp),
    ] as [(UnixMilliseconds, String)])
  func stamps(_ time: UnixMilliseconds, _ text: String) {
    #expect(DamagedFiles.stamp(time) == text)
  }

  /// What was logged: the message and its metadata.
  final class Log: Sendable {
    let lines = Mutex<[String]>([])
  }

  private struct LogKeeper: LogHandler {
    let log: Log
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    init(log: Log) { self.log = log }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let values = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
      log.lines.withLock { $0.append("\(event.message) " + values.joined(separator: " ")) }
    }
  }
}
