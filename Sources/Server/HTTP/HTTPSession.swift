// One HTTP/1.1 connection: requests in, one after the other, answers out; until it is upgraded.
//
// Whatever a client does, what it makes us hold is bounded: one request (`limits.headBytes`, `limits.bodyBytes`), one
// read of bytes that came behind it, and one answer beyond `limits.unsentBytes`. While an answer is being made elsewhere,
// or too much of earlier ones is not taken, nothing is read: a client that pipelines waits in the kernel's buffer.
//
// And every wait has an end (`watch`): for a head and for a body `limits.handshakeSeconds` each, which no dripping byte
// puts off; between requests `limits.keepAliveSeconds`; for room `limits.slowSeconds` without any progress.
//
// A connection that found no room is answered at its first head (HTTPSession+TurningAway.swift).

import EventLoop
import HTTP1
import Push
import WebSocket

final class HTTPSession: ConnectionHandler, TimerTarget {
  let router: Router
  let shard: Shard
  private let sessions: HTTPSessions
  let connection: Connection
  private var parser: RequestParser
  private var head: RequestHead?
  private var body: [UInt8] = []
  /// The client wants to hear that it may send its body.
  private var owesContinue = false
  /// An answer is being made elsewhere.
  var isWaiting = false
  /// It waits for a change of a wallet (HTTPSession+Following.swift).
  var poll: LongPoll?
  /// Too much of what was answered is not taken.
  private var isClogged = false
  /// Bytes that came meanwhile.
  var stash: [UInt8] = []
  /// Of the requests that count, where connections are counted by.
  private var allowance: Allowance
  private var phase = HTTPPhase.head
  /// When the request that is being answered was whole; nil where the answer is to wait for something.
  private var askedAt: LoopInstant?
  private var timer = TimerID.none
  var isClosed = false
  /// Why there is no room for the connection, or for the client that a proxy speaks for; nil where there is.
  private(set) var refusal: ConnectionBudget.Refusal?

  init(
    router: Router, shard: Shard, sessions: HTTPSessions, connection: Connection,
    refusal: ConnectionBudget.Refusal? = nil
  ) {
    self.router = router
    self.shard = shard
    self.sessions = sessions
    self.connection = connection
    self.refusal = refusal
    parser = RequestParser(limits: router.limits)
    allowance = Allowance(now: shard.loop.now)
    let handshake = router.settings.limits.handshake
    arm(refusal == nil ? handshake : min(handshake, ConnectionRefusal.patience))
    sessions.add(self, connection.id)
  }

