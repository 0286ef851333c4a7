import Ethereum
import Ledger
import Synchronization
import TestSupport
import Testing
import WalletPushClient

@testable import Server

/// The client library's HTTP calls and a server, by real connections.
@Suite(.serialized) struct SwiftAPITests {
  private func api(_ scene: Scene) throws -> WalletPushAPI {
    try WalletPushAPI("http://127.0.0.1:\(try scene.port)")
  }

  private func fresh(_ wallet: WalletKey, _ api: WalletPushAPI) async throws -> WalletBalances {
    try await eventually("a fresh wallet") {
      let balances = try await api.balances(of: wallet)
      return balances.wallet.state == .fresh ? balances : nil
    }
  }

  private func expectRefusal(
    _ status: Int, _ code: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
  ) async {
    let error = await #expect(throws: APIError.self, sourceLocation: sourceLocation) { try await body() }
    guard case .refused(let got, let refusal) = error else {
      Issue.record("\(String(describing: error))", sourceLocation: sourceLocation)
      return
    }
    #expect(got == status && refusal.code == code, sourceLocation: sourceLocation)
  }

  @Test func walletsComeAndGo() async throws {
    try await withScene { scene in
      let api = try api(scene)
      let empty = try await api.wallets()
      #expect(empty.wallets.isEmpty && empty.next == nil)
      var added: [RegisteredWallet] = []
      for key in scene.world.wallets {
        let (wallet, isNew) = try await api.addWallet(key)
        #expect(isNew && wallet.key == key)
        added.append(wallet)
      }
      #expect(try await api.addWallet(added[0].key) == (added[0], false))
      let first = try await api.wallets(limit: 2)
      #expect(first.wallets == Array(added.prefix(2)) && first.next == added[1].id)
      #expect(try await api.wallets(limit: 2, after: first.next).wallets == [added[2]])
      for size in [1, 2, 3, 500] {
        var all: [RegisteredWallet] = []
        for try await wallet in api.allWallets(pageSize: size) { all.append(wallet) }
        #expect(all == added)
      }
      await expectRefusal(400, "bad_request") { _ = try await api.wallets(limit: 0) }
      #expect(try await api.wallet(added[2].key) == added[2])
      #expect(try await api.wallet(id: added[2].id) == added[2])
      try await api.deleteWallet(added[2].key)
      await expectRefusal(404, "not_found") { try await api.deleteWallet(added[2].key) }
      await expectRefusal(404, "not_found") { _ = try await api.wallet(id: added[2].id) }
      await expectRefusal(400, "chain_unsupported") {
        try await api.addWallet(try WalletKey(parsing: "NOWHERE:\(scene.wallet.address)"))
      }
      #expect(try await api.wallets().wallets == Array(added.prefix(2)))
    }
  }

  @Test func balancesAndWhetherTheyChanged() async throws {
    try await withScene { scene in
      let api = try api(scene)
      // The first price and the first reading may come one after the other, and each is a change.
      try await scene.setPrice("3500.25")
      let native = TokenKey.native(scene.wallet.chain)
      let held = try await eventually("what stands still") {
        let held = try await self.fresh(scene.wallet, api)
        let row = held.wallet.rows[native]
        guard row?.price.usd?.plainText == "3500.25" else { return nil as WalletBalances? }
        return try await api.balances(ifChangedSince: held) == nil ? held : nil
      }
      let balances = held.wallet.rows.map { ("\($0.key)", $0.value.balance?.decimal ?? "?") }
      #expect(Dictionary(uniqueKeysWithValues: balances) == (try await scene.balances(scene.wallet)))
      try await scene.setPrice("3501.5")
      let changed = try await eventually("the price") {
        let changed = try await api.balances(ifChangedSince: held)
        return changed?.wallet.rows[native]?.price.usd?.plainText == "3501.5" ? changed : nil
      }
      #expect(changed.revision > held.revision && changed.epoch == held.epoch)
      #expect(changed.etag != held.etag)
    }
  }

