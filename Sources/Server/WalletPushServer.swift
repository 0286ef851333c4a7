// The house put together: what starts in which order, and what ends.
//
//   database → ledger (restored) → loops and shards → listeners → refresh and prices → "listening on"
//
// Nothing is served before the ledger holds what was stored, so the first subscribe is answered from it. Draining goes
// the other way round: clients are sent away, reading stops, the last state is written, the database is marked clean.

import EventLoop
import Ethereum
import Glibc
import JSON
import Jobs
import Ledger
import Logging
import Metrics
import Pricing
import Push
import Refresh
import Storage
import Upstream

/// Why the server did not start: one clear line.
public struct StartError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

public final class WalletPushServer: Sendable {
  public static let version = "0.1.0"
  public static let name = "walletpush/\(version)"

  public let ledger: Ledger
  public let address: SocketAddress
  public let loops: EventLoopGroup
  let settings: Settings
  let services: Services
  let database: Database
  let writer: Writer
  let refresh: RefreshService
  let pricing: PricePipeline
  let tokenLists: TokenLists
  let client: HTTPClient
  let resolver: Resolver
  let logger: Logger
  let sweeper: JobLoop
  /// Nil: plain HTTP.
  let tls: TLSServer?

  /// `http://HOST:PORT` or `https://HOST:PORT`, as a browser on this machine can use it.
  public var url: String {
    let host =
      switch settings.http.host {
      case "0.0.0.0": "127.0.0.1"
      case "::": "::1"
      default: settings.http.host
      }
    let scheme = tls == nil ? "http" : "https"
    return host.contains(":")
      ? "\(scheme)://[\(host)]:\(address.port)" : "\(scheme)://\(host):\(address.port)"
  }

  /// The same for a WebSocket: `ws://` or `wss://`.
  public var webSocketURL: String { "ws" + url.dropFirst("http".count) }

  /// Starts everything and returns when connections are accepted.
  ///
  /// - Parameters:
  ///   - files: read, with the settings that name them.
  ///   - metrics: already the metrics system's factory.
  public static func start(
    _ files: SettingsFiles, metrics: PrometheusMetrics, logger: Logger
  ) async throws(StartError) -> WalletPushServer {
    let parts: Parts
    let settings = files.settings
    if let warning = DescriptorLimit.raise(for: settings.limits.connections) { logger.warning("\(warning)") }
    settings.sayWhoMayCome(logger)
    do {
      parts = try await Parts(files, metrics: metrics, logger: logger)
    } catch let error as StartError {
      throw error
    } catch {
      throw StartError("\(error)")
    }
    return WalletPushServer(parts)
  }

