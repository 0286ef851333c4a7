import Testing

@testable import Server

@Suite struct LanguageTests {
  @Test(
    arguments: [
      (nil, false), ("", false), ("zh", true), ("zh-CN", true), ("ZH-Hant-TW", true),
      ("zh-CN,zh;q=0.9,en;q=0.8", true),
      ("en", false), ("en-US,en;q=0.9,zh;q=0.8", false), ("en;q=0.5, zh;q=0.6", true),
      ("zh;q=0.5,en;q=0.5", false),
      ("zh;q=0", false), ("*", false), ("zh;q=0.5,*;q=0.7", false), ("fr,zh;q=0.1", true), ("zhx", false),
      ("zh;q=", false), ("zh;q=x", false), (" zh ; q=0.7 , en;q=0.1", true), (",,,zh", true), (";;;", false),
      ("zh;level=1;q=0.2,en;q=0.3", false),
    ] as [(String?, Bool)])
  func preference(_ header: String?, _ isChinese: Bool) {
    #expect((Language(acceptLanguage: header) == .chinese) == isChinese, "\(header ?? "nil")")
  }

  @Test func longHeadersAreCutShort() {
    let header = String(repeating: "fr,", count: 100_000) + "zh"
    #expect(Language(acceptLanguage: header) == .english)
  }
}
