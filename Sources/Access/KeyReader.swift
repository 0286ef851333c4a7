import JSON

/// Why a key that is for us can't be used.
public enum KeyFault: Error, Hashable, Sendable {
  case notObject
  case missing(String)
  /// The member, and what it should be.
  case malformed(String, expected: String)
  /// `alg` belongs to another type of key.
  case wrongAlgorithm(String, type: String)
  case weakRSA(bits: Int)
  case oversizedRSA(bits: Int)
  case shortSecret(bytes: Int)
  /// The numbers make no key: a point off the curve, an even modulus.
  case unsound(type: String)
}

extension KeyFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notObject: "a key is a JSON object"
    case .missing(let member): "\(member) is missing"
    case .malformed(let member, let expected): "expected \(member) to be \(expected)"
    case .wrongAlgorithm(let name, let type):
      "alg \(name) does not belong to a key of kty \(type.debugDescription)"
    case .weakRSA(let bits):
      "an RSA key has at least \(KeySet.rsaBitsMinimum) bits (RFC 7518 section 3.3), this one has \(bits)"
    case .oversizedRSA(let bits):
      "an RSA key has at most \(KeySet.rsaBitsMaximum) bits here, this one has \(bits)"
    case .shortSecret(let bytes):
      "a secret for HS256 has at least \(KeySet.secretBytesMinimum) bytes (RFC 7518 section 3.2), this one has \(bytes)"
    case .unsound(let type): "its numbers make no \(type) key"
    }
  }
}

/// Reads one JWK (RFC 7517 §4).
struct KeyReader {
  private let jwk: JSONValue
  private(set) var remarks: [String] = []

  init(_ jwk: JSONValue) { self.jwk = jwk }

  /// - Returns: nil for a key that is not for us; `remarks` say why.
  mutating func read() throws(KeyFault) -> KeySet.Entry? {
    guard jwk.object != nil else { throw .notObject }
    guard let type = try text("kty") else { throw .missing("kty") }
    let id = try text("kid")
    guard try isForVerifying() else { return nil }
    if let name = try text("alg"), try !fits(name, type) { return nil }
    guard let key = try key(type) else { return nil }
    if type != "oct", jwk["d"] != nil {
      remarks.append(
        "holds a private key; checking needs only the public part, leave out d, p, q, dp, dq, qi")
    }
    return KeySet.Entry(id: id, key: key)
  }

  private mutating func leaveAside(_ reason: String) -> Bool {
    remarks.append("not used: \(reason)")
    return false
  }

  /// §4.2 `use` and §4.3 `key_ops`: what either of them excludes is excluded.
  private mutating func isForVerifying() throws(KeyFault) -> Bool {
    if let use = try text("use"), use != "sig" { return leaveAside("its use is \(use.debugDescription)") }
    guard let operations = jwk["key_ops"] else { return true }
    guard let operations = operations.array?.map(\.string), !operations.contains(nil) else {
      throw .malformed("key_ops", expected: "a list of strings")
    }
    return operations.contains("verify") || leaveAside("its key_ops leave out verify")
  }

  /// §4.4: a key that names an algorithm is for that one.
  private mutating func fits(_ name: String, _ type: String) throws(KeyFault) -> Bool {
    guard let algorithm = SignatureAlgorithm(name: name) else {
      return leaveAside("its alg is \(name.debugDescription)")
    }
    let owner =
      switch algorithm {
      case .hs256: "oct"
      case .rs256: "RSA"
      case .es256: "EC"
      case .edDSA: "OKP"
      }
    guard owner == type else { throw .wrongAlgorithm(name, type: type) }
    return true
  }

  private mutating func key(_ type: String) throws(KeyFault) -> VerificationKey? {
    switch type {
    case "oct": return try secret()
    case "RSA": return try rsa()
    case "EC": return try isOnCurve("P-256") ? p256() : nil
    case "OKP": return try isOnCurve("Ed25519") ? ed25519() : nil
    default:
      _ = leaveAside("its kty is \(type.debugDescription)")
      return nil
    }
  }

  private mutating func isOnCurve(_ known: String) throws(KeyFault) -> Bool {
    guard let curve = try text("crv") else { throw .missing("crv") }
    return curve == known || leaveAside("its crv is \(curve.debugDescription)")
  }

  // MARK: By type

  /// RFC 7518 §6.4.
  private func secret() throws(KeyFault) -> VerificationKey {
    let secret = try bytes("k")
    guard secret.count >= KeySet.secretBytesMinimum else { throw .shortSecret(bytes: secret.count) }
    return .secret(secret)
  }

  /// RFC 7518 §6.3.1.
  private func rsa() throws(KeyFault) -> VerificationKey {
    // Some write a zero byte in front of the modulus.
    let modulus = Array(try bytes("n").drop { $0 == 0 })
    let exponent = Array(try bytes("e").drop { $0 == 0 })
    let bits = modulus.first.map { modulus.count * 8 - $0.leadingZeroBitCount } ?? 0
    guard bits >= KeySet.rsaBitsMinimum else { throw .weakRSA(bits: bits) }
    guard bits <= KeySet.rsaBitsMaximum else { throw .oversizedRSA(bits: bits) }
    // RFC 8017 §3.1: odd and at least 3; with 1 every text would be its own signature.
    guard let last = exponent.last, last & 1 == 1, exponent.count > 1 || last >= 3, exponent.count <= 8 else {
      throw .malformed("e", expected: "an odd number from 3 to 2^64, usually AQAB")
    }
    guard let key = PublicKey.rsa(modulus: modulus, exponent: exponent) else { throw .unsound(type: "RSA") }
    return .rsa(key)
  }

  /// RFC 7518 §6.2.1.2: coordinates of the curve's full size.
  private func p256() throws(KeyFault) -> VerificationKey {
    let x = try bytes("x", count: 32)
    let y = try bytes("y", count: 32)
    guard let key = PublicKey.p256(x: x, y: y) else { throw .unsound(type: "P-256") }
    return .p256(key)
  }

  /// RFC 8037 §2.
  private func ed25519() throws(KeyFault) -> VerificationKey {
    guard let key = PublicKey.ed25519(try bytes("x", count: 32)) else { throw .unsound(type: "Ed25519") }
    return .ed25519(key)
  }

  // MARK: Members

  private func text(_ name: String) throws(KeyFault) -> String? {
    guard let value = jwk[name] else { return nil }
    guard let text = value.string else { throw .malformed(name, expected: "a string") }
    return text
  }

  private func bytes(_ name: String, count: Int? = nil) throws(KeyFault) -> [UInt8] {
    guard let text = try text(name) else { throw .missing(name) }
    guard let bytes = Base64URL.decode(text.utf8) else {
      throw .malformed(name, expected: "base64url without padding")
    }
    guard count == nil || bytes.count == count else {
      throw .malformed(name, expected: "the base64url of \(count ?? 0) bytes")
    }
    return bytes
  }
}
