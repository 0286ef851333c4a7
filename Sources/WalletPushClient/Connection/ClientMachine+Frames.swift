import Ethereum
import JSON
import Ledger

/// What the server says.
extension ClientMachine {
  /// A text message.
  mutating func received(_ bytes: [UInt8], now: Instant, random: UInt64) {
    let frame: ServerFrame
    do throws(JSONError) {
      frame = try ServerFrame(parsing: bytes)
    } catch {
      return notice(.malformedMessage(error.description))
    }
    received(frame, now: now, random: random)
  }

  mutating func received(_ frame: ServerFrame, now: Instant, random: UInt64) {
    switch phase {
    case .idle, .waiting, .ended: return
    case .connecting: if case .hello(let greeting) = frame { greeted(greeting, now) }
    case .live:
      heard(now: now)
      take(frame, now)
    }
  }

  private mutating func greeted(_ greeting: ServerGreeting, _ now: Instant) {
    phase = .live(Live(greeting: greeting, since: now, lastHeard: now))
    tracker.connected(epoch: greeting.epoch)
    act(.report(.connection(.live(greeting))))
    if credentials.areNone {
      authorized()
    } else if let token = credentials.token {
      send(.auth(token), for: .auth(token))
    } else if let reason = credentials.ask() {
      act(.askForToken(reason))
    }
  }

  /// With an access token nothing but `auth` may be sent before its `ok`.
  mutating func authorized() {
    guard case .live(var live) = phase, !live.isAuthorized else { return }
    live.isAuthorized = true
    phase = .live(live)
    for message in tracker.plan(keysPerMessage: keysPerMessage) { subscribe(message) }
  }

  private mutating func take(_ frame: ServerFrame, _ now: Instant) {
    switch frame {
    case .ok(let accepted): return replied(accepted.id, .success(.accepted(accepted)), now)
    case .pong(let id, let time): return replied(id, .success(.pong(time)), now)
    case .error(let id, let refusal): return replied(id, .failure(refusal), now)
    case .reconnect(let retry): announcedRetry = retry
    case .snapshot(let snapshot): collect(snapshot)
    case .status(.expiring(let at)): expiring(at)
    case .status(.deleted(let wallet)): tracker.remove(.wallet(wallet))
    case .status(.forbidden(let wallet)):
      let message = "the access token does not grant this wallet"
      refuse(.wallet(wallet), ServerRefusal(code: "forbidden", message: message))
    // A connection's greeting is said once.
    case .hello, .status, .price, .balance, .token, .batch, .heartbeat, .lag, .other: break
    }
    tracker.receive(frame)
    report(state.apply(frame))
  }

  private mutating func expiring(_ at: UnixMilliseconds?) {
    notice(.access(.expiring(at: at)))
    if let reason = credentials.ask(.expiring) { act(.askForToken(reason)) }
  }

  /// The key is wished for no more, since it can't be had.
  mutating func refuse(_ key: WatchedKey, _ refusal: ServerRefusal) {
    tracker.remove(key)
    state.remove(key)
    notice(.refused(key, refusal))
  }
}
