import Ethereum
import Testing

@Suite struct TokenTextTests {
  @Test(
    arguments: [
      ("USDC", "USDC"), ("USD₮0", "USD₮0"), ("  Tether   USD \n", "Tether USD"), ("Dai\0\0\0", "Dai"),
      ("a\u{1}b\u{7F}c\u{85}d", "abc d"), ("\u{202E}CDSU\u{202C}", "CDSU"), ("US\u{200B}DC\u{FEFF}", "USDC"),
      ("US\u{200D}DC", "USDC"), ("US\u{200C}DC", "USDC"), ("\u{200E}\u{2066}x\u{2069}\u{200F}", "x"),
      ("x\u{E0041}\u{E0042}y", "xy"), ("x\u{3164}y", "xy"), ("x\u{E000}y", "xy"), ("x\u{FFFE}y", "xy"),
      ("a\u{A0}b\u{2028}c\u{3000}d", "a b c d"), ("🐕 Doge", "🐕 Doge"),
      ("👩\u{200D}🚀", "👩\u{200D}🚀"), ("❤\u{FE0F}", "❤\u{FE0F}"), ("👩\u{200D}", "👩"), ("\u{200D}a", "a"),
      ("1\u{FE0F}", "1"), ("柴犬", "柴犬"), ("<b>&\"'", "<b>&\"'"),
      ("", nil), ("   ", nil), ("\0\0", nil), ("\u{200B}\u{202E}", nil), ("\u{200D}", nil),
    ] as [(String, String?)])
  func cleaning(text: String, expected: String?) {
    let cleaned = TokenText.clean(Array(text.utf8)[...], limit: 64)
    #expect(cleaned == expected)
    #expect(cleaned.map { Array($0.unicodeScalars) } == expected.map { Array($0.unicodeScalars) })
    // What is clean stays as it is.
    if let expected { #expect(TokenText.clean(expected, limit: 64) == expected) }
  }

  @Test(arguments: [[0xFF], [0x41, 0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]])
  func whatIsNotUTF8(bytes: [UInt8]) {
    #expect(TokenText.clean(bytes[...], limit: 64) == nil)
  }

  @Test func lengths() {
    let long = String(repeating: "é", count: 100)
    #expect(TokenText.clean(long, limit: 64)?.unicodeScalars.count == 64)
    #expect(TokenText.clean("abc", limit: 3) == "abc")
    #expect(TokenText.clean("ab cd", limit: 3) == "ab")
    #expect(TokenText.clean("ab cd", limit: 4) == "ab c")
    #expect(TokenText.clean("abc", limit: 0) == nil)
    // Marks on one letter are counted one by one.
    let stacked = "a" + String(repeating: "\u{301}", count: 1000)
    #expect(TokenText.clean(stacked, limit: 32)?.unicodeScalars.count == 32)
  }

  @Test(arguments: [(0, 0), (18, 18), (77, 77), (78, nil), (256, nil)] as [(UInt64, Int?)])
  func decimals(value: UInt64, expected: Int?) {
    #expect(TokenText.decimals(UInt256(value)) == expected)
    #expect(TokenText.decimals(.max) == nil)
    #expect(TokenText.decimals(UInt256(0, 0, 1, 18)) == nil)
  }
}
