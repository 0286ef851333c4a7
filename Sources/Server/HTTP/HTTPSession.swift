import EventLoop
import HTTP1
import Push
import WebSocket

/// One HTTP/1.1 connection: requests in, one after the other, answers out; until it is upgraded.
///
/// While an answer is being made elsewhere, nothing more is read: a client that pipelines waits in the kernel's
/// buffer, not in ours.
final class HTTPSession: ConnectionHandler, TimerTarget {
  private let router: Router
  private let shard: Shard
  private let sessions: HTTPSessions
  private let connection: Connection
  private var parser: RequestParser
  private var head: RequestHead?
  private var body: [UInt8] = []
  /// An answer is being made elsewhere.
  private var isWaiting = false
  private var stash: [UInt8] = []
  private var timer = TimerID.none
  private var isClosed = false

  init(router: Router, shard: Shard, sessions: HTTPSessions, connection: Connection) {
    self.router = router
    self.shard = shard
    self.sessions = sessions
    self.connection = connection
    parser = RequestParser(limits: router.limits)
    arm(router.settings.limits.handshake)
    sessions.add(self, connection.id)
  }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    if isWaiting { return stash.append(contentsOf: bytes) }
    process(bytes)
  }

  private func process(_ bytes: UnsafeMutableRawBufferPointer) {
    if parser.isIdle, head == nil { arm(router.settings.limits.handshake) }
    var input = UnsafeRawBufferPointer(bytes)
    do throws(HTTPError) {
      while !isClosed, !isWaiting, let event = try parser.next(&input) {
        switch event {
        case .head(let parsed):
          head = parsed
          if parsed.expectContinue { connection.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        case .body(let piece): body.append(contentsOf: piece)
        case .end:
          guard let head else { continue }
          let body = body
          self.head = nil
          self.body = []
          if answer(head, body, rest: input) { return }
        }
      }
    } catch {
      return refuse(error)
    }
    if isWaiting, !isClosed {
      stash.append(contentsOf: input)
      connection.pauseReading()
    }
  }

  private func refuse(_ error: HTTPError) {
    send(.error(error.status, "bad_request", error.explanation), isHead: false, keepsAlive: false)
  }

  // MARK: Answers

  /// - Returns: whether the connection was handed over.
  private func answer(_ head: RequestHead, _ body: [UInt8], rest: UnsafeRawBufferPointer) -> Bool {
    shard.loop.cancel(timer)
    switch router.route(head, body: body, on: shard) {
    case .now(let response):
      finish(response, head)
    case .later(let make):
      isWaiting = true
      let loop = shard.loop
      let name = connection.id
      Task {
        let response = await make()
        loop.post {
          guard let session = loop.connection(name)?.handler as? HTTPSession else { return }
          session.complete(response, head)
        }
      }
    case .upgrade(let upgrade):
      connection.write(upgrade.response)
      isClosed = true
      sessions.remove(connection.id)
      shard.adopt(
        connection, wallets: upgrade.wallets, deflate: upgrade.deflate,
        leftover: UnsafeMutableRawBufferPointer(mutating: rest))
      return true
    }
    return false
  }

  private func complete(_ response: Response, _ head: RequestHead) {
    guard isWaiting, !isClosed else { return }
    isWaiting = false
    finish(response, head)
    guard !isClosed else { return }
    var waiting = stash
    stash = []
    if !waiting.isEmpty { waiting.withUnsafeMutableBytes { process($0) } }
    guard !isWaiting, !isClosed else { return }
    // It ended its side while it waited: there will be no other request.
    if connection.isInputEnded { close() } else { connection.resumeReading() }
  }

  private func finish(_ response: Response, _ head: RequestHead) {
    send(response, isHead: head.method == "HEAD", keepsAlive: head.keepAlive && !shard.isDraining)
  }

  private func send(_ response: Response, isHead: Bool, keepsAlive: Bool) {
    guard !isClosed else { return }
    router.count(response.status)
    connection.write(router.encode(response, isHead: isHead, keepsAlive: keepsAlive, loop: shard.loop))
    if keepsAlive {
      arm(Self.keepAlive)
    } else {
      close()
    }
  }

  // MARK: Ends

  /// How long a connection may rest between two requests.
  private static let keepAlive = Duration.seconds(60)

  private func arm(_ duration: Duration) {
    shard.loop.cancel(timer)
    timer = shard.loop.schedule(after: duration, self, tag: 0)
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    guard !isClosed, !isWaiting else { return }
    if parser.isIdle, head == nil { return close() }
    send(
      .error(408, "timeout", "the request took too long to arrive"), isHead: false, keepsAlive: false)
  }

  func inputEnded(on connection: Connection) {
    // A half-closed client may still wait for its answer.
    if !isWaiting { close() }
  }

  /// The server drains: nobody waits for an answer here.
  func closeIfIdle() {
    if !isWaiting, parser.isIdle, head == nil { close() }
  }

  private func close() {
    guard !isClosed else { return }
    isClosed = true
    sessions.remove(connection.id)
    shard.loop.cancel(timer)
    connection.close(.requested, afterFlush: true)
  }

  func closed(_ connection: Connection, reason: CloseReason) {
    isClosed = true
    sessions.remove(connection.id)
    shard.loop.cancel(timer)
  }
}
