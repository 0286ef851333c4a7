import Ledger

/// A token's price as table `tokens` shows it, and the rule by which it changes.
///
/// The table is for people and reports; writing it at every tick would be all the database does. It changes
/// only when the price moved by more than 0.5 %, the 24 h change by more than 0.5 points, or the stored or
/// new price is zero or the stored one absent. A missing price changes nothing.
struct StoredPrice: Sendable, Hashable {
  static let pricePermille = 5
  /// In hundredths of a point.
  static let changeHundredths: UInt64 = 50

  var price: ExactDecimal?
  var change: Hundredths?

  /// What to store now that `price` and `change` are held; `nil` to leave the row as it is.
  func updated(price new: ExactDecimal?, change newChange: Hundredths?) -> StoredPrice? {
    guard let new else { return nil }
    guard isWorthWriting(new, newChange) else { return nil }
    return StoredPrice(price: new, change: newChange ?? change)
  }

  private func isWorthWriting(_ new: ExactDecimal, _ newChange: Hundredths?) -> Bool {
    guard let price, !price.isZero, !new.isZero else { return true }
    if new.moved(from: price, byMoreThanPermille: Self.pricePermille) { return true }
    // A change never stored counts as none; one that is missing now moves nothing.
    guard let newChange else { return false }
    return newChange.moved(from: change ?? Hundredths(value: 0), byMoreThan: Self.changeHundredths)
  }
}
