// The protocol without a WebSocket: ops become HTTP calls, and frames come as Server-Sent Events or by polling. Without
// sockets and clocks: events in, outputs out.
//
//   HTTPLink.swift            the probe, ops and their answers, how it ends
//   HTTPLink+Feeds.swift      which wallets hold a request, which go round; polls
//   HTTPLink+Frames.swift     what comes for a wallet
//
// Is it our server that answers? A probe finds out, and stands for the greeting. Each wallet has a stream, and so an
// order and a cursor, of its own. Servers and what is before them take few requests at a time of one client: the first
// wallets hold a request each, the others are asked in turn.

import Ethereum
import JSON
import Ledger

struct HTTPLink: Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Output: Sendable {
    case request(RequestID, HTTPCall)
    case cancel(RequestID)
    case frame(ServerFrame, FrameOrigin)
  }

  /// How it ended.
  struct End: Sendable, Equatable {
    /// As a WebSocket's Close would have it.
    var code: UInt16?
    let reason: String
    var retry: Duration?
    /// The server answers, but not in this way.
    var isUnusable = false
  }

  enum Purpose: Sendable, Equatable {
    case probe
    case stream(WalletKey)
    case poll(WalletKey)
    case get(Int)
    case refresh(Int)
    case ping(Int)
  }

  struct Exchange: Sendable {
    let purpose: Purpose
    var head: HTTPHead?
    var body: [UInt8] = []
  }

  static let heldMax = 4
  static let probeTimeout = Duration.seconds(10)
  /// A proxy that holds back what streams through it is found out by this.
  static let firstEventTimeout = Duration.seconds(10)
  static let pollWait = 25
  static let pollGrace = 15
  /// Between polls that bring something, between those that bring nothing, and in the round of those that wait.
  static let pause = Duration.milliseconds(250)
  static let pauseIdle = Duration.seconds(1)
  static let round = Duration.seconds(5)

  let kind: TransportKind
  let limits: ClientLimits
  let grace: Duration
  /// Nil while it lasts.
  private(set) var end: End?
  private(set) var lastRequest: RequestID
  private var outputs: [Output] = []
  var exchanges: [RequestID: Exchange] = [:]
  private var token: String?
  /// With the token of now, where there is one, something was answered.
  var wasAccepted = false
  var feeds: [WalletKey: HTTPFeed] = [:]
  /// Of subscribing.
  var order: [WalletKey] = []
  /// Of those without a request of their own: who is asked at present, who comes after it, and when it starts anew.
  var asked: WalletKey?
  var queue: [WalletKey] = []
  var roundAt: Instant?

  /// - Parameters:
  ///   - lastRequest: ids that are used up.
  ///   - grace: what a server may be late with its signs of life.
  init(_ kind: TransportKind, limits: ClientLimits, grace: Duration, lastRequest: RequestID) {
    self.kind = kind
    self.limits = limits
    self.grace = grace
    self.lastRequest = lastRequest
    request(.probe, HTTPCall(target: "api/v1/chains", timeout: Self.probeTimeout))
  }

  var hasOutputs: Bool { !outputs.isEmpty }

  mutating func takeOutputs() -> [Output] {
    let taken = outputs
    outputs.removeAll()
    return taken
  }

  mutating func say(_ frame: ServerFrame, _ origin: FrameOrigin = .answer) {
    outputs.append(.frame(frame, origin))
  }

  @discardableResult
  mutating func request(_ purpose: Purpose, _ call: HTTPCall) -> RequestID {
    var call = call
    if call.headers["Accept"] == nil { call.headers["Accept"] = "application/json" }
    if let token { call.headers["Authorization"] = "Bearer \(token)" }
    lastRequest += 1
    exchanges[lastRequest] = Exchange(purpose: purpose)
    outputs.append(.request(lastRequest, call))
    return lastRequest
  }

  mutating func cancel(_ id: RequestID) {
    if exchanges.removeValue(forKey: id) != nil { outputs.append(.cancel(id)) }
  }

  /// Ends all that is under way.
  mutating func close() {
    for id in exchanges.keys.sorted() { cancel(id) }
    feeds.removeAll()
    order.removeAll()
    queue.removeAll()
    (asked, roundAt) = (nil, nil)
  }

  mutating func over(_ end: End) {
    guard self.end == nil else { return }
    self.end = end
    close()
  }

  mutating func unusable(_ reason: String) { over(End(reason: reason, isUnusable: true)) }

  /// A token that was good before has ended (4101: come back with another one); else it was none (4001).
  mutating func unauthorized(_ reason: String) {
    over(End(code: wasAccepted && token != nil ? 4_101 : 4_001, reason: reason))
  }

  // MARK: - Ops

  static func path(_ wallet: WalletKey) -> String { "api/v1/wallets/\(wallet)" }

  mutating func send(_ operation: Operation, id: Int) {
    guard end == nil else { return }
    switch operation {
    case .subscribe(let message): subscribe(message, id)
    case .unsubscribe(let wallets, _):
      for wallet in wallets { unwatch(wallet) }
      accept(id)
    case .auth(let token):
      self.token = token
      wasAccepted = false
      accept(id)
    case .get(let wallet): request(.get(id), HTTPCall(target: "\(Self.path(wallet))/balances"))
    case .refresh(let wallet):
      request(.refresh(id), HTTPCall(method: "POST", target: "\(Self.path(wallet))/refresh_balances"))
    case .list: say(.ok(AcceptedFrame(id: id, wallets: order)))
    case .ping: request(.ping(id), HTTPCall(target: "healthz"))
    case .set: accept(id)
    }
  }

  private mutating func accept(_ id: Int) { say(.ok(AcceptedFrame(id: id))) }

  // MARK: - Answers

  mutating func answered(_ id: RequestID, _ head: HTTPHead, now: Instant) {
    guard let exchange = exchanges[id] else { return }
    exchanges[id]?.head = head
    if case .stream(let key) = exchange.purpose, head.isSuccess { streamBegan(key, head, now) }
  }

  mutating func received(_ id: RequestID, _ bytes: [UInt8], now: Instant) {
    guard let exchange = exchanges[id] else { return }
    if case .stream(let key) = exchange.purpose, exchange.head?.isSuccess == true {
      return streamed(key, bytes, now)
    }
    guard exchange.body.count + bytes.count <= limits.answerBytes else {
      cancel(id)
      return settle(exchange.purpose, .failed("an answer of more than \(limits.answerBytes) bytes"))
    }
    exchanges[id]?.body += bytes
  }

  mutating func finished(_ id: RequestID, now: Instant) {
    guard let exchange = exchanges.removeValue(forKey: id) else { return }
    guard let head = exchange.head else { return settle(exchange.purpose, .failed("no answer")) }
    switch exchange.purpose {
    case .probe: probed(head, exchange.body)
    case .stream(let key): streamFinished(key, head, exchange.body)
    case .poll(let key): polled(key, head, exchange.body, now)
    case .get(let call): got(call, head, exchange.body)
    case .refresh(let call):
      guard head.isSuccess else { return refused(call, head, exchange.body) }
      accept(call)
    case .ping(let call): say(.pong(id: call, time: nil))
    }
  }

  mutating func failed(_ id: RequestID, _ failure: HTTPFailure) {
    guard let exchange = exchanges.removeValue(forKey: id) else { return }
    settle(exchange.purpose, failure)
  }

  /// A call's failure is its own; without the others there is no connection.
  private mutating func settle(_ purpose: Purpose, _ failure: HTTPFailure) {
    switch purpose {
    case .get(let call), .refresh(let call), .ping(let call):
      say(.error(id: call, ServerRefusal(code: "unreachable", message: failure.reason)))
    case .stream(let key):
      over(End(reason: failure.reason, retry: feeds[key]?.retry, isUnusable: failure == .timedOut))
    case .probe, .poll: over(End(reason: failure.reason, isUnusable: failure == .timedOut))
    }
  }

  /// A server that wants a token is ours too, and says so.
  private mutating func probed(_ head: HTTPHead, _ body: [UInt8]) {
    guard head.isSuccess || head.status == 401 else {
      let refusal = HTTPRefusal(head, body)
      return over(
        End(reason: refusal.refusal.message, retry: refusal.refusal.retry, isUnusable: head.status < 500))
    }
    say(
      .hello(
        ServerGreeting(
          server: "", epoch: "", pingInterval: .seconds(Self.pollWait), walletsMax: nil, messageBytes: 65_536,
          transport: kind)))
  }

  private mutating func got(_ call: Int, _ head: HTTPHead, _ body: [UInt8]) {
    guard head.isSuccess else { return refused(call, head, body) }
    guard let value = try? JSONParser.parse(body, limits: ServerFrame.limits),
      let frame = ServerFrame(snapshot: value)
    else { return say(.error(id: call, ServerRefusal(code: "internal", message: "no snapshot"))) }
    accept(call)
    say(frame)
  }

  private mutating func refused(_ call: Int, _ head: HTTPHead, _ body: [UInt8]) {
    let refusal = HTTPRefusal(head, body)
    if head.status == 401 { return unauthorized(refusal.refusal.message) }
    say(.error(id: call, refusal.refusal))
  }
}

/// What an answer says that is no success.
struct HTTPRefusal: Sendable {
  let refusal: ServerRefusal
  /// It has the protocol's code. Without one it is that of something in between.
  let isOurs: Bool

  init(_ head: HTTPHead, _ body: [UInt8]) {
    let value = try? JSONParser.parse(body, limits: ServerFrame.limits)
    let code = value?["code"]?.string
    isOurs = code != nil
    let seconds = head.retryAfter.flatMap { Int64($0) }.flatMap { (0...86_400).contains($0) ? $0 : nil }
    refusal = ServerRefusal(
      code: code ?? "http_\(head.status)", message: value?["error"]?.string ?? "HTTP \(head.status)",
      retry: value?.retry ?? seconds.map { .seconds($0) })
  }
}
