import Ledger
import TestSupport
import Testing

@testable import Refresh

struct CooldownsTests {
  @Test func countsFromTheStart() {
    var cooldowns = Cooldowns(period: 10_000)
    #expect(cooldowns.remaining(1, now: 0) == nil)
    cooldowns.note(1, start: 1_000, now: 3_000)
    #expect(cooldowns.remaining(1, now: 5_000).map { [$0.ago, $0.retry] } == [4_000, 6_000])
    #expect(cooldowns.remaining(1, now: 10_999).map { [$0.ago, $0.retry] } == [9_999, 1])
    #expect(cooldowns.remaining(1, now: 11_000) == nil)
    #expect(cooldowns.remaining(2, now: 5_000) == nil)
    // A clock that was put back.
    #expect(cooldowns.remaining(1, now: 0).map { [$0.ago, $0.retry] } == [0, 10_000])
  }

  @Test func noneIsAllowed() {
    var cooldowns = Cooldowns(period: 0)
    cooldowns.note(1, start: 1_000, now: 1_000)
    #expect(cooldowns.remaining(1, now: 1_000) == nil)
    #expect(cooldowns.count == 0)
  }

  @Test func dropsWhatNoLongerMatters() {
    var cooldowns = Cooldowns(period: 10)
    for wallet in 0..<100_000 as Range<WalletID> { cooldowns.note(wallet, start: wallet, now: wallet) }
    #expect(cooldowns.count <= 256)
    #expect(cooldowns.remaining(99_999, now: 100_000) != nil)
  }
}

struct ReadScheduleTests {
  /// Against a table that is searched from end to end.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func doesWhatATableWouldDo(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var schedule = ReadSchedule()
    var table: [WalletID: UnixMilliseconds] = [:]
    var now: UnixMilliseconds = 0
    for _ in 0..<2_000 {
      let wallet = WalletID.random(in: 0..<50, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0, 1:
        let time = now + Int64.random(in: 0..<500, using: &generator)
        schedule.schedule(wallet, at: time)
        table[wallet] = time
      case 2:
        schedule.remove(wallet)
        table[wallet] = nil
      default:
        now += Int64.random(in: 0..<100, using: &generator)
        while let taken = schedule.takeDue(now: now) {
          let due = table.removeValue(forKey: taken)
          #expect(due != nil && due ?? .max <= now, "seed \(seed)")
        }
        #expect(!table.values.contains { $0 <= now }, "seed \(seed)")
      }
      #expect(schedule.count == table.count, "seed \(seed)")
      if let first = table.values.min() { #expect((schedule.next ?? .max) <= first, "seed \(seed)") }
    }
  }

  @Test func leftoversStayFew() {
    var schedule = ReadSchedule()
    for time in 0..<10_000 as Range<UnixMilliseconds> { schedule.schedule(1, at: time) }
    #expect(schedule.entryCount <= 66)
    let taken = [schedule.takeDue(now: 9_998), schedule.takeDue(now: 9_999)]
    #expect(taken == [nil, 1])
    for wallet in 0..<10_000 as Range<WalletID> { schedule.schedule(wallet, at: 1) }
    for wallet in 0..<10_000 as Range<WalletID> { schedule.remove(wallet) }
    #expect(schedule.entryCount <= 64)
  }
}

struct BadTokensTests {
  @Test func aBurnerRestsEverLonger() {
    var bad = BadTokens()
    let start = ContinuousClock.now
    #expect(!bad.isResting(1, now: start))
    let first = bad.noteBurner(1, now: start)
    let again = bad.noteBurner(1, now: start)
    #expect(first && !again)
    #expect(bad.isResting(1, now: start + .seconds(119)))
    #expect(!bad.isResting(1, now: start + .seconds(120)))
    for _ in 0..<20 { _ = bad.noteBurner(1, now: start) }
    #expect(!bad.isResting(1, now: start + BadTokens.restMaximum))
    #expect(bad.isResting(1, now: start + BadTokens.restMaximum - .seconds(1)))
    bad.noteAnswer(1)
    #expect(!bad.isBurner(1) && !bad.isKnown(1))
  }

  @Test func whatFailsByItselfIsNoBurner() {
    var bad = BadTokens()
    _ = bad.noteBurner(1, now: .now)
    let isNews = [bad.noteFailing(1), bad.noteFailing(1)]
    #expect(isNews == [true, false])
    #expect(!bad.isBurner(1))
    bad.noteAnswer(1)
    #expect(bad.isKnown(1), "another wallet's answer does not make its failure news")
  }
}

struct ReadQueueTests {
  // What changes a value can't stand in an expectation: this stands in for it.
  private final class Queue {
    var queue: ReadQueue<Int>
    init(width: Int) { queue = ReadQueue(width: width) }
    func add(_ numbers: Range<Int>) { for number in numbers { queue.add(number) } }
    func begin() -> [Int]? { queue.begin() }
  }

  @Test func whoFindsAPlaceIsAloneWhoWaitsIsNot() {
    let queue = Queue(width: 2)
    for number in 0..<5 {
      queue.add(number..<number + 1)
      #expect(queue.begin() == (number < 2 ? [number] : nil))
    }
    queue.queue.end()
    #expect(queue.begin() == [2, 3, 4])
    #expect(queue.queue.waitingCount == 0)
    queue.queue.end()
    queue.queue.end()
    #expect(queue.queue.running == 0)
    #expect(queue.begin() == nil)
  }

  @Test func inTheOrderTheyCameSoManyAtATime() {
    let queue = Queue(width: 1)
    queue.add(0..<3_000)
    var seen: [Int] = []
    while let taken = queue.begin() {
      #expect(taken.count <= ReadQueue<Int>.entriesMaximum)
      // Every other time some don't fit.
      let fitting = taken.count > 1 && taken[0] % 2 == 0 ? taken.prefix(taken.count - 1) : taken[...]
      queue.queue.putBack(taken[fitting.endIndex...])
      seen += fitting
      queue.queue.end()
    }
    #expect(seen == Array(0..<3_000))
  }
}
