import Ethereum
import EventLoop
import JSON
import Ledger
import Testing

@testable import Push

@Suite("Subscribing, over sockets")
struct SubscribeTests {
  @Test("hello first; ping, list, unknown ops and bad JSON get one reply each")
  func replies() async throws {
    let bench = try await PushBench()
    let client = try await bench.client()
    let hello = try await client.message("hello")
    #expect(hello.text("epoch") == "k3f9")
    #expect(hello.rev == 100)
    client.send("{\"op\":\"ping\",\"id\":\"a\"}")
    let pong = try await client.message("pong")
    #expect(pong.text("id") == "a")
    #expect((pong["time"]?.int ?? 0) > 1_700_000_000_000)
    client.send("{\"op\":\"list\",\"id\":2}")
    #expect("\(try await client.message("ok"))" == "{\"type\":\"ok\",\"id\":2,\"wallets\":[],\"tokens\":[]}")
    client.send("{\"op\":\"fly\",\"id\":3}")
    #expect(try await client.message("error").text("code") == "unknown_op")
    client.send("nonsense")
    let refused = try await client.message("error")
    #expect(refused.text("code") == "bad_json")
    #expect(refused["id"] == nil)
    client.send("{\"op\":\"auth\",\"token\":\"x\",\"id\":4}")
    #expect(try await client.message("ok")["id"]?.int == 4)
  }

  @Test("a wallet never seen: ok, loading, heartbeat; then one full snapshot and a heartbeat")
  func unknownWallet() async throws {
    let bench = try await PushBench()
    let client = try await bench.greeted()
    let wallet = PushBench.wallet(1)
    client.send("{\"op\":\"subscribe\",\"id\":1,\"wallets\":[\"\(wallet)\"]}")
    let ok = try await client.message("ok")
    #expect("\(ok)" == "{\"type\":\"ok\",\"id\":1,\"wallets\":[\"\(wallet)\"],\"failed\":[]}")
    let loading = try await client.message("snapshot")
    #expect(loading.text("state") == "loading")
    #expect(loading.list("tokens").isEmpty)
    let heartbeat = try await client.message("heartbeat")
    #expect(heartbeat.rev == loading.rev)
    let token = try await bench.addToken(1)
    try await bench.read(wallet, [(token, 5)])
    let full = try await client.message("snapshot")
    let counted = try await bench.statistics()
    #expect([counted.snapshotsMissing, counted.snapshotsStale, counted.snapshotsFresh] == [1, 0, 1])
    #expect(full.text("state") == "fresh")
    #expect(full.list("tokens").count == 2)
    #expect(try await client.message("heartbeat").rev == full.rev)
    await bench.ledger.acceptFailure(of: 1)
    #expect(try await client.message("balance").text("balance_state") == "stale")
  }

  @Test("a first read that fails: unknown; the first success is a full snapshot")
  func failedRead() async throws {
    let bench = try await PushBench()
    let client = try await bench.client(wallets: [PushBench.wallet(1)])
    _ = try await client.messages(through: "heartbeat")
    await bench.ledger.acceptFailure(of: 1)
    #expect(try await client.message("snapshot").text("state") == "unknown")
    _ = try await client.message("heartbeat")
    try await bench.read(PushBench.wallet(1))
    #expect(try await client.message("snapshot").text("state") == "fresh")
    _ = try await client.message("heartbeat")
  }

