// Access tokens (RFC 7519, RFC 7515) and key sets (RFC 7517): a token, then a line feed, then a key set.
//
// Invariant: texts give a grant or a typed error, nothing else; a token that was made up grants nothing where the
// key is one that never signed. A key set that is taken has 1 to 100 keys. An error's words are one line, and
// bounded.

import JSON

@testable import Access

private let rules = TokenRules(issuer: nil, audience: nil, walletsClaim: "wallets")
private let now: Int64 = 1_800_000_000_000

/// A secret that signed nothing.
private let foreign = try? KeySet(
  Array(#"{"keys":[{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#.utf8))

func fuzzTokens(_ input: FuzzInput) throws {
  let parts = input.rest.split(
    separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
  let token = String(decoding: parts[0], as: UTF8.self)
  if let foreign, let grant = try verify(token, foreign) {
    throw Violation(description: "granted: \(grant)")
  }
  try checkClaims(parts[0])
  guard parts.count > 1 else { return }
  let keys: KeySet
  do throws(KeySetError) {
    keys = try KeySet(Array(parts[1]))
  } catch {
    return try requireLine(error.description)
  }
  try require((1...KeySet.keysMaximum).contains(keys.count), "\(keys.count) keys")
  for remark in keys.remarks { try requireLine(remark) }
  // The set may be the token's own: seeds are, and may grant.
  _ = try verify(token, keys)
}

private func verify(_ token: String, _ keys: KeySet) throws -> TokenGrant? {
  do throws(TokenError) {
    return try TokenVerifier(keys: keys, rules: rules).verify(token, now: now)
  } catch {
    try requireLine(error.description)
    return nil
  }
}

/// What stands behind the signature, which the fuzzer would not get past.
private func checkClaims(_ bytes: ArraySlice<UInt8>) throws {
  guard let payload = try? JSONParser.parse(bytes, limits: JSONLimits(depth: 16, numberBytes: 128)) else {
    return
  }
  guard let grant = try? TokenClaims(payload).grant(rules, now: now) else { return }
  try require(grant.expiresAt > now && grant.expiresAt < 1 << 53, "granted until \(grant.expiresAt)")
}

private func requireLine(_ text: String) throws(Violation) {
  try require(!text.isEmpty && text.utf8.count < 65_536, "a line of \(text.utf8.count) bytes")
  try require(!text.unicodeScalars.contains { $0.value < 0x20 }, "more than a line: \(text.shown)")
}
