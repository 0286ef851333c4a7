import Ethereum
import HTTP1
import JSON
import Ledger
import Testing
import WebSocket

@testable import Push

@Suite("Event streams, over sockets", .timeLimit(.minutes(10)))
struct StreamTests {
  private let epoch = PushBench.epoch

  @Test("the frames of a WebSocket; an id stands on heartbeats, and on live data with its own revision")
  func frames() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 2)
    let reader = try await bench.reader(wallet)
    guard case .retry(let retry) = await reader.item() else {
      throw TestClient.Unexpected(description: "retry")
    }
    #expect((1_000..<4_000).contains(retry))
    let events = try await reader.events(through: "heartbeat")
    #expect(events.map(\.type) == ["hello", "ok", "snapshot", "heartbeat"])
    #expect(events[1].json.texts("wallets") == [wallet])
    #expect(events[2].json["state"] == "fresh")
    let revision = await bench.ledger.revision
    #expect(events.map(\.id) == [nil, nil, nil, "\(epoch):\(revision)"])

    // Three frames of one turn: each has its own.
    try await bench.price([(1, 100), (2, 200)])
    try await bench.read(wallet, native: 7, [(1, 5_000_000), (2, 9)])
    for type in ["price", "price", "balance", "balance"] {
      let event = try await reader.event(type)
      #expect(event.id == event.json.rev.map { "\(epoch):\($0)" })
    }
    // What a WebSocket is told beside it.
    let client = try await bench.client(wallets: [wallet])
    _ = try await client.messages(through: "heartbeat")
    try await bench.price([(1, 300)])
    #expect(try await reader.event("price").json == (try await client.message("price")))
  }

  @Test("a wallet that was never read has no ids before its first whole snapshot and the heartbeat behind it")
  func loading() async throws {
    let bench = try await PushBench()
    let wallet = PushBench.wallet(1)
    let reader = try await bench.reader(wallet)
    let first = try await reader.events(through: "heartbeat")
    #expect(first.map(\.type) == ["hello", "ok", "snapshot", "heartbeat"])
    #expect(first[2].json["state"] == "loading")
    #expect(first.allSatisfy { $0.id == nil })
    try await bench.read(wallet, native: 3)
    let second = try await reader.events(through: "heartbeat")
    #expect(second.map(\.type) == ["snapshot", "heartbeat"])
    #expect(second.map(\.id) == [nil, "\(epoch):\(await bench.ledger.revision)"])
  }

  @Test("resumed: only what changed since, none of it with an id, then a heartbeat that has one")
  func resume() async throws {
    let bench = try await PushBench(shards: 2)
    let wallet = try await bench.heldWallet(1, tokens: 3)
    let reader = try await bench.reader(wallet)
    let id = try #require(try await reader.events(through: "heartbeat").last?.id)
    reader.drop()
    try await bench.price([(1, 100), (2, 100)])
    try await bench.price([(1, 200)])
    for shard in 0...1 {
      let again = try await bench.reader(wallet, on: shard, since: id)
      let events = try await again.events(through: "heartbeat")
      #expect(events.map(\.type) == ["hello", "ok", "price", "price", "heartbeat"])
      #expect(events[1].json["resumed"] == true && events[1].json["changed"]?.int == 2)
      #expect(events[3].json.text("price_usd") == "2.0")
      #expect(events.dropLast().allSatisfy { $0.id == nil })
      #expect(events.last?.id == "\(epoch):\(await bench.ledger.revision)")
      for foreign in ["zzzz:5", "what", "\(epoch):\(await bench.ledger.revision + 1)"] {
        let other = try await bench.reader(wallet, on: shard, since: foreign)
        let events = try await other.events(through: "heartbeat")
        #expect(events.map(\.type) == ["hello", "ok", "snapshot", "heartbeat"], "\(foreign)")
        #expect(events[1].json["resumed"] == false)
      }
    }
  }

  @Test("the point before a wallet's first read gets its snapshot, not rows that nothing was there for")
  func resumeBeforeFirstRead() async throws {
    let bench = try await PushBench()
    let wallet = PushBench.wallet(1)
    try await bench.register(wallet)
    let before = await bench.ledger.revision
    try await bench.read(wallet, native: 3)
    let reader = try await bench.reader(wallet, since: "\(epoch):\(before)")
    let events = try await reader.events(through: "heartbeat")
    #expect(events.map(\.type) == ["hello", "ok", "snapshot", "heartbeat"])
  }

  @Test("a reader that takes nothing is sent a lag, its queue stays bounded, then it has the newest values")
  func slow() async throws {
    let mark = 8_192
    let bench = try await PushBench(sendBuffer: 4_096) { $0.unsentBytes = mark }
    let wallet = try await bench.heldWallet(1, tokens: 100)
    let reader = try await bench.reader(wallet, receiveBuffer: 4_096)
    var model = Model()
    for event in try await reader.events(through: "heartbeat") { model.take(event.json) }
    try await reader.pause()
    let before = reader.receivedBytes
    var highest = 0
    for round in 1...60 {
      try await bench.price((1...100).map { (TokenID($0), round * 1_000 + $0) })
      try await bench.flush()
      highest = max(highest, try await bench.withClient { $0.connection.unsentBytes })
    }
    // 64 frames are gathered before anybody looks how much is unsent.
    #expect(highest > 0 && highest <= mark + 32_768)
    let mode = try await bench.withClient { $0.mode }
    #expect(mode == .lagging)
    reader.resume()
    var last: UInt64 = 0
    var isConflated = false
    while last < (await bench.ledger.revision) {
      let event = try await reader.event()
      model.take(event.json)
      if event.type == "lag" { isConflated = true }
      if event.type == "heartbeat" {
        last = event.json.rev ?? 0
        #expect(event.id == "\(epoch):\(last)")
        isConflated = false
      }
      if isConflated { #expect(event.id == nil) }
    }
    #expect(model.lags >= 1)
    let snapshot = try await bench.snapshot(wallet)
    #expect(model.differences(from: snapshot, wallet: wallet) == [])
    // 6,000 events of more than 200 bytes were meant for it.
    #expect(reader.receivedBytes - before < 600_000)
  }

  @Test("its wallet is deleted: it is told, and the stream ends")
  func deleted() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let reader = try await bench.reader(wallet)
    _ = try await reader.events(through: "heartbeat")
    _ = try await bench.ledger.delete(1)
    let events = await reader.untilEnded()
    #expect(events.map(\.type) == ["status"])
    #expect(events.first?.json["state"] == "deleted" && events.first?.json.text("wallet") == wallet)
    #expect(await bench.ledger.watchedWalletCount == 0)
  }

  @Test("its access token ends: a notice, an error, the end")
  func expiry() async throws {
    let gate = Gatekeeper()
    let bench = try await PushBench(gate: gate)
    let wallet = try await bench.heldWallet(1)
    try gate.issue("good", wallets: [wallet], milliseconds: 30_000)
    let reader = try await bench.reader(wallet)
    let events = try await reader.events(through: "heartbeat")
    #expect(events.contains { $0.json["auth"] == "expiring" })
    gate.advance(milliseconds: 30_000)
    try await bench.withClient { $0.checkAccess() }
    let last = await reader.untilEnded()
    #expect(last.map(\.type) == ["error"])
    #expect(last.first?.json["code"] == "unauthorized")
    #expect(try await bench.statistics().closedExpired == 1)
  }

  @Test("a wallet that the token does not grant is not followed")
  func forbidden() async throws {
    let gate = Gatekeeper()
    let bench = try await PushBench(gate: gate)
    let wallet = try await bench.heldWallet(1)
    try gate.issue("good", wallets: [PushBench.wallet(2)])
    let events = await (try await bench.reader(wallet)).untilEnded()
    #expect(events.map(\.type) == ["hello", "ok"])
    #expect(events.last?.json.list("failed").first?["code"] == "forbidden")
  }

  @Test("draining: how long to wait, as a field and as a frame, then the end; nobody new is taken")
  func drain() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let reader = try await bench.reader(wallet)
    _ = try await reader.events(through: "heartbeat")
    let shard = bench.shards[0]
    try await shard.loop.perform { shard.drain(window: .seconds(3), random: { 4_172 }) }
    guard case .retry(1_222) = await reader.item() else { throw TestClient.Unexpected(description: "retry") }
    let events = await reader.untilEnded()
    #expect(events.map { "\($0.json)" } == [#"{"type":"reconnect","reason":"drain","retry_ms":1222}"#])
    let late = await (try await bench.reader(wallet)).untilEnded()
    #expect(late.map(\.type) == ["hello", "reconnect"])
  }

  @Test("silence is broken: by heartbeats with ids, and by comments where none may stand")
  func silence() async throws {
    let bench = try await PushBench { $0.pingInterval = .milliseconds(30) }
    let wallet = try await bench.heldWallet(1)
    let reader = try await bench.reader(wallet)
    _ = try await reader.events(through: "heartbeat")
    for _ in 0..<3 {
      let event = try await reader.events(through: "heartbeat").last
      #expect(event?.id == "\(epoch):\(await bench.ledger.revision)")
    }
    // Nobody has asked it anything: it does not wait for a pong.
    #expect(try await bench.statistics().closedNoPong == 0)
    try await bench.withClient { client in
      client.mode = .lagging
      client.checkLiveness(now: client.nextPing)
      client.mode = .live
    }
    var sawComment = false
    while !sawComment {
      switch await reader.item() {
      case .comment: sawComment = true
      case .ended, nil: throw TestClient.Unexpected(description: "the end")
      case .event, .retry: continue
      }
    }
  }

  @Test("bytes behind the request are not kept; far too many of them end the stream")
  func chatter() async throws {
    let bench = try await PushBench { settings in
      settings.excess = 3
      settings.operationsPerSecond = 0.001
    }
    let wallet = try await bench.heldWallet(1)
    let reader = try await bench.reader(wallet)
    _ = try await reader.events(through: "heartbeat")
    // Several writes may be read as one.
    while try await bench.statistics().closedAbuse == 0 {
      reader.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
      try await bench.flush()
    }
    _ = await reader.untilEnded()
    #expect(try await bench.statistics().closedAbuse == 1)
  }

  @Test("the reader goes: nobody is watched any more")
  func gone() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let reader = try await bench.reader(wallet)
    _ = try await reader.events(through: "heartbeat")
    #expect(await bench.ledger.watchedWalletCount == 1)
    reader.drop()
    while await bench.ledger.watchedWalletCount > 0 { await Task.yield() }
    #expect(try await bench.statistics().closed == 1)
  }
}

