// Background work under names, so that what runs, waits, fails and hangs is seen.
//
//   JobBoard   all jobs of the process, by name
//   JobRecord  what is counted of one
//   JobLoop    work that goes on for as long as the server: begun anew when it ends without being told to
//   JobGroup   short jobs, so many at once; the others wait
//   Alarm      one wake-up at a time
//
// A name stands for a kind of work: its number is bounded by the settings, never by what strangers ask for.

public import Logging
public import Metrics
import Synchronization

/// The jobs of a process.
public final class JobBoard: Sendable {
  public let logger: Logger
  let now: @Sendable () -> ContinuousClock.Instant
  private let records = Mutex<[String: JobRecord]>([:])

  public init(
    logger: Logger = Logger(label: "walletpush"),
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
  ) {
    self.logger = logger
    self.now = now
  }

  /// The record of this name: the same for all who ask.
  public func record(_ name: String) -> JobRecord {
    records.withLock { records in
      if let known = records[name] { return known }
      let made = JobRecord(name, now: now)
      records[name] = made
      return made
    }
  }

  /// By name.
  public var figures: [String: JobFigures] {
    records.withLock { $0 }.mapValues(\.figures)
  }

  /// Ages are taken when somebody looks.
  public func refreshGauges() {
    for record in records.withLock({ Array($0.values) }) { record.showAge() }
  }
}
