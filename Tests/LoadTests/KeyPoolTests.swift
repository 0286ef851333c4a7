import Testing

@testable import Load

@Suite struct KeyPoolTests {
  private static let zeros = String(repeating: "0", count: 39)

  static let patterns: [(String, UInt64, String)] = [
    ("ETH:0x{n:40}", 0, "ETH:0x" + zeros + "0"),
    ("ETH:0x{n:40}", 255, "ETH:0x" + zeros.dropLast() + "ff"),
    ("ETH:0x{n:4}", 0x12345, "ETH:0x2345"),
    ("{n:2}-{n:3}", 10, "0a-00a"),
    ("ETH:native", 7, "ETH:native"),
    ("{h:8}", 0, "e220a839"), ("{h:8}", 1, "a7b2e0e0"),
  ]

  @Test(arguments: patterns.dropLast(2)) func patternsGiveKeys(
    _ text: String, _ number: UInt64, _ key: String
  ) throws {
    #expect(try KeyPattern(parsing: text).key(number) == key)
  }

  /// SplitMix64 from state 0 gives e220a8397b1dcdaf first, by its authors' own code.
  @Test func scatteredDigitsAreTheSameEverywhere() throws {
    let pattern = try KeyPattern(parsing: "{h:40}")
    #expect(pattern.key(0).hasPrefix("e220a8397b1dcdaf6e789e6aa1b965f4"))
    let keys = (0..<1_000).map { pattern.key($0) }
    #expect(Set(keys).count == 1_000)
    #expect(keys.allSatisfy { $0.utf8.count == 40 })
    #expect(try KeyPattern(parsing: "{h:5}").key(3) == String(pattern.key(3).prefix(5)))
  }

  @Test(arguments: [
    "{", "}", "{n:40", "n:40}", "{}", "{n}", "{n:}", "{n:0}", "{n:65}", "{n:-1}", "{x:40}", "{n:4:4}",
    "{{n:4}}",
  ])
  func whatIsNoPatternIsRefused(_ text: String) {
    #expect(throws: LoadOptionError.self) { try KeyPattern(parsing: text) }
  }

  @Test func severalPatternsTakeTurns() throws {
    let pool = try KeyPool(.wallets, parsing: "ETH:0x{n:40}, BSC:0x{n:40}", distinct: 5)
    #expect(pool.count == 5)
    #expect(
      (0..<6).map { String(pool.key($0).suffix(1)) + pool.key($0).prefix(3) } == [
        "0ETH", "0BSC", "1ETH", "1BSC", "2ETH", "0ETH",
      ])
  }

  @Test func aListIsNoPattern() throws {
    let pool = try KeyPool(.tokens, parsing: "ETH:native,ETH:0x" + Self.zeros + "1", distinct: 1_000)
    #expect(pool.count == 2)
  }

  /// Neighbours, none twice, and all of them used before one is used again.
  @Test(arguments: [(10, 1), (10, 3), (10, 10), (3, 7), (1, 5)])
  func clientsGetNeighbours(_ distinct: Int, _ each: Int) throws {
    let pool = try KeyPool(.wallets, parsing: "ETH:0x{n:40}", distinct: distinct)
    var used: [String] = []
    for client in 0..<distinct {
      let keys = pool.keys(ofClient: client, each: each)
      #expect(keys.count == min(each, distinct))
      #expect(Set(keys).count == keys.count)
      used += keys
    }
    #expect(Set(used).count == distinct)
    #expect(Set(used.prefix(distinct)).count == distinct)
  }

  static let key = "ETH:0x" + zeros + "1"
  static let other = "BSC:0x" + zeros + "2"

  @Test(arguments: [
    "\(key)\n\(other)\n", "\(key)\r\n\(other)", "# wallets\n\n  \(key)  # mine\n\(other) seen 2026\n\n",
    "[\"\(key)\",\"\(other)\"]", " \n[ \"\(key)\" , \"\(other)\" ]\n",
  ])
  func filesAreLinesOrLists(_ text: String) throws {
    let pool = try KeyPool(.wallets, file: Array(text.utf8))
    #expect((0..<pool.count).map { pool.key($0) } == [Self.key, Self.other])
  }

  @Test(arguments: [
    "", "\n# nothing\n", "[]", "[7]", "[\"\(key)\"", "{\"wallets\":[]}", "ETH:0x12", "\(key) \nETH:x",
  ])
  func whatHoldsNoKeysIsRefused(_ text: String) {
    #expect(throws: LoadOptionError.self) { try KeyPool(.wallets, file: Array(text.utf8)) }
  }

  @Test(arguments: [
    "ETH:0x{n:39}", "0x{n:40}", "ETH:0x{n:40},", "", "ETH:native", "ETH:0x{n:40},BSC:{n:40}", "E!:0x{n:40}",
  ])
  func keysAreCheckedBeforeAnythingIsOpened(_ text: String) {
    #expect(throws: LoadOptionError.self) { try KeyPool(.wallets, parsing: text, distinct: 10) }
  }

  @Test func whatIsWrongIsSaid() {
    do {
      _ = try KeyPool(.wallets, parsing: "ETH:0x{n:39}", distinct: 1)
      Issue.record("was taken")
    } catch {
      #expect(error.description.contains("40 digits"))
    }
  }

  @Test func pagesOfKnownWalletsAreRead() throws {
    let page = try KnownWallets.read(["wallets": [["id": 7, "wallet": "ETH:0x1"], ["id": 9]], "next": 9])
    #expect(page.keys == ["ETH:0x1"] && page.next == 9)
    #expect(try KnownWallets.read(["wallets": [], "next": .null]).next == nil)
    #expect(throws: (any Error).self) { try KnownWallets.read(["error": "x"]) }
  }
}
