// Which endpoint of a chain is asked. Pure: time and randomness are arguments.
//
// Endpoints that may be asked are ranked: those in good standing before those whose last answer was a failure or
// older than what is known; among equals the one that won last stays first unless another is a third faster, so that
// two of the same speed do not take turns and show the chain at two heights. Speed is what light requests take (a
// probe's, which all endpoints get): a read of a large wallet says little about the endpoint.
//
// An endpoint is set aside (the circuit opens) after failures in a row, or at once when it serves another chain, is
// behind the others, or says that it is asked too often. When its rest is over it is probed by one small request, not
// by somebody's read; a probe that fails doubles the rest. Only one that asked to be spared returns without a probe.

struct EndpointTable {
  typealias Instant = ContinuousClock.Instant

  /// Why an endpoint is set aside.
  enum Reason: Equatable {
    case failing
    case limited
    case behind
    case wrongChain

    var state: EndpointHealth.State {
      switch self {
      case .failing: .failing
      case .limited: .limited
      case .behind: .behind
      case .wrongChain: .wrongChain
      }
    }
  }

  /// Heights that can be compared with each other: on some chains contracts see the height of the chain below.
  enum HeadKind {
    /// What the node says.
    case node
    /// What a reading was pinned to.
    case reading
  }

  struct Head: Equatable {
    var number: UInt64
    var at: Instant
    /// When it was first said.
    var since: Instant
  }

  struct Rest: Equatable {
    var reason: Reason
    var until: Instant
    var length: Duration
  }

  struct Entry {
    var rest: Rest?
    var failuresInARow = 0
    /// It answered, and others knew better.
    var isOutdated = false
    var errorRate = 0.0
    /// Of probes, which are rare: each says much.
    var light = LatencyEstimate(gain: 0.5)
    var heavy = LatencyEstimate(gain: 0.125)
    var heads: [HeadKind: Head] = [:]
    /// Blocks a second, as its own words say over ten seconds or more.
    var pace: Double?
    var paceStart: [HeadKind: Head] = [:]
    var probedAt: Instant
    var budget: RequestBudget

    /// The latest of either kind.
    var head: Head? { heads.values.max { $0.at < $1.at } }
    var isDoubtful: Bool { failuresInARow > 0 || isOutdated }
  }

  let rules: EndpointRules
  let blockTime: Duration
  /// A lead of more than this is not believed on one endpoint's word alone: a bogus height must not outlaw the others.
  let leadBlocks: UInt64
  var entries: [Entry]
  /// The endpoint whose answer was used last.
  private(set) var preferred = 0
  /// How many second requests may go out now.
  private(set) var hedgeCredit = Self.hedgeCreditMaximum
  private var alarmedUntil: Instant?

  static let hedgeCreditMaximum = 5.0

  init(count: Int, blockTime: Duration, rules: EndpointRules, now: Instant) {
    self.rules = rules
    self.blockTime = max(blockTime, .milliseconds(100))
    leadBlocks = max(100, UInt64(Duration.seconds(86_400) / self.blockTime))
    entries = (0..<count).map { _ in
      Entry(probedAt: now, budget: RequestBudget(perSecond: rules.requestsPerSecond, now: now))
    }
  }

  // MARK: - Choosing

  /// Those that may be asked now, the best first.
  func order(now: Instant) -> [Int] {
    entries.indices.filter { mayBeAsked($0, now: now) }
      .map { (index: $0, rank: rank($0, now: now)) }
      .sorted { ($0.rank, $0.index) < ($1.rank, $1.index) }
      .map(\.index)
  }

  private func mayBeAsked(_ index: Int, now: Instant) -> Bool {
    guard let rest = entries[index].rest else { return true }
    return rest.reason == .limited && now >= rest.until
  }

  private struct Rank: Comparable {
    /// 0: in good standing; 1: its last answer failed; 2: its last answer was outdated.
    var standing: Int
    /// Whether it has to wait for its budget.
    var isSpent: Bool
    var score: Double

    static func < (a: Rank, b: Rank) -> Bool {
      if a.standing != b.standing { return a.standing < b.standing }
      if a.isSpent != b.isSpent { return !a.isSpent }
      return a.score < b.score
    }
  }

  private func rank(_ index: Int, now: Instant) -> Rank {
    let entry = entries[index]
    let score: Double
    if let latency = entry.light.mean {
      // What is faster than 5 ms is next door, however it fluctuates.
      let milliseconds = max(5, latency / .milliseconds(1))
      score = milliseconds * (1 + 4 * entry.errorRate) * (index == preferred ? 2.0 / 3 : 1)
    } else {
      // Not measured: the settings' order counts, behind those that are, yet never instead of the one in use.
      score = index == preferred && entry.errorRate < 0.2 ? 0 : .infinity
    }
    return Rank(
      standing: entry.isOutdated ? 2 : entry.failuresInARow > 0 ? 1 : 0,
      isSpent: entry.budget.isSpent(now: now), score: score)
  }

  /// The one whose rest ends first, for when none may be asked, and how long that is.
  func leastBad(now: Instant) -> (index: Int, wait: Duration)? {
    // One of another chain is of no use to anybody while others may come back.
    let candidates = entries.indices.filter { entries[$0].rest?.reason != .wrongChain }
    return (candidates.isEmpty ? Array(entries.indices) : candidates)
      .map { (index: $0, wait: max(.zero, (entries[$0].rest?.until ?? now) - now)) }
      .min { ($0.wait, $0.index) < ($1.wait, $1.index) }
  }

  func isResting(_ index: Int) -> Bool { entries[index].rest != nil }

  // MARK: - Budget and second requests

