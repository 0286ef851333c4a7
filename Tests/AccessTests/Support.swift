import TestSupport
import Testing

@testable import Access

/// The time of these tests, in seconds and in milliseconds.
let now: Int64 = 1_763_805_600
let nowMilliseconds = now * 1_000

let open = TokenRules(issuer: nil, audience: nil, walletsClaim: "wallets")

func keySet(_ keys: String...) throws -> KeySet {
  try KeySet(Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8))
}

/// Checks by one key of each kind, called by its algorithm's name.
func verifier(_ rules: TokenRules = open) throws -> TokenVerifier {
  let keys = try SigningKey.Kind.allCases.map { try SigningKey.shared($0).jwk(kid: $0.rawValue) }
  return TokenVerifier(
    keys: try KeySet(Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8)), rules: rules)
}

/// What comes of a token: nil when it is taken.
func refusal(of token: String, _ verifier: TokenVerifier, now: Int64 = nowMilliseconds) -> TokenError? {
  do throws(TokenError) {
    _ = try verifier.verify(token, now: now)
    return nil
  } catch {
    return error
  }
}

/// Claims that are taken: an expiry in an hour, and these.
func claims(_ further: String = "") -> String {
  "{\"exp\":\(now + 3_600)\(further.isEmpty ? "" : "," + further)}"
}
