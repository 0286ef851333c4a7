import Ethereum
import JSON
import TestSupport
import Testing

/// What a client of a whole server sees: sockets, a database, a simulated chain and price source.
@Suite(.serialized) struct PushTests {
  @Test func coldSubscribe() async throws {
    try await withScene { scene in
      // Long enough that the answer from the cache comes first, and by itself, on a busy machine too.
      try await scene.devnet.setChainLatency(.seconds(3))
      let client = try await scene.client()
      let hello = try await client.next("hello")
      #expect(hello["protocol"] == "walletpush.v1")
      #expect(hello["server"]?.string == "walletpush/0.1.0")
      #expect(hello["limits"]?["wallets"]?.int == 100)
      #expect(try await scene.reads == 0)

      client.send(#"{"op":"subscribe","id":"a","wallets":["\#(scene.wallet)"]}"#)
      let ok = try await client.frame("any") { _ in true }
      #expect(ok["type"] == "ok")
      #expect(ok["id"] == "a")
      #expect(ok["wallets"]?[0]?.string == "\(scene.wallet)")
      let loading = try await client.next("snapshot")
      #expect(loading["state"] == "loading")
      #expect(loading["tokens"]?.array?.isEmpty == true)
      #expect(loading["block"]?.isNull == true)
      let heartbeat = try await client.next("heartbeat")
      #expect(heartbeat["epoch"] == hello["epoch"])

      let fresh = try await client.freshSnapshot()
      #expect(fresh["part"]?.int == 1)
      #expect(fresh.balances == (try await scene.balances(scene.wallet)))
      #expect(try await scene.reads == 1)
      let head = try await scene.devnet.withChain { $0.head.number }
      #expect(fresh["block"]?.int == Int(head))
      try await client.next("heartbeat")
    }
  }

  @Test func walletOfTheAddress() async throws {
    try await withScene { scene in
      let client = try await scene.client("/ws?wallet=\(scene.wallet)&wallet=ETH:0xZZ")
      let ok = try await client.next("ok")
      #expect(ok["id"] == nil)
      #expect(ok["wallets"]?.array?.count == 1)
      #expect(ok["failed"]?[0]?["code"] == "bad_wallet")
      let fresh = try await client.freshSnapshot()
      #expect(fresh.balances == (try await scene.balances(scene.wallet)))
      let types = client.frames.prefix(2).map { $0["type"]?.string }
      #expect(types == ["hello", "ok"])
    }
  }

  @Test func subprotocolIsEchoed() async throws {
    try await withScene { scene in
      let client = try await scene.client(subprotocols: ["walletpush.v1", "bearer.secret"])
      #expect(client.subprotocol == "walletpush.v1")
      let other = try await scene.client(subprotocols: ["graphql-ws"])
      #expect(other.subprotocol == nil)
    }
  }

  @Test func pricesArrive() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      try await scene.expectPrices(at: client, "3500.25")
      try await scene.expectPrices(at: client, "3500.26")
      let prices = client.frames.filter { $0["type"] == "price" && $0["token"] == "ETH:native" }
      let revisions = prices.compactMap { $0["rev"]?.int }
      #expect(revisions == revisions.sorted())
      #expect(prices.last?["price_state"] == "fresh")
      // Valued exactly: the snapshot of now holds what the last price frame said.
      client.send(#"{"op":"get","id":9,"wallet":"\#(scene.wallet)"}"#)
      let snapshot = try await client.next("snapshot")
      let native = snapshot["tokens"]?.array?.first { $0["token"] == "ETH:native" }
      #expect(native?["price_usd"] == "3500.26")
    }
  }

  @Test func tokenSubscription() async throws {
    try await withScene { scene in
      let client = try await scene.client()
      let ok = try await client.ask(1, #""op":"subscribe","tokens":["ETH:native","ETH:0x12"]"#)
      #expect(ok["tokens"]?[0] == "ETH:native")
      #expect(ok["failed"]?[0]?["code"] == "bad_token")
      let first = try await client.next("price")
      #expect(first["token"] == "ETH:native")
      try await client.next("heartbeat")
      try await scene.expectPrices(at: client, "2999.01")
    }
  }

  @Test func transferAndRefresh() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      let token = try #require(try await soldToken(scene))
      try await scene.move(token)
      let ok = try await client.ask(5, #""op":"refresh","wallet":"\#(scene.wallet)""#)
      #expect(ok["type"] == "ok")
      #expect(ok["wallet"]?.string == "\(scene.wallet)")
      try await client.frame("balances") { $0["refreshing"] == "balances" }
      // What is sold stays, with nothing. Who follows the chain may have seen it before the refresh began.
      let frame = try await eventually("the balance") {
        client.frames.last {
          $0["type"] == "balance" && $0["token"]?.string == "ETH:\(token.lowercase)" && $0["balance"] == "0"
        }
      }
      #expect(frame["balance_state"] == "fresh")
      try await client.frame("prices") { $0["refreshing"] == "prices" }
      // The first read's own "done", at the block before, may still be on its way.
      let head = try await scene.devnet.withChain { $0.head.number }
      let done = try await client.frame("done") {
        $0["refreshing"] == "done" && $0["block"]?.int == Int(head)
      }
      #expect(done["as_of"]?.int != nil)
    }
  }

