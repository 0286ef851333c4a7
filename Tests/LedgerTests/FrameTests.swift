import Ethereum
import Testing

@testable import Ledger

@Suite("Frames and snapshots, byte by byte")
struct FrameTests {
  private let key = "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"
  private let usdc = "ETH:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"

  private func token(_ id: TokenID, _ key: String, _ info: TokenInfo) throws -> Token {
    Token(id: id, key: try TokenKey(parsing: key), info: info)
  }

  private func ether(_ price: String? = "3011.52", state: CellState = .fresh) throws -> PriceCell {
    PriceCell(
      token: try token(
        0, "ETH:native", TokenInfo(symbol: "ETH", name: "Ether", decimals: 18, isListed: true)),
      price: price.flatMap { ExactDecimal(parsing: $0) },
      change: price == nil ? nil : Hundredths(value: -120),
      state: state, acceptedAt: price == nil ? nil : 1_763_805_600_000, sourceTime: 0, revision: 8_119)
  }

  private func dollar(_ price: String? = "1.0002", decimals: UInt8? = 6, isListed: Bool = true) throws
    -> PriceCell
  {
    PriceCell(
      token: try token(
        1, usdc,
        TokenInfo(
          symbol: "US\"DC", name: nil, decimals: decimals, logo: "https://example.org/u.png",
          isListed: isListed)),
      price: price.flatMap { ExactDecimal(parsing: $0) }, change: price == nil ? nil : Hundredths(value: 1),
      state: price == nil ? .unknown : .fresh, acceptedAt: price == nil ? nil : 1_763_805_600_123,
      sourceTime: 0,
      revision: 8_122)
  }

  private func row(
    _ token: TokenID, _ balance: UInt64, revision: Revision = 8_100, state: CellState = .fresh,
    isKnown: Bool = true,
    isVisible: Bool = true
  ) -> BalanceRow {
    BalanceRow(
      token: token, balance: UInt256(balance), block: 21_000_000, state: state, isKnown: isKnown,
      isVisible: isVisible, revision: revision, rowRevision: 8_050)
  }

  private func cells(_ rows: [BalanceRow]) throws -> WalletCells {
    var cells = WalletCells(id: 1, key: try WalletKey(parsing: key), registeredRevision: 1)
    cells.rows = rows
    if rows.isEmpty {
      cells.emptyState = .loading
    } else {
      cells.isComplete = true
      cells.block = 21_000_000
      cells.readAt = 1_763_805_600_123
    }
    return cells
  }

