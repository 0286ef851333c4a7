import JSON
import Ledger
import Testing
import WebSocket

@testable import Push

@Suite("batch: the data frames of a turn in one message")
struct BatchTests {
  private func follower(_ bench: PushBench, _ wallet: String, batch: Bool = true) async throws -> TestClient {
    let client = try await bench.greeted()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"batch\":\(batch)}")
    while try await client.message().type != "heartbeat" {}
    return client
  }

  private func price(_ bench: PushBench, _ tokens: ClosedRange<Int>, cents: Int) async throws {
    try await bench.price(tokens.map { (TokenID($0), cents + $0) })
  }

  private func revisions(_ batch: JSONValue) -> [UInt64] { batch.list("frames").compactMap(\.rev) }

  @Test("replies and snapshots stay apart")
  func repliesStayApart() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 50)
    let client = try await bench.greeted()
    client.send("{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\"],\"batch\":true}")
    #expect(try await client.messages(through: "heartbeat").map(\.type) == ["ok", "snapshot", "heartbeat"])
    try await price(bench, 1...50, cents: 0)
    let batch = try await client.message("batch")
    #expect(batch.list("frames").count == 50)
    #expect(revisions(batch) == revisions(batch).sorted())
    client.send("{\"op\":\"set\",\"batch\":false}")
    _ = try await client.message("ok")
    try await bench.price([(1, 700)])
    _ = try await client.message("price")
  }

  /// More than one chunk, for clients with different parts in each.
  @Test("a turn of two hundred changes is one message, for whoever has part in it")
  func longTurn() async throws {
    let bench = try await PushBench()
    let whole = try await bench.heldWallet(1, tokens: 200)
    let first = try await bench.heldWallet(2, tokens: 10)
    let last = PushBench.wallet(3)
    try await bench.read(last, [(TokenID(70), 1), (TokenID(190), 1)])
    let clients = [
      try await follower(bench, whole), try await follower(bench, first), try await follower(bench, last),
      try await follower(bench, whole),
    ]
    let plain = try await follower(bench, whole, batch: false)
    for round in 1...3 {
      try await price(bench, 1...200, cents: round * 1_000)
      let newest = await bench.ledger.revision
      var counts: [Int] = []
      for client in clients {
        let batch = try await client.message("batch")
        counts.append(batch.list("frames").count)
        #expect(revisions(batch) == revisions(batch).sorted())
      }
      #expect(counts == [200, 10, 2, 200])
      while try await plain.message("price").rev != newest {}
    }
    // Nothing else came: the next message is the answer.
    for client in clients {
      client.send("{\"op\":\"ping\"}")
      _ = try await client.message("pong")
    }
  }

  @Test("messages of a long turn are full, and none is over 64 KiB")
  func severalMessages() async throws {
    let bench = try await PushBench { $0.unsentBytes = 1 << 20 }
    let wallet = try await bench.heldWallet(1, tokens: 1_500)
    let client = try await follower(bench, wallet)
    try await price(bench, 1...1_500, cents: 0)
    let newest = await bench.ledger.revision
    var found: [UInt64] = []
    var messages = 0
    while found.last != newest {
      let batch = try await client.message("batch")
      messages += 1
      found += revisions(batch)
    }
    #expect(found.count == 1_500)
    #expect(found == found.sorted())
    // About 130 bytes each.
    #expect((3...8).contains(messages), "\(messages)")
  }

  @Test("what is not a change comes after the changes before it, though the turn goes on")
  func statusesComeAfter() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 100)
    let id = try await bench.register(wallet)
    let client = try await follower(bench, wallet)
    try await bench.whileHeld {
      try await price(bench, 1...100, cents: 0)
      _ = try await bench.ledger.delete(id)
    }
    #expect(try await client.message("batch").list("frames").count == 100)
    #expect(try await client.message("status").text("state") == "deleted")
  }

  @Test("clients with one history have one selection, and its messages are built once")
  func selections() {
    var selections = BatchSelections()
    var chunk = Chunk()
    let frames = (0..<3).map { [0x81, 7] + Array("{\"n\":\($0)}".utf8) }
    _ = chunk.append(frames[0], revision: 1)
    _ = chunk.append(frames[1], revision: 2)
    let pool = DeflatePool(.standard)
    let both = selections.select(3, of: chunk, after: nil)
    let one = selections.select(1, of: chunk, after: nil)
    #expect(selections.select(3, of: chunk, after: nil) == both)
    #expect(one != both)
    chunk.removeAll()
    selections.beginChunk()
    _ = chunk.append(frames[2], revision: 3)
    let later = selections.select(1, of: chunk, after: both)
    #expect(selections.select(1, of: chunk, after: one) != later)
    #expect(selections.select(1, of: chunk, after: nil) != one, "another chunk's first frame")
    #expect(selections.select(1, of: chunk, after: both) == later)
    let messages = selections.messages(later, windowBits: nil, pool)
    #expect(
      messages.map { String(decoding: $0.dropFirst(2), as: UTF8.self) } == [
        "{\"type\":\"batch\",\"frames\":[{\"n\":0},{\"n\":1},{\"n\":2}]}"
      ])
    let again = selections.messages(later, windowBits: nil, pool)
    #expect(
      messages[0].withUnsafeBytes { a in
        again[0].withUnsafeBytes { b in a.baseAddress == b.baseAddress }
      })
    selections.removeAll()
    #expect(selections.select(1, of: chunk, after: nil) == 0)
  }
}
