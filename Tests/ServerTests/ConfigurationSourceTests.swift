import Ethereum
import Testing

@testable import Server

/// Where settings come from, and which of them wins.
@Suite struct ConfigurationSourceTests {
  @Test func defaults() throws {
    let settings = try Load().settings()
    var expected = Settings()
    expected.storage.path = "/srv/walletpush.sqlite"
    #expect(settings == expected)
    #expect(settings.chains.map(\.chain) == ChainRegistry.chains)
    #expect(settings.http.port == 8080)
    #expect(settings.prices.sources == [.defiLlama])
    #expect(settings.auth == nil)
  }

  @Test func precedence() throws {
    var load = Load(json: #"{"http": {"port": 1, "loops": 1, "host": "::1"}}"#)
    #expect(try load.settings().http.port == 1)
    load.environment = ["WALLETPUSH_HTTP_PORT": "2", "WALLETPUSH_HTTP_LOOPS": "2"]
    #expect(try load.settings().http.port == 2)
    load.arguments = ["--http-port", "3"]
    let http = try load.settings().http
    #expect(http.port == 3)
    #expect(http.loops == 2)
    #expect(http.host == "::1")
  }

  /// A key, its value in the file, and as text.
  static let everyKey: [(key: String, json: String, text: String)] = [
    ("http.host", #""0.0.0.0""#, "0.0.0.0"),
    ("http.port", "81", "81"),
    ("http.loops", "3", "3"),
    ("http.allowedHosts", #"["a.example", "192.0.2.1", "*"]"#, "a.example,192.0.2.1,*"),
    ("http.allowedOrigins", #"["https://a.example", "*"]"#, "https://a.example,*"),
    ("http.trustedProxies", #"["10.0.0.0/8", "::1/128"]"#, "10.0.0.0/8, ::1/128"),
    ("http.webRoot", #""/srv/web""#, "/srv/web"),
    ("storage.path", #""/var/a,b.sqlite""#, "/var/a,b.sqlite"),
    ("storage.replaceDamaged", "false", "false"),
    ("chains.enabled", #"["OP", "ETH"]"#, "OP,ETH"),
    (
      "chains.ETH.rpc", #"["http://a.example/1", "https://b.example"]"#,
      "http://a.example/1,https://b.example"
    ),
    (
      "chains.ETH.ws", #"["ws://a.example", "wss://b.example/k?x=1"]"#, "ws://a.example,wss://b.example/k?x=1"
    ),
    ("chains.ETH.chainId", "31337", "31337"),
    (
      "chains.ETH.multicall3", #""0x00000000000000000000000000000000000000aa""#,
      "0x00000000000000000000000000000000000000aa"
    ),
    (
      "chains.ETH.tokenLists", #"["/a.json", "https://t.example/l.json"]"#, "/a.json,https://t.example/l.json"
    ),
    ("chains.ETH.followBlocks", "false", "false"),
    ("chains.ETH.pollSeconds", "0.5", "0.5"),
    (
      "chains.ETH.chainlinkFeeds",
      #"["ETH=0x00000000000000000000000000000000000000f1", "#
        + #""stETH=0x00000000000000000000000000000000000000f2:0x00000000000000000000000000000000000000aa"]"#,
      "ETH=0x00000000000000000000000000000000000000f1, "
        + "stETH=0x00000000000000000000000000000000000000f2:0x00000000000000000000000000000000000000aa"
    ),
    ("chains.ETH.staleHeadSeconds", "30", "30"),
    ("prices.sources", #"["coingecko", "chainlink"]"#, "coingecko,chainlink"),
    ("prices.intervalSeconds", "1.5", "1.5"),
    ("prices.maximumAgeSeconds", "600", "600"),
    ("prices.defillama.requestsPerMinute", "30", "30"),
    ("prices.coingecko.requestsPerMinute", "500", "500"),
    ("prices.chainlink.requestsPerMinute", "6", "6"),
    ("prices.defillama.url", #""http://127.0.0.1:1/x""#, "http://127.0.0.1:1/x"),
    ("prices.coingecko.url", #""http://127.0.0.1:2""#, "http://127.0.0.1:2"),
    ("prices.coingecko.apiKey", #""CG-1""#, "CG-1"),
    ("refresh.cooldownSeconds", "0", "0"),
    ("refresh.requestsPerSecond", "2.5", "2.5"),
    ("refresh.timeoutSeconds", "2", "2"),
    ("cache.balanceSeconds", "1", "1"),
    ("cache.zeroBalanceSeconds", "2", "2"),
    ("cache.tokenListSeconds", "3", "3"),
    ("cache.priceSeconds", "4", "4"),
    ("cache.metadataSeconds", "5", "5"),
    ("cache.maximumBytes", "65536", "65536"),
    ("limits.connections", "1", "1"),
    ("limits.connectionsPerAddress", "2", "2"),
    ("limits.requestsPerSecond", "2.5", "2.5"),
    ("limits.walletsPerConnection", "3", "3"),
    ("limits.messageBytes", "4", "4"),
    ("limits.messageFrames", "5", "5"),
    ("limits.opsPerSecond", "0.25", "0.25"),
    ("limits.excessMessages", "5", "5"),
    ("limits.wallets", "6", "6"),
    ("limits.tokens", "7", "7"),
    ("limits.tokensPerWallet", "8", "8"),
    ("limits.unsentBytes", "9", "9"),
    ("limits.headBytes", "10", "10"),
    ("limits.headerCount", "10", "10"),
    ("limits.bodyBytes", "11", "11"),
    ("limits.handshakeSeconds", "12", "12"),
    ("limits.keepAliveSeconds", "12", "12"),
    ("limits.waitSeconds", "90", "90"),
    ("limits.idlePingSeconds", "13", "13"),
    ("limits.pongSeconds", "14", "14"),
    ("limits.slowSeconds", "15", "15"),
    ("limits.drainSeconds", "16", "16"),
    ("compression.enabled", "false", "false"),
    ("compression.minimumBytes", "17", "17"),
    ("compression.contextTakeover", "true", "true"),
    ("compression.windowBits", "11", "11"),
    ("compression.level", "9", "9"),
    ("compression.inflationRatio", "50", "50"),
    ("log.level", #""debug""#, "debug"),
    ("log.format", #""json""#, "json"),
    ("chains.ETH_SEPOLIA.pollSeconds", "7", "7"),
  ]

  /// So that an `ETH_SEPOLIA` is whole.
  static let sepolia = [
    "WALLETPUSH_CHAINS_ETH_SEPOLIA_RPC": "http://s.example",
    "WALLETPUSH_CHAINS_ETH_SEPOLIA_CHAIN_ID": "11155111",
  ]

  static func nested(_ key: String, _ json: String) -> String {
    key.split(separator: ".").reversed().reduce(json) { "{\"\($1)\": \($0)}" }
  }

  /// `a.bB` and a separator.
  static func name(_ key: String, _ separator: String) -> String {
    var name = ""
    var previous: Character = "A"
    for character in key {
      if character == "." {
        name += separator
      } else {
        if character.isUppercase, previous.isLowercase { name += separator }
        name.append(character)
      }
      previous = character
    }
    return name
  }

  @Test(arguments: everyKey)
  func settableThreeWays(key: String, json: String, text: String) throws {
    let base = try Load(environment: Self.sepolia).settings()
    let file = try Load(json: Self.nested(key, json), environment: Self.sepolia).settings()
    #expect(file != base)
    let variable = "WALLETPUSH_" + Self.name(key, "_").uppercased()
    let merged = Self.sepolia.merging([variable: text]) { $1 }
    #expect(try Load(environment: merged).settings() == file)
    let option = "--" + Self.name(key, "-").lowercased()
    for arguments in [[option, text], [option + "=" + text], [option.replacing("_", with: "-"), text]] {
      #expect(try Load(arguments: arguments, environment: Self.sepolia).settings() == file)
    }
  }

  @Test func authIsReadFromEverywhere() throws {
    var auth = Settings.Auth(keys: "/k/jwks.json")
    #expect(
      try Load(json: #"{"auth": {"keys": "/k/jwks.json", "issuer": "", "audience": ""}}"#).settings().auth
        == auth)
    auth.issuer = "https://id.example"
    auth.audience = "walletpush"
    auth.walletsClaim = "w"
    let json = """
      {"auth": {"keys": "/k/jwks.json", "issuer": "https://id.example", "audience": "walletpush",
                "walletsClaim": "w"}}
      """
    let environment = [
      "WALLETPUSH_AUTH_KEYS": "/k/jwks.json", "WALLETPUSH_AUTH_ISSUER": "https://id.example",
      "WALLETPUSH_AUTH_AUDIENCE": "walletpush", "WALLETPUSH_AUTH_WALLETS_CLAIM": "w",
    ]
    let arguments = [
      "--auth-keys", "/k/jwks.json", "--auth-issuer=https://id.example", "--auth-audience", "walletpush",
      "--auth-wallets-claim", "w",
    ]
    #expect(try Load(json: json).settings().auth == auth)
    #expect(try Load(environment: environment).settings().auth == auth)
    #expect(try Load(arguments: arguments).settings().auth == auth)
    #expect(try Load(json: #"{"auth": {"keys": "jwks.json"}}"#).settings().auth?.keys == "/etc/wp/jwks.json")
  }

  /// But for those that are nothing alone.
  @Test func noKeyIsForgotten() {
    let known =
      SettingDefinition<SettingsDraft>.all.map(\.key)
      + SettingDefinition<ChainConfiguration>.all.map { "chains.ETH." + $0.key }
    let tested = Set(Self.everyKey.map(\.key))
    let missing = known.filter { !tested.contains($0) }
    #expect(missing.allSatisfy { $0.hasPrefix("auth.") || $0.hasPrefix("http.tls.") })
  }

  @Test func theContractsExampleLoads() throws {
    let settings = try Load(json: Self.example).settings()
    var expected = Settings()
    expected.http.tls = Settings.TLS(certificate: "/etc/wp/cert.pem", key: "/etc/wp/key.pem")
    expected.http.allowedOrigins = ["https://app.example"]
    expected.http.trustedProxies = try [#require(AddressRange("127.0.0.1/32"))]
    expected.storage.path = "/etc/wp/walletpush.sqlite"
    var ethereum = ChainConfiguration(chain: try #require(ChainRegistry.chains.first))
    ethereum.chain.rpc = ["http://127.0.0.1:18545"]
    ethereum.chain.chainID = 31_337
    ethereum.ws = ["ws://127.0.0.1:18545"]
    ethereum.tokenLists = ["/etc/wp/tokens.json"]
    expected.chains = [ethereum]
    expected.prices.sources = [.defiLlama, .coinGecko]
    expected.auth = Settings.Auth(keys: "/etc/wp/jwks.json")
    #expect(settings == expected)
  }

  @Test func bothFilesOfTLSAreSettableThreeWays() throws {
    let tls = Settings.TLS(certificate: "/srv/c.pem", key: "/k.pem")
    let option = ["--http-tls-certificate", "c.pem", "--http-tls-key=/k.pem"]
    #expect(try Load(arguments: option).settings().http.tls == tls)
    let variables = ["WALLETPUSH_HTTP_TLS_CERTIFICATE": "c.pem", "WALLETPUSH_HTTP_TLS_KEY": "/k.pem"]
    #expect(try Load(environment: variables).settings().http.tls == tls)
    let file = #"{"http": {"tls": {"certificate": "/srv/c.pem", "key": "/k.pem"}}}"#
    #expect(try Load(json: file).settings().http.tls == tls)
  }

  static let example = """
    {
      "http":    {"host": "127.0.0.1", "port": 8080, "loops": 0,
                  "tls": {"certificate": "cert.pem", "key": "key.pem"},
                  "allowedOrigins": ["https://app.example"], "trustedProxies": ["127.0.0.1/32"]},
      "storage": {"path": "walletpush.sqlite"},
      "chains":  {"enabled": ["ETH"],
                  "ETH": {"rpc": ["http://127.0.0.1:18545"], "ws": ["ws://127.0.0.1:18545"], "chainId": 31337,
                          "multicall3": "0xcA11bde05977b3631167028862bE2a173976CA11",
                          "tokenLists": ["tokens.json"],
                          "followBlocks": true, "pollSeconds": 12}},
      "prices":  {"sources": ["defillama", "coingecko"], "intervalSeconds": 15,
                  "defillama": {"url": "https://coins.llama.fi"},
                  "coingecko": {"url": "https://api.coingecko.com/api/v3", "apiKey": ""}},
      "refresh": {"cooldownSeconds": 10, "timeoutSeconds": 10},
      "auth":    {"keys": "jwks.json", "issuer": "", "audience": "", "walletsClaim": "wallets"},
      "cache":   {"balanceSeconds": 300, "zeroBalanceSeconds": 86400, "tokenListSeconds": 300,
                  "priceSeconds": 60, "metadataSeconds": 86400},
      "limits":  {"connections": 100000, "connectionsPerAddress": 0, "walletsPerConnection": 100,
                  "messageBytes": 65536, "opsPerSecond": 20, "wallets": 1000000, "tokensPerWallet": 5000,
                  "unsentBytes": 65536, "handshakeSeconds": 10, "idlePingSeconds": 25, "pongSeconds": 10,
                  "slowSeconds": 30, "drainSeconds": 10},
      "compression": {"minimumBytes": 512},
      "log":     {"level": "info"}
    }
    """

  static let paths: [(text: String, file: String, elsewhere: String)] = [
    ("/abs/a.sqlite", "/abs/a.sqlite", "/abs/a.sqlite"),
    ("a.sqlite", "/etc/wp/a.sqlite", "/srv/a.sqlite"),
    ("./a.sqlite", "/etc/wp/a.sqlite", "/srv/a.sqlite"),
    ("../a.sqlite", "/etc/wp/../a.sqlite", "/srv/../a.sqlite"),
    (":memory:", ":memory:", ":memory:"),
  ]

  @Test(arguments: paths)
  func pathsAreRelativeToWhereTheyStand(text: String, file: String, elsewhere: String) throws {
    let json = "{\"storage\": {\"path\": \"\(text)\"}}"
    #expect(try Load(json: json).settings().storage.path == file)
    let environment = ["WALLETPUSH_STORAGE_PATH": text]
    #expect(try Load(json: "{}", environment: environment).settings().storage.path == elsewhere)
    #expect(try Load(json: "{}", arguments: ["--storage-path", text]).settings().storage.path == elsewhere)
  }

  @Test func fileMayBeNamedByTheEnvironmentAndRelative() throws {
    var asked: [String] = []
    let settings = try Settings.load(
      file: nil, arguments: [], environment: ["WALLETPUSH_CONFIG": "sub/wp.json"], workingDirectory: "/srv"
    ) { path in
      asked.append(path)
      return Array(#"{"storage": {"path": "a"}}"#.utf8)
    }
    #expect(asked == ["/srv/sub/wp.json"])
    #expect(settings.storage.path == "/srv/sub/a")
  }

  @Test func chainsOfTheConfigurationJoinTheBuiltIn() throws {
    let json = """
      {"chains": {"ETH_SEPOLIA": {"chainId": 11155111, "rpc": ["http://s.example"]},
                  "OP": {"pollSeconds": 3}, "DOGE": {"chainId": 2000, "rpc": ["http://d.example"]}}}
      """
    let chains = try Load(json: json).settings().chains
    #expect(chains.count == ChainRegistry.chains.count + 2)
    #expect(chains.suffix(2).map(\.code.description) == ["ETH_SEPOLIA", "DOGE"])
    let sepolia = try #require(chains.dropLast().last)
    #expect(sepolia.chain.nativeCoin.symbol == "ETH")
    #expect(sepolia.chain.chainID == 11_155_111)
    #expect(sepolia.multicall3 == Multicall3.canonicalAddress)
    #expect(chains.first { $0.code.description == "OP" }?.poll == .seconds(3))
  }

  @Test func enabledKeepsItsOrder() throws {
    let json = #"{"chains": {"enabled": ["OP", "X", "ETH"], "X": {"chainId": 5, "rpc": ["http://x"]}}}"#
    #expect(try Load(json: json).settings().chains.map(\.code.description) == ["OP", "X", "ETH"])
  }

  static let lists: [(arguments: [String], ws: [String])] = [
    (["--chains-eth-ws", "ws://a", "ws://b"], ["ws://a", "ws://b"]),
    (["--chains-eth-ws", "ws://a,ws://b"], ["ws://a", "ws://b"]),
    (["--chains-eth-ws", "ws://a", "--chains-eth-ws=ws://b"], ["ws://a", "ws://b"]),
    (["--chains-eth-ws="], []),
  ]

  @Test(arguments: lists)
  func listsOnTheCommandLine(arguments: [String], ws: [String]) throws {
    let json = #"{"chains": {"ETH": {"ws": ["ws://file"]}}}"#
    #expect(try Load(json: json, arguments: arguments).settings().chains.first?.ws == ws)
  }

  @Test func booleanNeedsNoValueOnTheCommandLine() throws {
    let json = #"{"chains": {"ETH": {"followBlocks": false}}}"#
    #expect(
      try Load(json: json, arguments: ["--chains-eth-follow-blocks", "--http-port=1"]).settings().chains
        .first?
        .followBlocks == true)
  }

  static let spellings: [(key: String, json: String, shown: String)] = [
    ("http.host", #""[::1]""#, #""::1""#),
    ("http.host", #""LocalHost""#, #""localhost""#),
    ("http.allowedHosts", #"["App.Example", "[::1]"]"#, #"["app.example","::1"]"#),
    ("http.allowedOrigins", #"["HTTPS://App.Example:443"]"#, #"["https://app.example"]"#),
    ("http.allowedOrigins", #"["chrome-extension://abc"]"#, #"["chrome-extension://abc"]"#),
    ("http.trustedProxies", #"["10.0.0.1"]"#, #"["10.0.0.1/32"]"#),
    ("prices.intervalSeconds", "1.50", "1.5"),
    ("prices.intervalSeconds", "1e2", "100"),
    ("prices.intervalSeconds", "0.0000001", "0.001"),
    ("prices.intervalSeconds", "0.1", "0.1"),
    ("refresh.cooldownSeconds", "0.0", "0"),
    ("limits.opsPerSecond", "20.0", "20"),
  ]

  @Test(arguments: spellings)
  func valuesTakeOneForm(key: String, json: String, shown: String) throws {
    let settings = try Load(json: Self.nested(key, json)).settings()
    let definition = try #require(SettingDefinition<SettingsDraft>.all.first { $0.key == key })
    #expect(definition.show(SettingsDraft(settings))?.description == shown)
  }

  static let ranges: [(range: String, inside: String, outside: String)] = [
    ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
    ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
    ("0.0.0.0/0", "255.1.1.1", "::1"),
    ("192.0.2.128/25", "192.0.2.129", "192.0.2.127"),
    ("127.0.0.1/32", "::ffff:127.0.0.1", "::fffe:127.0.0.1"),
    ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
  ]

  @Test(arguments: ranges)
  func rangesHoldAddresses(range: String, inside: String, outside: String) throws {
    let range = try #require(AddressRange(range))
    #expect(range.contains(try #require(AddressRange.parse(address: inside))))
    #expect(!range.contains(try #require(AddressRange.parse(address: outside))))
    #expect(!range.contains([]))
    #expect(AddressRange(range.description) == range)
  }
}
