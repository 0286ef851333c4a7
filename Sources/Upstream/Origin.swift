import EventLoop
import Logging

/// A server in use: carries out what its ``ConnectionPool`` decides, and tells it what came of it.
/// Thread-confined.
final class Origin: TimerTarget {
  let key: OriginKey
  let client: ClientLoop
  private let metrics: OriginMetrics
  private let name: String
  private var pool: ConnectionPool
  private var nextRequest: ConnectionPool.RequestKey = 1
  /// Those without an answer yet.
  private var calls: [ConnectionPool.RequestKey: Call] = [:]
  private var connections: [ConnectionPool.ConnectionKey: ClientConnection] = [:]
  private var timer = TimerID.none

  init(_ key: OriginKey, url: HTTPURL, client: ClientLoop) {
    self.key = key
    self.client = client
    name = url.origin
    metrics = OriginMetrics(host: url.authorityWithPort)
    pool = ConnectionPool(client.configuration)
  }

  /// Requests that wait for a connection.
  var waitingCount: Int { pool.waitingCount }

  private var now: LoopInstant { client.loop.now }

  // MARK: - Calls

  func start(_ call: Call) {
    call.key = nextRequest
    call.origin = self
    nextRequest += 1
    calls[call.key] = call
    perform(pool.request(call.key, now: now))
  }

  /// The call has its answer. A connection that it still holds is of no use to others.
  func ended(
    _ call: Call, on connection: ClientConnection?, _ outcome: Call.Outcome, after duration: Duration
  ) {
    calls[call.key] = nil
    metrics.ended(outcome, after: duration)
    if let connection {
      connection.drop()
      released(connection, isReusable: false)
    } else {
      // One with a response has left the pool already.
      if case .failure = outcome { pool.cancel(call.key) }
      settle()
    }
  }

  /// Its kept-alive connection was dead: sends it again over a new one.
  func resend(_ call: Call, insteadOf connection: ClientConnection) {
    metrics.resent()
    connections[connection.key] = nil
    perform(pool.retry(call.key, insteadOf: connection.key, now: now))
  }

  // MARK: - Connections

  func connected(_ connection: ClientConnection) {
    perform(pool.connected(connection.key, now: now))
  }

  func connectFailed(_ connection: ClientConnection, _ error: UpstreamError) {
    client.logger.debug("upstream connection failed", metadata: ["origin": "\(name)", "reason": "\(error)"])
    connections[connection.key] = nil
    perform(pool.connectFailed(connection.key), failure: error)
  }

  func released(_ connection: ClientConnection, isReusable: Bool) {
    perform(pool.released(connection.key, isReusable: isReusable, now: now))
  }

  /// An idle one ended.
  func closed(_ connection: ClientConnection) {
    connections[connection.key] = nil
    pool.closed(connection.key)
    settle()
  }

  // MARK: - Time and end

  func timerFired(tag: UInt64, now: LoopInstant) {
    timer = .none
    perform(pool.expire(now: now))
  }

  func shutDown() {
    perform(pool.stop())
    for call in Array(calls.values) { call.finish(.failure(.stopped)) }
    settle()
  }

  // MARK: - Actions

  private func perform(_ actions: [ConnectionPool.Action], failure: UpstreamError? = nil) {
    for action in actions {
      switch action {
      case .connect(let key, let request): connect(key, for: request)
      case .run(let request, let key, let isReused): run(request, on: key, isReused: isReused)
      case .close(let key): connections.removeValue(forKey: key)?.close()
      case .fail(let request, let refusal): calls[request]?.finish(.failure(error(refusal, failure)))
      }
    }
    settle()
  }

  private func error(_ refusal: ConnectionPool.Refusal, _ failure: UpstreamError?) -> UpstreamError {
    switch refusal {
    case .overloaded: .overloaded
    case .connectFailed: failure ?? .closedBeforeResponse
    case .stopped: .stopped
    }
  }

  private func connect(_ key: ConnectionPool.ConnectionKey, for request: ConnectionPool.RequestKey) {
    let timeout = calls[request]?.request.timeouts.connect ?? .zero
    let connection = ClientConnection(key, origin: self, timeout: timeout)
    connections[key] = connection
    connection.open()
  }

  private func run(
    _ request: ConnectionPool.RequestKey, on key: ConnectionPool.ConnectionKey, isReused: Bool
  ) {
    guard let call = calls[request], let connection = connections[key] else {
      perform(pool.released(key, isReusable: false, now: now))
      return
    }
    connection.run(call, isReused: isReused)
  }

  /// After every change: keeps the timer and the gauges, and goes when nothing is left.
  private func settle() {
    metrics.set(connections: pool.connectionCount, waiting: pool.waitingCount)
    if pool.isEmpty, calls.isEmpty {
      client.loop.cancel(timer)
      timer = .none
      client.remove(self)
    } else if timer == .none, let deadline = pool.nextDeadline {
      timer = client.loop.schedule(at: deadline, self, tag: 0)
    }
  }
}
