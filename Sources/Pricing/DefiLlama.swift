// DefiLlama's coins API: current prices and 24 h changes, each for a list of coins in the address.

import Ethereum
import JSON
import Ledger
import Upstream

public struct DefiLlama: PriceSource {
  public let name = "defillama"
  private let base: HTTPURL
  private let client: HTTPClient
  private let chains: [ChainCode: Chain]
  private let timeout: Duration

  /// Coins in one request: it takes about 258 before it answers 413 or 414.
  static let coinsMaximum = 100
  /// Bytes of a whole URL: many servers take no more than 8 KiB in the request line.
  static let urlBytesMaximum = 8_000
  private static let responseBytes = 4 << 20

  public init(base: HTTPURL, client: HTTPClient, chains: [Chain], timeout: Duration) {
    self.base = base
    self.client = client
    self.chains = Dictionary(chains.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
    self.timeout = timeout
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
    var batches: [[CoinName]] = []
    var batch: [CoinName] = []
    let listBytesMaximum = Self.urlBytesMaximum - base.description.utf8.count - Self.pricesPath.utf8.count
    var bytes = 0
    for coin in coins {
      let size = coin.utf8.count + 1
      if batch.count == Self.coinsMaximum || bytes + size > listBytesMaximum, !batch.isEmpty {
        batches.append(batch)
        batch = []
        bytes = 0
      }
      batch.append(coin)
      bytes += size
    }
    if !batch.isEmpty { batches.append(batch) }
    return batches
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
    let prices = try await get(Self.pricesPath + list)
    var parsed = try Self.parsePrices(prices, now: now)
    switch await changes {
    case .success(let answer):
      for (coin, change) in Self.parseChanges(answer) ?? [:] { parsed.quotes[coin]?.change = change }
    case .failure(.rateLimited(let wait)): parsed.retryAfter = wait
    case .failure: break
    }
    return parsed
  }

  private func outcome(_ path: String) async -> Result<JSONValue, PriceSourceError> {
    do throws(PriceSourceError) { return .success(try await get(path)) } catch { return .failure(error) }
  }

  private func get(_ path: String) async throws(PriceSourceError) -> JSONValue {
    let response: HTTPClientResponse
    do {
      response = try await client.send(
        HTTPClientRequest(
          method: "GET", url: try base.appending(path), headers: [("Accept", "application/json")],
          timeouts: .init(connect: timeout, firstByte: timeout, total: timeout),
          responseBytesLimit: Self.responseBytes, isIdempotent: true))
    } catch {
      throw .unreachable("\(base.host): \(error)")
    }
    if response.status == 429 {
      throw .rateLimited(retryAfter: Self.retryAfter(response.headers.first("Retry-After")))
    }
    guard response.status == 200 else { throw .status(response.status) }
    do {
      return try JSONParser.parse(response.body, limits: JSONLimits(depth: 16, numberBytes: 512))
    } catch {
      throw .malformed(error.description)
    }
  }

  /// `Retry-After` in seconds; 0 and what can't be read count as 30 s, and nothing is longer than 10 minutes.
  static func retryAfter(_ value: String?) -> Duration {
    guard let value, let seconds = Int(value), seconds > 0 else { return .seconds(30) }
    return .seconds(min(seconds, 600))
  }

  // MARK: - Formats

  /// No coin has a longer name. Looking a string up takes the square of the length of a run of combining marks,
  /// and an answer may be long.
  private static let nameBytesMaximum = 128

  /// Prices above this are nonsense.
  private static let highest = ExactDecimal(parsing: "1e15")
  /// The source's own doubt: below it nobody should believe the price.
  private static let leastConfidence = ExactDecimal(parsing: "0.2")

  /// `{"coins":{"ethereum:0x…":{"price":0.9998,"timestamp":1795344912,"confidence":0.99,…}}}`
  ///
  /// Coin names come back as they were asked for; compared without case all the same.
  static func parsePrices(_ value: JSONValue, now: UnixMilliseconds) throws(PriceSourceError) -> Quotes {
    guard let coins = value["coins"]?.object else { throw .malformed("no \"coins\"") }
    var result = Quotes()
    for member in coins {
      if member.key.utf8.count <= nameBytesMaximum, let quote = parseQuote(member.value, now: now) {
        result.quotes[member.key.lowercased()] = quote
      } else {
        result.nonsense += 1
      }
    }
    return result
  }

  private static func parseQuote(_ value: JSONValue, now: UnixMilliseconds) -> Quote? {
    guard let price = decimal(value["price"]), !price.isNegative, !price.isZero else { return nil }
    if let highest, price > highest { return nil }
    if let confidence = value["confidence"], !confidence.isNull {
      guard let confidence = decimal(confidence), let leastConfidence, confidence >= leastConfidence
      else { return nil }
    }
    guard let seconds = value["timestamp"]?.number?.int64, (0...9_999_999_999).contains(seconds)
    else { return nil }
    return Quote(price: price, change: nil, time: seconds * 1_000)
  }

  /// `{"coins":{"ethereum:0x…":-2.3009954568977147}}`; `nil` when it is not of this shape.
  static func parseChanges(_ value: JSONValue) -> [CoinName: Hundredths]? {
    guard let coins = value["coins"]?.object else { return nil }
    var changes: [CoinName: Hundredths] = [:]
    for member in coins where member.key.utf8.count <= nameBytesMaximum {
      guard let change = decimal(member.value)?.roundedToHundredths(), change.value.magnitude < believable
      else { continue }
      changes[member.key.lowercased()] = change
    }
    return changes
  }

  /// Hundredths of a percent. More than a ten-thousandfold rise a day is no news but an error.
  private static let believable: UInt64 = 100_000_000

  private static func decimal(_ value: JSONValue?) -> ExactDecimal? {
    value?.number.flatMap { ExactDecimal(parsing: $0.text) }
  }
}
