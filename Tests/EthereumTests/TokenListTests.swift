import Ethereum
import JSON
import Testing

private let usdc = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"

@Suite struct TokenListTests {
  private func list(_ tokens: [JSONValue], limit: Int = 100, chain: String = "ETH") throws -> TokenList {
    let value: JSONValue = ["name": "Test\u{202E} List", "version": ["major": 1], "tokens": .array(tokens)]
    let chain = try #require(ChainRegistry.chain(try ChainCode(parsing: chain)))
    return try TokenList(value, chain: chain, limit: limit)
  }

  private func entry(_ changes: [(String, JSONValue?)] = []) -> JSONValue {
    var object = JSONObject()
    object["chainId"] = 1
    object["address"] = .string(usdc)
    object["name"] = "USD Coin"
    object["symbol"] = "USDC"
    object["decimals"] = 6
    for (key, value) in changes { object[key] = value }
    return .object(object)
  }

  @Test func aGoodEntry() throws {
    let list = try list([entry([("logoURI", "https://example.org/usdc.png"), ("extensions", [:])])])
    #expect(list.name == "Test List")
    #expect(list.skipped.isEmpty && list.otherChains == 0)
    #expect(
      list.tokens == [
        ListedToken(
          address: try Address(parsing: usdc), symbol: "USDC", name: "USD Coin", decimals: 6,
          logo: "https://example.org/usdc.png")
      ])
  }

  @Test(
    arguments: [
      ("chainId", nil, .badChainID), ("chainId", "1", .badChainID), ("chainId", -1, .badChainID),
      ("address", nil, .badAddress), ("address", "0x1", .badAddress), ("address", 5, .badAddress),
      ("address", "0xa0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", .badChecksum),
      ("address", "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE", .nativeCoin),
      ("address", "0x0000000000000000000000000000000000000000", .nativeCoin),
      ("symbol", nil, .badSymbol), ("symbol", "\u{200B}", .badSymbol), ("symbol", 1, .badSymbol),
      ("name", nil, .badName), ("name", " ", .badName),
      ("decimals", nil, .badDecimals), ("decimals", -1, .badDecimals), ("decimals", 78, .badDecimals),
      ("decimals", "6", .badDecimals), ("decimals", .null, .badDecimals),
    ] as [(String, JSONValue?, TokenList.SkipReason)])
  func aBadEntryCostsOnlyItself(
    member: String, value: JSONValue?, reason: TokenList.SkipReason
  ) throws {
    let good = entry([("address", "0x6B175474E89094C44Da98b954EedeAC495271d0F")])
    let list = try list([entry([(member, value)]), good])
    #expect(list.skipped == [reason: 1])
    #expect(list.tokens.count == 1)
  }

  @Test func whatElseIsSkipped() throws {
    let list = try list([
      1, .null, entry(), entry([("address", .string(usdc.lowercased()))]), entry([("chainId", 56)]),
    ])
    #expect(list.skipped == [.notAnObject: 2, .repeated: 1])
    #expect(list.otherChains == 1)
    #expect(list.tokens.count == 1)
    let polygon = try self.list(
      [entry([("chainId", 137), ("address", "0x0000000000000000000000000000000000001010")])], chain: "MATIC")
    #expect(polygon.skipped == [.nativeCoin: 1])
  }

  @Test func theNumberOfTokensIsLimited() throws {
    let many = (1...10).map { number in
      entry([("address", .string(Address(high: 0, middle: 0, low: UInt32(number)).lowercase))])
    }
    let list = try list(many, limit: 4)
    #expect(list.tokens.map(\.address.low) == [1, 2, 3, 4])
    #expect(list.skipped == [.tooMany: 6])
  }

  @Test(
    arguments: [
      ("https://x/y.png", true), ("HTTP://x/y.png", true), ("ipfs://Qm", true),
      ("javascript:alert(1)", false),
      ("data:image/svg+xml;base64,AAAA", false), ("//x/y.png", false), ("https://x/\"onerror=", false),
      ("https://x/ y", false), ("https://x/<", false), ("https://é", false), ("", false),
      ("https://" + String(repeating: "x", count: 3000), false),
    ] as [(String, Bool)])
  func logos(text: String, isKept: Bool) throws {
    let list = try list([entry([("logoURI", .string(text))])])
    #expect(list.tokens.first?.logo == (isKept ? text : nil))
  }

  @Test func whatIsNoListAtAll() throws {
    let chain = try #require(ChainRegistry.chains.first)
    #expect(throws: TokenListError.notAnObject) { try TokenList([], chain: chain, limit: 1) }
    #expect(throws: TokenListError.noTokens) { try TokenList([:], chain: chain, limit: 1) }
    #expect(throws: TokenListError.noTokens) { try TokenList(["tokens": [:]], chain: chain, limit: 1) }
  }
}
