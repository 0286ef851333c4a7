import Ethereum
import EventLoop
import JSON
import Ledger
import Synchronization
import Testing

@testable import Push

@Suite("Requests that wait for a change", .timeLimit(.minutes(10)))
struct PollTests {
  /// Stands for an HTTP connection: keeps the poll, and gives it up when its client goes.
  private final class Asker: ConnectionHandler, @unchecked Sendable {
    var poll: LongPoll?
    var connection: Connection?
    let answers = AsyncStream<ChangesDocument>.makeStream()
    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {}
    func inputEnded(on connection: Connection) {}
    func closed(_ connection: Connection, reason: CloseReason) { poll?.abandon() }
  }

  private struct Polling {
    let bench: PushBench
    let asker: Asker
    let client: TestClient
    let key: WalletKey

    /// A poll takes the place of the client on a connection that is there already.
    init(_ bench: PushBench, _ wallet: String, since revision: Revision, wait: Duration = .seconds(3_600))
      async throws
    {
      self.bench = bench
      client = try await bench.client()
      _ = try await client.message("hello")
      let asker = Asker()
      self.asker = asker
      key = try WalletKey(parsing: wallet)
      let shard = bench.shards[0]
      try await shard.loop.perform {
        let place = shard.clients.all.first { $0 is WebSocketClient }
        guard let place else { throw TestClient.Unexpected(description: "no client") }
        place.leave()
        place.isClosed = true
        place.connection.handler = asker
        asker.connection = place.connection
      }
      try await ask(since: revision, wait: wait)
    }

    /// The ledger has told what it watches: what changes from here on is news.
    func isWaiting() async throws {
      let shard = bench.shards[0]
      while true {
        let isWaiting = try await shard.loop.perform {
          shard.clients.all.contains { $0 is PollClient && !$0.isWaiting && !$0.wallets.isEmpty }
        }
        if isWaiting { return }
        await Task.yield()
      }
    }

    /// On the same connection again.
    func ask(since revision: Revision, wait: Duration) async throws {
      let (shard, asker, key) = (bench.shards[0], asker, key)
      try await shard.loop.perform {
        guard let connection = asker.connection else { return }
        asker.poll = shard.poll(
          on: connection, wallet: key, since: ResumePoint(epoch: PushBench.epoch, revision: revision),
          wait: wait, authority: Authority(wallets: nil, expiresAt: .max)
        ) { asker.answers.continuation.yield($0) }
      }
    }

    func answer() async throws -> (revision: Revision, frames: [JSONValue]) {
      var iterator = asker.answers.stream.makeAsyncIterator()
      guard let document = await iterator.next(isolation: nil) else {
        throw TestClient.Unexpected(description: "no answer")
      }
      let json = try JSONParser.parse(document.json, limits: JSONLimits(depth: 16, numberBytes: 100))
      #expect(json.text("epoch") == PushBench.epoch)
      return (try #require(json.rev), json.list("changes"))
    }
  }

