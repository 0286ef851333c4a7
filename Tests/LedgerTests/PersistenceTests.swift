import Ethereum
import Synchronization
import Testing

@testable import Ledger

@Suite("Restoring, and what has changed since")
struct PersistenceTests {
  private func restored() throws -> RestoredState {
    var state = RestoredState()
    state.tokens = [
      (
        0, try TokenKey(parsing: "ETH:native"),
        TokenInfo(symbol: "ETH", name: "Ether", decimals: 18, isListed: true)
      ),
      (1, try TokenKey(parsing: Bench.usdc), TokenInfo(symbol: "USDC", decimals: 6, isListed: true)),
    ]
    state.prices = [
      RestoredPrice(
        token: 0, price: ExactDecimal(parsing: "3000"), change: nil, acceptedAt: 5, sourceTime: 4,
        revision: 40),
      RestoredPrice(token: 1, price: nil, change: nil, acceptedAt: nil, sourceTime: 0, revision: 41),
      RestoredPrice(token: 9, price: .zero, change: nil, acceptedAt: nil, sourceTime: 0, revision: 42),
    ]
    var cells = WalletCells(id: 7, key: try WalletKey(parsing: Bench.eth), registeredRevision: 3)
    cells.rows = [
      BalanceRow(
        token: 0, balance: 5, block: 10, state: .fresh, isKnown: true, revision: 50, rowRevision: 20),
      BalanceRow(
        token: 1, balance: 6, block: 10, state: .stale, isKnown: true, revision: 51, rowRevision: 21),
    ]
    cells.isComplete = true
    cells.block = 10
    cells.readAt = 900
    state.wallets = [cells]
    state.nextWalletID = 9
    return state
  }

  @Test("what was read before the start is stale, with revisions of its own")
  func stale() async throws {
    let bench = try await Bench(revision: 60, isEmpty: true)
    await bench.ledger.restore(try restored())
    let cells = try await bench.cells(7)
    #expect(cells.rows.map(\.state) == [.stale, .stale])
    #expect(cells.rows[0].revision > 60)
    #expect(cells.rows[1].revision == 51)
    let price = await bench.ledger.priceCell(0)
    #expect(price.state == .stale)
    #expect(price.price == ExactDecimal(parsing: "3000"))
    #expect(price.acceptedAt == 5)
    #expect(price.revision > 60)
    #expect(await bench.ledger.priceCell(1).state == .unknown)
    #expect(bench.recorder.takeBatches().isEmpty)
    #expect(await bench.ledger.takeDirty().isEmpty)
  }

  @Test("neither revisions nor numbers are given out twice")
  func neverAgain() async throws {
    // The counter that was handed over is behind what is stored.
    let bench = try await Bench(revision: 30, isEmpty: true)
    await bench.ledger.restore(try restored())
    #expect(await bench.ledger.revision > 51)
    #expect(try await bench.watch([Bench.second]).firstCells?.id == 9)
    #expect(
      await bench.ledger.intern(try TokenKey(parsing: Bench.spam), info: TokenInfo(isListed: false)) == 2)
  }

  @Test("a wallet that was restored is found by its key, not registered anew, and read on")
  func readOn() async throws {
    let bench = try await Bench(revision: 60, isEmpty: true)
    await bench.ledger.restore(try restored())
    let reply = try await bench.watch([Bench.eth])
    #expect(reply.firstCells?.id == 7)
    #expect(bench.store.inserts.isEmpty)
    #expect(bench.observer.take() == [.wanted(7, isWatched: true), .prices])
    try await bench.read(7, block: 11, [(0, "5"), (1, "6")])
    let batch = try #require(bench.recorder.takeBatches().last)
    #expect(batch.snapshots.isEmpty)
    #expect(batch.changes.count == 2)
    #expect(try await bench.price(0, "3000") == (1, 0))
  }

  @Test("rows of tokens that are not there are left out")
  func damaged() async throws {
    let bench = try await Bench(revision: 60, isEmpty: true)
    var state = try restored()
    state.tokens.removeFirst()
    await bench.ledger.restore(state)
    #expect(try await bench.cells(7).rows.isEmpty)
    #expect(try await bench.cells(7).isComplete == false)
    #expect(try await bench.watch([Bench.eth]).firstCells?.state == .loading)
  }

  @Test("what has changed is given out once, and again when it could not be written")
  func dirty() async throws {
    let bench = try await Bench()
    let wakes = Mutex(0)
    await bench.ledger.setPersister { wakes.withLock { $0 += 1 } }
    #expect(await bench.ledger.takeDirty().tokens.map(\.id) == [0, 1, 2])
    #expect(await bench.ledger.takeDirty().isEmpty)
    _ = try await bench.watchedWallet()
    try await bench.price(bench.usdc, "1")
    #expect(wakes.withLock { $0 } > 0)
    let state = await bench.ledger.takeDirty()
    #expect(state.prices.map(\.token.id) == [bench.usdc])
    #expect(state.wallets.map(\.id) == [1])
    #expect(state.revision == (await bench.ledger.revision))
    #expect(await bench.ledger.takeDirty().isEmpty)
    // As it is then, not as it was.
    try await bench.price(bench.usdc, "2")
    await bench.ledger.restoreDirty(state)
    let again = await bench.ledger.takeDirty()
    #expect(again.prices.map(\.price) == [ExactDecimal(parsing: "2")])
    #expect(again.wallets.map(\.id) == [1])
    // A wallet that was deleted meanwhile is not written again.
    _ = try await bench.ledger.delete(1)
    await bench.ledger.restoreDirty(state)
    #expect(await bench.ledger.takeDirty().wallets.isEmpty)
  }
}
