import Ledger

/// What a source calls a token, in lower case: `ethereum:0xa0b8…`, `coingecko:ethereum`. Tokens of several chains may
/// share one.
public typealias CoinName = String

/// What a source says of one coin.
public struct Quote: Sendable, Equatable {
  public var price: ExactDecimal
  /// `nil`: nothing was said of it.
  public var change: Hundredths?
  public var time: UnixMilliseconds

  public init(price: ExactDecimal, change: Hundredths?, time: UnixMilliseconds) {
    self.price = price
    self.change = change
    self.time = time
  }
}

/// One batch's answer.
public struct Quotes: Sendable {
  public var quotes: [CoinName: Quote] = [:]
  /// Entries that are no price: negative, zero, not a number, beyond belief, or of too little confidence.
  public var nonsense = 0
  /// The source asks to be left alone for so long, though it answered.
  public var retryAfter: Duration?

  public init() {}
}

/// Why a batch has no answer.
public enum PriceSourceError: Error, Sendable, CustomStringConvertible {
  case unreachable(String)
  case status(Int)
  /// Come back in so long.
  case rateLimited(retryAfter: Duration)
  /// The source takes fewer coins in a request than it was thought to, and `batches` knows that from now on.
  case tooManyCoins
  case malformed(String)

  public var description: String {
    switch self {
    case .unreachable(let reason): reason
    case .status(let status): "HTTP status \(status)"
    case .rateLimited(let wait): "rate limited for \(wait)"
    case .tooManyCoins: "too many coins in one request"
    case .malformed(let reason): "no proper answer: \(reason)"
    }
  }
}

/// Where prices come from.
public protocol PriceSource: Sendable {
  var name: String { get }
  /// What it may be asked in the long run; half of it at once.
  var requestsPerMinute: Int { get }
  /// How many of these requests one batch takes.
  var requestsPerBatch: Int { get }
  /// The source's name of a token; `nil` where it knows none.
  func coin(for token: Token) -> CoinName?
  /// Cuts a round's coins into requests.
  func batches(_ coins: [CoinName]) -> [[CoinName]]
  func quotes(for batch: [CoinName], now: UnixMilliseconds) async throws(PriceSourceError) -> Quotes
}
