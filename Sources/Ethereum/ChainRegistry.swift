/// The chains known without configuration.
public enum ChainRegistry {
  /// In the order in which they are shown.
  public static let chains: [Chain] = [
    ethereum, bsc, polygon, arbitrum, optimism, avalanche, base, zkSync, linea, manta, fantom, cronos,
  ]

  private static let byCode = Dictionary(uniqueKeysWithValues: chains.map { ($0.code, $0) })
  private static let byID = Dictionary(uniqueKeysWithValues: chains.map { ($0.chainID, $0) })

  public static func chain(_ code: ChainCode) -> Chain? { byCode[code] }

  /// A test network may be run under another chain's id: this is only for numbers from outside, as in token
  /// lists.
  public static func chain(id: UInt64) -> Chain? { byID[id] }
}

extension ChainRegistry {
  static let ethereum = Chain(
    code: code("ETH"), name: "Ethereum", chainID: 1,
    nativeCoin: NativeCoin(symbol: "ETH", name: "Ether", coinGeckoID: "ethereum"),
    defiLlamaSlug: "ethereum", coinGeckoPlatform: "ethereum",
    rpc: [
      "https://ethereum-rpc.publicnode.com",
      "https://eth.drpc.org",
      "https://ethereum.reth.rs/rpc",
    ],
    blockTime: .seconds(12),
    chainlinkFeeds: [
      feed("ETH", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419"),
      feed("BTC", "0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c"),
      feed("USDC", "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6"),
      feed("USDT", "0x3E7d1eAB13ad0104d2750B8863b489D65364e32D"),
      feed("DAI", "0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9"),
      feed("LINK", "0x2c1d072e956AFFC0D435Cb7AC38EF18d24d9127c"),
      feed("UNI", "0x553303d460EE0afB37EdFf9bE42922D8FF63220e"),
    ],
    tokens: ethereumTokens)

  static let bsc = Chain(
    code: code("BSC"), name: "BNB Smart Chain", chainID: 56,
    nativeCoin: NativeCoin(symbol: "BNB", name: "BNB", coinGeckoID: "binancecoin"),
    defiLlamaSlug: "bsc", coinGeckoPlatform: "binance-smart-chain",
    rpc: [
      "https://bsc-dataseed.bnbchain.org",
      "https://bsc-rpc.publicnode.com",
      "https://bsc.drpc.org",
    ],
    blockTime: .milliseconds(750),
    chainlinkFeeds: [
      feed("BNB", "0x0567F2323251f0Aab15c8dFb1967E4e8A7D42aeE")
    ],
    tokens: bscTokens)

  static let polygon = Chain(
    code: code("MATIC"), name: "Polygon PoS", chainID: 137,
    nativeCoin: NativeCoin(symbol: "POL", name: "POL", coinGeckoID: "polygon-ecosystem-token"),
    defiLlamaSlug: "polygon", coinGeckoPlatform: "polygon-pos",
    rpc: [
      "https://polygon-bor-rpc.publicnode.com",
      "https://polygon.drpc.org",
      "https://polygon-rpc.com",
    ],
    blockTime: .seconds(2),
    nativeAliases: [address("0x0000000000000000000000000000000000001010")],
    chainlinkFeeds: [
      // Named after the coin before POL took its place, one for one.
      feed("MATIC", "0xAB594600376Ec9fD91F8e885dADF0CE036862dE0"),
      feed("ETH", "0xF9680D99D6C9589e2a93a78A04A279e509205945"),
    ],
    tokens: polygonTokens)

  static let arbitrum = Chain(
    code: code("ARB"), name: "Arbitrum One", chainID: 42_161,
    nativeCoin: NativeCoin(symbol: "ETH", name: "Ether", coinGeckoID: "ethereum"),
    defiLlamaSlug: "arbitrum", coinGeckoPlatform: "arbitrum-one",
    rpc: [
      "https://arb1.arbitrum.io/rpc",
      "https://arbitrum-one-rpc.publicnode.com",
      "https://arbitrum.drpc.org",
    ],
    blockTime: .milliseconds(250), quirks: .blockNumberFromArbSys, tokens: arbitrumTokens)

  static let optimism = Chain(
    code: code("OP"), name: "OP Mainnet", chainID: 10,
    nativeCoin: NativeCoin(symbol: "ETH", name: "Ether", coinGeckoID: "ethereum"),
    defiLlamaSlug: "optimism", coinGeckoPlatform: "optimistic-ethereum",
    rpc: [
      "https://mainnet.optimism.io",
      "https://optimism-rpc.publicnode.com",
      "https://optimism.drpc.org",
    ],
    blockTime: .seconds(2), tokens: optimismTokens)

  static let avalanche = Chain(
    code: code("AVAX"), name: "Avalanche C-Chain", chainID: 43_114,
    nativeCoin: NativeCoin(symbol: "AVAX", name: "Avalanche", coinGeckoID: "avalanche-2"),
    defiLlamaSlug: "avax", coinGeckoPlatform: "avalanche",
    rpc: [
      "https://api.avax.network/ext/bc/C/rpc",
      "https://avalanche-c-chain-rpc.publicnode.com",
      "https://avalanche.drpc.org",
    ],
    blockTime: .milliseconds(1700), tokens: avalancheTokens)

  static let base = Chain(
    code: code("BASE"), name: "Base", chainID: 8453,
    nativeCoin: NativeCoin(symbol: "ETH", name: "Ether", coinGeckoID: "ethereum"),
    defiLlamaSlug: "base", coinGeckoPlatform: "base",
    rpc: [
      "https://mainnet.base.org",
      "https://base-rpc.publicnode.com",
      "https://base.drpc.org",
    ],
    blockTime: .seconds(2), tokens: baseTokens)

  static let zkSync = Chain(
    code: code("ZKSYNC"), name: "ZKsync Era", chainID: 324,
    nativeCoin: NativeCoin(symbol: "ETH", name: "Ether", coinGeckoID: "ethereum"),
    // Not at the usual address: the chain derives addresses in its own way.
    multicall3: address("0xF9cda624FBC7e059355ce98a31693d299FACd963"),
    // DefiLlama calls ZKsync Lite "zksync".
    defiLlamaSlug: "era", coinGeckoPlatform: "zksync",
    rpc: [
      "https://mainnet.era.zksync.io",
      "https://zksync.drpc.org",
      "https://public.1rpc.io/zksync2-era",
    ],
    blockTime: .milliseconds(200),
    nativeAliases: [address("0x000000000000000000000000000000000000800A")],
    tokens: zkSyncTokens)

  static let linea = Chain(
    code: code("LINEA"), name: "Linea", chainID: 59_144,
    nativeCoin: NativeCoin(symbol: "ETH", name: "Ether", coinGeckoID: "ethereum"),
    defiLlamaSlug: "linea", coinGeckoPlatform: "linea",
    rpc: [
      "https://rpc.linea.build",
      "https://linea-rpc.publicnode.com",
      "https://linea.drpc.org",
    ],
    blockTime: .seconds(2), tokens: lineaTokens)

  static let manta = Chain(
    code: code("MANTA"), name: "Manta Pacific", chainID: 169,
    nativeCoin: NativeCoin(symbol: "ETH", name: "Ether", coinGeckoID: "ethereum"),
    defiLlamaSlug: "manta", coinGeckoPlatform: "manta-pacific",
    rpc: [
      "https://pacific-rpc.manta.network/http",
      "https://manta-pacific.drpc.org",
      "https://public.1rpc.io/manta",
    ],
    blockTime: .seconds(10), tokens: mantaTokens)

  static let fantom = Chain(
    code: code("FTM"), name: "Fantom Opera", chainID: 250,
    nativeCoin: NativeCoin(symbol: "FTM", name: "Fantom", coinGeckoID: "fantom"),
    defiLlamaSlug: "fantom", coinGeckoPlatform: "fantom",
    rpc: [
      "https://rpcapi.fantom.network",
      "https://fantom-rpc.publicnode.com",
      "https://fantom.drpc.org",
    ],
    blockTime: .seconds(1), tokens: fantomTokens)

  static let cronos = Chain(
    code: code("CRO"), name: "Cronos", chainID: 25,
    nativeCoin: NativeCoin(symbol: "CRO", name: "Cronos", coinGeckoID: "crypto-com-chain"),
    defiLlamaSlug: "cronos", coinGeckoPlatform: "cronos",
    rpc: [
      "https://evm.cronos.org",
      "https://cronos-evm-rpc.publicnode.com",
      "https://cronos.drpc.org",
    ],
    blockTime: .seconds(6), tokens: cronosTokens)
}

// Ours are written here and looked at by a test: a typing error stops the first start, not a stranger's
// request.
extension ChainRegistry {
  static func code(_ text: String) -> ChainCode {
    do throws(ChainCodeError) {
      return try ChainCode(parsing: text)
    } catch {
      fatalError("built-in chain \(text): \(error)")
    }
  }

  static func address(_ text: String) -> Address {
    do throws(AddressError) {
      return try Address(parsing: text)
    } catch {
      fatalError("built-in address \(text): \(error)")
    }
  }

  static func feed(_ base: String, _ text: String) -> ChainlinkFeed {
    ChainlinkFeed(base: base, address: address(text))
  }

  static func token(_ text: String, _ symbol: String, _ decimals: Int, _ name: String) -> ListedToken {
    ListedToken(address: address(text), symbol: symbol, name: name, decimals: decimals)
  }
}
