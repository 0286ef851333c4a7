import Ethereum
import FoundationEssentials
import Testing
import WalletPushClient

/// The example of the documentation, here so that it is compiled.
private func example() async throws {
  let client = try WalletPushClient("wss://wallets.example/ws")
  let changes = await client.changes()
  await client.subscribe(wallets: [try WalletKey(parsing: "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045")])
  await client.connect()

  for await change in changes {
    guard case .wallet(let key) = change, let wallet = await client.state.wallets[key] else { continue }
    print(key, wallet.total.text ?? "unknown")
  }
}

@Suite struct DocumentedExampleTests {
  @Test func theDocumentedExampleIsTheOneAbove() throws {
    let here = URL(filePath: #filePath)
    let page = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Server/Server.docc/SwiftClient.md")
    let documented = try lines(of: page).drop { $0 != "```swift" }.dropFirst().prefix { $0 != "```" }
    let compiled = try lines(of: here).drop { !$0.hasPrefix("private func example") }.dropFirst().prefix {
      $0 != "}"
    }
    let imports = documented.prefix { $0.hasPrefix("import ") }
    #expect(imports.count == 2 && documented.count > 8)
    #expect(
      Array(documented.dropFirst(imports.count + 1))
        == compiled.map { $0.hasPrefix("  ") ? String($0.dropFirst(2)) : $0 })
  }

  private func lines(of file: URL) throws -> [String] {
    String(decoding: try Data(contentsOf: file), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false
    )
    .map(String.init)
  }
}
