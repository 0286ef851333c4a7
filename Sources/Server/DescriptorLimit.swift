import Glibc

/// How many descriptors the process may have open (RLIMIT_NOFILE): one for each connection, and some beside.
enum DescriptorLimit {
  /// The database, the listeners, connections to chains and price sources.
  static let reserve = 1_024

  /// Raises the soft limit, as far as the hard one allows, to what so many connections need.
  /// - Returns: a warning when that is not enough.
  static func raise(for connections: Int) -> String? {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return nil }
    let wanted = rlim_t(connections + reserve)
    guard limit.rlim_cur < wanted else { return nil }
    limit.rlim_cur = min(wanted, limit.rlim_max)
    _ = setrlimit(resource, &limit)
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < wanted else { return nil }
    return
      "limits.connections: \(connections) need \(wanted) descriptors, the system allows \(limit.rlim_cur) (ulimit -n);"
      + " what comes above is refused without an answer"
  }
}
