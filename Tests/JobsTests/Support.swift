import Logging
import Synchronization

@testable import Jobs

/// A board that logs nothing, and whose clock is moved by hand.
struct Bench {
  final class Clock: Sendable {
    private let time = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 += duration } }
  }

  let clock = Clock()
  let board: JobBoard

  init() {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let clock = clock
    board = JobBoard(logger: logger, now: { clock.now })
  }

  func figures(_ name: String) -> JobFigures { board.figures[name] ?? JobFigures() }
}

/// Closed until it is opened.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  func pass() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}

func until(_ condition: () async throws -> Bool) async throws {
  while try await !condition() { try await Task.sleep(for: .milliseconds(1)) }
}
