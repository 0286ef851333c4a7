import Ledger
import JSON
import Testing

@testable import Push

@Suite("Resuming, over sockets")
struct ResumeTests {
  private func resume(_ client: TestClient, _ wallet: String, _ since: String) async throws -> [JSONValue] {
    client.send("{\"op\":\"subscribe\",\"id\":1,\"wallets\":[\"\(wallet)\"],\"since\":\"\(since)\"}")
    return try await client.messages(through: "heartbeat")
  }

  @Test("what changed since, and as many frames as it says; foreign and future points are not resumed")
  func points() async throws {
    let bench = try await PushBench(shards: 2)
    let wallet = try await bench.heldWallet(1, tokens: 3)
    let since = await bench.ledger.revision
    try await bench.price([(1, 100), (2, 100)])
    try await bench.price([(1, 200)])
    try await bench.read(wallet, native: 5, [(1, 5_000_000), (2, 5_000_000), (3, 7)])
    let newest = await bench.ledger.revision
    for shard in 0...1 {
      let client = try await bench.greeted(shard)
      let messages = try await resume(client, wallet, "k3f9:\(since)")
      #expect(messages[0]["resumed"]?.bool == true)
      #expect(messages[0]["changed"]?.int == 4)
      #expect(messages.map(\.type) == ["ok", "price", "price", "token", "token", "heartbeat"])
      let revisions = messages.dropFirst().compactMap(\.rev)
      #expect(revisions == revisions.sorted())
      #expect(messages.last?.rev == newest)
      let same = try await resume(client, wallet, "k3f9:\(newest)")
      #expect(same.map(\.type) == ["ok", "heartbeat"])
      #expect(same[0]["changed"]?.int == 0)
      for point in ["zzzz:\(since)", "k3f9:\(newest + 1)", "what"] {
        let messages = try await resume(client, wallet, point)
        #expect(messages[0]["resumed"]?.bool == false)
        #expect(messages[0]["changed"] == nil)
        #expect(messages.map(\.type) == ["ok", "snapshot", "heartbeat"])
      }
    }
  }

  @Test("a revision above this loop's but not above the ledger's is resumed")
  func aboveTheLoop() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let client = try await bench.client(wallets: [wallet])
    _ = try await client.messages(through: "heartbeat")
    // Nobody watches it: the loop hears nothing of these revisions.
    try await bench.read(PushBench.wallet(2))
    let newest = await bench.ledger.revision
    let messages = try await resume(client, wallet, "k3f9:\(newest)")
    #expect(messages[0]["resumed"]?.bool == true)
    #expect(messages.last?.rev == newest)
  }

  @Test("a row that was inserted since goes whole, though its balance has changed again")
  func insertedRow() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 1)
    let added = try await bench.addToken(7)
    let since = await bench.ledger.revision
    try await bench.read(wallet, [(added, 1)])
    try await bench.read(wallet, [(added, 2)])
    let messages = try await resume(try await bench.greeted(), wallet, "k3f9:\(since)")
    #expect(messages.map(\.type) == ["ok", "token", "heartbeat"])
    #expect(messages[1].text("balance") == "2")
    #expect(messages[1].text("symbol") == "T7")
  }

  @Test("a row that was inserted before goes whole too: the client may have left before it was told")
  func rowInsertedBefore() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1, tokens: 1)
    let added = try await bench.addToken(7)
    try await bench.read(wallet, [(added, 1)])
    let since = await bench.ledger.revision
    try await bench.read(wallet, [(added, 2)])
    let messages = try await resume(try await bench.greeted(), wallet, "k3f9:\(since)")
    #expect(messages.map(\.type) == ["ok", "token", "heartbeat"])
    #expect(messages[1].text("symbol") == "T7")
  }

  @Test("a wallet registered again since, or never read, gets its snapshot; the others their changes")
  func registeredAgain() async throws {
    let bench = try await PushBench()
    let wallet = try await bench.heldWallet(1)
    let gone = try await bench.heldWallet(2)
    let since = await bench.ledger.revision
    _ = try await bench.ledger.delete(2)
    try await bench.read(gone, native: 3)
    try await bench.price([(0, 100)])
    let client = try await bench.greeted()
    client.send(
      "{\"op\":\"subscribe\",\"wallets\":[\"\(wallet)\",\"\(gone)\",\"\(PushBench.wallet(3))\"],\"since\":\"k3f9:\(since)\"}"
    )
    let messages = try await client.messages(through: "heartbeat")
    #expect(messages.map(\.type) == ["ok", "snapshot", "snapshot", "price", "heartbeat"])
    #expect(messages[0]["changed"]?.int == 1)
    #expect(messages[1].text("wallet") == gone)
    #expect(messages[2].text("state") == "loading")
  }

  @Test("tokens resume too")
  func tokens() async throws {
    let bench = try await PushBench()
    _ = try await bench.heldWallet(1, tokens: 3)
    try await bench.price([(1, 100), (2, 100)])
    let since = await bench.ledger.revision
    try await bench.price([(2, 300)])
    let client = try await bench.greeted()
    let keys = (0..<3).map { "\"\(PushBench.token($0))\"" }.joined(separator: ",")
    client.send("{\"op\":\"subscribe\",\"tokens\":[\(keys)],\"since\":\"k3f9:\(since)\"}")
    let messages = try await client.messages(through: "heartbeat")
    #expect(messages.map(\.type) == ["ok", "price", "heartbeat"])
    #expect(messages[1].text("price_usd") == "3.0")
  }
}
