// When a source may be asked.
//
// A source that says 429 rests for as long as it asks. One of which every request failed in three rounds in a row goes
// into the penalty box; when its time is up one batch probes it, and each probe that fails doubles the time. Where no other
// source has an answer it is probed in every round: the box spares the others the wait, it must not make an outage
// longer. A budget of requests a minute is kept whatever it answers.

/// The penalty box and the rest of one source.
struct SourceHealth {
  enum Permit: Equatable {
    case all
    /// One batch, to see whether it is back, and the others if it is.
    case probe
    case rest
  }

  static let failuresMaximum = 3
  static let longestPenalty = Duration.seconds(120)

  /// The first penalty: two rounds.
  private let shortest: Duration
  private var failures = 0
  private var penalty: Duration?
  private var penaltyUntil: ContinuousClock.Instant?
  private var restUntil: ContinuousClock.Instant?

  init(interval: Duration) { shortest = min(interval * 2, Self.longestPenalty) }

  /// - Parameter isUrgent: whether a penalty is ended before its time.
  func permit(now: ContinuousClock.Instant, isUrgent: Bool = false) -> Permit {
    if let restUntil, now < restUntil { return .rest }
    guard let penaltyUntil else { return .all }
    return now < penaltyUntil && !isUrgent ? .rest : .probe
  }

  /// It asked to be left alone.
  mutating func rest(_ wait: Duration, now: ContinuousClock.Instant) {
    restUntil = max(restUntil ?? now, now + wait)
  }

  /// A round in which it gave an answer.
  ///
  /// - Returns: whether that ended a penalty.
  mutating func succeeded() -> Bool {
    failures = 0
    penalty = nil
    defer { penaltyUntil = nil }
    return penaltyUntil != nil
  }

  /// A round in which all requests failed.
  ///
  /// - Returns: the penalty, where one begins now.
  mutating func failed(now: ContinuousClock.Instant) -> Duration? {
    // Probed before its time: that makes nothing worse.
    if let penaltyUntil, now < penaltyUntil { return nil }
    failures += 1
    guard failures >= Self.failuresMaximum else { return nil }
    let length = min(penalty.map { $0 * 2 } ?? shortest, Self.longestPenalty)
    penalty = length
    penaltyUntil = now + length
    return length
  }
}

/// A token bucket: so many requests a minute in the long run, half of them at once.
struct RequestBudget {
  private let perMinute: Double
  private let capacity: Double
  private var left: Double
  private var countedAt: ContinuousClock.Instant?

  /// - Parameter least: what one batch takes; there is always room for one.
  init(perMinute: Int, least: Int) {
    self.perMinute = Double(max(1, perMinute))
    capacity = max(Double(max(1, perMinute)) / 2, Double(max(1, least)))
    left = capacity
  }

  /// Takes so many requests out of the budget, or none.
  mutating func take(_ requests: Int, now: ContinuousClock.Instant) -> Bool {
    if let countedAt, now > countedAt {
      left = min(capacity, left + (now - countedAt) / .seconds(60) * perMinute)
    }
    countedAt = now
    guard left >= Double(requests) else { return false }
    left -= Double(requests)
    return true
  }
}
