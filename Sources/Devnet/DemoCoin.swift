import Ethereum

/// One of a demo world's coins: what it is called and what it is worth to begin with.
struct DemoCoin: Sendable {
  /// nil is the chain's own coin.
  let listed: ListedToken?
  let decimals: Int
  let priceName: String
  let priced: SimulatedPrices.Coin

  var contract: Address? { listed?.address }

  /// The chain whose coin and tokens come first.
  static let ethereum =
    ChainRegistry.chain(ChainRegistry.demoCode)
    ?? Chain(
      unlisted: ChainRegistry.demoCode, chainID: DemoWorld.chainID, rpc: [])

  private static let slug = ethereum.defiLlamaSlug ?? "ethereum"
  private static let nativeName = "coingecko:\(ethereum.nativeCoin.coinGeckoID ?? "ethereum")"

  /// Seven digits of the usual price of what everybody knows.
  private static let knownPrices: [String: String] = [
    "ETH": "3412.350", "WBTC": "96420.10", "LINK": "18.42310", "UNI": "9.812400", "AAVE": "284.1200",
    "LDO": "1.731200", "SHIB": "0.00002214300", "PEPE": "0.00001763200", "MKR": "1642.310",
    "CRV": "0.8421000",
  ]
  private static let stablecoins: Set<String> = ["USDC", "USDT", "DAI", "USDe"]
  /// Millionths of the chain's coin.
  private static let pegs: [String: UInt64] = ["WETH": 1_000_000, "stETH": 999_600, "wstETH": 1_191_300]

  static func list(seed: UInt64, count: Int) -> [DemoCoin] {
    var generator = SplitMix64(seed: seed ^ 0x636F_696E_73)
    let coin = ethereum.nativeCoin
    let native = priced(coin.symbol, decimals: nil, &generator)
    var coins = [DemoCoin(listed: nil, decimals: coin.decimals, priceName: nativeName, priced: native)]
    for token in ethereum.tokens.prefix(count - 1) { coins.append(make(token, native, &generator)) }
    while coins.count < count {
      let index = coins.count
      let token = ListedToken(
        address: DemoWorld.address("token", seed: seed, index: UInt64(index)), symbol: "T\(index)",
        name: "Token \(index)", decimals: generator.chance(1, in: 4) ? 6 + 2 * generator.index(2) : 18)
      coins.append(make(token, native, &generator))
    }
    return coins
  }

  private static func make(
    _ token: ListedToken, _ native: SimulatedPrices.Coin, _ generator: inout SplitMix64
  ) -> DemoCoin {
    var priced = priced(token.symbol, decimals: token.decimals, &generator)
    if case .pegged(_, let millionths) = priced.movement { priced.follow(native, millionths) }
    return DemoCoin(
      listed: token, decimals: token.decimals, priceName: SimulatedPrices.name(slug: slug, token.address),
      priced: priced)
  }

  private static func priced(
    _ symbol: String, decimals: Int?, _ generator: inout SplitMix64
  ) -> SimulatedPrices.Coin {
    var coin = SimulatedPrices.Coin(
      symbol: symbol, decimals: decimals, price: startPrice(symbol, &generator), movement: movement(symbol))
    // The day so far: ±6 %, a stablecoin's ±0.05 %.
    let spread: Int64 = stablecoins.contains(symbol) ? 500 : 60_000
    let day = 1_000_000 + generator.signed(spread)
    coin.dayAgoTicks = UInt64(clamping: Int128(coin.price.ticks) * 1_000_000 / Int128(day))
    return coin
  }

  private static func movement(_ symbol: String) -> SimulatedPrices.Movement {
    if let millionths = pegs[symbol] { return .pegged(to: nativeName, millionths: millionths) }
    return stablecoins.contains(symbol) ? .walk(step: 60, band: 1_500) : .walk(step: 3_000, band: 200_000)
  }

  /// Of a made-up token: seven digits, and as likely below a cent as above a hundred dollars.
  private static func startPrice(_ symbol: String, _ generator: inout SplitMix64) -> SimulatedPrices.Price {
    if let known = knownPrices[symbol].flatMap({ SimulatedPrices.Price($0) }) { return known }
    if stablecoins.contains(symbol) || pegs[symbol] != nil {
      return SimulatedPrices.Price(ticks: UInt64(1_000_000 + generator.signed(300)), scale: 6)
    }
    return SimulatedPrices.Price(ticks: 1_000_000 + generator.below(9_000_000), scale: 4 + generator.index(7))
  }
}

extension ChainRegistry {
  /// The first of the registry, which is Ethereum.
  static var demoCode: ChainCode { chains[0].code }
}
