import Ledger

/// What a token costs, as the server last said.
public struct TokenPrice: Sendable, Hashable {
  /// In dollars, with the digits its source gave; nil where it is unknown.
  public var usd: ExactDecimal?
  /// In percent, with two places; nil where it is unknown.
  public var change24h: ExactDecimal?
  /// How good the price is.
  public var state: CellState
  /// When the server accepted the price.
  public var acceptedAt: UnixMilliseconds?

  /// Without arguments: nothing is known.
  public init(
    usd: ExactDecimal? = nil, change24h: ExactDecimal? = nil, state: CellState = .unknown,
    acceptedAt: UnixMilliseconds? = nil
  ) {
    self.usd = usd
    self.change24h = change24h
    self.state = state
    self.acceptedAt = acceptedAt
  }
}
