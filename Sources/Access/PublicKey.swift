import COpenSSL

/// A public key as OpenSSL holds it: parsed once, then only read, by any number of threads.
final class PublicKey: @unchecked Sendable {
  private let key: OpaquePointer

  private init(owning key: OpaquePointer) { self.key = key }

  deinit { EVP_PKEY_free(key) }

  // MARK: Made of a JWK's numbers

  /// - Parameters:
  ///   - modulus: big-endian.
  ///   - exponent: big-endian.
  static func rsa(modulus: [UInt8], exponent: [UInt8]) -> PublicKey? {
    guard let n = BN_bin2bn(modulus, Int32(modulus.count), nil) else { return nil }
    defer { BN_free(n) }
    guard let e = BN_bin2bn(exponent, Int32(exponent.count), nil) else { return nil }
    defer { BN_free(e) }
    return make("RSA") { builder in
      OSSL_PARAM_BLD_push_BN(builder, Name.modulus, n) == 1
        && OSSL_PARAM_BLD_push_BN(builder, Name.exponent, e) == 1
    }
  }

  /// - Parameters:
  ///   - x: 32 bytes, and so is `y`.
  /// - Returns: nil where the point is not on the curve.
  static func p256(x: [UInt8], y: [UInt8]) -> PublicKey? {
    // SEC 1 §2.3.3: an uncompressed point.
    let point = [4] + x + y
    return point.withUnsafeBytes { point in
      make("EC") { builder in
        OSSL_PARAM_BLD_push_utf8_string(builder, Name.group, Name.p256, 0) == 1
          && OSSL_PARAM_BLD_push_octet_string(
            builder, Name.point, point.baseAddress, point.count) == 1
      }
    }
  }

  /// - Parameter x: 32 bytes (RFC 8032 §5.1.5).
  static func ed25519(_ x: [UInt8]) -> PublicKey? {
    defer { ERR_clear_error() }
    return EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, x, x.count).map(PublicKey.init(owning:))
  }

  private static func make(_ type: String, _ fill: (OpaquePointer) -> Bool) -> PublicKey? {
    // What OpenSSL has to say about a bad key must not be taken for a later call's error.
    defer { ERR_clear_error() }
    guard let builder = OSSL_PARAM_BLD_new() else { return nil }
    defer { OSSL_PARAM_BLD_free(builder) }
    guard fill(builder), let parameters = OSSL_PARAM_BLD_to_param(builder) else { return nil }
    defer { OSSL_PARAM_free(parameters) }
    guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { return nil }
    defer { EVP_PKEY_CTX_free(context) }
    var made: OpaquePointer?
    guard EVP_PKEY_fromdata_init(context) == 1,
      EVP_PKEY_fromdata(context, &made, copenssl_EVP_PKEY_PUBLIC_KEY(), parameters) == 1, let made
    else { return nil }
    let key = PublicKey(owning: made)
    return key.isSound ? key : nil
  }

  /// SP 800-56A §5.6.2.3, SP 800-56B §6.4.2: such as a point that is on the curve.
  private var isSound: Bool {
    guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return false }
    defer { EVP_PKEY_CTX_free(context) }
    return EVP_PKEY_public_check_quick(context) == 1
  }

  /// Of an RSA key's modulus.
  var bits: Int { Int(EVP_PKEY_get_bits(key)) }

  // MARK: Signatures

  /// - Parameters:
  ///   - signature: as the algorithm of this key's type writes it; of ECDSA, in DER.
  ///   - digest: nil for Ed25519, which has its own.
  func verifies(_ signature: [UInt8], of message: ArraySlice<UInt8>, digest: OpaquePointer?) -> Bool {
    defer { ERR_clear_error() }
    guard let context = EVP_MD_CTX_new() else { return false }
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestVerifyInit(context, nil, digest, nil, key) == 1 else { return false }
    // 0 is a wrong signature, anything below it an error: only 1 is right.
    return message.withUnsafeBufferPointer {
      EVP_DigestVerify(context, signature, signature.count, $0.baseAddress, $0.count) == 1
    }
  }
}

/// OSSL_PKEY_PARAM_RSA_N and its like as C strings that stay: a parameter builder keeps their addresses.
private enum Name {
  static var modulus: UnsafePointer<CChar> { cString("n") }
  static var exponent: UnsafePointer<CChar> { cString("e") }
  static var group: UnsafePointer<CChar> { cString("group") }
  static var p256: UnsafePointer<CChar> { cString("prime256v1") }
  static var point: UnsafePointer<CChar> { cString("pub") }

  private static func cString(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
