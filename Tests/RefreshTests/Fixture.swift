import Devnet
import Ethereum
import EventLoop
import Ledger
import Logging
import Synchronization
import Upstream

@testable import Refresh

/// A simulated chain behind one or more endpoints, a ledger, and a service that reads from one into the other.
final class Fixture: Sendable {
  let nodes: [DevnetServer]
  /// Of the second chain.
  let secondNode: DevnetServer?
  let ledger: Ledger
  let service: RefreshService
  let client: HTTPClient
  let recorder = Recorder()
  let clock = ManualClock()
  let cache: MemoryCache
  let chain: Chain
  private let loops: EventLoopGroup
  private let resolver: Resolver

  static let owner = Address(high: 0x1111_1111_1111_1111, middle: 2, low: 3)
  var node: DevnetServer { nodes[0] }
  var key: WalletKey { WalletKey(chain: chain.code, address: Self.owner) }

  /// - Parameters:
  ///   - tokens: listed plain tokens; the owner holds `index` of each.
  ///   - empty: listed tokens behind them of which nobody has any.
  ///   - hasMetadata: whether the list tells it.
  init(
    tokens: Int = 5, empty: Int = 0, nodes: Int = 1, chain: Chain? = nil, hasMetadata: Bool = true,
    hasArbSys: Bool = false,
    timeout: Duration = .seconds(20), rules: EndpointRules = .quick, second: Chain? = nil,
    follow: FollowSettings? = nil, staleHead: Duration? = nil,
    configure: (inout RefreshSettings) -> Void = { _ in }
  ) async throws {
    let chain = try chain ?? .test()
    self.chain = chain
    var simulated = SimulatedChain(
      .init(chainID: chain.chainID, multicall3: chain.multicall3, hasArbSys: hasArbSys))
    simulated.setNative(Self.owner, to: 1_000_000)
    for index in 0..<tokens + empty {
      let token = Address.numbered(UInt64(index + 1))
      simulated.deploy(SimulatedContract(name: "Token \(index)", symbol: "T\(index)", decimals: 6), at: token)
      guard index < tokens else { continue }
      try simulated.mint(token, to: Self.owner, amount: UInt256(UInt64(index)))
    }
    secondNode = try second.map {
      try DevnetServer(
        chain: SimulatedChain(.init(chainID: $0.chainID, seed: 2, multicall3: $0.multicall3)),
        prices: SimulatedPrices(seed: 1))
    }
    self.nodes = try (0..<nodes).map { _ in
      try DevnetServer(chain: simulated, prices: SimulatedPrices(seed: 1))
    }
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    loops = try EventLoopGroup(count: 1, name: "client", configuration: configuration)
    resolver = try Resolver(threads: 1, queueMaximum: 100)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    client = HTTPClient(
      loops: loops, resolver: resolver, configuration: .standard(userAgent: "test", security: nil),
      logger: logger)
    try loops.start()
    let clock = clock
    ledger = Ledger(
      epoch: "test", revision: 0, chains: Set([chain.code, second?.code].compactMap(\.self)),
      publisher: recorder, store: MemoryStore(),
      limits: LedgerLimits(wallets: 10_000, tokens: 10_000, tokensPerWallet: 5_000),
      times: LedgerTimes(balance: 300_000, price: 60_000), clock: { clock.now })
    await ledger.applyList(
      [(.native(chain.code), TokenInfo(symbol: "ETH", name: "Ether", decimals: 18, isListed: true))]
        + (0..<tokens + empty).map { index in
          (
            TokenKey(chain: chain.code, contract: .numbered(UInt64(index + 1))),
            hasMetadata
              ? TokenInfo(symbol: "T\(index)", name: "Token \(index)", decimals: 6, isListed: true)
              : TokenInfo(isListed: true)
          )
        })
    var settings = RefreshSettings(cooldown: .seconds(10), balanceTTL: .seconds(300))
    settings.retryMinimum = .milliseconds(20)
    settings.retryMaximum = .milliseconds(50)
    configure(&settings)
    cache = MemoryCache(maximumBytes: 1 << 24, idle: settings.balanceTTL * 2)
    var chainSettings = ChainSettings(
      chain: chain, endpoints: try self.nodes.map { try HTTPURL($0.rpcURL) }, timeout: timeout,
      rules: rules)
    chainSettings.follow = follow
    chainSettings.staleHead = staleHead
    var chains = [chainSettings]
    if let second, let secondNode {
      chains.append(
        ChainSettings(
          chain: second, endpoints: [try HTTPURL(secondNode.rpcURL)], timeout: timeout, rules: rules))
      chains[1].follow = follow
    }
    service = RefreshService(
      ledger: ledger, chains: chains, client: client, settings: settings, cache: cache, clock: { clock.now },
      logger: logger)
    await ledger.observe(with: service)
  }

