/// The access token of a client, and whether somebody can be asked for one. Pure.
struct Credentials: Sendable {
  private(set) var token: String?
  let canAsk: Bool
  /// Somebody was asked, and has not answered.
  private(set) var isAsking = false
  private var reason = TokenReason.connecting

  init(token: String?, canAsk: Bool) {
    self.token = token
    self.canAsk = canAsk
  }

  /// There is none, and nobody to ask: the server is taken to want none.
  var areNone: Bool { token == nil && !canAsk }

  mutating func keep(_ token: String?) { self.token = token }

  /// It is of no use any more. It is kept where no other is to be had.
  mutating func spoiled(_ spoiled: String?) {
    if canAsk, token == spoiled { token = nil }
  }

  mutating func expired() {
    reason = .expired
    spoiled(token)
  }

  /// What to ask with; nil where somebody was asked already, or can't be.
  mutating func ask(_ renewal: TokenReason? = nil) -> TokenReason? {
    guard canAsk, !isAsking else { return nil }
    isAsking = true
    return renewal ?? reason
  }

  mutating func answered() {
    isAsking = false
    reason = .connecting
  }
}

/// What an access token is wanted for.
public enum TokenReason: Sendable, Hashable {
  /// There is none yet.
  case connecting
  /// The one at hand ends in a minute.
  case expiring
  /// The one at hand has ended.
  case expired
}
