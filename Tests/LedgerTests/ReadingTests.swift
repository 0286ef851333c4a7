import Ethereum
import Testing

@testable import Ledger

@Suite("Accepting reads of wallets")
struct ReadingTests {
  @Test("the first read ends with one full snapshot and no rows; never held tokens have no row")
  func firstRead() async throws {
    let bench = try await Bench()
    let reply = try await bench.watch([Bench.eth])
    #expect(reply.firstCells?.state == .loading)
    #expect(reply.firstCells?.rows.isEmpty == true)
    try await bench.read(block: 10, [(bench.native, "0"), (bench.usdc, "25"), (bench.spam, "0")])
    let batches = bench.recorder.takeBatches()
    try #require(batches.count == 1)
    #expect(batches[0].snapshots == [1])
    #expect(batches[0].changes.isEmpty)
    #expect(batches[0].tokens.map(\.token.id) == [bench.native, bench.usdc])
    #expect(batches[0].wallets.first?.rows.map(\.token) == [bench.native, bench.usdc])
    #expect(try await bench.cells().state == .fresh)
  }

  @Test("later reads make frames of what changed alone")
  func deltas() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.read(block: 11, [(bench.native, "1230000000000000000"), (bench.usdc, "26000000")])
    #expect(
      bench.recorder.takeFrames() == [
        "{\"type\":\"balance\",\"wallet\":\"\(Bench.eth)\",\"token\":\"\(Bench.usdc)\",\"balance\":\"26000000\","
          + "\"balance_state\":\"fresh\",\"block\":11,\"rev\":\(await bench.ledger.revision)}"
      ])
    // The same again: the block is known to loops, but makes no frame and no revision.
    let revision = await bench.ledger.revision
    try await bench.read(block: 12, [(bench.native, "1230000000000000000"), (bench.usdc, "26000000")])
    let batches = bench.recorder.takeBatches()
    #expect(batches.flatMap(\.changes).isEmpty)
    #expect(batches.flatMap(\.wallets).map(\.block) == [12])
    #expect(await bench.ledger.revision == revision)
  }

  @Test("a token that comes to be held is a new row; sold, it stays with zero")
  func rowsComeAndStay() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.read(block: 11, [(bench.native, "1230000000000000000"), (bench.spam, "7")])
    let frames = bench.recorder.takeFrames()
    #expect(frames.count == 1)
    #expect(frames.first?.hasPrefix("{\"type\":\"token\",\"wallet\":\"\(Bench.eth)\",\"block\":11,") == true)
    #expect(member("listed", frames[0]) == "false")
    // A price has been asked for: no round has come back yet.
    #expect(member("price_state", frames[0]) == "\"loading\"")
    try await bench.read(block: 12, [(bench.native, "1230000000000000000"), (bench.spam, "0")])
    #expect(bench.recorder.takeFrames().map { member("balance", $0) } == ["\"0\""])
    #expect(try await bench.cells().rows.map(\.token) == [bench.native, bench.usdc, bench.spam])
  }

  @Test("a failed token is stale if it was ever held, and nothing if not; the native coin is unknown")
  func failedTokens() async throws {
    let bench = try await Bench()
    try await bench.watch([Bench.eth])
    try await bench.read(block: 10, [(bench.native, nil), (bench.usdc, "25"), (bench.spam, nil)])
    var cells = try await bench.cells()
    #expect(cells.rows.map(\.state) == [.unknown, .fresh])
    #expect(cells.rows.map(\.isKnown) == [false, true])
    #expect(cells.state == .unknown)
    _ = bench.recorder.takeBatches()
    try await bench.read(block: 11, [(bench.native, "5"), (bench.usdc, nil), (bench.spam, nil)])
    cells = try await bench.cells()
    #expect(cells.rows.map(\.state) == [.fresh, .stale])
    #expect(cells.rows[1].balance == 25)
    let frames = bench.recorder.takeFrames()
    #expect(frames.map { member("balance_state", $0) } == ["\"fresh\"", "\"stale\""])
    #expect(frames.map { member("balance", $0) } == ["\"5\"", "\"25\""])
    // A stale row shows the block at which it was read.
    #expect(frames.map { member("block", $0) } == ["11", "10"])
    try await bench.read(block: 12, [(bench.native, "5"), (bench.usdc, nil)])
    #expect(bench.recorder.takeFrames().isEmpty)
    try await bench.read(block: 13, [(bench.native, "5"), (bench.usdc, "25")])
    #expect(bench.recorder.takeFrames().map { member("balance_state", $0) } == ["\"fresh\""])
  }

  @Test("an older block is dropped whole; the same block is not older")
  func olderBlock() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    let revision = await bench.ledger.revision
    #expect(try await bench.read(block: 9, [(bench.native, "1")]) == .outdated(heldBlock: 10))
    #expect(await bench.ledger.revision == revision)
    #expect(bench.recorder.takeBatches().isEmpty)
    #expect(try await bench.read(block: 10, [(bench.native, "1")]) == .accepted)
    #expect(try await bench.read(99, block: 11, [(bench.native, "1")]) == .unknownWallet)
  }

  @Test("a read that failed altogether: rows turn stale, once")
  func failure() async throws {
    let bench = try await Bench()
    let wallet = try await bench.watchedWallet()
    await bench.ledger.acceptFailure(of: wallet)
    #expect(bench.recorder.takeFrames().map { member("balance_state", $0) } == ["\"stale\"", "\"stale\""])
    await bench.ledger.acceptFailure(of: wallet)
    #expect(bench.recorder.takeBatches().isEmpty)
    await bench.ledger.acceptFailure(of: 99)
  }

  @Test("a first read that failed: unknown, with a snapshot; the first success sends a full one")
  func firstFailure() async throws {
    let bench = try await Bench()
    try await bench.watch([Bench.eth])
    let loading = try #require(await bench.ledger.snapshot(of: 1)).contentRevision
    await bench.ledger.acceptFailure(of: 1)
    var batches = bench.recorder.takeBatches()
    #expect(batches.map(\.snapshots) == [[1]])
    #expect(batches.first?.wallets.first?.state == .unknown)
    #expect(
      try await bench.snapshot().contains(
        "\"state\":\"unknown\",\"block\":null,\"as_of\":null,\"tokens\":[],"))
    // What an ETag is made of has changed with the state.
    #expect(try #require(await bench.ledger.snapshot(of: 1)).contentRevision > loading)
    await bench.ledger.acceptFailure(of: 1)
    #expect(bench.recorder.takeBatches().isEmpty)
    try await bench.read(block: 10, [(bench.native, "1")])
    batches = bench.recorder.takeBatches()
    #expect(batches.map(\.snapshots) == [[1]])
    #expect(batches.flatMap(\.changes).isEmpty)
  }

  @Test("a wallet holds so many rows and no more; those it has are still read")
  func rowLimit() async throws {
    let bench = try await Bench(tokensPerWallet: 2)
    _ = try await bench.watchedWallet()
    let revision = await bench.ledger.revision
    try await bench.read(
      block: 11, [(bench.native, "1230000000000000000"), (bench.spam, "7"), (bench.usdc, "1")])
    #expect(try await bench.cells().rows.map(\.token) == [bench.native, bench.usdc])
    #expect(try await bench.cells().rows[1].balance == 1)
    #expect(await bench.ledger.revision == revision + 1)
  }

  @Test("a token named twice in one reading is believed once, and its row comes whole")
  func namedTwice() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.read(
      block: 11,
      [(bench.native, "1"), (bench.spam, "7"), (bench.spam, "8"), (bench.usdc, "3"), (bench.usdc, "4")])
    let batch = try #require(bench.recorder.takeBatches().first)
    #expect(batch.changes.count == 3)
    #expect(batch.tokens.map(\.token.id) == [bench.spam])
    #expect(try await bench.cells().rows.map(\.balance) == [1, 3, 7])
  }

  @Test("nobody watches: nothing is published, but it is kept and written")
  func unwatched() async throws {
    let bench = try await Bench()
    _ = await bench.ledger.register([try WalletKey(parsing: Bench.eth)])
    try await bench.read(block: 10, [(bench.native, "1"), (bench.usdc, "2")])
    #expect(bench.recorder.takeBatches().isEmpty)
    #expect(await bench.ledger.takeDirty().wallets.map(\.id) == [1])
    let reply = try await bench.watch([Bench.eth])
    #expect(reply.firstCells?.rows.count == 2)
    #expect(reply.rowTokens.map(\.token.id) == [bench.native, bench.usdc])
  }

  @Test("a token nobody holds any more is not said to be loading: no round asks for it")
  func soldIsNotLoading() async throws {
    let bench = try await Bench()
    _ = await bench.ledger.register([try WalletKey(parsing: Bench.eth)])
    try await bench.read(block: 10, [(bench.native, "1"), (bench.usdc, "2")])
    try await bench.read(block: 11, [(bench.native, "1"), (bench.usdc, "0")])
    let reply = try await bench.watch([Bench.eth])
    #expect(reply.rowTokens.map(\.state) == [.loading, .unknown])
    try await bench.read(block: 12, [(bench.native, "1"), (bench.usdc, "3")])
    #expect(await bench.ledger.priceCell(bench.usdc).state == .loading)
  }
}

