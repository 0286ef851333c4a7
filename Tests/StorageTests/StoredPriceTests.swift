import Ledger
import TestSupport
import Testing

@testable import Storage

struct StoredPriceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  struct Case: Sendable, CustomTestStringConvertible {
    var stored: (price: String?, change: Int64?)
    var new: (price: String?, change: Int64?)
    var isWritten: Bool
    var testDescription: String { "\(stored) → \(new)" }
  }

  static let cases: [Case] = [
    // The price: more than 0.5 %, exactly.
    .init(stored: ("100", 0), new: ("100", 0), isWritten: false),
    .init(stored: ("100", 0), new: ("100.5", 0), isWritten: false),
    .init(stored: ("100", 0), new: ("100.50000000000000000000000001", 0), isWritten: true),
    .init(stored: ("100", 0), new: ("99.5", 0), isWritten: false),
    .init(stored: ("100", 0), new: ("99.49999999999999999999999999", 0), isWritten: true),
    .init(stored: ("0.00000002", 0), new: ("0.0000000201", 0), isWritten: false),
    .init(stored: ("0.00000002", 0), new: ("0.0000000202", 0), isWritten: true),
    // The change: more than 0.5 points.
    .init(stored: ("100", 100), new: ("100", 150), isWritten: false),
    .init(stored: ("100", 100), new: ("100", 151), isWritten: true),
    .init(stored: ("100", 100), new: ("100", 50), isWritten: false),
    .init(stored: ("100", 100), new: ("100", 49), isWritten: true),
    .init(stored: ("100", -25), new: ("100", 26), isWritten: true),
    .init(stored: ("100", nil), new: ("100", 50), isWritten: false),
    .init(stored: ("100", nil), new: ("100", 51), isWritten: true),
    .init(stored: ("100", 900), new: ("100", nil), isWritten: false),
    // Zero or absent.
    .init(stored: (nil, nil), new: ("1", nil), isWritten: true),
    .init(stored: ("0", 0), new: ("0", 0), isWritten: true),
    .init(stored: ("0", 0), new: ("0.0000001", 0), isWritten: true),
    .init(stored: ("5", 0), new: ("0", 0), isWritten: true),
    // Missing.
    .init(stored: ("5", 100), new: (nil, nil), isWritten: false),
    .init(stored: ("5", 100), new: (nil, 900), isWritten: false),
    .init(stored: (nil, nil), new: (nil, nil), isWritten: false),
    .init(stored: ("0", 0), new: (nil, 900), isWritten: false),
  ]

  @Test(arguments: cases)
  func rule(_ test: Case) {
    let stored = StoredPrice(
      price: test.stored.price.map { decimal($0) }, change: test.stored.change.map { Hundredths(value: $0) })
    let updated = stored.updated(
      price: test.new.price.map { decimal($0) }, change: test.new.change.map { Hundredths(value: $0) })
    #expect((updated != nil) == test.isWritten)
    guard let updated else { return }
    #expect(updated.price?.plainText == test.new.price)
    #expect(updated.change?.value == test.new.change ?? test.stored.change)
  }

  @Test("table tokens follows the rule, ledger_prices every accepted price")
  func tables() async throws {
    let rig = try await Rig(folder.file())
    try await rig.writer.start()
    let id = await rig.ledger.intern(token(1), info: TokenInfo(isListed: true))
    let outside = try Outsider(folder.file())
    var time: Int64 = 1
    for (price, shown) in [("100.0", "100.0"), ("100.5", "100.0"), ("100.6", "100.6"), ("101", "100.6")] {
      time += 1
      await rig.ledger.accept(
        prices: [.init(token: id, price: decimal(price), change: Hundredths(value: -120), sourceTime: time)],
        asked: [id])
      try await rig.writer.flush()
      #expect(try outside.text("SELECT current_price_usd FROM tokens") == shown)
      #expect(try outside.text("SELECT price_change_24h FROM tokens") == "-1.20")
      #expect(try outside.number("SELECT last_updated FROM tokens") == 1_763_805_600_000)
      #expect(try outside.text("SELECT price FROM ledger_prices") == price)
    }
    // The rule looks at what is stored also after a start.
    try await rig.writer.closeCleanly()
    let next = try await Rig(folder.file())
    try await next.writer.start()
    await next.ledger.accept(
      prices: [.init(token: id, price: decimal("100.7"), change: nil, sourceTime: 9)], asked: [id])
    try await next.writer.flush()
    #expect(try outside.text("SELECT current_price_usd FROM tokens") == "100.6")
    #expect(try outside.text("SELECT price FROM ledger_prices") == "100.7")
    #expect(try outside.number("SELECT change_hundredths FROM ledger_prices") == -120)
  }
}
