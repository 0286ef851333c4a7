// Ranges: the lower bounds keep the server working, the upper ones keep its sums from overflowing; what a
// machine can bear is for whoever runs it to say.

extension SettingDefinition where Root == SettingsDraft {
  /// All settings but those of single chains, in the order in which they are shown.
  static let all: [Self] =
    http + storage + chains + prices + refresh + cache + auth + limits + compression + log

  private static let http: [Self] = [
    Self("http.host", .host, \.settings.http.host, "the address to listen on"),
    Self("http.port", .port, \.settings.http.port, "the port to listen on; 0 picks a free one"),
    Self("http.loops", .integer(0...1_024), \.settings.http.loops, "event loops; 0 is one for each core"),
    Self(optional: "http.tls.certificate", .path("a PEM file"), \.certificate, "the certificate chain"),
    Self(optional: "http.tls.key", .path("a PEM file"), \.certificateKey, "the certificate's private key"),
    Self(
      "http.allowedHosts", .list(.allowedHost, of: "names such as app.example"),
      \.settings.http.allowedHosts,
      "names that requests may ask for; none: on loopback without access tokens and TLS its own, else any"),
    Self(
      "http.allowedOrigins", .list(.origin, of: "origins such as https://app.example"),
      \.settings.http.allowedOrigins, "web pages that may connect; none: those of our own origin"),
    Self(
      "http.trustedProxies", .list(.addressRange, of: "address ranges such as 10.0.0.0/8"),
      \.settings.http.trustedProxies, "proxies whose word on the client's address is taken"),
    Self(
      optional: "http.webRoot", .path("a folder"), \.settings.http.webRoot,
      "the web client's files; left out: found near the program"),
  ]

  private static let storage: [Self] = [
    Self("storage.path", .databasePath, \.settings.storage.path, "the database file, or :memory:"),
    Self(
      "storage.replaceDamaged", .boolean, \.settings.storage.replacesDamaged,
      "a damaged file is set aside for a new one with what can be read of it; else it stops the start"),
  ]

  private static let chains: [Self] = [
    Self(
      optional: "chains.enabled", .list(.chainCode, of: "chain codes", atLeastOne: true), \.enabled,
      "the chains to serve; left out: all that are known or set")
  ]

  private static let prices: [Self] = [
    Self(
      "prices.sources", .list(.word, of: "defillama, coingecko, chainlink"), \.settings.prices.sources,
      "where prices come from, the best first"),
    Self("prices.intervalSeconds", .interval, \.settings.prices.interval, "from one price round to the next"),
    Self(
      "prices.maximumAgeSeconds", .interval, \.settings.prices.maximumAge,
      "prices that their source saw longer ago are none"),
    Self("prices.defillama.url", .httpURL, \.settings.prices.defiLlama.url, "DefiLlama's address"),
    Self(
      "prices.defillama.requestsPerMinute", .integer(0...1_000_000),
      \.settings.prices.defiLlama.requestsPerMinute,
      "what DefiLlama may be asked; 0: 300, no limit where url is another host"),
    Self("prices.coingecko.url", .httpURL, \.settings.prices.coinGecko.url, "CoinGecko's address"),
    Self("prices.coingecko.apiKey", .secret, \.settings.prices.coinGecko.apiKey, "CoinGecko's key"),
    Self(
      "prices.coingecko.requestsPerMinute", .integer(0...1_000_000),
      \.settings.prices.coinGecko.requestsPerMinute,
      "what CoinGecko may be asked; 0: 10 without a key, 30 with a free one, 250 with a paid one, no limit where url is another host"
    ),
    Self(
      "prices.chainlink.requestsPerMinute", .integer(1...1_000_000),
      \.settings.prices.chainlink.requestsPerMinute, "what the chains' nodes may be asked for feeds, in all"),
  ]

  private static let refresh: [Self] = [
    Self(
      "refresh.cooldownSeconds", .cooldown, \.settings.refresh.cooldown,
      "how soon a wallet may be refreshed again"),
    Self("refresh.timeoutSeconds", .interval, \.settings.refresh.timeout, "what a chain's answer may take"),
    Self(
      "refresh.requestsPerSecond", .rate(upTo: 1_000_000), \.settings.refresh.requestsPerSecond,
      "what one endpoint of a chain is asked at most"),
  ]

  private static let cache: [Self] = [
    Self("cache.balanceSeconds", .interval, \.settings.cache.balance, "how long a balance is fresh"),
    Self(
      "cache.zeroBalanceSeconds", .interval, \.settings.cache.zeroBalance, "how long a balance of zero is"),
    Self(
      "cache.tokenListSeconds", .interval, \.settings.cache.tokenList, "how long a wallet's token list is"),
    Self("cache.priceSeconds", .interval, \.settings.cache.price, "how long a price is"),
    Self("cache.metadataSeconds", .interval, \.settings.cache.metadata, "how long a token's name is"),
    Self(
      "cache.maximumBytes", .integer(65_536...68_719_476_736), \.settings.cache.maximumBytes,
      "what is remembered of when balances were read"),
  ]

  private static let auth: [Self] = [
    Self(
      optional: "auth.keys", .path("a JSON Web Key Set"), \.authKeys, "the keys that sign clients' tokens"),
    Self(optional: "auth.issuer", .text, \.authIssuer, "the issuer that tokens must name; empty: any"),
    Self(optional: "auth.audience", .text, \.authAudience, "the audience that tokens must name; empty: any"),
    Self(
      optional: "auth.walletsClaim", .nonEmptyText, \.authWalletsClaim,
      "the claim that lists a token's wallets"),
  ]

