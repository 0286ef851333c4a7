import ArgumentParser
import Devnet
import Ethereum
import EventLoop
import Glibc
import Ledger
import Server

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the server on a simulated chain and price source: no network, no keys.",
    discussion: """
      Balances and prices move, the web client shows them, and a wallet to try is printed. Nothing is stored.
      The same seed gives the same wallets, balances and moves.

      Settings of the server can be given as for `walletpush serve`; chains, prices, storage,
      refresh.cooldownSeconds and refresh.requestsPerSecond are the simulation's.
      """)

  @Option(help: "Tokens, the chain's coin among them.")
  var tokens = 16

  @Option(help: "Wallets that hold them.")
  var wallets = 5

  @Option(
    help: """
      How often a second every token's price changes; fractions are fine, 0 is never. When given, prices enter at \
      the ledger: the load for benchmarks. Otherwise once a second, by way of the price source's HTTP interface.
      """)
  var ticks: Double?

  @Option(help: "What the simulation is made from.")
  var seed: UInt64 = 1

  @Option(help: "The port (http.port); 0 picks a free one.")
  var port: UInt16?

  @Option(help: "Event loops (http.loops); 0 is one for each core.")
  var loops: Int?

  @OptionGroup
  var tls: TLSOptions

  @OptionGroup
  var settings: SettingsOptions

  func validate() throws {
    guard (1...5_000).contains(tokens) else { throw ValidationError("--tokens is 1 to 5000") }
    guard (1...1_000_000).contains(wallets) else { throw ValidationError("--wallets is 1 to 1000000") }
    guard (0...1_000).contains(ticks ?? 1) else { throw ValidationError("--ticks is 0 to 1000") }
  }

  func run() async throws {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let world = DemoWorld(seed: seed, wallets: wallets, tokens: tokens, timestamp: UInt64(now.tv_sec))
    let devnet: DevnetServer
    do {
      devnet = try DevnetServer(world)
      try await world.start(on: devnet, stepEvery: .seconds(2), ticksPerSecond: ticks == nil ? 1 : 0)
    } catch {
      fail(["the simulation does not start: \(error)"])
    }
    let settings = serverSettings(world, devnet)
    await runUntilSignal(settings) { server in
      await begin(server, world, devnet)
    } onReload: { server in
      await server.reload(settings)
    }
    devnet.stop()
  }

  private func serverSettings(_ world: DemoWorld, _ devnet: DevnetServer) -> Settings {
    var settings = settings.load()
    if let port { settings.http.port = port }
    if let loops { settings.http.loops = loops }
    if let files = tls.files { settings.http.tls = files }
    settings.storage.path = Settings.Storage.inMemory
    // Transfers happen every two seconds.
    settings.chains = [ChainConfiguration(chain: world.chain(rpcURL: devnet.rpcURL), poll: .seconds(2))]
    settings.prices.defiLlama.url = devnet.pricesURL
    settings.prices.interval = ticks == nil ? .seconds(1) : .seconds(15)
    settings.refresh.cooldown = .seconds(3)
    // Its own node needs no sparing.
    settings.refresh.requestsPerSecond = 100_000
    return settings
  }

  private func begin(_ server: WalletPushServer, _ world: DemoWorld, _ devnet: DevnetServer) async {
    let registered = await server.ledger.register(world.wallets)
    guard let wallet = world.wallets.first, case .success? = registered.first else { return }
    writeError(
      """
      walletpush: a simulated chain, nothing is stored. A wallet to try: \(wallet)
      walletpush: open \(server.url)/#\(wallet)
      walletpush: or  websocat '\(server.webSocketURL)/ws?wallet=\(wallet)'

      """)
    guard let ticks, ticks > 0 else { return }
    do {
      try startTicking(server.ledger, world, devnet, perSecond: ticks)
    } catch {
      fail(["prices do not tick: \(error)"])
    }
  }

  /// Feeds the ledger at a fixed rate; a late tick is made up for by a shorter pause.
  ///
  /// The prices are those of a world of its own, which moves as the one behind the price source does: to ask that one
  /// at every tick would cost more than all that follows. It is moved on once a second.
  private func startTicking(
    _ ledger: Ledger, _ world: DemoWorld, _ devnet: DevnetServer, perSecond: Double
  ) throws {
    let thread = try TaskThread()
    Task(executorPreference: thread) {
      var world = world
      let pause = Duration.seconds(1 / perSecond)
      var next = ContinuousClock.now
      var behind = 0
      let tokens = try await tokenIDs(world, in: ledger)
      while !Task.isCancelled {
        next = max(next + pause, ContinuousClock.now)
        thread.sleep(until: next)
        let now = WalletPushServer.clock()
        let readings = world.nextPriceTick().compactMap { tick in
          tokens[tick.contract].flatMap { PriceReading(token: $0, tick: tick, at: now) }
        }
        await ledger.accept(prices: readings, asked: [])
        behind += 1
        if Double(behind) >= perSecond {
          try await devnet.tickPrices(times: behind)
          behind = 0
        }
      }
    }
  }

  private func tokenIDs(_ world: DemoWorld, in ledger: Ledger) async throws -> [Address?: TokenID] {
    let chain = try ChainCode(parsing: "ETH")
    var ids: [Address?: TokenID] = [:]
    for tick in world.priceTicks {
      ids[tick.contract] = await ledger.tokenID(of: TokenKey(chain: chain, contract: tick.contract))
    }
    return ids
  }
}

extension PriceReading {
  fileprivate init?(token: TokenID, tick: PriceTick, at time: UnixMilliseconds) {
    guard let price = ExactDecimal(parsing: tick.price) else { return nil }
    self.init(token: token, price: price, change: Hundredths(value: tick.changeHundredths), sourceTime: time)
  }
}
