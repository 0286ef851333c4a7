import Ethereum
import GRDB
import Ledger
import TestSupport
import Testing

@testable import Storage

struct WalletStoreTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("a registration is on the disk when it is answered")
  func durable() async throws {
    let rig = try await Rig(folder.file())
    let answers = await rig.ledger.register([wallet(1), wallet(2)])
    #expect(try answers.map { try $0.get().id } == [1, 2])
    let copy = try openDatabase(folder.crashCopy(of: "test.sqlite", to: "copy.sqlite"))
    #expect(try copy.load().wallets.map(\.key) == [wallet(1), wallet(2)])
    #expect(try copy.load().nextWalletID == 3)
  }

  @Test("all or none")
  func atomic() async throws {
    let database = try openDatabase(":memory:")
    try await database.insert([(1, wallet(1))])
    await #expect(throws: StorageError.self) { try await database.insert([(2, wallet(2)), (3, wallet(1))]) }
    #expect(try database.load().wallets.map(\.id) == [1])
  }

  @Test("a registration has its time")
  func createdAt() async throws {
    let database = try openDatabase(":memory:")
    func number(_ sql: String) throws -> Int {
      try #require(try database.queue.inDatabase { try Int.fetchOne($0, sql: sql) })
    }
    let before = try number("SELECT unixepoch('now')")
    try await database.insert([(1, wallet(1))])
    let created = try number("SELECT created_at / 1000 FROM wallets")
    // However long it took, on a busy machine.
    #expect((before - 1...(try number("SELECT unixepoch('now')")) + 1).contains(created))
  }

  @Test("a deleted wallet takes its rows along, and its number is not given again")
  func delete() async throws {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    let ids = try await rig.fill(wallets: 0..<3, tokens: 4)
    try await rig.writer.flush()
    #expect(try await rig.ledger.delete(ids[2]))
    let outside = try Outsider(folder.file())
    #expect(try outside.number("SELECT count(*) FROM wallet_tokens") == 8)
    #expect(try outside.number("SELECT count(*) FROM wallet_tokens WHERE wallet_id = \(ids[2])") == 0)
    try await rig.writer.closeCleanly()
    let next = try await Rig(folder.file())
    #expect(try await next.ledger.register([wallet(2)]).map { try $0.get().id } == [ids[2] + 1])
  }

  @Test("a wallet deleted while its state is on the way to the database stays deleted")
  func deleteMeanwhile() async throws {
    let rig = try await Rig(":memory:")
    let ids = try await rig.fill(wallets: 0..<3, tokens: 4)
    let state = await rig.ledger.takeDirty()
    #expect(state.wallets.count == 3)
    #expect(try await rig.ledger.delete(ids[1]))
    let rows = try await rig.database.write(WriteJob(state: state, since: 0))
    #expect(rows == 4 + 2 + 2 * 4, "tokens, wallets, rows")
    let loaded = try rig.database.loadCounting()
    #expect(loaded.state.wallets.map(\.id) == [ids[0], ids[2]])
    #expect(loaded.problems == LoadProblems())
  }

  @Test("visibility is on the disk when it is answered, even of a row not yet written")
  func visibility() async throws {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    let ids = try await rig.fill(wallets: 0..<1, tokens: 2)
    #expect(try await rig.ledger.setVisible(false, wallet: ids[0], token: 1)?.row.isVisible == false)
    let copy = try openDatabase(folder.crashCopy(of: "test.sqlite", to: "copy.sqlite"))
    #expect(try copy.load().wallets[0].rows.map(\.isVisible) == [true, false])
    #expect(try await rig.ledger.setVisible(true, wallet: ids[0], token: 1)?.row.isVisible == true)
    try await rig.writer.flush()
    #expect(try rig.database.load().wallets[0].rows.map(\.isVisible) == [true, true])
  }

  @Test("an older state on the way to the database does not undo a change of visibility")
  func visibilityMeanwhile() async throws {
    // The writer's loop is not started: it could take the state before the test does.
    let rig = try await Rig(":memory:")
    let ids = try await rig.fill(wallets: 0..<1, tokens: 2)
    try await rig.writer.flush()
    await rig.ledger.acceptFailure(of: ids[0])
    let state = await rig.ledger.takeDirty()
    _ = try await rig.ledger.setVisible(false, wallet: ids[0], token: 1)
    _ = try await rig.database.write(WriteJob(state: state, since: 0))
    #expect(try rig.database.load().wallets[0].rows.map(\.isVisible) == [true, false])
    #expect(try rig.database.load().wallets[0].rows.map(\.state) == [.stale, .stale])
  }

  @Test("visibility of a row that is not there")
  func visibilityOfNothing() async throws {
    let rig = try await Rig(":memory:")
    try await rig.writer.start()
    await #expect(throws: StorageError.rowNotStored(wallet: 9, token: 1)) {
      try await rig.database.setVisible(false, wallet: 9, token: 1)
    }
  }

  @Test func chains() throws {
    let database = try openDatabase(folder.file())
    let eth = ChainRecord(code: chain("ETH"), chainID: 1, name: "Ethereum", symbol: "ETH")
    let bsc = ChainRecord(code: chain("BSC"), chainID: 56, name: "BNB Smart Chain", symbol: "BNB")
    #expect(try database.syncChains([eth]) == [])
    let outside = try Outsider(folder.file())
    try outside.execute("UPDATE chains SET is_active = 0, name = 'mine'")
    #expect(try database.syncChains([eth, bsc]) == [chain("ETH")])
    #expect(
      try outside.text("SELECT group_concat(code || chain_id || name || symbol) FROM chains")
        == "BSC56BNB Smart ChainBNB,ETH1mineETH")
  }
}
