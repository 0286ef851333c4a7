// Reads wallets when somebody needs them read.
//
// A wallet is read by one task at a time; whoever asks meanwhile waits for that read. It is read when it is first
// wanted, when what is held is too old for who wants it, when somebody asks for a refresh, and, while it is watched,
// again before its time is up. A failed read of a watched wallet is tried again, ever later.

import Ethereum
import JSON
import Jobs
import Ledger
import Logging
import Metrics
import Synchronization
import Upstream

public struct RefreshSettings: Sendable {
  /// From the start of a successful refresh until the next one is allowed.
  public var cooldown: Duration
  /// How long a reading counts as fresh.
  public var balanceTTL: Duration
  /// How long a balance of zero is believed where nothing that happens is missed.
  public var zeroBalanceTTL = Duration.seconds(86_400)
  /// How long it is believed that no other tokens than those shown need reading.
  public var tokenListTTL = Duration.seconds(300)
  /// How long a token that would not tell its name is not asked for it.
  public var metadataTTL = Duration.seconds(86_400)
  /// Reads under way at once on one chain.
  public var readsPerChain = 16
  public var retryMinimum = Duration.seconds(1)
  public var retryMaximum = Duration.seconds(60)

  public init(cooldown: Duration, balanceTTL: Duration) {
    self.cooldown = cooldown
    self.balanceTTL = balanceTTL
  }
}

