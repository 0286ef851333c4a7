import EventLoop

/// So much at once, and so much a second in the long run: a bucket that leaks, kept as the moment when it will be empty.
public struct Allowance: Sendable {
  private var paid: LoopInstant

  public init(now: LoopInstant) { paid = now }

  /// - Parameters:
  ///   - cost: what one takes, in time.
  ///   - most: how far ahead one may be.
  /// - Returns: how long to wait; nil when there was room, which is taken then.
  public mutating func take(_ cost: Duration, most: Duration, now: LoopInstant) -> Duration? {
    let next = max(paid, now) + cost
    let ahead = next - now
    guard ahead <= most + .milliseconds(1) else { return ahead - most }
    paid = next
    return nil
  }

  /// Takes room that may not be there: what comes next has to wait for longer.
  mutating func charge(_ cost: Duration, now: LoopInstant) { paid = max(paid, now) + cost }
}