  private func snapshot(_ rows: [BalanceRow], _ prices: [PriceCell]) throws -> SnapshotEncoder {
    SnapshotEncoder(cells: try cells(rows), epoch: "k3f9", revision: 8_121, prices: prices)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func price() throws {
    #expect(
      text(Frames.price(try dollar())) == """
        {"type":"price","token":"\(usdc)","price_usd":"1.0002","change_24h":"0.01","price_state":"fresh",\
        "price_at":1763805600123,"rev":8122}
        """)
    #expect(
      text(Frames.price(try dollar(nil))) == """
        {"type":"price","token":"\(usdc)","price_usd":null,"change_24h":null,"price_state":"unknown",\
        "price_at":null,"rev":8122}
        """)
  }

  @Test func balance() throws {
    let wallet = try WalletKey(parsing: key)
    #expect(
      text(
        Frames.balance(wallet: wallet, row: row(1, 25_000_000, revision: 8_123), token: try dollar().token))
          == """
          {"type":"balance","wallet":"\(key)","token":"\(usdc)","balance":"25000000","balance_state":"fresh",\
          "block":21000000,"rev":8123}
          """)
    #expect(
      text(
        Frames.balance(
          wallet: wallet, row: row(0, 0, revision: 8_123, state: .unknown, isKnown: false),
          token: try ether().token))
          == """
          {"type":"balance","wallet":"\(key)","token":"ETH:native","balance":null,"balance_state":"unknown",\
          "block":null,"rev":8123}
          """)
  }

  @Test func tokenRow() throws {
    var hidden = row(1, 25_000_000, isVisible: false)
    hidden.rowRevision = 8_124
    #expect(
      text(Frames.token(wallet: try WalletKey(parsing: key), row: hidden, price: try dollar())) == """
        {"type":"token","wallet":"\(key)","block":21000000,"token":"\(usdc)","symbol":"US\\"DC","name":null,\
        "decimals":6,"logo":"https://example.org/u.png","listed":true,"visible":false,"balance":"25000000",\
        "balance_state":"fresh","price_usd":"1.0002","change_24h":"0.01","price_state":"fresh",\
        "price_at":1763805600123,"value_usd":"25.00","rev":8124}
        """)
    #expect(
      text(Frames.row(hidden, price: try dollar(), epoch: "k3f9", revision: 8_131)).hasSuffix(
        "\"value_usd\":\"25.00\",\"epoch\":\"k3f9\",\"rev\":8131}"))
  }

  @Test("the snapshot of the protocol's own example")
  func wholeSnapshot() throws {
    let encoder = try snapshot([row(0, 1_230_000_000_000_000_000), row(1, 25_000_000)], [ether(), dollar()])
    #expect(
      text(encoder.whole()) == """
        {"type":"snapshot","wallet":"\(key)","epoch":"k3f9","rev":8121,"part":1,"parts":1,"state":"fresh",\
        "block":21000000,"as_of":1763805600123,"tokens":[\
        {"token":"ETH:native","symbol":"ETH","name":"Ether","decimals":18,"logo":null,"listed":true,"visible":true,\
        "balance":"1230000000000000000","balance_state":"fresh","price_usd":"3011.52","change_24h":"-1.20",\
        "price_state":"fresh","price_at":1763805600000,"value_usd":"3704.17","rev":8119},\
        {"token":"\(usdc)","symbol":"US\\"DC","name":null,"decimals":6,"logo":"https://example.org/u.png",\
        "listed":true,"visible":true,"balance":"25000000","balance_state":"fresh","price_usd":"1.0002",\
        "change_24h":"0.01","price_state":"fresh","price_at":1763805600123,"value_usd":"25.00","rev":8122}],\
        "total_usd":"3729.17","unpriced":0}
        """)
  }

  @Test func withoutRows() throws {
    #expect(
      text(try snapshot([], []).whole()) == """
        {"type":"snapshot","wallet":"\(key)","epoch":"k3f9","rev":8121,"part":1,"parts":1,"state":"loading",\
        "block":null,"as_of":null,"tokens":[],"total_usd":null,"unpriced":0}
        """)
  }

  struct Totals: Sendable, CustomTestStringConvertible {
    var name: String
    var rows: @Sendable (FrameTests) throws -> [(BalanceRow, PriceCell)]
    var end: String
    var testDescription: String { name }
  }

  @Test(
    "totals: visible, listed, priced rows; unknown is never zero",
    arguments: [
      Totals(name: "nothing is worth nothing, unpriced too") {
        try [($0.row(0, 0), $0.ether(nil))]
      } end: {
        "\"total_usd\":\"0.00\",\"unpriced\":0}"
      },
      Totals(name: "no price") {
        try [($0.row(0, 1), $0.ether(nil))]
      } end: {
        "\"total_usd\":null,\"unpriced\":1}"
      },
      Totals(name: "no decimals") {
        try [($0.row(0, 0), $0.ether()), ($0.row(1, 5), $0.dollar(decimals: nil))]
      } end: {
        "\"total_usd\":\"0.00\",\"unpriced\":1}"
      },
      Totals(name: "unlisted rows don't count") {
        try [
          ($0.row(0, 1_000_000_000_000_000_000), $0.ether("2")),
          ($0.row(1, 5_000_000), $0.dollar(isListed: false)),
        ]
      } end: {
        "\"total_usd\":\"2.00\",\"unpriced\":0}"
      },
      Totals(name: "hidden rows don't count") {
        try [
          ($0.row(0, 1_000_000_000_000_000_000), $0.ether("2")),
          ($0.row(1, 5_000_000, isVisible: false), $0.dollar(nil)),
        ]
      } end: {
        "\"total_usd\":\"2.00\",\"unpriced\":0}"
      },
      Totals(name: "all hidden: known to be nothing") {
        try [($0.row(0, 5, isVisible: false), $0.ether())]
      } end: {
        "\"total_usd\":\"0.00\",\"unpriced\":0}"
      },
      Totals(name: "unknown balance is not unpriced") {
        try [($0.row(0, 0, state: .unknown, isKnown: false), $0.ether())]
      } end: {
        "\"total_usd\":null,\"unpriced\":0}"
      },
      Totals(name: "the sum is rounded, not the parts") {
        // 0.004 + 0.004 = 0.008
        try [($0.row(0, 4_000_000_000_000_000), $0.ether("1")), ($0.row(1, 4_000), $0.dollar("1"))]
      } end: {
        "\"total_usd\":\"0.01\",\"unpriced\":0}"
      },
    ])
  func totals(_ sample: Totals) throws {
    let rows = try sample.rows(self)
    let json = text(try snapshot(rows.map(\.0), rows.map(\.1)).whole())
    #expect(json.hasSuffix("]," + sample.end), "\(json)")
  }

  @Test("parts: each under the limit, all rows once, totals in the last alone")
  func parts() throws {
    let count = 300
    let prices = try (0..<count).map { _ in try dollar() }
    let rows = (0..<count).map { row(TokenID($0), 1_000_000) }
    let encoder = try snapshot(rows, prices)
    let starts = encoder.partStarts(bytes: 20_000)
    #expect(starts.first == 0)
    #expect(starts.count > 3)
    var seen = 0
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : count
      let json = encoder.part(rows: start..<end, number: index + 1, of: starts.count)
      #expect(json.count <= 20_000)
      let part = text(json)
      #expect(part.contains("\"part\":\(index + 1),\"parts\":\(starts.count),"))
      #expect(part.contains("\"rev\":8121,\"part\""))
      #expect(part.contains("total_usd") == (index + 1 == starts.count))
      seen += part.split(separator: "\"visible\"").count - 1
    }
    #expect(seen == count)
    #expect(try snapshot([], []).partStarts(bytes: 20_000) == [0])
    #expect(try snapshot(Array(rows.prefix(3)), Array(prices.prefix(3))).partStarts(bytes: 20_000) == [0])
  }

  @Test("what an ETag is made of: rows, prices, states; not the block or the time")
  func contentRevision() throws {
    var encoder = try snapshot([row(0, 1, revision: 8_130)], [ether()])
    #expect(encoder.contentRevision == 8_130)
    encoder = try snapshot([row(0, 1)], [ether()])
    #expect(encoder.contentRevision == 8_119)
    var empty = try cells([])
    empty.stateRevision = 77
    #expect(SnapshotEncoder(cells: empty, epoch: "k3f9", revision: 9, prices: []).contentRevision == 77)
  }
}

