import Synchronization
import TestSupport
import Testing

@testable import Jobs

@Suite(.timeLimit(.minutes(2)))
struct AlarmTests {
  @Test func theLastOneSetCounts() async {
    let alarm = Alarm()
    let isEarly = Atomic(false)
    let rang = Gate()
    alarm.set(at: .now + .seconds(3_600)) { isEarly.store(true, ordering: .relaxed) }
    alarm.set(at: .now) { rang.open() }
    await rang.pass()
    let rangEarly = isEarly.load(ordering: .relaxed)
    #expect(!rangEarly)
  }

  /// One that is cancelled lets go of what it would have called; one that waits does not.
  @Test(arguments: ["cleared", "set anew", "stopped"])
  func oneThatIsCalledOffWaitsNoLonger(_ how: String) async throws {
    final class Held: Sendable {}
    let alarm = Alarm()
    weak var held: Held?
    do {
      let new = Held()
      held = new
      alarm.set(at: .now + .seconds(3_600)) { withExtendedLifetime(new) {} }
    }
    #expect(held != nil)
    switch how {
    case "cleared": alarm.clear()
    case "set anew": alarm.set(at: .now + .seconds(3_600)) {}
    default: alarm.stop()
    }
    try await until { held == nil }
  }

  @Test func oneThatIsStoppedTakesNoOther() async throws {
    let alarm = Alarm()
    let other = Alarm()
    let rang = Atomic(false)
    alarm.set(at: .now + .seconds(3_600)) { rang.store(true, ordering: .relaxed) }
    alarm.stop()
    alarm.set(at: .now) { rang.store(true, ordering: .relaxed) }
    let later = Gate()
    other.set(at: .now + .milliseconds(20)) { later.open() }
    await later.pass()
    let hasRung = rang.load(ordering: .relaxed)
    #expect(!hasRung)
  }

  private final class Calls: Sendable {
    private let names = Mutex<[String]>([])
    var all: [String] { names.withLock { $0 } }
    func call(_ name: String) { names.withLock { $0.append(name) } }
  }

  private let alarm = Alarm()
  private let calls = Calls()

  @discardableResult
  private func set(_ name: String, after delay: Duration) -> ContinuousClock.Instant {
    let time = ContinuousClock.now + delay
    alarm.set(at: time) { [calls] in calls.call(name) }
    return time
  }

  @Test func alsoWhereItIsLaterThanTheOneBefore() async throws {
    set("late", after: .seconds(3_600))
    set("early", after: .milliseconds(5))
    try await eventually("the earlier one") { calls.all == ["early"] }
    let early = set("early", after: .milliseconds(200))
    set("late", after: .milliseconds(220))
    // On a machine that stood still meanwhile it has called already.
    guard ContinuousClock.now < early else { return }
    try await eventually("the later one, alone") { calls.all.count == 2 }
    #expect(calls.all == ["early", "late"])
  }

  @Test func whatIsPastIsCalledAtOnce() async throws {
    set("past", after: .seconds(-1))
    try await eventually("it") { calls.all == ["past"] }
  }

  @Test(arguments: ["cleared", "stopped"])
  func nothingIsCalledWhereTheSleeperWakes(_ how: String) async throws {
    let time = set(how, after: .milliseconds(200))
    if how == "cleared" { alarm.clear() } else { alarm.stop() }
    guard ContinuousClock.now < time else { return }
    try await eventually("the sleeper to wake") { alarm.sleeperCount == 0 }
    #expect(calls.all.isEmpty)
  }

  /// A sleep that nobody wants any more can't be taken back: there must not be one for each time that was set.
  @Test func manySettingsAreFewSleeps() async throws {
    for number in 0..<10_000 { set("late", after: .seconds(3_600) + .milliseconds(number)) }
    #expect(alarm.sleeperCount == 1)
    for number in 1...100 {
      set("now", after: .zero)
      try await eventually("its call") { calls.all.count == number }
      set("late", after: .seconds(3_600))
      #expect(alarm.sleeperCount <= 2)
    }
  }

  @Test func itGoesWithItsOwner() async throws {
    weak var gone: Alarm?
    do {
      let alarm = Alarm()
      alarm.set(at: .now + .seconds(3_600)) {}
      gone = alarm
    }
    #expect(gone == nil)
  }
}
