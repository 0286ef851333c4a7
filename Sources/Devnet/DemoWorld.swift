public import Ethereum
import EventLoop

/// Wallets that hold tokens, trade them among each other, and tokens whose prices move: everything there is
/// to look at without a network. The same seed gives the same world, block for block and tick for tick.
///
/// Ethereum's own coin and its best-known tokens come first, with prices like theirs; made-up tokens follow
/// until there are enough.
public struct DemoWorld: Sendable {
  /// What the wallets hold, as of the first block.
  public var chain: SimulatedChain
  /// By DefiLlama's names: `coingecko:ethereum`, `ethereum:0xa0b8…`.
  public var prices: SimulatedPrices
  /// All tokens but the coin.
  public let tokens: [ListedToken]
  public let wallets: [WalletKey]
  var script: DemoScript

  /// The chain's code and its name at the price source are Ethereum's; its id is that of test networks.
  public static let chainID: UInt64 = 31_337

  /// - Parameters:
  ///   - wallets: how many; the first holds all tokens, each other one about two thirds of them.
  ///   - tokens: how many, the coin among them; at least 1.
  ///   - timestamp: the first block's, in Unix seconds.
  public init(seed: UInt64, wallets: Int, tokens: Int, timestamp: UInt64 = 1_700_000_000) {
    let coins = DemoCoin.list(seed: seed, count: max(1, tokens))
    let owners = (0..<UInt64(max(0, wallets))).map { DemoWorld.address("wallet", seed: seed, index: $0) }
    self.tokens = coins.compactMap(\.listed)
    self.wallets = owners.map { WalletKey(chain: DemoCoin.ethereum.code, address: $0) }
    prices = SimulatedPrices(seed: seed ^ 0x7072_6963_6573)
    for coin in coins { prices[coin.priceName] = coin.priced }
    chain = SimulatedChain(
      SimulatedChain.Configuration(chainID: Self.chainID, seed: seed, firstTimestamp: timestamp))
    script = DemoScript(seed: seed, owners: owners, coins: coins)
    script.populate(&chain)
  }

  static func address(_ kind: StaticString, seed: UInt64, index: UInt64) -> Address {
    var input: [UInt8] = []
    UInt256(0, 0, seed, index).append(to: &input)
    input.append(contentsOf: "walletpush demo \(kind)".utf8)
    let hash = Keccak256.hash(input).bytes
    return Address(bytes: hash.span, at: 12) ?? .zero
  }

  /// The chain for the settings of a server that is to show this world.
  public func chain(rpcURL: String, blockTime: Duration = .seconds(2)) -> Chain {
    var chain = DemoCoin.ethereum
    chain.name = "Ethereum (demo)"
    chain.chainID = Self.chainID
    chain.rpc = [rpcURL]
    chain.blockTime = blockTime
    chain.chainlinkFeeds = []
    chain.tokens = tokens
    return chain
  }

  /// Closes a block in which a few tokens changed hands.
  /// - Parameter timestamp: the block's, in Unix seconds; nil is two seconds after its parent's.
  @discardableResult
  public mutating func step(timestamp: UInt64? = nil) -> BlockHeader {
    script.step(&chain, timestamp: timestamp)
  }

  /// Moves all prices.
  public mutating func tick() { prices.tick() }

  /// Moves all prices and says what they are: the coin first, then the tokens in their order.
  public mutating func nextPriceTick() -> [PriceTick] {
    prices.tick()
    return priceTicks
  }

  /// What prices are now, in the same order.
  public var priceTicks: [PriceTick] { script.priceTicks(prices) }

  /// Puts this world into a server, in place of what is there, and lets it move by itself from now on: a
  /// block every `stepEvery`, and so many moves of all prices a second (0: none).
  public func start(
    on server: DevnetServer, stepEvery: Duration = .seconds(2), ticksPerSecond: Double = 1
  ) async throws {
    try await server.onHost { $0.run(self, stepEvery: stepEvery, ticksPerSecond: ticksPerSecond) }
  }
}

extension DevnetServer {
  /// A server that shows a world, which does not move before
  /// ``DemoWorld/start(on:stepEvery:ticksPerSecond:)``.
  public convenience init(_ world: DemoWorld) throws(SystemError) {
    try self.init(chain: world.chain, prices: world.prices)
  }

  /// Closes a block of the world that was started, besides those that come by themselves.
  public func step() async throws { try await onHost { $0.step() } }

  /// Moves all prices so many times, besides the ticks that come by themselves, and says what they are then; empty
  /// where no world was started.
  @discardableResult
  public func tickPrices(times: Int = 1) async throws -> [PriceTick] {
    try await onHost { $0.tickPrices(times: times) }
  }
}

/// A coin's price at one moment, in the texts that clients see.
public struct PriceTick: Sendable, Hashable {
  /// The contract; nil is the chain's coin.
  public let contract: Address?
  /// Dollars, an exact decimal: `2412.3`.
  public let price: String
  /// Percent since 24 hours ago, two places: `-1.20`.
  public let change: String
  /// The same in hundredths of a percent.
  public let changeHundredths: Int64
}