  func stop() async {
    await service.stop()
    await client.shutdown()
    loops.stop()
    loops.join()
    resolver.stop()
    for node in nodes { node.stop() }
    secondNode?.stop()
  }

  /// Changes the chain of all nodes, in a block of its own.
  func mine(_ change: @escaping @Sendable (inout SimulatedChain) throws -> Void) async throws {
    for node in nodes {
      try await node.withChain { chain in
        try change(&chain)
        chain.mine()
      }
    }
  }

  func register(_ key: WalletKey? = nil) async throws -> WalletID {
    try await ledger.register([key ?? self.key])[0].get().id
  }

  /// Watches as an event loop would.
  func watch(_ keys: [WalletKey]) {
    ledger.inbox.post(.watch(WatchRequest(shard: 0, ticket: 1, wallets: keys, tokens: [])))
  }

  /// Returns when the newest block of the first node was looked at. One that is announced more often than it is met
  /// would be looked for when the test goes on.
  func pass() async throws {
    let head = try await node.withChain { $0.head }
    guard let follower = await service.followers[chain.code], await follower.track.held != head else {
      return
    }
    follower.headAnnounced()
    try await until { await follower.track.held == head }
  }

  /// Returns when each of the wallets was read and is followed from that read on.
  func untilFollowed(_ wallets: [WalletID]) async throws {
    for wallet in wallets {
      try await until { await service.followers[chain.code]?.continuity(of: wallet) != nil }
    }
  }

  /// `eth_call`s of all nodes.
  var calls: Int {
    get async throws {
      var calls = 0
      for node in nodes { calls += try await node.chainStatistics.methods["eth_call", default: 0] }
      return calls
    }
  }

  /// The rows of a wallet: `native=1000000 0x…01=25 0x…02=?` with `!` behind what is not fresh.
  func rows(_ wallet: WalletID) async -> [String] {
    guard let cells = await ledger.wallet(wallet) else { return [] }
    var rows: [String] = []
    for row in cells.rows {
      guard let token = await ledger.token(row.token) else { continue }
      let name = token.key.contract.map { "\($0.number)" } ?? "native"
      rows.append(
        "\(name)=\(row.isKnown ? row.balance.decimal : "?")\(row.state == .fresh ? "" : " \(row.state)")")
    }
    return rows
  }
}

extension EndpointRules {
  /// Short rests, no budget that a test could feel, and no second request because a machine is slow: where one is
  /// meant, the test says so.
  static var quick: EndpointRules {
    var rules = EndpointRules()
    rules.restMinimum = .milliseconds(20)
    rules.restMaximum = .milliseconds(100)
    rules.requestsPerSecond = 100_000
    rules.hedgeMinimum = .seconds(600)
    rules.patience = .seconds(20)
    return rules
  }
}

extension FollowSettings {
  static var quick: FollowSettings {
    var settings = FollowSettings(poll: .milliseconds(30))
    settings.minimumInterval = .milliseconds(10)
    return settings
  }
}

