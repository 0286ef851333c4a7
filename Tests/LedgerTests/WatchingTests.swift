import Ethereum
import Testing

@testable import Ledger

@Suite("Registering, watching, deleting")
struct WatchingTests {
  private func keys(_ range: Range<Int>, chain: String = "ETH") throws -> [WalletKey] {
    try range.map {
      try WalletKey(parsing: "\(chain):0x\(String($0 + 0x1000_0000, radix: 16).leftPadded(to: 40))")
    }
  }

  @Test("a new wallet is registered before the answer, and is loading")
  func register() async throws {
    let bench = try await Bench()
    let reply = try await bench.watch([Bench.eth, Bench.second])
    #expect(reply.ticket == 7)
    #expect(reply.epoch == "k3f9")
    #expect(reply.revision == (await bench.ledger.revision))
    #expect(reply.wallets.map { try? $0.result.get().state } == [.loading, .loading])
    #expect(bench.store.ids == [1, 2])
    #expect(
      bench.observer.take() == [
        .wanted(1, isWatched: true), .wanted(2, isWatched: true),
      ])
    // Again, from another loop: nothing is registered, nobody is told.
    try await bench.watch([Bench.eth], shard: 1)
    #expect(bench.store.inserts.count == 1)
    #expect(bench.observer.take().isEmpty)
  }

  @Test("whoever asks first has registered it")
  func isNew() async throws {
    let bench = try await Bench()
    let key = try WalletKey(parsing: Bench.eth)
    let first = await bench.ledger.register([key])
    let second = await bench.ledger.register([key])
    #expect(try first.map { try $0.get().isNew } == [true])
    #expect(try second.map { try $0.get().isNew } == [false])
    #expect(try second.map { try $0.get().id } == [1])
  }

  @Test("registrations that come while one is being stored share the next commit")
  func groupCommit() async throws {
    let bench = try await Bench()
    let ledger = bench.ledger
    let keys = try keys(0..<100)
    let gate = Gate()
    bench.store.gateNextInsert { await gate.pass() }
    let first = try WalletKey(parsing: Bench.eth)
    async let gated = ledger.register([first])
    await gate.entered()
    for key in keys {
      ledger.inbox.post(.watch(WatchRequest(shard: 0, ticket: 1, wallets: [key], tokens: [])))
    }
    gate.open()
    _ = await gated
    await bench.settle()
    #expect(bench.recorder.takeReplies().count == 100)
    #expect(await ledger.walletCount == 101)
    #expect(bench.store.inserts.map(\.count) == [1, 100])
  }

  @Test("a registration that could not be stored fails alone, and works the next time")
  func storeFailure() async throws {
    let bench = try await Bench()
    try await bench.watch([Bench.eth])
    bench.store.setFailing(true)
    let reply = try await bench.watch([Bench.eth, Bench.second])
    #expect((try? reply.wallets[0].result.get())?.id == 1)
    #expect(throws: WatchFailure.notStored) { try reply.wallets[1].result.get() }
    bench.store.setFailing(false)
    let again = try await bench.watch([Bench.second])
    #expect(again.firstCells?.state == .loading)
    #expect(again.firstCells?.id == 3, "numbers are never reused")
  }

  @Test("limits and chains: each wallet and token of a list fails alone")
  func limits() async throws {
    let bench = try await Bench(wallets: 2, tokens: 4)
    let reply = try await bench.watch(
      [
        Bench.eth, "DOGE:0x00000000000000000000000000000000000000a1", Bench.second,
        "BSC" + Bench.eth.dropFirst(3),
      ],
      tokens: [Bench.usdc, "BSC:native", "BSC" + Bench.usdc.dropFirst(3), "DOGE:native"])
    #expect(
      reply.wallets.map { result -> WatchFailure? in
        if case .failure(let failure) = result.result { failure } else { nil }
      } == [nil, .chainUnsupported(try ChainCode(parsing: "DOGE")), nil, .serverFull(limit: 2)])
    #expect(
      reply.tokens.map { result -> WatchFailure? in
        if case .failure(let failure) = result.result { failure } else { nil }
      } == [nil, nil, .serverFull(limit: 4), .chainUnsupported(try ChainCode(parsing: "DOGE"))])
    #expect(await bench.ledger.tokenCount == 4)
  }

  @Test("a wallet is watched until the last loop has let go")
  func unwatch() async throws {
    let bench = try await Bench()
    let wallet = try await bench.watchedWallet()
    try await bench.watch([Bench.eth], shard: 1)
    bench.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallet, 99], tokens: [bench.usdc]))
    await bench.settle()
    #expect(!bench.observer.take().contains(.unwatched(wallet)))
    try await bench.read(block: 11, [(bench.native, "1")])
    #expect(bench.recorder.takeBatches().count == 1)
    bench.ledger.inbox.post(.unwatch(shard: 1, wallets: [wallet], tokens: []))
    await bench.settle()
    #expect(bench.observer.take().contains(.unwatched(wallet)))
    try await bench.read(block: 12, [(bench.native, "2")])
    #expect(bench.recorder.takeBatches().isEmpty)
    #expect(await bench.ledger.watchedWalletCount == 0)
  }

  @Test("once: answered, wanted, not followed")
  func once() async throws {
    let bench = try await Bench()
    let reply = try await bench.watch([Bench.eth], isOnce: true)
    #expect(reply.firstCells?.state == .loading)
    #expect(bench.observer.take() == [.wanted(1, isWatched: false)])
    #expect(await bench.ledger.watchedWalletCount == 0)
    try await bench.read(block: 10, [(bench.native, "1")])
    #expect(bench.recorder.takeBatches().isEmpty)
    await bench.ledger.want(1)
    #expect(bench.observer.take() == [.wanted(1, isWatched: false)])
  }

  @Test("a deleted wallet is gone, its watchers told; its number is not given out again")
  func deletion() async throws {
    let bench = try await Bench()
    let wallet = try await bench.watchedWallet()
    #expect(try await bench.ledger.delete(wallet))
    #expect(bench.recorder.takeBatches().map(\.deleted) == [[wallet]])
    #expect(bench.observer.take() == [.unwatched(wallet)])
    #expect(try await !bench.ledger.delete(wallet))
    #expect(try await bench.read(block: 20, [(bench.native, "1")]) == .unknownWallet)
    #expect(await bench.ledger.takeDirty().wallets.isEmpty)
    let reply = try await bench.watch([Bench.eth])
    #expect(reply.firstCells?.id == 2)
    #expect(reply.firstCells?.rows.isEmpty == true)
    bench.store.setFailing(true)
    await #expect(throws: MemoryStore.Failure.self) { try await bench.ledger.delete(2) }
    #expect(await bench.ledger.walletCount == 1)
  }

  @Test("watched again right behind its deletion, in one turn of the inbox: registered anew")
  func deleteThenWatch() async throws {
    let bench = try await Bench()
    let wallet = try await bench.watchedWallet()
    let key = try WalletKey(parsing: Bench.eth)
    let inbox = bench.ledger.inbox
    // The gate holds the inbox at its first message, so that the rest is taken at once.
    let gate = Gate()
    bench.store.gateNextInsert { await gate.pass() }
    inbox.post(.register([try WalletKey(parsing: Bench.second)]) { _ in })
    await gate.entered()
    inbox.post(.delete(wallet) { _ in })
    inbox.post(.watch(WatchRequest(shard: 0, ticket: 9, wallets: [key], tokens: [])))
    gate.open()
    await bench.settle()
    let reply = try #require(bench.recorder.takeReplies().last)
    #expect(try reply.wallets[0].result.get().id == 3)
  }

  @Test("visibility is stored, then a change of the row")
  func visibility() async throws {
    let bench = try await Bench()
    let wallet = try await bench.watchedWallet()
    let answer = try await bench.ledger.setVisible(false, wallet: wallet, token: bench.usdc)
    #expect(answer?.row.isVisible == false)
    let frames = bench.recorder.takeFrames()
    #expect(frames.count == 1)
    #expect(frames.first?.hasPrefix("{\"type\":\"token\"") == true)
    #expect(member("visible", frames[0]) == "false")
    // The same again is no change.
    _ = try await bench.ledger.setVisible(false, wallet: wallet, token: bench.usdc)
    #expect(bench.recorder.takeFrames().isEmpty)
    #expect(try await bench.ledger.setVisible(false, wallet: wallet, token: bench.spam) == nil)
    #expect(try await bench.ledger.setVisible(false, wallet: 99, token: bench.usdc) == nil)
    bench.store.setFailing(true)
    await #expect(throws: MemoryStore.Failure.self) {
      try await bench.ledger.setVisible(true, wallet: wallet, token: bench.usdc)
    }
    #expect(try await bench.cells().rows[1].isVisible == false)
  }

  @Test("metadata that becomes known is a change of every row that shows it")
  func metadata() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.watch([Bench.second])
    try await bench.read(2, block: 10, [(bench.native, "1"), (bench.usdc, "1")])
    _ = bench.recorder.takeBatches()
    let key = try TokenKey(parsing: Bench.usdc)
    // What a contract says doesn't replace what the list said.
    await bench.ledger.intern(key, info: TokenInfo(symbol: "FAKE", isListed: false))
    #expect(bench.recorder.takeBatches().isEmpty)
    await bench.ledger.applyList([(key, TokenInfo(symbol: "USDC2", isListed: true))])
    let frames = bench.recorder.takeFrames()
    #expect(frames.map { member("symbol", $0) } == ["\"USDC2\"", "\"USDC2\""])
    #expect(frames.map { member("decimals", $0) } == ["6", "6"])
    #expect(Set(frames.map { member("rev", $0) }).count == 2)
    await bench.ledger.applyList([(key, TokenInfo(symbol: "USDC2", isListed: true))])
    #expect(bench.recorder.takeBatches().isEmpty)
  }

  @Test(
    "what no list names any more is unlisted: the coin never is, nor what is missing from a part of the lists"
  )
  func unlisted() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    _ = bench.recorder.takeBatches()
    let spam = try TokenKey(parsing: Bench.spam)
    let chain = spam.chain
    await bench.ledger.applyList([(spam, TokenInfo(symbol: "S", isListed: true))])
    #expect(bench.recorder.takeFrames().isEmpty)
    await bench.ledger.applyList([(spam, TokenInfo(symbol: "S", isListed: true))], whole: chain)
    let frames = bench.recorder.takeFrames()
    #expect(frames.map { member("symbol", $0) } == ["\"USDC\""])
    #expect(frames.map { member("listed", $0) } == ["false"])
    let plan = try #require(await bench.ledger.readPlan(for: 1))
    #expect(plan.tokens.map(\.id).sorted() == [bench.usdc, bench.spam], "a row is read on")
    #expect(try await bench.snapshot().contains("\"token\":\"ETH:native\",\"symbol\":\"ETH\""))
  }

  @Test("a read asks for the listed tokens of the chain and those the wallet has")
  func readPlan() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    #expect(await bench.ledger.readPlan(for: 1)?.tokens.map(\.id) == [bench.usdc])
    try await bench.read(block: 11, [(bench.native, "1"), (bench.spam, "1")])
    let plan = try #require(await bench.ledger.readPlan(for: 1))
    #expect(plan.native == bench.native)
    #expect(plan.tokens.map(\.id) == [bench.usdc, bench.spam])
    #expect(plan.tokens.map(\.needsMetadata) == [false, true])
    #expect(await bench.ledger.readPlan(for: 99) == nil)
    #expect(await bench.ledger.rowCount(of: 1) == 3)
  }

  @Test("statuses go to watched wallets only, and to all")
  func statuses() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    let json = Array("{}".utf8)
    await bench.ledger.announce(StatusFrame(subject: .wallet(2), json: json, isAbnormal: false))
    #expect(bench.recorder.takeBatches().isEmpty)
    await bench.ledger.announce(StatusFrame(subject: .wallet(1), json: json, isAbnormal: false))
    await bench.ledger.announce(StatusFrame(subject: .prices, json: json, isAbnormal: true))
    #expect(bench.recorder.takeBatches().flatMap(\.statuses).map(\.isAbnormal) == [false, true])
  }

  @Test("wallets are paged in the order of their numbers")
  func pages() async throws {
    let bench = try await Bench()
    _ = await bench.ledger.register(try keys(0..<7))
    #expect(await bench.ledger.walletPage(after: 0, limit: 3).map(\.id) == [1, 2, 3])
    #expect(await bench.ledger.walletPage(after: 5, limit: 3).map(\.id) == [6, 7])
    #expect(await bench.ledger.walletPage(after: 7, limit: 3).isEmpty)
  }
}

extension String {
  func leftPadded(to count: Int) -> String {
    String(repeating: "0", count: max(0, count - self.count)) + self
  }
}
