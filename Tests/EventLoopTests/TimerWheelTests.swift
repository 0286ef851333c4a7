import Testing

@testable import EventLoop

@Suite struct TimerWheelTests {
  private final class Target: TimerTarget {
    func timerFired(tag: UInt64, now: LoopInstant) {}
  }
  private let target = Target()
  private let start = LoopInstant(nanoseconds: 7_123_456_789)

  // `#expect` can't call what mutates.
  private func cancel(_ wheel: inout TimerWheel, _ id: TimerID) -> Bool { wheel.cancel(id) }

  private func pop(_ wheel: inout TimerWheel, at now: LoopInstant) -> [UInt64] {
    wheel.advance(to: now)
    var tags: [UInt64] = []
    while let due = wheel.popDue() { tags.append(due.tag) }
    return tags
  }

  @Test(arguments: [
    0, 1, 2, 63, 64, 65, 127, 128, 4_095, 4_096, 4_097, 262_143, 262_144, 86_400_000, 9_999_999_999,
  ])
  func firesAtItsTickAndNotBefore(milliseconds: Int64) {
    var wheel = TimerWheel(start: start)
    wheel.advance(to: start + .milliseconds(37))
    let deadline = start + .milliseconds(37 + milliseconds)
    _ = wheel.schedule(at: deadline, target, tag: 9)
    if milliseconds > 0 {
      #expect(pop(&wheel, at: start + .milliseconds(37 + milliseconds - 1)) == [])
    }
    #expect(pop(&wheel, at: deadline) == [9])
    #expect(wheel.count == 0)
    #expect(wheel.nextWakeUp == nil)
  }

  @Test func roundsUp() {
    var wheel = TimerWheel(start: start)
    _ = wheel.schedule(at: start + .nanoseconds(1), target, tag: 1)
    #expect(pop(&wheel, at: start + .nanoseconds(999_999)) == [])
    #expect(pop(&wheel, at: start + .milliseconds(1)) == [1])
  }

  @Test func pastAndBeforeTheStartAreDueAtOnce() {
    var wheel = TimerWheel(start: start)
    wheel.advance(to: start + .seconds(5))
    _ = wheel.schedule(at: start + .seconds(1), target, tag: 1)
    _ = wheel.schedule(at: LoopInstant(nanoseconds: 0), target, tag: 2)
    #expect(wheel.hasDue)
    #expect(pop(&wheel, at: start) == [1, 2])
  }

  @Test func theEndOfTimeIsAccepted() {
    var wheel = TimerWheel(start: start)
    let id = wheel.schedule(at: LoopInstant(nanoseconds: .max), target, tag: 1)
    #expect(pop(&wheel, at: start + .seconds(3_600 * 24 * 365)) == [])
    #expect(cancel(&wheel, id))
  }

  @Test func firesInOrderOfDeadlineThenOfScheduling() {
    var wheel = TimerWheel(start: start)
    let deadlines: [Int64] = [300, 5, 70, 5, 5_000, 70, 1, 4_096, 300]
    for (tag, milliseconds) in deadlines.enumerated() {
      _ = wheel.schedule(at: start + .milliseconds(milliseconds), target, tag: UInt64(tag))
    }
    #expect(pop(&wheel, at: start + .seconds(10)) == [6, 1, 3, 2, 5, 0, 8, 7, 4])
  }