/// Waits for what comes from a task of somebody else's; a suite's time limit ends it.
func until(_ condition: () async throws -> Bool) async throws {
  while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
}

/// Runs a test with a fixture that is gone afterwards.
func withFixture(_ fixture: Fixture, _ body: (Fixture) async throws -> Void) async throws {
  do {
    try await body(fixture)
  } catch {
    await fixture.stop()
    throw error
  }
  await fixture.stop()
}

final class ManualClock: Sendable {
  private let time = Mutex<UnixMilliseconds>(1_800_000_000_000)
  var now: UnixMilliseconds { time.withLock { $0 } }
  func advance(by duration: Duration) { time.withLock { $0 += duration.inMilliseconds } }
}

/// What the ledger publishes: statuses as text, snapshots by wallet.
final class Recorder: LedgerPublisher {
  private let seen = Mutex<[String]>([])
  private let stream: AsyncStream<String>
  private let sink: AsyncStream<String>.Continuation

  init() { (stream, sink) = AsyncStream.makeStream() }

  func publish(_ batch: LedgerBatch) {
    for status in batch.statuses {
      note(String(decoding: status.json, as: UTF8.self) + (status.isAbnormal ? "!" : ""))
    }
    for wallet in batch.snapshots { note("snapshot \(wallet)") }
  }

  func deliver(_ reply: WatchReply, toShard shard: Int) { note("reply \(reply.ticket)") }

  private func note(_ event: String) {
    seen.withLock { $0.append(event) }
    sink.yield(event)
  }

  var events: [String] { seen.withLock { $0 } }

  /// Returns when an event that holds `text` has come: one later than those waited for before. One caller at a time.
  @discardableResult
  func wait(for text: String) async -> String {
    for await event in stream where event.contains(text) { return event }
    return ""
  }
}

struct MemoryStore: WalletStore {
  func insert(_ wallets: [(id: WalletID, key: WalletKey)]) async throws {}
  func delete(_ wallet: WalletID) async throws {}
  func setVisible(_ isVisible: Bool, wallet: WalletID, token: TokenID) async throws {}
}

extension Chain {
  static func test(_ id: UInt64 = 31_337) throws -> Chain {
    Chain(unlisted: try ChainCode(parsing: "TEST"), chainID: id, rpc: [])
  }
}

extension Address {
  static func numbered(_ number: UInt64) -> Address {
    Address(word: UInt256(0, 0, 0xAB_0000_0000, number)) ?? .zero
  }
  var number: UInt64 { word.w0 }
}

/// What one call of an aggregate came to, and the answer of all of them.
enum Returned: Sendable {
  case success([UInt8])
  case failure([UInt8])

  static func word(_ value: UInt64) -> Returned { .success(UInt256(value).bigEndianBytes) }

  static func text(_ text: String) -> Returned {
    let padding = Array(repeating: 0 as UInt8, count: (32 - text.utf8.count % 32) % 32)
    return .success(
      UInt256(32).bigEndianBytes + UInt256(UInt64(text.utf8.count)).bigEndianBytes + Array(text.utf8)
        + padding)
  }

  static func aggregate(_ results: [Returned]) -> [UInt8] {
    var heads = UInt256(32).bigEndianBytes + UInt256(UInt64(results.count)).bigEndianBytes
    var tails: [UInt8] = []
    for result in results {
      heads += UInt256(UInt64(results.count * 32 + tails.count)).bigEndianBytes
      let (success, data): (UInt64, [UInt8]) =
        switch result {
        case .success(let data): (1, data)
        case .failure(let data): (0, data)
        }
      tails += UInt256(success).bigEndianBytes + UInt256(64).bigEndianBytes
      tails += UInt256(UInt64(data.count)).bigEndianBytes + data
      tails += Array(repeating: 0, count: (32 - data.count % 32) % 32)
    }
    return heads + tails
  }
}
