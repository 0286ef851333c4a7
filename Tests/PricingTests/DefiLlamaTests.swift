import Devnet
import Ethereum
import JSON
import Ledger
import Testing
import Upstream

@testable import Pricing

/// What is asked, and what is believed of the answers.
struct DefiLlamaTests {
  private func parse(_ text: String) throws -> Quotes {
    try DefiLlama.parsePrices(
      JSONParser.parse(text, limits: JSONLimits(depth: 16, numberBytes: 512)))
  }

  // MARK: Prices

  private struct Case: CustomTestStringConvertible {
    var coin: String
    var price: String?
    init(_ coin: String, _ price: String?) {
      self.coin = coin
      self.price = price
    }
    var testDescription: String { coin }
  }

  private static let coins = [
    Case(
      #"{"decimals":6,"symbol":"USDC","price":0.9998,"timestamp":1795344912,"confidence":0.99}"#, "0.9998"),
    Case(#"{"price":2412.3,"timestamp":1795344912}"#, "2412.3"),
    Case(#"{"price":1e-7,"timestamp":1}"#, "0.0000001"),
    Case(#"{"price":1.00,"timestamp":1}"#, "1.00"),
    // No binary fraction has these digits.
    Case(#"{"price":0.123456789012345678901234567890,"timestamp":1}"#, "0.123456789012345678901234567890"),
    Case(#"{"price":1e15,"timestamp":1}"#, "1000000000000000"),
    Case(#"{"price":1,"timestamp":1,"confidence":0.2}"#, "1"),
    Case(#"{"price":1,"timestamp":1,"confidence":null}"#, "1"),
    Case(#"{"price":1,"timestamp":1,"confidence":0.19}"#, nil),
    Case(#"{"price":1,"timestamp":1,"confidence":"high"}"#, nil),
    Case(#"{"price":1.1e15,"timestamp":1}"#, nil),
    Case(#"{"price":1e400,"timestamp":1}"#, nil),
    Case(#"{"price":0,"timestamp":1}"#, nil),
    Case(#"{"price":0.000,"timestamp":1}"#, nil),
    Case(#"{"price":-0,"timestamp":1}"#, nil),
    Case(#"{"price":-1,"timestamp":1}"#, nil),
    Case(#"{"price":null,"timestamp":1}"#, nil),
    Case(#"{"price":"1.0","timestamp":1}"#, nil),
    Case(#"{"price":true,"timestamp":1}"#, nil),
    Case(#"{"price":[1],"timestamp":1}"#, nil),
    Case(#"{"timestamp":1}"#, nil),
    Case(#"{"price":1}"#, nil),
    Case(#"{"price":1,"timestamp":"1"}"#, nil),
    Case(#"{"price":1,"timestamp":-1}"#, nil),
    Case(#"{"price":1,"timestamp":1e30}"#, nil),
    Case(#"{"price":1,"timestamp":99999999999}"#, nil),
    Case("null", nil), Case("5", nil), Case("[]", nil), Case("{}", nil),
  ]

  @Test(arguments: coins)
  private func aCoinIsBelievedOrCounted(_ test: Case) throws {
    let quotes = try parse(#"{"coins":{"ethereum:0xAb":\#(test.coin),"good":{"price":5,"timestamp":7}}}"#)
    #expect(quotes.quotes["ethereum:0xab"]?.price.plainText == test.price)
    #expect(quotes.nonsense == (test.price == nil ? 1 : 0))
    #expect(quotes.quotes["good"]?.price.plainText == "5")
    #expect(quotes.quotes["good"]?.time == 7_000)
  }

  @Test(arguments: [
    "{}", "[]", "null", "5", #"{"coins":[]}"#, #"{"coins":null}"#, #"{"coin":{}}"#, #""coins""#,
  ])
  func whatIsNoAnswerIsRefused(_ text: String) {
    #expect(throws: PriceSourceError.self) { _ = try parse(text) }
  }

  @Test(arguments: [128, 129])
  func aNameLongerThanAnyCoinsIsPassedOver(_ length: Int) throws {
    let name = String(repeating: "x", count: length)
    let quotes = try parse(
      #"{"coins":{"\#(name)":{"price":5,"timestamp":7},"good":{"price":5,"timestamp":7}}}"#)
    #expect(quotes.quotes.keys.contains(name) == (length <= 128))
    #expect(quotes.nonsense == (length <= 128 ? 0 : 1))
    let changes = try changes(#"{"coins":{"\#(name)":1,"good":1}}"#)
    #expect(changes.count == (length <= 128 ? 2 : 1))
  }

  @Test func noCoinsAreAnAnswer() throws {
    #expect(try parse(#"{"coins":{}}"#).quotes.isEmpty)
  }

  // MARK: Changes

  /// What becomes known where every coin of the answer has a price.
  private func changes(_ text: String) throws -> [CoinName: Hundredths] {
    let value = try JSONParser.parse(text, limits: JSONLimits(depth: 16, numberBytes: 512))
    let names = value["coins"]?.object?.map { $0.key.lowercased() } ?? ["good"]
    var quotes = ScriptedSource.quotes(names, "2.50")
    DefiLlama.addChanges(value, to: &quotes)
    #expect(quotes.quotes.count == names.count)
    return quotes.quotes.compactMapValues(\.change)
  }

  @Test func aChangeWithoutAPriceIsNothing() throws {
    var quotes = ScriptedSource.quotes(["good"], "2.50")
    let text = #"{"coins":{"good":1,"other":2}}"#
    DefiLlama.addChanges(
      try JSONParser.parse(text, limits: JSONLimits(depth: 16, numberBytes: 512)), to: &quotes)
    #expect(quotes.quotes.mapValues(\.change) == ["good": Hundredths(value: 100)])
  }

  @Test(arguments: [
    ("-2.3009954568977147", "-2.30"), ("0", "0.00"), ("-0.001", "0.00"), ("0.005", "0.00"), ("0.015", "0.02"),
    ("1e2", "100.00"), ("999999.99", "999999.99"), ("1000000", nil), ("-1e30", nil), ("1e400", nil),
    ("null", nil), ("\"1\"", nil), ("{}", nil), ("[1]", nil),
  ])
  func aChangeIsRoundedOrLeftOut(_ text: String, _ expected: String?) throws {
    let found = try changes(#"{"coins":{"ethereum:0xAb":\#(text),"good":1}}"#)
    #expect(found["ethereum:0xab"]?.text == expected)
    #expect(found["good"]?.text == "1.00")
  }

  @Test(arguments: ["{}", "[]", "null", #"{"coins":[]}"#])
  func changesOfAnotherShapeAreNone(_ text: String) throws {
    #expect(try changes(text).isEmpty)
  }

  @Test(
    arguments: [
      (nil, 30), ("", 30), ("0", 30), ("-5", 30), ("Wed, 21 Oct 2015 07:28:00 GMT", 30), ("1", 1), ("53", 53),
      ("600", 600), ("601", 600), ("99999999999999999999", 30),
    ] as [(String?, Int)])
  func retryAfter(_ value: String?, _ seconds: Int) {
    #expect(PriceAPI.retryAfter(value) == .seconds(seconds))
  }

  // MARK: What is asked

  @Test func namesOfCoins() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = try fixture.defiLlama()
      func name(_ key: String) async throws -> CoinName? {
        let id = await fixture.ledger.intern(try TokenKey(parsing: key), info: TokenInfo(isListed: true))
        return await fixture.ledger.token(id).flatMap { source.coin(for: $0) }
      }
      #expect(try await name("ETH:native") == "coingecko:ethereum")
      #expect(try await name("BASE:native") == "coingecko:ethereum")
      #expect(try await name("MATIC:native") == "coingecko:polygon-ecosystem-token")
      let usdc = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
      #expect(try await name("ETH:\(usdc)") == "ethereum:\(usdc.lowercased())")
      #expect(try await name("ZKSYNC:\(usdc)") == "era:\(usdc.lowercased())")
      #expect(try await name("ETH_SEPOLIA:native") == nil)
    }
  }

  @Test(
    arguments: [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])] as [(Int, [Int])])
  func batchesHoldAHundredCoins(_ count: Int, _ sizes: [Int]) async throws {
    try await withFixture(Fixture()) { fixture in
      let coins = (0..<count).map { "ethereum:\(Address.numbered(UInt64($0)).lowercase)" }
      let batches = try fixture.defiLlama().batches(coins)
      #expect(batches.map(\.count) == sizes)
      #expect(batches.flatMap(\.self) == coins)
    }
  }

  @Test(arguments: ["http://a", "http://a/" + String(repeating: "x", count: 3_000)])
  func urlsStayShort(_ base: String) async throws {
    try await withFixture(Fixture()) { fixture in
      let source = try fixture.defiLlama(base: base)
      let coins = (0..<100).map { "\(String(repeating: "s", count: 100))\($0)" }
      let batches = source.batches(coins)
      #expect(batches.flatMap(\.self) == coins)
      for batch in batches {
        let url = try HTTPURL(base).appending("/prices/current/" + batch.joined(separator: ","))
        #expect(url.description.utf8.count <= 8_000)
      }
      // One that is too long by itself goes alone, and fails alone.
      let long = String(repeating: "s", count: 9_000)
      #expect(source.batches(["a", long, "b"]) == [["a"], [long], ["b"]])
    }
  }
}
