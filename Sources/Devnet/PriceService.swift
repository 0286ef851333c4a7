import HTTP1
import JSON

/// What a simulated price source was asked.
public struct PriceStatistics: Sendable, Equatable {
  /// Those that met a fault too.
  public var requests = 0
  /// Requests for prices, and for changes.
  public var current = 0
  public var percentage = 0
  /// Coins named in them, over all requests.
  public var coins = 0
  /// Requests with an address beyond the limit.
  public var tooLong = 0
  /// Requests in CoinGecko's format, and those of them that named too many contracts.
  public var simple = 0
  public var tooMany = 0
  /// The key of the last of them, behind the name of its header: `x-cg-demo-api-key: CG-1`.
  public var key: String?

  public init() {}
}

/// Answers requests as DefiLlama's coins API does:
///
/// `GET /prices/current/{coins}` gives
/// `{"coins":{"ethereum:0x…":{"decimals":6,"symbol":"USDC","price":0.9998,
/// "timestamp":1795344912,"confidence":0.99}}}`, and `GET /percentage/{coins}` gives
/// `{"coins":{"ethereum:0x…":-2.30099545}}`. Coins stand under the name they were asked by, in its letter
/// case; those unknown are left out. CoinGecko's simple API is answered as well: see `answerSimple`.
struct PriceService {
  var statistics = PriceStatistics()
  /// Bytes of a request's target; what is longer is answered 414.
  let targetMaximum: Int

  init(targetMaximum: Int) { self.targetMaximum = targetMaximum }

  /// Counts a request, whatever becomes of it.
  mutating func noteRequest() { statistics.requests += 1 }

  /// - Parameter now: Unix seconds.
  mutating func answer(_ request: RequestHead, prices: SimulatedPrices, now: UInt64) -> HTTPReply {
    guard request.target.utf8.count <= targetMaximum else {
      statistics.tooLong += 1
      return HTTPReply(
        status: 414, type: "text/html", text: "<html><body>414 Request-URI Too Large</body></html>")
    }
    guard request.method == "GET" else {
      return HTTPReply(status: 405, json: #"{"message":"Method Not Allowed"}"#)
    }
    guard let path = try? request.pathSegments() else {
      return HTTPReply(status: 400, json: #"{"message":"Bad Request"}"#)
    }
    switch path.first {
    case "prices" where path.count == 3 && path[1] == "current":
      statistics.current += 1
      return answer(path[2]) {
        Self.write($1, as: $0, now: now, to: &$2)
      } lookUp: {
        prices[$0]
      }
    case "percentage" where path.count == 2:
      statistics.percentage += 1
      return answer(path[1]) {
        Self.writeChange($1, as: $0, to: &$2)
      } lookUp: {
        prices[$0]
      }
    case "simple" where path.count == 2 && path[1] == "price":
      return answerSimple(request, platform: nil, prices: prices, now: now)
    case "simple" where path.count == 3 && path[1] == "token_price":
      return answerSimple(request, platform: path[2], prices: prices, now: now)
    default: return HTTPReply(status: 404, json: #"{"message":"Not Found"}"#)
    }
  }

  private mutating func answer(
    _ list: String, write: (String, SimulatedPrices.Coin, inout JSONWriter) -> Void,
    lookUp: (String) -> SimulatedPrices.Coin?
  ) -> HTTPReply {
    var writer = JSONWriter(reserving: 4_096)
    writer.beginObject()
    writer.key("coins")
    writer.beginObject()
    var seen: Set<String> = []
    for name in list.split(separator: ",").map(String.init) {
      statistics.coins += 1
      // A name that comes twice is one member: JSON objects have no two of a name.
      guard seen.insert(name).inserted, let coin = lookUp(name) else { continue }
      write(name, coin, &writer)
    }
    writer.endObject()
    writer.endObject()
    return HTTPReply(status: 200, type: "application/json", body: writer.bytes)
  }

  private static func write(
    _ coin: SimulatedPrices.Coin, as name: String, now: UInt64, to writer: inout JSONWriter
  ) {
    writer.key(name)
    writer.beginObject()
    if let decimals = coin.decimals { writer.member("decimals", decimals) }
    writer.member("symbol", coin.symbol)
    writer.key("price")
    writer.raw(Array(coin.price.text.utf8))
    writer.member("timestamp", coin.timestamp ?? now)
    if let confidence = coin.confidence {
      writer.key("confidence")
      writer.raw(Array(confidence.utf8))
    }
    writer.endObject()
  }

  static func writeChange(_ coin: SimulatedPrices.Coin, as name: String, to writer: inout JSONWriter) {
    guard let change = coin.changeUnits else { return }
    writer.key(name)
    let text = DecimalText.text(
      ticks: UInt128(change.magnitude), scale: 8, isNegative: change < 0, trimmed: true)
    writer.raw(Array(text.utf8))
  }
}
