import EventLoop

/// The HTTP connections of one loop, so that those at rest can be ended when the server drains. For its loop alone.
final class HTTPSessions: @unchecked Sendable {
  private var open: [ConnectionID: HTTPSession] = [:]

  func add(_ session: HTTPSession, _ id: ConnectionID) { open[id] = session }
  func remove(_ id: ConnectionID) { open[id] = nil }

  /// Ends those between two requests; the others end with their answer.
  func closeIdle() {
    for session in Array(open.values) { session.closeIfIdle() }
  }
}
