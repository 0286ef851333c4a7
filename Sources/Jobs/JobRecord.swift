import Metrics
import Synchronization

/// What has become of the jobs of one name.
public struct JobFigures: Sendable, Equatable {
  public var started = 0
  public var done = 0
  public var failed = 0
  /// Loops that ended by themselves, and were begun anew.
  public var restarts = 0
  /// Jobs for which there was no room to wait.
  public var refused = 0
  public var running = 0
  public var waiting = 0
  /// Since the oldest of those that run or wait was asked for.
  public var oldest = Duration.zero
}

/// Counts the jobs of one name.
public final class JobRecord: Sendable {
  typealias Instant = ContinuousClock.Instant
  typealias Number = Int

  private struct State {
    var figures = JobFigures()
    /// When each was asked for.
    var since: [Number: Instant] = [:]
    var next = 0
  }

  public let name: String
  private let now: @Sendable () -> Instant
  private let state = Mutex(State())
  private let started: Counter
  private let done: Counter
  private let failed: Counter
  private let restarts: Counter
  private let refused: Counter
  private let running: Meter
  private let waiting: Meter
  private let oldest: Meter
  private let duration: Metrics.Timer

  init(_ name: String, now: @escaping @Sendable () -> Instant) {
    self.name = name
    self.now = now
    let job = [("job", name)]
    started = Counter(label: "jobs_started_total", dimensions: job)
    done = Counter(label: "jobs_done_total", dimensions: job)
    failed = Counter(label: "jobs_failed_total", dimensions: job)
    restarts = Counter(label: "jobs_restarts_total", dimensions: job)
    refused = Counter(label: "jobs_refused_total", dimensions: job)
    running = Meter(label: "jobs_running", dimensions: job)
    waiting = Meter(label: "jobs_waiting", dimensions: job)
    oldest = Meter(label: "jobs_oldest_seconds", dimensions: job)
    duration = Metrics.Timer(label: "job_duration_seconds", dimensions: job)
  }

  public var figures: JobFigures {
    let now = now()
    return state.withLock { state in
      var figures = state.figures
      figures.oldest = state.since.values.min().map { max(.zero, now - $0) } ?? .zero
      return figures
    }
  }

  // MARK: One job

  /// A job is asked for, and waits.
  func enqueue() -> Number {
    let now = now()
    return update { state in
      state.figures.waiting += 1
      state.next += 1
      state.since[state.next] = now
      return state.next
    }
  }

  /// It begins.
  func begin(_ number: Number) {
    started.increment()
    update { state in
      state.figures.waiting -= 1
      state.figures.running += 1
      state.figures.started += 1
    }
  }

  func end(_ number: Number, isFailed: Bool, after elapsed: Duration) {
    if isFailed { failed.increment() } else { done.increment() }
    duration.record(duration: elapsed)
    update { state in
      state.since[number] = nil
      state.figures.running -= 1
      if isFailed { state.figures.failed += 1 } else { state.figures.done += 1 }
    }
  }

  func noteRestart() {
    restarts.increment()
    update { $0.figures.restarts += 1 }
  }

  func noteRefused() {
    refused.increment()
    update { $0.figures.refused += 1 }
  }

  /// A job that waits from now on, and begins and ends when its owner says so.
  public func ticket() -> JobTicket { JobTicket(record: self, number: enqueue()) }

  /// Runs a job of this name that waits for nobody. One that throws has failed, unless it was cancelled.
  public func run<Value, Failure: Error>(
    _ work: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    try await run(enqueue(), work)
  }

  func run<Value, Failure: Error>(
    _ number: Number, _ work: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    begin(number)
    let began = ContinuousClock.now
    do throws(Failure) {
      let value = try await work()
      end(number, isFailed: false, after: .now - began)
      return value
    } catch {
      end(number, isFailed: !Task.isCancelled, after: .now - began)
      throw error
    }
  }

  private func update<Value>(_ change: (inout State) -> Value) -> Value {
    state.withLock { state in
      let value = change(&state)
      running.set(state.figures.running)
      waiting.set(state.figures.waiting)
      return value
    }
  }

  func showAge() { oldest.set(figures.oldest / .seconds(1)) }
}

/// A job of which the owner says when it begins and ends. Both count once.
public final class JobTicket: Sendable {
  private let record: JobRecord
  private let number: Int
  private let began: Mutex<ContinuousClock.Instant?>
  private let isOver = Atomic(false)

  init(record: JobRecord, number: Int) {
    self.record = record
    self.number = number
    began = Mutex(nil)
  }

  public func begin() {
    let isFirst = began.withLock { began in
      defer { if began == nil { began = .now } }
      return began == nil
    }
    if isFirst { record.begin(number) }
  }

  /// One that never began begins and ends at once.
  public func end(isFailed: Bool = false) {
    guard !isOver.exchange(true, ordering: .relaxed) else { return }
    begin()
    let elapsed = began.withLock { $0 }.map { ContinuousClock.now - $0 } ?? .zero
    record.end(number, isFailed: isFailed, after: elapsed)
  }
}
