import Testing

@testable import Refresh

/// Time and chance are arguments, so every rule is tried at its edges.
struct EndpointTableTests {
  static let start = ContinuousClock.now

  static func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

  /// - Parameter count: endpoints of a chain with a block every second.
  static func table(_ count: Int, _ change: (inout EndpointRules) -> Void = { _ in }) -> EndpointTable {
    var rules = EndpointRules()
    change(&rules)
    return EndpointTable(count: count, blockTime: .seconds(1), rules: rules, now: start)
  }

  // MARK: Ranking

  @Test func theSettingsOrderCountsUntilThereAreMeasurements() {
    #expect(Self.table(3).order(now: Self.start) == [0, 1, 2])
    #expect(Self.table(0).order(now: Self.start) == [])
    #expect(Self.table(0).leastBad(now: Self.start) == nil)
  }

  @Test(arguments: [
    // In use, then two others; what is in use stays unless another is a third faster.
    ([50, 80, 20], [2, 0, 1]), ([50, 40, 60], [0, 1, 2]), ([50, 34, 34], [0, 1, 2]),
    ([50, 33, 200], [1, 0, 2]),
    // Below 5 ms nothing is told apart.
    ([4, 1, 2], [0, 1, 2]),
  ])
  func theFastestIsFirst(_ milliseconds: [Int], _ expected: [Int]) {
    var table = Self.table(3)
    for (index, latency) in milliseconds.enumerated() {
      table.noteLatency(index, .milliseconds(latency), isLight: true)
    }
    #expect(table.order(now: Self.start) == expected)
  }

  @Test func whatAHeavyReadTakesSaysNothingOfTheRank() {
    var table = Self.table(2)
    table.noteLatency(0, .milliseconds(10), isLight: true)
    table.noteLatency(1, .milliseconds(12), isLight: true)
    table.noteLatency(0, .seconds(3), isLight: false)
    #expect(table.order(now: Self.start) == [0, 1])
  }

  @Test func theOneInUseStaysWhereOnlyOthersAreMeasured() {
    var table = Self.table(3)
    table.noteLatency(2, .milliseconds(10), isLight: true)
    #expect(table.order(now: Self.start) == [0, 2, 1])
    table.noteSuccess(1, now: Self.start)
    #expect(table.order(now: Self.start) == [1, 2, 0])
  }

  @Test func oneThatFailedComesAfterOneThatDidNotAndOneThatIsOutdatedLast() {
    var table = Self.table(3)
    table.noteSuccess(0, now: Self.start)
    table.noteOutdated()
    #expect(table.noteFailure(1, now: Self.start, random: 0) == false)
    #expect(table.order(now: Self.start) == [2, 1, 0])
    #expect([0, 1, 2].map { table.state($0, now: Self.start) } == [.doubtful, .doubtful, .up])
    // A good answer ends the one doubt, a height as good as any the other.
    table.noteSuccess(1, now: Self.start)
    #expect(table.noteHead(2, 100, .node, now: Self.start) == nil)
    #expect(table.noteHead(0, 99, .node, now: Self.start) == nil)
    #expect(table.state(0, now: Self.start) == .doubtful)
    #expect(table.noteHead(0, 100, .node, now: Self.start) == nil)
    #expect([0, 1, 2].map { table.state($0, now: Self.start) } == [.up, .up, .up])
  }

  @Test func aSoleEndpointIsNeverOutdated() {
    var table = Self.table(1)
    table.noteOutdated()
    #expect(table.state(0, now: Self.start) == .up)
  }

  @Test func aLateAnswerIsAnAlarm() {
    var table = Self.table(3)
    #expect(table.takeDueProbes(now: Self.at(5_000)) == [])
    table.noteLate(0, now: Self.at(4_000))
    #expect(table.takeDueProbes(now: Self.at(4_999)) == [])
    #expect(table.takeDueProbes(now: Self.at(5_000)) == [0, 1, 2])
    #expect(table.takeDueProbes(now: Self.at(9_999)) == [])
    #expect(table.takeDueProbes(now: Self.at(63_999)) == [0, 1, 2])
    #expect(table.takeDueProbes(now: Self.at(70_000)) == [], "it is over")
  }

  @Test func aHeightThatStandsStillIsAskedOthersAbout() {
    var table = Self.table(2)
    for second in 0...5 {
      _ = table.noteHead(0, 100, .reading, now: Self.at(second * 1_000))
      #expect(table.takeDueProbes(now: Self.at(second * 1_000)) == [])
    }
    #expect(table.takeDueProbes(now: Self.at(5_001)) == [1])
    _ = table.noteHead(0, 101, .reading, now: Self.at(10_000))
    #expect(table.takeDueProbes(now: Self.at(14_000)) == [])
  }

