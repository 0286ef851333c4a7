import Ethereum
import Ledger
import Upstream

/// Why a wallet could not be read. Endpoints are named by host alone: their paths may hold keys.
public enum RefreshError: Error, Sendable, CustomStringConvertible {
  case cooldown(agoMilliseconds: Int64, retryMilliseconds: Int64)
  case unknownWallet
  case chainNotServed(ChainCode)
  case noEndpoint(ChainCode)
  case unreachable(host: String, UpstreamError)
  case status(host: String, Int)
  /// HTTP status 429, or 503 with a time to come back.
  case rateLimited(host: String, retryAfter: Duration?)
  /// The endpoint has not seen blocks that another one has.
  case behind(host: String, block: UInt64, best: UInt64)
  /// All endpoints are set aside after failures; this one is asked again first.
  case resting(host: String, retry: Duration)
  case wrongChain(host: String, expected: UInt64, found: UInt64)
  case node(host: String, RPCError)
  case malformed(host: String, String)
  /// There is no Multicall3, and what was to be asked is too much for single calls.
  case noMulticall(host: String)
  /// The server is going away.
  case stopped

  public var description: String {
    switch self {
    case .cooldown(let ago, _): "refreshed \(ago / 1_000) s ago"
    case .unknownWallet: "there is no such wallet"
    case .chainNotServed(let chain): "chain \(chain) is not served here"
    case .noEndpoint(let chain): "chain \(chain) has no usable endpoint"
    case .unreachable(let host, let error): "\(host): \(error)"
    case .status(let host, let status): "\(host) answered with HTTP status \(status)"
    case .rateLimited(let host, let retry):
      "\(host) is asked too often" + (retry.map { ": it wants \($0.inMilliseconds) ms of rest" } ?? "")
    case .behind(let host, let block, let best): "\(host) is at block \(block), and the chain at \(best)"
    case .resting(let host, let retry):
      "no endpoint answers; \(host) is tried again in \(retry.inMilliseconds) ms"
    case .wrongChain(let host, let expected, let found):
      "\(host) serves chain id \(found), not \(expected)"
    case .node(let host, let error): "\(host): \(error)"
    case .malformed(let host, let reason): "\(host) sent no proper answer: \(reason)"
    case .noMulticall(let host): "\(host) has no Multicall3"
    case .stopped: "the server is going away"
    }
  }
}

extension RefreshError {
  /// When asking again may help.
  public var retry: Duration {
    switch self {
    case .cooldown(_, let milliseconds): .milliseconds(milliseconds)
    case .resting(_, let retry), .rateLimited(_, let retry?): retry
    default: .seconds(1)
    }
  }
}

/// What a finished refresh says.
public struct RefreshOutcome: Sendable {
  /// Rows of the wallet.
  public var tokenCount: Int
  public var revision: Revision
  public var block: UInt64
  public var readAt: UnixMilliseconds
  /// The endpoint was behind what was known already: that was kept, and `block` is its.
  var isOutdated = false
}

/// Whether a refresh begins.
public enum RefreshVerdict: Sendable, Equatable {
  case accepted
  case cooldown(agoMilliseconds: Int64, retryMilliseconds: Int64)
  case chainUnsupported(ChainCode)
  case serverFull(limit: Int)
  case `internal`
}

/// A chain as clients see it.
public struct ChainState: Sendable {
  /// Why a chain is down.
  public enum Reason: String, Sendable {
    /// Reads of it fail.
    case unreachable
    /// It answers, and its head does not move.
    case standingStill = "standing_still"
  }

  public var chain: Chain
  /// `nil`: it is up.
  public var down: Reason?
  /// When it went down; where it stands still, the time of its newest block. Another reason does not make it later.
  public var since: UnixMilliseconds?
  /// In the order of the settings.
  public var endpoints: [EndpointHealth]

  public var isDown: Bool { down != nil }
}
