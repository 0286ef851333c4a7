import Ethereum
import Ledger

/// One token of a wallet. What is unknown is nil, never zero.
public struct TokenRow: Sendable, Hashable {
  /// Which token it is.
  public let token: TokenKey
  /// Text of strangers: whoever made the token chose it.
  public var symbol: String?
  /// Text of strangers.
  public var name: String?
  /// In ``Valuation/decimalsRange``.
  public var decimals: Int?
  /// The address of an image.
  public var logo: String?
  /// Some token list names the token.
  public var isListed: Bool
  /// False where the owner of the wallet has hidden the token.
  public var isVisible: Bool
  /// In base units.
  public var balance: UInt256?
  /// How good the balance is.
  public var balanceState: CellState
  /// What one whole token costs.
  public var price: TokenPrice

  /// What is left out is unknown.
  public init(
    token: TokenKey, symbol: String? = nil, name: String? = nil, decimals: Int? = nil, logo: String? = nil,
    isListed: Bool = false, isVisible: Bool = true, balance: UInt256? = nil,
    balanceState: CellState = .unknown, price: TokenPrice = TokenPrice()
  ) {
    self.token = token
    self.symbol = symbol
    self.name = name
    self.decimals = decimals
    self.logo = logo
    self.isListed = isListed
    self.isVisible = isVisible
    self.balance = balance
    self.balanceState = balanceState
    self.price = price
  }

  /// What the row is worth in dollars, exactly; `roundedText()` is the protocol's `value_usd`. Nil where balance, price
  /// or decimals are unknown, but for a balance of zero: that is worth nothing whatever the price.
  public var value: ExactValue? {
    guard let balance else { return nil }
    if balance.isZero { return .zero }
    guard let decimals, let dollars = price.usd else { return nil }
    return Valuation.value(balance: balance, decimals: decimals, price: dollars)
  }

  /// Whether the row is part of the wallet's total.
  public var counts: Bool { isVisible && isListed }
}
