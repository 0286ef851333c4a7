import Synchronization
import Testing

@testable import Jobs

@Suite(.timeLimit(.minutes(2)))
struct JobGroupTests {
  @Test(arguments: [1, 3, 50])
  func soManyRunAndTheOthersWait(width: Int) async throws {
    let bench = Bench()
    let group = JobGroup("read", on: bench.board, width: width)
    let goOn = Gate()
    let running = Atomic(0)
    let most = Atomic(0)
    for _ in 0..<20 {
      group.run {
        let now = running.wrappingAdd(1, ordering: .relaxed).newValue
        _ = most.max(now, ordering: .relaxed)
        await goOn.pass()
        running.wrappingSubtract(1, ordering: .relaxed)
      }
    }
    try await until { running.load(ordering: .relaxed) == min(width, 20) }
    #expect(bench.figures("read").waiting == max(0, 20 - width))
    #expect(bench.figures("read").running == min(width, 20))
    goOn.open()
    try await until { bench.figures("read").done == 20 }
    let atOnce = most.load(ordering: .relaxed)
    #expect(atOnce == min(width, 20))
    #expect(bench.figures("read").waiting == 0 && bench.figures("read").running == 0)
  }

  @Test func theOldestTellsHowLongOneWaits() async throws {
    let bench = Bench()
    let group = JobGroup("read", on: bench.board, width: 1)
    let first = Gate()
    let second = Gate()
    group.run { await first.pass() }
    bench.clock.advance(by: .seconds(10))
    group.run { await second.pass() }
    bench.clock.advance(by: .seconds(5))
    #expect(bench.figures("read").oldest == .seconds(15))
    first.open()
    try await until { bench.figures("read").done == 1 }
    #expect(bench.figures("read").oldest == .seconds(5))
    second.open()
    try await until { bench.figures("read").done == 2 }
    #expect(bench.figures("read").oldest == .zero)
  }

  @Test func theOrderIsThatOfAsking() async throws {
    let bench = Bench()
    let group = JobGroup("read", on: bench.board, width: 1)
    let order = Mutex<[Int]>([])
    for index in 0..<3_000 { group.run { order.withLock { $0.append(index) } } }
    try await until { bench.figures("read").done == 3_000 }
    let found = order.withLock { $0 }
    #expect(found == Array(0..<3_000))
  }

  @Test func whoFindsNoRoomIsTold() async throws {
    let bench = Bench()
    let group = JobGroup("read", on: bench.board, width: 1, waitingMaximum: 2)
    let goOn = Gate()
    let taken = (0..<5).map { _ in group.run { await goOn.pass() } }
    #expect(taken == [true, true, true, false, false])
    #expect(bench.figures("read").refused == 2)
    goOn.open()
    try await until { bench.figures("read").done == 3 }
    #expect(group.run {})
  }

  @Test func stoppingCancelsWaitsAndForgetsNobody() async throws {
    let bench = Bench()
    let group = JobGroup("read", on: bench.board, width: 2)
    let answers = Mutex<[Bool]>([])
    for _ in 0..<10 {
      group.run {
        try? await Task.sleep(for: .seconds(3_600))
        answers.withLock { $0.append(Task.isCancelled) }
      }
    }
    await group.stop()
    let answered = answers.withLock { $0 }
    #expect(answered == Array(repeating: true, count: 10))
    #expect(bench.figures("read").running == 0 && bench.figures("read").waiting == 0)
    // Who comes later is answered too.
    await withCheckedContinuation { continuation in
      group.run {
        answers.withLock { $0.append(Task.isCancelled) }
        continuation.resume()
      }
    }
    let late = answers.withLock { $0.last }
    #expect(late == true)
    await group.stop()
  }

  @Test func cancellingReachesWhatRuns() async throws {
    let bench = Bench()
    let group = JobGroup("read", on: bench.board, width: 1)
    for _ in 0..<2 { group.run { try? await Task.sleep(for: .seconds(3_600)) } }
    try await until { bench.figures("read").running == 1 }
    group.cancel()
    try await until { bench.figures("read").done == 2 }
  }

  @Test func namesAreShared() {
    let bench = Bench()
    #expect(bench.board.record("read") === bench.board.record("read"))
    #expect(bench.board.record("read") !== bench.board.record("write"))
    #expect(Set(bench.board.figures.keys) == ["read", "write"])
  }
}

@Suite struct JobTicketTests {
  @Test func eachCountsOnce() {
    let bench = Bench()
    let record = bench.board.record("wallet")
    let tickets = (0..<3).map { _ in record.ticket() }
    #expect(bench.figures("wallet").waiting == 3)
    for _ in 0..<2 { tickets[0].begin() }
    #expect(bench.figures("wallet").waiting == 2 && bench.figures("wallet").running == 1)
    for _ in 0..<2 { tickets[0].end() }
    // One that never began.
    tickets[1].end(isFailed: true)
    var expected = JobFigures()
    expected.started = 2
    expected.done = 1
    expected.failed = 1
    expected.waiting = 1
    #expect(bench.figures("wallet") == expected)
  }
}
