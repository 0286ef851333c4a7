// Theory of operation
//
// The pool knows connections and requests by number only, and answers every event with what is to be done:
// open, use or close a connection, refuse a request. Whoever carries that out tells it what came of it.
//
//     connecting ──connected──▶ idle ◀──released── busy        every state ──closed──▶ gone
//                                 └──────run────────▶
//
// - A request takes the idle connection that was used last: those at the bottom of the stack grow old and are
//   closed, so the pool shrinks to what is needed.
// - Otherwise it waits, first come, first served, and a connection is opened for it as long as there are
//   fewer being opened than requests waiting, and the limit allows. It takes whichever becomes free first.
// - A request whose kept-alive connection was dead gets a connection of its own: the other idle ones may be
//   as dead. It takes over the dead one's place, so the limit holds.
// - A connection that could not be opened fails the waiting requests only when nothing is left that could
//   serve them: then they would fail alike, each after a time-out of its own.
import EventLoop

/// The connections to one origin and the requests that wait for them, as a state machine without sockets
/// or clock.
struct ConnectionPool {
  typealias ConnectionKey = UInt64
  typealias RequestKey = UInt64

  enum Refusal: Equatable {
    /// As many requests as may are waiting.
    case overloaded
    /// The connection that it waited for could not be opened.
    case connectFailed
    case stopped
  }

  /// To be carried out in order.
  enum Action: Equatable {
    /// Open a connection, with the limits of this request; then say ``connected(_:now:)`` or
    /// ``connectFailed(_:)``.
    case connect(ConnectionKey, for: RequestKey)
    /// Then say ``released(_:isReusable:now:)``.
    case run(RequestKey, on: ConnectionKey, isReused: Bool)
    /// It is forgotten already.
    case close(ConnectionKey)
    case fail(RequestKey, Refusal)
  }

  private enum State {
    /// `reservedFor` must not take a used connection.
    case connecting(reservedFor: RequestKey?)
    case idle(since: LoopInstant)
    case busy
  }

  private struct Entry {
    var state: State
    var born: LoopInstant
    var hasServed = false
  }

  private let connectionsMaximum: Int
  private let waitingMaximum: Int
  private let idleTimeout: Duration
  private let lifetime: Duration

  private var entries: [ConnectionKey: Entry] = [:]
  private var nextKey: ConnectionKey = 1
  /// The one used last is the last.
  private var idle: [ConnectionKey] = []
  private var waiting: [RequestKey] = []
  private var openingCount = 0
  private var isStopped = false

  init(_ configuration: HTTPClientConfiguration) {
    connectionsMaximum = configuration.connectionsPerOrigin
    waitingMaximum = configuration.waitingPerOrigin
    idleTimeout = configuration.idleTimeout
    lifetime = configuration.connectionLifetime
  }

  var connectionCount: Int { entries.count }
  var idleCount: Int { idle.count }
  var waitingCount: Int { waiting.count }
  var isEmpty: Bool { entries.isEmpty && waiting.isEmpty }

  // MARK: - Requests

  mutating func request(_ request: RequestKey, now: LoopInstant) -> [Action] {
    guard !isStopped else { return [.fail(request, .stopped)] }
    var actions: [Action] = []
    closeExpired(now, &actions)
    if waiting.isEmpty, let connection = idle.popLast() {
      run(request, on: connection, &actions)
    } else if waiting.count - openingCount - max(0, connectionsMaximum - entries.count) < waitingMaximum {
      // Those that a connection is being opened for don't count.
      waiting.append(request)
      open(now, &actions)
    } else {
      actions.append(.fail(request, .overloaded))
    }
    return actions
  }

  /// The connection that `request` ran on was dead: it is gone, and the request gets a new one in its place.
  mutating func retry(_ request: RequestKey, insteadOf connection: ConnectionKey, now: LoopInstant)
    -> [Action]
  {
    guard !isStopped else { return [.fail(request, .stopped)] }
    entries[connection] = nil
    let fresh = insert(.connecting(reservedFor: request), now)
    return [.connect(fresh, for: request)]
  }

  /// The request is not wanted any more. Only for one that is not running; a connection that is being opened
  /// for it will serve others.
  mutating func cancel(_ request: RequestKey) {
    if let index = waiting.firstIndex(of: request) {
      waiting.remove(at: index)
      return
    }
    for (key, entry) in entries {
      guard case .connecting(reservedFor: request) = entry.state else { continue }
      entries[key]?.state = .connecting(reservedFor: nil)
      openingCount += 1
    }
  }

