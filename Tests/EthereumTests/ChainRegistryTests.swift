import Ethereum
import Testing

@Suite struct ChainRegistryTests {
  @Test(
    arguments: [
      ("ETH", 1, "ETH", "ethereum", "ethereum", 16), ("BSC", 56, "BNB", "bsc", "binancecoin", 15),
      ("MATIC", 137, "POL", "polygon", "polygon-ecosystem-token", 12),
      ("ARB", 42161, "ETH", "arbitrum", "ethereum", 13),
      ("OP", 10, "ETH", "optimism", "ethereum", 11), ("AVAX", 43114, "AVAX", "avax", "avalanche-2", 12),
      ("BASE", 8453, "ETH", "base", "ethereum", 11), ("ZKSYNC", 324, "ETH", "era", "ethereum", 7),
      ("LINEA", 59144, "ETH", "linea", "ethereum", 6), ("MANTA", 169, "ETH", "manta", "ethereum", 6),
      ("FTM", 250, "FTM", "fantom", "fantom", 8), ("CRO", 25, "CRO", "cronos", "crypto-com-chain", 7),
    ] as [(String, UInt64, String, String, String, Int)])
  func facts(
    code: String, id: UInt64, coin: String, slug: String, coinGeckoID: String, tokens: Int
  ) throws {
    let chain = try #require(ChainRegistry.chain(try ChainCode(parsing: code)))
    #expect(chain.chainID == id)
    #expect(chain.nativeCoin.symbol == coin)
    #expect(chain.nativeCoin.decimals == 18)
    #expect(chain.nativeCoin.coinGeckoID == coinGeckoID)
    #expect(chain.defiLlamaSlug == slug)
    #expect(chain.tokens.count == tokens)
    #expect(ChainRegistry.chain(id: id)?.code == chain.code)
  }

  @Test(arguments: ChainRegistry.chains.map(\.code)) func everyChainIsSane(_ code: ChainCode) throws {
    let chain = try #require(ChainRegistry.chain(code))
    #expect(chain.rpc.count == 3)
    #expect(chain.rpc.allSatisfy { $0.hasPrefix("https://") })
    #expect(chain.blockTime > .zero)
    #expect(chain.coinGeckoPlatform?.isEmpty == false)
    #expect(Set(chain.tokens.map(\.address)).count == chain.tokens.count)
    #expect(Set(chain.tokens.map(\.symbol)).count == chain.tokens.count)
    for token in chain.tokens {
      #expect(chain.mayBeToken(token.address), "\(chain.code) \(token.symbol)")
      #expect((6...18).contains(token.decimals), "\(chain.code) \(token.symbol)")
      #expect(TokenText.clean(token.symbol, limit: TokenText.symbolLimit) == token.symbol)
      #expect(TokenText.clean(token.name, limit: TokenText.nameLimit) == token.name)
    }
  }

  @Test func whatDiffersFromChainToChain() throws {
    func chain(_ code: String) throws -> Chain {
      try #require(ChainRegistry.chain(try ChainCode(parsing: code)))
    }
    func decimals(_ code: String, _ symbol: String) throws -> Int? {
      try chain(code).tokens.first { $0.symbol == symbol }?.decimals
    }
    #expect(ChainRegistry.chains.count == 12)
    #expect(
      try chain("ZKSYNC").multicall3.checksummed == "0xF9cda624FBC7e059355ce98a31693d299FACd963")
    #expect(ChainRegistry.chains.filter { $0.multicall3 != Multicall3.canonicalAddress }.count == 1)
    #expect(
      ChainRegistry.chains.filter { $0.quirks.contains(.blockNumberFromArbSys) }.map(\.code.description) == [
        "ARB"
      ])
    #expect(Chain.arbSys.lowercase == "0x0000000000000000000000000000000000000064")
    #expect(try decimals("BSC", "USDT") == 18)
    #expect(try decimals("BSC", "USDC") == 18)
    #expect(try decimals("BSC", "DOGE") == 8)
    #expect(try decimals("ETH", "USDT") == 6)
    #expect(try decimals("ETH", "WBTC") == 8)
    let forbidden = [
      ("ZKSYNC", "0x000000000000000000000000000000000000800A"),
      ("MATIC", "0x0000000000000000000000000000000000001010"),
      ("ETH", "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"),
    ]
    for (code, address) in forbidden {
      #expect(!(try chain(code).mayBeToken(try Address(parsing: address))))
    }
    #expect(try chain("ETH").chainlinkFeeds.first?.base == "ETH")
    #expect(ChainRegistry.chain(try ChainCode(parsing: "ETH_SEPOLIA")) == nil)
    #expect(ChainRegistry.chain(id: 31337) == nil)
  }

  @Test func aChainOfTheConfiguration() throws {
    let chain = Chain(unlisted: try ChainCode(parsing: "eth_sepolia"), chainID: 11_155_111, rpc: ["http://x"])
    #expect(chain.nativeCoin.symbol == "ETH")
    #expect(chain.nativeCoin.coinGeckoID == nil)
    #expect(chain.multicall3 == Multicall3.canonicalAddress)
    #expect(chain.defiLlamaSlug == nil && chain.tokens.isEmpty)
  }
}
