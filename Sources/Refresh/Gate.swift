import Synchronization

/// Lets so many in at a time; the others wait in the order they came.
final class Gate: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
    var first = 0
  }
  private let state: Mutex<State>

  init(width: Int) { state = Mutex(State(free: max(1, width))) }

  var waitingCount: Int { state.withLock { $0.waiting.count - $0.first } }

  func enter() async {
    await withCheckedContinuation { continuation in
      let enters = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if enters { continuation.resume() }
    }
  }

  func leave() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard state.first < state.waiting.count else {
        state.free += 1
        return nil
      }
      defer {
        state.first += 1
        // Drop the used front now and then, not every time.
        if state.first == state.waiting.count || state.first > 1_024 {
          state.waiting.removeFirst(state.first)
          state.first = 0
        }
      }
      return state.waiting[state.first]
    }
    next?.resume()
  }
}
