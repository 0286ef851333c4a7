/// The signatures that are taken (RFC 7518 §3.1, RFC 8037 §3.1). `none` is not among them, and neither is
/// anything that nobody here can check.
enum SignatureAlgorithm: String, Sendable, CaseIterable {
  /// HMAC with SHA-256.
  case hs256 = "HS256"
  /// RSASSA-PKCS1-v1_5 with SHA-256.
  case rs256 = "RS256"
  /// ECDSA on P-256 with SHA-256.
  case es256 = "ES256"
  /// Ed25519.
  case edDSA = "EdDSA"

  /// - Parameter name: `alg` of a token or of a key; case-sensitive (RFC 7515 §4.1.1).
  init?(name: String) {
    guard name.utf8.count <= 16 else { return nil }
    // RFC 9864 §2.2: the name that says which curve.
    self.init(rawValue: name == "Ed25519" ? SignatureAlgorithm.edDSA.rawValue : name)
  }
}
