import TestSupport
import Testing

@testable import Access

@Suite("Tokens: signatures, keys, form")
struct TokenVerifierTests {
  typealias Kind = SigningKey.Kind

  // MARK: Published vectors

  @Test("the specifications' examples, up to their last second", arguments: PublishedVector.all)
  func published(_ vector: PublishedVector) throws {
    let verifier = TokenVerifier(keys: try keySet(vector.key), rules: open)
    let isJSON = vector.name != PublishedVector.edDSA.name
    let before = refusal(of: vector.token, verifier, now: 1_300_819_379_999)
    #expect(before == (isJSON ? nil : .badPayload))
    #expect(refusal(of: vector.token, verifier, now: 1_300_819_380_000) == (isJSON ? .expired : .badPayload))
    if isJSON {
      #expect(try verifier.verify(vector.token, now: 0).expiresAt == 1_300_819_380_000)
      #expect(try verifier.verify(vector.token, now: 0).wallets == nil)
    }
    // Each of them with any character of the payload or the signature changed.
    let dots = vector.token.indices.filter { vector.token[$0] == "." }
    for index in vector.token.indices where index > dots[0] && !dots.contains(index) {
      var changed = vector.token
      changed.replaceSubrange(index...index, with: vector.token[index] == "B" ? "C" : "B")
      let found = refusal(of: changed, verifier, now: 0)
      #expect(found == .wrongSignature || found == .badEncoding, "\(changed)")
    }
  }

  @Test("each example is refused by the keys of the others", arguments: PublishedVector.all)
  func foreignKeys(_ vector: PublishedVector) throws {
    let others = PublishedVector.all.filter { $0.name != vector.name }.map(\.key)
    let keys = try KeySet(Array("{\"keys\":[\(others.joined(separator: ","))]}".utf8))
    #expect(refusal(of: vector.token, TokenVerifier(keys: keys, rules: open), now: 0) == .unknownKey)
  }

  // MARK: Ours

  @Test("signed by each kind of key, with its kid and without", arguments: Kind.allCases)
  func roundTrip(_ kind: Kind) throws {
    let key = try SigningKey.shared(kind)
    let verifier = try verifier()
    for name in [kind.rawValue, nil] {
      let grant = try verifier.verify(try key.token(claims(), kid: name), now: nowMilliseconds)
      #expect(grant == TokenGrant(wallets: nil, expiresAt: nowMilliseconds + 3_600_000))
    }
    #expect(refusal(of: try key.token(claims(), kid: "other"), verifier) == .unknownKey)
    // Another key of the same kind.
    let stranger = try SigningKey(kind)
    if kind == .hs256 {
      let token = try SigningKey(.hs256, secretBytes: 33).token(claims(), kid: "HS256")
      #expect(refusal(of: token, verifier) == .wrongSignature)
    } else {
      #expect(refusal(of: try stranger.token(claims(), kid: kind.rawValue), verifier) == .wrongSignature)
    }
  }

