import Ethereum

/// What a balance is worth.
public enum Valuation {
  /// The decimals a token may have.
  public static let decimalsRange = 0...77

  /// balance × price ÷ 10^decimals, exactly, in the price's currency.
  ///
  /// - Parameters:
  ///   - balance: in base units.
  ///   - decimals: the token's, in ``decimalsRange``.
  ///   - price: of one whole token; zero or more.
  /// - Returns: nil for a negative price or decimals out of range.
  public static func value(balance: UInt256, decimals: Int, price: ExactDecimal) -> ExactValue? {
    guard !price.isNegative, decimalsRange.contains(decimals) else { return nil }
    let exponent = price.exponent - decimals
    var product = balance
    if !product.multiplyReportingOverflow(by: price.significand) {
      return ExactValue(product, exponent: exponent)
    }
    return ExactValue(Natural(balance).multiplied(by: Natural(price.significand)), exponent: exponent)
  }
}
