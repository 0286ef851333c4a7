import Devnet
import Ethereum
import JSON
import Ledger
import Testing
import Upstream

@testable import Pricing

/// What is asked, and what is believed of the answers.
@Suite(.timeLimit(.minutes(10)))
struct CoinGeckoTests {
  private static let usdc = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"

  private func parse(
    _ text: String, status: Int = 200, retryAfter: String? = nil
  ) throws(PriceSourceError) -> Quotes {
    try CoinGecko.parse(response(text, status: status, retryAfter: retryAfter), platform: "ethereum")
  }

  private func response(_ text: String, status: Int, retryAfter: String? = nil) -> HTTPClientResponse {
    var response = HTTPClientResponse(status: status, headers: [:], body: Array(text.utf8))
    if let retryAfter { response.headers.append("Retry-After", retryAfter) }
    return response
  }

  // MARK: Prices

  private enum Verdict: Equatable {
    case price(String, change: String?)
    case missing
    case nonsense
  }

  private static let coins: [(String, Verdict)] = [
    (#"{"usd":1.0,"usd_24h_change":0.015,"last_updated_at":7}"#, .price("1.0", change: "0.02")),
    (#"{"usd":2412.30,"last_updated_at":7}"#, .price("2412.30", change: nil)),
    (#"{"usd":1e-7,"usd_24h_change":null,"last_updated_at":7}"#, .price("0.0000001", change: nil)),
    // No binary fraction has these digits.
    (
      #"{"usd":0.123456789012345678901234567890,"last_updated_at":7}"#,
      .price("0.123456789012345678901234567890", change: nil)
    ),
    (#"{"usd":1,"usd_24h_change":"1","last_updated_at":7}"#, .price("1", change: nil)),
    (#"{"usd":1,"usd_24h_change":1e9,"last_updated_at":7}"#, .price("1", change: nil)),
    // A coin without data.
    ("{}", .missing),
    (#"{"usd":null,"usd_24h_change":null,"last_updated_at":null}"#, .missing),
    (#"{"eur":1,"last_updated_at":7}"#, .missing),
    (#"{"usd":0,"last_updated_at":7}"#, .nonsense),
    (#"{"usd":-1,"last_updated_at":7}"#, .nonsense),
    (#"{"usd":"1.0","last_updated_at":7}"#, .nonsense),
    (#"{"usd":1e308,"last_updated_at":7}"#, .nonsense),
    (#"{"usd":1}"#, .nonsense),
    (#"{"usd":1,"last_updated_at":null}"#, .nonsense),
    (#"{"usd":1,"last_updated_at":-1}"#, .nonsense),
    ("null", .nonsense), ("5", .nonsense), ("[]", .nonsense),
  ]

  @Test(arguments: coins)
  private func aCoinIsBelievedPassedOverOrCounted(_ text: String, _ expected: Verdict) throws {
    let quotes = try parse(#"{"0xAb":\#(text),"0xcd":{"usd":5,"last_updated_at":7}}"#)
    let quote = quotes.quotes["ethereum:0xab"]
    let verdict = quote.map { Verdict.price($0.price.plainText, change: $0.change?.text) }
    #expect(verdict ?? (quotes.nonsense == 0 ? .missing : .nonsense) == expected)
    #expect(quotes.quotes["ethereum:0xcd"] == Quote(price: quote5, change: nil, time: 7_000))
  }

  private var quote5: ExactDecimal { ExactDecimal(parsing: "5") ?? .zero }

  @Test(arguments: ["[]", "null", "5", #""coins""#, "<html>", "", #"{"error":"coin not found"}"#])
  func whatIsNoAnswerIsRefused(_ text: String) {
    #expect(throws: PriceSourceError.self) { _ = try parse(text) }
  }

  /// "status" is the id of a coin too.
  @Test func aCoinCalledStatusIsNoError() throws {
    let quotes = try parse(#"{"status":{"usd":0.03,"last_updated_at":7}}"#)
    #expect(quotes.quotes["ethereum:status"]?.price.plainText == "0.03")
  }

  // MARK: Errors

  private static let limited =
    #"{"status":{"error_code":429,"error_message":"You've exceeded the Rate Limit."}}"#

  @Test(
    arguments: [
      (200, limited, nil, "rate limited for 30.0 seconds"),
      (200, limited, "53", "rate limited for 53.0 seconds"),
      (429, limited, "0", "rate limited for 30.0 seconds"), (429, "", nil, "rate limited for 30.0 seconds"),
      (200, #"{"status":{"error_code":10002,"error_message":"x"}}"#, nil, "HTTP status 10002"),
      (200, #"{"error":{"status":{"error_code":429}}}"#, "7", "rate limited for 7.0 seconds"),
      (401, #"{"error":{"status":{"error_code":10002}}}"#, nil, "HTTP status 401"),
      (403, "<html>", nil, "HTTP status 403"), (500, "", nil, "HTTP status 500"),
    ] as [(Int, String, String?, String)])
  func errorsInTheirShapes(_ status: Int, _ text: String, _ retryAfter: String?, _ expected: String) {
    let error = #expect(throws: PriceSourceError.self) {
      _ = try parse(text, status: status, retryAfter: retryAfter)
    }
    #expect(error?.description == expected)
  }

  private static func refusal(_ text: String) -> String {
    #"{"timestamp":"x","error_code":10012,"status":{"error_message":"\#(text)"}}"#
  }

  @Test(
    arguments: [
      (400, refusal("the request exceeds the allowed limit (1 addresses). It may change"), 10, 1),
      (400, refusal("the request exceeds the allowed limit (10 addresses)."), 515, 10),
      // What says nothing of use halves it.
      (400, refusal("the request exceeds the allowed limit (0 addresses)."), 10, 5),
      (400, refusal("the request exceeds the allowed limit (10 addresses)."), 10, 5),
      (400, refusal("too many"), 3, 1), (400, refusal("(99999999999999999999999)"), 10, 5),
      (400, #"{"status":{"error_code":10012,"error_message":"(4)"}}"#, 9, 4),
      (414, "<html>", 515, 257), (413, "", 2, 1), (431, "", 100, 50),
      // There is nothing to be cut.
      (400, refusal("(1 addresses)"), 1, nil), (414, "", 1, nil),
      (400, #"{"error":"bad"}"#, 10, nil), (400, "<html>", 10, nil), (200, refusal("(1)"), 10, nil),
      (429, refusal("(1)"), 10, nil),
    ] as [(Int, String, Int, Int?)])
  func howManyContractsAreTaken(_ status: Int, _ text: String, _ asked: Int, _ allowed: Int?) {
    #expect(CoinGecko.contractsAllowed(response(text, status: status), asked: asked) == allowed)
  }

  // MARK: What is asked

  @Test func namesOfCoins() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = try fixture.coinGecko()
      func name(_ key: String) async throws -> CoinName? {
        let id = await fixture.ledger.intern(try TokenKey(parsing: key), info: TokenInfo(isListed: true))
        return await fixture.ledger.token(id).flatMap { source.coin(for: $0) }
      }
      #expect(try await name("ETH:native") == "id:ethereum")
      #expect(try await name("BASE:native") == "id:ethereum")
      #expect(try await name("BSC:native") == "id:binancecoin")
      #expect(try await name("ETH:\(Self.usdc)") == "ethereum:\(Self.usdc.lowercased())")
      #expect(try await name("MATIC:\(Self.usdc)") == "polygon-pos:\(Self.usdc.lowercased())")
      #expect(try await name("ETH_SEPOLIA:native") == nil)
    }
  }

  @Test(arguments: [("", 10), ("CG-1", 515)])
  func batchesArePlatformsApart(_ key: String, _ size: Int) async throws {
    try await withFixture(Fixture()) { fixture in
      let source = try fixture.coinGecko(key: key)
      let names = (0..<600).map { Address.numbered(UInt64($0)).lowercase }
      let coins =
        names.flatMap { ["binance-smart-chain:\($0)", "base:\($0)"] } + ["id:ethereum", "id:fantom"]
      let batches = source.batches(coins)
      #expect(Set(batches.joined()) == Set(coins) && batches.joined().count == coins.count)
      #expect(batches.first == ["id:ethereum", "id:fantom"])
      #expect(batches.map(\.count).max() == size)
      for batch in batches { #expect(Set(batch.map { $0.prefix { $0 != ":" } }).count == 1) }
    }
  }

  @Test func addressesStayShort() async throws {
    try await withFixture(Fixture()) { fixture in
      let source = try fixture.coinGecko(
        key: "CG-1", base: "http://a/" + String(repeating: "x", count: 9_000))
      let coins = (0..<515).map { "base:\(Address.numbered(UInt64($0)).lowercase)" }
      let batches = source.batches(coins)
      #expect(batches.count == 2 && batches.joined().elementsEqual(coins))
      #expect(batches.allSatisfy { $0.count * 43 < CoinGecko.urlBytesMaximum - 9_000 })
    }
  }

  @Test(arguments: [
    ("https://api.coingecko.com/api/v3", "x-cg-demo-api-key"),
    ("https://pro-api.coingecko.com/api/v3", "x-cg-pro-api-key"), ("http://pro.example", "x-cg-demo-api-key"),
  ])
  func theKeysHeaderIsThePlans(_ base: String, _ header: String) throws {
    #expect(CoinGecko.keyHeader(try HTTPURL(base)) == header)
  }

  // MARK: Over HTTP

  private func prepare(_ fixture: Fixture) async throws {
    for number: UInt64 in 0..<5 {
      try await fixture.setPrice("ethereum:\(Address.numbered(number).lowercase)", "1.50")
    }
    try await fixture.setPrice("coingecko:ethereum", "2412.30")
    try await fixture.watch(["ETH:native", "BASE:native"] + contracts)
  }

  private let contracts = (0..<5).map { "ETH:\(Address.numbered(UInt64($0)).lowercase)" }

  @Test func withAKeyOneRequestTakesManyContracts() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(fixture.coinGecko(key: "CG-1"))
      try await prepare(fixture)
      await pipeline.round()
      #expect(try await fixture.price("BASE:native") == "2412.3 120515.00 fresh")
      for key in contracts { #expect(try await fixture.price(key) == "1.5 -25.00 fresh") }
      let statistics = try await fixture.node.priceStatistics
      #expect([statistics.simple, statistics.coins, statistics.tooMany] == [2, 6, 0])
      #expect(statistics.key == "x-cg-demo-api-key: CG-1")
    }
  }

  @Test func withoutAKeyHowManyAreTakenIsLearnt() async throws {
    try await withFixture(Fixture()) { fixture in
      let pipeline = try await fixture.pipeline(fixture.coinGecko())
      try await prepare(fixture)
      await pipeline.round()
      for key in contracts { #expect(try await fixture.price(key) == "1.5 -25.00 fresh") }
      var statistics = try await fixture.node.priceStatistics
      #expect([statistics.simple, statistics.coins, statistics.tooMany] == [7, 6, 1])
      #expect(statistics.key == nil)
      await pipeline.round()
      statistics = try await fixture.node.priceStatistics
      #expect([statistics.simple, statistics.tooMany] == [13, 1], "once is enough")
    }
  }
}
