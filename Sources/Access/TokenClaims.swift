import Ethereum
import JSON

/// The claims of a token whose signature is right (RFC 7519 §4.1).
struct TokenClaims {
  private let payload: JSONValue

  init(_ payload: JSONValue) { self.payload = payload }

  func grant(_ rules: TokenRules, now: Int64) throws(TokenError) -> TokenGrant {
    // §4.1.4 leaves `exp` to the issuer; a token without it would open the door for ever.
    guard let expiresAt = try time("exp") else { throw .noExpiry }
    // "on or after"
    guard now < expiresAt else { throw .expired }
    for name in ["nbf", "iat"] {
      if let from = try time(name), from > now + TokenVerifier.leeway { throw .notYetValid }
    }
    if let issuer = rules.issuer, !Self.isSame(payload["iss"], issuer) { throw .wrongIssuer }
    if let audience = rules.audience, !isFor(audience) { throw .wrongAudience }
    return TokenGrant(wallets: try wallets(rules.walletsClaim), expiresAt: expiresAt)
  }

  /// §2 NumericDate: seconds since 1970, perhaps with a fraction. In milliseconds, rounded down and kept within what
  /// a browser's numbers hold.
  private func time(_ name: String) throws(TokenError) -> Int64? {
    guard let value = payload[name] else { return nil }
    guard let seconds = value.number?.double, !seconds.isNaN else { throw .badTime }
    let most = 9_007_199_254_740_991.0
    return Int64(min(max((seconds * 1_000).rounded(.down), -most), most))
  }

  /// §4.1.3: one string, or a list of them of which one is ours.
  private func isFor(_ audience: String) -> Bool {
    payload["aud"]?.array?.contains { Self.isSame($0, audience) } ?? Self.isSame(payload["aud"], audience)
  }

  /// §2 StringOrURI: compared "with no transformations or canonicalizations applied".
  private static func isSame(_ value: JSONValue?, _ text: String) -> Bool {
    value?.string?.isSame(as: text) ?? false
  }

  /// What can't be read grants nothing: only a claim that is not there at all means every wallet.
  private func wallets(_ claim: String) throws(TokenError) -> Set<WalletKey>? {
    guard let value = payload[claim] else { return nil }
    guard let list = value.array else { throw .badWallets }
    var wallets = Set<WalletKey>(minimumCapacity: list.count)
    for element in list {
      guard let text = element.string, let key = try? WalletKey(parsing: text) else { throw .badWallets }
      wallets.insert(key)
    }
    return wallets
  }
}
