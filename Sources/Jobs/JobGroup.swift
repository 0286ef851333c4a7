import Synchronization

/// Short jobs of one name: so many run at once, the others wait in the order in which they were asked for.
///
/// Every job that was taken runs, exactly once: whoever waits for what it does is not forgotten. After ``cancel()`` it runs
/// in a task that is cancelled already.
public final class JobGroup: Sendable {
  public typealias Work = @Sendable () async -> Void

  private struct State {
    var running: [Int: Task<Void, Never>] = [:]
    var waiting: [(number: Int, work: Work)] = []
    /// The first of `waiting` that still waits.
    var first = 0
    var isCancelled = false
    var idle: [CheckedContinuation<Void, Never>] = []

    var waitingCount: Int { waiting.count - first }
  }

  private let record: JobRecord
  private let width: Int
  private let waitingMaximum: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - width: jobs that run at once.
  ///   - waitingMaximum: more than so many that wait are refused.
  public init(_ name: String, on board: JobBoard, width: Int, waitingMaximum: Int = 100_000) {
    record = board.record(name)
    self.width = max(1, width)
    self.waitingMaximum = max(0, waitingMaximum)
  }

  /// - Returns: whether the job was taken; not where too many wait.
  @discardableResult
  public func run(_ work: @escaping Work) -> Bool {
    let isTaken = state.withLock { state in
      guard state.running.count < width || state.waitingCount < waitingMaximum else { return false }
      state.waiting.append((record.enqueue(), work))
      begin(&state)
      return true
    }
    if !isTaken { record.noteRefused() }
    return isTaken
  }

  /// Cancels what runs, waits, or is asked for later.
  public func cancel() {
    let running = state.withLock { state in
      state.isCancelled = true
      return Array(state.running.values)
    }
    for task in running { task.cancel() }
  }

  /// Cancels, and returns when nothing runs or waits.
  public func stop() async {
    cancel()
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if !state.running.isEmpty { state.idle.append(continuation) }
        return state.running.isEmpty
      }
      if isIdle { continuation.resume() }
    }
  }

  private func begin(_ state: inout State) {
    while state.running.count < width, state.first < state.waiting.count {
      let (number, work) = state.waiting[state.first]
      state.first += 1
      // The used front is dropped now and then, not every time.
      if state.first == state.waiting.count || state.first > 1_024 {
        state.waiting.removeFirst(state.first)
        state.first = 0
      }
      // It cannot end before it is in the table: that takes the lock.
      let task = Task { [record] in
        await record.run(number, work)
        self.ended(number)
      }
      if state.isCancelled { task.cancel() }
      state.running[number] = task
    }
  }

  private func ended(_ number: Int) {
    let idle = state.withLock { state in
      state.running[number] = nil
      begin(&state)
      guard state.running.isEmpty else { return [] as [CheckedContinuation<Void, Never>] }
      defer { state.idle = [] }
      return state.idle
    }
    for continuation in idle { continuation.resume() }
  }
}
