import Ethereum
public import EventLoop
import HTTP1

/// A simulated chain and a simulated price source behind real sockets on 127.0.0.1: JSON-RPC as geth speaks
/// it, and DefiLlama's and CoinGecko's APIs, each service on a port of its own.
///
/// All of it may be used from any thread; what changes the simulation runs on its loop.
public final class DevnetServer: Sendable {
  /// Where the node listens: `http://127.0.0.1:4711`.
  public let rpcURL: String
  /// Where the price source listens.
  public let pricesURL: String
  public let loop: EventLoop
  private let ownsLoop: Bool
  private let host: DevnetHost

  /// On a loop that is someone else's: call it on that loop, or before it starts.
  /// - Parameters:
  ///   - bodyBytes: the longest request the node takes.
  ///   - targetBytes: the longest address the price source takes; what is longer is answered 414.
  public convenience init(
    chain: SimulatedChain, prices: SimulatedPrices, loop: EventLoop, bodyBytes: Int = 8 << 20,
    targetBytes: Int = 13_500
  ) throws(SystemError) {
    try self.init(
      DevnetHost(loop: loop, chain: chain, prices: prices, targetBytes: targetBytes), ownsLoop: false,
      bodyBytes: bodyBytes)
  }

  /// On a loop of its own, which is started.
  public convenience init(
    chain: SimulatedChain, prices: SimulatedPrices, bodyBytes: Int = 8 << 20, targetBytes: Int = 13_500
  ) throws(SystemError) {
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    let loop = try EventLoop(name: "devnet", configuration: configuration)
    try self.init(
      DevnetHost(loop: loop, chain: chain, prices: prices, targetBytes: targetBytes), ownsLoop: true,
      bodyBytes: bodyBytes)
    try loop.start()
  }

  private init(_ host: DevnetHost, ownsLoop: Bool, bodyBytes: Int) throws(SystemError) {
    self.host = host
    self.ownsLoop = ownsLoop
    loop = host.loop
    (rpcURL, pricesURL) = try host.listen(bodyBytes: bodyBytes)
  }

  deinit { stop() }

  /// Closes listeners and connections; a loop of its own ends too. Not from that loop.
  public func stop() {
    let host = host
    if loop.isCurrent { host.stop() } else { loop.post { host.stop() } }
    guard ownsLoop else { return }
    loop.stop()
    if !loop.isCurrent { loop.join() }
  }

  // MARK: - The simulation

  /// Reads or changes the chain. What requests that come later see.
  @discardableResult
  public func withChain<Value: Sendable>(
    _ body: @escaping @Sendable (inout SimulatedChain) throws -> Value
  ) async throws -> Value {
    let host = host
    return try await loop.perform { try body(&host.chain) }
  }

  /// Reads or changes the prices.
  @discardableResult
  public func withPrices<Value: Sendable>(
    _ body: @escaping @Sendable (inout SimulatedPrices) throws -> Value
  ) async throws -> Value {
    let host = host
    return try await loop.perform { try body(&host.prices) }
  }

  // MARK: - Misbehaviour

  /// What the node does wrong from now on; nil ends it.
  /// - Parameter requests: for so many requests; nil is for ever.
  public func setChainFault(_ fault: Fault?, requests: Int? = nil) async throws {
    try await onHost { $0.chainFault.set(fault, requests: requests) }
  }

  /// What the price source does wrong from now on; nil ends it.
  /// - Parameter requests: for so many requests; nil is for ever.
  public func setPriceFault(_ fault: Fault?, requests: Int? = nil) async throws {
    try await onHost { $0.priceFault.set(fault, requests: requests) }
  }

  /// How long the node's answers are under way. They tell what was so when the question came.
  public func setChainLatency(_ latency: Duration) async throws {
    try await onHost { $0.chainLatency = latency }
  }

  /// How long the price source's answers are under way.
  public func setPriceLatency(_ latency: Duration) async throws {
    try await onHost { $0.priceLatency = latency }
  }

  // MARK: - Statistics

  public var chainStatistics: RPCStatistics {
    get async throws { try await onHost { $0.node.statistics } }
  }

  public var priceStatistics: PriceStatistics {
    get async throws { try await onHost { $0.priceService.statistics } }
  }

  /// Forgets what was counted.
  public func resetStatistics() async throws { try await onHost { $0.resetStatistics() } }

  func onHost<Value: Sendable>(
    _ body: @escaping @Sendable (DevnetHost) throws -> Value
  ) async throws -> Value {
    let host = host
    return try await loop.perform { try body(host) }
  }
}
