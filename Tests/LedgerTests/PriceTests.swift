import Ethereum
import Testing

@testable import Ledger

@Suite("Accepting prices")
struct PriceTests {
  @Test("a price makes one frame, the same again makes none")
  func change() async throws {
    let bench = try await Bench()
    #expect(try await bench.price(bench.usdc, "1.0002", change: 1) == (1, 0))
    #expect(
      bench.recorder.takeFrames() == [
        "{\"type\":\"price\",\"token\":\"\(Bench.usdc)\",\"price_usd\":\"1.0002\",\"change_24h\":\"0.01\","
          + "\"price_state\":\"fresh\",\"price_at\":1763805600000,\"rev\":101}"
      ])
    #expect(try await bench.price(bench.usdc, "1.0002", change: 1) == (0, 0))
    #expect(try await bench.price(bench.usdc, "1.00020", change: 1) == (0, 0))
    #expect(bench.recorder.takeBatches().isEmpty)
    #expect(await bench.ledger.revision == 101)
  }

  @Test("a change that a source says nothing of stays")
  func changeKept() async throws {
    let bench = try await Bench()
    try await bench.price(bench.usdc, "1", change: -120)
    try await bench.price(bench.usdc, "2")
    let cell = await bench.ledger.priceCell(bench.usdc)
    #expect(cell.change == Hundredths(value: -120))
    #expect(cell.price == ExactDecimal(parsing: "2"))
    #expect(try await bench.price(bench.usdc, "2") == (0, 0))
    #expect(try await bench.price(bench.usdc, "2", change: 5) == (1, 0))
  }

  @Test("a change that no source has said for an hour is not known any more")
  func changeForgotten() async throws {
    let bench = try await Bench()
    try await bench.price(bench.usdc, "1", change: -120)
    bench.clock.advance(by: 1_800_000)
    // Said again, though the same.
    #expect(try await bench.price(bench.usdc, "1", change: -120) == (0, 0))
    bench.clock.advance(by: 3_600_000)
    #expect(try await bench.price(bench.usdc, "1") == (0, 0))
    #expect(await bench.ledger.priceCell(bench.usdc).change == Hundredths(value: -120))
    bench.clock.advance(by: 1)
    _ = bench.recorder.takeFrames()
    #expect(try await bench.price(bench.usdc, "1") == (1, 0))
    #expect(bench.recorder.takeFrames().map { member("change_24h", $0) } == ["null"])
    #expect(try await bench.price(bench.usdc, "1") == (0, 0))
    #expect(try await bench.price(bench.usdc, "1", change: 7) == (1, 0))
  }

  @Test("a restored change is as old as its price")
  func changeRestored() async throws {
    for (age, change) in [(3_600_000, Hundredths(value: 5)), (3_600_001, nil)] as [(Int64, Hundredths?)] {
      let bench = try await Bench(isEmpty: true)
      var state = RestoredState()
      state.tokens = [(0, try TokenKey(parsing: "ETH:native"), TokenInfo(isListed: true))]
      state.prices = [
        RestoredPrice(
          token: 0, price: ExactDecimal(parsing: "2"), change: Hundredths(value: 5),
          acceptedAt: Bench.start - age, sourceTime: 0, revision: 0)
      ]
      await bench.ledger.restore(state)
      try await bench.price(bench.native, "3")
      #expect(await bench.ledger.priceCell(bench.native).change == change)
    }
  }

  @Test("an older source time is dropped before it gets a revision; an equal one is not older")
  func outdated() async throws {
    let bench = try await Bench()
    try await bench.price(bench.usdc, "1", age: 5_000)
    #expect(try await bench.price(bench.usdc, "2", age: 5_001) == (0, 1))
    #expect(await bench.ledger.revision == 101)
    #expect(try await bench.price(bench.usdc, "3", age: 5_000) == (1, 0))
    // An equal price moves the bar though it is no change.
    #expect(try await bench.price(bench.usdc, "3", age: 1_000) == (0, 0))
    #expect(try await bench.price(bench.usdc, "4", age: 2_000) == (0, 1))
  }

  @Test("a price's age counts from its last confirmation; the oldest counts")
  func oldestAge() async throws {
    let bench = try await Bench()
    let tokens = [bench.usdc, bench.spam, bench.native]
    #expect(await bench.ledger.oldestPriceAge(of: tokens) == nil)
    try await bench.price(bench.usdc, "1")
    bench.clock.advance(by: 3_000)
    try await bench.price(bench.spam, "1")
    bench.clock.advance(by: 2_000)
    #expect(await bench.ledger.oldestPriceAge(of: tokens) == 5_000)
    #expect(await bench.ledger.oldestPriceAge(of: [bench.spam, 999]) == 2_000)
    try await bench.price(bench.usdc, "1")
    #expect(await bench.ledger.oldestPriceAge(of: tokens) == 2_000, "confirmed, though not changed")
  }

  @Test("a source whose clock runs ahead does not shut out the others")
  func future() async throws {
    let bench = try await Bench()
    #expect(try await bench.price(bench.usdc, "1", age: -3_600_000) == (1, 0))
    #expect(await bench.ledger.priceCell(bench.usdc).sourceTime == Bench.start)
    #expect(try await bench.price(bench.usdc, "2") == (1, 0))
  }

  @Test("our own clock set back does not shut out everybody either")
  func clockSetBack() async throws {
    let bench = try await Bench()
    try await bench.price(bench.usdc, "1")
    bench.clock.advance(by: -3_600_000)
    #expect(try await bench.price(bench.usdc, "2") == (1, 0))
    #expect(try await bench.price(bench.usdc, "3", age: 1) == (0, 1))
  }

  @Test("a negative price and an unknown token change nothing")
  func refused() async throws {
    let bench = try await Bench()
    #expect(try await bench.price(bench.usdc, "-1") == (0, 0))
    #expect(try await bench.price(99, "1", asked: [98]) == (0, 0))
    #expect(await bench.ledger.revision == 100)
    #expect(bench.recorder.takeBatches().isEmpty)
  }

  @Test("asked for without an answer: loading becomes unknown, once; a held price stays")
  func askedWithoutAnswer() async throws {
    let bench = try await Bench()
    let reply = try await bench.watch([], tokens: [Bench.usdc, Bench.spam])
    #expect(reply.tokens.map { try? $0.result.get().state } == [.loading, .loading])
    try await bench.price(bench.usdc, "1", asked: [bench.usdc, bench.spam])
    #expect(
      bench.recorder.takeFrames().map { [member("token", $0), member("price_state", $0), member("rev", $0)] }
        == [
          ["\"\(Bench.usdc)\"", "\"fresh\"", "101"], ["\"\(Bench.spam)\"", "\"unknown\"", "102"],
        ])
    // The next rounds say the same: no frames, whoever watches anew.
    try await bench.watch([], tokens: [Bench.spam], shard: 1)
    await bench.ledger.accept(prices: [], asked: [bench.usdc, bench.spam])
    #expect(bench.recorder.takeFrames().isEmpty)
    #expect(await bench.ledger.priceCell(bench.usdc).state == .fresh)
    #expect(await bench.ledger.priceCell(bench.spam).state == .unknown)
  }

  @Test("a stale price that is read again is fresh, with its own revision")
  func freshAgain() async throws {
    let bench = try await Bench()
    try await bench.price(bench.usdc, "1")
    bench.clock.advance(by: 60_001)
    await bench.ledger.sweep()
    #expect(await bench.ledger.priceCell(bench.usdc).state == .stale)
    try await bench.price(bench.usdc, "1")
    let frames = bench.recorder.takeFrames()
    #expect(frames.map { member("price_state", $0) } == ["\"fresh\"", "\"stale\"", "\"fresh\""])
    #expect(frames.map { member("rev", $0) } == ["101", "102", "103"])
    #expect(member("price_at", frames[1]) == "1763805600000")
    #expect(member("price_at", frames[2]) == "1763805660001")
  }

  @Test("what a round asks for: subscribed tokens, and what watched wallets hold")
  func watchedTokens() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    #expect(await bench.ledger.watchedTokens().map(\.id) == [bench.native, bench.usdc])
    try await bench.read(block: 11, [(bench.native, "0"), (bench.usdc, "0")])
    #expect(await bench.ledger.watchedTokens().map(\.id) == [bench.native])
    #expect(await bench.ledger.heldTokens(of: 1) == [bench.native])
    try await bench.watch([], tokens: [Bench.spam])
    #expect(await bench.ledger.watchedTokens().map(\.id) == [bench.native, bench.spam])
    bench.ledger.inbox.post(.unwatch(shard: 0, wallets: [1], tokens: [bench.spam]))
    await bench.settle()
    #expect(await bench.ledger.watchedTokens().isEmpty)
  }
}
