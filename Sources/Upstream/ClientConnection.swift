import EventLoop
import HTTP1

/// One connection to an origin: being opened, idle, or in an exchange. Thread-confined.
///
/// It tells its origin how it fares; the origin's pool decides what it does next.
final class ClientConnection {
  enum State {
    case resolving
    /// To the first of the addresses that are left.
    case connecting
    case idle
    case busy(Exchange)
    case closed
  }

  /// Names it in its origin's pool.
  let key: ConnectionPool.ConnectionKey
  let origin: Origin
  let connectTimeout: Duration
  var state = State.resolving
  var connection: Connection?
  /// Not yet tried.
  var addresses: ArraySlice<SocketAddress> = []
  /// What the address before said.
  var connectError = UpstreamError.timedOut(.connect)
  var connectTimer = TimerID.none

  init(_ key: ConnectionPool.ConnectionKey, origin: Origin, timeout: Duration) {
    self.key = key
    self.origin = origin
    connectTimeout = timeout
  }

  var loop: EventLoop { origin.client.loop }

  // MARK: - Exchanges

  /// Sends the call's request. Only when idle.
  func run(_ call: Call, isReused: Bool) {
    guard let connection, connection.isOpen, !connection.isInputEnded else {
      // It ended in this very turn, and nothing of the request was sent: even one that must not be done twice
      // may go elsewhere.
      drop()
      return origin.resend(call, insteadOf: self)
    }
    let limits = origin.client.configuration.limits(bodyBytes: call.request.responseBytesLimit)
    state = .busy(Exchange(call, limits: limits, isReused: isReused))
    call.sent(on: self)
    connection.write(call.bytes)
  }

  /// Nobody waits for its response any more, or it broke.
  func drop() {
    guard closeState() else { return }
    connection?.abort()
  }

  /// Ends it with goodbye, unless it is in the middle of something.
  func close() {
    if case .busy = state { return drop() }
    guard closeState(), let connection else { return }
    // What is left of a request that was answered before it was sent is of no use.
    guard connection.unsentBytes == 0 else { return connection.abort() }
    connection.close(.requested, afterFlush: true)
  }

  private func closeState() -> Bool {
    if case .closed = state { return false }
    state = .closed
    loop.cancel(connectTimer)
    connectTimer = .none
    return true
  }

  /// The response is complete.
  private func complete(_ exchange: Exchange, _ response: HTTPClientResponse, hasLeftover: Bool) {
    // A response that came before the whole request was sent, or bytes behind it: the two sides no longer
    // agree on what is what.
    let isReusable =
      exchange.isReusable && !hasLeftover
      && (connection.map { $0.isOpen && !$0.isInputEnded && $0.unsentBytes == 0 } ?? false)
    exchange.call.leaveConnection()
    state = .idle
    origin.released(self, isReusable: isReusable)
    exchange.call.finish(.success(response))
  }

  private func fail(_ exchange: Exchange, _ error: UpstreamError) {
    let call = exchange.call
    guard exchange.mayBeResent, Self.saysDead(error) else { return call.finish(.failure(error)) }
    call.leaveConnection()
    drop()
    origin.resend(call, insteadOf: self)
  }

  /// A peer may close an idle connection at any time, also while a request is on its way (RFC 9112 §9.3.1).
  private static func saysDead(_ error: UpstreamError) -> Bool {
    switch error {
    case .closedBeforeResponse, .connectionBroken, .insecure: true
    default: false
    }
  }
}

extension ClientConnection: ConnectionHandler {
  func connected(_ connection: Connection) {
    guard connection === self.connection, case .connecting = state else { return }
    didConnect(to: connection.peer)
  }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    guard connection === self.connection else { return }
    switch state {
    case .resolving, .connecting, .closed: return
    case .idle:
      // An answer that nobody asked for; to the next request it would look like its own.
      drop()
      origin.closed(self)
    case .busy(var exchange):
      // The state must not hold a second reference while the body grows.
      state = .idle
      var input = UnsafeRawBufferPointer(bytes)
      let progress = exchange.receive(&input)
      state = .busy(exchange)
      settle(exchange, progress, hasLeftover: !input.isEmpty)
    }
  }

  private func settle(_ exchange: Exchange, _ progress: Exchange.Progress, hasLeftover: Bool) {
    switch progress {
    case .incomplete: break
    case .complete(let response): complete(exchange, response, hasLeftover: hasLeftover)
    case .failed(let error): fail(exchange, error)
    }
  }

  func inputEnded(on connection: Connection) {
    guard connection === self.connection else { return }
    switch state {
    case .resolving, .connecting, .closed: return
    case .idle:
      close()
      origin.closed(self)
    case .busy(var exchange):
      let progress = exchange.inputEnded()
      settle(exchange, progress, hasLeftover: false)
    }
  }

  func closed(_ connection: Connection, reason: CloseReason) {
    guard connection === self.connection else { return }
    self.connection = nil
    switch state {
    case .resolving, .closed: break
    case .connecting: addressFailed(error(reason), isFinal: Self.isFinal(reason))
    case .idle:
      state = .closed
      origin.closed(self)
    case .busy(var exchange):
      if reason == .endOfStream {
        settle(exchange, exchange.inputEnded(), hasLeftover: false)
      } else {
        fail(exchange, error(reason))
      }
    }
  }

  private func error(_ reason: CloseReason) -> UpstreamError {
    switch reason {
    case .failed(let error): error.call == .connect ? .connectFailed(error) : .connectionBroken(error)
    case .filter(let error): .insecure(error, explanation: origin.explanation(of: error))
    case .stopped: .stopped
    case .local, .timedOut, .endOfStream: .closedBeforeResponse
    }
  }

  /// Whether the other addresses would say the same.
  private static func isFinal(_ reason: CloseReason) -> Bool {
    switch reason {
    case .filter, .stopped: true
    case .failed, .local, .timedOut, .endOfStream: false
    }
  }
}
