import Ethereum
import JSON
import Logging
import Upstream

/// Listens to new heads (`eth_subscribe`) and wakes whoever follows the chain. What a head says is not believed: the
/// pass asks the endpoint it reads from, which may be another node, further behind.
final class HeadAnnouncer: Sendable {
  private let feed: WebSocketFeed

  /// What a message means.
  enum Word: Equatable {
    case subscribed
    /// Its number, where it says one.
    case head(UInt64?)
    case refused(String)
    case other
  }

  private static let limits = JSONLimits(depth: 16, numberBytes: 128)

  /// - Parameters:
  ///   - isAnnouncing: called when heads begin to be announced, and when no longer. On an event loop, like `head`.
  init(
    _ urls: [WebSocketURL], client: HTTPClient, chain: Chain, logger: Logger,
    isAnnouncing: @escaping @Sendable (Bool) -> Void, head: @escaping @Sendable (UInt64?) -> Void
  ) {
    let code = "\(chain.code)"
    feed = WebSocketFeed(
      urls, client: client,
      greeting: String(decoding: JSONRPC.encode(.subscribeToNewHeads(id: 1)), as: UTF8.self)
    ) { event in
      switch event {
      case .opened: break
      case .text(let bytes):
        switch Self.read(bytes) {
        case .subscribed: isAnnouncing(true)
        case .head(let number): head(number)
        case .refused(let reason):
          logger.warning(
            "endpoint announces no heads", metadata: ["chain": "\(code)", "reason": "\(reason)"])
        case .other: break
        }
      case .lost(let host, let ending):
        isAnnouncing(false)
        logger.info(
          "connection for new heads lost",
          metadata: ["chain": "\(code)", "endpoint": "\(host)", "reason": "\(ending)"])
      }
    }
  }

  func start() { feed.start() }
  func stop() { feed.stop() }

  static func read(_ bytes: [UInt8]) -> Word {
    guard let message = try? JSONParser.parse(bytes, limits: limits) else { return .other }
    switch JSONRPC.incoming(message) {
    case .reply(1, .success): return .subscribed
    case .reply(1, .failure(let error)), .error(let error): return .refused("\(error)")
    case .notification(_, let result): return .head(try? JSONRPC.uint64(result["number"] ?? .null))
    case .reply, .batch: return .other
    }
  }
}
