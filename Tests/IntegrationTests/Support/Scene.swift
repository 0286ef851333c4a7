import Devnet
import Ethereum
import EventLoop
import Glibc
import JSON
import Logging
import Synchronization
import TestSupport

@testable import Server

/// A server on a simulated chain and price source that move only when told, with a database file of its own.
final class Scene: Sendable {
  static let metrics = ServerMetrics.bootstrap()

  let world: DemoWorld
  let devnet: DevnetServer
  private let folder: TemporaryFolder
  let settings: Settings
  private let running = Mutex<WalletPushServer?>(nil)

  /// - Parameter configure: what else is to be set.
  init(_ configure: (inout Settings) -> Void = { _ in }) throws {
    world = DemoWorld(seed: 7, wallets: 3, tokens: 8)
    devnet = try DevnetServer(world)
    folder = try TemporaryFolder()
    var settings = Settings()
    settings.http.port = 0
    settings.http.loops = 2
    // Most requests of the tests are for "a".
    settings.http.allowedHosts = ["*"]
    settings.storage.path = folder.path + "/db.sqlite"
    settings.chains = [ChainConfiguration(chain: world.chain(rpcURL: devnet.rpcURL))]
    settings.prices.defiLlama.url = devnet.pricesURL
    settings.prices.interval = .milliseconds(100)
    settings.refresh.cooldown = .zero
    settings.limits.drain = .seconds(1)
    configure(&settings)
    self.settings = settings
  }

  var server: WalletPushServer {
    get throws {
      guard let server = running.withLock({ $0 }) else { throw NothingCame(description: "a running server") }
      return server
    }
  }
  var port: UInt16 { get throws { try server.address.port } }

  func start(_ settings: Settings? = nil) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let files = try SettingsFiles(settings ?? self.settings)
    let server = try await WalletPushServer.start(files, metrics: Self.metrics, logger: logger)
    running.withLock { $0 = server }
  }

  func stop() async {
    guard let server = running.withLock({ $0.take() }) else { return }
    await server.drain()
  }

  /// The settings of a server that goes on with a copy of the database made now, as if this one had died.
  func settingsOfCrashCopy() throws -> Settings {
    var copy = settings
    copy.storage.path = folder.path + "/copy.sqlite"
    for suffix in ["", "-wal"] {
      let bytes = try SmallFile.read(settings.storage.path + suffix, limit: 64 << 20)
      let descriptor = open(copy.storage.path + suffix, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
      defer { close(descriptor) }
      guard write(descriptor, bytes, bytes.count) == bytes.count else {
        throw NothingCame(description: "a copy of the database")
      }
    }
    return copy
  }

  func end() async {
    await stop()
    devnet.stop()
  }

  // MARK: - Shortcuts

  func client(
    _ target: String = "/ws", subprotocols: [String] = [], headers: [(String, String)] = [],
    tls: TLSClient? = nil
  ) async throws -> PushTester {
    try await PushTester.connect(
      port: try port, target: target, subprotocols: subprotocols, headers: headers, tls: tls)
  }

  func call(
    _ method: String, _ target: String, headers: [(String, String)] = [], body: String? = nil,
    tls: TLSClient? = nil
  ) async throws -> Answer {
    try await http(method, target, port: try port, headers: headers, body: body, tls: tls)
  }

  var wallet: WalletKey { world.wallets[0] }

  /// A client that follows a wallet and has seen it fresh.
  func watcher(_ wallet: WalletKey? = nil, tls: TLSClient? = nil) async throws -> PushTester {
    let client = try await client(tls: tls)
    _ = try await client.ask(1, #""op":"subscribe","wallets":["\#(wallet ?? self.wallet)"]"#)
    _ = try await client.freshSnapshot()
    return client
  }

  func setPrice(_ text: String) async throws {
    try await devnet.withPrices { _ = $0.setPrice("coingecko:ethereum", text) }
  }

  /// Sets a price nobody has seen, and waits for it at a client.
  func expectPrices(at client: PushTester, _ text: String) async throws {
    try await setPrice(text)
    try await client.frame("price \(text)") { $0["type"] == "price" && $0["price_usd"]?.string == text }
  }

  /// What the chain says a wallet has of a token, by the token's key as text.
  func balances(_ wallet: WalletKey) async throws -> [String: String] {
    let tokens = world.tokens.map(\.address)
    let code = wallet.chain.description
    return try await devnet.withChain { chain in
      var balances = ["\(code):native": chain.balance(nil, of: wallet.address).decimal]
      for token in tokens {
        let balance = chain.balance(token, of: wallet.address)
        if !balance.isZero { balances["\(code):\(token.lowercase)"] = balance.decimal }
      }
      return balances
    }
  }

  /// Moves a token's whole balance, or the coin's half, from the first wallet to the second, in a block.
  func move(_ token: Address?) async throws {
    let (from, to) = (world.wallets[0].address, world.wallets[1].address)
    try await devnet.withChain { chain in
      let held = chain.balance(token, of: from)
      let amount = token == nil ? held.quotientAndRemainder(dividingBy: 2).quotient : held
      try chain.transfer(token, from: from, to: to, amount: amount)
      chain.mine()
    }
  }

  var reads: Int { get async throws { try await devnet.chainStatistics.methods["eth_call", default: 0] } }
}

/// Runs a test on a scene that is gone afterwards.
func withScene(
  starts: Bool = true, _ configure: (inout Settings) -> Void = { _ in }, _ body: (Scene) async throws -> Void
) async throws {
  let scene = try Scene(configure)
  do {
    if starts { try await scene.start() }
    try await body(scene)
  } catch {
    await scene.end()
    throw error
  }
  await scene.end()
}

extension JSONValue {
  /// The balances of a snapshot, by token.
  var balances: [String: String] {
    var balances: [String: String] = [:]
    for row in self["tokens"]?.array ?? [] {
      balances[row["token"]?.string ?? "?"] = row["balance"]?.string ?? "null"
    }
    return balances
  }
}
