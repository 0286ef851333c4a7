import Devnet
import Ethereum
import EventLoop
import Ledger
import Logging
import Synchronization
import Upstream

@testable import Pricing

/// A simulated price source, a ledger, and what a pipeline between them needs.
final class Fixture: Sendable {
  let node: DevnetServer
  let ledger: Ledger
  let client: HTTPClient
  let recorder = Recorder()
  private let loops: EventLoopGroup
  private let resolver: Resolver

  /// 2.50 $, up from 2.00 $.
  static func coin() throws -> SimulatedPrices.Coin {
    guard let price = SimulatedPrices.Price("2.50") else { throw FixtureError.badPrice }
    return SimulatedPrices.Coin(symbol: "C", decimals: 18, price: price, dayAgoTicks: 200)
  }

  init() async throws {
    node = try DevnetServer(
      chain: SimulatedChain(.init()), prices: SimulatedPrices(seed: 1))
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    loops = try EventLoopGroup(count: 1, name: "client", configuration: configuration)
    resolver = try Resolver(threads: 1, queueMaximum: 100)
    client = HTTPClient(
      loops: loops, resolver: resolver, configuration: .standard(userAgent: "test", security: nil),
      logger: .quiet)
    try loops.start()
    ledger = Ledger(
      epoch: "test", revision: 0, chains: Set(ChainRegistry.chains.map(\.code)), publisher: recorder,
      store: MemoryStore(), limits: LedgerLimits(wallets: 10_000, tokens: 10_000, tokensPerWallet: 5_000),
      times: LedgerTimes(balance: 300_000, price: 60_000), clock: { Fixture.now })
  }

  static let now: UnixMilliseconds = 1_900_000_000_000

  func stop() async {
    await client.shutdown()
    loops.stop()
    loops.join()
    resolver.stop()
    node.stop()
  }

  func defiLlama(base: String? = nil) throws -> DefiLlama {
    DefiLlama(
      base: try HTTPURL(base ?? node.pricesURL), client: client, chains: ChainRegistry.chains,
      requestsPerMinute: 100_000, timeout: .seconds(20))
  }

  func coinGecko(key: String = "", base: String? = nil, requestsPerMinute: Int = 100_000) throws -> CoinGecko
  {
    CoinGecko(
      base: try HTTPURL(base ?? node.pricesURL), key: key, client: client, chains: ChainRegistry.chains,
      requestsPerMinute: requestsPerMinute, timeout: .seconds(20))
  }

  /// A pipeline that does nothing by itself.
  ///
  /// - Parameter maximumAge: of a price; as it is, the test's clock does not matter.
  func pipeline(
    _ sources: any PriceSource..., interval: Duration = .milliseconds(50),
    maximumAge: Duration = .milliseconds(Fixture.now)
  ) async throws -> PricePipeline {
    let pipeline = PricePipeline(
      ledger: ledger, sources: sources.isEmpty ? [try defiLlama()] : sources,
      settings: PricingSettings(interval: interval, maximumAge: maximumAge),
      clock: { Fixture.now }, logger: .quiet)
    await ledger.observe(with: pipeline)
    return pipeline
  }

  /// Subscribes to tokens by name, as an event loop would.
  func watch(_ keys: [String]) async throws {
    let keys = try keys.map { try TokenKey(parsing: $0) }
    let reply = recorder.replies
    ledger.inbox.post(.watch(WatchRequest(shard: 0, ticket: 1, wallets: [], tokens: keys)))
    while recorder.replies == reply { await Task.yield() }
  }

  func unwatch(_ key: String) async throws {
    guard let id = await ledger.tokenID(of: try TokenKey(parsing: key)) else { return }
    ledger.inbox.post(.unwatch(shard: 0, wallets: [], tokens: [id]))
    while await ledger.watchedTokens().contains(where: { $0.id == id }) { await Task.yield() }
  }

  func setPrice(_ coin: String, _ text: String) async throws {
    try await node.withPrices { prices in
      if prices[coin] == nil { prices[coin] = try Fixture.coin() }
      prices.setPrice(coin, text)
    }
  }

  /// `2.5 25.00 fresh`
  func price(_ key: String) async throws -> String {
    guard let id = await ledger.tokenID(of: try TokenKey(parsing: key)) else { return "no token" }
    let cell = await ledger.priceCell(id)
    return "\(cell.price?.plainText ?? "-") \(cell.change?.text ?? "-") \(cell.state)"
  }
}

enum FixtureError: Error { case badPrice }

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

extension Logger {
  static var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }
}

/// What the ledger publishes: statuses and prices as text.
final class Recorder: LedgerPublisher {
  private let seen = Mutex<[String]>([])
  private let replyCount = Mutex(0)

  func publish(_ batch: LedgerBatch) {
    let statuses = batch.statuses.map {
      String(decoding: $0.json, as: UTF8.self) + ($0.isAbnormal ? "!" : "")
    }
    seen.withLock { $0 += statuses }
  }

  func deliver(_ reply: WatchReply, toShard shard: Int) { replyCount.withLock { $0 += 1 } }

  var statuses: [String] { seen.withLock { $0 } }
  var replies: Int { replyCount.withLock { $0 } }
}

struct MemoryStore: WalletStore {
  func insert(_ wallets: [(id: WalletID, key: WalletKey)]) async throws {}
  func delete(_ wallet: WalletID) async throws {}
  func setVisible(_ isVisible: Bool, wallet: WalletID, token: TokenID) async throws {}
}

extension Address {
  static func numbered(_ number: UInt64) -> Address {
    Address(word: UInt256(0, 0, 0xAB_0000_0000, number)) ?? .zero
  }
}

/// A source that says what a test tells it to, and notes what it is asked.
final class ScriptedSource: PriceSource {
  typealias Script = @Sendable (_ batch: [CoinName], _ number: Int) async -> Result<Quotes, PriceSourceError>

  let name: String
  let requestsPerMinute: Int
  let requestsPerBatch = 1
  private let asked = Mutex<[[CoinName]]>([])
  private let batchSize: Int
  private let script: Script

  init(
    _ name: String = "scripted", batchSize: Int = 100, requestsPerMinute: Int = 1_000_000,
    _ script: @escaping Script
  ) {
    self.name = name
    self.requestsPerMinute = requestsPerMinute
    self.batchSize = batchSize
    self.script = script
  }

  var requests: [[CoinName]] { asked.withLock { $0 } }

  func coin(for token: Token) -> CoinName? { token.key.description.lowercased() }

  func batches(_ coins: [CoinName]) -> [[CoinName]] {
    stride(from: 0, to: coins.count, by: batchSize).map {
      Array(coins[$0..<min($0 + batchSize, coins.count)])
    }
  }

  func quotes(for batch: [CoinName], now: UnixMilliseconds) async throws(PriceSourceError) -> Quotes {
    let number = asked.withLock { asked in
      asked.append(batch)
      return asked.count
    }
    return try await script(batch, number).get()
  }

  /// All coins at one price.
  static func quotes(
    _ batch: [CoinName], _ price: String, change: Int64? = nil, time: UnixMilliseconds = 1_000
  ) -> Quotes {
    var quotes = Quotes()
    guard let price = ExactDecimal(parsing: price) else { return quotes }
    for coin in batch {
      quotes.quotes[coin] = Quote(price: price, change: change.map { Hundredths(value: $0) }, time: time)
    }
    return quotes
  }
}
