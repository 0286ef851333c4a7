import EventLoop
import JSON
import Upstream
import WebSocket

/// One client of a load test: connects, subscribes, and looks at what comes. Confined to its loop.
///
///     idle → connecting → greeting → asked → live → ended
final class LoadClient: WebSocketClientHandler {
  enum Phase: UInt8 {
    case idle
    case connecting
    /// The upgrade is through; the `hello` comes first.
    case greeting
    /// The subscribe was sent.
    case asked
    /// The heartbeat behind its answer is there.
    case live
    case ended
  }

  let number: Int
  let isSlow: Bool
  unowned let owner: LoadLoop
  private(set) var phase = Phase.idle
  private var check = StreamCheck()
  private var socket: WebSocketClient?
  /// Of the connect, then of the subscribe; in a storm of the drop, to the end.
  private var startedAt = LoopInstant(nanoseconds: 0)
  private var droppedAt: LoopInstant?
  /// A drop of ours is under way: the end of the connection is no fault.
  private var isDropping = false
  /// The server took nothing of what was asked: counted already.
  private(set) var isRefused = false
  private var since: String?
  /// Of a slow client.
  private var newest: NewestValues?
  private var witness: NewestValues?

  init(_ number: Int, owner: LoadLoop) {
    self.number = number
    self.owner = owner
    isSlow = owner.plan.isSlow(number)
    if isSlow { newest = NewestValues(isPaced: owner.plan.rate != nil) }
  }

  func connect() {
    phase = .connecting
    check = StreamCheck()
    startedAt = .current()
    let socket = owner.makeSocket(number, handler: self)
    self.socket = socket
    socket.connect()
  }

  // MARK: - Connection

  func opened(_ client: WebSocketClient, subprotocol: String?) {
    owner.opened(after: .current() - startedAt, isReturn: droppedAt != nil)
    phase = .greeting
  }

  func closed(_ client: WebSocketClient, _ ending: WebSocketEnding) {
    guard client === socket else { return }
    socket = nil
    if isDropping {
      isDropping = false
      return connect()
    }
    let before = phase
    phase = .ended
    owner.ended(self, ending, from: before, isInStorm: droppedAt != nil)
    droppedAt = nil
  }

  /// Breaks the connection off without a word, and comes back at once with what it has.
  ///
  /// - Returns: false when it is not there to begin with.
  func drop() -> Bool {
    guard phase == .live, let socket else { return false }
    since = check.resumePoint
    isDropping = true
    droppedAt = .current()
    socket.abort()
    return true
  }

  func close() { try? socket?.close() }

  // MARK: - Slow reading

  func pauseReading() { socket?.pauseReading() }
  func resumeReading() { socket?.resumeReading() }

  /// Of a slow one: what another client of the same keys was told after this one had read on.
  func judge(by witness: NewestValues) {
    self.witness = witness
    judge()
  }

  private func judge() {
    guard phase == .live, let witness, let newest else { return }
    switch newest.compare(to: witness) {
    case .behind: return
    case .newest: owner.judged(self, missing: nil)
    case .missing(let keys): owner.judged(self, missing: keys)
    }
    self.witness = nil
  }

  /// Times that the server said `lag`.
  var lags: Int { newest?.lags ?? 0 }

  // MARK: - Messages

  func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient) {
    owner.counters.messages &+= 1
    owner.counters.payloadBytes &+= UInt64(payload.count)
    // Prices of one message were read at one time.
    owner.readAt = 0
    guard kind == .text, owner.scanner.scan(payload) else {
      return owner.violated(.malformedFrame, by: number, String(decoding: payload.prefix(200), as: UTF8.self))
    }
    for index in owner.scanner.frames.indices { take(owner.scanner.frames[index]) }
    if newest != nil {
      newest?.take(payload)
      judge()
    }
  }

  private func take(_ frame: ServerFrame) {
    let (wasLive, repeats) = (check.isLive, check.repeats)
    if let violation = check.take(frame) { owner.violated(violation, by: number, "\(frame)") }
    switch frame {
    case .data(let kind, _, let acceptedAt):
      owner.counters.count(kind)
      if check.repeats != repeats { owner.counters.repeats &+= 1 }
      // What answers a subscribe is as old as it is.
      if wasLive, !isSlow, let acceptedAt { owner.delivered(acceptedAt) }
    case .heartbeat:
      owner.counters.heartbeats &+= 1
      if phase == .asked, check.isLive { becomeLive() }
    case .hello: if phase == .greeting { subscribe() }
    case .ok(let isResumed, let refusals): answered(isResumed, refusals)
    case .error(let code):
      owner.counters.count(error: "server_\(code)", "client \(number)")
      if phase == .asked { refused() }
    case .snapshot(_, _, _, let isLastPart, _): if isLastPart { owner.counters.snapshots &+= 1 }
    case .lag: owner.counters.lags &+= 1
    case .status: owner.counters.statuses &+= 1
    case .reconnect, .other: break
    }
  }

  private func answered(_ isResumed: Bool?, _ refusals: [String]) {
    guard phase == .asked else { return }
    if droppedAt == nil {
      owner.times.subscribed.record(microseconds: .current() - startedAt)
    } else if isResumed == true {
      owner.storm.resumed += 1
    }
    for code in refusals { owner.counters.count(error: "refused_\(code)", "client \(number)") }
    if refusals.count >= min(owner.plan.keysPerConnection, owner.plan.keys.count) { refused() }
  }

  /// Without anything of what it wanted there is nothing to wait for.
  private func refused() {
    isRefused = true
    close()
  }

  private func becomeLive() {
    phase = .live
    let now = LoopInstant.current()
    if let droppedAt {
      owner.cameBack(after: now - droppedAt, at: now)
      self.droppedAt = nil
    } else {
      owner.times.snapshot.record(microseconds: now - startedAt)
      owner.counters.ready += 1
    }
  }

  private func subscribe() {
    phase = .asked
    startedAt = .current()
    check.subscribed()
    try? socket?.send(text: owner.plan.subscribe(client: number, since: since))
    since = nil
  }
}

extension LoadPlan {
  /// The client's subscribe message.
  func subscribe(client: Int, since: String?) -> String {
    var writer = JSONWriter(reserving: 128)
    writer.beginObject()
    writer.member("op", "subscribe")
    writer.member("id", 1)
    switch keys.kind {
    case .wallets: writer.key("wallets")
    case .tokens: writer.key("tokens")
    }
    writer.beginArray()
    for key in keys.keys(ofClient: client, each: keysPerConnection) { writer.string(key) }
    writer.endArray()
    if let since { writer.member("since", since) }
    if let rate, let number = JSONNumber(text: "\(rate)") {
      writer.key("rate")
      writer.number(number)
    }
    if isBatched { writer.member("batch", true) }
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension HdrHistogram {
  mutating func record(microseconds duration: Duration) {
    record(UInt64(Swift.max(0, duration.wholeNanoseconds)) / 1_000)
  }
}
