import Testing

@testable import Ledger

@Suite("Hundredths")
struct MoneyTestsHundredths {
  @Test(
    "two places, a tie to the even neighbour",
    arguments: [
      ("0.005", "0.00"), ("0.015", "0.02"), ("0.025", "0.02"), ("0.035", "0.04"), ("0.0050", "0.00"),
      ("0.00500000000000000000000000000000000000000000000001", "0.01"), ("0.0049999999999999999999", "0.00"),
      ("0.0149999", "0.01"), ("0.0250000000000000000000000000000000000000001", "0.03"), ("-0.005", "0.00"),
      ("-0.015", "-0.02"), ("-0.025", "-0.02"), ("-0.004", "0.00"), ("-0.0051", "-0.01"), ("0", "0.00"),
      ("-0", "0.00"), ("1e-158", "0.00"), ("-1e-157", "0.00"), ("5e-3", "0.00"), ("5e-2", "0.05"),
      ("-1.2", "-1.20"), ("-1.2049", "-1.20"), ("1", "1.00"), ("1e3", "1000.00"), ("12.345", "12.34"),
      ("12.355", "12.36"), ("99.995", "100.00"), ("-99.995", "-100.00"), ("9.994999", "9.99"),
      ("92233720368547758.07", "92233720368547758.07"), ("92233720368547758.0749", "92233720368547758.07"),
      ("92233720368547758.075", nil), ("92233720368547758.08", nil),
      ("-92233720368547758.08", "-92233720368547758.08"), ("-92233720368547758.085", "-92233720368547758.08"),
      ("-92233720368547758.09", nil), ("1e17", nil), ("-1e17", nil), ("1e158", nil), ("1e77", nil),
      ("99999999999999999999999999999999999999999999999999999999999999999999999999999", nil),
    ] as [(String, String?)])
  func rounding(source: String, expected: String?) throws {
    let decimal = try #require(ExactDecimal(parsing: source))
    #expect(decimal.roundedToHundredths()?.text == expected)
  }

  @Test(
    "text",
    arguments: [
      (0, "0.00"), (1, "0.01"), (-1, "-0.01"), (5, "0.05"), (99, "0.99"), (100, "1.00"), (-120, "-1.20"),
      (-100, "-1.00"), (123_456, "1234.56"), (.max, "92233720368547758.07"), (.min, "-92233720368547758.08"),
    ] as [(Int64, String)])
  func text(value: Int64, expected: String) {
    let hundredths = Hundredths(value: value)
    #expect(hundredths.text == expected)
    var output = Array("a".utf8)
    hundredths.append(to: &output)
    #expect(String(decoding: output, as: UTF8.self) == "a" + expected)
    // The text is a number that rounds to the same hundredths.
    #expect(ExactDecimal(parsing: expected)?.roundedToHundredths() == hundredths)
  }

  @Test(
    "moved by more than so many hundredths",
    arguments: [
      (0, 50, 50, false), (0, 51, 50, true), (0, -50, 50, false), (0, -51, 50, true), (-20, 30, 50, false),
      (-20, 31, 50, true), (7, 7, 0, false), (.min, .max, .max - 1, true), (.max, .min, .max, false),
    ] as [(Int64, Int64, UInt64, Bool)])
  func moved(old: Int64, new: Int64, limit: UInt64, moved: Bool) {
    #expect(Hundredths(value: new).moved(from: Hundredths(value: old), byMoreThan: limit) == moved)
  }

  @Test("order")
  func order() {
    #expect(Hundredths(value: -1) < Hundredths(value: 0))
    #expect(!(Hundredths(value: 2) < Hundredths(value: 2)))
  }
}
