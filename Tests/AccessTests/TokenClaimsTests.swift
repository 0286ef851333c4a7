import Ethereum
import TestSupport
import Testing

@testable import Access

@Suite("Tokens: claims")
struct TokenClaimsTests {
  private func outcome(_ payload: String, _ rules: TokenRules = open) throws -> TokenError? {
    refusal(of: try SigningKey.shared(.hs256).token(payload), try verifier(rules))
  }

  @Test(
    "times, seen from 1763805600",
    arguments: [
      ("{}", .noExpiry), (#"{"nbf":0,"iat":0}"#, .noExpiry),
      (#"{"exp":1763805601}"#, nil), (#"{"exp":1763805600}"#, .expired), (#"{"exp":1763805599}"#, .expired),
      (#"{"exp":1763805600.001}"#, nil), (#"{"exp":1763805600.0004}"#, .expired),
      (#"{"exp":1.763805601e9}"#, nil), (#"{"exp":0}"#, .expired), (#"{"exp":-1}"#, .expired),
      (#"{"exp":-1e400}"#, .expired), (#"{"exp":1e18}"#, nil), (#"{"exp":1e308}"#, nil),
      (#"{"exp":1e99999}"#, nil), (#"{"exp":9223372036854775807}"#, nil),
      (#"{"exp":123456789012345678901234567890}"#, nil), (#"{"exp":1e-400}"#, .expired),
      (#"{"exp":"1763805601"}"#, .badTime), (#"{"exp":null}"#, .badTime), (#"{"exp":true}"#, .badTime),
      (#"{"exp":[1763805601]}"#, .badTime), (#"{"exp":{}}"#, .badTime),
      (#"{"exp":1763805601,"nbf":1763805600}"#, nil),
      // Five seconds for an issuer whose clock is ahead.
      (#"{"exp":1763809200,"nbf":1763805605}"#, nil),
      (#"{"exp":1763809200,"nbf":1763805605.1}"#, .notYetValid),
      (#"{"exp":1763809200,"iat":1763805605}"#, nil), (#"{"exp":1763809200,"iat":1763805606}"#, .notYetValid),
      (#"{"exp":1763809200,"nbf":1e400}"#, .notYetValid), (#"{"exp":1763809200,"nbf":-1e400}"#, nil),
      (#"{"exp":1763809200,"nbf":"0"}"#, .badTime), (#"{"exp":1763809200,"iat":null}"#, .badTime),
      // Expired comes before not yet valid: it does not pass.
      (#"{"exp":1763805600,"nbf":1763809200}"#, .expired),
    ] as [(String, TokenError?)])
  func times(_ payload: String, _ error: TokenError?) throws {
    #expect(try outcome(payload) == error)
  }

  @Test("a number longer than a number may be")
  func longNumber() throws {
    let digits = String(repeating: "9", count: 4_000)
    #expect(try outcome("{\"exp\":\(digits)}") == .badPayload)
  }

  @Test("an expiry beyond all times is kept within what browsers' numbers hold")
  func farExpiry() throws {
    for text in ["1e300", "1e99999", "9223372036854775807"] {
      let token = try SigningKey.shared(.hs256).token("{\"exp\":\(text)}")
      #expect(try verifier().verify(token, now: nowMilliseconds).expiresAt == 9_007_199_254_740_991)
    }
  }

  @Test(
    "issuer, where one is asked for",
    arguments: [
      (#""iss":"https://id.example""#, nil), (#""iss":"https://id.example/""#, .wrongIssuer),
      (#""iss":"HTTPS://id.example""#, .wrongIssuer), (#""iss":["https://id.example"]"#, .wrongIssuer),
      (#""iss":null"#, .wrongIssuer), (#""iss":"""#, .wrongIssuer), (#""sub":"x""#, .wrongIssuer),
    ] as [(String, TokenError?)])
  func issuer(_ claim: String, _ error: TokenError?) throws {
    var rules = open
    rules.issuer = "https://id.example"
    #expect(try outcome(claims(claim), rules) == error)
    #expect(try outcome(claims(claim)) == nil)
  }

  @Test("an issuer is compared byte by byte")
  func composed() throws {
    var rules = open
    rules.issuer = "caf\u{E9}"
    #expect(try outcome(claims("\"iss\":\"caf\u{E9}\""), rules) == nil)
    #expect(try outcome(claims("\"iss\":\"cafe\u{301}\""), rules) == .wrongIssuer)
  }

  @Test(
    "audience, where one is asked for",
    arguments: [
      (#""aud":"walletpush""#, nil), (#""aud":["other","walletpush"]"#, nil),
      (#""aud":["walletpush",1]"#, nil), (#""aud":"other""#, .wrongAudience), (#""aud":[]"#, .wrongAudience),
      (#""aud":["walletpush "]"#, .wrongAudience), (#""aud":[["walletpush"]]"#, .wrongAudience),
      (#""aud":{"walletpush":1}"#, .wrongAudience), (#""aud":null"#, .wrongAudience),
      (#""sub":"walletpush""#, .wrongAudience),
    ] as [(String, TokenError?)])
  func audience(_ claim: String, _ error: TokenError?) throws {
    var rules = open
    rules.audience = "walletpush"
    #expect(try outcome(claims(claim), rules) == error)
    #expect(try outcome(claims(claim)) == nil)
  }

  static let key = "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"

  @Test(
    "wallets: a list of keys, in any letter case; absent is all, an empty list none",
    arguments: [
      (#""sub":"x""#, nil), (#""wallets":[]"#, []), (#""wallets":["\#(key)"]"#, [key]),
      (#""wallets":["eth:0xD8DA6BF26964AF9D7EED9E03E53415D37AA96045","\#(key)"]"#, [key]),
      (#""wallets":["ETH:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"]"#, [key]),
      (
        #""wallets":["\#(key)","BSC:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"]"#,
        [key, "BSC:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"]
      ),
    ] as [(String, [String]?)])
  func wallets(_ claim: String, _ keys: [String]?) throws {
    let token = try SigningKey.shared(.hs256).token(claims(claim))
    let expected = try keys.map { Set(try $0.map { try WalletKey(parsing: $0) }) }
    #expect(try verifier().verify(token, now: nowMilliseconds).wallets == expected)
  }

  @Test(
    "a claim that can't be read grants nothing",
    arguments: [
      "null", "\"\(key)\"", "{}", "{\"\(key)\":true}", "true", "0", "[null]", "[1]", "[[\"\(key)\"]]",
      "[\"*\"]",
      "[\"\"]", "[\"ETH\"]", "[\"0xd8da6bf26964af9d7eed9e03e53415d37aa96045\"]", "[\"\(key)0\"]",
      "[\" \(key)\"]", "[\"\(key)\",\"ETH:0x12\"]", "[\"ETH:native\"]",
      // A wrong checksum.
      "[\"ETH:0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045\"]",
    ])
  func badWallets(_ value: String) throws {
    #expect(try outcome(claims("\"wallets\":\(value)")) == .badWallets)
    // Under another name it is nobody's business.
    #expect(try outcome(claims("\"walletz\":\(value)")) == nil)
  }

  @Test func claimOfAnotherName() throws {
    var rules = open
    rules.walletsClaim = "https://app.example/wallets"
    let token = try SigningKey.shared(.hs256).token(
      claims(#""https://app.example/wallets":["\#(Self.key)"],"wallets":[]"#))
    #expect(
      try verifier(rules).verify(token, now: nowMilliseconds).wallets == [try WalletKey(parsing: Self.key)])
  }
}
