import Ethereum
import Synchronization
import Testing

@testable import Ledger

// A ledger on a bench: it publishes into a recorder, its store is memory that fails when told to, and its clock
// stands still until it is moved.

final class Recorder: LedgerPublisher {
  private struct State {
    var batches: [LedgerBatch] = []
    var replies: [WatchReply] = []
  }
  private let state = Mutex(State())

  func publish(_ batch: LedgerBatch) { state.withLock { $0.batches.append(batch) } }
  func deliver(_ reply: WatchReply, toShard shard: Int) { state.withLock { $0.replies.append(reply) } }

  /// What was published since the last call.
  func takeBatches() -> [LedgerBatch] {
    state.withLock { state in
      let taken = state.batches
      state.batches = []
      return taken
    }
  }

  /// The frames published since the last call.
  func takeFrames() -> [String] {
    takeBatches().flatMap(\.changes).map { String(decoding: $0.json, as: UTF8.self) }
  }

  func takeReplies() -> [WatchReply] {
    state.withLock { state in
      let taken = state.replies
      state.replies = []
      return taken
    }
  }
}

final class MemoryStore: WalletStore {
  struct Failure: Error {}
  private struct State {
    var inserts: [[WalletKey]] = []
    var ids: [WalletID] = []
    var deleted: [WalletID] = []
    var hidden: [Bool] = []
    var isFailing = false
    var gate: (@Sendable () async -> Void)?
  }
  private let state = Mutex(State())

  func setFailing(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }
  /// Called in the next insert, before it returns.
  func gateNextInsert(_ gate: @escaping @Sendable () async -> Void) { state.withLock { $0.gate = gate } }
  var inserts: [[WalletKey]] { state.withLock { $0.inserts } }
  var ids: [WalletID] { state.withLock { $0.ids } }
  var deleted: [WalletID] { state.withLock { $0.deleted } }

  func insert(_ wallets: [(id: WalletID, key: WalletKey)]) async throws {
    let gate = state.withLock { state in
      defer { state.gate = nil }
      return state.gate
    }
    await gate?()
    try state.withLock { state in
      state.inserts.append(wallets.map(\.key))
      if state.isFailing { throw Failure() }
      state.ids += wallets.map(\.id)
    }
  }

  func delete(_ wallet: WalletID) async throws {
    try state.withLock { state in
      if state.isFailing { throw Failure() }
      state.deleted.append(wallet)
    }
  }

  func setVisible(_ isVisible: Bool, wallet: WalletID, token: TokenID) async throws {
    try state.withLock { state in
      if state.isFailing { throw Failure() }
      state.hidden.append(isVisible)
    }
  }
}

final class Observer: WatchObserver {
  enum Event: Equatable {
    case wanted(WalletID, isWatched: Bool)
    case unwatched(WalletID)
    case prices
  }
  private let events = Mutex<[Event]>([])

  func walletWanted(_ wallet: WalletID, key: WalletKey, isWatched: Bool) {
    events.withLock { $0.append(.wanted(wallet, isWatched: isWatched)) }
  }
  func walletUnwatched(_ wallet: WalletID) { events.withLock { $0.append(.unwatched(wallet)) } }
  func pricesWanted() { events.withLock { $0.append(.prices) } }

  func take() -> [Event] {
    events.withLock { state in
      let taken = state
      state = []
      return taken
    }
  }
}

final class VirtualClock: Sendable {
  private let milliseconds: Mutex<UnixMilliseconds>
  init(_ start: UnixMilliseconds) { milliseconds = Mutex(start) }
  var now: UnixMilliseconds { milliseconds.withLock { $0 } }
  func advance(by amount: UnixMilliseconds) { milliseconds.withLock { $0 += amount } }
}

struct Bench {
  static let start: UnixMilliseconds = 1_763_805_600_000
  static let eth = "ETH:0x00000000000000000000000000000000000000a1"
  static let second = "ETH:0x00000000000000000000000000000000000000a2"
  static let usdc = "ETH:0x00000000000000000000000000000000000000c1"
  static let spam = "ETH:0x00000000000000000000000000000000000000c2"

  let ledger: Ledger
  let recorder = Recorder()
  let store = MemoryStore()
  let observer = Observer()
  let clock = VirtualClock(Bench.start)
  /// The numbers of the three tokens that are always there.
  let native: TokenID = 0
  let usdc: TokenID = 1
  let spam: TokenID = 2

