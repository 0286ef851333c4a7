// The client without sockets, clocks and threads: events in, actions out.
//
//   ClientMachine.swift            connection: attempts, greeting, silence, back-off, close codes
//   ClientMachine+Frames.swift     what the server says
//   ClientMachine+Calls.swift      what its owner asks for, and the replies
//   ClientMachine+Ladder.swift     other transports than WebSocket, and the way back to it
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
    /// Open a WebSocket; what it says comes as `received` and `lost`.
    case connect
    case send(String)
    /// Close the WebSocket. Nothing of it is to be heard any more.
    case disconnect
    /// Open a WebSocket beside what there is; what it says comes as `receivedBeside` and `lostBeside`.
    case connectBeside
    case disconnectBeside
    /// From now on the WebSocket beside is the one.
    case takeOver
    /// Ask the server; the answer comes as `answered`, `receivedBody` and `finished`, or `failed`.
    case request(RequestID, HTTPCall)
    case cancel(RequestID)
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
  var ladder: Ladder
  /// In place of a WebSocket.
  var link: HTTPLink?
  var lastRequest: RequestID = 0
  /// When a WebSocket is tried beside it, and how long one that is being tried has.
  var recoverAt: Instant?
  var besideUntil: Instant?
  private var actions: [Action] = []

  /// - Parameters:
  ///   - kinds: the transports to be had.
  ///   - canAskForTokens: whether `askForToken` finds somebody to ask.
  init(
    options: ClientOptions = ClientOptions(), kinds: Set<TransportKind> = [.webSocket], token: String? = nil,
    canAskForTokens: Bool = false
  ) {
    self.options = options
    pacing = options.pacing
    state = ClientState(rowsMax: options.limits.rows)
    credentials = Credentials(token: token, canAsk: canAskForTokens)
    backOff = BackOff(first: options.times.backOffFirst, longest: options.times.backOffMax)
    ladder = Ladder(
      kinds, recovery: BackOff(first: options.times.recoverFirst, longest: options.times.recoverMax))
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

  /// Opens, at once even where it waits for the next attempt, or for that to try a WebSocket.
  mutating func open(now: Instant) {
    switch phase {
    case .connecting: return
    case .live: if recoverAt != nil { recover(now) }
    case .idle, .waiting, .ended: attempt(now)
    }
  }

  /// Closes until `open`. Subscriptions and state stay.
  mutating func close() {
    switch phase {
    case .idle: return
    case .connecting, .live: hangUp()
    case .waiting, .ended: break
    }
    leave()
    backOff.reset()
    phase = .idle
    act(.report(.connection(.idle)))
  }

  private mutating func attempt(_ now: Instant) {
    announcedRetry = nil
    act(.report(.connection(.connecting)))
    ladder.begin()
    tryTransport(now)
  }

  /// The transport is gone.
  ///
  /// - Parameters:
  ///   - code: of the server's Close; nil where there was none.
  ///   - retry: when the server wants us back, where it said so.
  ///   - isUnusable: the server answers, but not in this way.
  ///   - random: any 64 bits.
  mutating func lost(
    code: UInt16?, reason: String, retry: Duration? = nil, isUnusable: Bool = false, now: Instant,
    random: UInt64
  ) {
    let wasLive = live != nil
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
    if ladder.failed(code: code, wasLive: wasLive, isUnusable: isUnusable) {
      if wasLive { act(.report(.connection(.connecting))) }
      return tryTransport(now)
    }
    let pause = backOff.next(announced: announcedRetry ?? retry, random: random)
    phase = .waiting(until: now + pause)
    act(.report(.connection(.waiting(code: code, reason: reason, retry: pause))))
  }

  /// Gives the connection up and comes back after the usual wait.
  mutating func abandon(_ reason: String, isUnusable: Bool = false, now: Instant, random: UInt64) {
    hangUp()
    lost(code: nil, reason: reason, isUnusable: isUnusable, now: now, random: random)
  }

  /// What belonged to the connection ends with it.
  mutating func leave() {
    if live != nil { tracker.disconnected() }
    state.connectionLost()
    retries.removeAll()
    failCalls()
    leaveLink()
  }

  // MARK: - Time

  /// When `timeoutReached` is to be called; nil: never.
  var deadline: Instant? {
    switch phase {
    case .idle, .ended: nil
    case .waiting(let until): until
    case .connecting(let until): link?.hasOutputs == true ? until - options.times.greeting : until
    case .live(let live): liveDeadline(live)
    }
  }

  /// A server that is there sends a heartbeat after `ping_s` of silence. Silence beyond that is asked for a sign, and
  /// silence beyond twice as much is a dead connection.
  func silenceDeadline(_ live: Live) -> Instant {
    let interval = live.greeting.pingInterval
    return live.lastHeard + (live.isProbed ? interval * 2 : interval) + options.times.grace
  }

  /// Nothing is done before ``deadline``.
  mutating func timeoutReached(now: Instant, random: UInt64) {
    guard let deadline, now >= deadline else { return }
    switch phase {
    case .idle, .ended: return
    case .waiting: attempt(now)
    case .connecting(let until):
      if now >= until { abandon("no greeting came", isUnusable: true, now: now, random: random) }
    case .live(let live):
      if link == nil, now >= silenceDeadline(live) { wasSilent(live, now, random) }
      retryDue(now)
    }
    ladderTimeout(now, random)
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
