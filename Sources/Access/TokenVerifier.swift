// Access tokens: JSON Web Tokens (RFC 7519), signed (RFC 7515) by a key of a set, with the best current practices of
// RFC 8725. Sans-I/O: a token, the keys and the time go in; what the token grants comes out, or why it grants nothing.
//
//   SignedToken      the three parts, the header
//   KeySet           the key that the header names, by `kid` and `alg` together
//   VerificationKey  the signature
//   TokenClaims      the payload, which nobody looks at before the signature was right

import Ethereum

/// What a token must say beside being signed.
public struct TokenRules: Sendable, Equatable {
  /// What `iss` must be; nil: anything.
  public var issuer: String?
  /// What `aud` must hold; nil: anything.
  public var audience: String?
  /// The claim that lists the wallets a token grants.
  public var walletsClaim: String

  public init(issuer: String?, audience: String?, walletsClaim: String) {
    self.issuer = issuer
    self.audience = audience
    self.walletsClaim = walletsClaim
  }
}

/// What an accepted token says.
public struct TokenGrant: Sendable, Equatable {
  /// nil: all wallets.
  public var wallets: Set<WalletKey>?
  /// In milliseconds since 1970; below 2^53.
  public var expiresAt: Int64
}

public struct TokenVerifier: Sendable {
  /// Of the whole token: room for a list of some hundred wallets.
  public static let tokenBytes = 8_192
  /// Of the decoded header.
  public static let headerBytes = 1_024
  /// How far the issuer's clock may be ahead of ours, in milliseconds: for `nbf` and `iat`. There is none for `exp`,
  /// so that a token ends for everybody at the moment it names.
  public static let leeway: Int64 = 5_000

  private let keys: KeySet
  private let rules: TokenRules

  public init(keys: KeySet, rules: TokenRules) {
    self.keys = keys
    self.rules = rules
  }

  /// - Parameter now: in milliseconds since 1970.
  public func verify(_ token: String, now: Int64) throws(TokenError) -> TokenGrant {
    let token = try SignedToken(token)
    let key = try keys.key(id: token.keyID, algorithm: token.algorithm)
    guard key.verifies(token.signature, of: token.signedBytes) else { throw .wrongSignature }
    return try TokenClaims(try token.payload()).grant(rules, now: now)
  }
}
