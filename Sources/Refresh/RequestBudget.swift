/// So many requests a second in the long run, and a second's worth at once: kept as the moment when all that was
/// taken is paid for.
struct RequestBudget: Equatable {
  private let most: Double
  private var perSecond: Double
  private var paid: ContinuousClock.Instant
  private var slowedAt: ContinuousClock.Instant?
  private var speededAt: ContinuousClock.Instant

  static let perSecondMinimum = 1.0
  /// After being slowed down, the rate grows by so much of the most it may be, each second.
  static let recoveryPerSecond = 0.01

  init(perSecond: Double, now: ContinuousClock.Instant) {
    most = max(Self.perSecondMinimum, perSecond)
    self.perSecond = most
    paid = now
    speededAt = now
  }

  func isSpent(now: ContinuousClock.Instant) -> Bool { paid - now >= .seconds(1) }

  /// - Returns: how long to wait before sending.
  mutating func take(_ cost: Int, now: ContinuousClock.Instant) -> Duration {
    speedUp(now: now)
    let wait = max(.zero, paid - now - .seconds(1))
    paid = max(paid, now) + .seconds(Double(cost) / perSecond)
    return wait
  }

  /// The provider allows less than was thought: half of it, for a start.
  mutating func slowDown(now: ContinuousClock.Instant) {
    // Answers to requests that were under way together are one word.
    if let slowedAt, now - slowedAt < .seconds(1) { return }
    perSecond = max(Self.perSecondMinimum, perSecond / 2)
    slowedAt = now
    speededAt = now
  }

  private mutating func speedUp(now: ContinuousClock.Instant) {
    guard perSecond < most, now > speededAt else { return }
    perSecond = min(most, perSecond + most * Self.recoveryPerSecond * ((now - speededAt) / .seconds(1)))
    speededAt = now
  }
}
