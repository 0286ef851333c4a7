import Synchronization

/// One wake-up: the one set last.
///
/// The timer of a sleep that is cancelled stays with the runtime until its time has come, and its memory too. So none is
/// cancelled: who wakes before the time that is wanted by then sleeps on, and another begins to sleep only for a time
/// that is earlier than all that are waited for.
public final class Alarm: Sendable {
  private struct State {
    var wanted: (time: ContinuousClock.Instant, action: @Sendable () -> Void)?
    /// When the sleepers wake, the earliest last.
    var sleepers: [ContinuousClock.Instant] = []
    var isStopped = false
  }
  private let state = Mutex(State())

  public init() {}

  var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// Calls `action` at that time, unless another time is set before.
  public func set(at time: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) {
    state.withLock { state in
      guard !state.isStopped else { return }
      state.wanted = (time, action)
      sleep(until: time, &state)
    }
  }

  private func sleep(until time: ContinuousClock.Instant, _ state: inout State) {
    if let earliest = state.sleepers.last, earliest <= time { return }
    state.sleepers.append(time)
    Task { [weak self] in
      try? await Task.sleep(until: time, clock: .continuous)
      self?.woke(at: time)
    }
  }

  private func woke(at time: ContinuousClock.Instant) {
    let action = state.withLock { state -> (@Sendable () -> Void)? in
      state.sleepers.removeAll { $0 == time }
      guard let wanted = state.wanted else { return nil }
      guard wanted.time <= time else {
        sleep(until: wanted.time, &state)
        return nil
      }
      state.wanted = nil
      return wanted.action
    }
    action?()
  }

  public func clear() { state.withLock { $0.wanted = nil } }

  /// No other time is taken afterwards.
  public func stop() {
    state.withLock { state in
      state.isStopped = true
      state.wanted = nil
    }
  }
}
