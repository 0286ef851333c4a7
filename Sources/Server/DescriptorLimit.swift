import EventLoop

/// How many descriptors the process may have open (RLIMIT_NOFILE): one for each connection, and some beside.
enum DescriptorLimit {
  /// The database, the listeners, connections to chains and price sources.
  static let reserve = 1_024

  /// Raises the soft limit, as far as the hard one allows, to what so many connections need.
  /// - Returns: a warning when that is not enough.
  static func raise(for connections: Int) -> String? {
    let wanted = UInt64(connections + reserve)
    guard let allowed = EventLoopGroup.raiseDescriptorLimit(to: wanted), allowed < wanted else { return nil }
    return
      "limits.connections: \(connections) need \(wanted) descriptors, the system allows \(allowed) (ulimit -n);"
      + " what comes above is refused without an answer"
  }
}
