import Ethereum
import EventLoop
import Glibc
import JSON
import Ledger
import Synchronization
import Testing

@testable import Push

/// Shards on real loops with a real ledger, behind a listener that "upgrades" at the first line of what comes:
/// the names of `?wallet=`, with commas, behind semicolons the tokens of the handshake, and what compression was
/// negotiated; or `@`, a wallet and perhaps what a stream resumes from.
final class PushBench: Sendable {
  final class Store: WalletStore {
    private let failing = Mutex(false)
    func setFailing(_ isFailing: Bool) { failing.withLock { $0 = isFailing } }
    struct Failure: Error {}
    func insert(_ wallets: [(id: WalletID, key: WalletKey)]) async throws {
      if failing.withLock({ $0 }) { throw Failure() }
    }
    func delete(_ wallet: WalletID) async throws {}
    func setVisible(_ isVisible: Bool, wallet: WalletID, token: TokenID) async throws {}
  }

  final class Refresher: RefreshRequester {
    let answer = Mutex(RefreshAnswer.accepted)
    func requestRefresh(_ wallet: WalletKey, _ answer: @escaping @Sendable (RefreshAnswer) -> Void) {
      answer(self.answer.withLock { $0 })
    }
  }

  private final class Upgrader: ConnectionHandler {
    let shard: Shard
    var held: [UInt8] = []
    init(shard: Shard) { self.shard = shard }

    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
      held += bytes
      guard let end = held.firstIndex(of: 10) else { return }
      let line = String(decoding: held[..<end], as: UTF8.self)
      if line.first == "@" {
        return stream(line.dropFirst().split(separator: " ").map(String.init), connection)
      }
      let parts = line.split(separator: "|", omittingEmptySubsequences: false)
      let texts = parts[0].split(separator: ";", omittingEmptySubsequences: false)
      let names = texts[0].split(separator: ",").map(String.init)
      let tokens = texts.dropFirst().map(String.init)
      let deflate = parts.last.flatMap { Deflate(rawValue: String($0)) }?.parameters
      var rest = Array(held[(end + 1)...])
      held = []
      rest.withUnsafeMutableBytes {
        shard.adopt(connection, wallets: names, tokens: tokens, deflate: deflate, leftover: $0)
      }
    }
    private func stream(_ words: [String], _ connection: Connection) {
      guard let name = words.first, let wallet = try? WalletKey(parsing: name) else { return }
      let authority = try? shard.authenticator?.authenticate("good", now: 0)
      shard.stream(
        on: connection, wallet: wallet, since: words.dropFirst().first,
        authority: authority ?? Authority(wallets: nil, expiresAt: .max))
    }

