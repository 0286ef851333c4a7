import Ethereum
import JSON
import Ledger

/// A message of the server, read. What this library does not know is `other`, as the protocol wants it; what lacks a
/// member it needs is as good as unknown.
enum ServerFrame: Sendable {
  case hello(ServerGreeting)
  case ok(AcceptedFrame)
  case pong(id: Int?, time: UnixMilliseconds?)
  case error(id: Int?, ServerRefusal)
  case snapshot(SnapshotFrame)
  case price(TokenKey, TokenPrice, revision: Revision)
  case balance(BalanceFrame)
  /// Inserts or replaces the row.
  case token(WalletKey, TokenRow, block: UInt64?, revision: Revision)
  /// Data frames, and nothing else.
  case batch([ServerFrame])
  case status(StatusFrame)
  case heartbeat(revision: Revision)
  case lag
  case reconnect(retry: Duration?)
  case other

  /// `price`, `balance` or `token`.
  var isData: Bool { dataRevision != nil }

  /// The revision of a data frame.
  var dataRevision: Revision? {
    switch self {
    case .price(_, _, let revision), .token(_, _, _, let revision): revision
    case .balance(let frame): frame.revision
    case .hello, .ok, .pong, .error, .snapshot, .batch, .status, .heartbeat, .lag, .reconnect, .other: nil
    }
  }
}

/// The server's `hello`.
public struct ServerGreeting: Sendable, Hashable {
  /// `walletpush/0.1.0`. Without a WebSocket it is not known: empty.
  public let server: String
  /// Names the life of the server's revisions. Without a WebSocket it is not known: empty.
  public let epoch: String
  /// So long a silence of the server does not last: it sends a heartbeat.
  public let pingInterval: Duration
  /// Wallets and tokens of one connection; nil where the server does not say.
  public let walletsMax: Int?
  /// Of one message to the server.
  public let messageBytes: Int
  /// How the connection came about.
  public let transport: TransportKind
}

/// What a direct reply of type `ok` says.
struct AcceptedFrame: Sendable {
  var id: Int?
  var wallets: [WalletKey] = []
  var tokens: [TokenKey] = []
  var failed: [FailedKey] = []
  /// Nil where there was no `since`.
  var isResumed: Bool?
  var changed: Int?
}

/// A key that a subscribe named in vain.
struct FailedKey: Sendable {
  let key: WatchedKey
  let refusal: ServerRefusal
}

/// Why the server did not do what it was asked for.
public struct ServerRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// Of the protocol: `cooldown`, `bad_wallet`, `rate_limited` …
  public let code: String
  /// For people: what was wrong.
  public let message: String
  /// When asking again may help; nil where it won't.
  public let retry: Duration?

  /// A refusal as a server would say it, for tests and previews.
  public init(code: String, message: String, retry: Duration? = nil) {
    self.code = code
    self.message = message
    self.retry = retry
  }

  /// Code and message.
  public var description: String { "\(code): \(message)" }
}

struct SnapshotFrame: Sendable {
  let wallet: WalletKey
  let revision: Revision
  let part: UInt64
  let parts: UInt64
  let state: CellState
  let block: UInt64?
  let asOf: UnixMilliseconds?
  let rows: [TokenRow]

  var isLast: Bool { part >= parts }
}

struct BalanceFrame: Sendable {
  let wallet: WalletKey
  let token: TokenKey
  let balance: UInt256?
  let state: CellState
  let block: UInt64?
  let revision: Revision
}

enum StatusFrame: Sendable {
  enum Refreshing: String, Sendable { case balances, prices, done, failed }

  case refreshing(WalletKey, Refreshing, asOf: UnixMilliseconds?, block: UInt64?)
  case deleted(WalletKey)
  case forbidden(WalletKey)
  case chain(ChainCode, isDown: Bool, since: UnixMilliseconds?)
  case prices(areStale: Bool)
  case expiring(at: UnixMilliseconds?)
}

/// What can be subscribed to.
public enum WatchedKey: Sendable, Hashable, CustomStringConvertible {
  /// All rows of it.
  case wallet(WalletKey)
  /// Its price.
  case token(TokenKey)

  /// The key as the protocol writes it.
  public var description: String {
    switch self {
    case .wallet(let key): key.description
    case .token(let key): key.description
    }
  }
}
