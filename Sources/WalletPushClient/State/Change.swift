import Ethereum
import Ledger

/// Something that a client of ``WalletPushClient`` may want to look at. It names what changed, not the values: those are
/// in the client's state, always the newest.
public enum Change: Sendable, Hashable {
  /// The wallet's head (state, block, refresh), or which rows it has and which of them count.
  case wallet(WalletKey)
  /// The balance, the price or the metadata of one row.
  case row(WalletKey, TokenKey)
  /// The price of a token that is subscribed to.
  case price(TokenKey)
  /// Chains down, prices stale, values conflated.
  case status
  /// Where the client stands with its server.
  case connection(ConnectionState)
  /// Something that is no value.
  case notice(Notice)
}

/// Something that happened, and is no value.
public enum Notice: Sendable, Hashable {
  /// The server does not take the wallet or token, or gives it no longer: it is not subscribed to any more.
  case refused(WatchedKey, ServerRefusal)
  /// The wallet was deleted on the server: the subscription is over.
  case deleted(WalletKey)
  /// The answer to a subscribe with `since`. `changed`: how many changes follow; where nothing could be resumed, whole
  /// snapshots do.
  case resumed(Bool, changed: Int?)
  /// How the access token fares.
  case access(AccessNotice)
  /// An error of the server that answers no call.
  case problem(ServerRefusal)
  /// Rows of the wallet were left out: ``ClientLimits/rows``.
  case tooManyRows(WalletKey)
  /// A message of the server was no JSON, and was left out.
  case malformedMessage(String)
}

/// How the access token fares.
public enum AccessNotice: Sendable, Hashable {
  /// The server takes the token.
  case accepted
  /// The access token ends at `at`.
  case expiring(at: UnixMilliseconds?)
  /// It has ended.
  case expired
  /// The server does not take it.
  case refused(ServerRefusal)
  /// Whoever was asked for an access token has none.
  case unavailable(String)
}

/// Where a client stands with its server.
public enum ConnectionState: Sendable, Hashable {
  /// Not connected, and not wanted to be.
  case idle
  /// A transport is opened, and its greeting waited for.
  case connecting
  /// The server has greeted.
  case live(ServerGreeting)
  /// It comes back by itself. `code`: of the server's Close, where there was one.
  case waiting(code: UInt16?, reason: String, retry: Duration)
  /// The server does not want us back unchanged (close codes 4000–4099): it stays away until `connect()`.
  case ended(code: UInt16, reason: String)
}