extension FrameTests.Totals {
  init(
    name: String, _ rows: @escaping @Sendable (FrameTests) throws -> [(BalanceRow, PriceCell)],
    end: () -> String
  ) {
    self.init(name: name, rows: rows, end: end())
  }
}

@Suite("Resume points")
struct ResumePointTests {
  @Test(
    arguments: [
      ("k3f9:8121", "k3f9", 8_121), ("a:0", "a", 0), ("k3f9:0008121", "k3f9", 8_121),
      ("0123456789abcdef:9007199254740991", "0123456789abcdef", 9_007_199_254_740_991),
    ] as [(String, String, UInt64)])
  func parsed(text: String, epoch: String, revision: UInt64) throws {
    let point = try #require(ResumePoint(parsing: text))
    #expect(point == ResumePoint(epoch: epoch, revision: revision))
  }

  @Test(
    arguments: [
      "", ":", "k3f9", "k3f9:", ":8121", "k3f9:-1", "k3f9:+1", "k3f9: 1", "k3f9:1.0", "k3f9:8121:1",
      "k3f9:9007199254740992", "k3f9:99999999999999999999", "0123456789abcdefg:1", "k3f9:٣", "k3f9:1e3",
    ])
  func refused(text: String) {
    #expect(ResumePoint(parsing: text) == nil)
  }

  @Test func epochs() {
    #expect(makeEpoch(random: 0) == "0000")
    #expect(makeEpoch(random: 35) == "z000")
    #expect(makeEpoch(random: .max).utf8.count == 4)
  }
}
