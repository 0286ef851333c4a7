import TestSupport
import Testing

@testable import Access

@Suite struct KeySetTests {
  private func fault(_ text: String) -> KeySetError? {
    do throws(KeySetError) {
      _ = try KeySet(Array(text.utf8))
      return nil
    } catch {
      return error
    }
  }

  private func fault(ofKey key: String) -> KeyFault? {
    if case .badKey(0, _, let fault) = fault("{\"keys\":[\(key)]}") { fault } else { nil }
  }

  @Test(
    "a file that is no set says what one looks like",
    arguments: [
      ("", "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found no JSON: "),
      (
        "-----BEGIN PUBLIC KEY-----",
        "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found no JSON: "
      ),
      ("[]", "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found an array"),
      ("{}", "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found an object"),
      (#"{"keys":{}}"#, "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found an object"),
      (#"{"kty":"oct"}"#, "expected a JSON Web Key Set, {\"keys\":[…]} (RFC 7517), found a single key"),
      (#"{"keys":[]}"#, "expected at least one key for HS256, RS256, ES256 or EdDSA, found none"),
      (
        #"{"keys":[{"kty":"RSA","kid":"a","use":"enc"}]}"#,
        "expected at least one key for HS256, RS256, ES256 or EdDSA, found none "
          + #"(keys[0] (kid "a"): not used: its use is "enc")"#
      ),
      (
        #"{"keys":[{"kty":"oct","k":"AA","kid":"s"}]}"#,
        #"keys[0] (kid "s"): a secret for HS256 has at least 32"#
      ),
      (#"{"keys":[7]}"#, "keys[0]: a key is a JSON object"),
    ])
  func notASet(_ text: String, _ words: String) throws {
    let error = try #require(fault(text))
    #expect(error.description.hasPrefix(words), "\(error)")
  }

  @Test(
    "a key that is for us and wrong refuses the set",
    arguments: [
      ("{}", .missing("kty")), (#"{"kty":1}"#, .malformed("kty", expected: "a string")),
      (#"{"kty":"oct"}"#, .missing("k")), (#"{"kty":"oct","k":"A"}"#, .malformed("k", expected: base64)),
      (#"{"kty":"oct","k":"AA=="}"#, .malformed("k", expected: base64)),
      (#"{"kty":"oct","k":"AAAA"}"#, .shortSecret(bytes: 3)),
      (#"{"kty":"oct","k":""}"#, .shortSecret(bytes: 0)),
      (#"{"kty":"oct","k":"AA","kid":1}"#, .malformed("kid", expected: "a string")),
      (#"{"kty":"oct","k":"AA","alg":"RS256"}"#, .wrongAlgorithm("RS256", type: "oct")),
      (#"{"kty":"RSA","alg":"HS256"}"#, .wrongAlgorithm("HS256", type: "RSA")),
      (#"{"kty":"EC","alg":"EdDSA"}"#, .wrongAlgorithm("EdDSA", type: "EC")),
      (#"{"kty":"OKP","alg":"ES256"}"#, .wrongAlgorithm("ES256", type: "OKP")),
      (#"{"kty":"oct","use":7}"#, .malformed("use", expected: "a string")),
      (#"{"kty":"oct","key_ops":"verify"}"#, .malformed("key_ops", expected: "a list of strings")),
      (#"{"kty":"oct","key_ops":["verify",1]}"#, .malformed("key_ops", expected: "a list of strings")),
      (#"{"kty":"RSA","n":"AQAB"}"#, .missing("e")), (#"{"kty":"RSA","e":"AQAB"}"#, .missing("n")),
      (#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, .weakRSA(bits: 17)),
      (#"{"kty":"RSA","n":"","e":""}"#, .weakRSA(bits: 0)), (#"{"kty":"EC"}"#, .missing("crv")),
      (#"{"kty":"EC","crv":"P-256"}"#, .missing("x")),
      (
        #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        .malformed("x", expected: "the base64url of 32 bytes")
      ),
      (#"{"kty":"EC","crv":"P-256","x":"\#(zeros)","y":"\#(zeros)"}"#, .unsound(type: "P-256")),
      (#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, .malformed("x", expected: "the base64url of 32 bytes")),
    ] as [(String, KeyFault)])
  func badKey(_ key: String, _ expected: KeyFault) {
    #expect(fault(ofKey: key) == expected)
  }
  static let base64 = "base64url without padding"
  static let zeros = String(repeating: "A", count: 43)

  @Test("RSA keys under 2048 bits, even moduli, exponents that hide nothing")
  func weakRSA() throws {
    #expect(fault(ofKey: try SigningKey(.rs256, rsaBits: 1_024).jwk()) == .weakRSA(bits: 1_024))
    #expect(fault(ofKey: try SigningKey(.rs256, rsaBits: 2_040).jwk()) == .weakRSA(bits: 2_040))
    let whole = try SigningKey.shared(.rs256).jwk()
    #expect(fault("{\"keys\":[\(whole)]}") == nil)
    let exponent = KeyFault.malformed("e", expected: "an odd number from 3 to 2^64, usually AQAB")
    for e in ["AQ", "Ag", "AA", "", "AAE", "AQAC", "AQAAAAAAAAAB"] {
      #expect(fault(ofKey: whole.replacing(#""e":"AQAB""#, with: #""e":"\#(e)""#)) == exponent, "\(e)")
    }
    let even = SigningKey.base64URL([UInt8](repeating: 0xFE, count: 256))
    #expect(fault(ofKey: #"{"kty":"RSA","n":"\#(even)","e":"AQAB"}"#) == .unsound(type: "RSA"))
    let huge = SigningKey.base64URL([UInt8](repeating: 0xFF, count: 1_025))
    #expect(fault(ofKey: #"{"kty":"RSA","n":"\#(huge)","e":"AQAB"}"#) == .oversizedRSA(bits: 8_200))
    // A zero in front, as some libraries write it.
    let n = try #require(whole.firstMatch(of: /"n":"([^"]*)"/)).1
    let bytes = try #require(Base64URL.decode(n.utf8))
    let padded = whole.replacing(n, with: SigningKey.base64URL([0] + bytes))
    #expect(fault("{\"keys\":[\(padded)]}") == nil)
  }

  @Test("secrets of 31 and 32 bytes")
  func secrets() throws {
    #expect(fault(ofKey: try SigningKey(.hs256, secretBytes: 31).jwk()) == .shortSecret(bytes: 31))
    #expect(fault("{\"keys\":[\(try SigningKey(.hs256, secretBytes: 32).jwk())]}") == nil)
  }

  @Test(
    "what is not for us is left aside, and said",
    arguments: [
      (#"{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}"#, #"not used: its use is "enc""#),
      (#"{"kty":"RSA","key_ops":["encrypt"]}"#, "not used: its key_ops leave out verify"),
      (#"{"kty":"oct","key_ops":[]}"#, "not used: its key_ops leave out verify"),
      (#"{"kty":"RSA","alg":"RS512"}"#, #"not used: its alg is "RS512""#),
      (#"{"kty":"RSA","alg":"RSA-OAEP"}"#, #"not used: its alg is "RSA-OAEP""#),
      (#"{"kty":"oct","alg":"none","k":"AA"}"#, #"not used: its alg is "none""#),
      (#"{"kty":"EC","crv":"P-384"}"#, #"not used: its crv is "P-384""#),
      (#"{"kty":"OKP","crv":"X25519"}"#, #"not used: its crv is "X25519""#),
      (#"{"kty":"AKP"}"#, #"not used: its kty is "AKP""#),
    ])
  func leftAside(_ key: String, _ remark: String) throws {
    let set = try keySet(key, SigningKey.shared(.edDSA).jwk())
    #expect(set.count == 1)
    #expect(set.remarks == ["keys[0]: " + remark])
  }

  @Test("members that allow what we do", arguments: SigningKey.Kind.allCases)
  func taken(_ kind: SigningKey.Kind) throws {
    let further = #""use":"sig","key_ops":["sign","verify"],"alg":"\#(kind.rawValue)","x5c":[]"#
    let set = try keySet(SigningKey.shared(kind).jwk(kid: "k", further))
    #expect(set.count == 1 && set.remarks.isEmpty)
  }

  @Test("a private key works and is remarked on, without its numbers")
  func privatePart() throws {
    let set = try keySet(SigningKey.shared(.es256).jwk(kid: "k", #""d":"c2VjcmV0""#))
    #expect(set.count == 1)
    #expect(set.remarks.count == 1 && set.remarks[0].hasPrefix(#"keys[0] (kid "k"): holds a private key"#))
    #expect(!set.remarks[0].contains("c2VjcmV0"))
  }

  @Test("names are told apart by algorithm, and no further")
  func names() throws {
    let (first, second) = (try SigningKey.shared(.edDSA), try SigningKey(.edDSA))
    let rsa = try SigningKey.shared(.rs256)
    let twice = "{\"keys\":[\(try first.jwk(kid: "a")),\(try second.jwk(kid: "a"))]}"
    #expect(fault(twice) == .repeatedName("a"))
    #expect(try keySet(first.jwk(kid: "a"), rsa.jwk(kid: "a")).count == 2)
    #expect(try keySet(first.jwk(), second.jwk()).count == 2)
  }

  @Test func bounds() throws {
    let key = try SigningKey.shared(.hs256).jwk()
    func set(_ count: Int) -> String {
      "{\"keys\":[\(Array(repeating: key, count: count).joined(separator: ","))]}"
    }
    #expect(fault(set(100)) == nil)
    #expect(fault(set(101)) == .tooManyKeys(101))
    #expect(fault(#"{"keys":[],"keys":[]}"#)?.description.contains("a repeated member name") == true)
  }
}