  /// With the native coin of ETH (18 decimals), USDC (6) and an unlisted token without decimals.
  init(
    revision: Revision = 100, wallets: Int = 1_000, tokens: Int = 1_000, tokensPerWallet: Int = 100,
    isEmpty: Bool = false
  ) async throws {
    let clock = clock
    ledger = Ledger(
      epoch: "k3f9", revision: revision,
      chains: [try ChainCode(parsing: "ETH"), try ChainCode(parsing: "BSC")], publisher: recorder,
      store: store,
      limits: LedgerLimits(wallets: wallets, tokens: tokens, tokensPerWallet: tokensPerWallet),
      times: LedgerTimes(balance: 300_000, price: 60_000), clock: { clock.now })
    await ledger.observe(with: observer)
    if isEmpty { return }
    await ledger.internAll([
      (
        try TokenKey(parsing: "ETH:native"),
        TokenInfo(symbol: "ETH", name: "Ether", decimals: 18, isListed: true)
      ),
      (
        try TokenKey(parsing: Bench.usdc),
        TokenInfo(symbol: "USDC", name: "USD Coin", decimals: 6, logo: "https://x/u.png", isListed: true)
      ),
      (try TokenKey(parsing: Bench.spam), TokenInfo(isListed: false)),
    ])
  }

  /// Everything asked before has been done.
  func settle() async { _ = await ledger.register([]) }

  /// Watches from loop 0 and returns the answer.
  @discardableResult
  func watch(
    _ wallets: [String], tokens: [String] = [], shard: Int = 0, isOnce: Bool = false
  ) async throws -> WatchReply {
    ledger.inbox.post(
      .watch(
        WatchRequest(
          shard: shard, ticket: 7, wallets: try wallets.map { try WalletKey(parsing: $0) },
          tokens: try tokens.map { try TokenKey(parsing: $0) }, isOnce: isOnce)))
    await settle()
    return try #require(recorder.takeReplies().last)
  }

  /// A watched wallet that has been read: 1.23 ETH and 25 USDC at block 10. Its number is 1.
  func watchedWallet() async throws -> WalletID {
    try await watch([Bench.eth])
    try await read(block: 10, [(native, "1230000000000000000"), (usdc, "25000000"), (spam, "0")])
    _ = recorder.takeBatches()
    _ = observer.take()
    return 1
  }

  /// A read of wallet 1; `nil` for a token whose read failed.
  @discardableResult
  func read(
    _ wallet: WalletID = 1, block: UInt64, _ balances: [(TokenID, String?)]
  ) async throws -> Ledger.ReadingVerdict {
    await ledger.accept(
      WalletReading(
        wallet: wallet, block: block, readAt: clock.now,
        outcomes: try balances.map { token, text in
          guard let text else { return (token, .failed) }
          return (token, .balance(UInt256(try #require(UInt64(text)))))
        }))
  }

  @discardableResult
  func price(
    _ token: TokenID, _ text: String, change: Int64? = nil, age: UnixMilliseconds = 0, asked: [TokenID] = []
  ) async throws -> (accepted: Int, outdated: Int) {
    let reading = PriceReading(
      token: token, price: try #require(ExactDecimal(parsing: text)),
      change: change.map { Hundredths(value: $0) },
      sourceTime: clock.now - age)
    let verdict = await ledger.accept(prices: [reading], asked: asked)
    return (verdict.accepted, verdict.outdated.count)
  }

  func cells(_ wallet: WalletID = 1) async throws -> WalletCells { try #require(await ledger.wallet(wallet)) }
  func snapshot(_ wallet: WalletID = 1) async throws -> String {
    String(decoding: try #require(await ledger.snapshot(of: wallet)).whole(), as: UTF8.self)
  }
}

extension WatchReply {
  var firstCells: WalletCells? { wallets.first.flatMap { try? $0.result.get() } }
}

/// The values of a member in a frame, as text: enough for looking into frames of known shape.
func member(_ name: String, _ frame: String) -> String? {
  let mark = "\"\(name)\":"
  guard let start = frame.firstRange(of: mark)?.upperBound else { return nil }
  return String(frame[start...].prefix { $0 != "," && $0 != "}" })
}

/// Holds somebody up until the test lets him pass.
final class Gate: Sendable {
  private let arrival = AsyncStream<Void>.makeStream()
  private let release = AsyncStream<Void>.makeStream()

  func pass() async {
    arrival.continuation.yield()
    for await _ in release.stream { return }
  }
  /// Until somebody stands before the gate.
  func entered() async { for await _ in arrival.stream { return } }
  func open() { release.continuation.yield() }
}