public actor RefreshService {
  let ledger: Ledger
  let readers: [ChainCode: ChainReader]
  let chains: [Chain]
  let settings: RefreshSettings
  nonisolated let times: CacheTimes
  nonisolated let cache: any Cache
  nonisolated let cacheMetrics = CacheMetrics()
  let clock: @Sendable () -> UnixMilliseconds
  let logger: Logger
  nonisolated let wishes = Wishes()
  var priceRound: (@Sendable ([TokenID]) async -> Void)?

  /// A read under way or waiting for its turn.
  struct Flight {
    var task: Task<Result<RefreshOutcome, RefreshError>, Never>
    var kind: ReadKind
  }
  var flights: [WalletID: Flight] = [:]
  /// Other tokens were listed while these were under way: they are to be followed by another read.
  var outdatedFlights: Set<WalletID> = []
  var queues: [ChainCode: ReadQueue<Waiting>] = [:]
  let jobs: JobBoard
  /// Of wallets: under way, or waiting in their chain's queue.
  let walletReads: JobRecord
  /// Reads under way, each of the wallets that waited together.
  let turns: JobGroup
  /// Reads that wait for the one before, and first probes.
  let followUps: JobGroup
  var watched: Set<WalletID> = []
  var schedule = ReadSchedule()
  var cooldowns: Cooldowns
  var failures: [WalletID: Int] = [:]
  /// Wallets whose last read was of a block below the one held.
  var lowHeads: [WalletID: LowHead] = [:]
  /// Of the chains that are followed.
  var followers: [ChainCode: ChainFollower] = [:]
  /// Failed reads in a row, by chain, and since when it counts as down.
  var chainFailures: [ChainCode: Int] = [:]
  var downSince: [ChainCode: UnixMilliseconds] = [:]
  var standstills: [ChainCode: Standstill] = [:]
  /// The chains that stand still.
  var stillSince: [ChainCode: UnixMilliseconds] = [:]
  /// What was said last of the chains that are down.
  var troubles: [ChainCode: Trouble] = [:]
  let alarm = Alarm()
  private var runner: JobLoop?
  /// Price rounds that an indicator waits for.
  private let priceRounds: JobGroup
  var isStopped = false
  private let duration = Metrics.Timer(label: "refresh_read")
  private let readsStarted = Counter(label: "refresh_reads_total")
  private let readsFailed = Counter(label: "refresh_reads_failed_total")
  private let underWay = Meter(label: "refresh_reads_under_way")

  public init(
    ledger: Ledger, chains: [ChainSettings], client: HTTPClient, settings: RefreshSettings,
    cache: any Cache, clock: @escaping @Sendable () -> UnixMilliseconds, logger: Logger,
    jobs: JobBoard = JobBoard()
  ) {
    self.jobs = jobs
    walletReads = jobs.record("refresh_wallet")
    turns = JobGroup("refresh_read", on: jobs, width: settings.readsPerChain * max(1, chains.count))
    followUps = JobGroup("refresh_again", on: jobs, width: 1_000)
    priceRounds = JobGroup("refresh_prices", on: jobs, width: 1_000)
    self.ledger = ledger
    self.chains = chains.map(\.chain)
    self.settings = settings
    self.cache = cache
    times = CacheTimes(settings)
    self.clock = clock
    self.logger = logger
    readers = Dictionary(
      chains.map { ($0.chain.code, ChainReader(settings: $0, client: client, logger: logger)) },
      uniquingKeysWith: { first, _ in first })
    cooldowns = Cooldowns(period: settings.cooldown.inMilliseconds)
    for chain in chains {
      standstills[chain.chain.code] = Standstill(limit: chain.staleHead)
      Self.standsStill(chain.chain.code).set(0)
    }
  }

  /// What runs after a refresh, in the background: the prices of the wallet's tokens.
  public func setPriceRound(_ round: @escaping @Sendable ([TokenID]) async -> Void) { priceRound = round }

  public func start() async {
    guard runner == nil else { return }
    followers = makeFollowers()
    runner = JobLoop("refresh_schedule", on: jobs) { [weak self, wishes] turns in
      for await _ in wishes.calls {
        guard let self, !Task.isCancelled else { return }
        await turns.run { await self.work() }
      }
    }
    runner?.start()
    wishes.call()
    for follower in followers.values { await follower.start() }
    // The early word in the log is all there is to wait for.
    for reader in readers.values { followUps.run { await reader.probe() } }
  }

  /// Takes no more wishes, and waits for the reads under way, which are cut short: what is held stays as it is.
  public func stop() async {
    isStopped = true
    alarm.stop()
    await runner?.stop()
    wishes.finish()
    for follower in followers.values { await follower.stop() }
    for reader in readers.values { await reader.cancelProbes() }
    turns.cancel()
    for flight in flights.values {
      flight.task.cancel()
      _ = await flight.task.value
    }
    for group in [turns, followUps, priceRounds] { await group.stop() }
  }

  // MARK: - Refreshes

  /// Begins a refresh, or joins one, and answers at once.
  ///
  /// - Parameter whenAccepted: called before the refresh begins, so that an answer sent from here comes before all
  ///   that the refresh announces.
  public func requestRefresh(
    _ key: WalletKey, whenAccepted: @Sendable () -> Void = {}
  ) async -> RefreshVerdict {
    switch await ledger.register([key]).first {
    case .success(let registered):
      if let wait = waitingTime(registered.id) {
        return .cooldown(agoMilliseconds: wait.ago, retryMilliseconds: wait.retry)
      }
      whenAccepted()
      _ = fly(registered.id, key.chain, .refresh)
      return .accepted
    case .failure(.chainUnsupported(let chain)): return .chainUnsupported(chain)
    case .failure(.serverFull(let limit)): return .serverFull(limit: limit)
    case .failure(.notStored), nil: return .internal
    }
  }

  /// Reads the wallet now and waits for the chain, never for prices. Joins a refresh under way.
  public func refreshNow(_ wallet: WalletID) async throws(RefreshError) -> RefreshOutcome {
    guard let cells = await ledger.wallet(wallet) else { throw .unknownWallet }
    if let wait = waitingTime(wallet) {
      throw .cooldown(agoMilliseconds: wait.ago, retryMilliseconds: wait.retry)
    }
    return try await fly(wallet, cells.key.chain, .refresh).value.get()
  }

  /// `nil` when a refresh may begin, or one is under way and may be joined.
  private func waitingTime(_ wallet: WalletID) -> (ago: Int64, retry: Int64)? {
    if flights[wallet]?.kind == .refresh { return nil }
    return cooldowns.remaining(wallet, now: clock())
  }

  // MARK: - Reads

  /// The read of this wallet: the one under way, or a new one.
  @discardableResult
  func fly(
    _ wallet: WalletID, _ chain: ChainCode, _ kind: ReadKind
  ) -> Task<Result<RefreshOutcome, RefreshError>, Never> {
    if let flight = flights[wallet], flight.kind >= kind { return flight.task }
    // One that leaves less out reads anew: what is under way may have been read before it was asked for.
    let before = flights[wallet]?.task
    let task = Task { () -> Result<RefreshOutcome, RefreshError> in
      _ = await before?.value
      return await self.read(wallet, chain, kind)
    }
    flights[wallet] = Flight(task: task, kind: kind)
    return task
  }

  private func read(
    _ wallet: WalletID, _ chain: ChainCode, _ kind: ReadKind
  ) async -> Result<RefreshOutcome, RefreshError> {
    let start = clock()
    let began = ContinuousClock.now
    // A cold read is worth a loading indicator too.
    let isCold = await ledger.wallet(wallet)?.isComplete == false
    let isAnnounced = kind == .refresh || isCold
    if isAnnounced { await announce(wallet, "balances") }
    readsStarted.increment()
    underWay.increment()
    let result = await readInTurn(wallet, chain, kind)
    underWay.decrement()
    duration.recordNanoseconds((ContinuousClock.now - began).inNanoseconds)
    // No suspension between these two: nobody may find neither a refresh to join nor a cool-down.
    if case .success = result, kind == .refresh { cooldowns.note(wallet, start: start, now: clock()) }
    if flights[wallet]?.kind == kind { flights[wallet] = nil }
    switch result {
    case .success(let outcome): await succeeded(wallet, chain, outcome, isAnnounced: isAnnounced)
    case .failure(let error): await failed(wallet, chain, error, isAnnounced: isAnnounced)
    }
    return result
  }

  private func succeeded(
    _ wallet: WalletID, _ chain: ChainCode, _ outcome: RefreshOutcome, isAnnounced: Bool
  ) async {
    if outcome.isOutdated {
      // The ledger has better: ask elsewhere, soon.
      await readers[chain]?.noteBehind()
      if watched.contains(wallet) { scheduleNext(wallet, after: retryDelay(wallet)) }
    } else {
      failures[wallet] = nil
      let isOutdated = outdatedFlights.remove(wallet) != nil
      if watched.contains(wallet) { scheduleNext(wallet, after: isOutdated ? .zero : nextDelay()) }
    }
    await noteSuccess(chain)
    if isAnnounced { await finishWithPrices(wallet, outcome) }
  }

  private func failed(
    _ wallet: WalletID, _ chain: ChainCode, _ error: RefreshError, isAnnounced: Bool
  ) async {
    // A read that we cut short ourselves says nothing of the chain.
    guard !isStopped, !error.isOurs else {
      if isAnnounced { await announce(wallet, "failed") }
      return
    }
    readsFailed.increment()
    if case .unknownWallet = error { return }
    await noteFailure(chain, error)
    await ledger.acceptFailure(of: wallet)
    if isAnnounced { await announce(wallet, "failed") }
    if watched.contains(wallet) { scheduleNext(wallet, after: retryDelay(wallet)) }
  }

  /// The prices come after the balances, and nobody waits for them but the indicator.
  private func finishWithPrices(_ wallet: WalletID, _ outcome: RefreshOutcome) async {
    await announce(wallet, "prices")
    guard !isStopped else { return }
    priceRounds.run { [priceRound, ledger] in
      await priceRound?(await ledger.heldTokens(of: wallet))
      await self.announce(wallet, "done", outcome)
    }
  }
}

extension Duration {
  var inMilliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
  var inNanoseconds: Int64 {
    let (whole, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : whole + components.attoseconds / 1_000_000_000
  }
}
