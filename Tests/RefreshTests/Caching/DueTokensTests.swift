import Ethereum
import Ledger
import Testing

@testable import Refresh

struct DueTokensTests {
  private static let times: CacheTimes = {
    var settings = RefreshSettings(cooldown: .zero, balanceTTL: .milliseconds(300))
    settings.zeroBalanceTTL = .milliseconds(10_000)
    settings.tokenListTTL = .milliseconds(600)
    settings.metadataTTL = .milliseconds(5_000)
    return CacheTimes(settings)
  }()

  private static func cells(_ rows: [BalanceRow] = [], isComplete: Bool = true) throws -> WalletCells {
    let key = WalletKey(chain: try ChainCode(parsing: "TEST"), address: .numbered(1))
    var cells = WalletCells(id: 1, key: key, registeredRevision: 1)
    cells.rows = rows
    cells.isComplete = isComplete
    return cells
  }

  private static func row(_ balance: UInt256, _ state: CellState = .fresh, isKnown: Bool = true) -> BalanceRow
  {
    BalanceRow(
      token: 7, balance: balance, block: 100, state: state, isKnown: isKnown, revision: 1, rowRevision: 1)
  }

  struct Case: Sendable {
    var name: String
    var entry: CacheEntry?
    var row: BalanceRow?
    var since: UInt64? = 90
    var isComplete = true
    var isDue = true
  }
  private static func zero(block: UInt64 = 100, readAt: UnixMilliseconds = 0) -> CacheEntry {
    CacheEntry(block: block, readAt: readAt, until: readAt + 10_000)
  }
  private static let cases: [Case] = [
    Case(name: "never read", entry: nil),
    Case(name: "a zero", entry: zero(), isDue: false),
    Case(name: "a zero read when following began", entry: zero(block: 90), isDue: false),
    Case(name: "a zero from before that", entry: zero(block: 89)),
    Case(name: "a young zero from before that", entry: zero(block: 89, readAt: 4_999)),
    Case(name: "a zero, not followed", entry: zero(), since: nil),
    Case(name: "a zero that would run out before the next read", entry: zero(readAt: -4_700)),
    Case(name: "a zero that would not", entry: zero(readAt: -4_699), isDue: false),
    Case(name: "held", entry: CacheEntry(block: 100, readAt: 5_000, until: 5_300)),
    Case(name: "a zero that is shown", entry: zero(), row: row(0), isDue: false),
    Case(name: "a zero that is shown stale", entry: zero(), row: row(0, .stale)),
    Case(name: "something came in since", entry: zero(), row: row(5)),
    Case(name: "not known", entry: zero(), row: row(0, .unknown, isKnown: false)),
    Case(name: "of a wallet never read as a whole", entry: zero(), isComplete: false),
  ]

  @Test(arguments: cases)
  func whatHasToBeRead(_ test: Case) throws {
    var due = DueTokens(
      times: Self.times, now: 5_000,
      cells: try Self.cells(test.row.map { [$0] } ?? [], isComplete: test.isComplete),
      continuity: test.since.map { Continuity(since: $0, through: 200) })
    let isDue = due.isDue(7, test.entry)
    #expect(isDue == test.isDue)
    #expect(
      due.leftOut
        == (test.isDue
          ? nil
          : LeftOut(
            continuity: Continuity(since: 90, through: 200), until: test.entry?.until ?? 0)))
    var lookups = CacheLookups()
    lookups[.tokenBalance, test.isDue ? test.entry == nil ? .miss : .stale : .hit] = 1
    #expect(due.lookups == lookups)
  }

  @Test func aKnownListLeavesOutAllThatIsNotShown() throws {
    func due(_ now: UnixMilliseconds, since: UInt64 = 90) throws -> (Bool, DueTokens) {
      var due = DueTokens(
        times: Self.times, now: now, cells: try Self.cells([Self.row(5)]),
        continuity: Continuity(since: since, through: 200))
      let isKnown = due.isListKnown(CacheEntry(block: 100, readAt: 0, until: 600))
      return (isKnown, due)
    }
    let (isKnown, known) = try due(299)
    #expect(isKnown && known.shown == [7] && known.leftOut?.until == 600)
    #expect(known.lookups[.tokenList, .hit] == 1)
    let (isKnownLate, late) = try due(300)
    #expect(!isKnownLate && late.leftOut == nil && late.lookups[.tokenList, .stale] == 1)
    let (isKnownUnfollowed, _) = try due(299, since: 101)
    #expect(!isKnownUnfollowed)
  }

  @Test func aNameThatWasNotToldIsAskedForADayLater() throws {
    var due = DueTokens(times: Self.times, now: 5_000, cells: nil, continuity: nil)
    let ends: [UnixMilliseconds?] = [nil, 5_000, 5_001]
    let isDue = ends.map { until in
      due.isMetadataDue(until.map { CacheEntry(block: 1, readAt: 0, until: $0) })
    }
    #expect(isDue == [true, true, false])
    #expect(CacheLookups.Result.allCases.map { due.lookups[.metadata, $0] } == [1, 1, 1])
  }
}
