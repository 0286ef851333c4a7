import EventLoop
import JSON
import Ledger
import Testing
import WebSocket

@testable import Push

@Suite("permessage-deflate: what is shared is compressed once")
struct CompressionTests {
  private func deflateStatistics(_ bench: PushBench) async throws -> DeflateStatistics {
    let shard = bench.shards[0]
    return try await shard.loop.perform { shard.deflateStatistics }
  }

  /// Subscribed to the wallet, with its snapshot in the model.
  private func follower(
    _ bench: PushBench, _ wallet: String, _ deflate: Deflate, batch: Bool, _ model: inout Model
  ) async throws -> TestClient {
    let client = try await bench.greeted(deflate: deflate)
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"batch\":\(batch)}")
    for frame in try await client.messages(through: "heartbeat") { model.take(frame) }
    return client
  }

  /// Takes frames until the newest price is there.
  private func follow(_ client: TestClient, to revision: UInt64, _ model: inout Model) async throws -> Int {
    var messages = 0
    var last: UInt64 = 0
    while last < revision {
      let frame = try await client.message()
      messages += 1
      model.take(frame)
      last = max(last, frame.rev ?? frame.list("frames").compactMap(\.rev).max() ?? 0)
    }
    return messages
  }

  /// Clients of each kind get the same, in each way: single frames, and batches.
  @Test(arguments: [Deflate.none, .shared, .own], [false, true])
  func everybodyHasTheNewestValues(_ deflate: Deflate, _ batch: Bool) async throws {
    // Also the frames of single prices are compressed.
    let bench = try await PushBench { $0.compression.minimumBytes = 100 }
    let wallet = try await bench.heldWallet(1, tokens: 40)
    var model = Model()
    let client = try await follower(bench, wallet, deflate, batch: batch, &model)
    for round in 1...5 {
      try await bench.price((1...40).map { (TokenID($0), round * 1_000 + $0) })
      _ = try await follow(client, to: await bench.ledger.revision, &model)
    }
    #expect(model.differences(from: try await bench.snapshot(wallet), wallet: wallet).isEmpty)
    let statistics = try await deflateStatistics(bench)
    #expect((statistics.compressedMessages > 0) == (deflate != .none))
    #expect((statistics.inflatedMessages > 0) == (deflate != .none))
    // A price alone has little to repeat.
    #expect(statistics.compressedBytesOut * 3 <= statistics.compressedBytesIn * 2)
  }

  @Test(arguments: [40, 200]) func aBatchIsCompressedOnceForAll(tokens: Int) async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: tokens)
    var models = [Model](repeating: Model(), count: 4)
    var clients: [TestClient] = []
    for index in 0..<4 {
      clients.append(
        try await follower(bench, wallet, index == 3 ? .none : .shared, batch: true, &models[index]))
    }
    let before = try await deflateStatistics(bench)
    try await bench.whileHeld { try await bench.price((1...tokens).map { (TokenID($0), 5_000 + $0) }) }
    let revision = await bench.ledger.revision
    for index in 0..<4 {
      let messages = try await follow(clients[index], to: revision, &models[index])
      #expect(messages == 1)
      #expect(
        models[index].differences(from: try await bench.snapshot(wallet), wallet: wallet).isEmpty)
    }
    let after = try await deflateStatistics(bench)
    #expect(after.compressedMessages == before.compressedMessages + 1)
    // Prices in a third of their bytes at most.
    let bytes = after.compressedBytesIn - before.compressedBytesIn
    #expect(bytes > 5_000)
    #expect((after.compressedBytesOut - before.compressedBytesOut) * 3 < bytes)
  }

  @Test func smallFramesAreTheSameBytes() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 2)
    var model = Model()
    let client = try await follower(bench, wallet, .shared, batch: false, &model)
    let before = try await deflateStatistics(bench)
    try await bench.price([(1, 777), (2, 778)])
    _ = try await follow(client, to: await bench.ledger.revision, &model)
    #expect(try await deflateStatistics(bench) == before)
  }

  /// The chunk gives those who share a mask and a window the same array, and plain frames untouched.
  @Test func chunksCacheWhatIsCompressed() {
    let pool = DeflatePool(.standard)
    var chunk = Chunk()
    let short = WebSocketFrame.text("{\"type\":\"price\"}")
    let long = WebSocketFrame.text(String(repeating: "{\"type\":\"token\"}", count: 60))
    let first = chunk.append(short, revision: 1)
    let second = chunk.append(long, revision: 2)
    #expect(chunk.bytes(for: first, windowBits: 12, pool) == short)
    let both = chunk.bytes(for: first | second, windowBits: 12, pool)
    #expect(both == short + WebSocketFrame.compressed(long, windowBits: 12, pool: DeflatePool(.standard)))
    #expect(both.count < long.count)
    #expect(pool.statistics.compressedMessages == 1)
    _ = chunk.bytes(for: first | second, windowBits: 12, pool)
    _ = chunk.bytes(for: second, windowBits: 12, pool)
    #expect(pool.statistics.compressedMessages == 1)
    _ = chunk.bytes(for: second, windowBits: 9, pool)
    #expect(pool.statistics.compressedMessages == 2)
    #expect(chunk.bytes(for: first | second) == short + long)
    chunk.removeAll()
    // Another chunk's frames have the same bits.
    let other = chunk.append(short, revision: 3)
    #expect(chunk.bytes(for: other, windowBits: 12, pool) == short)
  }

  @Test(arguments: [Deflate.shared, .own])
  func bombsAreRefused(_ deflate: Deflate) async throws {
    let bench = try await PushBench()
    let client = try await bench.greeted(deflate: deflate)
    client.send("{\"op\":\"ping\",\"x\":\"" + String(repeating: "a", count: 4 << 20) + "\"}")
    #expect(try await client.closeCode() == 1009)
    #expect(try await deflateStatistics(bench).refusedSize == 1)
    // What inflates to less than the limit is a message like any other.
    let other = try await bench.greeted(deflate: deflate)
    other.send("{\"op\":\"ping\",\"id\":3,\"x\":\"" + String(repeating: "a", count: 60_000) + "\"}")
    #expect(try await other.message("pong")["id"]?.int == 3)
  }
}
