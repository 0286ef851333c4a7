import TestSupport
import Testing

@testable import Access

@Suite struct Base64URLTests {
  @Test(
    arguments: [
      ("", []), ("AA", [0]), ("AAA", [0, 0]), ("AAAA", [0, 0, 0]), ("_w", [255]), ("-_8", [251, 255]),
      ("Zm9vYmFy", Array("foobar".utf8)), ("Zm9vYmE", Array("fooba".utf8)),
    ] as [(String, [UInt8])])
  func taken(_ text: String, _ bytes: [UInt8]) {
    #expect(Base64URL.decode(text.utf8) == bytes)
    #expect(SigningKey.base64URL(bytes) == text)
  }

  @Test(
    "padding, other alphabets, white space, a lone character, bits behind the last byte",
    arguments: [
      "A", "AAAAA", "AA==", "AAA=", "=", "A=", "+w", "/w", "A A", " AA", "AA ", "AA\n", "AA\r\n", "A\tA",
      "A.A",
      "AB", "AP", "A_", "AAB", "AAD", "_x", "é", "A\u{0}",
    ])
  func refused(_ text: String) {
    #expect(Base64URL.decode(text.utf8) == nil)
  }

  @Test func everyByteComesBack() {
    for count in 0..<9 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 83 &+ 7) }
      #expect(Base64URL.decode(SigningKey.base64URL(bytes).utf8) == bytes)
    }
  }
}
