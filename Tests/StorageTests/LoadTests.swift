import Ethereum
import Ledger
import Testing
import TestSupport

@testable import Storage

struct LoadTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  // MARK: What was written comes back

  /// A wallet as a ledger must hold it after a start: what was fresh is stale, everything else is the same.
  private func expectSame(_ restored: Ledger, as ledger: Ledger, seed: UInt64) async throws {
    #expect(await restored.walletCount == ledger.walletCount, "seed \(seed)")
    #expect(await restored.tokenCount == ledger.tokenCount, "seed \(seed)")
    for (id, key) in await ledger.walletPage(after: 0, limit: .max) {
      let before = try #require(await ledger.wallet(id))
      let after = try #require(await restored.wallet(id), "seed \(seed)")
      #expect(after.key == key && after.isComplete == before.isComplete)
      #expect(after.block == before.block && after.readAt == before.readAt)
      // A wallet that was never read is as good as new.
      #expect(after.registeredRevision == before.registeredRevision || !before.isComplete)
      let expected = before.rows.map { row in
        var row = row
        if row.state == .fresh { row.state = .stale }
        return row
      }
      #expect(after.rows.map(Row.init) == expected.map(Row.init), "seed \(seed), wallet \(id)")
    }
    for id in 0..<TokenID(await ledger.tokenCount) {
      let before = await ledger.priceCell(id)
      let after = await restored.priceCell(id)
      #expect(after.token.key == before.token.key && after.token.info == before.token.info)
      #expect(after.price?.plainText == before.price?.plainText, "seed \(seed), token \(id)")
      #expect(after.change == before.change && after.sourceTime == before.sourceTime)
      #expect(after.state == (before.price == nil ? .unknown : .stale))
    }
  }

  /// Revisions grow by turning stale, and a row read again without a change keeps its older block in the
  /// database.
  private struct Row: Equatable {
    let token: TokenID, balance: UInt256, state: CellState, isKnown: Bool, isVisible: Bool
    init(_ row: BalanceRow) {
      (token, balance, state, isKnown) = (row.token, row.balance, row.state, row.isKnown)
      isVisible = row.isVisible
    }
  }

  @Test(
    "whatever happened, a restored ledger holds the same, but stale", arguments: 1...12 as ClosedRange<UInt64>
  )
  func reopenEquality(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    var rig = try await Rig(folder.file())
    var block: UInt64 = 100
    var time: Int64 = 1
    for _ in 0..<3 {
      try await rig.writer.start()
      for _ in 0..<60 {
        try await act(on: rig, &block, &time, &random)
        if random.next() % 5 == 0 { try await rig.writer.flush() }
      }
      let isClean = random.next() % 2 == 0
      if isClean {
        try await rig.writer.closeCleanly()
      } else {
        try await rig.writer.flush()
        rig.database.close()
      }
      let next = try await Rig(folder.file(), random: random.next())
      #expect((next.database.start.epoch == rig.database.start.epoch) == isClean, "seed \(seed)")
      #expect(await next.ledger.revision >= rig.ledger.revision, "seed \(seed)")
      try await expectSame(next.ledger, as: rig.ledger, seed: seed)
      rig = next
    }
  }

  private func act(
    on rig: Rig, _ block: inout UInt64, _ time: inout Int64, _ random: inout SeededGenerator
  ) async throws {
    time += 1
    let ids = await rig.ledger.walletPage(after: 0, limit: .max).map(\.id)
    let tokens = await rig.ledger.tokenCount
    switch random.next() % 8 {
    case 0: _ = await rig.ledger.register([wallet(Int(random.next() % 12))])
    case 1: await rig.ledger.intern(token(Int(random.next() % 9)), info: info(&random))
    case 2 where tokens > 0:
      await acceptPrice(on: rig, TokenID(random.next() % UInt64(tokens)), time, &random)
    case 3 where !ids.isEmpty && random.next() % 3 == 0:
      _ = try await rig.ledger.delete(ids[Int(random.next() % UInt64(ids.count))])
    case 4 where !ids.isEmpty:
      await rig.ledger.acceptFailure(of: ids[Int(random.next() % UInt64(ids.count))])
    case 5 where !ids.isEmpty && tokens > 0:
      _ = try await rig.ledger.setVisible(
        random.next() % 2 == 0, wallet: ids[Int(random.next() % UInt64(ids.count))],
        token: TokenID(random.next() % UInt64(tokens)))
    default:
      guard let id = ids.randomElement(using: &random) else { return }
      block += random.next() % 3
      let native = await rig.ledger.intern(token(0), info: TokenInfo(isListed: true))
      let others = (0..<TokenID(await rig.ledger.tokenCount)).filter { $0 != native }.shuffled(using: &random)
      await rig.ledger.accept(
        WalletReading(
          wallet: id, block: block, readAt: time,
          outcomes: ([native] + others.prefix(3)).map { ($0, outcome(&random)) }))
    }
  }

  private func acceptPrice(
    on rig: Rig, _ token: TokenID, _ time: Int64, _ random: inout SeededGenerator
  ) async {
    let price = decimal("\(random.next() % 3).\(random.next() % 1000)0")
    let change = random.next() % 2 == 0 ? nil : Hundredths(value: Int64(random.next() % 2000) - 1000)
    await rig.ledger.accept(
      prices: [.init(token: token, price: price, change: change, sourceTime: time)], asked: [token])
  }

  private func outcome(_ random: inout SeededGenerator) -> WalletReading.Outcome {
    switch random.next() % 6 {
    case 0: .failed
    case 1: .balance(.zero)
    case 2: .balance(.max)
    case 3: .balance(UInt256(random.next()))
    default: .balance(UInt256(0, random.next(), random.next(), random.next()))
    }
  }

  private func info(_ random: inout SeededGenerator) -> TokenInfo {
    TokenInfo(
      symbol: random.next() % 2 == 0 ? nil : "S\(random.next() % 4)",
      name: random.next() % 2 == 0 ? nil : "ä€𝄞 '\"",
      decimals: random.next() % 2 == 0 ? nil : UInt8(random.next() % 78),
      logo: random.next() % 2 == 0 ? nil : "https://x/\(random.next() % 4).png",
      isListed: random.next() % 2 == 0)
  }

  @Test("a wallet that the writer has not seen is as new as the start")
  func registeredOnly() async throws {
    let rig = try await Rig(folder.file())
    _ = await rig.ledger.register([wallet(1), wallet(2)])
    try await rig.writer.closeCleanly()
    let next = try openDatabase(folder.file())
    let wallets = try next.load().wallets
    #expect(wallets.map(\.registeredRevision) == [2, 2])
    #expect(wallets.map(\.isComplete) == [false, false])
  }

  // MARK: What makes no sense

  @Test(
    "a damaged value costs what depends on it and nothing more",
    arguments: [
      ("UPDATE wallet_tokens SET balance = '12x' WHERE wallet_id = 1", LoadProblems(balances: 2), 3, 6),
      ("UPDATE wallet_tokens SET balance = NULL WHERE wallet_id = 1", LoadProblems(balances: 2), 3, 6),
      ("UPDATE wallet_tokens SET balance = '' WHERE wallet_id = 1", LoadProblems(balances: 2), 3, 6),
      ("UPDATE wallet_tokens SET balance = '-1', state = 77", LoadProblems(balances: 6), 3, 6),
      ("UPDATE wallet_tokens SET balance = x'ff00' WHERE token_id = 1", LoadProblems(balances: 3), 3, 6),
      ("UPDATE wallet_tokens SET token_id = 99 WHERE token_id = 1", LoadProblems(orphans: 3), 3, 3),
      ("UPDATE wallet_tokens SET token_id = -1 WHERE token_id = 1", LoadProblems(orphans: 3), 3, 3),
      ("UPDATE wallets SET address = '0xzz' WHERE id = 2", LoadProblems(wallets: 1), 2, 4),
      ("UPDATE wallets SET chain = '' WHERE id = 2", LoadProblems(wallets: 1), 2, 4),
      ("PRAGMA foreign_keys = 0; DELETE FROM wallets WHERE id = 1", LoadProblems(orphans: 2), 2, 4),
      ("PRAGMA foreign_keys = 0; DELETE FROM wallets WHERE id = 3", LoadProblems(orphans: 2), 2, 4),
      ("UPDATE ledger_prices SET price = 'cheap'", LoadProblems(prices: 1), 3, 6),
      ("UPDATE ledger_prices SET price = '-1'", LoadProblems(prices: 1), 3, 6),
      ("UPDATE ledger_prices SET token_id = 5000000000", LoadProblems(prices: 1), 3, 6),
      ("UPDATE tokens SET decimals = 78, current_price_usd = 'x'", LoadProblems(), 3, 6),
    ])
  func damagedValues(sql: String, problems: LoadProblems, wallets: Int, rows: Int) async throws {
    try await makeSmall()
    try Outsider(folder.file()).execute(sql)
    let database = try openDatabase(folder.file())
    let loaded = try database.loadCounting()
    #expect(loaded.problems == problems)
    #expect(loaded.state.wallets.count == wallets)
    #expect(loaded.state.wallets.reduce(0) { $0 + $1.rows.count } == rows)
    let unknown = loaded.state.wallets.flatMap(\.rows).filter { !$0.isKnown }
    #expect(unknown.count == problems.balances)
    #expect(unknown.allSatisfy { $0.state == .unknown && $0.balance == .zero })
    #expect(loaded.state.tokens.allSatisfy { ($0.info.decimals ?? 0) <= 77 })
    #expect(loaded.state.nextWalletID == 4)
    #expect(try await database.loadStoredPrices().values.filter { $0.price != nil }.count <= 1)
  }

  private func makeSmall() async throws {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    _ = try await rig.fill(wallets: 0..<3, tokens: 2)
    await rig.ledger.accept(
      prices: [.init(token: 0, price: decimal("3000"), change: nil, sourceTime: 1)], asked: [])
    try await rig.writer.closeCleanly()
  }

  @Test(
    "token numbers must hold",
    arguments: [
      ("DELETE FROM tokens WHERE id = 0", "table tokens has number 1 where 0 should follow"),
      ("UPDATE tokens SET id = 7 WHERE id = 1", "table tokens has number 7 where 1 should follow"),
      ("UPDATE tokens SET address = '0x12' WHERE id = 1", "token 1 has a chain or address that is none"),
      ("UPDATE tokens SET chain = 'no chain' WHERE id = 1", "token 1 has a chain or address that is none"),
    ])
  func tokenGap(sql: String, detail: String) async throws {
    try await makeSmall()
    try Outsider(folder.file()).execute(sql)
    let database = try openDatabase(folder.file())
    #expect(throws: StorageError.damaged(path: folder.file(), detail: detail)) { _ = try database.load() }
  }

  @Test("names are cleaned by the rules of now")
  func names() async throws {
    try await makeSmall()
    try Outsider(folder.file()).execute(
      "UPDATE tokens SET symbol = char(10240), name = 'US' || char(8238) || 'D' WHERE id = 1")
    let info = try openDatabase(folder.file()).load().tokens[1].info
    #expect(info.symbol == nil && info.name == "USD")
  }

  @Test("a token that somebody switched off stays off")
  func inactiveToken() async throws {
    try await makeSmall()
    try Outsider(folder.file()).execute("UPDATE tokens SET is_active = 0 WHERE id = 1")
    let rig = try await Rig(folder.file())
    #expect(await rig.ledger.token(1)?.info.isActive == false)
    #expect(await rig.ledger.token(0)?.info.isActive == true)
    try await rig.writer.start()
    // Switched off behind the running server's back, which knows of it at its next start.
    let outside = try Outsider(folder.file())
    try outside.execute("UPDATE tokens SET is_active = 0 WHERE id = 0")
    await rig.ledger.applyList(
      [0, 1].map { (token($0), TokenInfo(symbol: "NEW", isListed: true)) })
    try await rig.writer.flush()
    #expect(try outside.number("SELECT count(*) FROM tokens WHERE symbol = 'NEW'") == 2)
    #expect(try outside.number("SELECT sum(is_active) FROM tokens") == 0)
  }

  // MARK: Decimal text

  @Test(arguments: [
    "0", "1", "9", "10", "9999999999999999999", "10000000000000000000", "18446744073709551616",
    "340282366920938463463374607431768211456",
    "115792089237316195423570985008687907853269984665640564039457584007913129639935",
  ])
  func balanceText(text: String) throws {
    #expect(parse(text) == (try UInt256(decimal: text)))
  }

  @Test(arguments: [
    "", "-1", "+1", "00", "01", "1.0", "1e3", " 1", "1 ", "0x10", "١", "1\0",
    "115792089237316195423570985008687907853269984665640564039457584007913129639936",
    "999999999999999999999999999999999999999999999999999999999999999999999999999999",
    "1000000000000000000000000000000000000000000000000000000000000000000000000000000",
  ])
  func badBalanceText(text: String) {
    #expect(parse(text) == nil)
  }

  private func parse(_ text: String) -> UInt256? {
    Array(text.utf8).withUnsafeBufferPointer { UInt256(decimalUTF8: $0) }
  }
}
