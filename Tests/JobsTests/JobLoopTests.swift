import Synchronization
import Testing

@testable import Jobs

@Suite(.timeLimit(.minutes(2)))
struct JobLoopTests {
  private struct Death: Error {}
  private static let quick = JobLoop.Pauses(first: .milliseconds(1), longest: .milliseconds(4))

  private func untilCancelled() async { try? await Task.sleep(for: .seconds(3_600)) }

  @Test(arguments: [true, false])
  func oneThatDiesIsSeenAndBegunAnew(throwing: Bool) async throws {
    let bench = Bench()
    let lives = Atomic(0)
    let loop = JobLoop("pulse", on: bench.board, pauses: Self.quick) { turns in
      let life = lives.wrappingAdd(1, ordering: .relaxed).newValue
      if life <= 6 {
        if throwing { throw Death() }
        return
      }
      await turns.run {}
      await untilCancelled()
    }
    loop.start()
    try await until { bench.figures("pulse").done == 1 }
    #expect(bench.figures("pulse").restarts == 6)
    await loop.stop()
    let count = lives.load(ordering: .relaxed)
    #expect(count == 7, "told to stop, it is not begun anew")
  }

  @Test func stoppingCancelsAndWaits() async throws {
    let bench = Bench()
    let isOver = Atomic(false)
    let goOn = Gate()
    let loop = JobLoop("pulse", on: bench.board) { turns in
      await turns.run {
        await untilCancelled()
        await goOn.pass()
      }
      isOver.store(true, ordering: .sequentiallyConsistent)
    }
    loop.start()
    loop.start()
    try await until { bench.figures("pulse").running == 1 }
    let stopping = Task { await loop.stop() }
    goOn.open()
    await stopping.value
    let wasOver = isOver.load(ordering: .sequentiallyConsistent)
    #expect(wasOver)
    #expect(bench.figures("pulse").running == 0 && bench.figures("pulse").restarts == 0)
    loop.start()
    #expect(bench.figures("pulse").started == 1, "over is over")
  }

  @Test func whoLetsGoOfALoopEndsIt() async throws {
    let bench = Bench()
    let isOver = Gate()
    var loop: JobLoop? = JobLoop("pulse", on: bench.board) { turns in
      await turns.run { await untilCancelled() }
      isOver.open()
    }
    loop?.start()
    try await until { bench.figures("pulse").running == 1 }
    loop = nil
    await isOver.pass()
  }

  @Test func thePausesGrowUntilALoopLasts() {
    let pauses = JobLoop.Pauses(first: .seconds(1), longest: .seconds(10))
    var last: Duration?
    var found: [Duration] = []
    for life in [0, 0, 9, 1, 0, 0, 10, 3] {
      let pause = pauses.next(after: last, life: .seconds(life))
      found.append(pause)
      last = pause
    }
    #expect(found == [1, 2, 4, 8, 10, 10, 1, 2].map { .seconds($0) })
  }

  @Test func oneThatDiesOftenIsBegunLater() async throws {
    let bench = Bench()
    let hour = JobLoop.Pauses(first: .seconds(3_600), longest: .seconds(3_600))
    let died = Gate()
    let loop = JobLoop("pulse", on: bench.board, pauses: hour) { _ in died.open() }
    loop.start()
    await died.pass()
    await loop.stop()
    #expect(bench.figures("pulse").restarts == 0, "stopped in its pause")
  }

  @Test func cancellingDoesNotWait() async throws {
    let bench = Bench()
    let goOn = Gate()
    let loop = JobLoop("pulse", on: bench.board) { turns in
      await turns.run {
        await untilCancelled()
        await goOn.pass()
      }
    }
    loop.start()
    try await until { bench.figures("pulse").running == 1 }
    loop.cancel()
    #expect(bench.figures("pulse").running == 1)
    goOn.open()
    try await until { bench.figures("pulse").running == 0 }
    await loop.stop()
  }

  @Test func aTurnThatHangsAges() async throws {
    let bench = Bench()
    let goOn = Gate()
    let loop = JobLoop("pulse", on: bench.board) { turns in
      await turns.run { await goOn.pass() }
      await untilCancelled()
    }
    loop.start()
    try await until { bench.figures("pulse").running == 1 }
    bench.clock.advance(by: .seconds(90))
    #expect(bench.figures("pulse").oldest == .seconds(90))
    goOn.open()
    try await until { bench.figures("pulse").done == 1 }
    #expect(bench.figures("pulse").oldest == .zero)
    await loop.stop()
  }

  @Test func aTurnThatThrowsHasFailed() async throws {
    let bench = Bench()
    let record = bench.board.record("pulse")
    await #expect(throws: Death.self) { try await record.run { () async throws -> Void in throw Death() } }
    #expect(await record.run { 7 } == 7)
    let cancelled = Task {
      await untilCancelled()
      try await record.run { () async throws -> Void in throw Death() }
    }
    cancelled.cancel()
    _ = await cancelled.result
    var expected = JobFigures()
    expected.started = 3
    expected.done = 2
    expected.failed = 1
    #expect(bench.figures("pulse") == expected, "what was cancelled did not fail")
  }
}