  /// Takes room for a request of `cost` calls.
  /// - Returns: how long to wait before it is sent.
  mutating func take(_ index: Int, cost: Int, now: Instant) -> Duration {
    entries[index].budget.take(cost, now: now)
  }

  /// Before the answer is late, by this endpoint's own measure.
  func hedgeDelay(_ index: Int) -> Duration {
    // Not measured: the first request opens a connection too.
    max(rules.hedgeMinimum, entries[index].heavy.usualMaximum ?? rules.hedgeMinimum * 4)
  }

  mutating func noteFirstRequest() {
    hedgeCredit = min(Self.hedgeCreditMaximum, hedgeCredit + rules.hedgeShare)
  }

  /// Whether a second request may go out; counts it.
  mutating func takeHedge() -> Bool {
    guard hedgeCredit >= 1 else { return false }
    hedgeCredit -= 1
    return true
  }

  // MARK: - What came of it

  mutating func noteLatency(_ index: Int, _ latency: Duration, isLight: Bool) {
    if isLight { entries[index].light.add(latency) } else { entries[index].heavy.add(latency) }
  }

  /// Its answer was used.
  mutating func noteSuccess(_ index: Int, now: Instant) {
    entries[index].failuresInARow = 0
    entries[index].errorRate *= 0.8
    // One that asked to be spared while this was under way is spared all the same.
    if mayBeAsked(index, now: now) { entries[index].rest = nil }
    preferred = index
  }

  /// Another one, asked later, was faster.
  /// - Parameter elapsed: how long it had been asked.
  mutating func noteLost(_ index: Int, after elapsed: Duration) {
    entries[index].heavy.add(elapsed)
  }

  /// Its answer does not come when it usually does. Something has changed: for a while all are looked at more often.
  mutating func noteLate(_ index: Int, now: Instant) {
    entries[index].errorRate = entries[index].errorRate * 0.8 + 0.2
    alarmedUntil = now + rules.probeInterval
  }

  /// - Parameter random: 0..<1.
  /// - Returns: whether that set it aside.
  mutating func noteFailure(_ index: Int, now: Instant, random: Double) -> Bool {
    entries[index].failuresInARow += 1
    entries[index].errorRate = entries[index].errorRate * 0.8 + 0.2
    guard entries[index].rest == nil, entries[index].failuresInARow >= rules.failuresToRest else {
      return false
    }
    rest(index, .failing, length: rules.restMinimum, now: now, random: random)
    return true
  }

  /// It serves another chain, or is behind.
  /// - Returns: whether that is news.
  mutating func setAside(_ index: Int, _ reason: Reason, now: Instant, random: Double) -> Bool {
    let isNews = entries[index].rest?.reason != reason
    if isNews { rest(index, reason, length: rules.restMinimum, now: now, random: random) }
    return isNews
  }

  /// It said that it is asked too often.
  /// - Parameter retryAfter: its word, if it gave one; without it the rest grows.
  mutating func noteLimited(_ index: Int, retryAfter: Duration?, now: Instant, random: Double) {
    entries[index].budget.slowDown(now: now)
    if let rest = entries[index].rest, rest.reason != .limited { return }
    if let retryAfter, retryAfter > .zero {
      let length = min(retryAfter, rules.retryAfterMaximum)
      entries[index].rest = Rest(reason: .limited, until: now + length, length: rules.restMinimum)
      return
    }
    // Several answers to requests that were under way together are one word.
    if let rest = entries[index].rest, now < rest.until { return }
    let length = entries[index].rest.map { min(rules.restMaximum, $0.length * 2) } ?? rules.restMinimum
    rest(index, .limited, length: length, now: now, random: random)
  }

  private mutating func rest(
    _ index: Int, _ reason: Reason, length: Duration, now: Instant, random: Double
  ) {
    entries[index].rest = Rest(reason: reason, until: now + length * (0.75 + random / 2), length: length)
  }

  /// The pause before an endpoint that just failed is asked once more.
  func retryPause(random: Double) -> Duration { .milliseconds(100) * (1 + 2 * random) }

  // MARK: - Probes

  /// Those to probe now: their rest is over, or nobody has looked at them for long. Counts as probed from now on.
  mutating func takeDueProbes(now: Instant) -> [Int] {
    let isAlarmed = alarmedUntil.map { now < $0 } ?? false
    let due = entries.indices.filter { index in
      let entry = entries[index]
      if let rest = entry.rest { return rest.reason != .limited && now >= rest.until }
      // One failure may be bad luck: it is looked at before anybody's read is risked on it.
      let isUrgent = entry.isDoubtful || isAlarmed || (index != preferred && isStuck(now: now))
      let interval = isUrgent ? rules.urgentProbeInterval : rules.probeInterval
      return entries.count > 1 && now >= entry.probedAt + interval
    }
    for index in due { entries[index].probedAt = now }
    return due
  }

  mutating func noteProbed(_ index: Int, now: Instant) {
    entries[index].probedAt = now
    entries[index].failuresInARow = 0
    entries[index].rest = nil
  }

  /// The rest grows.
  mutating func noteProbeFailed(_ index: Int, _ reason: Reason, now: Instant, random: Double) {
    entries[index].probedAt = now
    guard let old = entries[index].rest else { return }
    let length = min(rules.restMaximum, old.length * 2)
    rest(index, reason, length: length, now: now, random: random)
  }

  // MARK: - For people

  func state(_ index: Int, now: Instant) -> EndpointHealth.State {
    if let rest = entries[index].rest, !mayBeAsked(index, now: now) { return rest.reason.state }
    return entries[index].isDoubtful ? .doubtful : .up
  }
}
