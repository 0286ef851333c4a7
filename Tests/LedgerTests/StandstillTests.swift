import Ethereum
import Testing

@testable import Ledger

@Suite("A chain that stands still")
struct StandstillTests {
  private static var chain: ChainCode { get throws { try ChainCode(parsing: "ETH") } }

  @Test("turns its wallets stale at once, and what is read meanwhile")
  func stale() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    await bench.ledger.setStandingStill(try Self.chain, true)
    let frames = bench.recorder.takeFrames()
    #expect(!frames.isEmpty && frames.allSatisfy { member("balance_state", $0) == "\"stale\"" })
    try await bench.read(block: 60, [(bench.native, "77"), (bench.usdc, "5"), (bench.spam, "3")])
    await bench.ledger.accept(
      [WalletChanges(wallet: 1, outcomes: [(bench.usdc, .balance(9))])], block: 61)
    let rows = try await bench.cells().rows
    #expect(rows.map(\.balance.decimal) == ["77", "9", "3"])
    #expect(rows.allSatisfy { $0.state == .stale })
    // The same again is no news.
    _ = bench.recorder.takeBatches()
    try await bench.read(block: 62, [(bench.native, "77"), (bench.usdc, "9"), (bench.spam, "3")])
    await bench.ledger.accept(
      [WalletChanges(wallet: 1, outcomes: [(bench.usdc, .balance(9))])], block: 62)
    await bench.ledger.setStandingStill(try Self.chain, true)
    #expect(bench.recorder.takeFrames().isEmpty)
  }

  @Test("is fresh again with the first read after it has moved")
  func fresh() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    await bench.ledger.setStandingStill(try Self.chain, true)
    await bench.ledger.setStandingStill(try Self.chain, false)
    #expect(try await bench.cells().state == .stale)
    await bench.ledger.accept(
      [WalletChanges(wallet: 1, outcomes: [(bench.native, .balance(9))])], block: 61)
    #expect(try await bench.cells().state == .fresh)
  }

  @Test("says so of wallets that nobody watches when somebody asks, and of no other chain")
  func unwatched() async throws {
    let bench = try await Bench()
    _ = try await bench.ledger.register([try WalletKey(parsing: Bench.eth)])[0].get()
    try await bench.read(block: 50, [(bench.native, "7")])
    await bench.ledger.setStandingStill(try ChainCode(parsing: "BSC"), true)
    _ = await bench.ledger.snapshot(of: 1)
    #expect(try await bench.cells().state == .fresh)
    await bench.ledger.setStandingStill(try Self.chain, true)
    _ = await bench.ledger.snapshot(of: 1)
    #expect(try await bench.cells().state == .stale)
  }

  @Test("what wallets hold is listed up to a limit")
  func holdings() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.read(block: 60, [(bench.native, "77"), (bench.usdc, "0"), (bench.spam, "3")])
    await bench.ledger.accept(
      [WalletChanges(wallet: 1, outcomes: [(bench.spam, .balance(9))])], block: 61)
    #expect(await bench.ledger.holdings(of: [99, 1], limit: 10).map(\.cell.token) == [bench.spam])
    #expect(await bench.ledger.holdings(of: [1], limit: 0).isEmpty)
  }
}