  // MARK: - Connections

  mutating func connected(_ connection: ConnectionKey, now: LoopInstant) -> [Action] {
    guard let entry = entries[connection], case .connecting(let reserved) = entry.state else { return [] }
    entries[connection]?.born = now
    var actions: [Action] = []
    if let reserved {
      run(reserved, on: connection, &actions)
    } else {
      openingCount -= 1
      serveNext(on: connection, now, &actions)
    }
    return actions
  }

  mutating func connectFailed(_ connection: ConnectionKey) -> [Action] {
    guard let entry = entries.removeValue(forKey: connection), case .connecting(let reserved) = entry.state
    else {
      return []
    }
    var failed: [RequestKey] = []
    if let reserved { failed.append(reserved) } else { openingCount -= 1 }
    if entries.isEmpty {
      failed += waiting
      waiting = []
    }
    return failed.map { .fail($0, .connectFailed) }
  }

  /// The request on it has ended, well or not.
  mutating func released(_ connection: ConnectionKey, isReusable: Bool, now: LoopInstant) -> [Action] {
    guard let entry = entries[connection], case .busy = entry.state else { return [] }
    var actions: [Action] = []
    if isReusable, !isStopped, entry.born + lifetime > now {
      serveNext(on: connection, now, &actions)
    } else {
      entries[connection] = nil
      actions.append(.close(connection))
      open(now, &actions)
    }
    return actions
  }

  /// The peer ended an idle connection.
  mutating func closed(_ connection: ConnectionKey) {
    guard let entry = entries[connection], case .idle = entry.state else { return }
    entries[connection] = nil
    idle.removeAll { $0 == connection }
  }

  // MARK: - Time

  /// When to call ``expire(now:)`` next.
  var nextDeadline: LoopInstant? { idle.compactMap(deadline).min() }

  /// Closes the idle connections whose time is over.
  mutating func expire(now: LoopInstant) -> [Action] {
    var actions: [Action] = []
    closeExpired(now, &actions)
    return actions
  }

  /// Fails what waits and closes everything; whoever runs requests ends those.
  mutating func stop() -> [Action] {
    isStopped = true
    var actions = waiting.map { Action.fail($0, .stopped) }
    for (key, entry) in entries {
      if case .connecting(let reserved?) = entry.state { actions.append(.fail(reserved, .stopped)) }
      actions.append(.close(key))
    }
    waiting = []
    idle = []
    entries = [:]
    openingCount = 0
    return actions
  }

  private func deadline(_ connection: ConnectionKey) -> LoopInstant? {
    guard let entry = entries[connection], case .idle(let since) = entry.state else { return nil }
    return min(since + idleTimeout, entry.born + lifetime)
  }

  private mutating func closeExpired(_ now: LoopInstant, _ actions: inout [Action]) {
    let expired = idle.filter { connection in deadline(connection).map { $0 <= now } ?? true }
    guard !expired.isEmpty else { return }
    idle.removeAll { expired.contains($0) }
    for connection in expired {
      entries[connection] = nil
      actions.append(.close(connection))
    }
  }

  // MARK: - Steps

  private mutating func insert(_ state: State, _ now: LoopInstant) -> ConnectionKey {
    defer { nextKey += 1 }
    entries[nextKey] = Entry(state: state, born: now)
    return nextKey
  }

  /// Opens as many connections as the waiting requests need and the limit allows.
  private mutating func open(_ now: LoopInstant, _ actions: inout [Action]) {
    while openingCount < waiting.count, entries.count < connectionsMaximum {
      let request = waiting[openingCount]
      openingCount += 1
      actions.append(.connect(insert(.connecting(reservedFor: nil), now), for: request))
    }
  }

  private mutating func serveNext(on connection: ConnectionKey, _ now: LoopInstant, _ actions: inout [Action])
  {
    guard waiting.isEmpty else { return run(waiting.removeFirst(), on: connection, &actions) }
    entries[connection]?.state = .idle(since: now)
    idle.append(connection)
  }

  private mutating func run(_ request: RequestKey, on connection: ConnectionKey, _ actions: inout [Action]) {
    let isReused = entries[connection]?.hasServed ?? false
    entries[connection]?.state = .busy
    entries[connection]?.hasServed = true
    actions.append(.run(request, on: connection, isReused: isReused))
  }
}
