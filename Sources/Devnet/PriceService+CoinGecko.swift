import Ethereum
import HTTP1
import JSON

extension PriceService {
  /// Contracts that one request may name, without a key and with one.
  static let contractsMaximum = (keyless: 1, keyed: 515)

  /// Answers as CoinGecko's simple API does:
  ///
  /// `GET /simple/price?ids=ethereum` and `GET /simple/token_price/{platform}?contract_addresses=0x…,0x…` give
  /// `{"ethereum":{"usd":2412.3,"usd_24h_change":1.5,"last_updated_at":1795344912}}`. Contracts stand in lower
  /// case; coins unknown are left out. Options of the query are taken as given.
  mutating func answerSimple(
    _ request: RequestHead, platform: String?, prices: SimulatedPrices, now: UInt64
  ) -> HTTPReply {
    statistics.simple += 1
    statistics.key =
      ["x-cg-demo-api-key", "x-cg-pro-api-key"].compactMap { name in
        request.headers.first(name).map { "\(name): \($0)" }
      }.first
    let list = (try? request.queryItems())?.first {
      $0.name == (platform == nil ? "ids" : "contract_addresses")
    }
    guard let list else { return HTTPReply(status: 422, json: #"{"error":"Missing parameter ids"}"#) }
    let names = list.value.split(separator: ",").map { $0.lowercased() }
    let limit = statistics.key == nil ? Self.contractsMaximum.keyless : Self.contractsMaximum.keyed
    guard platform == nil || names.count <= limit else {
      statistics.tooMany += 1
      return HTTPReply(
        status: 400,
        json: #"{"error_code":10012,"status":{"error_message":"Number of contract addresses in the request "#
          + #"exceeds the allowed limit (\#(limit) addresses)."}}"#)
    }
    let chain = platform.map { name in ChainRegistry.chains.first { $0.coinGeckoPlatform == name } }
    statistics.coins += names.count
    var writer = JSONWriter(reserving: 4_096)
    writer.beginObject()
    for name in Set(names).sorted() {
      let slug = platform == nil ? "coingecko" : chain??.defiLlamaSlug ?? ""
      guard let coin = prices["\(slug):\(name)"] else { continue }
      Self.writeSimple(coin, as: name, now: now, to: &writer)
    }
    writer.endObject()
    return HTTPReply(status: 200, type: "application/json", body: writer.bytes)
  }

  private static func writeSimple(
    _ coin: SimulatedPrices.Coin, as name: String, now: UInt64, to writer: inout JSONWriter
  ) {
    writer.key(name)
    writer.beginObject()
    writer.key("usd")
    writer.raw(Array(coin.price.text.utf8))
    writeChange(coin, as: "usd_24h_change", to: &writer)
    writer.member("last_updated_at", coin.timestamp ?? now)
    writer.endObject()
  }
}