    func inputEnded(on connection: Connection) { connection.close(.requested, afterFlush: false) }
    func closed(_ connection: Connection, reason: CloseReason) {}
  }

  private final class Holder: Sendable {
    private let isHeld = Mutex(true)
    let isHolding = Atomic<Bool>(false)
    func release() { isHeld.withLock { $0 = false } }
    func hold() {
      isHolding.store(true, ordering: .releasing)
      while isHeld.withLock({ $0 }) { usleep(500) }
    }
  }

  let shards: [Shard]
  let clientLoop: EventLoop
  let ledger: Ledger
  let store = Store()
  let refresher = Refresher()
  private let addresses: [SocketAddress]
  private let blocks = Mutex<UInt64>(10)

  static let epoch = "k3f9"
  static let time: UnixMilliseconds = 1_763_805_600_000

  static let settings = PushSettings(
    serverName: "walletpush/test", walletsPerConnection: 100, messageBytes: 65_536,
    messageFrames: 64, operationsPerSecond: 100_000, excess: 100_000,
    unsentBytes: 65_536, pingInterval: .seconds(60), pongTimeout: .seconds(60), slowTimeout: .seconds(60),
    authorizationTimeout: .seconds(60))

  init(
    shards count: Int = 1, sendBuffer: Int32? = nil, walletLimit: Int = 10_000, gate: Gatekeeper? = nil,
    _ change: (inout PushSettings) -> Void = { _ in }
  ) async throws {
    var settings = Self.settings
    change(&settings)
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    // A client that is slow to read the Close must still find it.
    configuration.lingerTimeout = .seconds(120)
    clientLoop = try EventLoop(name: "client", configuration: configuration)
    configuration.sendBufferBytes = sendBuffer
    var shards: [Shard] = []
    for index in 0..<count {
      shards.append(
        Shard(
          index: index, loop: try EventLoop(name: "loop \(index)", configuration: configuration),
          settings: settings, refresher: refresher, authenticator: gate, wallClock: gate.map { $0.time }))
    }
    self.shards = shards
    ledger = Ledger(
      epoch: Self.epoch, revision: 100,
      chains: [try ChainCode(parsing: "ETH"), try ChainCode(parsing: "BSC")],
      publisher: Hub(shards: shards), store: store,
      limits: LedgerLimits(wallets: walletLimit, tokens: 10_000, tokensPerWallet: 5_000),
      times: LedgerTimes(balance: 300_000, price: 300_000), clock: { Self.time })
    var addresses: [SocketAddress] = []
    for shard in shards {
      shard.attach(ledger.inbox, epoch: Self.epoch, revision: 100)
      addresses.append(
        try shard.loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) { _ in Upgrader(shard: shard) }
          .address)
      try shard.loop.start()
    }
    self.addresses = addresses
    try clientLoop.start()
    await ledger.intern(
      try TokenKey(parsing: "ETH:native"), info: TokenInfo(symbol: "ETH", decimals: 18, isListed: true))
  }

  deinit {
    // The loops end before what they refer to.
    for loop in shards.map(\.loop) + [clientLoop] {
      loop.stop()
      loop.join()
    }
  }

  // MARK: Clients

  func client(
    _ shard: Int = 0, wallets: [String] = [], tokens: [String] = [], answersPings: Bool = true,
    receiveBuffer: Int32? = nil, deflate: Deflate = .none
  ) async throws -> TestClient {
    let client = TestClient(
      loop: clientLoop, wallets: wallets, tokens: tokens, answersPings: answersPings,
      receiveBuffer: receiveBuffer, deflate: deflate)
    try await client.connect(to: addresses[shard])
    return client
  }

  /// A client that has had its hello.
  func greeted(
    _ shard: Int = 0, receiveBuffer: Int32? = nil, deflate: Deflate = .none
  ) async throws -> TestClient {
    let client = try await client(shard, receiveBuffer: receiveBuffer, deflate: deflate)
    _ = try await client.message("hello")
    return client
  }

  /// A reader of a wallet's event stream.
  func reader(
    _ wallet: String, on shard: Int = 0, since: String? = nil, receiveBuffer: Int32? = nil
  ) async throws -> StreamReader {
    let reader = StreamReader(clientLoop, preamble: "@\(wallet) \(since ?? "")\n", receiveBuffer)
    try await reader.connect(to: addresses[shard])
    return reader
  }

  /// Runs on the shard's loop, for a look at its only client.
  func withClient<Value: Sendable>(
    _ shard: Int = 0, _ body: @escaping @Sendable (PushClient) throws -> Value
  ) async throws -> Value {
    let shard = shards[shard]
    return try await shard.loop.perform {
      guard let client = shard.clients.all.first else {
        throw TestClient.Unexpected(description: "no client")
      }
      return try body(client)
    }
  }

  func statistics(_ shard: Int = 0) async throws -> ShardStatistics {
    let shard = shards[shard]
    return try await shard.loop.perform { shard.statistics }
  }

  /// Whether no client is left.
  func isEmpty(_ shard: Int = 0) async throws -> Bool {
    let shard = shards[shard]
    return try await shard.loop.perform { shard.clients.count == 0 }
  }

  /// Every batch published so far has been taken by the loops, and their turns have ended.
  func flush() async throws {
    for shard in shards { for _ in 0..<2 { try await shard.loop.perform {} } }
  }

  /// Holds the first loop up meanwhile: it takes all that is published in one turn.
  func whileHeld(_ body: () async throws -> Void) async throws {
    let holder = Holder()
    shards[0].loop.post { holder.hold() }
    defer { holder.release() }
    // What is published before it holds would be another turn's.
    while !holder.isHolding.load(ordering: .acquiring) { await Task.yield() }
    try await body()
  }

  // MARK: The ledger

  static func wallet(_ number: Int) -> String {
    let digits = String(number + 0x1_0000, radix: 16)
    return "ETH:0x" + String(repeating: "0", count: 40 - digits.count) + digits
  }

  static func token(_ number: Int) -> String { wallet(number + 0x100_0000) }

  /// Makes a token of 6 decimals.
  @discardableResult
  func addToken(_ number: Int) async throws -> TokenID {
    await ledger.intern(
      try TokenKey(parsing: Self.token(number)),
      info: TokenInfo(symbol: "T\(number)", name: "Token \(number)", decimals: 6, isListed: true))
  }

  @discardableResult
  func register(_ wallet: String) async throws -> WalletID {
    let answers = await ledger.register([try WalletKey(parsing: wallet)])
    return try answers[0].get().id
  }

  /// A read of the wallet at a newer block: its native coin and these tokens.
  func read(_ wallet: String, native: UInt64 = 1, _ tokens: [(TokenID, UInt64)] = []) async throws {
    let id = try await register(wallet)
    let block = blocks.withLock { block -> UInt64 in
      block += 1
      return block
    }
    var outcomes: [(token: TokenID, outcome: WalletReading.Outcome)] = [(0, .balance(UInt256(native)))]
    for (token, balance) in tokens { outcomes.append((token, .balance(UInt256(balance)))) }
    await ledger.accept(WalletReading(wallet: id, block: block, readAt: Self.time, outcomes: outcomes))
  }

  func price(_ prices: [(TokenID, Int)]) async throws {
    let readings = try prices.map { token, cents in
      PriceReading(
        token: token, price: try #require(ExactDecimal(parsing: "\(cents / 100).\(cents % 100)")),
        change: nil,
        sourceTime: Self.time)
    }
    await ledger.accept(prices: readings, asked: [])
  }

  /// A registered wallet with the native coin and so many tokens.
  func heldWallet(_ number: Int = 1, tokens: Int = 1) async throws -> String {
    let wallet = Self.wallet(number)
    var held: [(TokenID, UInt64)] = []
    for index in 0..<tokens { held.append((try await addToken(index), 5_000_000)) }
    try await read(wallet, held)
    return wallet
  }

  func snapshot(_ wallet: String) async throws -> JSONValue {
    let id = try await register(wallet)
    let encoder = try #require(await ledger.snapshot(of: id))
    return try JSONParser.parse(encoder.whole(), limits: JSONLimits(depth: 16, numberBytes: 100))
  }
}
