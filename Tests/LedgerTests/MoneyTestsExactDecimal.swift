import Ethereum
import Testing

@testable import Ledger

@Suite("ExactDecimal")
struct MoneyTestsExactDecimal {
  static let texts: [(source: String, text: String)] = [
    ("0", "0"), ("-0", "0"), ("0.0", "0.0"), ("-0.00", "0.00"), ("0e5", "0"), ("0.0e1", "0"),
    ("0.0e-3", "0.0000"), ("1", "1"), ("-1", "-1"), ("10", "10"), ("2.50", "2.50"), ("-2.50", "-2.50"),
    ("1e-7", "0.0000001"), ("-1E-7", "-0.0000001"), ("1.5e3", "1500"), ("1.5E+3", "1500"),
    ("1.50e1", "15.0"), ("1.500e1", "15.00"), ("1.50e3", "1500"), ("1500e-3", "1.500"), ("100e-2", "1.00"),
    ("3011.52", "3011.52"), ("0.00034234234234", "0.00034234234234"), ("1.0002", "1.0002"),
    ("2412.3456789012345", "2412.3456789012345"), ("1e00000000000000000000000003", "1000"),
    ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
    ("18446744073709551616", "18446744073709551616"), ("9999999999999999999", "9999999999999999999"),
    ("10000000000000000000.00000000000000000001", "10000000000000000000.00000000000000000001"),
  ]

  @Test("plain text keeps the digits its source gave", arguments: texts)
  func plainText(source: String, text: String) throws {
    let decimal = try #require(ExactDecimal(parsing: source))
    #expect(decimal.plainText == text)
    #expect(ExactDecimal(parsing: text) == decimal)
    var appended: [UInt8] = Array("x:".utf8)
    decimal.appendPlainText(to: &appended)
    #expect(String(decoding: appended, as: UTF8.self) == "x:" + text)
  }

  @Test(
    "what JSON does not call a number is refused",
    arguments: [
      "", "-", "+1", ".5", "5.", "-.5", "01", "-01", "00", "1e", "1e+", "1e-", "1.e3", "1..2", "1.2.3", "--1",
      " 1", "1 ", "1,0", "0x10", "NaN", "nan", "Infinity", "-inf", "1e1.5", "1_000", "١", "1\u{0}", "\"1\"",
      "null", "1e5e5", "e5", "1-", "1e--5",
    ])
  func malformed(source: String) {
    #expect(ExactDecimal(parsing: source) == nil)
  }

  @Test("every way of passing bytes reads the same", arguments: texts)
  func sources(source: String, text: String) {
    let bytes = Array(source.utf8)
    #expect(ExactDecimal(parsing: bytes)?.plainText == text)
    #expect(ExactDecimal(parsing: bytes[...])?.plainText == text)
    #expect(ExactDecimal(parsing: bytes.lazy.map { $0 })?.plainText == text)
    #expect(ExactDecimal(parsing: source.utf8)?.plainText == text)
    #expect(ExactDecimal(parsing: source[...])?.plainText == text)
    #expect(ExactDecimal(parsing: bytes.span.bytes)?.plainText == text)
    #expect(bytes.withUnsafeBytes { ExactDecimal(parsing: $0) }?.plainText == text)
  }

  @Test("trailing data is refused", arguments: texts)
  func trailingData(source: String, text: String) {
    for tail in [" ", "-", "x", ",", "}", "\n", "\u{0}"] {
      #expect(ExactDecimal(parsing: source + tail) == nil)
    }
  }

