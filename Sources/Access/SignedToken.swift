import JSON

/// A token in JWS compact form (RFC 7515 §3.1), taken apart and not believed yet: only the header is read, since it
/// says which key may be believed.
struct SignedToken {
  let algorithm: SignatureAlgorithm
  let keyID: String?
  let signature: [UInt8]
  private let bytes: [UInt8]
  private let payloadStart: Int
  private let payloadEnd: Int

  init(_ token: String) throws(TokenError) {
    guard token.utf8.count <= TokenVerifier.tokenBytes else { throw .tooLong }
    let bytes = Array(token.utf8)
    let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
    // RFC 7516 §9: a JWE has four dots.
    guard dots.count != 4 else { throw .encrypted }
    guard dots.count == 2 else { throw .notCompact }
    self.bytes = bytes
    payloadStart = dots[0] + 1
    payloadEnd = dots[1]
    guard let header = Base64URL.decode(bytes[..<dots[0]]),
      let signature = Base64URL.decode(bytes[(payloadEnd + 1)...])
    else { throw .badEncoding }
    self.signature = signature
    (algorithm, keyID) = try Self.read(header: header)
  }

  private static func read(header: [UInt8]) throws(TokenError) -> (SignatureAlgorithm, String?) {
    guard header.count <= TokenVerifier.headerBytes else { throw .badHeader }
    // §4: names must be unique, and our parser takes nothing else.
    let limits = JSONLimits(depth: 4, numberBytes: 64)
    guard let header = try? JSONParser.parse(header, limits: limits), header.object != nil else {
      throw .badHeader
    }
    // §4.1.11: whoever does not understand what it names must refuse; we know no extension.
    guard header["crit"] == nil else { throw .criticalHeader }
    guard let name = header["alg"]?.string else { throw .badHeader }
    guard let algorithm = SignatureAlgorithm(name: name) else { throw .unknownAlgorithm }
    if let type = header["typ"] { try check(type: type) }
    // `jwk`, `jku`, `x5c`, `x5u` are passed by: a token does not say which keys are trusted (RFC 8725 §3.10).
    guard let id = header["kid"] else { return (algorithm, nil) }
    guard let id = id.string else { throw .badHeader }
    return (algorithm, id)
  }

  /// RFC 8725 §3.11: a token that says it was made for something else (logging out, say) is not for us. RFC 7515
  /// §4.1.9: `application/` may be left out, letter case does not count.
  private static func check(type: JSONValue) throws(TokenError) {
    guard let text = type.string else { throw .badHeader }
    guard text.utf8.count <= 32 else { throw .otherType }
    var type = text.lowercased()
    if type.hasPrefix("application/") { type.removeFirst("application/".count) }
    guard type == "jwt" || type == "at+jwt" else { throw .otherType }
  }

  /// RFC 7515 §5.1: what is signed is the text of both parts, with the dot between them.
  var signedBytes: ArraySlice<UInt8> { bytes[..<payloadEnd] }

  /// To be asked for once the signature was found right.
  func payload() throws(TokenError) -> JSONValue {
    guard let payload = Base64URL.decode(bytes[payloadStart..<payloadEnd]) else { throw .badEncoding }
    let limits = JSONLimits(depth: 16, numberBytes: 128)
    guard let value = try? JSONParser.parse(payload, limits: limits), value.object != nil else {
      throw .badPayload
    }
    return value
  }
}