  @Test func theLagFollowsTheMeasuredPace() {
    var table = Self.table(2)
    // Four blocks a second instead of one.
    for second in 0...10 {
      _ = table.noteHead(0, 1_000 + UInt64(second) * 4, .node, now: Self.at(second * 1_000))
    }
    #expect(table.lagBlocks == 40)
    // Another one may be catching up.
    _ = table.noteHead(1, 100, .node, now: Self.start)
    _ = table.noteHead(1, 1_000, .node, now: Self.at(10_000))
    #expect(table.lagBlocks == 40)
    // Slower than the settings say is no reason to be strict, and a jump beyond belief is no pace.
    for second in 20...21 { _ = table.noteHead(0, 1_040, .node, now: Self.at(second * 1_000)) }
    #expect(table.lagBlocks == 10)
    _ = table.noteHead(0, 1_000_000_000, .node, now: Self.at(40_000))
    _ = table.noteHead(0, 1_000_000_001, .node, now: Self.at(51_000))
    #expect(table.lagBlocks == 10)
  }

  @Test func errorsAndLateAnswersCostRank() {
    var table = Self.table(2)
    for index in 0...1 { table.noteLatency(index, .milliseconds(100), isLight: true) }
    table.noteSuccess(0, now: Self.start)
    table.noteLate(0, now: Self.start)
    // 100 ms, less a third, times 1 + 4 × 0.2, are 120.
    #expect(table.order(now: Self.start) == [1, 0])
    for _ in 0..<3 { table.noteSuccess(0, now: Self.start) }
    #expect(table.order(now: Self.start) == [0, 1])
  }

  // MARK: The circuit

  @Test func failuresInARowSetItAside() {
    var table = Self.table(2)
    #expect(table.noteFailure(0, now: Self.start, random: 0.5) == false)
    #expect(table.noteFailure(0, now: Self.start, random: 0.5) == false)
    table.noteSuccess(0, now: Self.start)
    #expect(table.noteFailure(0, now: Self.start, random: 0.5) == false)
    #expect(table.noteFailure(0, now: Self.start, random: 0.5) == false)
    #expect(table.order(now: Self.start) == [1, 0])
    #expect(table.noteFailure(0, now: Self.start, random: 0.5) == true)
    #expect(table.order(now: Self.start) == [1])
    #expect(table.state(0, now: Self.start) == .failing)
    // More of them, from requests that were under way together, change nothing.
    #expect(table.noteFailure(0, now: Self.at(900), random: 0.5) == false)
    #expect(table.leastBad(now: Self.at(900))?.index == 1)
    // Its rest is over: a probe, not a read.
    #expect(table.takeDueProbes(now: Self.at(999)) == [])
    #expect(table.takeDueProbes(now: Self.at(1_000)) == [0])
    #expect(table.order(now: Self.at(1_000)) == [1])
    table.noteProbed(0, now: Self.at(1_100))
    #expect(table.order(now: Self.at(1_100)).contains(0))
    #expect(table.state(0, now: Self.at(1_100)) == .up)
  }

  @Test(arguments: [(0.0, 750), (0.5, 1_000), (0.999_999, 1_250)])
  func restsAreJittered(_ random: Double, _ milliseconds: Int) {
    var table = Self.table(1) { $0.failuresToRest = 1 }
    #expect(table.noteFailure(0, now: Self.start, random: random) == true)
    let wait = table.leastBad(now: Self.start)?.wait ?? .zero
    #expect(abs(wait / .milliseconds(1) - Double(milliseconds)) < 0.01)
  }

  @Test func restsGrowWithEveryProbeThatFailsToABound() {
    var table = Self.table(1) { $0.failuresToRest = 1 }
    _ = table.noteFailure(0, now: Self.start, random: 0.5)
    var now = 0
    for seconds in [1, 2, 4, 8, 15, 15] {
      #expect(table.leastBad(now: Self.at(now))?.wait == .seconds(seconds))
      now += seconds * 1_000
      table.noteProbeFailed(0, .failing, now: Self.at(now), random: 0.5)
    }
    table.noteProbed(0, now: Self.at(now))
    _ = table.noteFailure(0, now: Self.at(now), random: 0.5)
    #expect(table.leastBad(now: Self.at(now))?.wait == .seconds(1), "a good probe begins anew")
  }