  private func soldToken(_ scene: Scene) async throws -> Address? {
    let tokens = scene.world.tokens.map(\.address)
    let owner = scene.wallet.address
    return try await scene.devnet.withChain { chain in tokens.first { !chain.balance($0, of: owner).isZero } }
  }

  @Test func refreshCoolsDown() async throws {
    try await withScene({ $0.refresh.cooldown = .seconds(600) }) { scene in
      let client = try await scene.client()
      // Needs no subscription.
      let ok = try await client.ask(1, #""op":"refresh","wallet":"\#(scene.wallet)""#)
      #expect(ok["type"] == "ok")
      let error = try await eventually("a cool-down") {
        let reply = try await client.ask(2, #""op":"refresh","wallet":"\#(scene.wallet)""#)
        return reply["type"] == "error" ? reply : nil
      }
      #expect(error["code"] == "cooldown")
      let retry = try #require(error["retry_ms"]?.int)
      #expect((1...600_000).contains(retry))
      let answer = try await scene.call("POST", "/api/v1/wallets/\(scene.wallet)/refresh_balances")
      #expect(answer.status == 429)
      #expect(answer.json["code"] == "cooldown")
      #expect((1...600).contains(Int(answer[header: "Retry-After"] ?? "") ?? 0))
    }
  }

  @Test func deletedWalletEndsSubscriptions() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      let answer = try await scene.call("DELETE", "/api/v1/wallets/\(scene.wallet)")
      #expect(answer.status == 204)
      try await client.frame("deleted") {
        $0["type"] == "status" && $0["state"] == "deleted" && $0["wallet"]?.string == "\(scene.wallet)"
      }
      let list = try await client.ask(3, #""op":"list""#)
      #expect(list["wallets"]?.array?.isEmpty == true)
    }
  }

  @Test func priceSourceDown() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      try await scene.expectPrices(at: client, "3500.25")
      try await scene.devnet.setPriceFault(.status(500))
      try await client.frame("prices stale") { $0["prices"] == "stale" }
      // The others learn it when they come.
      let late = try await scene.client("/ws?wallet=\(scene.wallet)")
      try await late.next("ok")
      try await late.frame("prices stale") { $0["prices"] == "stale" }
      let snapshot = try await late.next("snapshot")
      let native = snapshot["tokens"]?.array?.first { $0["token"] == "ETH:native" }
      #expect(native?["price_usd"] == "3500.25")
      try await scene.devnet.setPriceFault(nil)
      try await client.frame("prices live") { $0["prices"] == "live" }
      try await scene.expectPrices(at: client, "3501")
    }
  }

  @Test func nodeDownAndUp() async throws {
    try await withScene { scene in
      let client = try await scene.watcher()
      let held = try await scene.balances(scene.wallet)
      try await scene.devnet.setChainFault(.status(503))
      client.send(#"{"op":"refresh","wallet":"\#(scene.wallet)"}"#)
      let stale = try await client.frame("stale") { $0["balance_state"] == "stale" }
      #expect(held.values.contains(stale["balance"]?.string ?? ""))
      let down = try await client.frame("chain down") { $0["chain"] == "ETH" && $0["state"] == "down" }
      #expect(down["since"]?.int != nil)

      client.send(#"{"op":"get","wallet":"\#(scene.wallet)"}"#)
      let snapshot = try await client.next("snapshot")
      #expect(snapshot["state"] == "stale")
      #expect(snapshot.balances == held)
      // A wallet nobody has read: nothing is known of it, which is not zero.
      let other = try await scene.client("/ws?wallet=\(scene.world.wallets[1])")
      try await other.frame("chain down") { $0["chain"] == "ETH" && $0["state"] == "down" }
      let unknown = try await other.frame("unknown") {
        $0["type"] == "snapshot" && $0["state"] == "unknown"
      }
      #expect(unknown["tokens"]?.array?.isEmpty == true)
      let chains = try await scene.call("GET", "/api/v1/chains").json
      #expect(chains["chains"]?[0]?["state"] == "down")

      try await scene.devnet.setChainFault(nil)
      try await client.frame("chain up") { $0["chain"] == "ETH" && $0["state"] == "up" }
      let fresh = try await other.freshSnapshot()
      #expect(fresh.balances == (try await scene.balances(scene.world.wallets[1])))
      try await eventually("fresh again") {
        let snapshot = try await scene.call("GET", "/api/v1/wallets/\(scene.wallet)/balances").json
        return snapshot["state"] == "fresh" && snapshot.balances == held
      }
      for frame in client.frames where frame["type"] == "balance" {
        #expect(held[frame["token"]?.string ?? ""] == frame["balance"]?.string)
      }
    }
  }
}
