import Ethereum
import Ledger
import Synchronization

@testable import Push

/// Knows tokens by their text, and a wall clock that the test sets.
final class Gatekeeper: Authenticator {
  static let start: UnixMilliseconds = 1_763_805_600_000

  private let tokens = Mutex<[String: Authority]>([:])
  private let clock = Mutex(Gatekeeper.start)

  /// From now on this token is good for so long, for these wallets; nil: for all.
  func issue(_ token: String, wallets: [String]? = nil, milliseconds: Int64 = 3_600_000) throws {
    let keys = try wallets.map { Set(try $0.map { try WalletKey(parsing: $0) }) }
    let authority = Authority(wallets: keys, expiresAt: now + milliseconds)
    tokens.withLock { $0[token] = authority }
  }

  var now: UnixMilliseconds { clock.withLock { $0 } }
  func advance(milliseconds: Int64) { clock.withLock { $0 += milliseconds } }
  var time: () -> UnixMilliseconds { { self.now } }

  func authenticate(_ token: String, now: UnixMilliseconds) throws(AccessDenied) -> Authority {
    guard let authority = tokens.withLock({ $0[token] }) else {
      throw AccessDenied(reason: "nobody knows this token")
    }
    return authority
  }
}
