import COpenSSL

/// The issuer's side of access tokens: keys that sign, and their public halves as JSON Web Keys.
public final class SigningKey: @unchecked Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
  }
  public struct Failure: Error {}

  public let kind: Kind
  /// Of HS256; for all others the key is OpenSSL's.
  public let secret: [UInt8]
  private let key: OpaquePointer?

  /// One key of each kind, made once in a process.
  public static let all: [Kind: SigningKey] = {
    var keys: [Kind: SigningKey] = [:]
    for kind in Kind.allCases { keys[kind] = try? SigningKey(kind) }
    return keys
  }()

  public static func shared(_ kind: Kind) throws -> SigningKey {
    guard let key = all[kind] else { throw Failure() }
    return key
  }

  /// - Parameter rsaBits: of the modulus of an RSA key.
  public init(_ kind: Kind, rsaBits: Int32 = 2_048, secretBytes: Int = 32) throws {
    self.kind = kind
    secret = (0..<max(secretBytes, 0)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
    switch kind {
    case .hs256: key = nil
    case .rs256: key = try Self.generate("RSA") { EVP_PKEY_CTX_set_rsa_keygen_bits($0, rsaBits) }
    case .es256: key = try Self.generate("EC") { EVP_PKEY_CTX_set_group_name($0, "prime256v1") }
    case .edDSA: key = try Self.generate("ED25519") { _ in 1 }
    }
  }

  deinit { EVP_PKEY_free(key) }

  private static func generate(_ type: String, _ set: (OpaquePointer) -> Int32) throws -> OpaquePointer {
    guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw Failure() }
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1, set(context) == 1, EVP_PKEY_generate(context, &key) == 1,
      let key
    else { throw Failure() }
    return key
  }

  // MARK: Tokens

  /// A token whose header and payload are these texts, signed whatever they say.
  public func sign(header: String, payload: String) throws -> String {
    let signed = Self.base64URL(Array(header.utf8)) + "." + Self.base64URL(Array(payload.utf8))
    return signed + "." + Self.base64URL(try signature(of: Array(signed.utf8)))
  }

  /// A token with the header it should have.
  public func token(_ payload: String, kid: String? = nil) throws -> String {
    let name = kid.map { ",\"kid\":\"\($0)\"" } ?? ""
    return try sign(header: "{\"typ\":\"JWT\",\"alg\":\"\(kind.rawValue)\"\(name)}", payload: payload)
  }

  /// As JWS writes it.
  public func signature(of message: [UInt8]) throws -> [UInt8] {
    switch kind {
    case .hs256: Self.code(of: message, secret: secret)
    case .rs256: try asymmetric(message, EVP_sha256())
    case .es256: try Self.raw(der: try asymmetric(message, EVP_sha256()))
    case .edDSA: try asymmetric(message, nil)
    }
  }

  public static var sha256: OpaquePointer? { EVP_sha256() }

  /// As X.509 writes it: of ECDSA, in DER.
  public func asymmetric(_ message: [UInt8], _ digest: OpaquePointer?) throws -> [UInt8] {
    guard let context = EVP_MD_CTX_new() else { throw Failure() }
    defer { EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: 1_024)
    var count = signature.count
    guard EVP_DigestSignInit(context, nil, digest, nil, key) == 1,
      EVP_DigestSign(context, &signature, &count, message, message.count) == 1
    else { throw Failure() }
    return Array(signature[..<count])
  }

  public static func code(of message: [UInt8], secret: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &code, nil)
    return code
  }

  private static func raw(der: [UInt8]) throws -> [UInt8] {
    try der.withUnsafeBufferPointer { der in
      var start = der.baseAddress
      guard let signature = d2i_ECDSA_SIG(nil, &start, der.count) else { throw Failure() }
      defer { ECDSA_SIG_free(signature) }
      var raw = [UInt8](repeating: 0, count: 64)
      try raw.withUnsafeMutableBufferPointer { raw in
        guard let base = raw.baseAddress, BN_bn2binpad(ECDSA_SIG_get0_r(signature), base, 32) == 32,
          BN_bn2binpad(ECDSA_SIG_get0_s(signature), base + 32, 32) == 32
        else { throw Failure() }
      }
      return raw
    }
  }

  // MARK: Keys

  /// The key as a checker is given it, with these further members.
  public func jwk(kid: String? = nil, _ further: String = "") throws -> String {
    let name = kid.map { ",\"kid\":\"\($0)\"" } ?? ""
    return "{\(try members)\(name)\(further.isEmpty ? "" : "," + further)}"
  }

  private var members: String {
    get throws {
      switch kind {
      case .hs256: return #""kty":"oct","k":"\#(Self.base64URL(secret))""#
      case .rs256:
        let (n, e) = (try number(OSSL_PKEY_PARAM_RSA_N), try number(OSSL_PKEY_PARAM_RSA_E))
        return #""kty":"RSA","n":"\#(Self.base64URL(n))","e":"\#(Self.base64URL(e))""#
      case .es256:
        let x = Self.base64URL(try number(OSSL_PKEY_PARAM_EC_PUB_X, bytes: 32))
        let y = Self.base64URL(try number(OSSL_PKEY_PARAM_EC_PUB_Y, bytes: 32))
        return #""kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)""#
      case .edDSA:
        var x = [UInt8](repeating: 0, count: 32)
        var count = x.count
        guard EVP_PKEY_get_raw_public_key(key, &x, &count) == 1 else { throw Failure() }
        return #""kty":"OKP","crv":"Ed25519","x":"\#(Self.base64URL(x))""#
      }
    }
  }

  private func number(_ name: String, bytes: Int? = nil) throws -> [UInt8] {
    var value: OpaquePointer?
    guard EVP_PKEY_get_bn_param(key, name, &value) == 1, let value else { throw Failure() }
    defer { BN_free(value) }
    let count = bytes ?? Int(BN_num_bits(value) + 7) / 8
    var out = [UInt8](repeating: 0, count: count)
    guard BN_bn2binpad(value, &out, Int32(count)) == Int32(count) else { throw Failure() }
    return out
  }

  /// RFC 7515 §2.
  public static func base64URL(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for index in 0...group.count { out.append(alphabet[bits >> (18 - 6 * index) & 63]) }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