  private static let limits: [Self] = [
    Self("limits.connections", .count, \.settings.limits.connections, "open connections"),
    Self(
      "limits.connectionsPerAddress", .countOrNone, \.settings.limits.connectionsPerAddress,
      "open connections from one address; 0 is no limit"),
    Self(
      "limits.requestsPerSecond", .rate(upTo: 1_000_000), \.settings.limits.requestsPerSecond,
      "requests of one connection; of one address where connectionsPerAddress is set or a proxy is trusted"),
    Self(
      "limits.walletsPerConnection", .count, \.settings.limits.walletsPerConnection,
      "wallets one connection may watch"),
    Self("limits.messageBytes", .bytes, \.settings.limits.messageBytes, "a client's message"),
    Self(
      "limits.messageFrames", .count, \.settings.limits.messageFrames, "frames that one message may come in"),
    Self(
      "limits.opsPerSecond", .rate(upTo: 1_000_000), \.settings.limits.opsPerSecond,
      "operations of one connection"),
    Self(
      "limits.excessMessages", .count, \.settings.limits.excessMessages,
      "operations beyond the rate, pings and pongs of one connection before it is closed"),
    Self("limits.wallets", .count, \.settings.limits.wallets, "wallets in all"),
    Self("limits.tokens", .count, \.settings.limits.tokens, "tokens in all"),
    Self("limits.tokensPerWallet", .count, \.settings.limits.tokensPerWallet, "tokens of one wallet"),
    Self("limits.unsentBytes", .bytes, \.settings.limits.unsentBytes, "what waits for a slow client"),
    Self("limits.headBytes", .bytes, \.settings.limits.headBytes, "the head of a request"),
    Self("limits.headerCount", .count, \.settings.limits.headerCount, "header lines of a request"),
    Self("limits.bodyBytes", .bytes, \.settings.limits.bodyBytes, "the body of a request"),
    Self(
      "limits.handshakeSeconds", .interval, \.settings.limits.handshake,
      "from the connection to the end of its request's head, again to the end of its body, and to its access token"
    ),
    Self(
      "limits.keepAliveSeconds", .interval, \.settings.limits.keepAlive,
      "how long an HTTP connection may rest between two requests"),
    Self(
      "limits.waitSeconds", .interval, \.settings.limits.longestWait,
      "how long a request for changes may wait for one"),
    Self("limits.idlePingSeconds", .interval, \.settings.limits.idlePing, "silence before a ping"),
    Self("limits.pongSeconds", .interval, \.settings.limits.pong, "what a ping's answer may take"),
    Self(
      "limits.slowSeconds", .interval, \.settings.limits.slow,
      "how long a client may take nothing while something waits for it"),
    Self("limits.drainSeconds", .cooldown, \.settings.limits.drain, "over which a stop sends clients away"),
  ]

  private static let compression: [Self] = [
    Self(
      "compression.enabled", .boolean, \.settings.compression.enabled,
      "whether clients that offer permessage-deflate get it"),
    Self(
      "compression.minimumBytes", .integer(0...67_108_864), \.settings.compression.minimumBytes,
      "shorter messages are not compressed"),
    Self(
      "compression.contextTakeover", .boolean, \.settings.compression.contextTakeover,
      "whether a connection keeps its windows from message to message"),
    Self(
      "compression.windowBits", .integer(9...15), \.settings.compression.windowBits,
      "the window messages are compressed with, as a power of two"),
    Self("compression.level", .integer(1...9), \.settings.compression.level, "1 is fast, 9 is small"),
    Self(
      "compression.inflationRatio", .integer(1...2_000), \.settings.compression.inflationRatio,
      "how many times its length a client's message above 64 KiB may inflate to"),
  ]

  private static let log: [Self] = [
    Self("log.level", .word, \.settings.log.level, "how much is logged"),
    Self("log.format", .word, \.settings.log.format, "text, json, or auto: text on a terminal"),
  ]
}

extension SettingDefinition where Root == ChainConfiguration {
  /// The settings of a chain: `rpc` is `chains.ETH.rpc`.
  static let all: [Self] = [
    Self(
      "rpc", .list(.httpURL, of: "http: or https: URLs", atLeastOne: true), \.chain.rpc,
      "its endpoints, the best first"),
    Self("ws", .list(.webSocketURL, of: "ws: or wss: URLs"), \.ws, "endpoints that announce new blocks"),
    Self("chainId", .chainID, \.chain.chainID, "its EIP-155 id"),
    Self("multicall3", .address, \.chain.multicall3, "its Multicall3 contract"),
    Self(
      "tokenLists", .list(.fileOrURL, of: "paths and URLs"), \.tokenLists,
      "files or URLs of token lists; none: the built-in list"),
    Self("followBlocks", .boolean, \.followBlocks, "whether every new block is looked at"),
    Self("pollSeconds", .interval, \.poll, "from one look at its head to the next"),
    Self(
      "chainlinkFeeds", .list(.chainlinkFeed, of: "feeds such as LINK=0x…, or LINK=0x…:0x… with a token"),
      \.chainlinkFeeds, "price feeds on it besides the built-in ones"),
    Self(
      optional: "staleHeadSeconds", .cooldown, \.staleHead,
      "the age of its newest block at which it stands still; 0: never; left out: 120 for public endpoints of known chains"
    ),
  ]
}

extension SettingKind where Value == Int {
  fileprivate static var count: Self { .integer(1...100_000_000) }
  fileprivate static var countOrNone: Self { .integer(0...100_000_000) }
  fileprivate static var bytes: Self { .integer(1...67_108_864) }
}
