import Dispatch
import Ethereum
import GRDB
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Ledger
@testable import Storage

struct WriterTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("the loop writes what the ledger accepts, without being asked")
  func loop() async throws {
    let rig = try await Rig(folder.file(), interval: .milliseconds(1))
    try await rig.writer.start()
    let outside = try Outsider(folder.file())
    for round in 1...3 {
      _ = try await rig.fill(wallets: 0..<(round * 5), tokens: round, block: UInt64(round))
      try await eventually("round \(round)") {
        try outside.number("SELECT count(*) FROM wallet_tokens") == round * round * 5
      }
    }
    #expect(rig.writer.isHealthy)
    try await rig.writer.closeCleanly()
  }

  @Test("what was accepted before the writer starts is written too")
  func before() async throws {
    let rig = try await Rig(folder.file(), interval: .milliseconds(1))
    _ = try await rig.fill(wallets: 0..<2, tokens: 2)
    try await rig.writer.start()
    let outside = try Outsider(folder.file())
    try await eventually("rows") { try outside.number("SELECT count(*) FROM wallet_tokens") == 4 }
  }

  @Test("many wake-ups are one write")
  func coalesced() async throws {
    let rig = try await Rig(folder.file())  // An interval of an hour.
    // Filled before the start: a first write that found nothing would put off the next one by the interval.
    let ids = try await rig.fill(wallets: 0..<2, tokens: 1)
    try await rig.writer.start()
    let outside = try Outsider(folder.file())
    try await eventually("the first write does not wait") {
      try outside.number("SELECT count(*) FROM tokens") == 1
    }
    try await rig.writer.flush()
    for block in 101..<200 as Range<UInt64> {
      await rig.ledger.accept(
        WalletReading(wallet: ids[0], block: block, readAt: 5, outcomes: [(0, .balance(UInt256(block)))]))
    }
    #expect(try outside.number("SELECT max(block) FROM wallets") == 100)
    try await rig.writer.flush()
    #expect(try outside.number("SELECT max(block) FROM wallets") == 199)
    #expect(try outside.text("SELECT balance FROM wallet_tokens WHERE wallet_id = \(ids[0])") == "199")
  }

  @Test("only rows that changed are written")
  func changedRowsOnly() async throws {
    let rig = try await Rig(":memory:")
    let ids = try await rig.fill(wallets: 0..<1, tokens: 10)
    let first = await rig.ledger.takeDirty()
    #expect(try await rig.database.write(WriteJob(state: first, since: 0)) == 10 + 1 + 10)
    await rig.ledger.accept(
      WalletReading(
        wallet: ids[0], block: 101, readAt: 5,
        outcomes: (0..<10).map { ($0, .balance(UInt256($0 == 3 ? 7 : UInt64(ids[0]) * 1000 + UInt64($0)))) }))
    let second = await rig.ledger.takeDirty()
    #expect(try await rig.database.write(WriteJob(state: second, since: first.revision)) == 1 + 1)
    let loaded = try rig.database.load().wallets[0]
    #expect(loaded.rows[3].balance == 7 && loaded.rows[4].balance == UInt256(UInt64(ids[0]) * 1000 + 4))
    #expect(loaded.block == 101 && loaded.rows[3].block == 101 && loaded.rows[4].block == 100)
  }

  @Test("a locked database: serving goes on, nothing is lost, and it recovers by itself")
  func locked() async throws {
    let rig = try await Rig(folder.file(), interval: .milliseconds(1))
    try await rig.writer.start()
    let ids = try await rig.fill(wallets: 0..<5, tokens: 3)
    try await rig.writer.flush()
    let outside = try Outsider(folder.file())
    try outside.execute("BEGIN IMMEDIATE")
    for round in 0..<3 as Range<UInt64> {
      for id in ids {
        await rig.ledger.accept(
          WalletReading(
            wallet: id, block: 200 + round, readAt: 9, outcomes: [(0, .balance(UInt256(round + 40)))]))
      }
      await #expect(throws: StorageError.busy(path: folder.file())) { try await rig.writer.flush() }
    }
    #expect(!rig.writer.isHealthy)
    #expect(await rig.ledger.register([wallet(77)]).map { try? $0.get().id } == [nil])
    try outside.execute("ROLLBACK")
    try await eventually("recovers") { rig.writer.isHealthy }
    #expect(
      try outside.number("SELECT count(*) FROM wallet_tokens WHERE balance = '42' AND block = 202") == 5)
    #expect(await rig.ledger.register([wallet(77)]).allSatisfy { (try? $0.get().isNew) == true })
    let revision = await rig.ledger.revision
    try await rig.writer.closeCleanly()
    #expect(try openDatabase(folder.file()).start.revision == revision)
  }

  @Test("a clean stop of a locked database fails, and can be tried again")
  func lockedAtTheEnd() async throws {
    let rig = try await Rig(folder.file(), random: 1)
    try await rig.writer.start()
    _ = try await rig.fill(wallets: 0..<5, tokens: 3)
    let outside = try Outsider(folder.file())
    try outside.execute("BEGIN IMMEDIATE")
    await #expect(throws: StorageError.busy(path: folder.file())) { try await rig.writer.closeCleanly() }
    try outside.execute("ROLLBACK")
    try await rig.writer.closeCleanly()
    let next = try openDatabase(folder.file(), random: 2)
    #expect(next.start.epoch == makeEpoch(random: 1) && next.start.wasClean)
    #expect(try next.load().wallets.reduce(0) { $0 + $1.rows.count } == 15)
  }

  @Test("writes asked for at once are made one after the other, the newest last")
  func overlapping() async throws {
    let rig = try await Rig(folder.file(), interval: .milliseconds(1))
    try await rig.writer.start()
    let id = try await rig.fill(wallets: 0..<1, tokens: 1)[0]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for round in 0..<50 as Range<UInt64> {
        group.addTask {
          await rig.ledger.accept(
            WalletReading(
              wallet: id, block: 200, readAt: 9, outcomes: [(0, .balance(UInt256(round + 1)))]))
          try await rig.writer.flush()
        }
      }
      try await group.waitForAll()
    }
    let held = await rig.ledger.wallet(id)?.rows[0]
    let stored = try rig.database.load().wallets[0].rows[0]
    #expect(stored == held)
  }

  @Test("a flush waits for the write that is under way: durable means both")
  func flushDuringWrite() async throws {
    let rig = try await Rig(":memory:")
    try await rig.writer.start()
    try await rig.writer.flush()
    let gate = DispatchSemaphore(value: 0)
    rig.database.queue.asyncWriteWithoutTransaction { _ in gate.wait() }
    await rig.ledger.intern(token(0), info: TokenInfo(isListed: true))
    let first = Task { try await rig.writer.flush() }
    try await eventually("the first has taken what is dirty") { await rig.ledger.dirtyTokens.isEmpty }
    let hasReturned = Flag()
    let second = Task {
      try await rig.writer.flush()
      hasReturned.isSet.store(true, ordering: .sequentiallyConsistent)
    }
    // However long this is, a correct flush has not returned.
    try await Task.sleep(for: .milliseconds(50))
    let isEarly = hasReturned.isSet.load(ordering: .sequentiallyConsistent)
    #expect(!isEarly)
    gate.signal()
    try await second.value
    try await first.value
    #expect(try rig.database.load().tokens.count == 1)
  }

  @Test("a cancelled task still writes")
  func cancelled() async throws {
    let rig = try await Rig(":memory:")
    try await rig.writer.start()
    _ = try await rig.fill(wallets: 0..<1, tokens: 3)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await rig.writer.flush()
    }
    try await task.value
    #expect(try rig.database.load().wallets[0].rows.count == 3)
  }

  @Test("ten thousand rows in one transaction")
  func bulk() async throws {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    _ = try await rig.fill(wallets: 0..<1000, tokens: 10)
    try await rig.writer.closeCleanly()
    let loaded = try openDatabase(folder.file()).load()
    #expect(loaded.wallets.count == 1000)
    #expect(loaded.wallets.allSatisfy { $0.rows.map(\.token) == Array(0..<10) })
    #expect(loaded.wallets.allSatisfy { $0.rows.allSatisfy { $0.isKnown && $0.state == .fresh } })
  }

  @Test("a killed process loses no registration and no flushed row, and its epoch ends")
  func killed() async throws {
    let path = folder.file()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let rig = try await Rig(path, random: 1)
      try await rig.writer.start()
      _ = try await rig.fill(wallets: 0..<20, tokens: 3)
      try await rig.writer.flush()
      _ = await rig.ledger.register([wallet(50)])
      kill(getpid(), SIGKILL)
    }
    let database = try openDatabase(path, random: 2)
    #expect(database.start.epoch == makeEpoch(random: 2))
    #expect(!database.start.wasClean && !database.start.isNew)
    #expect(database.start.revision >= 80)
    let loaded = try database.load()
    #expect(loaded.wallets.map(\.key) == (0..<20).map { wallet($0) } + [wallet(50)])
    #expect(loaded.wallets.prefix(20).allSatisfy { $0.rows.count == 3 && $0.isComplete })
  }
}

private final class Flag: Sendable {
  let isSet = Atomic(false)
}
