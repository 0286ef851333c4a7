import Ethereum
import EventLoop
import JSON
import Ledger
import Synchronization
import Testing

@testable import Push

@Suite("Slow and rate-limited clients, over sockets")
struct SlowTests {
  /// Prices of all tokens, so many times over, each another than the one before: an equal one makes no frame.
  private func storm(
    _ bench: PushBench, tokens: Int, rounds: Int, from first: Int = 1,
    each: () async throws -> Void = {}
  ) async throws {
    for round in first..<(first + rounds) {
      try await bench.price((1...tokens).map { (TokenID($0), round * 100 + $0) })
      try await each()
    }
  }

  /// Until the kernel takes nothing more for the only client, which lags. What it takes for one that does not read
  /// depends on when it is asked, so that it is left with less than it took is no sign.
  private func untilStuck(_ bench: PushBench, tokens: Int) async throws {
    var (round, rounds) = (0, 0)
    var lastProgress: LoopInstant?
    while rounds < 20 {
      round += 1
      try await storm(bench, tokens: tokens, rounds: 1, from: round)
      try await bench.flush()
      let now = try await bench.withClient { client in
        client.mode == .lagging && client.connection.hasLeftovers ? client.connection.lastProgress : nil
      }
      rounds = now != nil && now == lastProgress ? rounds + 1 : 0
      lastProgress = now
    }
  }

  private func untilOwed(_ bench: PushBench) async throws {
    while true {
      let isOwed = try await bench.withClient { !$0.debts.isEmpty }
      if isOwed { return }
      await Task.yield()
    }
  }

