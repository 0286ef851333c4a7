import Server
import Testing

/// What is refused, and the line that says so.
@Suite struct ConfigurationFaultTests {
  private static let dotted = "no such setting; its parts are objects inside one another, not one name"

  static let values: [(json: String, line: String)] = [
    // Kinds
    (#"{"http": {"port": "8080"}}"#, #"http.port: expected a whole number from 0 to 65535, found "8080""#),
    (#"{"http": {"port": null}}"#, "http.port: expected a whole number from 0 to 65535, found null"),
    (#"{"http": {"host": 1}}"#, "http.host: expected an IP address or a host name, found 1"),
    (#"{"http": []}"#, "http: expected an object, found []"),
    (#"{"http": null}"#, "http: expected an object, found null"),
    (
      #"{"http": {"allowedOrigins": "https://a"}}"#,
      #"http.allowedOrigins: expected a list of origins such as https://app.example, found "https://a""#
    ),
    (
      #"{"http": {"allowedOrigins": [1]}}"#,
      "http.allowedOrigins: expected a list of origins such as https://app.example, found [1]"
    ),
    (
      #"{"chains": {"ETH": {"followBlocks": 1}}}"#, "chains.ETH.followBlocks: expected true or false, found 1"
    ),
    (
      #"{"chains": {"ETH": {"followBlocks": "true"}}}"#,
      #"chains.ETH.followBlocks: expected true or false, found "true""#
    ),
    (#"{"chains": {"ETH": "on"}}"#, #"chains.ETH: expected an object, found "on""#),
    (
      #"{"prices": {"coingecko": {"apiKey": 4711}}}"#,
      "prices.coingecko.apiKey: expected a string, found a number"
    ),
    ("[]", "expected an object of settings, found an array"),
    // A fault is one line, whatever the file holds.
    (
      #"{"limits": {"wall\nets": 1}}"#, #"limits.wall\nets: no such setting; did you mean limits.wallets?"#
    ),
    // Ranges
    (#"{"http": {"port": 65536}}"#, "http.port: expected a whole number from 0 to 65535, found 65536"),
    (#"{"http": {"port": -1}}"#, "http.port: expected a whole number from 0 to 65535, found -1"),
    (#"{"http": {"port": 80.0}}"#, "http.port: expected a whole number from 0 to 65535, found 80.0"),
    (#"{"http": {"loops": 1025}}"#, "http.loops: expected a whole number from 0 to 1024, found 1025"),
    (
      #"{"limits": {"connections": 0}}"#,
      "limits.connections: expected a whole number from 1 to 100000000, found 0"
    ),
    (
      #"{"limits": {"wallets": 99999999999999999999}}"#,
      "limits.wallets: expected a whole number from 1 to 100000000, found 99999999999999999999"
    ),
    (
      #"{"prices": {"intervalSeconds": 0}}"#,
      "prices.intervalSeconds: expected a number of seconds above 0, up to 1000000000, found 0"
    ),
    (
      #"{"limits": {"pongSeconds": 1e999}}"#,
      "limits.pongSeconds: expected a number of seconds above 0, up to 1000000000, found 1e999"
    ),
    (
      #"{"refresh": {"cooldownSeconds": -0.5}}"#,
      "refresh.cooldownSeconds: expected a number of seconds from 0 to 1000000000, found -0.5"
    ),
    (
      #"{"limits": {"opsPerSecond": 0}}"#,
      "limits.opsPerSecond: expected a number above 0, up to 1000000, found 0"
    ),
    (
      #"{"chains": {"ETH": {"chainId": 0}}}"#,
      "chains.ETH.chainId: expected a whole number from 1 to 9223372036854775771, found 0"
    ),
    // Words
    (
      #"{"log": {"level": "loud"}}"#,
      #"log.level: expected one of trace, debug, info, notice, warning, error, critical, found "loud""#
    ),
    (
      #"{"prices": {"sources": ["defillama", "kraken"]}}"#,
      #"prices.sources[1]: expected one of defillama, coingecko, chainlink, found "kraken""#
    ),
    (
      #"{"prices": {"sources": ["coingecko", "defillama", "coingecko"]}}"#,
      "prices.sources[2]: coingecko is named twice"
    ),
    // Hosts, origins, ranges of addresses
    (#"{"http": {"host": ""}}"#, #"http.host: expected an IP address or a host name, found """#),
    (#"{"http": {"host": "a b"}}"#, #"http.host: expected an IP address or a host name, found "a b""#),
    (#"{"http": {"host": "a:80"}}"#, #"http.host: expected an IP address or a host name, found "a:80""#),
    (
      #"{"http": {"host": "300.1.1.1"}}"#,
      #"http.host: expected an IP address or a host name, found "300.1.1.1""#
    ),
    (#"{"http": {"host": "[a]"}}"#, #"http.host: expected an IP address or a host name, found "[a]""#),
    (
      #"{"http": {"allowedHosts": ["a.example:8080"]}}"#,
      #"http.allowedHosts[0]: expected an IP address or a host name without a port, or *, found "a.example:8080""#
    ),
    (
      #"{"http": {"allowedOrigins": ["https://a.example/"]}}"#,
      "http.allowedOrigins[0]: expected an origin such as https://app.example, or *,"
        + #" found "https://a.example/""#
        + " (an origin is a scheme and a host, with nothing behind them)"
    ),
    (
      #"{"http": {"allowedOrigins": ["app.example"]}}"#,
      #"http.allowedOrigins[0]: expected an origin such as https://app.example, or *, found "app.example""#
    ),
    (
      #"{"http": {"trustedProxies": ["10.0.0.0/8", "10.0.0.0/33"]}}"#,
      #"http.trustedProxies[1]: expected an address range such as 10.0.0.0/8, found "10.0.0.0/33""#
    ),
    (
      #"{"http": {"trustedProxies": ["10.1.0.0/8"]}}"#,
      #"http.trustedProxies[0]: expected an address range such as 10.0.0.0/8, found "10.1.0.0/8""#
    ),
    // URLs, without what may be a key
    (
      #"{"chains": {"ETH": {"rpc": ["ftp://node.example/SECRET"]}}}"#,
      #"chains.ETH.rpc[0]: expected an http: or https: URL, found "ftp://node.example/…""#
    ),
    (
      #"{"chains": {"ETH": {"rpc": ["https://u:SECRET@node.example"]}}}"#,
      #"chains.ETH.rpc[0]: expected an http: or https: URL, found "https://…@node.example" "#
        + "(the URL holds a user name or password; send an Authorization header instead)"
    ),
    (
      #"{"chains": {"ETH": {"rpc": []}}}"#,
      "chains.ETH.rpc: expected a list of at least one of http: or https: URLs, found none"
    ),
    (
      #"{"chains": {"ETH": {"ws": ["https://node.example"]}}}"#,
      #"chains.ETH.ws[0]: expected a ws: or wss: URL, found "https://node.example""#
    ),
    (
      #"{"prices": {"defillama": {"url": "coins.llama.fi"}}}"#,
      #"prices.defillama.url: expected an http: or https: URL, found "coins.llama.fi""#
    ),
    (
      #"{"chains": {"ETH": {"tokenLists": ["file:///a"]}}}"#,
      #"chains.ETH.tokenLists[0]: expected a path or an http: or https: URL, found "file:///a""#
    ),
    (
      #"{"chains": {"ETH": {"tokenLists": [""]}}}"#,
      #"chains.ETH.tokenLists[0]: expected a path or an http: or https: URL, found """#
    ),
    (
      #"{"storage": {"path": ""}}"#, #"storage.path: expected the path of the database or :memory:, found """#
    ),
    // Addresses
    (
      #"{"chains": {"ETH": {"multicall3": "0xca11bde05977b3631167028862bE2a173976CA11"}}}"#,
      "chains.ETH.multicall3: expected an address, 0x and 40 hexadecimal digits, found "
        + #""0xca11bde05977b3631167028862bE2a173976CA11" "#
        + "(its EIP-55 checksum is wrong: an address in mixed case must spell it exactly)"
    ),
    // Chains
    (
      #"{"chains": {"enabled": []}}"#,
      "chains.enabled: expected a list of at least one of chain codes, found none"
    ),
    (
      #"{"chains": {"enabled": ["ETH", "DOGE"]}}"#,
      "chains.enabled[1]: expected one of ETH, BSC, MATIC, ARB, OP, AVAX, BASE, ZKSYNC, LINEA, MANTA, FTM,"
        + #" CRO, or a chain given with chainId and rpc, found "DOGE""#
    ),
    (#"{"chains": {"enabled": ["ETH", "ETH"]}}"#, "chains.enabled[1]: ETH is named twice"),
    (
      #"{"chains": {"enabled": ["E-H"]}}"#,
      #"chains.enabled[0]: expected a chain's code such as ETH, found "E-H""#
    ),
    (
      #"{"chains": {"DOGE": {"rpc": ["http://a"]}}}"#,
      "chains.DOGE.chainId: missing: DOGE is not built in, so it needs chainId and rpc"
    ),
    (
      #"{"chains": {"enabled": ["ETH"], "DOGE": {"chainId": 2000}}}"#,
      "chains.DOGE.rpc: missing: DOGE is not built in, so it needs chainId and rpc"
    ),
    (
      #"{"chains": {"DOGE": {"chainId": "5", "rpc": ["http://a"]}}}"#,
      #"chains.DOGE.chainId: expected a whole number from 1 to 9223372036854775771, found "5""#
    ),
    // Unknown keys, at each depth
    (#"{"htpp": {}}"#, "htpp: no such setting; did you mean http?"),
    (
      #"{"zzz": {}}"#,
      "zzz: no such setting; there are http, storage, chains, prices, refresh, cache, auth, limits,"
        + " compression, log"
    ),
    (#"{"http.port": 1}"#, "http.port: \(dotted)"),
    (#"{"http.tls": {}}"#, "http.tls: \(dotted)"),
    (#"{"http": {"tls.key": ""}}"#, "http.tls.key: \(dotted)"),
    (#"{"http": {"prot": 1}}"#, "http.prot: no such setting; did you mean http.port?"),
    (
      #"{"http": {"tls": {"certificate": "a", "key": "b", "ca": "c"}}}"#,
      "http.tls.ca: no such setting; there are http.tls.certificate, http.tls.key"
    ),
    (
      #"{"prices": {"defillama": {"apiKey": ""}}}"#,
      "prices.defillama.apiKey: no such setting; there are prices.defillama.url, prices.defillama.requestsPerMinute"
    ),
    (
      #"{"chains": {"ETH": {"poll": 1}}}"#,
      "chains.ETH.poll: no such setting; there are chains.ETH.rpc, chains.ETH.ws, chains.ETH.chainId,"
        + " chains.ETH.multicall3, chains.ETH.tokenLists, chains.ETH.followBlocks, chains.ETH.pollSeconds,"
        + " chains.ETH.chainlinkFeeds, chains.ETH.staleHeadSeconds"
    ),
    (
      #"{"chains": {"eth": {}}}"#,
      #"chains.eth: no such setting; chains has "enabled" and chains by their upper-case codes"#
    ),
    // No JSON
    ("", "line 1, column 1: the text ends: expected a value"),
    ("{\n  \"http\": {\"port\": 1,}\n}", "line 2, column 22: unexpected '}': expected a member name"),
    ("{\"log\": {\"level\": \"é\" x}}", "line 1, column 23: unexpected 'x': expected ',' or '}'"),
    (#"{"log": {}, "log": {}}"#, "line 1, column 22: a repeated member name: expected each name once"),
  ]

  @Test(arguments: values)
  func fileIsRefused(json: String, line: String) {
    #expect(Load(json: json).faults().first == "\(Load.file): \(line)")
  }

  /// One fault is one line: but for what waits to be built.
  @Test(arguments: values.filter { !$0.json.contains("tls") })
  func faultsAreNotRepeated(json: String, line: String) {
    #expect(Load(json: json).faults().count == 1)
  }

  static let variables: [(name: String, value: String, message: String)] = [
    ("HTTP_PORT", "abc", #": http.port: expected a whole number from 0 to 65535, found "abc""#),
    ("HTTP_PORT", "", #": http.port: expected a whole number from 0 to 65535, found """#),
    ("HTTP_PORT", "+80", #": http.port: expected a whole number from 0 to 65535, found "+80""#),
    ("CHAINS_ETH_FOLLOW_BLOCKS", "yes", #": chains.ETH.followBlocks: expected true or false, found "yes""#),
    ("CHAINS_ETH_RPC", "http://a,", #": chains.ETH.rpc[1]: expected an http: or https: URL, found """#),
    (
      "CHAINS_ETH_RPC", "",
      ": chains.ETH.rpc: expected a list of at least one of http: or https: URLs, found none"
    ),
    ("CHAINS_ETH_PRC", "http://a", ": no such setting"),
    ("CHAINS_eth_RPC", "http://a", ": no such setting"),
    ("HTTP_PROT", "80", ": no such setting; did you mean WALLETPUSH_HTTP_PORT?"),
    ("PORT", "80", ": no such setting; did you mean WALLETPUSH_HTTP_PORT?"),
    ("X", "", ": no such setting"),
    (
      "CHAINS_DOGE_RPC", "http://a",
      ": chains.DOGE.chainId: missing: DOGE is not built in, so it needs chainId and rpc"
    ),
  ]

  @Test(arguments: variables)
  func variableIsRefused(name: String, value: String, message: String) {
    let faults = Load(environment: ["WALLETPUSH_" + name: value]).faults()
    #expect(faults.count == 1)
    #expect(faults.first?.hasPrefix("environment variable WALLETPUSH_\(name)\(message)") == true, "\(faults)")
  }

  static let commandLines: [(arguments: [String], line: String)] = [
    (
      ["--http-port", "x"],
      #"option --http-port: http.port: expected a whole number from 0 to 65535, found "x""#
    ),
    (
      ["--http-port=70000"],
      #"option --http-port: http.port: expected a whole number from 0 to 65535, found "70000""#
    ),
    (["--http-port"], "option --http-port: its value is missing"),
    (["--http-port", "--http-host", "::1"], "option --http-port: its value is missing"),
    (["--http-port", "1", "--http-port", "2"], "option --http-port: given twice"),
    (["--http-port", "1", "2"], #"argument "2": belongs to no option; options begin with --"#),
    (["--http-port=1", "2"], #"argument "2": belongs to no option; options begin with --"#),
    (
      ["https://node.example/SECRET"],
      #"argument "https://node.example/…": belongs to no option; options begin with --"#
    ),
    (["-p", "--http-port=1"], #"argument "-p": belongs to no option; options begin with --"#),
    (["--http-prot", "1"], "option --http-prot: no such option; did you mean --http-port?"),
    (["--port", "1"], "option --port: no such option; did you mean --http-port?"),
    (["--verbose"], "option --verbose: no such option"),
    (["--"], "option --: no such option"),
    (["--chains-eth-prc", "1"], "option --chains-eth-prc: no such option"),
    (
      ["--chains-eth-poll-seconds", "0"],
      "option --chains-eth-poll-seconds: chains.ETH.pollSeconds: expected a number of seconds above 0, up to"
        + #" 1000000000, found "0""#
    ),
    (
      ["--chains-doge-chain-id", "1"],
      "option --chains-doge-chain-id: chains.DOGE.rpc: missing: DOGE is not built in,"
        + " so it needs chainId and rpc"
    ),
    (
      ["--chains-eth-follow-blocks", "perhaps"],
      #"option --chains-eth-follow-blocks: chains.ETH.followBlocks: expected true or false, found "perhaps""#
    ),
  ]

  @Test(arguments: commandLines)
  func commandLineIsRefused(arguments: [String], line: String) {
    #expect(Load(arguments: arguments).faults() == [line])
  }

  static let authMissing =
    "auth.keys: missing: without the path of a JSON Web Key Set no token can be checked"
  static let tlsMissing = "missing: TLS needs a certificate and its key, each the path of a PEM file"

  @Test(arguments: [
    (#"{"auth": {"keys": "jwks.json"}}"#, []), (#"{"auth": {}}"#, [authMissing]),
    (#"{"auth": {"issuer": ""}}"#, [authMissing]),
    (
      #"{"auth": {"keys": ""}}"#,
      [#"auth.keys: expected the path of a JSON Web Key Set, found """#]
    ),
    (
      #"{"auth": {"keys": {}}}"#,
      ["auth.keys: expected the path of a JSON Web Key Set, found an object"]
    ),
    (
      #"{"auth": {"keys": 7, "issuer": "i"}}"#,
      ["auth.keys: expected the path of a JSON Web Key Set, found 7"]
    ),
    (
      #"{"auth": {"keys": "k", "walletsClaim": ""}}"#,
      [#"auth.walletsClaim: expected a string that is not empty, found """#]
    ),
  ])
  func halfAnAuthIsRefused(json: String, lines: [String]) {
    #expect(Load(json: json).faults() == lines.map { "\(Load.file): \($0)" })
  }

  @Test func halfAnAuthIsRefusedFromEverywhere() {
    #expect(
      Load(environment: ["WALLETPUSH_AUTH_ISSUER": "i"]).faults()
        == ["environment variable WALLETPUSH_AUTH_ISSUER: " + Self.authMissing])
  }

  @Test(arguments: [
    (#"{"http": {"tls": {"key": "b"}}}"#, ["http.tls.certificate: " + tlsMissing]),
    (#"{"http": {"tls": {}}}"#, ["http.tls.certificate: " + tlsMissing, "http.tls.key: " + tlsMissing]),
    (
      #"{"http": {"tls": {"certificate": {}, "key": []}}}"#,
      [
        "http.tls.certificate: expected the path of a PEM file, found an object",
        "http.tls.key: expected the path of a PEM file, found []",
      ]
    ),
    (
      #"{"http": {"tls": {"certificate": null}}}"#,
      [
        "http.tls.certificate: expected the path of a PEM file, found null",
        "http.tls.key: " + tlsMissing,
      ]
    ),
  ])
  func halfATLSIsRefused(json: String, lines: [String]) {
    #expect(Load(json: json).faults() == lines.map { "\(Load.file): \($0)" })
  }

  @Test func allFaultsAreShownAtOnce() {
    let load = Load(
      json: #"{"http": {"port": -1}, "x": 1}"#, arguments: ["y"], environment: ["WALLETPUSH_LOG_LEVEL": "z"])
    #expect(load.faults().count == 4)
  }

  @Test func missingFileIsNamed() {
    let faults = Load(environment: ["WALLETPUSH_CONFIG": "gone.json"]).faults()
    #expect(faults == ["/srv/gone.json: the configuration file cannot be read: No such file or directory"])
  }

  /// The names that Kubernetes gives to the neighbours of a service called walletpush, and those of other commands.
  @Test(arguments: [
    ("WALLETPUSH_SERVICE_HOST", "10.0.0.1"), ("WALLETPUSH_SERVICE_PORT_HTTP", "80"),
    ("WALLETPUSH_PORT", "tcp://10.0.0.1:80"), ("WALLETPUSH_PORT_80_TCP_ADDR", "10.0.0.1"),
    ("WALLETPUSH_TOKEN", "a.b.c"), ("WALLETPUSH_LOAD_TOKEN", "a.b.c"), ("WALLETPUSH_WATCH_TOKEN", "a.b.c"),
    ("WALLETPUSHER", "1"), ("HTTP_PORT", "1"),
  ])
  func foreignVariablesAreLeftAlone(name: String, value: String) {
    #expect(Load(environment: [name: value]).faults() == [])
  }
}
