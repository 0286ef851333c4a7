import Ethereum
import Server
import Testing

/// `chains.CODE.chainlinkFeeds`: what is read of it, and what is refused.
@Suite struct ConfigurationFeedTests {
  private static let expected =
    "expected a feed such as LINK=0x…, or LINK=0x…:0x… with the token that it prices"
  private static let one = "0x0000000000000000000000000000000000000001"
  private static let two = "0x0000000000000000000000000000000000000002"
  private static let three = "0x0000000000000000000000000000000000000003"

  private static func json(_ code: String, _ feeds: [String]) -> String {
    let list = feeds.map { "\"\($0)\"" }.joined(separator: ", ")
    return "{\"chains\": {\"\(code)\": {\"chainlinkFeeds\": [\(list)]}}}"
  }

  @Test func feedsAreRead() throws {
    let settings = try Load(json: Self.json("OP", ["ETH=\(Self.one)", "stETH=\(Self.two):\(Self.three)"]))
      .settings()
    let chain = try #require(settings.chains.first { $0.code.description == "OP" })
    #expect(
      chain.chainlinkFeeds == [
        ChainlinkFeed(base: "ETH", address: try Address(parsing: Self.one)),
        ChainlinkFeed(
          base: "stETH", address: try Address(parsing: Self.two), token: try Address(parsing: Self.three)),
      ])
    #expect(settings.chains.filter { !$0.chainlinkFeeds.isEmpty }.map(\.code) == [chain.code])
  }

  /// One feed may price several tokens, and an unlisted chain's coin.
  @Test(arguments: [
    ("ETH", ["A=\(one):\(two)", "A=\(one):\(three)"]), ("ETH", ["LINK=\(one)", "MATIC=\(two):\(three)"]),
    ("MATIC", ["MATIC=\(one)"]), ("MATIC", ["POL=\(one)"]), ("BASE", ["ETH=\(one)"]),
  ])
  func allowed(code: String, feeds: [String]) {
    #expect(Load(json: Self.json(code, feeds)).faults() == [])
  }

  @Test func aChainOfOnesOwn() {
    let json = """
      {"chains": {"XYZ_TEST": {"chainId": 5, "rpc": ["http://x.example"], "chainlinkFeeds": ["XYZ=\(Self.one)"]}}}
      """
    #expect(Load(json: json).faults() == [])
    #expect(
      Load(json: Self.json("XYZ_TEST", ["XYZ=\(Self.one)"])).faults().allSatisfy {
        $0.contains("XYZ_TEST is not built in, so it needs chainId and rpc")
      })
  }

  private static let refused: [(feeds: [String], index: Int, message: String)] = [
    (["LINK"], 0, "\(expected), found \"LINK\""),
    (["=\(one)"], 0, "\(expected), found \"=\(one)\""),
    (["LINK / USD=\(one)"], 0, "\(expected), found \"LINK / USD=\(one)\""),
    (
      ["ETH=\(one)", "LINK=0xf1"], 1,
      "\(expected), found \"LINK=0xf1\" (an address has 40 digits after 0x, not 2)"
    ),
    (["LINK=\(one):"], 0, "\(expected), found \"LINK=\(one):\" (an address begins with 0x)"),
    (["L=1:2:3"], 0, "\(expected), found \"L=1:2:3\""),
    (
      ["L=0xca11bde05977b3631167028862bE2a173976CA11"], 0,
      "\(expected), found \"L=0xca11bde05977b3631167028862bE2a173976CA11\""
        + " (its EIP-55 checksum is wrong: an address in mixed case must spell it exactly)"
    ),
    (["ETH=\(one)", "ETH=\(two)"], 1, "what it prices has a feed before"),
    (["A=\(one):\(two)", "B=\(three):\(two)"], 1, "what it prices has a feed before"),
    (["A=\(one):\(two)", "B=\(one):\(three)"], 1, "the feed \(one) is named for A before"),
    (
      ["NOPE=\(one)"], 0,
      "NOPE is neither the chain's coin nor a built-in token issued there:"
        + " name the token, as in NOPE=0x…:0x…"
    ),
    (
      ["A=\(one):0x0000000000000000000000000000000000000000"], 0,
      "0x0000000000000000000000000000000000000000 is no token; the native coin's feed is ETH=0x…"
    ),
  ]

  @Test(arguments: refused)
  private func isRefused(feeds: [String], index: Int, message: String) {
    let key = "chains.ETH.chainlinkFeeds[\(index)]"
    #expect(Load(json: Self.json("ETH", feeds)).faults() == ["\(Load.file): \(key): \(message)"])
  }
}