@Suite("Staleness")
struct StalenessTests {
  @Test("watched rows and prices turn stale after their time, and not before")
  func sweep() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.price(bench.usdc, "1")
    _ = bench.recorder.takeBatches()
    bench.clock.advance(by: 60_000)
    await bench.ledger.sweep()
    #expect(bench.recorder.takeBatches().isEmpty)
    bench.clock.advance(by: 1)
    await bench.ledger.sweep()
    #expect(bench.recorder.takeFrames().map { member("price_state", $0) } == ["\"stale\""])
    bench.clock.advance(by: 240_000)
    await bench.ledger.sweep()
    let frames = bench.recorder.takeFrames()
    #expect(frames.map { member("balance_state", $0) } == ["\"stale\"", "\"stale\""])
    await bench.ledger.sweep()
    #expect(bench.recorder.takeBatches().isEmpty)
  }

  @Test("a price that is confirmed without a change stays fresh")
  func confirmed() async throws {
    let bench = try await Bench()
    try await bench.price(bench.usdc, "1")
    bench.clock.advance(by: 50_000)
    try await bench.price(bench.usdc, "1")
    bench.clock.advance(by: 50_000)
    await bench.ledger.sweep()
    #expect(await bench.ledger.priceCell(bench.usdc).state == .fresh)
  }

  @Test("a wallet nobody watches is looked at when somebody asks")
  func onDemand() async throws {
    let bench = try await Bench()
    _ = await bench.ledger.register([try WalletKey(parsing: Bench.eth)])
    try await bench.read(block: 10, [(bench.native, "1")])
    bench.clock.advance(by: 300_001)
    await bench.ledger.sweep()
    #expect(try await bench.cells().state == .fresh)
    #expect(try await bench.snapshot().contains("\"state\":\"stale\""))
    #expect(try await bench.watch([Bench.eth]).firstCells?.state == .stale)
  }
}
