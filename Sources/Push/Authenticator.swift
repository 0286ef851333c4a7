// Who may be told what. Push does not know what a token looks like: whoever puts the server together brings an
// `Authenticator`, and what comes of a token is an `Authority`.

import Ethereum
import Ledger

/// What a client may do, and until when.
public final class Authority: Sendable {
  /// nil: all wallets.
  public let wallets: Set<WalletKey>?
  /// By the wall clock.
  public let expiresAt: UnixMilliseconds

  public init(wallets: Set<WalletKey>?, expiresAt: UnixMilliseconds) {
    self.wallets = wallets
    self.expiresAt = expiresAt
  }

  public func grants(_ wallet: WalletKey) -> Bool { wallets?.contains(wallet) ?? true }
}

/// Why a token is not taken, for its bearer: at most 123 bytes of printable ASCII, nothing of the token.
public struct AccessDenied: Error, Hashable, Sendable {
  public let reason: String

  public init(reason: String) { self.reason = reason }
}

/// Checks access tokens.
public protocol Authenticator: Sendable {
  /// Called on event loops: it takes well below a millisecond and waits for nobody.
  func authenticate(_ token: String, now: UnixMilliseconds) throws(AccessDenied) -> Authority
}
