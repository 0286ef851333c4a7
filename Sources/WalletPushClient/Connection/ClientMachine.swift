// The client without sockets, clocks and threads: events in, actions out.
//
//   ClientMachine.swift            connection: attempts, greeting, silence, back-off, close codes
//   ClientMachine+Frames.swift     what the server says
//   ClientMachine+Calls.swift      what its owner asks for, and the replies
//
//     idle → connecting → greeting → live → waiting → connecting …
//                                         ↘ ended
//
// Its owner calls a method for each event, then carries out `takeActions()` in their order, and calls `timeoutReached`
// at `deadline`. Time and randomness are arguments.

import Ethereum
import Ledger

struct ClientMachine: Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Action: Sendable {
    /// Open a transport; what it says comes as `opened`, `received` and `lost`.
    case connect
    case send(String)
    /// Close the transport. Nothing of it is to be heard any more.
    case disconnect
    /// The answer comes as `tokenArrived` or `tokenUnavailable`.
    case askForToken(TokenReason)
    case answer(CallID, Result<Answer, ClientError>)
    case report(Change)
  }

  enum Phase: Sendable {
    case idle
    case connecting(until: Instant)
    /// `hello` is here.
    case live(Live)
    case waiting(until: Instant)
    case ended
  }

  struct Live: Sendable {
    let greeting: ServerGreeting
    let since: Instant
    var lastHeard: Instant
    /// It was silent for long, and was asked for a sign.
    var isProbed = false
    var isAuthorized = false
  }

  let options: ClientOptions
  var phase = Phase.idle
  var state: ClientState
  var tracker = ResumeTracker()
  var credentials: Credentials
  var pacing: Pacing
  var backOff: BackOff
  /// What the server said of coming back.
  var announcedRetry: Duration?
  var calls: [CallID: Purpose] = [:]
  var lastCall = 0
  /// Snapshots that calls wait for.
  var collected: [WalletKey: PendingSnapshot] = [:]
  /// Subscribes that the server did not take for now.
  var retries: [(at: Instant, keys: [WatchedKey])] = []
  private var actions: [Action] = []

  /// - Parameter canAskForTokens: whether `askForToken` finds somebody to ask.
  init(options: ClientOptions = ClientOptions(), token: String? = nil, canAskForTokens: Bool = false) {
    self.options = options
    pacing = options.pacing
    state = ClientState(rowsMax: options.limits.rows)
    credentials = Credentials(token: token, canAsk: canAskForTokens)
    backOff = BackOff(first: options.times.backOffFirst, longest: options.times.backOffMax)
  }

  mutating func takeActions() -> [Action] {
    let taken = actions
    actions.removeAll(keepingCapacity: true)
    return taken
  }

  mutating func act(_ action: Action) { actions.append(action) }
  mutating func report(_ changes: [Change]) { for change in changes { act(.report(change)) } }
  mutating func notice(_ notice: Notice) { act(.report(.notice(notice))) }

  var live: Live? { if case .live(let live) = phase { live } else { nil } }

  // MARK: - Coming and going

  /// Opens, at once even where it waits for the next attempt.
  mutating func open(now: Instant) {
    switch phase {
    case .connecting, .live: return
    case .idle, .waiting, .ended: attempt(now)
    }
  }

  /// Closes until `open`. Subscriptions and state stay.
  mutating func close() {
    switch phase {
    case .idle: return
    case .connecting, .live: act(.disconnect)
    case .waiting, .ended: break
    }
    leave()
    backOff.reset()
    phase = .idle
    act(.report(.connection(.idle)))
  }

  private mutating func attempt(_ now: Instant) {
    announcedRetry = nil
    phase = .connecting(until: now + options.times.greeting)
    act(.connect)
    act(.report(.connection(.connecting)))
  }

  /// The transport is gone.
  ///
  /// - Parameters:
  ///   - code: of the server's Close; nil where there was none.
  ///   - random: any 64 bits.
  mutating func lost(code: UInt16?, reason: String, now: Instant, random: UInt64) {
    switch phase {
    case .idle, .waiting, .ended: return
    case .connecting: break
    case .live(let live): if now - live.since >= options.times.steady { backOff.reset() }
    }
    leave()
    // 4101: the access token has expired, and another one may be had.
    if code == 4101 {
      credentials.expired()
      notice(.access(.expired))
    }
    // 4000–4099: do not come back unchanged. All else, 4100–4199 above all: come back.
    if let code, (4_000...4_099).contains(code) {
      backOff.reset()
      phase = .ended
      return act(.report(.connection(.ended(code: code, reason: reason))))
    }
    let pause = backOff.next(announced: announcedRetry, random: random)
    phase = .waiting(until: now + pause)
    act(.report(.connection(.waiting(code: code, reason: reason, retry: pause))))
  }

  /// Gives the connection up and comes back after the usual wait.
  mutating func abandon(_ reason: String, now: Instant, random: UInt64) {
    act(.disconnect)
    lost(code: nil, reason: reason, now: now, random: random)
  }

  /// What belonged to the connection ends with it.
  private mutating func leave() {
    if live != nil { tracker.disconnected() }
    state.connectionLost()
    retries.removeAll()
    failCalls()
  }

  // MARK: - Time

  /// When `timeoutReached` is to be called; nil: never.
  var deadline: Instant? {
    switch phase {
    case .idle, .ended: nil
    case .connecting(let until), .waiting(let until): until
    case .live(let live): min(silenceDeadline(live), retries.map { $0.at }.min() ?? silenceDeadline(live))
    }
  }

  /// A server that is there sends a heartbeat after `ping_s` of silence. Silence beyond that is asked for a sign, and
  /// silence beyond twice as much is a dead connection.
  private func silenceDeadline(_ live: Live) -> Instant {
    let interval = live.greeting.pingInterval
    return live.lastHeard + (live.isProbed ? interval * 2 : interval) + options.times.grace
  }

  /// Nothing is done before ``deadline``.
  mutating func timeoutReached(now: Instant, random: UInt64) {
    guard let deadline, now >= deadline else { return }
    switch phase {
    case .idle, .ended: return
    case .waiting: attempt(now)
    case .connecting: abandon("no greeting came", now: now, random: random)
    case .live(let live):
      if now >= silenceDeadline(live) { wasSilent(live, now, random) }
      retryDue(now)
    }
  }

  private mutating func wasSilent(_ live: Live, _ now: Instant, _ random: UInt64) {
    if live.isProbed { return abandon("no sign of life", now: now, random: random) }
    var live = live
    live.isProbed = true
    // A device that slept has been silent itself: the server gets its time to answer from now on.
    live.lastHeard = max(live.lastHeard, now - live.greeting.pingInterval - options.times.grace)
    phase = .live(live)
    send(.ping, for: .probe)
  }

  mutating func heard(now: Instant) {
    guard case .live(var live) = phase else { return }
    live.lastHeard = now
    live.isProbed = false
    phase = .live(live)
  }
}
