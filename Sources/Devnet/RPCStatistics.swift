/// What a simulated node was asked.
public struct RPCStatistics: Sendable, Equatable {
  /// HTTP requests: a batch is one. Those that met a fault too.
  public var requests = 0
  public var batches = 0
  /// By method; those that are not known are `other`.
  public var methods: [String: Int] = [:]
  /// Calls that Multicall3 made within `eth_call`s.
  public var subcalls = 0

  public init() {}
}