  @Test func aProbeThatFailsOfOneInGoodStandingSetsNothingAside() {
    var table = Self.table(2)
    table.noteProbeFailed(0, .failing, now: Self.start, random: 0.5)
    #expect(table.order(now: Self.start) == [0, 1])
  }

  @Test func theOneWhoseRestEndsFirstIsTheLeastBadButNotOneOfAnotherChain() {
    var table = Self.table(3) { $0.failuresToRest = 1 }
    #expect(table.setAside(0, .wrongChain, now: Self.start, random: 0) == true)
    #expect(table.setAside(0, .wrongChain, now: Self.start, random: 0) == false, "no news")
    _ = table.noteFailure(1, now: Self.start, random: 1)
    _ = table.noteFailure(2, now: Self.start, random: 0.5)
    #expect(table.order(now: Self.start) == [])
    #expect(table.leastBad(now: Self.start).map { "\($0)" } == "(index: 2, wait: 1.0 seconds)")
    #expect(table.leastBad(now: Self.at(60_000))?.wait == .zero)
    var alone = Self.table(1)
    _ = alone.setAside(0, .wrongChain, now: Self.start, random: 0.5)
    #expect(alone.leastBad(now: Self.start)?.wait == .seconds(1), "better than none")
  }

  @Test func aSuccessThatComesWhileItRestsEndsTheRestOfNoOneWhoAskedForIt() {
    var table = Self.table(1)
    table.noteLimited(0, retryAfter: .seconds(5), now: Self.start, random: 0)
    table.noteSuccess(0, now: Self.at(100))
    #expect(table.order(now: Self.at(100)) == [])
    #expect(table.order(now: Self.at(5_000)) == [0])
  }

  // MARK: Asked too often

  @Test(arguments: [(Duration.seconds(7), 7_000), (.seconds(9_999), 120_000)])
  func retryAfterIsObeyedWithinReason(_ retryAfter: Duration, _ milliseconds: Int) {
    var table = Self.table(2)
    table.noteLimited(0, retryAfter: retryAfter, now: Self.start, random: 0.5)
    #expect(table.state(0, now: Self.start) == .limited)
    #expect(table.order(now: Self.at(milliseconds - 1)) == [1])
    // It asked for this time and no more: no probe is needed.
    #expect(table.order(now: Self.at(milliseconds)).contains(0))
    #expect(table.takeDueProbes(now: Self.at(milliseconds)).contains(0) == false)
  }

  @Test(arguments: [nil, Duration.zero, .seconds(-3)])
  func withoutATimeTheRestGrows(_ retryAfter: Duration?) {
    var table = Self.table(1)
    var now = 0
    for seconds in [1, 2, 4, 8, 15, 15] {
      table.noteLimited(0, retryAfter: retryAfter, now: Self.at(now), random: 0.5)
      // A second word meanwhile is the same word.
      table.noteLimited(0, retryAfter: retryAfter, now: Self.at(now + 1), random: 0.5)
      #expect(table.leastBad(now: Self.at(now))?.wait == .seconds(seconds))
      now += seconds * 1_000
    }
    table.noteSuccess(0, now: Self.at(now))
    table.noteLimited(0, retryAfter: retryAfter, now: Self.at(now), random: 0.5)
    #expect(table.leastBad(now: Self.at(now))?.wait == .seconds(1))
  }

  @Test func oneOfAnotherChainIsNotBackForBeingLimited() {
    var table = Self.table(1)
    _ = table.setAside(0, .wrongChain, now: Self.start, random: 0.5)
    table.noteLimited(0, retryAfter: .seconds(1), now: Self.start, random: 0.5)
    #expect(table.state(0, now: Self.at(5_000)) == .wrongChain)
    #expect(table.order(now: Self.at(5_000)) == [])
  }

  // MARK: Heights

  @Test func aFewBlocksBehindIsNothingMoreIsALaggard() {
    var table = Self.table(2)
    #expect(table.lagBlocks == 10)
    #expect(table.noteHead(0, 1_000, .node, now: Self.start) == nil)
    #expect(table.noteHead(1, 990, .node, now: Self.start) == nil)
    #expect(table.noteHead(1, 989, .node, now: Self.start) == 1_000)
  }

