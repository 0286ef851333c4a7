import JSON
import TestSupport
import Testing

@testable import Server

/// What survives the end of a server, and what of it clients are told.
@Suite(.serialized) struct RestartTests {
  /// A wallet with balances and prices, and what a client may resume from.
  private func settle(_ scene: Scene) async throws -> (snapshot: JSONValue, epoch: String, revision: Int) {
    let client = try await scene.watcher()
    try await scene.expectPrices(at: client, "3500.25")
    client.send(#"{"op":"get","wallet":"\#(scene.wallet)"}"#)
    let snapshot = try await client.next("snapshot")
    let prices = client.frames.filter { $0["type"] == "price" }
    let revisions = prices.compactMap { $0["rev"]?.int }
    let revision = try #require(revisions.max())
    return (snapshot, try #require(snapshot["epoch"]?.string), revision)
  }

  @Test func cleanRestart() async throws {
    try await withScene { scene in
      let before = try await settle(scene)
      await scene.stop()
      // Nothing can be read: what comes is what was stored.
      try await scene.devnet.setChainFault(.silence)
      try await scene.start()
      let client = try await scene.client("/ws?wallet=\(scene.wallet)")
      let hello = try await client.next("hello")
      #expect(hello["epoch"]?.string == before.epoch)
      #expect(try #require(hello["rev"]?.int) >= before.revision)
      let stored = try await client.next("snapshot")
      #expect(stored["state"] == "stale")
      #expect(stored.balances == before.snapshot.balances)
      #expect(stored["tokens"]?.array?.allSatisfy { $0["balance_state"] == "stale" } == true)
      let native = stored["tokens"]?.array?.first { $0["token"] == "ETH:native" }
      #expect(native?["price_usd"] == "3500.25")
      #expect(stored["block"] == before.snapshot["block"])
    }
  }

  /// Two servers at one port would each get some of the clients.
  @Test func aPortIsForOneServer() async throws {
    try await withScene { scene in
      let port = try scene.port
      let second = try Scene { $0.http.port = port }
      do {
        let refusal = await #expect(throws: StartError.self) { try await second.start() }
        #expect(refusal?.description.contains("127.0.0.1:\(port)") == true)
        #expect(refusal?.description.contains("Address already in use") == true)
        await scene.stop()
        try await second.start()
        #expect(try second.port == port)
      } catch {
        await second.end()
        throw error
      }
      await second.end()
    }
  }

  @Test func freshAfterCleanRestart() async throws {
    try await withScene { scene in
      let before = try await settle(scene)
      await scene.stop()
      try await scene.start()
      let client = try await scene.client("/ws?wallet=\(scene.wallet)")
      let stored = try await client.next("snapshot")
      #expect(stored.balances == before.snapshot.balances)
      try await eventually("fresh") {
        client.send(#"{"op":"get","wallet":"\#(scene.wallet)"}"#)
        let snapshot = try await client.next("snapshot")
        return snapshot["state"] == "fresh" ? snapshot : nil
      }
      try await scene.expectPrices(at: client, "3501.75")
    }
  }

  @Test func resumeOverCleanRestart() async throws {
    try await withScene { scene in
      let before = try await settle(scene)
      await scene.stop()
      try await scene.devnet.setChainFault(.silence)
      try await scene.devnet.setPriceFault(.silence)
      try await scene.start()
      let client = try await scene.client()
      let ok = try await client.ask(
        1,
        #""op":"subscribe","wallets":["\#(scene.wallet)"],"since":"\#(before.epoch):\#(before.revision)""#)
      #expect(ok["resumed"] == true)
      let changed = try #require(ok["changed"]?.int)
      try await client.next("heartbeat")
      let data = client.frames.filter { ["balance", "price", "token"].contains($0["type"]?.string ?? "") }
      #expect(data.count == changed)
      #expect(data.allSatisfy { ($0["rev"]?.int ?? 0) > before.revision })
      #expect(!client.frames.contains { $0["type"] == "snapshot" })
    }
  }

  @Test func resumeFromAboveOrElsewhere() async throws {
    try await withScene { scene in
      let before = try await settle(scene)
      for since in ["\(before.epoch):9007199254740991", "zzzz:1", "nonsense"] {
        let client = try await scene.client()
        let ok = try await client.ask(
          1, #""op":"subscribe","wallets":["\#(scene.wallet)"],"since":"\#(since)""#)
        #expect(ok["resumed"] == false, "\(since): \(ok)")
        _ = try await client.next("snapshot")
      }
    }
  }

  @Test func uncleanStop() async throws {
    try await withScene { scene in
      let before = try await settle(scene)
      // The writer gathers; what a dead process had not written is lost, and rightly.
      try await eventually("what was read is in the file") {
        try await isStored(scene, before.snapshot.balances)
      }
      let copy = try scene.settingsOfCrashCopy()
      await scene.stop()
      try await scene.devnet.setChainFault(.silence)
      try await scene.start(copy)
      let client = try await scene.client()
      let hello = try await client.next("hello")
      let epoch = try #require(hello["epoch"]?.string)
      #expect(epoch != before.epoch)
      let ok = try await client.ask(
        1,
        #""op":"subscribe","wallets":["\#(scene.wallet)"],"since":"\#(before.epoch):\#(before.revision)""#)
      #expect(ok["resumed"] == false)
      let stored = try await client.next("snapshot")
      #expect(stored["epoch"]?.string == epoch)
      #expect(stored.balances == before.snapshot.balances)
      #expect(stored["state"] == "stale")
    }
  }

  /// Whether a third server, on another copy, finds the balances.
  private func isStored(_ scene: Scene, _ balances: [String: String]) async throws -> Bool {
    let first = try scene.settingsOfCrashCopy()
    let other = try Scene { $0.storage.path = first.storage.path }
    do {
      try await other.devnet.setChainFault(.silence)
      try await other.start()
      let client = try await other.client("/ws?wallet=\(scene.wallet)")
      let found = try await client.next("snapshot").balances
      await other.end()
      return found == balances
    } catch {
      await other.end()
      throw error
    }
  }

  @Test func visibilitySurvives() async throws {
    try await withScene { scene in
      _ = try await scene.watcher()
      let path = "/api/v1/wallets/\(scene.wallet)/tokens/native"
      let row = try await scene.call("PATCH", path, body: #"{"is_visible":false}"#)
      #expect(row.status == 200, "\(row)")
      #expect(row.json["visible"] == false)
      #expect(row.json["epoch"]?.string != nil)
      await scene.stop()
      try await scene.start()
      let snapshot = try await scene.call("GET", "/api/v1/wallets/\(scene.wallet)/balances").json
      let native = snapshot["tokens"]?.array?.first { $0["token"] == "ETH:native" }
      #expect(native?["visible"] == false)
    }
  }

  @Test func twoServersOnOneFile() async throws {
    try await withScene { scene in
      let settings = scene.settings
      await #expect(throws: StartError.self) {
        _ = try await WalletPushServer.start(
          try SettingsFiles(settings), metrics: Scene.metrics,
          logger: .init(label: "test"))
      }
      // The first one has not noticed.
      _ = try await scene.watcher()
    }
  }

  @Test func drainSendsClientsAway() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      await scene.stop()
      let reconnect = try await client.next("reconnect")
      #expect(reconnect["reason"] == "drain")
      #expect((reconnect["retry_ms"]?.int ?? 0) > 0)
      #expect(try await client.ended().code == 4100)
    }
  }

  /// Connections that only rest are no reason to wait.
  @Test func drainEndsIdleConnections() async throws {
    try await withScene({ $0.limits.drain = .seconds(3_600) }) { scene in
      let idle = try await Wire.connect(port: try scene.port)
      idle.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
      try await eventually("an answer") {
        var bytes = idle.bytes
        return Answer.take(from: &bytes)
      }
      await scene.stop()
      // The server has ended it; the client's loop learns it in its own time.
      _ = try await idle.untilEnd()
    }
  }
}
