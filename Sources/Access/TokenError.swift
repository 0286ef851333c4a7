/// Why a token is not taken: its bearer, or whoever made it, broke the rule.
///
/// The descriptions go to the bearer. They hold nothing of the token, and only what a quoted string of HTTP may
/// (RFC 6750 §3).
public enum TokenError: Error, Hashable, Sendable, CaseIterable {
  case tooLong
  case notCompact
  /// Five parts: a JWE.
  case encrypted
  case badEncoding
  case badHeader
  case badPayload
  case otherType
  case criticalHeader
  case unknownAlgorithm
  case unknownKey
  case ambiguousKey
  case wrongSignature
  case noExpiry
  case badTime
  case expired
  case notYetValid
  case wrongIssuer
  case wrongAudience
  case badWallets
}

extension TokenError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooLong: "the access token is longer than \(TokenVerifier.tokenBytes) bytes"
    case .notCompact: "an access token is a signed JWT: three parts with dots between them"
    case .encrypted: "encrypted tokens (JWE) are not taken, send a signed one"
    case .badEncoding: "a part of the access token is not base64url without padding"
    case .badHeader: "the access token's header is not right: a JSON object with alg, each name once"
    case .badPayload: "the access token's payload is not a JSON object with each name once"
    case .otherType: "the token's typ is of another kind of token than JWT or at+jwt"
    case .criticalHeader: "the access token's crit header names extensions, of which there are none here"
    case .unknownAlgorithm: "the access token's alg is not HS256, RS256, ES256 or EdDSA"
    case .unknownKey: "no key of the access token's kid and alg is known here"
    case .ambiguousKey: "several keys have the access token's alg, it must name one by kid"
    case .wrongSignature: "the access token's signature is wrong"
    case .noExpiry: "the access token must have an expiry: exp, in seconds since 1970"
    case .badTime: "exp, nbf and iat are numbers of seconds since 1970"
    case .expired: "the access token has expired"
    case .notYetValid: "the access token is not valid yet (nbf, iat)"
    case .wrongIssuer: "the access token's issuer (iss) is not the one that is trusted here"
    case .wrongAudience: "the access token is for another audience (aud)"
    case .badWallets: "the access token's claim of wallets is not a list of strings such as ETH:0x0123"
    }
  }

  /// A short word for counting: few different ones.
  public var label: String {
    switch self {
    case .tooLong, .notCompact, .encrypted, .badEncoding, .badHeader, .badPayload, .otherType,
      .criticalHeader:
      "malformed"
    case .unknownAlgorithm: "algorithm"
    case .unknownKey, .ambiguousKey: "key"
    case .wrongSignature: "signature"
    case .expired: "expired"
    case .notYetValid: "not_yet_valid"
    case .noExpiry, .badTime, .badWallets: "claims"
    case .wrongIssuer: "issuer"
    case .wrongAudience: "audience"
    }
  }
}
