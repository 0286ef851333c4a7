import Ledger

/// What one chain's tokens have been found to do wrong. A pure table, bounded by the number of tokens.
struct BadTokens {
  private struct Rest {
    var until: ContinuousClock.Instant
    var length: Duration
  }
  /// Fail by themselves, and harm nobody.
  private var failing: Set<TokenID> = []
  /// Use up all gas they are given.
  private var burners: [TokenID: Rest] = [:]
  /// Say nothing when asked for name, symbol and decimals.
  private var mute: Set<TokenID> = []

  static let restMinimum = Duration.seconds(60)
  static let restMaximum = Duration.seconds(3_600)

  /// Whether the token is left out: it spoiled a read lately. It is tried again ever later.
  func isResting(_ token: TokenID, now: ContinuousClock.Instant) -> Bool {
    burners[token].map { now < $0.until } ?? false
  }

  /// Whether the token's failure needs no explanation.
  func isKnown(_ token: TokenID) -> Bool { failing.contains(token) || burners[token] != nil }
  func isBurner(_ token: TokenID) -> Bool { burners[token] != nil }
  func isMute(_ token: TokenID) -> Bool { mute.contains(token) }

  mutating func noteAnswer(_ token: TokenID) { if !burners.isEmpty { burners[token] = nil } }

  /// - Returns: whether that is news.
  mutating func noteFailing(_ token: TokenID) -> Bool {
    burners[token] = nil
    return failing.insert(token).inserted
  }

  /// - Returns: whether that is news.
  mutating func noteBurner(_ token: TokenID, now: ContinuousClock.Instant) -> Bool {
    let length = burners[token].map { min(Self.restMaximum, $0.length * 2) } ?? Self.restMinimum
    let isNew = burners.updateValue(Rest(until: now + length, length: length), forKey: token) == nil
    return isNew
  }

  mutating func noteMute(_ token: TokenID) { mute.insert(token) }
}
