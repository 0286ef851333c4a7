import Ethereum
import Ledger
import TestSupport
import Testing
import WalletPushClient

@testable import Server

/// The client library where a proxy lets no WebSocket through.
@Suite(.serialized) struct SwiftClientFallbackTests {
  private static let options = ClientOptions(
    times: ClientTimes(
      backOffFirst: .milliseconds(10), backOffMax: .milliseconds(100), recoverFirst: .milliseconds(10),
      recoverMax: .milliseconds(100)))

  private func following(_ wallets: [WalletKey], _ gate: Gate) async throws -> WalletPushClient {
    let client = try WalletPushClient(gate.url, options: Self.options)
    await client.subscribe(wallets: wallets)
    await client.connect()
    for key in wallets {
      try await eventually("a fresh wallet") {
        let wallet = await client.state.wallets[key]
        return wallet?.isComplete == true && wallet?.state == .fresh
      }
    }
    return client
  }

  private func expectPrice(_ text: String, _ scene: Scene, _ client: WalletPushClient) async throws {
    try await scene.setPrice(text)
    for key in await client.state.wallets.keys {
      try await eventually("price \(text) of \(key)") {
        let row = await client.state.wallets[key]?.rows[.native(key.chain)]
        return row?.price.usd?.plainText == text
      }
    }
  }

  private func expect(_ kind: TransportKind, _ client: WalletPushClient) async throws {
    try await eventually("\(kind)") { await client.transport == kind }
  }

  @Test(arguments: Gate.Block.allCases) func updatesArriveByEventStreamsAndThenBack(_ block: Gate.Block)
    async throws
  {
    try await withScene { scene in
      let gate = try await Gate(to: try scene.port, blocking: [.webSockets: block])
      let client = try await following(scene.world.wallets, gate)
      try await expect(.eventStream, client)
      try await expectPrice("3500.25", scene, client)
      try await scene.move(nil)
      try await client.refresh(scene.wallet)
      let expected = try await scene.balances(scene.wallet)
      try await eventually("the balances") {
        let rows = await client.state.wallets[scene.wallet]?.rows ?? [:]
        let balances = rows.map { ("\($0.key)", $0.value.balance?.decimal ?? "?") }
        return Dictionary(uniqueKeysWithValues: balances) == expected
      }
      #expect(try await client.get(scene.wallet).rows.count == expected.count)
      #expect(Set(try await client.list().wallets) == Set(scene.world.wallets))
      let changes = await client.changes()
      gate.open(.webSockets)
      // With the streams' cursors: nothing comes twice.
      for await change in changes {
        guard case .notice(.resumed(let isResumed, _)) = change else { continue }
        #expect(isResumed)
        break
      }
      try await expect(.webSocket, client)
      try await expectPrice("3501.5", scene, client)
      await client.close()
    }
  }

  @Test func updatesArriveByPollingAndThenBack() async throws {
    try await withScene { scene in
      let gate = try await Gate(
        to: try scene.port, blocking: [.webSockets: .forbidden, .streams: .forbidden])
      let client = try await following(scene.world.wallets, gate)
      try await expect(.polling, client)
      try await expectPrice("3500.25", scene, client)
      try await expectPrice("3500.75", scene, client)
      // It asks for what is new, and waits for it.
      #expect(gate.requests.contains { $0.contains("wait=25&since=") })
      gate.open(.webSockets)
      try await expect(.webSocket, client)
      try await expectPrice("3501.5", scene, client)
      await client.close()
    }
  }

  /// More wallets than hold a request: the others are asked in turn.
  @Test func moreWalletsThanRequests() async throws {
    try await withScene { scene in
      let gate = try await Gate(to: try scene.port, blocking: [.webSockets: .closed])
      let more = try (1...4).map {
        try WalletKey(parsing: "\(scene.wallet.chain):0x000000000000000000000000000000000000000\($0)")
      }
      let client = try await following(more + scene.world.wallets, gate)
      try await expectPrice("3500.25", scene, client)
      await client.close()
    }
  }
}