  @Test(
    "the bounds hold to the digit",
    arguments: [
      (String(repeating: "9", count: 77), true), (String(repeating: "9", count: 78), false),
      ("0." + String(repeating: "9", count: 77), true), ("0." + String(repeating: "9", count: 78), false),
      // Zeros before the first and after the last digit do not count.
      ("0." + String(repeating: "0", count: 81) + String(repeating: "9", count: 77), true),
      ("0." + String(repeating: "0", count: 82) + String(repeating: "9", count: 77), false),
      ("-0." + String(repeating: "0", count: 80) + String(repeating: "9", count: 77), true),
      ("-0." + String(repeating: "0", count: 81) + String(repeating: "9", count: 77), false),
      ("1" + String(repeating: "0", count: 159), true), ("1" + String(repeating: "0", count: 160), false),
      ("1" + String(repeating: "0", count: 76) + "1", false),
      ("1" + String(repeating: "0", count: 75) + "1", true),
      ("1e159", true), ("1e160", false), ("-1e158", true), ("-1e159", false), ("12e158", true),
      ("1e-158", true), ("1e-159", false), ("-1e-157", true), ("-1e-158", false), ("0e-158", true),
      ("0e-159", false), ("-0e-158", true), ("5e-324", false), ("1.7976931348623157e308", false),
      ("1e99999999999999999999999999999999999999", false), ("0e99999999999999999999999999999999999999", true),
      ("1e-99999999999999999999999999999999999999", false),
      ("0." + String(repeating: "0", count: 100_000) + "1e100001", true),
      // 1.000…, whose zeros the text would keep.
      ("1" + String(repeating: "0", count: 100_000) + "e-100000", false),
      ("1" + String(repeating: "0", count: 100_000) + "e-99999999999999999999", false),
      (String(repeating: "1", count: 100_000), false),
    ])
  func bounds(source: String, isAccepted: Bool) {
    let decimal = ExactDecimal(parsing: source)
    #expect((decimal != nil) == isAccepted)
    #expect((decimal?.plainText.count ?? 0) <= 160)
  }

