/// How long to stay away: each time twice as long, up to a limit. Half of it is random, so that those who lost the server
/// together don't come back together. Pure.
struct BackOff: Sendable {
  /// A server that is off by a digit can't send us away for ever.
  static let announcedMax = Duration.seconds(3_600)

  let first: Duration
  let longest: Duration
  private var attempts = 0

  init(first: Duration, longest: Duration) {
    self.first = first
    self.longest = longest
  }

  mutating func reset() { attempts = 0 }

  /// - Parameters:
  ///   - announced: what the server said (`retry_ms`), jittered by itself.
  ///   - random: any 64 bits.
  mutating func next(announced: Duration?, random: UInt64) -> Duration {
    let ceiling = min(longest, first * (1 << min(attempts, 16)))
    attempts += 1
    if let announced { return min(announced, Self.announcedMax) }
    return ceiling / 2 + ceiling / 2 * (Double(random >> 11) / Double(1 << 53))
  }
}
