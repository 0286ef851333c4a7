import Ethereum
import TestSupport
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
      // What joins nothing is invisible, and so would a second selector be.
      ("🐕\u{200D}Doge", "🐕Doge"), ("🐕\u{200D}\u{200D}🐕", "🐕\u{200D}🐕"), ("🐕\u{200D} x", "🐕 x"),
      ("🐕\u{FE0F}\u{FE0F}x", "🐕\u{FE0F}x"), ("🐕\u{200D}\u{FE0F}x", "🐕x"), ("™\u{200D}D", "™D"),
      ("❤\u{FE0F}\u{200D}🔥", "❤\u{FE0F}\u{200D}🔥"), ("🐕 \u{200D}🐕", "🐕 🐕"),
      ("🐕\u{200D}\u{202E}🐕", "🐕\u{200D}🐕"), ("US\u{FE0F}DC", "USDC"), ("🐕\u{FE0E}x", "🐕x"),
      // Blank ones that are neither white space nor format characters.
      ("US\u{2800}DC", "USDC"), ("\u{2800}\u{1D159}\u{FFFC}", nil), ("U\u{16FE4}\u{13441}\u{13442}S", "US"),
      ("\u{115F}\u{1160}\u{FFA0}\u{34F}\u{61C}\u{AD}\u{2061}\u{180E}x", "x"),
      // A mark that stands on nothing would stand on what comes before the name.
      ("\u{301}USDC", "USDC"), ("a \u{301}b", "a b"), ("\u{202E}\u{301}a", "a"), ("\u{301}\u{20DD}", nil),
      ("e\u{301}", "e\u{301}"), ("Vie\u{302}\u{323}t", "Vie\u{302}\u{323}t"),
      ("1\u{FE0F}\u{20E3}", "1\u{20E3}"),
      ("ไทย", "ไทย"), ("हिन्दी", "हिन्दी"), ("🇨🇭", "🇨🇭"), ("👍🏽", "👍🏽"), ("👩🏽\u{200D}🚀", "👩🏽\u{200D}🚀"),
      ("عربي", "عربي"), ("\u{2067}abc\u{2069}\u{200F}", "abc"),
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
    #expect(TokenText.clean("🐕\u{200D}🐕", limit: 2) == "🐕")
    // No towers, and marks are counted one by one.
    let stacked = "a" + String(repeating: "\u{301}", count: 1000) + "b\u{301}c"
    #expect(
      TokenText.clean(stacked, limit: 32).map { Array($0.unicodeScalars) }
        == Array("a\u{301}\u{301}\u{301}\u{301}b\u{301}c".unicodeScalars))
    #expect(TokenText.clean(stacked, limit: 3)?.unicodeScalars.count == 3)
  }

  /// Whatever a stranger writes: within the limit, nothing invisible or directional, no white space at the ends or
  /// twice, and clean is clean.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func whateverIsWritten(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let pieces: [UInt32] = [
      0x20, 0x41, 0x09, 0x00, 0x7F, 0x85, 0xA0, 0x2028, 0x200B, 0x200D, 0x200E, 0x202E, 0x2066, 0xFE0F,
      0xFE0E, 0x301,
      0x20DD, 0x1F415, 0x2764, 0xA9, 0x2800, 0x3164, 0xE0041, 0xE000, 0xFFFE, 0x0E01, 0x0E31, 0x5D0, 0x627,
      0x1F3FD, 0xFEFF,
    ]
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...60, using: &random) {
      let any = random.next() % 4 == 0
      let value =
        any ? UInt32.random(in: 0...0x10FFFF, using: &random) : pieces.randomElement(using: &random) ?? 0
      if let scalar = Unicode.Scalar(value) { text.append(scalar) }
    }
    let limit = Int.random(in: 1...40, using: &random)
    guard let clean = TokenText.clean(Array(String(text).utf8)[...], limit: limit) else { return }
    let scalars = Array(clean.unicodeScalars)
    #expect((1...limit).contains(scalars.count))
    #expect(scalars.first != " " && scalars.last != " ")
    #expect(!clean.contains("  "))
    var marks = 0
    for (index, scalar) in scalars.enumerated() {
      let properties = scalar.properties
      let isMark =
        [.nonspacingMark, .enclosingMark].contains(properties.generalCategory) && scalar != "\u{FE0F}"
      marks = isMark ? marks + 1 : 0
      #expect(marks <= TokenText.marksLimit)
      if isMark { #expect(index > 0 && scalars[index - 1] != " ") }
      switch scalar {
      case " ": break
      case "\u{200D}", "\u{FE0F}":
        let before = try #require(index > 0 ? scalars[index - 1] : nil)
        #expect(before.properties.isEmoji || before == "\u{FE0F}" || isMarkOnEmoji(scalars[..<index]))
        if scalar == "\u{200D}" {
          #expect(index + 1 < scalars.count && scalars[index + 1].properties.isEmoji)
        }
      default:
        #expect(!properties.isWhitespace && !properties.isDefaultIgnorableCodePoint)
        #expect(![.control, .format, .privateUse].contains(properties.generalCategory))
      }
    }
    #expect(TokenText.clean(clean, limit: limit).map { Array($0.unicodeScalars) } == scalars)
  }

  private func isMarkOnEmoji(_ scalars: ArraySlice<Unicode.Scalar>) -> Bool {
    scalars.last { ![.nonspacingMark, .enclosingMark].contains($0.properties.generalCategory) }?.properties
      .isEmoji
      == true
  }

  @Test(arguments: [(0, 0), (18, 18), (77, 77), (78, nil), (256, nil)] as [(UInt64, Int?)])
  func decimals(value: UInt64, expected: Int?) {
    #expect(TokenText.decimals(UInt256(value)) == expected)
    #expect(TokenText.decimals(.max) == nil)
    #expect(TokenText.decimals(UInt256(0, 0, 1, 18)) == nil)
  }
}
