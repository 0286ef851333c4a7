import Synchronization

/// One wake-up: the one set last.
public final class Alarm: Sendable {
  private struct State {
    var task: Task<Void, Never>?
    var isStopped = false
  }
  private let state = Mutex(State())

  public init() {}

  deinit { state.withLock { $0.task }?.cancel() }

  /// Calls `action` at that time, unless another time is set before.
  public func set(at time: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.task?.cancel()
      guard !state.isStopped else { return }
      state.task = Task {
        try? await Task.sleep(until: time, clock: .continuous)
        if !Task.isCancelled { action() }
      }
    }
  }

  public func clear() {
    state.withLock { state in
      state.task?.cancel()
      state.task = nil
    }
  }

  /// No other time is taken afterwards.
  public func stop() {
    state.withLock { $0.isStopped = true }
    clear()
  }
}