@Suite("Frames as events")
struct EventFrameTests {
  @Test("built once for each frame and each way, in order, with the ids of the frames")
  func chunk() throws {
    var chunk = Chunk()
    for revision in 1...3 {
      _ = chunk.append(
        WebSocketFrame.text("{\"type\":\"price\",\"rev\":\(revision)}"), revision: Revision(revision))
    }
    let one = "event: price\nid: k3f9:1\ndata: {\"type\":\"price\",\"rev\":1}\n\n"
    let three = "event: price\nid: k3f9:3\ndata: {\"type\":\"price\",\"rev\":3}\n\n"
    #expect(String(decoding: chunk.events(for: 0b001, epoch: "k3f9"), as: UTF8.self) == one)
    let both = chunk.events(for: 0b101, epoch: "k3f9")
    #expect(String(decoding: both, as: UTF8.self) == one + three)
    let again = chunk.events(for: 0b101, epoch: "k3f9")
    #expect(both.withUnsafeBytes { $0.baseAddress } == again.withUnsafeBytes { $0.baseAddress })
    #expect(
      String(decoding: chunk.events(for: 0b010, epoch: nil), as: UTF8.self)
        == "event: price\ndata: {\"type\":\"price\",\"rev\":2}\n\n")
    chunk.removeAll()
    _ = chunk.append(WebSocketFrame.text("{\"type\":\"token\"}"), revision: 9)
    #expect(
      String(decoding: chunk.events(for: 0b001, epoch: "k3f9"), as: UTF8.self)
        == "event: token\nid: k3f9:9\ndata: {\"type\":\"token\"}\n\n")
  }

  @Test(
    "the type of a frame",
    arguments: [
      ("{\"type\":\"heartbeat\",\"rev\":1}", "heartbeat"), ("{\"type\":\"x\"}", "x"), ("{}", ""), ("", ""),
      ("{\"rev\":1}", ""),
    ])
  func type(_ json: String, _ type: String) {
    let long = String(repeating: " ", count: 70_000)
    for text in [json, json + long] {
      let found = ServerSentEventEncoder.frameType(of: WebSocketFrame.text(text))
      #expect(String(decoding: found, as: UTF8.self) == type)
    }
  }
}
