import HTTP1
import JSON
import Upstream

/// Asks the server that is to be loaded which wallets it knows.
public enum KnownWallets {
  private static let page = 1_000
  private static let answerBytes = 4 << 20
  private static let patience = Duration.seconds(10)

  /// - Parameter count: so many at most; fewer when the server knows no more.
  /// - Throws: `.noWallets`, with the reason.
  public static func ask(
    _ url: WebSocketURL, token: String?, security: (any TransportSecurity)?, count: Int
  ) async throws(LoadOptionError) -> KeyPool {
    let keys: [String]
    do {
      keys = try await HTTPClient.once(userAgent: "walletpush-load", security: security) { client in
        try await pages(client, url, token, count)
      }
    } catch {
      throw .noWallets("\(address(url)) did not say which wallets it knows (\(error))")
    }
    guard !keys.isEmpty else { throw .noWallets("the server knows no wallets") }
    return try KeyPool(.wallets, file: Array(keys.joined(separator: "\n").utf8))
  }

  private static func address(_ url: WebSocketURL) -> String {
    "\(url.isSecure ? "https" : "http")://\(url.http.authority)/api/v1/wallets"
  }

  private struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  private static func pages(
    _ client: HTTPClient, _ url: WebSocketURL, _ token: String?, _ count: Int
  ) async throws -> [String] {
    var keys: [String] = []
    var after = 0
    while keys.count < count {
      let limit = min(page, count - keys.count)
      let request = HTTPClientRequest(
        method: "GET", url: try HTTPURL("\(address(url))?limit=\(limit)&after=\(after)"),
        headers: token.map { [("Authorization", "Bearer \($0)")] } ?? [],
        timeouts: .init(connect: patience, firstByte: patience, total: patience * 3),
        responseBytesLimit: answerBytes, isIdempotent: true)
      let response = try await client.send(request)
      guard response.isSuccess else { throw Refusal(description: "status \(response.status)") }
      let body = try JSONParser.parse(response.body, limits: JSONLimits(depth: 8, numberBytes: 32))
      let (found, next) = try read(body)
      keys += found
      guard let next, next > after, !found.isEmpty else { break }
      after = next
    }
    return keys
  }

  /// A page of the list, and where the next one begins.
  static func read(_ body: JSONValue) throws -> (keys: [String], next: Int?) {
    guard let wallets = body["wallets"]?.array else { throw Refusal(description: "no list of wallets") }
    return (wallets.compactMap { $0["wallet"]?.string }, body["next"]?.int)
  }
}
