import Ledger
import Testing
import WalletPushClient

@testable import walletpush

@Suite struct WalletTableTests {
  private func render(
    _ rows: [TokenRow]?, _ state: CellState = .fresh, columns: Int = 100, lines: Int = 50,
    coloured: Bool = false,
    all: Bool = false, notice: String? = nil
  ) throws -> [String] {
    let table = WalletTable(
      style: WalletTable.Style(isColoured: coloured, showsAll: all), columns: columns, lines: lines)
    return table.render(try known(rows, state), [try walletKey()], connection: "live", notice: notice)
  }

  @Test func aWallet() throws {
    let rows = [try row(), try row(1, symbol: "USDC", decimals: 6, balance: "25000000", price: "1.0002")]
    #expect(
      try render(rows) == [
        "ETH:0x0000000000000000000000000000000000000001  fresh  block 7  $28.00",
        "TOKEN  BALANCE   PRICE  24H %  VALUE $",
        "ETH        1.5       2  -1.20     3.00",
        "USDC        25  1.0002  -1.20    25.00",
        "",
        "live",
      ])
  }

  @Test func whatIsUnknownIsNeverZero() throws {
    let lines = try render([
      try row(balance: nil, .unknown), try row(1, symbol: "A", price: nil, change: nil, .unknown),
      try row(2, symbol: "B", decimals: nil, balance: "7", .stale), try row(3, symbol: "C", .stale, .stale),
      try row(4, symbol: "D", balance: "0", price: nil, change: nil, .unknown),
    ])
    #expect(
      Array(lines.dropLast(2)) == [
        "ETH:0x0000000000000000000000000000000000000001  unknown  block 7  $3.00  2 unpriced"
          .replacing("unknown", with: "fresh"),
        "TOKEN   BALANCE  PRICE  24H %  VALUE $",
        "ETH           ?      2  -1.20        ?",
        "C          1.5~     2~  -1.20     3.00",
        "D             0      ?      ?     0.00",
        "A           1.5      ?      ?        ?",
        "B      7 units~      2  -1.20        ?",
      ])
  }

  @Test func noRows() throws {
    let header = "TOKEN  BALANCE  PRICE  24H %  VALUE $"
    let key = try walletKey().description
    #expect(try render([]) == ["\(key)  fresh  block 7  $?", header, "", "live"])
    #expect(try render([], .loading) == ["\(key)  loading  block 7  $?", header, "", "live"])
    #expect(try render(nil) == ["\(key)  waiting  $?", header, "", "live"])
  }

  @Test func hiddenAndUnlistedRowsAreCounted() throws {
    let rows = [
      try row(), try row(1, symbol: "HID", visible: false), try row(2, symbol: "NEW", listed: false),
    ]
    let lines = try render(rows)
    #expect(lines[0].hasSuffix("$3.00"))
    #expect(
      lines[2...].elementsEqual(["ETH        1.5      2  -1.20     3.00", "2 hidden or unlisted", "", "live"])
    )
    let all = try render(rows, all: true)
    #expect(all.contains { $0.hasPrefix("HID *") } && all.contains { $0.hasPrefix("NEW *") })
    #expect(all[0].hasSuffix("$3.00") && !all.contains("2 hidden or unlisted"))
  }

  /// The columns behind a wide name stand where they stand behind any other.
  @Test(arguments: ["柴犬币", "ビット", "🚀🚀", "❤️", "🇨🇭", "ＦＵＬＬ", "é", "e\u{301}", "a b"])
  func columnsStandUnderEachOther(_ symbol: String) throws {
    let lines = try render([try row(symbol: "LONGSYMBOL"), try row(1, symbol: symbol)])
    #expect(ShownText.width(lines[1]) == ShownText.width(lines[2]))
    #expect(ShownText.width(lines[3]) == ShownText.width(lines[2]))
    #expect(lines[3].hasPrefix(symbol))
  }

  @Test(arguments: ["\u{1B}[2J\u{7}EVIL", "\u{9B}31mEVIL", "EV\nIL", "EV\u{202E}IL", "\u{0}EVIL\r"])
  func noControlCharacterOfStrangersIsShown(_ symbol: String) throws {
    let rows = [try row(symbol: symbol)]
    let shown = try render(rows, notice: ShownText.clean(symbol)) + [ShownText.clean(symbol)]
    for line in shown {
      #expect(!line.unicodeScalars.contains { [.control, .format].contains($0.properties.generalCategory) })
    }
  }

  @Test func aSymbolThatHoldsNothingIsTheAddress() throws {
    let lines = try render([try row(symbol: nil), try row(1, symbol: "\u{200B}\u{7}")])
    #expect(lines[2].hasPrefix("native "))
    #expect(lines[3].hasPrefix("0x0000…00c1 "))
  }

  @Test(arguments: 1...60)
  func noLineIsWiderThanTheTerminal(_ columns: Int) throws {
    let rows = [try row(symbol: "柴犬币柴犬币"), try row(1, visible: false)]
    for line in try render(rows, columns: columns, notice: "柴犬币 was refused") {
      #expect(ShownText.width(line) <= columns)
    }
  }

  /// All five columns, at the very width they need; then four.
  @Test func aColumnThatDoesNotFitIsLeftOut() throws {
    let width = "TOKEN  BALANCE  PRICE  24H %  VALUE $".count
    #expect(try render([try row()], columns: width)[1].hasSuffix("VALUE $"))
    #expect(try render([try row()], columns: width - 1)[1].hasSuffix("24H %"))
  }

  /// One line is the cursor's. The end, which says how the connection is, stays.
  @Test(arguments: 1...14)
  func thereAreFewerLinesThanTheTerminalHas(_ count: Int) throws {
    let rows = try (1...9).map { try row($0, symbol: "T\($0)") }
    for notice in [nil, "news"] {
      let whole = try render(rows, notice: notice)
      let lines = try render(rows, lines: count, notice: notice)
      #expect(lines.count == min(whole.count, max(1, count - 1)))
      #expect(lines.contains("live"))
      let left = whole.filter { !lines.contains($0) }.count
      if let more = lines.first(where: { $0.hasPrefix("…") }) {
        #expect(more == "… \(left) more lines")
      }
    }
  }

  @Test func coloursSayWhatIsNotNormal() throws {
    let rows = [
      try row(), try row(1, symbol: "UP", change: "0.50"), try row(2, symbol: "OLD", .stale, change: "0.00"),
    ]
    let plain = try render(rows)
    let coloured = try render(rows, coloured: true)
    let escape = "\u{1B}["
    #expect(coloured[2].contains("\(escape)31m-1.20\(escape)0m"))
    #expect(coloured.contains { $0.contains("\(escape)32m0.50\(escape)0m") })
    #expect(coloured.contains { $0.contains("\(escape)33m1.5~\(escape)0m") && !$0.contains("\(escape)32m") })
    // The same text, at the same places.
    #expect(coloured.map { $0.replacing(/\u{1B}\[\d+m/, with: "") } == plain)
    #expect(!plain.joined().contains(escape))
  }
}