  @Test(
    arguments: [(.seconds(12), 3), (.seconds(2), 5), (.milliseconds(250), 40), (.zero, 100)]
      as [(Duration, UInt64)])
  func theLagIsMeasuredInTime(_ blockTime: Duration, _ blocks: UInt64) {
    #expect(
      EndpointTable(count: 1, blockTime: blockTime, rules: EndpointRules(), now: Self.start).lagBlocks
        == blocks)
  }

  @Test func heightsOfDifferentKindsAreNotCompared() {
    var table = Self.table(2)
    _ = table.noteHead(0, 500_000, .node, now: Self.start)
    #expect(table.noteHead(1, 9_000, .reading, now: Self.start) == nil)
  }

  @Test func anIncredibleLeadNeedsASecondWitness() {
    var table = Self.table(3)
    _ = table.noteHead(0, 1_000_000_000, .node, now: Self.start)
    #expect(table.noteHead(1, 1_000, .node, now: Self.start) == nil)
    #expect(table.noteHead(2, 1_001, .node, now: Self.start) == nil)
    #expect(table.noteHead(1, 900, .node, now: Self.start) == 1_001)
    _ = table.noteHead(2, 1_000_000_005, .node, now: Self.start)
    #expect(table.noteHead(1, 1_000, .node, now: Self.start) == 1_000_000_005)
  }

  @Test func oldHeightsAndThoseOfEndpointsSetAsideDoNotCount() {
    var table = Self.table(2)
    _ = table.noteHead(0, 2_000, .node, now: Self.start)
    #expect(table.noteHead(1, 1_000, .node, now: Self.at(600_000)) == 2_000)
    #expect(table.noteHead(1, 1_000, .node, now: Self.at(600_001)) == nil)
    for reason in [EndpointTable.Reason.behind, .wrongChain] {
      var table = Self.table(2)
      _ = table.noteHead(0, 2_000, .node, now: Self.start)
      _ = table.setAside(0, reason, now: Self.start, random: 0)
      #expect(table.noteHead(1, 1_000, .node, now: Self.start) == nil)
    }
    // One that fails now had told the truth before.
    for _ in 0..<3 { _ = table.noteFailure(0, now: Self.at(1), random: 0) }
    #expect(table.noteHead(1, 1_000, .node, now: Self.at(1)) == 2_000)
  }

  @Test func whoSaidLessAMomentAgoIsFoundToo() {
    var table = Self.table(4)
    _ = table.noteHead(0, 1_000, .node, now: Self.start)
    _ = table.noteHead(1, 1_995, .node, now: Self.start)
    _ = table.noteHead(2, 1_000, .node, now: Self.at(-5_000))
    _ = table.noteHead(3, 2_000, .node, now: Self.at(100))
    #expect(table.laggards(behind: 3, .node, now: Self.at(100)) == [0])
    #expect(table.laggards(behind: 3, .reading, now: Self.at(100)) == [])
    _ = table.noteHead(3, 1_000_000_000, .node, now: Self.at(100))
    #expect(table.laggards(behind: 3, .node, now: Self.at(100)) == [], "beyond belief")
  }

  // MARK: Probes

  @Test func whoIsNotAskedIsProbedNowAndThen() {
    var table = Self.table(2)
    #expect(table.takeDueProbes(now: Self.at(59_999)) == [])
    #expect(table.takeDueProbes(now: Self.at(60_000)) == [0, 1])
    #expect(table.takeDueProbes(now: Self.at(60_000)) == [])
    // One in doubt sooner.
    _ = table.noteFailure(1, now: Self.at(60_000), random: 0)
    #expect(table.takeDueProbes(now: Self.at(64_999)) == [])
    #expect(table.takeDueProbes(now: Self.at(65_000)) == [1])
    var alone = Self.table(1)
    #expect(alone.takeDueProbes(now: Self.at(600_000)) == [], "there is nothing to choose")
  }

  // MARK: Second requests

  @Test func aSecondRequestWaitsForWhatIsUsual() {
    var table = Self.table(2)
    #expect(table.hedgeDelay(0) == .seconds(1), "nothing is known: it may have to connect first")
    for _ in 0..<50 { table.noteLatency(0, .milliseconds(20), isLight: false) }
    #expect(table.hedgeDelay(0) == .milliseconds(250))
    for _ in 0..<50 { table.noteLatency(0, .milliseconds(400), isLight: false) }
    let delay = table.hedgeDelay(0)
    #expect(delay > .milliseconds(399) && delay < .milliseconds(500))
  }

  @Test func secondRequestsAreATwentiethOfTheFirst() {
    var table = Self.table(2)
    var hedges = 0
    for _ in 0..<1_000 {
      table.noteFirstRequest()
      if table.takeHedge() { hedges += 1 }
    }
    #expect((54...55).contains(hedges), "and five to begin with")
    for _ in 0..<100_000 { table.noteFirstRequest() }
    hedges = 0
    while table.takeHedge() { hedges += 1 }
    #expect(hedges == 5, "what was saved up is bounded")
  }
}

