/// The latest price of one token: immutable, replaced by every accepted change, shared by all loops.
public final class PriceCell: Sendable {
  public let token: Token
  /// US dollars for one whole token, with the digits its source gave.
  public let price: ExactDecimal?
  /// Percent over 24 hours.
  public let change: Hundredths?
  public let state: CellState
  /// When this server accepted the price.
  public let acceptedAt: UnixMilliseconds?
  /// The source's own time of the price, capped at our clock: an older one is never accepted after it.
  public let sourceTime: UnixMilliseconds
  public let revision: Revision

  public init(
    token: Token, price: ExactDecimal?, change: Hundredths?, state: CellState,
    acceptedAt: UnixMilliseconds?, sourceTime: UnixMilliseconds, revision: Revision
  ) {
    self.token = token
    self.price = price
    self.change = change
    self.state = state
    self.acceptedAt = acceptedAt
    self.sourceTime = sourceTime
    self.revision = revision
  }
}

/// One price as a source told it.
public struct PriceReading: Sendable {
  public var token: TokenID
  public var price: ExactDecimal
  /// `nil`: the source said nothing of it, and the held one stays, for an hour at the most.
  public var change: Hundredths?
  public var sourceTime: UnixMilliseconds

  public init(token: TokenID, price: ExactDecimal, change: Hundredths?, sourceTime: UnixMilliseconds) {
    self.token = token
    self.price = price
    self.change = change
    self.sourceTime = sourceTime
  }
}