  @Test func aRefreshReadsTheChain() async throws {
    try await withScene({ $0.refresh.cooldown = .seconds(3_600) }) { scene in
      let api = try api(scene)
      let held = try await fresh(scene.wallet, api)
      try await scene.move(nil)
      let refreshed = try await api.refreshBalances(of: scene.wallet)
      #expect(refreshed.wallet.key == scene.wallet && refreshed.epoch == held.epoch)
      #expect(refreshed.revision > held.revision && refreshed.refreshedAt != nil)
      #expect(refreshed.message.hasPrefix("the token balances"))
      let now = try await api.balances(of: scene.wallet)
      #expect(now.wallet.rows.count == refreshed.tokenCount)
      let balances = now.wallet.rows.map { ("\($0.key)", $0.value.balance?.decimal ?? "?") }
      #expect(Dictionary(uniqueKeysWithValues: balances) == (try await scene.balances(scene.wallet)))
      do {
        try await api.refreshBalances(of: scene.wallet)
        Issue.record("that was too soon")
      } catch let error as APIError {
        #expect(error.retry.map { $0 > .zero && $0 <= .seconds(3_600) } == true)
        guard case .refused(status: 429, let refusal) = error else { throw error }
        #expect(refusal.code == "cooldown" && !refusal.message.isEmpty)
      }
    }
  }

  @Test func tokensAreHiddenAndShown() async throws {
    try await withScene { scene in
      let api = try api(scene)
      let rows = try await fresh(scene.wallet, api).wallet.rows
      let token = try #require(rows.keys.first { !$0.isNative })
      for token in [token, .native(scene.wallet.chain)] {
        for isVisible in [false, true] {
          let row = try await api.setVisible(isVisible, token, in: scene.wallet)
          #expect(row.token == token && row.isVisible == isVisible)
          #expect(row.balance == rows[token]?.balance && row.balance != nil)
          let held = try await api.balances(of: scene.wallet).wallet.rows[token]
          #expect(held?.isVisible == isVisible)
        }
      }
      await expectRefusal(404, "not_found") {
        let stranger = TokenKey(chain: scene.wallet.chain, contract: scene.wallet.address)
        try await api.setVisible(false, stranger, in: scene.wallet)
      }
      // The same contract on another chain is another token.
      await expectRefusal(400, "bad_token") {
        let other = TokenKey(chain: try ChainCode(parsing: "OTHER"), contract: token.contract)
        try await api.setVisible(false, other, in: scene.wallet)
      }
    }
  }

  @Test func chains() async throws {
    try await withScene { scene in
      let chains = try await api(scene).chains()
      #expect(chains.map(\.chain) == [scene.wallet.chain])
      #expect(chains.first?.isDown == false && chains.first?.chainID != nil)
      #expect(chains.first?.endpoints.isEmpty == false)
    }
  }

  /// A token that has ended is replaced by the function, once; the client's own calls share it.
  @Test func accessTokens() async throws {
    let issuer = try Issuer()
    try await withScene({ $0.auth = issuer.settings }) { scene in
      let url = "ws://127.0.0.1:\(try scene.port)/ws"
      let ended = try issuer.token(lifetime: -3_600)
      await expectRefusal(401, "unauthorized") { _ = try await WalletPushAPI(url).chains() }
      await expectRefusal(401, "unauthorized") { _ = try await WalletPushAPI(url, token: ended).chains() }
      let reasons = Mutex<[TokenReason]>([])
      let client = try WalletPushClient(url, token: ended) { reason in
        reasons.withLock { $0.append(reason) }
        return try issuer.token(wallets: [scene.wallet])
      }
      #expect(try await client.api.addWallet(scene.wallet).isNew)
      #expect(reasons.withLock { $0 } == [.expired])
      await expectRefusal(403, "forbidden") { try await client.api.addWallet(scene.world.wallets[1]) }
    }
  }

  /// Nobody listens, and one who speaks another protocol.
  @Test func noServer() async throws {
    let port = try RefusingPort()
    let other = try await ListServer()
    other.answer(200, "<html>")
    var errors: [APIError?] = []
    for number in [port.number, other.port] {
      let api = try WalletPushAPI("http://127.0.0.1:\(number)")
      errors.append(await #expect(throws: APIError.self) { try await api.chains() })
    }
    guard case .unreachable = errors[0], case .malformed = errors[1] else {
      Issue.record("\(errors)")
      return
    }
  }
}
