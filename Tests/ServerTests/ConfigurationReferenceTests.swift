import Ethereum
import Foundation
import Testing

@testable import Server

/// The documentation says of the settings what the code says.
@Suite struct ConfigurationReferenceTests {
  private static let root =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

  private static func text(_ path: String) throws -> String {
    String(decoding: try SmallFile.read("\(root)/\(path)", limit: 1 << 20), as: UTF8.self)
  }

  private static let folder = "Sources/Server/Server.docc"

  private static func pages() throws -> [String] {
    try ["README.md"]
      + FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")
      .filter { $0.hasSuffix(".md") }.sorted().map { "\(folder)/\($0)" }
  }

  @Test func pageHoldsTheReference() throws {
    let lines = try Self.text("\(Self.folder)/Settings.md").split(
      separator: "\n", omittingEmptySubsequences: false)
    let begin = try #require(lines.firstIndex { $0.hasPrefix("<!-- begin") })
    let end = try #require(lines.firstIndex { $0.hasPrefix("<!-- end") })
    let page = lines[(begin + 1)..<end].joined(separator: "\n") + "\n"
    #expect(page == Settings.reference, "`make reference` writes what the code says into Settings.md")
  }

  @Test func referenceHasEverySetting() {
    let rows = Settings.reference.split(separator: "\n").filter { $0.hasPrefix("| `") }
    let count = SettingDefinition<SettingsDraft>.all.count + SettingDefinition<ChainConfiguration>.all.count
    #expect(rows.count == count + ChainRegistry.chains.count)
    #expect(
      rows.contains(
        "| `http.port` | `8080` | the port to listen on; 0 picks a free one | a whole number from 0 to 65535 |"
      ))
    // What exists only beside another setting has a default all the same.
    #expect(rows.contains { $0.hasPrefix("| `auth.walletsClaim` | `wallets` | ") })
    #expect(rows.contains { $0.hasPrefix("| `auth.keys` |  | ") })
    // Of chains what all have in common.
    #expect(rows.contains { $0.hasPrefix("| `chains.CODE.pollSeconds` | `12` | ") })
    #expect(rows.contains { $0.hasPrefix("| `chains.CODE.rpc` |  | ") })
    #expect(rows.contains { $0.hasPrefix("| `ETH` | Ethereum | 1 | ETH | `https://") })
    let cells = Set(rows.map { $0.split(separator: "|", omittingEmptySubsequences: false).count })
    #expect(cells == [6, 7], "a bar inside a cell would make another")
  }

  /// Other pages name settings, often with their default behind them: `limits.slowSeconds` (30).
  @Test func pagesNameSettingsThatExist() throws {
    let draft = SettingsDraft()
    var defaults: [String: String] = [:]
    for setting in SettingDefinition<SettingsDraft>.all {
      defaults[setting.key] = setting.show(draft)?.description ?? ""
    }
    let groups = Set(defaults.keys.compactMap { $0.split(separator: ".").first }).joined(separator: "|")
    let pattern = try Regex("`((?:\(groups))\\.[A-Za-z0-9.]+)`(?: \\(([0-9][0-9,.]*)[,):])?")
    let chainKey = try Regex("chains\\.[A-Z_]+(?:\\.([a-zA-Z0-9]+))?")
    let chainNames = Set(SettingDefinition<ChainConfiguration>.all.map(\.key))
    var named = 0
    var compared = 0
    for page in try Self.pages() {
      for match in try Self.text(page).matches(of: pattern) {
        let key = String(match.output[1].substring ?? "")
        named += 1
        if let chain = try chainKey.wholeMatch(in: key) {
          let name = chain.output[1].substring.map(String.init)
          #expect(name.map(chainNames.contains) ?? true, "\(page): there is no \(key)")
          continue
        }
        guard let known = defaults[key] else {
          // A group of settings, perhaps.
          #expect(defaults.keys.contains { $0.hasPrefix(key + ".") }, "\(page): there is no \(key)")
          continue
        }
        guard let number = match.output[2].substring?.replacing(",", with: "") else { continue }
        compared += 1
        #expect(number == known, "\(page): the default of \(key)")
      }
    }
    #expect(named > 80 && compared > 20)
  }
}
