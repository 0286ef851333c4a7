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
    received(frame, .connection, now: now, random: random)
  }

  mutating func received(_ frame: ServerFrame, _ origin: FrameOrigin, now: Instant, random: UInt64) {
    switch phase {
    case .idle, .waiting, .ended: return
    case .connecting: if case .hello(let greeting) = frame { greeted(greeting, now, random) }
    case .live:
      heard(now: now)
      take(frame, origin, now)
    }
  }

  mutating func greeted(_ greeting: ServerGreeting, _ now: Instant, _ random: UInt64) {
    phase = .live(Live(greeting: greeting, since: now, lastHeard: now))
    tracker.connected(epoch: greeting.transport == .webSocket ? greeting.epoch : nil)
    worked(now, random)
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
    let plan = link == nil ? tracker.plan(keysPerMessage: keysPerMessage) : tracker.planEach()
    for message in plan { subscribe(message) }
  }

  private mutating func take(_ frame: ServerFrame, _ origin: FrameOrigin, _ now: Instant) {
    switch frame {
    case .ok(let accepted): return replied(accepted.id, .success(.accepted(accepted)), now)
    case .pong(let id, let time): return replied(id, .success(.pong(time)), now)
    case .error(let id, let refusal): return replied(id, .failure(refusal), now)
    case .reconnect(let retry): announcedRetry = retry
    case .snapshot(let snapshot):
      // A wallet's own stream answers no call.
      if case .stream = origin { break }
      collect(snapshot)
    case .status(.expiring(let at)): expiring(at)
    case .status(.deleted(let wallet)): tracker.remove(.wallet(wallet))
    case .status(.forbidden(let wallet)):
      let message = "the access token does not grant this wallet"
      refuse(.wallet(wallet), ServerRefusal(code: "forbidden", message: message))
    // A connection's greeting is said once.
    case .hello, .status, .price, .balance, .token, .batch, .heartbeat, .lag, .other: break
    }
    switch origin {
    case .connection:
      tracker.receive(frame)
      report(state.apply(frame))
    case .stream(let wallet, let cursor):
      tracker.receive(frame, of: wallet, cursor)
      report(state.apply(frame, only: wallet))
    // It stands in no order to the wallet's stream.
    case .answer: break
    }
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
