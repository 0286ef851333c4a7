import COpenSSL

/// What a token's signature is checked with. A key is made for one algorithm when it is loaded and knows no
/// other: a public RSA key cannot become a secret of HS256 (RFC 8725 §2.1, §3.1), since only `secret` is one.
enum VerificationKey: Sendable {
  case secret([UInt8])
  case rsa(PublicKey)
  case p256(PublicKey)
  case ed25519(PublicKey)

  var algorithm: SignatureAlgorithm {
    switch self {
    case .secret: .hs256
    case .rsa: .rs256
    case .p256: .es256
    case .ed25519: .edDSA
    }
  }

  /// Whether `signature`, as JWS writes it, is this key's over `message`.
  func verifies(_ signature: [UInt8], of message: ArraySlice<UInt8>) -> Bool {
    switch self {
    case .secret(let secret): Self.isCode(signature, of: message, by: secret)
    case .rsa(let key): key.verifies(signature, of: message, digest: EVP_sha256())
    case .p256(let key):
      Self.der(rawSignature: signature).map { key.verifies($0, of: message, digest: EVP_sha256()) } ?? false
    case .ed25519(let key): key.verifies(signature, of: message, digest: nil)
    }
  }

  /// RFC 7518 §3.2.
  private static func isCode(
    _ signature: [UInt8], of message: ArraySlice<UInt8>, by secret: [UInt8]
  ) -> Bool {
    var code = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let made = message.withUnsafeBufferPointer {
      HMAC(EVP_sha256(), secret, Int32(secret.count), $0.baseAddress, $0.count, &code, &length)
    }
    guard made != nil, length == 32, signature.count == 32 else { return false }
    // In a time that does not tell how much of a guess was right.
    return CRYPTO_memcmp(code, signature, 32) == 0
  }

  /// RFC 7518 §3.4: the two numbers of 32 bytes each, end to end, and never DER; OpenSSL wants DER.
  private static func der(rawSignature: [UInt8]) -> [UInt8]? {
    guard rawSignature.count == 64 else { return nil }
    defer { ERR_clear_error() }
    guard let signature = ECDSA_SIG_new() else { return nil }
    defer { ECDSA_SIG_free(signature) }
    let r = BN_bin2bn(rawSignature, 32, nil)
    let s = rawSignature.withUnsafeBufferPointer { BN_bin2bn($0.baseAddress.map { $0 + 32 }, 32, nil) }
    // From here on the signature owns them.
    guard ECDSA_SIG_set0(signature, r, s) == 1 else {
      BN_free(r)
      BN_free(s)
      return nil
    }
    var start: UnsafeMutablePointer<UInt8>?
    let count = i2d_ECDSA_SIG(signature, &start)
    guard count > 0, let start else { return nil }
    defer { CRYPTO_free(start, nil, 0) }
    return Array(UnsafeBufferPointer(start: start, count: Int(count)))
  }
}
