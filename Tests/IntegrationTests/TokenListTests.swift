import JSON
import TestSupport
import Testing

@testable import Server

/// Token lists that are fetched from the web.
@Suite(.serialized) struct TokenListTests {
  /// Some of the world's tokens, by number, under other symbols.
  private func list(_ scene: Scene, _ numbers: [Int]) -> String {
    let entries = numbers.map { number in
      let token = scene.world.tokens[number]
      return #"{"chainId":\#(scene.settings.chains[0].chain.chainID),"address":"\#(token.address)","#
        + #""symbol":"L\#(number)","name":"Listed \#(number)","decimals":\#(token.decimals)}"#
    }
    return #"{"name":"List","tokens":[\#(entries.joined(separator: ","))]}"#
  }

  /// The symbols of the rows that are listed, as a new snapshot shows them.
  private func symbols(_ scene: Scene) async throws -> [String] {
    let wallet = scene.wallet.description
    let snapshot = try await scene.call("GET", "/api/v1/wallets/\(wallet)/balances").json
    let rows = (snapshot["tokens"]?.array ?? []).filter { $0["listed"]?.bool == true }
    return rows.compactMap { $0["symbol"]?.string }.filter { $0.hasPrefix("L") }.sorted()
  }

  private func untilListed(_ wanted: [String], _ scene: Scene) async throws {
    try await eventually("\(wanted) to be listed") { try await symbols(scene) == wanted }
  }

  /// Tokens that the first wallet holds.
  private func held(_ scene: Scene) async throws -> [Int] {
    let balances = try await scene.balances(scene.wallet)
    return scene.world.tokens.indices.filter {
      balances["\(scene.wallet.chain):\(scene.world.tokens[$0].address.lowercase)"] != nil
    }
  }

  @Test func aListComesChangesFailsAndOutlivesAStart() async throws {
    let lists = try await ListServer()
    try await withScene(starts: false, { $0.chains[0].tokenLists = [lists.url] }) { scene in
      let held = try await held(scene)
      try #require(held.count >= 3)
      // Down at first: the server is up all the same, and shows the coin.
      lists.answer(503)
      try await scene.start()
      let client = try await scene.watcher()
      try await eventually("a request") { lists.requests > 0 }
      #expect(try await symbols(scene) == [])

      lists.answer(200, list(scene, Array(held.prefix(3))))
      try await scene.server.reload(scene.settings)
      // Watched wallets are read again for it.
      try await untilListed(held.prefix(3).map { "L\($0)" }, scene)

      lists.answer(200, list(scene, Array(held.prefix(2))))
      try await scene.server.reload(scene.settings)
      let row = try await client.frame("a token taken off the list") {
        $0["type"] == "token" && $0["listed"]?.bool == false
      }
      #expect(row["symbol"]?.string == "L\(held[2])")
      #expect(try await symbols(scene) == held.prefix(2).map { "L\($0)" })

      for (status, body) in [(500, ""), (301, ""), (200, "<html>"), (200, #"{"tokens":7}"#)] {
        let requests = lists.requests
        lists.answer(status, body)
        try await scene.server.reload(scene.settings)
        try await eventually("a request") { lists.requests > requests }
        #expect(try await symbols(scene) == held.prefix(2).map { "L\($0)" })
      }
      await scene.stop()
      try await scene.start()
      #expect(try await symbols(scene) == held.prefix(2).map { "L\($0)" })
    }
  }

  /// A list on the web adds to one in a file; where both name a token, the first is right.
  @Test func listsAddUp() async throws {
    let lists = try await ListServer()
    try await withScene(starts: false, { $0.chains[0].tokenLists = ["/dev/null", lists.url] }) { scene in
      await #expect(throws: SettingsError.self) { try await scene.start() }
      let held = try await held(scene)
      let folder = try TemporaryFolder()
      try folder.write("a.json", list(scene, [held[0]]))
      lists.answer(
        200, list(scene, Array(held.prefix(2))).replacingSymbol("L\(held[0])", with: "other"))
      var settings = scene.settings
      settings.chains[0].tokenLists = [folder.path + "/a.json", lists.url]
      try await scene.start(settings)
      _ = try await scene.watcher()
      try await untilListed(held.prefix(2).map { "L\($0)" }, scene)
    }
  }
}

extension String {
  fileprivate func replacingSymbol(_ symbol: String, with other: String) -> String {
    split(separator: "\"\(symbol)\"", omittingEmptySubsequences: false).joined(separator: "\"\(other)\"")
  }
}
