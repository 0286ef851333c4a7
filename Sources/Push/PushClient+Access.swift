// Access tokens, where they are asked for. Until it has shown one a client may do nothing but show one; it is told a
// minute before the token ends, and closed when it does.
//
// A token ends by the wall clock. Timers follow another clock, which does not jump and stands still while the machine
// sleeps, so a timer only says when to look: once a minute at least.

import EventLoop
import Ethereum
import Ledger
import WebSocket

/// Where a client stands. There is none where no tokens are asked for: a client then pays one pointer.
final class ClientAccess {
  /// nil until a token was accepted.
  var authority: Authority?
  /// It knows that its token is about to end.
  var isWarned = false
  var timer = TimerID.none
}

extension PushClient {
  /// How long before its token ends a client is told.
  static let expiryNotice: UnixMilliseconds = 60_000
  private static let longestWait: UnixMilliseconds = 60_000

  /// False while a token is owed.
  var isAuthorized: Bool { shard.authenticator == nil || access?.authority != nil }

  func mayUse(_ wallet: WalletKey) -> Bool {
    shard.authenticator == nil || access?.authority?.grants(wallet) == true
  }

  static let unauthorized = Refusal(
    .unauthorized, "send {\"op\":\"auth\",\"token\":\"…\"} first: this server asks for an access token")
  static let forbidden = Refusal(.forbidden, "the access token does not grant this wallet")

  /// The tokens of the handshake. One that is not right ends the connection: a browser can't read a 401, but it can
  /// read a Close.
  func authorize(handshake tokens: [String]) {
    guard let authenticator = shard.authenticator else { return }
    let access = ClientAccess()
    self.access = access
    guard let token = tokens.first else {
      access.timer = shard.loop.schedule(
        after: shard.settings.authorizationTimeout, self, tag: TimerTag.access.rawValue)
      return
    }
    guard tokens.count == 1 else {
      return closeUnauthorized("give one access token, by the header or by the sub-protocol")
    }
    do {
      accept(try authenticator.authenticate(token, now: shard.wallClock()))
    } catch {
      closeUnauthorized(error.reason)
    }
  }

  /// Of a request that has shown its token.
  func authorize(as authority: Authority) {
    guard shard.authenticator != nil else { return }
    access = ClientAccess()
    accept(authority)
  }

  /// The op: a token that is not right changes nothing.
  func authorize(_ token: String, id: MessageID?) {
    // Without anybody to check it any token is as good as none.
    guard let authenticator = shard.authenticator else { return write(Replies.ok(id)) }
    let authority: Authority
    do {
      authority = try authenticator.authenticate(token, now: shard.wallClock())
    } catch {
      return refuse(id, Refusal(.unauthorized, error.reason))
    }
    settle(sendsNow: false)
    write(Replies.ok(id))
    for wallet in wallets.map(\.wallet) where !authority.grants(wallet.key) {
      endSubscription(wallet, Replies.forbidden(wallet.key))
    }
    accept(authority)
  }

  private func accept(_ authority: Authority) {
    access?.authority = authority
    access?.isWarned = false
    checkAccess()
  }

  /// Looks at the wall clock, and when to look again.
  func checkAccess() {
    guard let access, !isClosed else { return }
    shard.loop.cancel(access.timer)
    guard let authority = access.authority else {
      return closeUnauthorized("no access token was given in time")
    }
    let left = authority.expiresAt - shard.wallClock()
    guard left > 0 else {
      shard.statistics.closedExpired += 1
      return close(.tokenExpired, reason: "the access token has expired; come back with a new one")
    }
    if left <= Self.expiryNotice, !access.isWarned {
      access.isWarned = true
      settle(sendsNow: false)
      write(Replies.expiring(at: authority.expiresAt))
    }
    let wait = left > Self.expiryNotice ? min(left - Self.expiryNotice, Self.longestWait) : left
    access.timer = shard.loop.schedule(
      after: .milliseconds(wait), self, tag: TimerTag.access.rawValue)
  }

  private func closeUnauthorized(_ reason: String) {
    shard.statistics.closedUnauthorized += 1
    close(.unauthorized, reason: reason)
  }
}