  @Test func cancelledTimersDontFire() {
    var wheel = TimerWheel(start: start)
    let ids = (0..<10).map {
      wheel.schedule(at: start + .milliseconds(Int64($0) * 40), target, tag: UInt64($0))
    }
    for index in stride(from: 0, to: 10, by: 2) { #expect(cancel(&wheel, ids[index])) }
    #expect(!cancel(&wheel, ids[0]))
    #expect(pop(&wheel, at: start + .seconds(1)) == [1, 3, 5, 7, 9])
    #expect(!cancel(&wheel, ids[1]))
    #expect(!cancel(&wheel, .none))
  }

  @Test func aDueTimerCanStillBeCancelled() {
    var wheel = TimerWheel(start: start)
    _ = wheel.schedule(at: start + .milliseconds(1), target, tag: 1)
    let second = wheel.schedule(at: start + .milliseconds(1), target, tag: 2)
    wheel.advance(to: start + .milliseconds(1))
    let first = wheel.popDue()
    #expect(first?.tag == 1)
    #expect(cancel(&wheel, second))
    #expect(pop(&wheel, at: start + .milliseconds(1)) == [])
    #expect(!wheel.hasDue)
  }

  @Test func aStaleNameCancelsNothing() {
    var wheel = TimerWheel(start: start)
    let old = wheel.schedule(at: start + .milliseconds(1), target, tag: 1)
    #expect(cancel(&wheel, old))
    let new = wheel.schedule(at: start + .milliseconds(1), target, tag: 2)
    #expect(old.index == new.index)
    #expect(!cancel(&wheel, old))
    #expect(pop(&wheel, at: start + .milliseconds(1)) == [2])
  }

  @Test func releasesItsTargets() {
    var wheel = TimerWheel(start: start)
    weak var fired: Target?
    weak var cancelled: Target?
    do {
      let (first, second) = (Target(), Target())
      (fired, cancelled) = (first, second)
      _ = wheel.schedule(at: start, first, tag: 1)
      wheel.cancel(wheel.schedule(at: start, second, tag: 2))
    }
    #expect(fired != nil)
    #expect(cancelled == nil)
    _ = wheel.popDue()
    #expect(fired == nil)
  }

  @Test func aHundredThousandTimersReuseTheirSlots() {
    var wheel = TimerWheel(start: start)
    var generator = SeededGenerator(seed: 3)
    var now = start
    var ids: [TimerID] = []
    for tag in 0..<100_000 {
      let delay = Duration.milliseconds(Int64(generator.next() % 60_000) + 1)
      ids.append(wheel.schedule(at: now + delay, target, tag: UInt64(tag)))
    }
    #expect(wheel.slabCount == 100_000)
    for round in 0..<3 {
      now = now + .milliseconds(1)
      for index in ids.indices {
        wheel.cancel(ids[index])
        ids[index] = wheel.schedule(at: now + .seconds(30 + Int64(round)), target, tag: UInt64(index))
      }
    }
    #expect(wheel.count - ids.count <= 0)
    let fired = pop(&wheel, at: now + .seconds(60))
    #expect(fired == (0..<100_000).map { UInt64($0) })
    #expect(wheel.slabCount == 100_000)
    #expect(wheel.count == 0)
  }

  /// Against a sorted list: random deadlines, cancels and steps, and a sleeper that trusts `nextWakeUp`.
  @Test(arguments: 1...20) func agreesWithASortedList(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var wheel = TimerWheel(start: start)
    var model: [(tick: UInt64, tag: UInt64, id: TimerID)] = []
    var nowTick: UInt64 = 0
    var tag: UInt64 = 0
    for _ in 0..<400 {
      for _ in 0..<generator.next() % 4 {
        let tick = nowTick + 1 + generator.next() % (1 << (generator.next() % 24))
        let id = wheel.schedule(at: instant(tick), target, tag: tag)
        model.append((tick, tag, id))
        tag += 1
      }
      if !model.isEmpty, generator.next() % 3 == 0 {
        let index = Int(generator.next() % UInt64(model.count))
        #expect(cancel(&wheel, model.remove(at: index).id))
      }
      if generator.next() % 2 == 0 {
        nowTick += generator.next() % 5_000
      } else if let wakeUp = wheel.nextWakeUp {
        nowTick = (wakeUp.nanoseconds - start.nanoseconds) / 1_000_000
        #expect(model.allSatisfy { $0.tick >= nowTick }, "nextWakeUp is past a deadline")
      }
      // A stable sort, as the wheel's order within a tick is that of scheduling.
      let due = model.filter { $0.tick <= nowTick }.sorted { ($0.tick, $0.tag) < ($1.tick, $1.tag) }
      model.removeAll { $0.tick <= nowTick }
      #expect(pop(&wheel, at: instant(nowTick)) == due.map(\.tag))
    }
    #expect(wheel.count == model.count)
  }

  private func instant(_ tick: UInt64) -> LoopInstant {
    LoopInstant(nanoseconds: start.nanoseconds + tick * 1_000_000)
  }
}
