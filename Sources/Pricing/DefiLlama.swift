// DefiLlama's coins API: current prices and 24 h changes, each for a list of coins in the address.

import Ethereum
import JSON
import Ledger
import Upstream

public struct DefiLlama: PriceSource {
  public let name = "defillama"
  public let requestsPerMinute: Int
  /// Prices and changes.
  public let requestsPerBatch = 2
  private let api: PriceAPI
  private let chains: [ChainCode: Chain]

  /// Coins in one request: it takes about 258 before it answers 413 or 414.
  static let coinsMaximum = 100
  /// Bytes of a whole URL: many servers take no more than 8 KiB in the request line.
  static let urlBytesMaximum = 8_000

  /// - Parameter requestsPerMinute: 0: 300, and any number where the host is not DefiLlama's own.
  public init(
    base: HTTPURL, client: HTTPClient, chains: [Chain], requestsPerMinute: Int = 0,
    timeout: Duration = .seconds(10)
  ) {
    api = PriceAPI(base: base, client: client, timeout: timeout)
    self.requestsPerMinute =
      requestsPerMinute > 0 ? requestsPerMinute : PriceAPI.budget(300, of: "llama.fi", at: base)
    self.chains = Dictionary(chains.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// `{slug}:{address}`; a chain's own coin by its CoinGecko name, so that chains with the same coin share it.
  public func coin(for token: Token) -> CoinName? {
    guard let chain = chains[token.key.chain] else { return nil }
    guard let contract = token.key.contract else {
      return chain.nativeCoin.coinGeckoID.map { "coingecko:\($0)" }
    }
    return chain.defiLlamaSlug.map { "\($0):\(contract.lowercase)" }
  }

  public func batches(_ coins: [CoinName]) -> [[CoinName]] {
    PriceAPI.cut(
      coins, count: Self.coinsMaximum,
      bytes: Self.urlBytesMaximum - api.base.description.utf8.count - Self.pricesPath.utf8.count)
  }

  private static let pricesPath = "/prices/current/"
  private static let changesPath = "/percentage/"

  /// Both requests at once. Without the changes the prices are still good; without prices there is nothing.
  ///
  /// The changes are asked for in every round, though the source makes them anew once an hour: which hour is not
  /// known, and a price is wrong beside a change of another day.
  public func quotes(
    for batch: [CoinName], now: UnixMilliseconds
  ) async throws(PriceSourceError) -> Quotes {
    let list = batch.joined(separator: ",")
    async let changes = outcome(Self.changesPath + list)
    let prices = try PriceAPI.json(try await api.get(Self.pricesPath + list))
    var parsed = try Self.parsePrices(prices)
    switch await changes {
    case .success(let answer): Self.addChanges(answer, to: &parsed)
    case .failure(.rateLimited(let wait)): parsed.retryAfter = wait
    case .failure: break
    }
    return parsed
  }

  private func outcome(_ path: String) async -> Result<JSONValue, PriceSourceError> {
    do throws(PriceSourceError) {
      return .success(try PriceAPI.json(try await api.get(path)))
    } catch { return .failure(error) }
  }

  // MARK: - Formats

  /// The source's own doubt: below it nobody should believe the price.
  private static let leastConfidence = ExactDecimal(parsing: "0.2")

  /// `{"coins":{"ethereum:0x…":{"price":0.9998,"timestamp":1795344912,"confidence":0.99,…}}}`
  ///
  /// Coin names come back as they were asked for; compared without case all the same.
  static func parsePrices(_ value: JSONValue) throws(PriceSourceError) -> Quotes {
    guard let coins = value["coins"]?.object else { throw .malformed("no \"coins\"") }
    var result = Quotes()
    result.quotes.reserveCapacity(coins.count)
    for member in coins {
      if let name = QuoteNumber.name(member.key), let quote = parseQuote(member.value) {
        result.quotes[name] = quote
      } else {
        result.nonsense += 1
      }
    }
    return result
  }

  private static func parseQuote(_ value: JSONValue) -> Quote? {
    guard let price = QuoteNumber.price(value["price"]), let time = QuoteNumber.time(value["timestamp"])
    else { return nil }
    if let confidence = value["confidence"], !confidence.isNull {
      guard let confidence = QuoteNumber.decimal(confidence), let leastConfidence,
        confidence >= leastConfidence
      else { return nil }
    }
    return Quote(price: price, change: nil, time: time)
  }

  /// `{"coins":{"ethereum:0x…":-2.3009954568977147}}`; what is not of this shape adds nothing.
  static func addChanges(_ value: JSONValue, to quotes: inout Quotes) {
    for member in value["coins"]?.object ?? JSONObject() {
      guard let name = QuoteNumber.name(member.key), let change = QuoteNumber.change(member.value) else {
        continue
      }
      quotes.quotes[name]?.change = change
    }
  }
}
