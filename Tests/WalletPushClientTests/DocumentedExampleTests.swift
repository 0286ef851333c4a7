import Ethereum
import FoundationEssentials
import Testing
import WalletPushClient

/// The examples of the documentation, here so that they are compiled.
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

private func calls() async throws {
  let api = try WalletPushAPI("https://wallets.example")
  let key = try WalletKey(parsing: "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045")
  try await api.addWallet(key)
  for try await wallet in api.allWallets() { print(wallet.id, wallet.key) }

  var held = try await api.balances(of: key)
  do {
    try await api.refreshBalances(of: key)
    if let newer = try await api.balances(ifChangedSince: held) { held = newer }
  } catch APIError.refused(status: 429, let refusal) {
    print(refusal.message, refusal.retry ?? .zero)
  }
  print(held.wallet.total.text ?? "unknown")
}

@Suite struct DocumentedExampleTests {
  @Test func theDocumentedExamplesAreThoseAbove() throws {
    let here = URL(filePath: #filePath)
    let page = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Server/Server.docc/SwiftClient.md")
    var documented = blocks(try lines(of: page), from: { $0 == "```swift" }, to: "```")
    #expect(documented.count == 2 && documented.allSatisfy { $0.count > 8 })
    documented[0].trimPrefix { $0.hasPrefix("import ") || $0.isEmpty }
    let compiled = blocks(try lines(of: here), from: { $0.hasPrefix("private func ") }, to: "}")
    #expect(documented == compiled.map { $0.map { $0.hasPrefix("  ") ? String($0.dropFirst(2)) : $0 } })
  }

  /// What stands between two lines, each time.
  private func blocks(_ lines: [String], from isFirst: (String) -> Bool, to last: String) -> [[String]] {
    var blocks: [[String]] = []
    var rest = lines[...]
    while let start = rest.firstIndex(where: isFirst) {
      let block = rest[(start + 1)...].prefix { $0 != last }
      blocks.append(Array(block))
      rest = rest[block.endIndex...]
    }
    return blocks
  }

  private func lines(of file: URL) throws -> [String] {
    String(decoding: try Data(contentsOf: file), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false
    )
    .map(String.init)
  }
}