  @Test("the name of RFC 9864 for the same signature")
  func fullySpecified() throws {
    let token = try SigningKey.shared(.edDSA).sign(header: #"{"alg":"Ed25519"}"#, payload: claims())
    #expect(refusal(of: token, try verifier()) == nil)
  }

  @Test("without a kid, several keys of the algorithm are one too many")
  func ambiguous() throws {
    let first = try SigningKey.shared(.es256)
    let second = try SigningKey(.es256)
    let verifier = TokenVerifier(
      keys: try keySet(first.jwk(kid: "a"), second.jwk(kid: "b")), rules: open)
    #expect(refusal(of: try second.token(claims()), verifier) == .ambiguousKey)
    #expect(refusal(of: try second.token(claims(), kid: "b"), verifier) == nil)
    #expect(refusal(of: try second.token(claims(), kid: "a"), verifier) == .wrongSignature)
  }

  @Test("keys of different types may share a name")
  func sharedName() throws {
    let (rsa, ec) = (try SigningKey.shared(.rs256), try SigningKey.shared(.es256))
    let verifier = TokenVerifier(keys: try keySet(rsa.jwk(kid: "k"), ec.jwk(kid: "k")), rules: open)
    #expect(refusal(of: try rsa.token(claims(), kid: "k"), verifier) == nil)
    #expect(refusal(of: try ec.token(claims(), kid: "k"), verifier) == nil)
  }

  @Test("a kid is its bytes: what is canonically equivalent is another one")
  func equivalentNames() throws {
    let key = try SigningKey.shared(.hs256)
    let keys = try KeySet(Array(#"{"keys":[\#(try key.jwk(kid: "\u{c5}"))]}"#.utf8))
    let verifier = TokenVerifier(keys: keys, rules: open)
    #expect(refusal(of: try key.token(claims(), kid: "\u{c5}"), verifier) == nil)
    #expect(refusal(of: try key.token(claims(), kid: "A\u{30a}"), verifier) == .unknownKey)
  }

  // MARK: Attacks on the header

  @Test(
    "a header that is not right, though the signature is",
    arguments: [
      (#"{"alg":"none"}"#, .unknownAlgorithm), (#"{"alg":"None"}"#, .unknownAlgorithm),
      (#"{"alg":"NONE"}"#, .unknownAlgorithm), (#"{"alg":""}"#, .unknownAlgorithm),
      (#"{"alg":"hs256"}"#, .unknownAlgorithm), (#"{"alg":"HS512"}"#, .unknownAlgorithm),
      (#"{"alg":"HS256 "}"#, .unknownAlgorithm), (#"{"alg":"PS256"}"#, .unknownAlgorithm),
      ("{}", .badHeader), (#"{"alg":null}"#, .badHeader), (#"{"alg":["HS256"]}"#, .badHeader),
      (#"{"alg":256}"#, .badHeader), (#"["HS256"]"#, .badHeader), (#""HS256""#, .badHeader), ("", .badHeader),
      (#"{"alg":"HS256"} x"#, .badHeader), (#"{"alg":"HS256","kid":7}"#, .badHeader),
      (#"{"alg":"HS256","kid":null}"#, .badHeader), (#"{"alg":"HS256","typ":1}"#, .badHeader),
      // RFC 7515 §4: "names within the JOSE Header MUST be unique".
      (#"{"alg":"none","alg":"HS256"}"#, .badHeader), (#"{"alg":"HS256","alg":"HS256"}"#, .badHeader),
      (#"{"alg":"HS256","\u0061lg":"none"}"#, .badHeader),
      (#"{"alg":"HS256","x":{"y":1,"y":2}}"#, .badHeader),
      (#"{"alg":"HS256","x":[[[[[1]]]]]}"#, .badHeader),
      (#"{"alg":"HS256","crit":["exp"],"exp":1}"#, .criticalHeader),
      (#"{"alg":"HS256","crit":["b64"],"b64":false}"#, .criticalHeader),
      (#"{"alg":"HS256","crit":[]}"#, .criticalHeader), (#"{"alg":"HS256","crit":null}"#, .criticalHeader),
      (#"{"alg":"HS256","typ":"logout+jwt"}"#, .otherType), (#"{"alg":"HS256","typ":"JOSE"}"#, .otherType),
      (#"{"alg":"HS256","kid":""}"#, .unknownKey), (#"{"alg":"HS256","kid":"RS256"}"#, .unknownKey),
      (#"{"alg":"HS256","kid":"../../etc/passwd"}"#, .unknownKey),
      (#"{"alg":"HS256","kid":"HS256\u0338\u0338"}"#, .unknownKey),
      (#"{"alg":"HS256\u0338\u0338\u0338\u0338\u0338\u0338\u0338"}"#, .unknownAlgorithm),
      (
        #"{"alg":"HS256","typ":"jwt\u0338\u0338\u0338\u0338\u0338\u0338\u0338\u0338\u0338\u0338\u0338\u0338\u0338\u0338"}"#,
        .otherType
      ),
      (#"{"alg":"HS256"}"#, nil), (#"{"alg":"HS256","typ":"jwt"}"#, nil),
      (#"{"alg":"HS256","typ":"at+JWT"}"#, nil), (#"{"alg":"HS256","typ":"application/at+jwt"}"#, nil),
      // Where other keys are is nobody's word but the operator's.
      (#"{"alg":"HS256","jku":"https://evil.example/jwks.json","jwk":{"kty":"oct","k":"AA"}}"#, nil),
    ] as [(String, TokenError?)])
  func header(_ header: String, _ error: TokenError?) throws {
    let token = try SigningKey.shared(.hs256).sign(header: header, payload: claims())
    #expect(refusal(of: token, try verifier()) == error)
  }

  @Test("a public key's bytes are no secret: RS256 and the others cannot be made HS256")
  func algorithmConfusion() throws {
    let rsa = try SigningKey.shared(.rs256)
    let pem = """
      -----BEGIN PUBLIC KEY-----
      MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A
      -----END PUBLIC KEY-----

      """
    for kid in ["RS256", "ES256", "EdDSA"] {
      for secret in [Array(pem.utf8), Array(try rsa.jwk().utf8), []] {
        let signed = Self.part(#"{"alg":"HS256","kid":"\#(kid)"}"#) + "." + Self.part(claims())
        let code = SigningKey.code(of: Array(signed.utf8), secret: secret)
        #expect(refusal(of: signed + "." + SigningKey.base64URL(code), try verifier()) == .unknownKey)
      }
    }
    // The other way round, and between the asymmetric ones.
    for (kind, other) in [(Kind.hs256, "RS256"), (.rs256, "ES256"), (.es256, "EdDSA"), (.edDSA, "RS256")] {
      let key = try SigningKey.shared(kind)
      let header = #"{"alg":"\#(other)","kid":"\#(kind.rawValue)"}"#
      #expect(refusal(of: try key.sign(header: header, payload: claims()), try verifier()) == .unknownKey)
      let named = #"{"alg":"\#(other)","kid":"\#(other)"}"#
      #expect(refusal(of: try key.sign(header: named, payload: claims()), try verifier()) == .wrongSignature)
    }
  }

  @Test("a signature stripped, cut, lengthened, or of zeros", arguments: Kind.allCases)
  func signatures(_ kind: Kind) throws {
    let verifier = try verifier()
    let token = try SigningKey.shared(kind).token(claims(), kid: kind.rawValue)
    let end = try #require(token.lastIndex(of: "."))
    let unsigned = String(token[...end])
    let signature = try #require(Base64URL.decode(token[token.index(after: end)...].utf8))
    let none = Self.part(#"{"alg":"none"}"#) + "." + Self.part(claims()) + "."
    #expect(refusal(of: none, verifier) == .unknownAlgorithm)
    #expect(refusal(of: unsigned, verifier) == .wrongSignature)
    #expect(refusal(of: String(unsigned.dropLast()), verifier) == .notCompact)
    for wrong in [
      Array(signature.dropLast()), signature + [0], [0] + signature, Array(signature.dropFirst()),
      [UInt8](repeating: 0, count: signature.count), [UInt8](repeating: 255, count: signature.count),
      Array(signature.reversed()), signature + signature, [0],
    ] {
      #expect(refusal(of: unsigned + SigningKey.base64URL(wrong), verifier) == .wrongSignature)
    }
  }

  @Test("ECDSA in DER, and with numbers that no signature has")
  func ecdsa() throws {
    let key = try SigningKey.shared(.es256)
    let signed = Self.part(#"{"alg":"ES256"}"#) + "." + Self.part(claims())
    let der = try key.asymmetric(Array(signed.utf8), SigningKey.sha256)
    let order: [UInt8] = [
      0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA,
      0xAD,
      0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]
    let one = [UInt8](repeating: 0, count: 31) + [1]
    for wrong in [der, order + order, order + one, one + order, one + one, [UInt8](repeating: 0, count: 64)] {
      let token = signed + "." + SigningKey.base64URL(wrong)
      #expect(refusal(of: token, try verifier()) == .wrongSignature)
    }
  }

  // MARK: Form

  @Test(
    arguments: [
      ("", .notCompact), (".", .notCompact), ("..", .badHeader), ("...", .notCompact), ("....", .encrypted),
      ("a.b.c.d.e", .encrypted), ("a.b.c.d.e.f", .notCompact), ("abc", .notCompact), ("e30.e30.", .badHeader),
      ("Bearer x.y.z", .badEncoding), ("null", .notCompact), ("\u{0}.\u{0}.\u{0}", .badEncoding),
      ("eyJhbGciOiJIUzI1NiJ9=.e30.AA", .badEncoding), ("eyJhbGciOiJIUzI1NiJ9.e30.AA==", .badEncoding),
      (" eyJhbGciOiJIUzI1NiJ9.e30.AA", .badEncoding), ("eyJhbGciOiJIUzI1NiJ9.e30.AA\n", .badEncoding),
      ("eyJhbGciOiJIUzI1NiJ9.e30.AB", .badEncoding), ("eyJhbGciOiJIUzI1NiJ9.e30.A", .badEncoding),
      ("eyJhbGciOiJIUzI1NiJ.e30.AA", .badEncoding), ("ключ.e30.AA", .badEncoding),
    ] as [(String, TokenError)])
  func malformed(_ token: String, _ error: TokenError) throws {
    #expect(refusal(of: token, try verifier()) == error)
  }

  @Test("every token cut short is refused")
  func truncated() throws {
    let verifier = try verifier()
    let token = try SigningKey.shared(.hs256).token(claims(#""wallets":[]"#))
    #expect(refusal(of: token, verifier) == nil)
    for count in 0..<token.utf8.count {
      #expect(refusal(of: String(token.prefix(count)), verifier) != nil, "the first \(count) characters")
    }
  }

  @Test("a token, a header, a payload at their limits and over them")
  func sizes() throws {
    let key = try SigningKey.shared(.hs256)
    let verifier = try verifier()
    func token(padding: Int) throws -> String {
      try key.token(claims(#""pad":"\#(String(repeating: "x", count: padding))""#))
    }
    let bare = try token(padding: 0).utf8.count
    let padding = (TokenVerifier.tokenBytes - bare) * 3 / 4
    let fits = try #require(
      try (padding - 3...padding + 3).last { try token(padding: $0).utf8.count <= TokenVerifier.tokenBytes })
    #expect(try token(padding: fits).utf8.count > TokenVerifier.tokenBytes - 3)
    #expect(refusal(of: try token(padding: fits), verifier) == nil)
    #expect(refusal(of: try token(padding: fits + 3), verifier) == .tooLong)
    #expect(refusal(of: try token(padding: 65_536), verifier) == .tooLong)
    #expect(refusal(of: String(repeating: "A", count: 65_536), verifier) == .tooLong)
    #expect(refusal(of: String(repeating: ".", count: 8_192), verifier) == .notCompact)

    func header(_ bytes: Int) -> String {
      let bare = #"{"alg":"HS256","x":""}"#
      return bare.replacing(#""}"#, with: String(repeating: "x", count: bytes - bare.utf8.count) + "\"}")
    }
    #expect(refusal(of: try key.sign(header: header(1_024), payload: claims()), verifier) == nil)
    #expect(refusal(of: try key.sign(header: header(1_025), payload: claims()), verifier) == .badHeader)
    let deep = String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000)
    #expect(refusal(of: try key.token(claims("\"x\":" + deep)), verifier) == .badPayload)
  }

  @Test(
    "a payload with a right signature that is none of ours",
    arguments: [
      "", "null", "[]", "\"exp\"", "1", "{", #"{"exp":1763809200,"exp":1763809200}"#,
      #"{"exp":1763809200,"wallets":[],"wallets":["ETH:0x0000000000000000000000000000000000000001"]}"#,
      #"{"exp":1763809200,"a":{"b":1,"b":2}}"#, #"{"exp":1763809200} "# + "\u{0}", "\u{FEFF}{}",
    ])
  func payload(_ payload: String) throws {
    #expect(refusal(of: try SigningKey.shared(.hs256).token(payload), try verifier()) == .badPayload)
  }

  @Test("a payload is not looked at before its signature was right")
  func payloadLast() throws {
    let stranger = try SigningKey(.hs256, secretBytes: 40)
    for payload in ["{", claims(), "{\"exp\":1}"] {
      #expect(refusal(of: try stranger.token(payload), try verifier()) == .wrongSignature)
    }
  }

  @Test("what the bearer is told fits a header and a Close frame", arguments: TokenError.allCases)
  func descriptions(_ error: TokenError) {
    // RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E.
    #expect(error.description.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
    #expect(error.description.utf8.count <= 123)
    #expect(error.label.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F })
  }

  private static func part(_ text: String) -> String { SigningKey.base64URL(Array(text.utf8)) }
}