  @Test(
    "a client that doesn't read is sent a lag, its queue stays bounded, then it has exactly the newest values",
    arguments: [65_536, 2_000])
  func lag(mark: Int) async throws {
    let bench = try await PushBench(sendBuffer: 4_096) { $0.unsentBytes = mark }
    let wallet = try await bench.heldWallet(1, tokens: 150)
    try await storm(bench, tokens: 150, rounds: 1)
    let client = try await bench.greeted(receiveBuffer: 4_096)
    var model = Model()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"]}")
    for frame in try await client.messages(through: "heartbeat") { model.take(frame) }
    try await client.pause()
    var highest = 0
    try await storm(bench, tokens: 150, rounds: 60) {
      highest = max(highest, try await bench.withClient { $0.connection.unsentBytes })
    }
    // A row that comes, and changes, while the client is behind.
    let added = try await bench.addToken(9_999)
    try await bench.read(wallet, native: 3, [(added, 1)])
    try await bench.read(wallet, native: 4, [(added, 2)])
    try await bench.flush()
    #expect(highest > 0)
    #expect(highest <= mark + 65_536)
    let lags = try await bench.statistics().lags
    #expect(lags >= 1)
    let mode = try await bench.withClient { $0.mode }
    #expect(mode == .lagging)
    let sentBefore = client.receivedBytes
    client.resume()
    var last: UInt64 = 0
    while last < (await bench.ledger.revision) {
      let frame = try await client.message()
      model.take(frame)
      if frame.type == "heartbeat" { last = frame.rev ?? 0 }
    }
    #expect(model.lags >= 1)
    let snapshot = try await bench.snapshot(wallet)
    #expect(model.differences(from: snapshot, wallet: wallet) == [])
    // 9000 frames of about 200 bytes were meant for it; conflated, it got far less.
    #expect(client.receivedBytes - sentBefore < 700_000)
    // It is live again.
    try await bench.price([(1, 7)])
    #expect(try await client.message("price").text("price_usd") == "0.7")
  }

  @Test("a burst over the mark that the kernel takes at once: caught up by itself, nobody calls `drained`")
  func burst() async throws {
    let bench = try await PushBench { $0.unsentBytes = 1_000 }
    let wallet = try await bench.heldWallet(1, tokens: 200)
    let client = try await bench.client(wallets: [wallet])
    var model = Model()
    for frame in try await client.messages(through: "heartbeat") { model.take(frame) }
    for round in 1...20 {
      try await bench.price((1...200).map { (TokenID($0), round * 1_000 + $0) })
      var last: UInt64 = 0
      while last < (await bench.ledger.revision) {
        let frame = try await client.message()
        model.take(frame)
        last = max(last, frame.rev ?? 0)
      }
    }
    let snapshot = try await bench.snapshot(wallet)
    #expect(model.differences(from: snapshot, wallet: wallet) == [])
  }

  @Test("a big snapshot over many times the mark arrives whole, and so does a big resume")
  func bigDebts() async throws {
    let bench = try await PushBench { $0.unsentBytes = 1_000 }
    let wallet = try await bench.heldWallet(1, tokens: 1_500)
    let since = await bench.ledger.revision
    try await storm(bench, tokens: 1_500, rounds: 1)
    let client = try await bench.client(wallets: [wallet])
    let messages = try await client.messages(through: "heartbeat")
    #expect(messages.flatMap { $0.list("tokens") }.count == 1_501)
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"since\":\"k3f9:\(since)\"}")
    let resumed = try await client.messages(through: "heartbeat")
    #expect(resumed[0]["changed"]?.int == 1_500)
    #expect(resumed.filter { $0.type == "price" }.count == 1_500)
    client.send("{\"op\":\"ping\"}")
    _ = try await client.message("pong")
  }

  @Test("while a resume waits for room no live frame comes between")
  func resumeHoldsBack() async throws {
    let bench = try await PushBench(sendBuffer: 4_096) { $0.unsentBytes = 2_000 }
    let wallet = try await bench.heldWallet(1, tokens: 500)
    let since = await bench.ledger.revision
    try await storm(bench, tokens: 500, rounds: 1)
    let newest = await bench.ledger.revision
    let client = try await bench.greeted(receiveBuffer: 4_096)
    try await client.pause()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"since\":\"k3f9:\(since)\"}")
    try await untilOwed(bench)
    try await bench.price([(1, 77)])
    try await bench.flush()
    client.resume()
    let messages = try await client.messages(through: "heartbeat")
    let revisions = messages.filter { $0.type == "price" }.compactMap(\.rev)
    #expect(revisions == revisions.sorted())
    #expect(revisions.last == newest + 1)
    #expect(messages.last?.rev == newest + 1)
  }

  @Test("what it no longer follows is taken out of what it is still owed")
  func unsubscribedWhileOwed() async throws {
    let bench = try await PushBench(sendBuffer: 4_096) { $0.unsentBytes = 2_000 }
    let wallet = try await bench.heldWallet(1, tokens: 500)
    let other = try await bench.heldWallet(2, tokens: 1)
    let since = await bench.ledger.revision
    try await storm(bench, tokens: 500, rounds: 1)
    let client = try await bench.greeted(receiveBuffer: 4_096)
    try await client.pause()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\",\"\(other)\"],\"since\":\"k3f9:\(since)\"}")
    try await untilOwed(bench)
    _ = try await bench.ledger.delete(1)
    try await bench.flush()
    client.resume()
    let messages = try await client.messages(through: "heartbeat")
    #expect(messages.contains { $0.type == "status" && $0.text("state") == "deleted" })
    client.send("{\"op\":\"list\"}")
    #expect(try await client.message("ok").texts("wallets") == [other])
  }

  @Test("a client that asks and asks without reading makes no queue grow")
  func clogged() async throws {
    let bench = try await PushBench(sendBuffer: 32_768) { $0.unsentBytes = 10_000 }
    let wallet = try await bench.heldWallet(1, tokens: 60)
    let client = try await bench.greeted(receiveBuffer: 32_768)
    try await client.pause()
    let count = 60
    for _ in 0..<count { client.send("{\"op\":\"get\",\"wallet\":\"\(wallet)\"}") }
    client.send("{\"op\":\"ping\"}")
    while true {
      let isPaused = try await bench.withClient { $0.connection.isReadingPaused && !$0.isWaiting }
      if isPaused { break }
      await Task.yield()
    }
    for _ in 0..<50 {
      let (unsent, debts) = try await bench.withClient { ($0.connection.unsentBytes, $0.debts.count) }
      #expect(unsent <= 10_000 + 65_536 + 8_192)
      #expect(debts < 10)
    }
    client.resume()
    let messages = try await client.messages(through: "pong")
    #expect(messages.filter { $0.type == "ok" }.count == count)
    #expect(messages.filter { $0.type == "snapshot" && $0["part"]?.int == 1 }.count == count)
  }

  @Test("statuses that found no room come when there is some")
  func missedStatuses() async throws {
    let bench = try await PushBench(sendBuffer: 4_096) { $0.unsentBytes = 2_000 }
    let wallet = try await bench.heldWallet(1, tokens: 100)
    let client = try await bench.client(wallets: [wallet], receiveBuffer: 4_096)
    _ = try await client.messages(through: "heartbeat")
    try await client.pause()
    try await untilStuck(bench, tokens: 100)
    for word in ["balances", "prices", "done"] {
      let text = "{\"type\":\"status\",\"wallet\":\"\(wallet)\",\"refreshing\":\"\(word)\"}"
      await bench.ledger.announce(StatusFrame(subject: .wallet(1), json: Array(text.utf8), isAbnormal: false))
    }
    try await bench.flush()
    client.resume()
    var statuses: [String] = []
    var last: UInt64 = 0
    while last < (await bench.ledger.revision) {
      let frame = try await client.message()
      if frame.type == "status" { statuses.append(frame.text("refreshing") ?? "") }
      if frame.type == "heartbeat" { last = frame.rev ?? 0 }
    }
    #expect(statuses == ["done"])
  }

  /// Replies that are queued turn after turn, before the client is looked at, look like what it has not taken.
  @Test("a client that asks in every turn catches up all the same")
  func asksInEveryTurn() async throws {
    let bench = try await PushBench()
    let client = try await bench.greeted()
    try await bench.withClient { (client) -> Void in
      client.mode = .lagging
      client.cursor = client.shard.revision
      client.waitForRoom()
      let shard = client.shard
      @Sendable func reply(_ turnsLeft: Int) {
        // Posted before the look is, so it comes before the look.
        for client in shard.clients.all { client.write(Replies.pong(nil, time: 0)) }
        if turnsLeft > 0 { shard.loop.post { reply(turnsLeft - 1) } }
      }
      reply(10)
    }
    _ = try await client.messages(through: "heartbeat")
    #expect(try await bench.withClient { $0.mode } == .live)
  }

  @Test("a client that takes nothing at all is closed with 4108")
  func tooSlow() async throws {
    let bench = try await PushBench(sendBuffer: 4_096) {
      $0.unsentBytes = 2_000
      // Before it is paused, the client has to take its snapshot through a small buffer in time.
      $0.slowTimeout = .seconds(2)
    }
    let wallet = try await bench.heldWallet(1, tokens: 100)
    let client = try await bench.client(wallets: [wallet], receiveBuffer: 4_096)
    _ = try await client.messages(through: "heartbeat")
    try await client.pause()
    try await storm(bench, tokens: 100, rounds: 20)
    let shard = bench.shards[0]
    var round = 21
    while try await shard.loop.perform({ shard.clientCount }) > 0 {
      try await storm(bench, tokens: 100, rounds: 1, from: round)
      round += 1
    }
    let closed = try await bench.statistics().closedSlow
    #expect(closed == 1)
    client.resume()
    #expect(try await client.closeCode() == 4108)
  }

  @Test("rate: only the newest values, at the ticks, each catch-up with a heartbeat; null: live again")
  func paced() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 20)
    try await storm(bench, tokens: 20, rounds: 1)
    let client = try await bench.greeted()
    var model = Model()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"rate\":1}")
    for frame in try await client.messages(through: "heartbeat") { model.take(frame) }
    try await storm(bench, tokens: 20, rounds: 50)
    let newest = await bench.ledger.revision
    var frames: [JSONValue] = []
    while frames.last?.rev != newest || frames.last?.type != "heartbeat" {
      frames += try await client.messages(through: "heartbeat")
    }
    for frame in frames { model.take(frame) }
    #expect(frames.filter { $0.type == "price" }.count < 20 * 50 / 2, "conflated")
    let snapshot = try await bench.snapshot(wallet)
    #expect(model.differences(from: snapshot, wallet: wallet) == [])
    // Slower than the test: what comes now comes because of the change.
    client.send("{\"op\":\"set\",\"id\":1,\"rate\":0.0001}")
    _ = try await client.message("ok")
    try await bench.price([(1, 5), (2, 5)])
    try await bench.flush()
    client.send("{\"op\":\"ping\"}")
    _ = try await client.message("pong")
    client.send("{\"op\":\"set\",\"id\":2,\"rate\":null}")
    let caughtUp = try await client.messages(through: "heartbeat")
    #expect(caughtUp.map(\.type) == ["ok", "price", "price", "heartbeat"])
    try await bench.price([(3, 5)])
    _ = try await client.message("price")
  }

  @Test("rate: behind a snapshot between the ticks comes all that is older, and a heartbeat not below it")
  func pacedSnapshot() async throws {
    let bench = try await PushBench()
    let held = try await bench.heldWallet(1, tokens: 2)
    let cold = PushBench.wallet(2)
    let client = try await bench.greeted()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(held)\",\"\(cold)\"],\"rate\":0.0001}")
    let first = try await client.messages(through: "heartbeat")
    #expect(first.map(\.type) == ["ok", "snapshot", "snapshot", "heartbeat"])
    #expect(first.last?.rev == first[2].rev)
    try await bench.price([(1, 5)])
    let price = await bench.ledger.revision
    try await bench.flush()
    try await bench.read(cold, native: 3)
    let messages = try await client.messages(through: "heartbeat")
    #expect(messages.first?.type == "snapshot" && messages.first?.text("state") == "fresh")
    #expect(messages.contains { $0.type == "price" && $0.rev == price })
    let snapshot = try #require(messages.first?.rev)
    #expect(try #require(messages.last?.rev) >= snapshot, "\(messages)")
  }

  @Test("rate and since together: ok, what changed, heartbeat")
  func pacedResume() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 3)
    let since = await bench.ledger.revision
    try await bench.price([(1, 5), (2, 5)])
    let client = try await bench.greeted()
    client.send(
      "{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"since\":\"k3f9:\(since)\",\"rate\":0.001}")
    let messages = try await client.messages(through: "heartbeat")
    #expect(messages.map(\.type) == ["ok", "price", "price", "heartbeat"])
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"rate\":null}")
    #expect(try await client.messages(through: "heartbeat").map(\.type) == ["ok", "snapshot", "heartbeat"])
  }
}
