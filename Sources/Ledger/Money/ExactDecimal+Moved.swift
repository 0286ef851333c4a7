import Ethereum

extension ExactDecimal {
  /// |self − old| > permille/1000 × |old|, exactly. Away from an old zero, every change has moved.
  public func moved(from old: ExactDecimal, byMoreThanPermille permille: Int) -> Bool {
    // A negative limit is below any change, even none; of an old zero it is zero.
    guard permille >= 0 else { return !(isZero && old.isZero) }
    let factor = UInt64(permille)
    if let moved = Self.moved(self, significand, old, old.significand, factor) { return moved }
    let own = Natural(significand)
    return Self.moved(self, own, old, Natural(old.significand), factor) ?? true
  }

  /// The comparison on magnitudes of one size, multiplied out to whole numbers:
  /// |new − old| × 1000 > permille × |old|. Nil on overflow.
  private static func moved<Magnitude: DecimalMagnitude>(
    _ new: ExactDecimal, _ newSignificand: Magnitude, _ old: ExactDecimal, _ oldSignificand: Magnitude,
    _ permille: UInt64
  ) -> Bool? {
    var newMagnitude = newSignificand
    var oldMagnitude = oldSignificand
    let common = min(new.exponent, old.exponent)
    if newMagnitude.multiplyReportingOverflow(byPowerOfTen: new.exponent - common)
      || oldMagnitude.multiplyReportingOverflow(byPowerOfTen: old.exponent - common)
    {
      return nil
    }
    var change = newMagnitude
    if new.isNegative == old.isNegative {
      change = newMagnitude.distance(from: oldMagnitude)
    } else if change.addReportingOverflow(oldMagnitude) {
      return nil
    }
    if change.multiplyReportingOverflow(by: 1000) || oldMagnitude.multiplyReportingOverflow(by: permille) {
      return nil
    }
    return oldMagnitude.isLess(than: change)
  }
}