  @Test("random bytes never trap, and only numbers are read")
  func randomBytes() {
    var random = MoneyRandom(seed: 11)
    let grammar = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+\-]?[0-9]+)?/
    let alphabet = Array("0015579.eE+--")
    for _ in 0..<20_000 {
      let length = Int.random(in: 0...9, using: &random)
      let source = String((0..<length).compactMap { _ in alphabet.randomElement(using: &random) })
      let decimal = ExactDecimal(parsing: source)
      let isNumber = source.wholeMatch(of: grammar) != nil
      if !isNumber || !source.lowercased().contains("e") {
        #expect((decimal != nil) == isNumber, "\(source)")
      }
      if let decimal { #expect(ExactDecimal(parsing: decimal.plainText) == decimal, "\(source)") }
    }
  }

  @Test(
    "equal numbers are equal, however written",
    arguments: [
      ("2.50", "2.5"), ("0", "-0.000"), ("1500", "1.5e3"), ("0.1", "1e-1"), ("100", "1e2"), ("-7.0", "-7"),
    ])
  func equality(left: String, right: String) throws {
    let left = try #require(ExactDecimal(parsing: left))
    let right = try #require(ExactDecimal(parsing: right))
    #expect(left == right)
    #expect(left.hashValue == right.hashValue)
    #expect(!(left < right) && !(right < left))
  }

  @Test("order")
  func order() throws {
    let ascending = [
      "-1e158", "-100", "-99.99", "-2.51", "-2.5", "-1e-157", "0", "1e-158", "0.009", "0.01", "0.0100001",
      "0.1", "0.99", "1", "1.000000000000000000000000000000000000000001", "2", "9.99", "10", "10.5", "99",
      "100", String(repeating: "9", count: 77), "1e77", "1e159",
    ]
    let decimals = try ascending.map { try #require(ExactDecimal(parsing: $0)) }
    for (i, left) in decimals.enumerated() {
      for (j, right) in decimals.enumerated() {
        #expect((left < right) == (i < j), "\(left) \(right)")
        #expect((left == right) == (i == j), "\(left) \(right)")
      }
    }
  }

  @Test("from a magnitude and a scale")
  func magnitudeAndScale() throws {
    let answer = UInt256(301_152_000_000)
    #expect(ExactDecimal(magnitude: answer, scale: 8)?.plainText == "3011.52000000")
    #expect(ExactDecimal(magnitude: answer, scale: 8) == ExactDecimal(parsing: "3011.52"))
    #expect(ExactDecimal(magnitude: answer, scale: 0, isNegative: true)?.plainText == "-301152000000")
    #expect(ExactDecimal(magnitude: .zero, scale: 2, isNegative: true)?.plainText == "0.00")
    #expect(ExactDecimal(magnitude: answer, scale: -1) == nil)
    #expect(ExactDecimal(magnitude: answer, scale: 158)?.plainText.count == 160)
    #expect(ExactDecimal(magnitude: answer, scale: 159) == nil)
    #expect(ExactDecimal(magnitude: answer, scale: .max) == nil)
    // 2^256 − 1 has 78 digits.
    #expect(ExactDecimal(magnitude: .max, scale: 18) == nil)
    let nines = String(repeating: "9", count: 77)
    #expect(ExactDecimal(magnitude: try #require(number256(nines)), scale: 0)?.plainText == nines)
    let tenTo77 = try #require(number256("1" + String(repeating: "0", count: 77)))
    #expect(
      ExactDecimal(magnitude: tenTo77, scale: 77)?.plainText == "1." + String(repeating: "0", count: 77))
  }

  @Test("sign and zero")
  func signAndZero() throws {
    for (source, isZero, isNegative) in [
      ("0", true, false), ("-0.0", true, false), ("0e7", true, false), ("-1e-9", false, true),
      ("3", false, false),
    ] {
      let decimal = try #require(ExactDecimal(parsing: source))
      #expect(decimal.isZero == isZero)
      #expect(decimal.isNegative == isNegative)
    }
    #expect(ExactDecimal.zero.plainText == "0")
    #expect(ExactDecimal.zero == ExactDecimal(parsing: "0.00"))
  }

  @Test("compact")
  func layout() {
    #expect(MemoryLayout<ExactDecimal>.stride <= 48)
  }

  static let moves: [(old: String, new: String, permille: Int, moved: Bool)] = [
    // Exactly 0.5 % has not moved by more than it.
    ("100", "100.5", 5, false), ("100", "99.5", 5, false), ("-100", "-100.5", 5, false),
    ("100", "100.50000000000000000000000000000000000000000001", 5, true),
    ("100", "99.4999999999999", 5, true),
    ("2.50", "2.5", 0, false), ("2.50", "2.5000000001", 0, true), ("1.00", "1.005", 5, false),
    ("1.00", "1.0051", 5, true), ("0.0002", "0.000201", 5, false), ("0.0002", "0.0002010001", 5, true),
    ("0", "0", 5, false), ("0", "0.00", 5, false), ("0", "1e-158", 5, true), ("0", "-5", 5, true),
    ("5", "0", 5, true), ("5", "0", 999, true), ("5", "0", 1000, false), ("1", "-1", 1999, true),
    ("1", "-1", 2000, false), ("-1", "1", 1999, true), ("-1", "1", 2000, false),
    ("1e159", "1e-158", 5, true), ("1e-158", "1e159", 5, true), ("1e159", "1.005e159", 5, false),
    ("1e159", "1.00500000000000000000000000000000000000000000000000000000000001e159", 5, true),
    ("1e159", "1e-158", 1000, false), ("1e-158", "1e159", Int.max, true), ("1", "1", Int.max, false),
    ("1", "1", -1, true), ("0", "0", -1, false), ("1", "1", .min, true),
  ]

  @Test("moved by more than so many permille, exactly", arguments: moves)
  func moved(old: String, new: String, permille: Int, moved: Bool) throws {
    let old = try #require(ExactDecimal(parsing: old))
    let new = try #require(ExactDecimal(parsing: new))
    #expect(new.moved(from: old, byMoreThanPermille: permille) == moved)
  }

  @Test("order, moves and rounding agree with school arithmetic")
  func randomAgainstSchoolbook() throws {
    var random = MoneyRandom(seed: 5)
    let thousand = Schoolbook("1000")
    for _ in 0..<1_000 {
      var texts: [String] = []
      let spread = Int.random(in: 1...38, using: &random)
      for _ in 0..<2 {
        texts.append(
          random.plainNumber(
            integerDigits: Int.random(in: 1...spread, using: &random),
            fractionDigits: Int.random(in: 0...spread, using: &random)))
      }
      // Often near each other, so that the boundary is crossed both ways.
      if Bool.random(using: &random) {
        let near = Schoolbook(texts[0]) * Schoolbook("1.005") + Schoolbook("0")
        texts[1] = near.roundedText()
      }
      let old = try #require(ExactDecimal(parsing: texts[0]))
      let new = try #require(ExactDecimal(parsing: texts[1]))
      let oldBook = Schoolbook(texts[0])
      let newBook = Schoolbook(texts[1])
      #expect(old.plainText == texts[0])
      #expect((old < new) == Schoolbook.isLess(oldBook, newBook), "\(texts)")
      let limit = oldBook * Schoolbook("5")
      let change = Schoolbook.distance(oldBook, newBook) * thousand
      #expect(
        new.moved(from: old, byMoreThanPermille: 5) == Schoolbook.isLess(limit, change), "\(texts)")
      if let rounded = old.roundedToHundredths() {
        #expect(rounded.text == oldBook.roundedText(), "\(texts)")
        #expect(
          ExactDecimal(parsing: "-" + texts[0])?.roundedToHundredths() == Hundredths(value: -rounded.value))
      } else {
        #expect(oldBook.roundedText().count > 19, "\(texts)")
      }
    }
  }
}
