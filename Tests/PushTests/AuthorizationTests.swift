import EventLoop
import Ethereum
import JSON
import Ledger
import Testing

@testable import Push

@Suite("Access tokens, over sockets")
struct AuthorizationTests {
  private func bench(
    _ change: (inout PushSettings) -> Void = { _ in }
  ) async throws -> (PushBench, Gatekeeper) {
    let gate = Gatekeeper()
    return (try await PushBench(gate: gate, change), gate)
  }

  /// Sends an op and takes its direct reply, which comes next.
  private func ask(_ client: TestClient, _ id: Int, _ operation: String) async throws -> JSONValue {
    client.send("{\"id\":\(id),\(operation)}")
    let reply = try await client.message()
    #expect(reply["id"]?.int == id, "\(reply)")
    return reply
  }

  private func auth(_ client: TestClient, _ token: String) async throws -> JSONValue {
    try await ask(client, 99, #""op":"auth","token":"\#(token)""#)
  }

  // MARK: - Before the token

  @Test("without a token only auth and ping work; the rest is unauthorized, with its id")
  func before() async throws {
    let (bench, gate) = try await bench()
    let wallet = try await bench.heldWallet()
    let client = try await bench.client(wallets: [wallet])
    _ = try await client.message("hello")
    // `?wallet=`
    let first = try await client.message("error")
    #expect(first.text("code") == "unauthorized" && first["id"] == nil)
    for (id, operation) in [
      #""op":"subscribe","wallets":["\#(wallet)"]"#, #""op":"subscribe","tokens":["ETH:native"]"#,
      #""op":"unsubscribe","wallets":["\#(wallet)"]"#, #""op":"list""#, #""op":"get","wallet":"\#(wallet)""#,
      #""op":"refresh","wallet":"\#(wallet)""#, #""op":"set","rate":1"#,
    ].enumerated() {
      let reply = try await ask(client, id, operation)
      #expect(reply.type == "error" && reply.text("code") == "unauthorized", "\(operation): \(reply)")
    }
    #expect(try await ask(client, 20, #""op":"ping""#).type == "pong")
    #expect(await bench.ledger.watchedWalletCount == 0)

    let wrong = try await auth(client, "guessed")
    #expect(wrong.text("code") == "unauthorized" && wrong.text("message") == "nobody knows this token")
    #expect(try await ask(client, 21, #""op":"list""#).text("code") == "unauthorized")
    try gate.issue("good")
    #expect("\(try await auth(client, "good"))" == #"{"type":"ok","id":99}"#)
    #expect(try await ask(client, 22, #""op":"subscribe","wallets":["\#(wallet)"]"#).type == "ok")
    _ = try await client.message("snapshot")
  }

  @Test("what is broadcast is not for those without a token")
  func statuses() async throws {
    let (bench, gate) = try await bench()
    try gate.issue("good")
    let stranger = try await bench.greeted()
    let client = try await bench.client(tokens: ["good"])
    _ = try await client.message("hello")
    let stale = Array(#"{"type":"status","prices":"stale"}"#.utf8)
    await bench.ledger.announce(StatusFrame(subject: .prices, json: stale, isAbnormal: true))
    _ = try await client.message("status")
    #expect(try await ask(stranger, 1, #""op":"ping""#).type == "pong")
  }

  @Test("who shows no token in time is closed with 4001; who did stays")
  func tooLate() async throws {
    let (bench, gate) = try await bench { $0.authorizationTimeout = .seconds(3) }
    try gate.issue("good")
    let quick = try await bench.client(tokens: ["good"])
    _ = try await quick.message("hello")
    let slow = try await bench.greeted()
    slow.send(#"{"op":"auth","token":"bad"}"#)
    _ = try await slow.message("error")
    #expect(try await slow.closeCode() == 4001)
    try await slow.untilEnded()
    #expect(try await ask(quick, 1, #""op":"list""#).type == "ok")
    #expect(try await bench.statistics().closedUnauthorized == 1)
  }

  // MARK: - The handshake

  @Test("a token of the handshake counts before `?wallet=`")
  func handshake() async throws {
    let (bench, gate) = try await bench()
    let wallet = try await bench.heldWallet()
    try gate.issue("good", wallets: [wallet])
    let client = try await bench.client(wallets: [wallet, PushBench.wallet(7)], tokens: ["good"])
    _ = try await client.message("hello")
    let ok = try await client.message("ok")
    #expect(ok.texts("wallets") == [wallet])
    #expect(ok.list("failed").map { $0.text("code") } == ["forbidden"])
    #expect(ok.list("failed").map { $0.text("wallet") } == [PushBench.wallet(7)])
    _ = try await client.message("snapshot")
  }

  @Test(
    "a bad token of the handshake, or a second one: greeted, then closed with 4001",
    arguments: [["bad"], [""], ["good", "good"], ["good", "bad"]])
  func badHandshake(_ tokens: [String]) async throws {
    let (bench, gate) = try await bench()
    try gate.issue("good")
    let client = try await bench.client(wallets: [PushBench.wallet(1)], tokens: tokens)
    client.send(#"{"op":"list"}"#)
    _ = try await client.message("hello")
    guard case .close(4001, let reason) = try await client.next() else {
      Issue.record("not closed at once")
      return
    }
    #expect(!reason.isEmpty)
    try await client.untilEnded()
    #expect(try await bench.statistics().closedUnauthorized == 1)
  }

  @Test("where no tokens are asked for, any does no harm")
  func off() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet()
    let client = try await bench.client(wallets: [wallet], tokens: ["a", "b"])
    _ = try await client.messages(through: "heartbeat")
    #expect("\(try await auth(client, "anything"))" == #"{"type":"ok","id":99}"#)
    #expect(try await bench.withClient { $0.access == nil })
  }

  // MARK: - Grants

  @Test("a wallet outside the grant fails alone; get and refresh are forbidden; prices are everybody's")
  func grants() async throws {
    let (bench, gate) = try await bench()
    let (mine, other) = (try await bench.heldWallet(1), try await bench.heldWallet(2))
    try gate.issue("mine", wallets: [mine])
    let client = try await bench.client(tokens: ["mine"])
    _ = try await client.message("hello")
    let wallets = #"["\#(other)","\#(mine)","ETH:0x12","\#(PushBench.wallet(77))"]"#
    let ok = try await ask(client, 1, #""op":"subscribe","wallets":\#(wallets),"tokens":["ETH:native"]"#)
    #expect(ok.texts("wallets") == [mine] && ok.texts("tokens") == ["ETH:native"])
    #expect(
      Dictionary(uniqueKeysWithValues: ok.list("failed").map { ($0.text("wallet"), $0.text("code")) })
        == [other: "forbidden", "ETH:0x12": "bad_wallet", PushBench.wallet(77): "forbidden"])
    _ = try await client.messages(through: "heartbeat")
    for operation in ["get", "refresh"] {
      let reply = try await ask(client, 2, #""op":"\#(operation)","wallet":"\#(other)""#)
      #expect(reply.text("code") == "forbidden", "\(reply)")
      #expect(try await ask(client, 3, #""op":"\#(operation)","wallet":"\#(mine)""#).type == "ok")
      if operation == "get" { _ = try await client.message("snapshot") }
    }
    // Nobody was made to read or to store what was forbidden.
    let unknown = try WalletKey(parsing: PushBench.wallet(77))
    #expect(await bench.ledger.walletID(of: unknown) == nil)
    let list = try await ask(client, 4, #""op":"list""#)
    #expect(list.texts("wallets") == [mine])
  }

  @Test("forbidden wallets take no room of the connection's limit")
  func limit() async throws {
    let (bench, gate) = try await bench { $0.walletsPerConnection = 1 }
    let mine = try await bench.heldWallet(1)
    try gate.issue("mine", wallets: [mine])
    let client = try await bench.client(tokens: ["mine"])
    _ = try await client.message("hello")
    let wallets = #"["\#(PushBench.wallet(2))","\#(mine)"]"#
    let ok = try await ask(client, 1, #""op":"subscribe","wallets":\#(wallets)"#)
    #expect(ok.texts("wallets") == [mine])
  }

  @Test("a newer token takes the place of the one before: what it does not grant ends")
  func replaced() async throws {
    let (bench, gate) = try await bench()
    let (mine, other) = (try await bench.heldWallet(1), try await bench.heldWallet(2))
    try gate.issue("all")
    try gate.issue("mine", wallets: [mine])
    let client = try await bench.client(wallets: [other, mine], tokens: ["all"])
    _ = try await client.messages(through: "heartbeat")

    // One that is not right changes nothing.
    #expect(try await auth(client, "bad").text("code") == "unauthorized")
    #expect(try await ask(client, 1, #""op":"list""#).texts("wallets") == [other, mine])

    #expect(try await auth(client, "mine").type == "ok")
    #expect("\(try await client.message())" == #"{"type":"status","wallet":"\#(other)","state":"forbidden"}"#)
    #expect(try await ask(client, 2, #""op":"list""#).texts("wallets") == [mine])
    try await bench.read(other, native: 2)
    try await bench.read(mine, native: 3)
    #expect(try await client.message("balance").text("wallet") == mine)
    _ = await bench.ledger.register([])
    #expect(await bench.ledger.watchedWalletCount == 1)
    let again = try await ask(client, 3, #""op":"subscribe","wallets":["\#(other)"]"#)
    #expect(again.list("failed").map { $0.text("code") } == ["forbidden"])

    #expect(try await auth(client, "all").type == "ok")
    #expect(
      try await ask(client, 4, #""op":"subscribe","wallets":["\#(other)"]"#).texts("wallets") == [other])
  }

  // MARK: - Time

  /// Lets the client's timer come.
  private func fire(_ bench: PushBench) async throws {
    try await bench.withClient {
      $0.timerFired(tag: PushClient.TimerTag.access.rawValue, now: $0.shard.loop.now)
    }
  }

  @Test("told once a minute before the end, closed with 4101 at the end")
  func expiry() async throws {
    let (bench, gate) = try await bench()
    try gate.issue("hour")
    let client = try await bench.client(tokens: ["hour"])
    _ = try await client.message("hello")
    func ping() async throws { #expect(try await ask(client, 1, #""op":"ping""#).type == "pong") }

    gate.advance(milliseconds: 3_539_999)
    try await fire(bench)
    try await ping()
    gate.advance(milliseconds: 1)
    for _ in 0..<2 { try await fire(bench) }
    let end = Gatekeeper.start + 3_600_000
    #expect("\(try await client.message())" == #"{"type":"status","auth":"expiring","at":\#(end)}"#)
    try await ping()
    // A clock that is set back gives the time again, and takes nothing back.
    gate.advance(milliseconds: -600_000)
    try await fire(bench)
    try await ping()
    gate.advance(milliseconds: 659_999)
    try await fire(bench)
    try await ping()
    gate.advance(milliseconds: 1)
    try await fire(bench)
    #expect(try await client.closeCode() == 4101)
    try await client.untilEnded()
    #expect(try await bench.statistics().closedExpired == 1)
  }

  @Test("a newer token puts the end off, and is announced anew")
  func renewal() async throws {
    let (bench, gate) = try await bench()
    try gate.issue("first", milliseconds: 50_000)
    let client = try await bench.client(tokens: ["first"])
    _ = try await client.message("hello")
    #expect(try await client.message("status")["at"]?.int == Int(Gatekeeper.start + 50_000))
    try gate.issue("second", milliseconds: 3_600_000)
    #expect(try await auth(client, "second").type == "ok")
    gate.advance(milliseconds: 60_000)
    try await fire(bench)
    #expect(try await ask(client, 1, #""op":"list""#).type == "ok")
    gate.advance(milliseconds: 3_500_000)
    try await fire(bench)
    #expect(try await client.message("status")["at"]?.int == Int(Gatekeeper.start + 3_600_000))
    // Also to an earlier end.
    try gate.issue("third", milliseconds: 10_000)
    #expect(try await auth(client, "third").type == "ok")
    #expect(try await client.message("status")["at"]?.int == Int(gate.now + 10_000))
    gate.advance(milliseconds: 10_000)
    try await fire(bench)
    #expect(try await client.closeCode() == 4101)
  }

  @Test("an end beyond all times is none")
  func forever() async throws {
    let (bench, gate) = try await bench()
    try gate.issue("long", milliseconds: 9_007_199_254_740_991 - Gatekeeper.start)
    let client = try await bench.client(tokens: ["long"])
    _ = try await client.message("hello")
    gate.advance(milliseconds: 1_000_000_000_000)
    try await fire(bench)
    #expect(try await ask(client, 1, #""op":"list""#).type == "ok")
  }

  @Test("the timers come by themselves; those of a client that is gone don't")
  func timers() async throws {
    let (bench, gate) = try await bench()
    try gate.issue("short", milliseconds: 61)
    try gate.issue("long")
    let client = try await bench.client(tokens: ["short"])
    _ = try await client.message("hello")
    _ = try await client.message("status")
    // The timer comes too early for this clock, looks, and comes again.
    gate.advance(milliseconds: 61)
    #expect(try await client.closeCode() == 4101)
    try await client.untilEnded()

    let other = try await bench.client(tokens: ["long"])
    _ = try await other.message("hello")
    #expect(try await bench.withClient { $0.access?.timer != TimerID.none })
    other.drop()
    try await other.untilEnded()
    let shard = bench.shards[0]
    let deadline = ContinuousClock.now + .seconds(120)
    while try await shard.loop.perform({ shard.loop.timerCount }) > 0 {
      try #require(ContinuousClock.now < deadline, "a timer was left behind")
      await Task.yield()
    }
  }
}
