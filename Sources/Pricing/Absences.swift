// Coins that a source has no price for.
//
// Wallets are full of tokens that nobody prices. A source that answered, and had no price for a coin, is asked for it
// again after a quarter of the time it has had none: at least a round's interval, and at most five minutes. So a new coin
// is asked for in every round at first, and a price that comes at last is late by no more than a quarter of the time that
// it was waited for. Only an answer counts: what failed, was left out or was held back says nothing about the coin.

/// What one source had no price for. Holds no more coins than the source is asked for.
struct Absences {
  private struct Absence {
    let since: ContinuousClock.Instant
    var until: ContinuousClock.Instant
  }

  static let longest = Duration.seconds(300)

  private let interval: Duration
  private var absences: [CoinName: Absence] = [:]

  /// - Parameter interval: between two rounds.
  init(interval: Duration) { self.interval = interval }

  var count: Int { absences.count }

  /// Whether the source need not be asked for the coin yet.
  func rests(_ coin: CoinName, now: ContinuousClock.Instant) -> Bool {
    absences[coin].map { now < $0.until } ?? false
  }

  /// The source answered, and had no price.
  ///
  /// - Parameter jitter: 0..<1; takes up to a quarter off the wait, so that coins that came together part.
  mutating func note(_ coin: CoinName, now: ContinuousClock.Instant, jitter: Double) {
    let since = absences[coin]?.since ?? now
    let wait = min(max(interval, (now - since) / 4), Self.longest)
    absences[coin] = Absence(since: since, until: now + wait * (1 - jitter / 4))
  }

  /// The source has a price, or somebody insists on asking: it begins anew.
  mutating func forget(_ coin: CoinName) { absences[coin] = nil }

  /// Coins that nobody wants any more are forgotten.
  mutating func keep(where isWanted: (CoinName) -> Bool) {
    if !absences.isEmpty { absences = absences.filter { isWanted($0.key) } }
  }
}
