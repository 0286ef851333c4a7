import Ledger

/// What the visible, listed, priced rows of a wallet, or of several, are worth together.
public struct WalletTotal: Sendable {
  private var sum = ExactValue.zero
  private var summed = 0
  private var leftOut = 0
  private var rows = 0
  /// The rows that were left out although their balance is known: for want of a price.
  public private(set) var unpriced = 0

  /// Of no wallets: unknown.
  public init() {}

  /// Adds a wallet's rows. The sum is exact: over several wallets, too, it is rounded once.
  public mutating func add(_ wallet: WalletState) {
    for row in wallet.rows.values { add(row) }
  }

  mutating func add(_ row: TokenRow) {
    rows += 1
    guard row.counts else { return }
    if let value = row.value {
      sum.add(value)
      summed += 1
    } else {
      leftOut += 1
      if row.balance != nil { unpriced += 1 }
    }
  }

  /// In dollars, exactly. Nil where there are no rows, or nothing could be summed but something was left out: unknown is
  /// never zero.
  public var value: ExactValue? { rows == 0 || (summed == 0 && leftOut > 0) ? nil : sum }

  /// The protocol's `total_usd`: rounded half-even to two places.
  public var text: String? { value?.roundedText() }
}