struct RequestBudgetTests {
  static let start = ContinuousClock.now

  @Test func aSecondsWorthAtOnceThenOneAfterTheOther() {
    var budget = RequestBudget(perSecond: 10, now: Self.start)
    var waits: [Double] = []
    for _ in 0..<13 { waits.append(budget.take(1, now: Self.start) / .milliseconds(1)) }
    for (wait, expected) in zip(waits, Array(repeating: 0.0, count: 11) + [100, 200]) {
      #expect(abs(wait - expected) < 0.001)
    }
    #expect(budget.isSpent(now: Self.start))
    #expect(!budget.isSpent(now: Self.start + .seconds(1)))
    #expect(budget.take(10, now: Self.start + .seconds(60)) == .zero)
    #expect(budget.take(1, now: Self.start + .seconds(60)) == .zero)
    #expect(budget.take(1, now: Self.start + .seconds(60)) / .milliseconds(1) > 99)
  }

  @Test func beingToldSoItSlowsDownAndRecovers() {
    var budget = RequestBudget(perSecond: 100, now: Self.start)
    func rate(_ budget: RequestBudget, _ now: ContinuousClock.Instant) -> Double {
      var budget = budget
      _ = budget.take(100, now: now)
      let first = budget.take(1, now: now)
      let second = budget.take(1, now: now)
      return 1 / ((second - first) / .seconds(1))
    }
    budget.slowDown(now: Self.start)
    budget.slowDown(now: Self.start + .milliseconds(500))
    #expect(abs(rate(budget, Self.start) - 50) < 0.1, "two words of one moment are one")
    budget.slowDown(now: Self.start + .milliseconds(1_000))
    #expect(abs(rate(budget, Self.start + .seconds(1)) - 25) < 0.1)
    #expect(abs(rate(budget, Self.start + .seconds(11)) - 35) < 0.1)
    #expect(abs(rate(budget, Self.start + .seconds(1_000)) - 100) < 0.1)
    for second in 0..<50 { budget.slowDown(now: Self.start + .seconds(second)) }
    #expect(abs(rate(budget, Self.start + .seconds(49)) - 1) < 0.01, "and never stands still")
  }
}

struct EndpointTraitsTests {
  static let start = ContinuousClock.now

  @Test func multicallIsTakenForGrantedUntilItIsMissedAndAgainLater() {
    var traits = EndpointTraits(memory: .seconds(10))
    #expect(traits.hasMulticall(now: Self.start))
    #expect(traits.noteNoMulticall(now: Self.start) == true)
    #expect(traits.noteNoMulticall(now: Self.start + .seconds(9)) == false)
    #expect(!traits.hasMulticall(now: Self.start + .seconds(9)))
    #expect(traits.hasMulticall(now: Self.start + .seconds(10)))
    #expect(traits.noteNoMulticall(now: Self.start + .seconds(10)) == true)
  }

  @Test func batchesShrinkToSingleCalls() {
    var traits = EndpointTraits(memory: .seconds(10))
    var sizes: [Int] = []
    for _ in 0..<5 {
      let size = traits.batchSize(now: Self.start)
      sizes.append(size)
      traits.noteBatchTooLarge(size, now: Self.start)
    }
    #expect(sizes == [10, 5, 2, 1, 1])
    // A larger one that was under way at the same time says nothing new.
    traits.noteBatchTooLarge(10, now: Self.start)
    #expect(traits.batchSize(now: Self.start) == 1)
    #expect(traits.batchSize(now: Self.start + .seconds(10)) == 10)
    #expect(!traits.takesBatches(now: Self.start))
    traits.noteBatchPassed(now: Self.start)
    #expect(traits.takesBatches(now: Self.start + .milliseconds(9_999)))
    #expect(!traits.takesBatches(now: Self.start + .seconds(10)))
    traits.noteNoBatches(now: Self.start + .seconds(10))
    #expect(traits.batchSize(now: Self.start + .seconds(10)) == 1)
  }

  @Test(arguments: [(19, 1_500), (20, 20), (700, 700), (1_500, 1_500), (9_000, 1_500)])
  func chunksAreLearntWithinReason(_ passed: Int, _ expected: Int) {
    var traits = EndpointTraits(memory: .seconds(10))
    traits.noteChunk(passed: passed, now: Self.start)
    #expect(traits.chunkSize(now: Self.start) == expected)
    #expect(traits.chunkSize(now: Self.start + .seconds(10)) == 1_500)
  }
}
