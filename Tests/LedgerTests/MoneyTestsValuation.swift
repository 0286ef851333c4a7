import Ethereum
import Testing

@testable import Ledger

@Suite("Valuation and ExactValue")
struct MoneyTestsValuation {
  static let maximum = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

  static let values: [(balance: String, decimals: Int, price: String, text: String)] = [
    ("1230000000000000000", 18, "3011.52", "3704.17"), ("25000000", 6, "1.0002", "25.00"),
    ("25000000", 6, "1.0002000", "25.00"), ("0", 18, "3011.52", "0.00"), ("0", 77, "1e-158", "0.00"),
    ("0", 0, "1e5", "0.00"),
    ("1", 0, "0", "0.00"), ("1", 0, "1e3", "1000.00"), ("7", 0, "1.5", "10.50"), ("1", 0, "0.1", "0.10"),
    // Ties to the even neighbour, and the sticky remainder that makes them more than ties.
    ("5", 3, "1", "0.00"), ("15", 3, "1", "0.02"), ("25", 3, "1", "0.02"), ("35", 3, "1.0", "0.04"),
    ("1", 0, "0.005", "0.00"), ("1", 0, "0.015", "0.02"), ("1", 0, "0.025", "0.02"),
    ("1", 0, "0.0050000000000000000000000000000000001", "0.01"),
    ("1", 0, "0.00499999999999999999999", "0.00"),
    ("5000000000000000001", 21, "1", "0.01"), ("5000000000000000000", 21, "1", "0.00"),
    ("15000000000000000000", 21, "1", "0.02"), ("1", 0, "99.995", "100.00"), ("1", 0, "99.985", "99.98"),
    ("340282366920938463463374607431768211455", 18, "2412.3456789012345", "820878697448010278850641.16"),
    // 256 bits by 256 bits.
    (maximum, 0, "1", maximum + ".00"), (maximum, 77, "1", "1.16"), (maximum, 0, "0", "0.00"),
    (maximum, 77, "0.31741852963174185296317418529631741852963174185296317418529631741852963174185", "0.37"),
    (
      maximum, 0, "0.31741852963174185296317418529631741852963174185296317418529631741852963174185",
      "36754554708696347672485786009929937537078244838089999963328262693693086644211.31"
    ),
    (
      maximum, 18, "0.31741852963174185296317418529631741852963174185296317418529631741852963174185",
      "36754554708696347672485786009929937537078244838089999963328.26"
    ),
    (
      maximum, 77, String(repeating: "9", count: 77),
      "115792089237316195423570985008687907853269984665640564039457584007913129639933.84"
    ),
    (maximum, 0, "1e159", maximum + String(repeating: "0", count: 159) + ".00"),
    (maximum, 77, "1e-158", "0.00"),
  ]

  @Test("balance × price ÷ 10^decimals", arguments: values)
  func value(balance: String, decimals: Int, price: String, text: String) throws {
    let balance = try #require(number256(balance))
    let price = try #require(ExactDecimal(parsing: price))
    let value = try #require(Valuation.value(balance: balance, decimals: decimals, price: price))
    #expect(value.roundedText() == text)
    var output = Array("v".utf8)
    value.append(to: &output)
    #expect(String(decoding: output, as: UTF8.self) == "v" + text)
  }

  @Test("a negative price or impossible decimals have no value")
  func refusals() throws {
    let one = UInt256(1)
    let price = try #require(ExactDecimal(parsing: "1"))
    #expect(Valuation.value(balance: one, decimals: -1, price: price) == nil)
    #expect(Valuation.value(balance: one, decimals: 78, price: price) == nil)
    #expect(Valuation.value(balance: one, decimals: .min, price: price) == nil)
    #expect(Valuation.value(balance: one, decimals: 77, price: price) != nil)
    let negative = try #require(ExactDecimal(parsing: "-1e-9"))
    #expect(Valuation.value(balance: one, decimals: 0, price: negative) == nil)
    let negativeZero = try #require(ExactDecimal(parsing: "-0.0"))
    #expect(Valuation.value(balance: one, decimals: 0, price: negativeZero)?.roundedText() == "0.00")
  }