  @Test("a change wakes it; it has what changed above its revision, as it is then")
  func wakes() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 3)
    let since = await bench.ledger.revision
    let polling = try await Polling(bench, wallet, since: since)
    try await polling.isWaiting()
    // One turn of several batches: what changed twice is told once.
    try await bench.whileHeld {
      try await bench.price([(1, 100), (2, 100)])
      try await bench.price([(1, 200)])
      try await bench.read(wallet, native: 5, [(1, 5_000_000), (2, 5_000_000), (3, 7)])
    }
    let (revision, frames) = try await polling.answer()
    #expect(revision == (await bench.ledger.revision))
    #expect(frames.map(\.type) == ["price", "price", "token", "token"])
    #expect(frames.compactMap(\.rev) == frames.compactMap(\.rev).sorted())
    #expect(frames[1].text("price_usd") == "2.0")
    #expect(try await bench.statistics().pollsOpened == 1)
    while await bench.ledger.watchedWalletCount > 0 { await Task.yield() }
  }

  @Test("what came between the look and the wait is not missed")
  func between() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 3)
    let since = await bench.ledger.revision
    try await bench.price([(1, 100)])
    let (revision, frames) = try await Polling(bench, wallet, since: since).answer()
    #expect(revision == since + 1)
    #expect(frames.map(\.type) == ["price"])
  }

  @Test("nothing comes: an empty answer with the same revision")
  func timesOut() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let since = await bench.ledger.revision
    let polling = try await Polling(bench, wallet, since: since, wait: .milliseconds(50))
    try await bench.read(PushBench.wallet(2))
    let (revision, frames) = try await polling.answer()
    #expect(revision == since && frames.isEmpty)
    #expect(try await bench.statistics().pollsTimedOut == 1)
    #expect(try await bench.statistics().pollsAbandoned == 0)
  }

  @Test("a wallet that was never read: its snapshot is news once it says something else")
  func loading() async throws {
    let bench = try await PushBench()
    let wallet = PushBench.wallet(1)
    let client = try await bench.client(wallets: [wallet])
    _ = try await client.messages(through: "heartbeat")
    client.drop()
    while !(try await bench.isEmpty()) { await Task.yield() }
    let since = await bench.ledger.revision
    let early = try await Polling(bench, wallet, since: since, wait: .milliseconds(50))
    let (_, first) = try await early.answer()
    #expect(first.map(\.type) == ["snapshot"] && first[0].text("state") == "loading")
    early.client.drop()
    while !(try await bench.isEmpty()) { await Task.yield() }
    let polling = try await Polling(bench, wallet, since: since)
    try await polling.isWaiting()
    try await bench.read(wallet, native: 3)
    let (revision, frames) = try await polling.answer()
    #expect(frames.map(\.type) == ["snapshot"] && frames[0].text("state") == "fresh")
    #expect(revision == (await bench.ledger.revision))
  }

  @Test("a snapshot that comes in parts comes whole")
  func parts() async throws {
    let bench = try await PushBench()
    let wallet = PushBench.wallet(1)
    var held: [(TokenID, UInt64)] = []
    for number in 0..<600 { held.append((try await bench.addToken(number), 5)) }
    // That it is being read is no news any more.
    await bench.ledger.visit(try await bench.register(wallet))
    let polling = try await Polling(bench, wallet, since: await bench.ledger.revision)
    try await bench.read(wallet, held)
    let (_, frames) = try await polling.answer()
    #expect(frames.count > 1 && frames.allSatisfy { $0.type == "snapshot" })
    #expect(frames.flatMap { $0.list("tokens") }.count == 601)
  }

  @Test("its wallet is deleted: it is told at once")
  func deleted() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let polling = try await Polling(bench, wallet, since: await bench.ledger.revision)
    try await polling.isWaiting()
    _ = try await bench.ledger.delete(1)
    let (_, frames) = try await polling.answer()
    #expect(frames.map(\.type) == ["status"] && frames[0].text("state") == "deleted")
  }

  @Test("whoever leaves is not waited with")
  func abandoned() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let polling = try await Polling(bench, wallet, since: await bench.ledger.revision)
    try await polling.isWaiting()
    #expect(await bench.ledger.watchedWalletCount == 1)
    polling.client.drop()
    while await bench.ledger.watchedWalletCount > 0 { await Task.yield() }
    #expect(try await bench.statistics().pollsAbandoned == 1)
    #expect(try await bench.isEmpty())
  }

  @Test("draining: an answer with what there is, and nobody new waits")
  func drain() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 2)
    let since = await bench.ledger.revision
    let polling = try await Polling(bench, wallet, since: since)
    let shard = bench.shards[0]
    try await polling.isWaiting()
    try await shard.loop.perform { shard.drain(window: .seconds(3), random: { 1 }) }
    let (revision, frames) = try await polling.answer()
    #expect(revision == since && frames.isEmpty)
    #expect(try await bench.statistics().pollsTimedOut == 0)
  }

  @Test("draining in the turn of a change: what there is is that change")
  func drainWithChange() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 2)
    let polling = try await Polling(bench, wallet, since: await bench.ledger.revision)
    let shard = bench.shards[0]
    try await polling.isWaiting()
    try await bench.whileHeld {
      try await bench.price([(1, 100)])
      shard.loop.post { shard.drain(window: .seconds(3), random: { 1 }) }
    }
    let (revision, frames) = try await polling.answer()
    #expect(frames.map(\.type) == ["price"])
    #expect(revision == (await bench.ledger.revision))
  }

  @Test("a chain of polls misses nothing while values move")
  func chain() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 20)
    var model = Model()
    model.take(try await bench.snapshot(wallet))
    var since = await bench.ledger.revision
    let mover = Task {
      for round in 1...60 {
        try await bench.price((1...20).filter { $0 % 7 != round % 7 }.map { (TokenID($0), round * 100 + $0) })
        if round % 10 == 0 { try await bench.read(wallet, native: UInt64(round)) }
        for _ in 0..<5 { await Task.yield() }
      }
      return await bench.ledger.revision
    }
    let polling = try await Polling(bench, wallet, since: since, wait: .milliseconds(200))
    var answer = try await polling.answer()
    var end: Revision?
    repeat {
      // Repeats are allowed within a poll's answer, so nothing is asked of the order between answers.
      model.resumed()
      for frame in answer.frames { model.take(frame) }
      #expect(answer.revision >= since)
      since = answer.revision
      if let end, since >= end { break }
      if answer.frames.isEmpty { end = try await mover.value }
      try await polling.ask(since: since, wait: .milliseconds(200))
      answer = try await polling.answer()
    } while true
    let snapshot = try await bench.snapshot(wallet)
    #expect(model.differences(from: snapshot, wallet: wallet) == [])
  }
}
