// Follows the head of a chain for the wallets that somebody watches.
//
// A pass asks for the newest block, for the transfers since the last pass that concern a watched wallet, and, in one
// aggregate pinned to that block, for every balance that changed and the native balance of every watched wallet. So its
// cost does not grow with the tokens that wallets might hold.
//
//   ChainFollower.swift         when passes are made, and what becomes of those that fail
//   ChainFollower+Pass.swift    one pass
//   ChainFollower+Reading.swift the balances of one pass
//   ChainFollower+Forks.swift   what was read in blocks that are no more
//   ChainFollower+OneByOne.swift passes where there is no Multicall3
//   ChainFollower+NoLogs.swift  passes where nobody tells transfers
//   ChainFollower+Failures.swift passes that fail
//   HeadTrack, FollowedWallets, UnsettledCells, TransferScan, FollowCall: what there is to decide, without I/O
//
// What was not followed without a gap is not believed: wallets are then read as a whole, and following begins anew
// from those reads.

import Ethereum
import JSON
import Jobs
import Ledger
import Logging
import Metrics
import Synchronization

actor ChainFollower {
  nonisolated let settings: FollowSettings
  nonisolated let reader: ChainReader
  let ledger: Ledger
  let clock: @Sendable () -> UnixMilliseconds
  nonisolated let logger: Logger
  nonisolated let metrics: FollowMetrics
  /// Reads wallets as a whole, and says so by ``noteRead(_:block:traits:native:isWhole:changed:)``.
  let readAnew: @Sendable ([WalletID]) async -> Void
  /// Is told of each look at the head; and that nobody looks any more, with `nil`.
  let headSeen: @Sendable (_ head: BlockHeader?, _ announced: UInt64?) async -> Void
  /// Is told that no node says the newest block, time after time.
  let headLost: @Sendable () async -> Void

  var wallets = FollowedWallets()
  var track = HeadTrack()
  /// What the next pass looks at once more.
  var unsettled = UnsettledCells()
  /// Where the chain was reorganised, until a pass has read from there on.
  var fork: Fork?
  /// Blocks in a row in which wallets were first read and that are none of the chain's.
  var strangeBlocks = 0
  /// Unlisted contracts that gave no answer when asked alone. Bounded.
  var shunned: Set<Address> = []

  private nonisolated let signals: AsyncStream<Void>
  private nonisolated let signal: AsyncStream<Void>.Continuation
  /// The last block that was announced; 0: none since a pass took it.
  nonisolated let announcedHead = Atomic<UInt64>(0)
  /// Of the announcer: heads are being announced, polling is a fall-back.
  private nonisolated let isAnnounced = Atomic(false)
  /// A head was announced that no pass has met yet: how many more looks at once it is worth. Another node may be ahead
  /// of the one that passes ask.
  private nonisolated let looksLeft = Atomic(0)
  private static let looksMaximum = 5
  private var announcer: HeadAnnouncer?
  private let jobs: JobBoard
  private var runner: JobLoop?
  private let alarm = Alarm()
  var notBefore = ContinuousClock.now
  /// No node tells logs: passes do without before that.
  var restsUntil: ContinuousClock.Instant?
  /// The last wallet of the last pass without logs, where not all had room.
  var lastWithoutLogs: WalletID?
  /// The last wallet whose native coin was asked for, where there is no Multicall3 and not all had room.
  var lastNative: WalletID?
  /// How often following began anew lately.
  var restarts = 0
  /// The last pass had so much to look at that the next one should come soon.
  var isHurried = false
  /// That passes are too far apart is in the log.
  var isGapTold = false
  var goodPasses = 0
  /// Passes that failed, in a row.
  var failures = 0
  /// Passes that got no answer to what the newest block is, in a row.
  var silences = 0
  /// When a pass last found that all blocks there are have been looked at.
  var coveredAt: ContinuousClock.Instant?

  init(
    chain: ChainReader, settings: FollowSettings, ledger: Ledger,
    clock: @escaping @Sendable () -> UnixMilliseconds, logger: Logger, jobs: JobBoard,
    readAnew: @escaping @Sendable ([WalletID]) async -> Void,
    headSeen: @escaping @Sendable (_ head: BlockHeader?, _ announced: UInt64?) async -> Void,
    headLost: @escaping @Sendable () async -> Void
  ) {
    reader = chain
    self.settings = settings
    self.ledger = ledger
    self.clock = clock
    self.logger = logger
    self.jobs = jobs
    self.readAnew = readAnew
    self.headSeen = headSeen
    self.headLost = headLost
    metrics = FollowMetrics(chain: chain.settings.chain.code.description)
    (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  nonisolated var chain: Chain { reader.settings.chain }

  func start() {
    guard runner == nil else { return }
    runner = JobLoop("follow_\(chain.code)", on: jobs) { [weak self, signals] turns in
      for await _ in signals {
        guard let self, !Task.isCancelled else { return }
        await turns.run { await self.step() }
      }
    }
    runner?.start()
  }

  func stop() async {
    await runner?.stop()
    announcer?.stop()
    alarm.stop()
    signal.finish()
  }

  // MARK: What others say

  /// - Parameters:
  ///   - block: what is held of the wallet is known as of it, where that is good.
  ///   - native: the native balance that is held.
  func watch(_ wallet: WalletID, _ address: Address, readAt block: UInt64?, native: UInt256?) async {
    let isFirst = wallets.isEmpty
    let sure = wallets.add(
      wallet, address: address, readAt: restsUntil == nil ? block : nil, native: native)
    metrics.wallets.record(wallets.count)
    if isFirst { signal.yield() }
    if let sure { await doubt(wallet, above: sure) }
  }

  func unwatch(_ wallet: WalletID) {
    wallets.remove(wallet, isSure: !unsettled.remove(wallet))
    metrics.wallets.record(wallets.count)
    if wallets.isEmpty { signal.yield() }
  }

  /// A read of the wallet has gone into the ledger.
  ///
  /// - Parameters:
  ///   - traits: of the block that was read, where the chain tells.
  ///   - changed: tokens of which it said something new.
  func noteRead(
    _ wallet: WalletID, block: UInt64, traits: BlockTraits?, native: UInt256?, isWhole: Bool,
    changed: [TokenID]
  ) {
    doubt(changed.map { WalletToken(wallet: wallet, token: $0) })
    if restsUntil == nil {
      wallets.noteRead(wallet, block: block, traits: traits, native: native, isWhole: isWhole)
    }
  }

  /// How far nothing was missed of the wallet; `nil`: its blocks are not looked at, or were not just now.
  func continuity(of wallet: WalletID) -> Continuity? {
    guard restsUntil == nil, failures == 0, let coveredAt,
      .now - coveredAt < max(.seconds(30), settings.poll * 4)
    else { return nil }
    return wallets.continuity(of: wallet)
  }

  /// Somebody announces heads from now on, or no longer.
  nonisolated func setAnnounced(_ isAnnounced: Bool) {
    self.isAnnounced.store(isAnnounced, ordering: .relaxed)
    signal.yield()
  }

  /// There is a new block.
  nonisolated func headAnnounced(_ number: UInt64? = nil) {
    if let number { announcedHead.store(number, ordering: .relaxed) }
    looksLeft.store(Self.looksMaximum, ordering: .relaxed)
    signal.yield()
  }

  // MARK: When

  private func step() async {
    guard !wallets.isEmpty else {
      // Nobody watches: no alarm is set, and nothing is asked. What was seen is of no use to who comes later.
      beginAnew()
      forgetForks()
      coveredAt = nil
      silences = 0
      isHurried = false
      announcer?.stop()
      announcer = nil
      isAnnounced.store(false, ordering: .relaxed)
      await headSeen(nil, nil)
      return
    }
    listen()
    let now = ContinuousClock.now
    guard now >= notBefore else { return setAlarm(at: notBefore) }
    notBefore = now + settings.minimumInterval
    let looks = looksLeft.load(ordering: .relaxed)
    let hasAdvanced = await makePass()
    metrics.duration.recordNanoseconds((ContinuousClock.now - now).inNanoseconds)
    // An announcement that comes meanwhile has made a signal of its own.
    if looks > 0 { looksLeft.store(hasAdvanced ? 0 : looks - 1, ordering: .relaxed) }
    setAlarm(at: max(notBefore, now + interval(hasAdvanced: hasAdvanced, looks: looks)))
  }

  private func interval(hasAdvanced: Bool, looks: Int) -> Duration {
    if failures > 0 { return min(settings.poll, settings.minimumInterval * (1 << min(failures, 10))) }
    // Or the blocks until then would be too many.
    if isHurried { return settings.minimumInterval }
    if hasAdvanced { return isAnnounced.load(ordering: .relaxed) ? settings.poll * 3 : settings.poll }
    return looks > 0 ? settings.minimumInterval : settings.poll
  }

  private func listen() {
    guard announcer == nil, !settings.announcers.isEmpty else { return }
    announcer = HeadAnnouncer(
      settings.announcers, client: reader.client, chain: chain, logger: logger,
      isAnnouncing: { [weak self] in self?.setAnnounced($0) },
      head: { [weak self] in self?.headAnnounced($0) })
    announcer?.start()
  }

  private func setAlarm(at time: ContinuousClock.Instant) {
    alarm.set(at: time) { [signal] in signal.yield() }
  }

  /// - Returns: whether there was a new block, and all of it is known.
  private func makePass() async -> Bool {
    metrics.passes.increment()
    let before = track.held
    do throws(PassError) {
      try await passFromFork()
      goodPasses += 1
      if goodPasses >= 8 { restarts = 0 }
      if failures >= Self.failuresToTell {
        logger.notice("chain can be followed again", metadata: ["chain": "\(chain.code)"])
      }
      failures = 0
      return track.held != before
    } catch {
      goodPasses = 0
      await failed(error)
      return false
    }
  }
}
