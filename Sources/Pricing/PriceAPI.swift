// What the price APIs have in common: JSON over GET, statuses, and which numbers can be prices at all.

import JSON
import Ledger
import Upstream

struct PriceAPI: Sendable {
  let base: HTTPURL
  let client: HTTPClient
  let timeout: Duration
  var headers: [(String, String)] = []

  private static let responseBytes = 4 << 20

  /// A public service's budget; one's own proxy of it is asked as often as rounds need.
  static func budget(_ usual: Int, of domain: String, at base: HTTPURL) -> Int {
    base.host == domain || base.host.hasSuffix("." + domain) ? usual : 1_000_000
  }

  func get(_ path: String) async throws(PriceSourceError) -> HTTPClientResponse {
    guard let url = try? base.appending(path) else {
      throw .unreachable("\(base.host): no address for a coin")
    }
    return try await send("GET", url)
  }

  /// Nothing is changed by what is asked here, so a lost question may be asked again.
  func post(_ body: [UInt8]) async throws(PriceSourceError) -> HTTPClientResponse {
    try await send("POST", base, body: body, headers: [("Content-Type", "application/json")])
  }

  private func send(
    _ method: String, _ url: HTTPURL, body: [UInt8] = [], headers extra: [(String, String)] = []
  ) async throws(PriceSourceError) -> HTTPClientResponse {
    do {
      return try await client.send(
        HTTPClientRequest(
          method: method, url: url, headers: [("Accept", "application/json")] + headers + extra, body: body,
          timeouts: .init(connect: timeout, firstByte: timeout, total: timeout),
          responseBytesLimit: Self.responseBytes, isIdempotent: true))
    } catch {
      throw .unreachable("\(base.host): \(error)")
    }
  }

  /// The JSON of an answer with status 200.
  static func json(_ response: HTTPClientResponse) throws(PriceSourceError) -> JSONValue {
    if response.status == 429 { throw .rateLimited(retryAfter: retryAfter(response)) }
    guard response.status == 200 else { throw .status(response.status) }
    do {
      return try JSONParser.parse(response.body, limits: JSONLimits(depth: 16, numberBytes: 512))
    } catch {
      throw .malformed(error.description)
    }
  }

  static func retryAfter(_ response: HTTPClientResponse) -> Duration {
    retryAfter(response.headers.first("Retry-After"))
  }

  /// `Retry-After` in seconds; 0 and what can't be read count as 30 s, and nothing is longer than 10 minutes.
  static func retryAfter(_ value: String?) -> Duration {
    guard let value, let seconds = Int(value), seconds > 0 else { return .seconds(30) }
    return .seconds(min(seconds, 600))
  }

  /// Coins by what stands before their colon, in the order in which each comes first.
  static func grouped(_ coins: [CoinName]) -> [(prefix: Substring, coins: [CoinName])] {
    var prefixes: [Substring] = []
    var members: [Substring: [CoinName]] = [:]
    for coin in coins {
      let prefix = coin[..<(coin.utf8.firstIndex(of: UInt8(ascii: ":")) ?? coin.endIndex)]
      if members[prefix] == nil { prefixes.append(prefix) }
      members[prefix, default: []].append(coin)
    }
    return prefixes.map { ($0, members[$0] ?? []) }
  }

  /// Cuts coins into batches of at most `count`, and of at most `bytes` with a comma behind each. One that is too
  /// long by itself goes alone, and fails alone.
  ///
  /// - Parameter dropping: bytes at the front of each name that are not sent.
  static func cut(_ coins: [CoinName], count: Int, bytes: Int, dropping: Int = 0) -> [[CoinName]] {
    var batches: [[CoinName]] = []
    var batch: [CoinName] = []
    var used = 0
    for coin in coins {
      let size = coin.utf8.count - dropping + 1
      if batch.count == max(1, count) || used + size > bytes, !batch.isEmpty {
        batches.append(batch)
        batch = []
        used = 0
      }
      batch.append(coin)
      used += size
    }
    if !batch.isEmpty { batches.append(batch) }
    return batches
  }
}

/// Numbers of an answer, each `nil` where it is not one that can be believed.
enum QuoteNumber {
  /// No coin has a longer name. Looking a string up takes the square of the length of a run of combining marks,
  /// and an answer may be long.
  private static let nameBytesMaximum = 128

  /// A coin's name as we have it: in lower case, as most come.
  static func name(_ key: String) -> CoinName? {
    guard key.utf8.count <= nameBytesMaximum else { return nil }
    return key.utf8.allSatisfy { $0 < 0x80 && !(0x41...0x5A).contains($0) } ? key : key.lowercased()
  }

  /// Prices above this are nonsense.
  private static let highest = ExactDecimal(parsing: "1e15")
  /// Hundredths of a percent. More than a ten-thousandfold rise a day is no news but an error.
  private static let believable: UInt64 = 100_000_000

  /// Above zero, with all its digits.
  static func price(_ value: JSONValue?) -> ExactDecimal? { decimal(value).flatMap(price) }

  static func price(_ price: ExactDecimal) -> ExactDecimal? {
    guard !price.isNegative, !price.isZero else { return nil }
    if let highest, price > highest { return nil }
    return price
  }

  /// Percent over 24 hours.
  static func change(_ value: JSONValue?) -> Hundredths? {
    guard let change = decimal(value)?.roundedToHundredths(), change.value.magnitude < believable
    else { return nil }
    return change
  }

  /// Unix seconds, as milliseconds.
  static func time(_ value: JSONValue?) -> UnixMilliseconds? {
    guard let seconds = value?.number?.int64, (0...9_999_999_999).contains(seconds) else { return nil }
    return seconds * 1_000
  }

  static func decimal(_ value: JSONValue?) -> ExactDecimal? {
    value?.number.flatMap { ExactDecimal(parsing: $0.text) }
  }
}