  private init(_ parts: Parts) {
    ledger = parts.ledger
    address = parts.address
    loops = parts.loops
    settings = parts.settings
    services = parts.services
    database = parts.database
    writer = parts.writer
    refresh = parts.refresh
    pricing = parts.pricing
    tokenLists = parts.tokenLists
    client = parts.client
    resolver = parts.resolver
    logger = parts.logger
    tls = parts.tls
    sweeper = JobLoop("ledger_sweep", on: parts.services.jobs) { [ledger, refresh] turns in
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(1))
        await turns.run {
          await ledger.sweep()
          await refresh.sweep()
        }
      }
    }
    sweeper.start()
  }

  /// Sends the clients away, stops reading, writes the last state. Returns when all is done, or after a bounded wait.
  public func drain() async {
    logger.info("draining", metadata: ["seconds": "\(settings.limits.drain)"])
    for (shard, sessions) in zip(services.shards, services.sessions) {
      let window = settings.limits.drain
      shard.loop.post {
        var generator = SystemRandomNumberGenerator()
        shard.drain(window: window) { generator.next() }
        sessions.closeIdle()
      }
    }
    await waitForClients()
    await sweeper.stop()
    await tokenLists.stop()
    await pricing.stop()
    await refresh.stop()
    await client.shutdown()
    do {
      try await writer.closeCleanly()
    } catch {
      logger.error("the last state could not be written", metadata: ["error": "\(error)"])
      database.close()
    }
    loops.stop()
    loops.join()
    resolver.stop()
    logger.info("stopped")
  }

  /// SIGHUP: reads certificate, key, access keys and token lists anew and takes over the log level. What is wrong is
  /// logged, and what was read before stays.
  public func reload(_ settings: Settings) async {
    ServerLog.setLevel(settings.log.logLevel)
    reloadCertificate(settings.http.tls)
    do {
      try await tokenLists.reload(settings.chains)
      logger.notice("reloaded the token lists")
    } catch {
      logger.error("token lists not reloaded, those before stay in force", metadata: ["reason": "\(error)"])
    }
    reloadKeys(settings.auth)
  }

  private func reloadKeys(_ newer: Settings.Auth?) {
    do throws(StartError) {
      switch (services.access, newer) {
      case (let access?, let newer?):
        try access.reload(newer, logger: logger)
        logger.notice("reloaded the access keys")
      case (nil, nil): break
      case (_?, nil): throw StartError("auth: tokens go on being asked for until the next start")
      case (nil, _?): throw StartError("auth: tokens are not asked for before the next start")
      }
    } catch {
      logger.error(
        "access keys not reloaded, those before stay in force", metadata: ["reason": "\(error)"])
    }
  }

  private func reloadCertificate(_ files: Settings.TLS?) {
    guard let tls else {
      if files != nil { logger.error("TLS can't be switched on by a reload: restart the server") }
      return
    }
    guard let files else { return logger.error("TLS can't be switched off by a reload: restart the server") }
    do throws(StartError) {
      let certificate = try ServerCertificate(files)
      try certificate.replace(in: tls)
      for warning in certificate.warnings(now: Self.clock() / 1_000) { logger.warning("\(warning)") }
      logger.notice("reloaded the certificate")
    } catch {
      logger.error(
        "certificate not reloaded, the one before stays in force", metadata: ["reason": "\(error)"])
    }
  }

  /// Goodbyes take a round trip; a client that does not answer is not waited for longer than `drainSeconds`.
  private func waitForClients() async {
    let deadline = ContinuousClock.now + settings.limits.drain
    while ContinuousClock.now < deadline {
      var open = 0
      for shard in services.shards {
        open += (try? await shard.loop.perform { shard.loop.statistics.acceptedOpen }) ?? 0
      }
      if open == 0 { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Reads an answer of the kernel's random source.
  static func random() -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }

  /// Unix time.
  public static let clock: @Sendable () -> UnixMilliseconds = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// Lets clients ask for what `Refresh` does.
private struct RefreshDesk: RefreshRequester {
  let refresh: RefreshService
  let requests: JobGroup

  func requestRefresh(_ wallet: WalletKey, _ answer: @escaping @Sendable (RefreshAnswer) -> Void) {
    let isTaken = requests.run {
      switch await refresh.requestRefresh(wallet, whenAccepted: { answer(.accepted) }) {
      case .accepted: break
      case .cooldown(let ago, let retry): answer(.cooldown(agoMilliseconds: ago, retryMilliseconds: retry))
      case .chainUnsupported(let chain): answer(.chainUnsupported(chain))
      case .serverFull(let limit): answer(.serverFull(limit: limit))
      case .internal: answer(.internal)
      }
    }
    if !isTaken { answer(.internal) }
  }
}

/// What a server is made of, in the order in which it is made.
private struct Parts {
  let settings: Settings
  let logger: Logger
  let loops: EventLoopGroup
  let database: Database
  let ledger: Ledger
  let tokenLists: TokenLists
  let writer: Writer
  let resolver: Resolver
  let client: HTTPClient
  let refresh: RefreshService
  let pricing: PricePipeline
  let services: Services
  let tls: TLSServer?
  let address: SocketAddress

  init(_ files: SettingsFiles, metrics: PrometheusMetrics, logger: Logger) async throws {
    let settings = files.settings
    self.settings = settings
    self.logger = logger
    let jobs = JobBoard(logger: logger)
    tls = try Self.makeTLS(files.certificate, logger)
    let access = files.keys.map { AccessControl($0, logger: logger) }
    let wanted = ListenAddress(host: settings.http.host, port: settings.http.port)
    try Self.orSaysWhere(wanted) { () throws(SystemError) in try EventLoop.requireFree(wanted) }
    let restored = try Database.restore(
      path: settings.storage.path, random: WalletPushServer.random(), settings: .standard, logger: logger,
      replacesDamaged: settings.storage.replacesDamaged, now: WalletPushServer.clock())
    database = restored.database
    let inactive = try database.syncChains(
      settings.chains.map {
        ChainRecord(
          code: $0.chain.code, chainID: $0.chain.chainID, name: $0.chain.name,
          symbol: $0.chain.nativeCoin.symbol)
      })
    let chains = settings.chains.filter { !inactive.contains($0.chain.code) }
    loops = try EventLoopGroup(
      count: settings.http.loops, name: "walletpush", configuration: Self.loopConfiguration(settings))
    resolver = try Resolver(threads: 2, queueMaximum: 1_024)
    client = HTTPClient(
      loops: loops, resolver: resolver,
      configuration: .standard(
        userAgent: WalletPushServer.name, security: try TLSClient(trust: .system)),
      logger: logger)

    let desk = DeferredDesk()
    let pushSettings = Self.pushSettings(settings)
    let shards = loops.loops.enumerated().map { index, loop in
      Shard(
        index: index, loop: loop, settings: pushSettings, refresher: desk, authenticator: access)
    }
    ledger = Ledger(
      epoch: database.start.epoch, revision: database.start.revision,
      chains: Set(chains.map(\.chain.code)), publisher: Hub(shards: shards), store: database,
      limits: LedgerLimits(
        wallets: settings.limits.wallets, tokens: settings.limits.tokens,
        tokensPerWallet: settings.limits.tokensPerWallet),
      times: LedgerTimes(
        balance: settings.cache.balance.milliseconds,
        price: max(settings.cache.price.milliseconds, settings.prices.interval.milliseconds * 3)),
      clock: WalletPushServer.clock)
    await ledger.restore(restored.state)
    tokenLists = TokenLists(
      ledger: ledger, client: client, period: settings.cache.metadata, timeout: settings.refresh.timeout,
      logger: logger, jobs: jobs)
    await tokenLists.load(chains, files.tokenLists)
    writer = Writer(database: database, ledger: ledger, settings: .standard, jobs: jobs)
    try await writer.start()
    let revision = await ledger.revision
    for shard in shards { shard.attach(ledger.inbox, epoch: ledger.epoch, revision: revision) }

    var rules = EndpointRules()
    rules.requestsPerSecond = settings.refresh.requestsPerSecond
    refresh = RefreshService(
      ledger: ledger,
      chains: try chains.map {
        try Self.refreshSettings($0, timeout: settings.refresh.timeout, rules: rules)
      },
      client: client,
      settings: Self.refreshSettings(settings),
      cache: MemoryCache(
        maximumBytes: settings.cache.maximumBytes, idle: settings.cache.balance * 2 + .seconds(60)),
      clock: WalletPushServer.clock, logger: logger, jobs: jobs)
    desk.attach(
      RefreshDesk(
        refresh: refresh,
        requests: JobGroup("refresh_request", on: jobs, width: 64, waitingMaximum: 10_000)))
    let hasPrices = !settings.prices.sources.isEmpty
    pricing = PricePipeline(
      ledger: ledger,
      sources: try settings.prices.makeSources(client: client, chains: chains),
      settings: PricingSettings(
        interval: settings.prices.interval, maximumAge: settings.prices.maximumAge),
      clock: WalletPushServer.clock, logger: logger, jobs: jobs)
    await refresh.setPriceRound { [pricing] tokens in await pricing.refreshPrices(of: tokens) }
    await ledger.observe(with: refresh)
    if hasPrices { await ledger.observe(with: pricing) }

    services = Services(
      serverName: WalletPushServer.name, ledger: ledger, refresh: refresh, pricing: pricing, writer: writer,
      shards: shards,
      sessions: shards.map { _ in HTTPSessions() },
      files: files.webRoot ?? WebRoot.find(logger), access: access, metrics: metrics,
      jobs: jobs, damagedFiles: restored.damagedFiles.count, clock: WalletPushServer.clock)
    let router = Router(settings: settings, services: services)
    address = try Self.listen(settings, shards, router, tls)
    try loops.start()
    await refresh.start()
    await tokenLists.start { [refresh] chain in await refresh.readAgain(chain) }
    if hasPrices { await pricing.start() }
  }

  private static func refreshSettings(_ settings: Settings) -> RefreshSettings {
    var refresh = RefreshSettings(cooldown: settings.refresh.cooldown, balanceTTL: settings.cache.balance)
    refresh.zeroBalanceTTL = settings.cache.zeroBalance
    refresh.tokenListTTL = settings.cache.tokenList
    refresh.metadataTTL = settings.cache.metadata
    return refresh
  }

  private static func refreshSettings(
    _ configuration: ChainConfiguration, timeout: Duration, rules: EndpointRules
  ) throws -> ChainSettings {
    let chain = configuration.chain
    var settings = ChainSettings(
      chain: chain, endpoints: try chain.rpc.map { try HTTPURL($0) }, timeout: timeout, rules: rules)
    settings.staleHead = configuration.staleHeadInForce
    if configuration.followBlocks {
      settings.follow = FollowSettings(
        poll: configuration.poll, announcers: try configuration.ws.map { try WebSocketURL($0) })
    }
    return settings
  }

  /// Every loop has a listener of its own on the same port; the kernel spreads the connections.
  private static func listen(
    _ settings: Settings, _ shards: [Shard], _ router: Router, _ tls: TLSServer?
  ) throws -> SocketAddress {
    var address = ListenAddress(host: settings.http.host, port: settings.http.port)
    var bound: SocketAddress?
    for (shard, sessions) in zip(shards, router.services.sessions) {
      let session = { (connection: Connection, refusal: ConnectionBudget.Refusal?) in
        connection.filter = tls?.makeFilter()
        return HTTPSession(
          router: router, shard: shard, sessions: sessions, connection: connection, refusal: refusal)
      }
      // What is refused before TLS has begun can't be told in plain text.
      let refusal = tls == nil ? ConnectionRefusal.answer : []
      let listener = try orSaysWhere(address) { () throws(SystemError) in
        try shard.loop.listen(on: address, refusal: refusal, turnAway: session) {
          session($0, nil)
        }
      }
      bound = listener.address
      address.port = listener.address.port
    }
    guard let bound else { throw StartError("http.loops: there must be at least one event loop") }
    return bound
  }

  private static func orSaysWhere<Value>(
    _ address: ListenAddress, _ listen: () throws(SystemError) -> Value
  ) throws(StartError) -> Value {
    do {
      return try listen()
    } catch {
      throw StartError("http.host, http.port: cannot listen on \(address.host):\(address.port): \(error)")
    }
  }

  private static func makeTLS(
    _ certificate: ServerCertificate?, _ logger: Logger
  ) throws(StartError) -> TLSServer? {
    guard let certificate else { return nil }
    for warning in certificate.warnings(now: WalletPushServer.clock() / 1_000) {
      logger.warning("\(warning)")
    }
    return try certificate.makeServer()
  }

  private static func loopConfiguration(_ settings: Settings) -> EventLoopConfiguration {
    var configuration = EventLoopConfiguration.standard
    let limits = settings.limits
    let clients = ClientAddresses(trusted: settings.http.trustedProxies)
    configuration.budget = ConnectionBudget(
      connections: limits.connections,
      perAddress: limits.connectionsPerAddress == 0 ? nil : limits.connectionsPerAddress,
      isExempt: { clients.isTrusted($0) })
    configuration.flushTimeout = min(configuration.flushTimeout, limits.slow)
    // The kernel would hold megabytes for a client that takes nothing, out of sight of all our limits.
    configuration.unsentLowWaterBytes = Int32(clamping: max(16_384, limits.unsentBytes))
    return configuration
  }

  private static func pushSettings(_ settings: Settings) -> PushSettings {
    var push = PushSettings(
      serverName: WalletPushServer.name, walletsPerConnection: settings.limits.walletsPerConnection,
      messageBytes: settings.limits.messageBytes, messageFrames: settings.limits.messageFrames,
      operationsPerSecond: settings.limits.opsPerSecond, excess: settings.limits.excessMessages,
      unsentBytes: settings.limits.unsentBytes, pingInterval: settings.limits.idlePing,
      pongTimeout: settings.limits.pong, slowTimeout: settings.limits.slow,
      authorizationTimeout: settings.limits.handshake)
    push.compression = settings.compression.deflate
    return push
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
