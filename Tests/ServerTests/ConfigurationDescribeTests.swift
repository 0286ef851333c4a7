import Testing

@testable import Server

/// The settings in force, as they are shown.
@Suite struct ConfigurationDescribeTests {
  static let files = [
    "{}", ConfigurationSourceTests.example,
    """
    {"http": {"host": "::1", "webRoot": "web"}, "storage": {"path": ":memory:"},
     "chains": {"enabled": ["X_TEST", "ETH"], "X_TEST": {"chainId": 5, "rpc": ["https://x.example/v2/KEY"],
                "followBlocks": false, "pollSeconds": 0.25,
                "tokenLists": ["https://t.example/list.json", "b.json"],
                "chainlinkFeeds": ["X=0x00000000000000000000000000000000000000f1",
                                   "Y=0x00000000000000000000000000000000000000f2:0xcA11bde05977b3631167028862bE2a173976CA11"]}},
     "prices": {"coingecko": {"apiKey": "CG-KEY"}}, "limits": {"opsPerSecond": 0.5}}
    """,
  ]

  @Test(arguments: files)
  func whatIsShownLoadsAgain(json: String) throws {
    let settings = try Load(json: json).settings()
    let shown = settings.describe(revealingSecrets: true)
    #expect(try Load(json: shown).settings() == settings)
  }

  @Test func secretsAreHidden() throws {
    let json = """
      {"chains": {"enabled": ["ETH"],
        "ETH": {"rpc": ["https://node.example/v2/KEY", "https://node.example?key=KEY",
                        "https://node.example/",
                        "http://10.0.0.1:8545"], "ws": ["wss://node.example/KEY"]}},
       "prices": {"defillama": {"url": "https://pro.example/KEY"}, "coingecko": {"apiKey": "KEY"}}}
      """
    let shown = try Load(json: json).settings().describe()
    #expect(!shown.contains("KEY"))
    #expect(
      shown.contains(
        #""rpc": ["https://node.example/…","https://node.example/…","https://node.example/","#
          + #""http://10.0.0.1:8545"]"#
      ))
    #expect(shown.contains(#""ws": ["wss://node.example/…"]"#))
    #expect(shown.contains(#""apiKey": "***""#))
    // What is built in is no secret.
    #expect(shown.contains(#""url": "https://api.coingecko.com/api/v3""#))
  }

  @Test func shapeIsTheFiles() throws {
    let shown = try Load(json: #"{"chains": {"enabled": ["CRO"]}}"#).settings().describe()
    #expect(
      shown.hasPrefix(
        """
        {
          "http": {
            "host": "127.0.0.1",
            "port": 8080,
            "loops": 0,
            "allowedHosts": [],
            "allowedOrigins": [],
            "trustedProxies": []
          },
          "storage": {
            "path": "/srv/walletpush.sqlite",
            "replaceDamaged": true
          },
          "chains": {
            "enabled": ["CRO"],
            "CRO": {
              "rpc": ["https://evm.cronos.org",
        """))
    #expect(shown.contains(#""multicall3": "0xcA11bde05977b3631167028862bE2a173976CA11""#))
    #expect(shown.contains(#""pollSeconds": 12"#))
    #expect(!shown.contains(#""auth""#))
  }
}
