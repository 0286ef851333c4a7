// CoinGecko's simple API: coins by their id, contracts by platform and address, with and without a key.
//
// How many contracts one request may name depends on the key and has changed over the years, so it is learnt: a
// request that is refused for its length is cut, and the shorter length is kept.

import Ethereum
import JSON
import Ledger
import Synchronization
import Upstream

public final class CoinGecko: PriceSource {
  public let name = "coingecko"
  public let requestsPerMinute: Int
  public let requestsPerBatch = 1
  private let api: PriceAPI
  private let chains: [ChainCode: Chain]
  /// Contracts in one request.
  private let contractsMaximum: Mutex<Int>

  /// Ids in one request.
  static let idsMaximum = 100
  /// Bytes of a whole URL: a little more than the documented number of contracts takes.
  static let urlBytesMaximum = 24_000

  /// - Parameters:
  ///   - key: goes into the header of paid plans where the host is theirs (`pro-api.…`), else into that of free
  ///     ones; empty: none.
  ///   - requestsPerMinute: 0: 10 without a key, 30 with a free one, 250 with a paid one; any number where the host
  ///     is not CoinGecko's own.
  public init(
    base: HTTPURL, key: String, client: HTTPClient, chains: [Chain], requestsPerMinute: Int = 0,
    timeout: Duration = .seconds(10)
  ) {
    api = PriceAPI(
      base: base, client: client, timeout: timeout,
      headers: key.isEmpty ? [] : [(Self.keyHeader(base), key)])
    let usual = key.isEmpty ? 10 : Self.isPaid(base) ? 250 : 30
    self.requestsPerMinute =
      requestsPerMinute > 0 ? requestsPerMinute : PriceAPI.budget(usual, of: "coingecko.com", at: base)
    self.chains = Dictionary(chains.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
    // 515 is documented; without a key it was 10 once, then 1.
    contractsMaximum = Mutex(key.isEmpty ? 10 : 515)
  }

  private static func isPaid(_ base: HTTPURL) -> Bool { base.host.hasPrefix("pro-api.") }

  static func keyHeader(_ base: HTTPURL) -> String {
    isPaid(base) ? "x-cg-pro-api-key" : "x-cg-demo-api-key"
  }

  private static let idPrefix = "id"
  private static let options = "&vs_currencies=usd&include_24hr_change=true&include_last_updated_at=true"
  /// What an address has besides its list: options, path and platform.
  private static let fixedBytes = options.utf8.count + 100

  /// `{platform}:{address}`; a chain's own coin as `id:{id}`, so that chains with the same coin share it.
  public func coin(for token: Token) -> CoinName? {
    guard let chain = chains[token.key.chain] else { return nil }
    guard let contract = token.key.contract else {
      return chain.nativeCoin.coinGeckoID.map { "\(Self.idPrefix):\($0)" }
    }
    return chain.coinGeckoPlatform.map { "\($0):\(contract.lowercase)" }
  }

  /// The ids first, then each platform's contracts: those take a request of their own.
  public func batches(_ coins: [CoinName]) -> [[CoinName]] {
    let contracts = contractsMaximum.withLock(\.self)
    let groups = PriceAPI.grouped(coins).sorted { $0.prefix == Self.idPrefix && $1.prefix != Self.idPrefix }
    return groups.flatMap { platform, coins in
      PriceAPI.cut(
        coins, count: platform == Self.idPrefix ? Self.idsMaximum : contracts,
        bytes: Self.urlBytesMaximum - api.base.description.utf8.count - Self.fixedBytes,
        dropping: platform.utf8.count + 1)
    }
  }

  private static func parts(_ coin: CoinName) -> (platform: Substring, name: Substring) {
    guard let colon = coin.utf8.firstIndex(of: UInt8(ascii: ":")) else { return (coin[...], "") }
    return (coin[..<colon], coin[coin.utf8.index(after: colon)...])
  }

  public func quotes(
    for batch: [CoinName], now: UnixMilliseconds
  ) async throws(PriceSourceError) -> Quotes {
    guard let first = batch.first else { return Quotes() }
    let platform = Self.parts(first).platform
    let list = batch.map { Self.parts($0).name }.joined(separator: ",")
    let path =
      platform == Self.idPrefix
      ? "/simple/price?ids=\(list)" : "/simple/token_price/\(platform)?contract_addresses=\(list)"
    let response = try await api.get(path + Self.options)
    if platform != Self.idPrefix, let fewer = Self.contractsAllowed(response, asked: batch.count) {
      contractsMaximum.withLock { $0 = min($0, fewer) }
      throw .tooManyCoins
    }
    return try Self.parse(response, platform: platform)
  }

  // MARK: - Formats

  /// How many contracts a request may name, where this one named too many: status 400 with error 10012, whose
  /// text says how many, or a status for addresses that are too long. `nil`: the answer is about something else.
  static func contractsAllowed(_ response: HTTPClientResponse, asked: Int) -> Int? {
    guard asked > 1 else { return nil }
    switch response.status {
    case 413, 414, 431: return asked / 2
    case 400:
      guard let body = try? JSONParser.parse(response.body, limits: JSONLimits(depth: 16, numberBytes: 512)),
        body["error_code"]?.int == 10_012 || body["status"]?["error_code"]?.int == 10_012
      else { return nil }
      let text = body["status"]?["error_message"]?.string?.utf8 ?? "".utf8
      let digits = text.drop { $0 != UInt8(ascii: "(") }.dropFirst().prefix { (0x30...0x39).contains($0) }
      return Int(String(decoding: digits, as: UTF8.self)).flatMap { (1..<asked).contains($0) ? $0 : nil }
        ?? asked / 2
    default: return nil
    }
  }

  /// `{"0xa0b8…":{"usd":1.0,"usd_24h_change":0.01,"last_updated_at":1795344912}}`, and the same with ids.
  ///
  /// Contracts come back in lower case, some of them not. A coin without data has no members, or `null` for them:
  /// that is no nonsense but a missing price.
  static func parse(
    _ response: HTTPClientResponse, platform: Substring
  ) throws(PriceSourceError) -> Quotes {
    let value = try PriceAPI.json(response)
    guard let coins = value.object else { throw .malformed("\(value.kindDescription) instead of an object") }
    // Errors come with status 200 too. "status" is also a coin's id: only an error's has a code.
    if let code = value["status"]?["error_code"]?.int ?? value["error"]?["status"]?["error_code"]?.int {
      throw code == 429 ? .rateLimited(retryAfter: PriceAPI.retryAfter(response)) : .status(code)
    }
    if value["error"]?.string != nil { throw .malformed("an error with status 200") }
    var result = Quotes()
    result.quotes.reserveCapacity(coins.count)
    for member in coins {
      guard let name = QuoteNumber.name(member.key), let fields = member.value.object else {
        result.nonsense += 1
        continue
      }
      guard let price = fields["usd"], !price.isNull else { continue }
      guard let price = QuoteNumber.price(price), let time = QuoteNumber.time(fields["last_updated_at"])
      else {
        result.nonsense += 1
        continue
      }
      result.quotes["\(platform):\(name)"] = Quote(
        price: price, change: QuoteNumber.change(fields["usd_24h_change"]), time: time)
    }
    return result
  }
}