  @Test("a known wallet: its snapshot at once, then deltas in ascending revision")
  func knownWallet() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet()
    let client = try await bench.greeted()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    let first = try await client.messages(through: "heartbeat")
    #expect(first.map(\.type) == ["ok", "snapshot", "heartbeat"])
    #expect(first[0]["id"] == nil)
    try await bench.price([(1, 100)])
    try await bench.read(wallet, native: 2, [(1, 6)])
    let deltas = [try await client.message(), try await client.message(), try await client.message()]
    #expect(deltas.map(\.type) == ["price", "balance", "balance"])
    #expect(deltas.compactMap(\.rev) == deltas.compactMap(\.rev).sorted())
    #expect(deltas[0].text("price_usd") == "1.0")
    // Subscribing again sends the snapshot again; a second client is answered by the loop itself.
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    #expect(try await client.messages(through: "heartbeat").map(\.type) == ["ok", "snapshot", "heartbeat"])
    let second = try await bench.client(wallets: [wallet])
    #expect(
      try await second.messages(through: "heartbeat").map(\.type) == ["hello", "ok", "snapshot", "heartbeat"])
  }

  @Test("?wallet= is a subscribe without id; what came behind the request waits for it")
  func nameInRequest() async throws {
    let bench = try await PushBench()
    let client = try await bench.client(wallets: [PushBench.wallet(1), "ETH:0xZZ", PushBench.wallet(1)])
    client.send("{\"op\":\"ping\",\"id\":1}")
    let messages = try await client.messages(through: "pong")
    #expect(messages.map(\.type) == ["hello", "ok", "snapshot", "heartbeat", "pong"])
    #expect(messages[1]["id"] == nil)
    #expect(messages[1].texts("wallets") == [PushBench.wallet(1)])
    #expect(messages[1].list("failed").map { $0.text("code") } == ["bad_wallet"])
  }

  @Test("each of a list fails alone: bad keys, chains, those beyond the limit")
  func failures() async throws {
    let bench = try await PushBench { $0.walletsPerConnection = 3 }
    let client = try await bench.greeted()
    let list = [
      "ETH:0xZZ", PushBench.wallet(1), "DOGE" + PushBench.wallet(1).dropFirst(3), PushBench.wallet(2),
      PushBench.wallet(3),
    ]
    let json = list.map { "\"\($0)\"" }.joined(separator: ",")
    client.send("{\"op\":\"subscribe\",\"wallets\":[\(json)],\"tokens\":[\"ETH:native\",\"x\"]}")
    let ok = try await client.message("ok")
    #expect(ok.texts("wallets") == [PushBench.wallet(1), PushBench.wallet(2)])
    #expect(ok.texts("tokens") == [])
    let codes = ok.list("failed").map {
      "\($0.text("wallet") ?? $0.text("token") ?? "") \($0.text("code") ?? "")"
    }
    #expect(
      Set(codes) == [
        "ETH:0xZZ bad_wallet", "x bad_token", "\(PushBench.wallet(3)) too_many_wallets",
        "ETH:native too_many_wallets",
        "DOGE\(PushBench.wallet(1).dropFirst(3)) chain_unsupported",
      ])
    _ = try await client.messages(through: "heartbeat")
    // All failed is an ok too.
    client.send("{\"op\":\"subscribe\",\"id\":2,\"wallets\":[\"x\"]}")
    #expect(try await client.message("ok").list("failed").count == 1)
    // What it has already doesn't count again.
    client.send(
      "{\"op\":\"subscribe\",\"id\":3,\"wallets\":[\"\(PushBench.wallet(1))\",\"\(PushBench.wallet(3))\"]}")
    #expect(try await client.message("ok").list("failed").isEmpty)
  }

  @Test("a registration that can't be stored fails alone, with a time to come back")
  func notStored() async throws {
    let bench = try await PushBench()
    bench.store.setFailing(true)
    let client = try await bench.greeted()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(PushBench.wallet(1))\"]}")
    let failed = try await client.message("ok").list("failed")
    #expect(failed.first?.text("code") == "internal")
    #expect(failed.first?["retry_ms"]?.int != nil)
    bench.store.setFailing(false)
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(PushBench.wallet(1))\"]}")
    #expect(try await client.messages(through: "heartbeat").map(\.type) == ["ok", "snapshot", "heartbeat"])
  }

  @Test("tokens: one price frame each as held, a heartbeat, then changes; once, though a wallet holds it too")
  func tokens() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let other = try await bench.heldWallet(2)
    try await bench.price([(1, 150)])
    let client = try await bench.greeted()
    client.send("{\"op\":\"subscribe\",\"tokens\":[\"\(PushBench.token(0))\",\"BSC:native\"]}")
    let first = try await client.messages(through: "heartbeat")
    #expect(first.map(\.type) == ["ok", "price", "price", "heartbeat"])
    #expect(first[0].texts("tokens") == [PushBench.token(0), "BSC:native"])
    #expect(first[1].text("price_usd") == "1.50" || first[1].text("price_usd") == "1.5")
    #expect(first[2]["price_usd"] == .null)
    #expect(first[2].text("price_state") == "loading")
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\",\"\(other)\"]}")
    _ = try await client.messages(through: "heartbeat")
    try await bench.price([(1, 250)])
    try await bench.price([(0, 300_000)])
    #expect(try await client.message("price").text("token") == PushBench.token(0))
    #expect(try await client.message("price").text("token") == "ETH:native")
    client.send("{\"op\":\"list\"}")
    let list = try await client.message("ok")
    #expect(list.texts("wallets") == [wallet, other])
    #expect(list.texts("tokens") == [PushBench.token(0), "BSC:native"])
  }

  @Test("unsubscribe subtracts what it names, and names what was not there")
  func unsubscribe() async throws {
    let bench = try await PushBench()
    let wallets = [try await bench.heldWallet(1), try await bench.heldWallet(2)]
    let client = try await bench.client(wallets: wallets)
    _ = try await client.messages(through: "heartbeat")
    client.send(
      "{\"op\":\"unsubscribe\",\"id\":1,\"wallets\":[\"\(wallets[0])\",\"\(PushBench.wallet(9))\",\"x\"]}")
    let ok = try await client.message("ok")
    #expect(ok.texts("wallets") == [wallets[0]])
    #expect(Set(ok.list("failed").map { $0.text("code") }) == ["not_subscribed", "bad_wallet"])
    try await bench.read(wallets[0], native: 7)
    try await bench.read(wallets[1], native: 8)
    #expect(try await client.message("balance").text("wallet") == wallets[1])
    client.send("{\"op\":\"unsubscribe\",\"id\":2,\"wallets\":[\"\(wallets[1])\"]}")
    _ = try await client.message("ok")
    try await bench.flush()
    _ = await bench.ledger.register([])
    #expect(await bench.ledger.watchedWalletCount == 0)
    let counts = try await bench.shards[0].loop.perform { [shard = bench.shards[0]] in
      [shard.wallets.count, shard.walletsByID.count, shard.tokens.count, shard.tokensByKey.count]
    }
    #expect(counts == [0, 0, 0, 0], "the loop forgets what nobody follows")
  }

  @Test("get answers once; a loading wallet is wanted, not followed")
  func get() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet()
    let client = try await bench.greeted()
    for key in [wallet, PushBench.wallet(9)] {
      client.send("{\"op\":\"get\",\"id\":4,\"wallet\":\"\(key)\"}")
      #expect("\(try await client.message("ok"))" == "{\"type\":\"ok\",\"id\":4,\"wallet\":\"\(key)\"}")
      #expect(try await client.message("snapshot").text("state") == (key == wallet ? "fresh" : "loading"))
    }
    client.send("{\"op\":\"get\",\"id\":5,\"wallet\":\"DOGE\(wallet.dropFirst(3))\"}")
    #expect(try await client.message("error").text("code") == "chain_unsupported")
    #expect(await bench.ledger.watchedWalletCount == 0)
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    _ = try await client.messages(through: "heartbeat")
    client.send("{\"op\":\"get\",\"id\":6,\"wallet\":\"\(wallet)\"}")
    #expect(try await client.message("ok")["id"]?.int == 6)
    #expect(try await client.message("snapshot").list("tokens").count == 2)
  }

  @Test(
    "refresh answers as the chain's reader says",
    arguments: [
      (.accepted, "ok", nil),
      (.cooldown(agoMilliseconds: 4_000, retryMilliseconds: 6_000), "cooldown", 6_000),
      (.serverFull(limit: 3), "too_many_wallets", nil), (.internal, "internal", 5_000),
    ] as [(RefreshAnswer, String, Int?)])
  func refresh(answer: RefreshAnswer, code: String, retry: Int?) async throws {
    let bench = try await PushBench()
    bench.refresher.answer.withLock { $0 = answer }
    let client = try await bench.greeted()
    client.send("{\"op\":\"refresh\",\"id\":5,\"wallet\":\"\(PushBench.wallet(1))\"}")
    client.send("{\"op\":\"ping\",\"id\":6}")
    let reply = try await client.message()
    #expect(reply["id"]?.int == 5)
    #expect(reply.type == (code == "ok" ? "ok" : "error"))
    #expect(code == "ok" || reply.text("code") == code)
    #expect(reply["retry_ms"]?.int == retry)
    #expect(try await client.message("pong")["id"]?.int == 6)
  }

  @Test("a deleted wallet ends its subscriptions; subscribed again it is a new one")
  func deletion() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet()
    let clients = [try await bench.client(wallets: [wallet]), try await bench.client(wallets: [wallet])]
    for client in clients { _ = try await client.messages(through: "heartbeat") }
    _ = try await bench.ledger.delete(1)
    for client in clients {
      #expect(
        "\(try await client.message("status"))"
          == "{\"type\":\"status\",\"wallet\":\"\(wallet)\",\"state\":\"deleted\"}")
      client.send("{\"op\":\"list\"}")
      #expect(try await client.message("ok").texts("wallets").isEmpty)
    }
    clients[0].send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    #expect(try await clients[0].messages(through: "heartbeat")[1].text("state") == "loading")
  }

  @Test("statuses: a wallet's to those who follow it; abnormal ones again behind ok")
  func statuses() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet()
    let client = try await bench.client(wallets: [wallet])
    _ = try await client.messages(through: "heartbeat")
    let other = try await bench.greeted()
    let text = "{\"type\":\"status\",\"wallet\":\"\(wallet)\",\"refreshing\":\"balances\"}"
    await bench.ledger.announce(StatusFrame(subject: .wallet(1), json: Array(text.utf8), isAbnormal: false))
    #expect("\(try await client.message("status"))" == text)
    let down = "{\"type\":\"status\",\"chain\":\"ETH\",\"state\":\"down\",\"since\":1}"
    let eth = try ChainCode(parsing: "ETH")
    await bench.ledger.announce(StatusFrame(subject: .chain(eth), json: Array(down.utf8), isAbnormal: true))
    for client in [client, other] { #expect("\(try await client.message("status"))" == down) }
    other.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    #expect(
      try await other.messages(through: "heartbeat").map(\.type) == ["ok", "status", "snapshot", "heartbeat"])
    let up = "{\"type\":\"status\",\"chain\":\"ETH\",\"state\":\"up\"}"
    await bench.ledger.announce(StatusFrame(subject: .chain(eth), json: Array(up.utf8), isAbnormal: false))
    _ = try await other.message("status")
    other.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    #expect(try await other.messages(through: "heartbeat").map(\.type) == ["ok", "snapshot", "heartbeat"])
  }

  @Test("a wallet over 64 KiB comes in parts, all with one revision, and a heartbeat behind the last")
  func parts() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 900)
    let client = try await bench.greeted()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    client.send("{\"op\":\"get\",\"wallet\":\"\(wallet)\"}")
    var messages = try await client.messages(through: "heartbeat")
    while !messages.contains(where: { $0["id"] == nil && $0.text("wallet") == wallet && $0.type == "ok" }) {
      messages.append(try await client.message())
    }
    let parts = messages.filter { $0.type == "snapshot" }
    let count = parts.count
    #expect(count > 3)
    #expect(parts.map { $0["part"]?.int } == Array(1...count))
    #expect(parts.allSatisfy { $0["parts"]?.int == count })
    #expect(Set(parts.map(\.rev)).count == 1)
    #expect(parts.allSatisfy { $0.encoded().count <= 65_536 })
    #expect(parts.map { $0["total_usd"] != nil } == Array(repeating: false, count: count - 1) + [true])
    #expect(parts.flatMap { $0.list("tokens") }.count == 901)
    // `get` answers the same, without a heartbeat.
    var again = 0
    while again < 901 { again += try await client.message("snapshot").list("tokens").count }
    client.send("{\"op\":\"ping\"}")
    _ = try await client.message("pong")
  }

  @Test("what was marked in a turn goes before the snapshot and the heartbeat of that turn")
  func oneTurn() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let client = try await bench.client(wallets: [wallet, PushBench.wallet(2)])
    _ = try await client.messages(through: "heartbeat")
    try await bench.whileHeld {
      try await bench.price([(1, 700)])
      try await bench.read(PushBench.wallet(2))
    }
    let messages = try await client.messages(through: "heartbeat")
    #expect(messages.map(\.type) == ["price", "snapshot", "heartbeat"])
    client.send("{\"op\":\"ping\"}")
    _ = try await client.message("pong")
  }
}