  @Test(
    "a sum adds exactly and rounds once",
    arguments: [
      ([], "0.00"), (["0"], "0.00"), (["0.005"], "0.00"), (["0.005", "0.005"], "0.01"),
      (["0.004", "0.004", "0.004"], "0.01"), (["0.005", "0.00001"], "0.01"),
      (["3704.1696", "25.005"], "3729.17"),
      (["1e-158", "0.005"], "0.01"), (["0.005", "1e-158"], "0.01"), (["1e-158", "0", "0.015"], "0.02"),
      (["1e30", "0.015"], "1000000000000000000000000000000.02"), (["0.99", "0.01"], "1.00"),
      (["1e158", "1e-158", "0.005"], "1" + String(repeating: "0", count: 158) + ".01"),
      (["0", "0.00", "7"], "7.00"), (["0.025"], "0.02"),
      (
        [String(repeating: "9", count: 77), String(repeating: "9", count: 77)],
        "1" + String(repeating: "9", count: 76) + "8.00"
      ),
    ])
  func sums(addends: [String], text: String) throws {
    var sum = ExactValue.zero
    for addend in addends {
      let price = try #require(ExactDecimal(parsing: addend))
      sum.add(try #require(Valuation.value(balance: UInt256(1), decimals: 0, price: price)))
    }
    #expect(sum.roundedText() == text)
    #expect(sum.isZero == addends.allSatisfy { ExactDecimal(parsing: $0)?.isZero ?? false })
  }

  @Test("values and sums agree with school arithmetic", arguments: 0..<8)
  func randomAgainstSchoolbook(seed: UInt64) throws {
    var random = MoneyRandom(seed: seed)
    // From everyday sizes up to what 256 bits hold.
    let width = [6, 12, 19, 30, 39, 58, 70, 77][Int(seed)]
    for _ in 0..<25 {
      var sum = ExactValue.zero
      var sumBook = Schoolbook("0")
      for _ in 0..<8 {
        let balanceText = random.digits(Int.random(in: 1...width, using: &random))
        let priceText = random.plainNumber(
          integerDigits: Int.random(in: 1...max(1, width / 3), using: &random),
          fractionDigits: Int.random(in: 0...(width / 3), using: &random))
        let decimals = Int.random(in: 0...min(77, width), using: &random)
        let balance = try #require(number256(balanceText))
        let price = try #require(ExactDecimal(parsing: priceText))
        let value = try #require(Valuation.value(balance: balance, decimals: decimals, price: price))
        let book = (Schoolbook(balanceText) * Schoolbook(priceText)).dividedByPowerOfTen(decimals)
        #expect(value.roundedText() == book.roundedText(), "\(balanceText) \(decimals) \(priceText)")
        sum.add(value)
        sumBook = sumBook + book
      }
      #expect(sum.roundedText() == sumBook.roundedText())
    }
  }

  @Test("both sizes of magnitude agree")
  func naturalAgainstInline() throws {
    var random = MoneyRandom(seed: 3)
    for _ in 0..<500 {
      let left = try #require(number256(random.digits(Int.random(in: 1...77, using: &random))))
      let right = try #require(number256(random.digits(Int.random(in: 1...77, using: &random))))
      let power = Int.random(in: 0...80, using: &random)
      #expect(Natural(left.distance(from: right)) == Natural(left).distance(from: Natural(right)))
      #expect(left.isLess(than: right) == Natural(left).isLess(than: Natural(right)))
      var quotient = left
      quotient.divideHalfEven(byPowerOfTen: power)
      var naturalQuotient = Natural(left)
      naturalQuotient.divideHalfEven(byPowerOfTen: power)
      #expect(Natural(quotient) == naturalQuotient)
      let product = Natural(left).multiplied(by: Natural(right))
      var inlineProduct = left
      if !inlineProduct.multiplyReportingOverflow(by: right) {
        #expect(Natural(inlineProduct) == product)
      } else {
        #expect(Natural(UInt256.max).isLess(than: product))
      }
    }
  }
}
