/// A token that a list names.
public struct ListedToken: Sendable, Hashable {
  public let address: Address
  public let symbol: String
  public let name: String
  /// 0 … 77.
  public let decimals: Int
  /// An address of a picture: `https:`, `http:` or `ipfs:`.
  public let logo: String?

  public init(address: Address, symbol: String, name: String, decimals: Int, logo: String? = nil) {
    self.address = address
    self.symbol = symbol
    self.name = name
    self.decimals = decimals
    self.logo = logo
  }
}

/// The coin that pays for gas.
public struct NativeCoin: Sendable, Hashable {
  public let symbol: String
  public let name: String
  public let decimals: Int
  /// Its id at CoinGecko, which DefiLlama knows as `coingecko:<id>`; nil where nobody prices it.
  public let coinGeckoID: String?

  public init(symbol: String, name: String, decimals: Int = 18, coinGeckoID: String?) {
    self.symbol = symbol
    self.name = name
    self.decimals = decimals
    self.coinGeckoID = coinGeckoID
  }
}

/// A feed of Chainlink's that says what a coin is worth in US dollars: `latestRoundData()`. Ask it for its
/// decimals and its description before believing it.
public struct ChainlinkFeed: Sendable, Hashable {
  /// The symbol of what is priced: `BTC` of `BTC / USD`.
  public let base: String
  public let address: Address
  /// The token of the chain that it prices; nil: whatever of ours is called `base`, see
  /// ``Chain/contracts(pricedBy:)``.
  public let token: Address?

  public init(base: String, address: Address, token: Address? = nil) {
    self.base = base
    self.address = address
    self.token = token
  }
}

/// What there is to know about a chain before asking it. All but the code may be overridden by the
/// configuration.
public struct Chain: Sendable, Hashable {
  /// Where a chain differs from Ethereum in a way that shows in its answers.
  public struct Quirks: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// A contract's `block.number`, and so Multicall3's `getBlockNumber()`, is that of the chain below: the
    /// chain's own is `arbBlockNumber()` of ``Chain/arbSys``.
    public static let blockNumberFromArbSys = Quirks(rawValue: 1 << 0)
  }

  /// The precompile of Arbitrum that knows its block number.
  public static let arbSys = Address(high: 0, middle: 0, low: 0x64)

  public let code: ChainCode
  public var name: String
  public var chainID: UInt64
  public var nativeCoin: NativeCoin
  public var multicall3: Address
  /// The chain's name in DefiLlama's token keys; nil where it has none.
  public var defiLlamaSlug: String?
  /// The chain's name at CoinGecko; nil where it has none.
  public var coinGeckoPlatform: String?
  /// Public endpoints, the best first.
  public var rpc: [String]
  /// What to expect before it has been measured: chains speed up.
  public var blockTime: Duration
  public var quirks: Quirks
  /// Contracts that show the native coin as if it were a token, and emit Transfers of it: counting them would
  /// count the coin twice.
  public var nativeAliases: [Address]
  public var chainlinkFeeds: [ChainlinkFeed]
  /// The tokens known without a token list.
  public var tokens: [ListedToken]

  public init(
    code: ChainCode, name: String, chainID: UInt64, nativeCoin: NativeCoin,
    multicall3: Address = Multicall3.canonicalAddress, defiLlamaSlug: String?, coinGeckoPlatform: String?,
    rpc: [String], blockTime: Duration, quirks: Quirks = [], nativeAliases: [Address] = [],
    chainlinkFeeds: [ChainlinkFeed] = [], tokens: [ListedToken]
  ) {
    self.code = code
    self.name = name
    self.chainID = chainID
    self.nativeCoin = nativeCoin
    self.multicall3 = multicall3
    self.defiLlamaSlug = defiLlamaSlug
    self.coinGeckoPlatform = coinGeckoPlatform
    self.rpc = rpc
    self.blockTime = blockTime
    self.quirks = quirks
    self.nativeAliases = nativeAliases
    self.chainlinkFeeds = chainlinkFeeds
    self.tokens = tokens
  }

  /// A chain that only the configuration knows: its coin is named after the code before the underscore, and
  /// nobody prices it.
  public init(unlisted code: ChainCode, chainID: UInt64, rpc: [String]) {
    self.init(
      code: code, name: code.description, chainID: chainID,
      nativeCoin: NativeCoin(symbol: code.coinName, name: code.coinName, coinGeckoID: nil),
      defiLlamaSlug: nil, coinGeckoPlatform: nil, rpc: rpc, blockTime: .seconds(12), tokens: [])
  }

  /// ERC-7528's stand-in for the native coin, which some token lists hold.
  public static let nativePlaceholder = Address(
    high: 0xEEEE_EEEE_EEEE_EEEE, middle: 0xEEEE_EEEE_EEEE_EEEE, low: 0xEEEE_EEEE)

  /// The tokens of this chain that a feed on it prices, nil being the native coin: the one that it names; else what
  /// the feed is about, and nothing that is merely called so. That is the native coin, its wrapped token, and tokens
  /// of Ethereum, where they are issued. Elsewhere a token of that name is a bridged one, whose price is its own.
  public func contracts(pricedBy feed: ChainlinkFeed) -> [Address?] {
    if let token = feed.token { return [token] }
    // Polygon's feed is named after the coin before POL took its place, one for one.
    let isNative = feed.base == nativeCoin.symbol || (feed.base == "MATIC" && nativeCoin.symbol == "POL")
    let named = tokens.filter { token in
      (isNative && token.symbol == "W" + nativeCoin.symbol)
        || (token.symbol == feed.base && code.description == "ETH")
    }
    return (isNative ? [nil] : []) + named.map(\.address)
  }

  /// Whether an address may be treated as a token.
  public func mayBeToken(_ address: Address) -> Bool {
    address != .zero && address != Self.nativePlaceholder && !nativeAliases.contains(address)
  }
}
