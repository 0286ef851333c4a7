import Ethereum
import Ledger
import Synchronization
import TestSupport
import Testing
import WalletPushClient

@testable import Server

/// The client library and a server, by a real connection.
@Suite(.serialized) struct SwiftClientTests {
  private static let options = ClientOptions(
    times: ClientTimes(backOffFirst: .milliseconds(10), backOffMax: .milliseconds(100)))

  private func connected(_ scene: Scene) async throws -> WalletPushClient {
    let client = try WalletPushClient("ws://127.0.0.1:\(try scene.port)/ws", options: Self.options)
    await client.subscribe(wallets: [scene.wallet])
    await client.connect()
    try await eventually("a fresh wallet") {
      let wallet = await client.state.wallets[scene.wallet]
      return wallet?.isComplete == true && wallet?.state == .fresh
    }
    return client
  }

  private func expectPrice(_ text: String, _ scene: Scene, _ client: WalletPushClient) async throws {
    try await scene.setPrice(text)
    try await eventually("price \(text)") {
      let row = await client.state.wallets[scene.wallet]?.rows[.native(scene.wallet.chain)]
      return row?.price.usd?.plainText == text
    }
  }

  @Test func followsChanges() async throws {
    try await withScene { scene in
      let client = try await connected(scene)
      let changes = await client.changes()
      try await expectPrice("3500.25", scene, client)
      for await change in changes {
        if change == .row(scene.wallet, .native(scene.wallet.chain)) { break }
      }
      #expect(try await client.list().wallets == [scene.wallet])
      try await client.refresh(scene.wallet)
      await #expect(throws: ClientError.self) {
        try await client.get(WalletKey(parsing: "NOWHERE:\(scene.wallet.address)"))
      }
      await client.unsubscribe(wallets: [scene.wallet])
      try await eventually("nothing is subscribed to") {
        try await client.list().wallets.isEmpty
      }
      await client.close()
    }
  }

  /// The server goes and comes back at its port; what changed meanwhile comes, and nothing else.
  @Test func resumesOverARestart() async throws {
    try await withScene { scene in
      let client = try await connected(scene)
      try await expectPrice("3500.25", scene, client)
      // The heartbeat behind the snapshot is here before the answer to what was asked after it.
      _ = try await client.ping()
      let notices = Mutex<[Notice]>([])
      let changes = await client.changes()
      let reader = Task {
        for await change in changes {
          if case .notice(let notice) = change { notices.withLock { $0.append(notice) } }
        }
      }
      var settings = scene.settings
      settings.http.port = try scene.port
      await scene.stop()
      try await scene.setPrice("3501.75")
      try await scene.move(nil)
      let expected = try await scene.balances(scene.wallet)
      try await scene.start(settings)
      try await eventually("what changed meanwhile") {
        let rows = await client.state.wallets[scene.wallet]?.rows ?? [:]
        let balances = rows.map { ("\($0.key)", $0.value.balance?.decimal ?? "?") }
        let price = rows[.native(scene.wallet.chain)]?.price.usd?.plainText
        return Dictionary(uniqueKeysWithValues: balances) == expected && price == "3501.75"
      }
      let resumptions = notices.withLock { notices in
        notices.compactMap { notice in
          if case .resumed(let isResumed, _) = notice { return isResumed }
          return nil as Bool?
        }
      }
      #expect(!resumptions.isEmpty && resumptions.allSatisfy { $0 })
      let whole = try await client.get(scene.wallet)
      let held = try #require(await client.state.wallets[scene.wallet])
      #expect(held.rows == whole.rows)
      #expect(held.total.text == whole.total.text && held.total.text != nil)
      reader.cancel()
      await client.close()
    }
  }
}
