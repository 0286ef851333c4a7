// When to write.
//
// The ledger wakes the writer at every accepted change; wake-ups while one is pending cost a flag. The writer
// takes all that is dirty, writes it in one transaction, and rests for an interval, so that a busy server
// makes ten transactions a second however many changes there are. While a write fails, serving goes on: the
// changes go back to the ledger, which holds the newest of each, and the pauses between tries grow.
//
// Two writes never overlap: the later one could commit first, and the earlier one would then put old values
// over new.

import Jobs
import Ledger
import Logging
import Synchronization

/// The writer's pace.
public struct WriterSettings: Sendable {
  /// The least time between two transactions.
  public var interval: Duration
  /// The longest pause between two tries after failures.
  public var retryPause: Duration

  public init(interval: Duration, retryPause: Duration) {
    self.interval = interval
    self.retryPause = retryPause
  }

  /// What a server uses unless told otherwise.
  public static let standard = WriterSettings(interval: .milliseconds(100), retryPause: .seconds(10))
}

/// Carries what the ledger accepted into the database, a moment later.
public actor Writer {
  private let database: Database
  private let ledger: Ledger
  private let settings: WriterSettings
  private let logger: Logger
  private let wake = Wake()
  private let health = Health()
  /// What table `tokens` shows.
  private var shownPrices: [TokenID: StoredPrice] = [:]
  /// Everything up to here is stored.
  private var writtenRevision: Revision
  private let jobs: JobBoard
  private var loop: JobLoop?
  private var isWriting = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// - Parameter ledger: restored from `database.load()`, and begun at `database.start.revision`.
  public init(
    database: Database, ledger: Ledger, settings: WriterSettings, jobs: JobBoard = JobBoard()
  ) {
    self.jobs = jobs
    self.database = database
    self.ledger = ledger
    self.settings = settings
    self.logger = database.logger
    self.writtenRevision = database.start.revision
  }

  /// Whether the last write succeeded. Serving goes on when it did not.
  public nonisolated var isHealthy: Bool { health.isGood.load(ordering: .relaxed) }

  /// Begins to follow the ledger, with what it has accepted before.
  public func start() async throws(StorageError) {
    guard loop == nil else { return }
    shownPrices = try await database.loadStoredPrices()
    guard loop == nil else { return }
    database.attach { [weak self] () async throws(StorageError) in try await self?.flush() }
    loop = JobLoop("storage_write", on: jobs) { [weak self, wake, settings] turns in
      for await _ in wake.calls {
        wake.isPending.store(false, ordering: .sequentiallyConsistent)
        guard let self else { return }
        await turns.run { await self.writeUntilDone() }
        try? await Task.sleep(for: settings.interval)
        if Task.isCancelled { return }
      }
    }
    loop?.start()
    await ledger.setPersister { [wake] in wake.call() }
    wake.call()
  }

  private func writeUntilDone() async {
    var pause = settings.interval
    while !Task.isCancelled {
      do {
        return try await write()
      } catch {
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, settings.retryPause)
      }
    }
  }

  /// Writes everything that was accepted before the call. Durable when it returns.
  public func flush() async throws(StorageError) {
    try await write()
  }

  /// Writes the last state, marks the database clean and closes it, so that the next start goes on with the
  /// same epoch and revision.
  ///
  /// Whatever feeds the ledger must have stopped: a revision handed out afterwards would be handed out again.
  /// One handed out meanwhile is caught up with. When this throws, the database is still open and unclean;
  /// `Database.close` then gives it up.
  public func closeCleanly() async throws(StorageError) {
    await loop?.stop()
    // The last turn of a busy ledger may still be under way.
    for _ in 0..<8 {
      try await write(isLast: true)
      if await ledger.revision == writtenRevision { return database.close() }
    }
    logger.error("the ledger does not come to rest: the next start begins a new epoch")
    try await write(isForced: true)
    database.close()
  }

  // MARK: One write

  /// - Parameters:
  ///   - isLast: marks the database clean.
  ///   - isForced: writes even when nothing has changed.
  private func write(isLast: Bool = false, isForced: Bool = false) async throws(StorageError) {
    await beginWriting()
    defer { endWriting() }
    let state = await ledger.takeDirty()
    // After a failure even nothing is written, to learn whether it works again.
    guard !state.isEmpty || isLast || isForced || !isHealthy else { return }
    let job = job(for: state, isLast: isLast)
    let began = ContinuousClock.now
    do throws(StorageError) {
      let rows = try await database.write(job)
      database.metrics.rowsWritten.increment(by: rows)
      database.metrics.transactionDuration.record(duration: ContinuousClock.now - began)
    } catch {
      await ledger.restoreDirty(state)
      report(failure: error)
      throw error
    }
    for (token, stored, _) in job.prices { shownPrices[token] = stored }
    writtenRevision = state.revision
    reportSuccess()
  }

  private func job(for state: DirtyState, isLast: Bool) -> WriteJob {
    var job = WriteJob(state: state, since: writtenRevision, isLast: isLast)
    for cell in state.prices {
      let shown = shownPrices[cell.token.id] ?? StoredPrice()
      guard let stored = shown.updated(price: cell.price, change: cell.change) else { continue }
      job.prices.append((cell.token.id, stored, cell.acceptedAt))
    }
    return job
  }

  /// Waits for its turn; turns are taken in the order of the calls.
  private func beginWriting() async {
    if isWriting {
      await withCheckedContinuation { waiting.append($0) }
    } else {
      isWriting = true
    }
  }

  /// Hands the turn on.
  private func endWriting() {
    if waiting.isEmpty { isWriting = false } else { waiting.removeFirst().resume() }
  }

  // MARK: Health

  /// Once for each time it breaks, not for each try.
  private func report(failure: StorageError) {
    database.metrics.failures.increment()
    guard health.isGood.exchange(false, ordering: .relaxed) else { return }
    logger.error(
      "writing to the database failed; serving goes on and it is tried again",
      metadata: ["error": "\(failure)"])
  }

  private func reportSuccess() {
    guard !health.isGood.exchange(true, ordering: .relaxed) else { return }
    logger.notice("writing to the database works again")
  }
}

/// Wake-ups, of which any number are one.
private final class Wake: Sendable {
  let calls: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation
  let isPending = Atomic<Bool>(false)

  init() { (calls, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  /// Never blocks.
  func call() {
    guard !isPending.exchange(true, ordering: .sequentiallyConsistent) else { return }
    continuation.yield()
  }
}

private final class Health: Sendable {
  let isGood = Atomic<Bool>(true)
}