  // MARK: Requests

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    guard isWaiting || isClogged else { return process(bytes) }
    stash.append(contentsOf: bytes)
    // Of a client that waits for a change all that is to be read is that it has gone.
    if poll != nil { connection.pauseReading() }
  }

  private func process(_ bytes: UnsafeMutableRawBufferPointer) {
    var input = UnsafeRawBufferPointer(bytes)
    do throws(HTTPError) {
      while !isClosed, !isWaiting, !input.isEmpty || isInRequest, hasRoom(),
        let event = try parser.next(&input)
      {
        switch event {
        case .head(let parsed):
          if refusal == nil, !hasRoomForClient(of: parsed) { refusal = .address }
          if let refusal { return turnAway(parsed, refusal) }
          head = parsed
          owesContinue = parsed.expectContinue
        case .body(let piece): body.append(contentsOf: piece)
        case .end:
          guard let head = head.take() else { continue }
          let body = body
          self.body = []
          if answer(head, body, rest: input) { return }
        }
      }
    } catch {
      router.count(refused: error)
      return send(
        .error(error.status, "bad_request", error.explanation), isHead: false, keepsAlive: false)
    }
    guard !isClosed else { return }
    if isWaiting || isClogged {
      stash.append(contentsOf: input)
      connection.pauseReading()
    } else if isInRequest, owesContinue {
      // RFC 9110 §10.1.1: only where there is a body, and not when some of it is here already.
      if body.isEmpty { connection.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
      owesContinue = false
    }
    watch()
  }

  /// The head has come, the end has not. (Asked as `head != nil` it compares two heads.)
  private var isInRequest: Bool {
    if case .some = head { true } else { false }
  }

  private func hasRoom() -> Bool {
    isClogged = connection.unsentBytes > router.settings.limits.unsentBytes
    return !isClogged
  }

  /// Reads what came meanwhile, then the socket again.
  private func goOn() {
    guard !isWaiting, !isClosed else { return }
    phase = .answer
    shard.loop.cancel(timer)
    var waiting = stash
    stash = []
    if !waiting.isEmpty { waiting.withUnsafeMutableBytes { process($0) } }
    guard !isWaiting, !isClogged, !isClosed else { return }
    // It ended its side while it waited: there will be no other request.
    if connection.isInputEnded { return close() }
    connection.resumeReading()
    watch()
  }

  // MARK: Answers

  /// - Returns: whether the connection was handed over.
  private func answer(_ head: RequestHead, _ body: [UInt8], rest: UnsafeRawBufferPointer) -> Bool {
    phase = .answer
    shard.loop.cancel(timer)
    let wholeAt = LoopInstant.current()
    switch route(head, body) {
    case .now(let response):
      askedAt = wholeAt
      finish(response, head)
    case .later(let make):
      askedAt = wholeAt
      wait(for: make) { session, response in session.complete(response, head) }
    case .follow(let make):
      wait(for: make) { session, following in session.follow(following, head) }
    case .upgrade(let upgrade):
      connection.write(upgrade.response)
      handOver()
      shard.adopt(
        connection, wallets: upgrade.wallets, tokens: upgrade.tokens, deflate: upgrade.deflate,
        leftover: UnsafeMutableRawBufferPointer(mutating: rest))
      return true
    }
    return false
  }

  /// Goes on on the loop with what is made elsewhere, if the connection is still there.
  private func wait<Made: Sendable>(
    for make: @escaping @Sendable () async -> Made, then goOn: @escaping @Sendable (HTTPSession, Made) -> Void
  ) {
    isWaiting = true
    let loop = shard.loop
    let name = connection.id
    Task {
      let made = await make()
      loop.post {
        guard let session = loop.connection(name)?.handler as? HTTPSession else { return }
        goOn(session, made)
      }
    }
  }

  /// The connection is another's now.
  func handOver() {
    end()
    // What was waited for may have stopped it.
    connection.resumeReading()
  }

  func route(_ head: RequestHead, _ body: [UInt8]) -> Router.Action {
    router.route(head, body: body) {
      router.rates.overdraft(of: head, from: connection.peer, own: &allowance, now: shard.loop.now)
    }
  }

  func complete(_ response: Response, _ head: RequestHead) {
    guard isWaiting, !isClosed else { return }
    isWaiting = false
    finish(response, head)
    goOn()
  }

  func finish(_ response: Response, _ head: RequestHead) {
    if let askedAt { router.latency.recordNanoseconds((LoopInstant.current() - askedAt).wholeNanoseconds) }
    askedAt = nil
    let keepsAlive = head.keepAlive && !shard.isDraining && refusal == nil
    send(response, isHead: head.method == "HEAD", keepsAlive: keepsAlive)
    connection.endCountForClientWhenSent()
  }

  private func send(_ response: Response, isHead: Bool, keepsAlive: Bool) {
    guard !isClosed else { return }
    // One that found no room is counted where it was refused: no fault of the server's.
    if refusal == nil { router.count(response.status) }
    for piece in router.encode(response, isHead: isHead, keepsAlive: keepsAlive, loop: shard.loop) {
      connection.write(piece)
    }
    if !keepsAlive { close() }
  }

  // MARK: Waits

  /// Sets the time for what the client is waited for now, unless it runs already.
  private func watch() {
    guard !isClosed else { return }
    let next: HTTPPhase =
      if isClogged {
        .room
      } else if isWaiting {
        .answer
      } else if isInRequest {
        .body
      } else if parser.isIdle {
        // The first head is awaited from the start.
        phase == .head ? .head : .idle
      } else {
        .head
      }
    guard next != phase else { return }
    phase = next
    switch next {
    case .head, .body: arm(router.settings.limits.handshake)
    case .idle: arm(router.settings.limits.keepAlive)
    case .answer: shard.loop.cancel(timer)
    // What was written in this turn has not been offered to the kernel yet; if that takes it all, `drained` is not called.
    case .room: arm(.milliseconds(1))
    }
  }

  private func arm(_ duration: Duration) {
    shard.loop.cancel(timer)
    timer = shard.loop.schedule(after: duration, self, tag: 0)
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    guard !isClosed else { return }
    switch phase {
    case .answer: return
    case .room: return lookForRoom(now: now)
    case .idle: close()
    case .head where parser.isIdle: close()
    case .head, .body:
      let late = Response.error(408, "timeout", "the request took too long to arrive")
      send(refusal.map(ConnectionRefusal.response) ?? late, isHead: false, keepsAlive: false)
    }
    router.count(timeout: phase)
  }

  private func lookForRoom(now: LoopInstant) {
    if hasRoom() { return goOn() }
    let deadline = connection.lastProgress + router.settings.limits.slow
    if now < deadline {
      timer = shard.loop.schedule(at: deadline, self, tag: 0)
    } else {
      router.count(timeout: phase)
      end()
      connection.close(.timedOut, afterFlush: false)
    }
  }

  func drained(_ connection: Connection) {
    poll?.drained()
    if isClogged, hasRoom() { goOn() }
  }

  // MARK: Ends

  func inputEnded(on connection: Connection) {
    // A half-closed client may still wait for its answer. More likely it has gone, and is not waited with.
    if let poll { return poll.clientEnded() }
    if !isWaiting, !isClogged { close() }
  }

  /// The server drains: nobody waits for an answer here.
  func closeIfIdle() {
    if !isWaiting, !isClogged, parser.isIdle, !isInRequest { close() }
  }

  func close() {
    guard !isClosed else { return }
    end()
    connection.close(.requested, afterFlush: true)
  }

  private func end() {
    isClosed = true
    stash = []
    poll?.abandon()
    poll = nil
    sessions.remove(connection.id)
    shard.loop.cancel(timer)
  }

  func closed(_ connection: Connection, reason: CloseReason) { end() }
}

/// What an HTTP connection waits for.
enum HTTPPhase: String, CaseIterable {
  /// The end of a request's head; of the first one from the start.
  case head
  case body
  /// Our own answer.
  case answer
  /// That the client takes what it was answered.
  case room
  /// The next request.
  case idle
}
