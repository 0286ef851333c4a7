// Prices that jump a thousandfold.
//
// Most are a source's error: a wrong number of decimals, a pool that somebody emptied. Some are true. One that is ×1000
// or ÷1000 of a held price is held back where the held one is fresh or, by its source's time, not older than an hour.
// It is believed when a second source says about the same, or when the source says it again in each of three later
// rounds that no other source contradicts. Held back, it counts as missing: the next source is asked at once, and
// without another word the held price turns stale in its time.

import Ledger

struct JumpGuard {
  private struct Suspicion {
    var source: String
    var price: ExactDecimal
    /// The last round that counted.
    var round: Int
    var repeats = 0
  }

  static let repeatsNeeded = 3
  static let heldAgeMaximum: UnixMilliseconds = 3_600_000

  /// At most one for each source of a token.
  private var suspicions: [TokenID: [Suspicion]] = [:]

  /// Prices held back and not yet settled.
  var count: Int { suspicions.count }

  /// Whether a price is to be believed.
  ///
  /// - Parameter round: a source that says the same twice in one round has said it once.
  mutating func believes(
    _ price: ExactDecimal, of held: PriceCell, from source: String, round: Int, now: UnixMilliseconds
  ) -> Bool {
    let token = held.token.id
    guard let heldPrice = held.price, Self.isJump(from: heldPrice, to: price),
      held.state == .fresh || now - held.sourceTime <= Self.heldAgeMaximum
    else {
      suspicions[token] = nil
      return true
    }
    var known = suspicions[token] ?? []
    if known.contains(where: { $0.source != source && Self.isAlike($0.price, price) }) {
      suspicions[token] = nil
      return true
    }
    guard let index = known.firstIndex(where: { $0.source == source }),
      Self.isAlike(known[index].price, price)
    else {
      known.removeAll { $0.source == source }
      known.append(Suspicion(source: source, price: price, round: round))
      suspicions[token] = known
      return false
    }
    if round > known[index].round {
      known[index].round = round
      known[index].repeats += 1
    }
    guard known[index].repeats >= Self.repeatsNeeded else {
      suspicions[token] = known
      return false
    }
    suspicions[token] = nil
    return true
  }

  /// A little less than a thousandfold in permille, so that exactly a thousandfold is a jump.
  private static let jump = 998_999

  static func isJump(from old: ExactDecimal, to new: ExactDecimal) -> Bool {
    guard !old.isZero, !new.isZero else { return false }
    return new.moved(from: old, byMoreThanPermille: jump) || old.moved(from: new, byMoreThanPermille: jump)
  }

  /// Within a half of each other.
  private static func isAlike(_ one: ExactDecimal, _ other: ExactDecimal) -> Bool {
    !one.moved(from: other, byMoreThanPermille: 500) && !other.moved(from: one, byMoreThanPermille: 500)
  }
}
