import Testing

@testable import Devnet

@Suite struct SimulatedPricesTests {
  static let texts: [(String, String?)] = [
    ("2412.3", "2412.3"), ("2412.30", "2412.3"), ("1", "1"), ("1.000", "1"), ("0.9998", "0.9998"), ("0", "0"),
    ("0.000000000000000001", "0.000000000000000001"), ("0.0000000000000000001", nil), ("007.5", "7.5"),
    ("999999999999999", "999999999999999"), ("1000000000000000", nil), ("100", "100"), ("", nil), (".", nil),
    (".5", nil), ("5.", nil), ("1.2.3", nil), ("-1", nil), ("1e3", nil), ("1,5", nil), (" 1", nil),
    ("½", nil),
  ]

  @Test(arguments: texts)
  func priceTexts(text: String, canonical: String?) {
    #expect(SimulatedPrices.Price(text)?.text == canonical)
  }

  static func coin(
    _ ticks: UInt64, dayAgo: UInt64?, scale: Int = 4, _ movement: SimulatedPrices.Movement = .none
  ) -> SimulatedPrices.Coin {
    SimulatedPrices.Coin(
      symbol: "C", decimals: 18, price: .init(ticks: ticks, scale: scale), dayAgoTicks: dayAgo,
      movement: movement)
  }

  static let changes: [(UInt64, UInt64?, Int64?)] = [
    (10_000, 10_000, 0), (9_880, 10_000, -120), (10_120, 10_000, 120), (1, 3, -6_667), (2, 3, -3_333),
    (1_000_050, 1_000_000, 1), (1_000_049, 1_000_000, 0), (999_950, 1_000_000, -1), (30, 10, 20_000),
    (1, 0, nil), (1, nil, nil), (0, 5, -10_000),
  ]

  @Test(arguments: changes)
  func change(ticks: UInt64, dayAgo: UInt64?, hundredths: Int64?) {
    #expect(Self.coin(ticks, dayAgo: dayAgo).changeHundredths == hundredths)
  }

  static let decimals: [(UInt128, Int, Bool, Bool, String)] = [
    (120, 2, true, false, "-1.20"), (0, 2, true, false, "0.00"), (5, 2, false, false, "0.05"),
    (500, 2, false, true, "5"), (500, 0, false, true, "500"), (1, 8, true, true, "-0.00000001"),
  ]

  @Test(arguments: decimals)
  func decimalText(ticks: UInt128, scale: Int, isNegative: Bool, trimmed: Bool, text: String) {
    #expect(DecimalText.text(ticks: ticks, scale: scale, isNegative: isNegative, trimmed: trimmed) == text)
  }

  @Test func walkStaysInItsBand() throws {
    var prices = SimulatedPrices(seed: 3)
    prices["A"] = Self.coin(1_000_000, dayAgo: 1_000_000, .walk(step: 3_000, band: 20_000))
    prices["tiny"] = Self.coin(2, dayAgo: 2, .walk(step: 3_000, band: 1_000_000))
    prices["still"] = Self.coin(5, dayAgo: 5)
    var last: [String: UInt64] = [:]
    for _ in 0..<5_000 {
      prices.tick()
      for name in ["a", "tiny"] {
        let ticks = try #require(prices[name]).price.ticks
        #expect(ticks != last[name], "a tick always moves the price")
        last[name] = ticks
      }
      #expect((976_000...1_024_000).contains(last["a"] ?? 0))
      #expect((1...6).contains(last["tiny"] ?? 0))
    }
    #expect(prices["still"]?.price.ticks == 5)
  }

  @Test func pegFollows() throws {
    var prices = SimulatedPrices(seed: 3)
    prices["wrapped"] = Self.coin(1, dayAgo: nil, .pegged(to: "Leader", millionths: 1_500_000))
    prices["leader"] = Self.coin(1_000_000, dayAgo: 900_000, .walk(step: 3_000, band: 200_000))
    prices.tick()
    let leader = try #require(prices["leader"])
    let wrapped = try #require(prices["wrapped"])
    #expect(wrapped.price.ticks == leader.price.ticks * 3 / 2)
    #expect(wrapped.dayAgoTicks == 1_350_000)
  }

  @Test func namesAndDeletion() throws {
    var prices = SimulatedPrices(seed: 3)
    prices["Ethereum:0xAB"] = Self.coin(10_000, dayAgo: 10_000)
    #expect(prices["ethereum:0xab"]?.symbol == "C")
    let wasSet = prices.setPrice("ETHEREUM:0xab", "1.25")
    #expect(wasSet)
    #expect(prices["ethereum:0xab"]?.price.text == "1.25")
    #expect(prices["ethereum:0xab"]?.changeHundredths == 2_500, "the day's beginning keeps its worth")
    let refused = [prices.setPrice("ethereum:0xab", "many"), prices.setPrice("unknown", "1")]
    #expect(refused == [false, false])
    prices["b"] = Self.coin(1, dayAgo: nil)
    prices["c"] = Self.coin(2, dayAgo: nil)
    prices["b"] = nil
    #expect(prices.count == 2 && prices["c"]?.price.ticks == 2 && prices["b"] == nil)
    prices["c"] = nil
    prices["ethereum:0xaB"] = nil
    #expect(prices.count == 0 && prices["ethereum:0xab"] == nil)
    prices.tick()
  }
}
