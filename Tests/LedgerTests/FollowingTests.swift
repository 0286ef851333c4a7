import Ethereum
import Testing

@testable import Ledger

@Suite("Single cells that somebody who follows the chain has read")
struct FollowingTests {
  private func accept(
    _ bench: Bench, block: UInt64, wallet: WalletID = 1, _ outcomes: [(TokenID, UInt64?)]
  ) async {
    let outcomes = outcomes.map { token, balance in
      (token: token, outcome: balance.map { .balance(UInt256($0)) } ?? WalletReading.Outcome.failed)
    }
    await bench.ledger.accept([WalletChanges(wallet: wallet, outcomes: outcomes)], block: block)
  }

  private func balances(_ bench: Bench) async throws -> [String] {
    try await bench.cells().rows.map { "\($0.balance.decimal) \($0.state) at \($0.block)" }
  }

  @Test("make frames of what changed, and leave the whole read's block alone")
  func frames() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    let before = try await bench.cells()
    await accept(bench, block: 50, [(bench.native, 7), (bench.spam, 9), (bench.usdc, nil)])
    let frames = bench.recorder.takeFrames()
    #expect(frames.map { member("type", $0) } == ["\"balance\"", "\"token\"", "\"balance\""])
    #expect(frames.map { member("balance_state", $0) } == ["\"fresh\"", "\"fresh\"", "\"stale\""])
    let after = try await bench.cells()
    #expect(after.block == before.block && after.readAt == before.readAt)
    #expect(after.rows.map(\.token) == [bench.native, bench.usdc, bench.spam])
    // The same again is no news, and yet known to be of the later block.
    await accept(bench, block: 60, [(bench.native, 7), (bench.spam, 9)])
    #expect(bench.recorder.takeBatches().isEmpty)
    #expect(try await bench.cells().rows.map(\.block)[0] == 60)
  }

  @Test("are not undone by a whole read of a lower block, or by an older one of their kind")
  func order() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    await accept(bench, block: 50, [(bench.usdc, 3)])
    let verdict = try await bench.read(block: 49, [(bench.native, "5"), (bench.usdc, "9")])
    #expect(verdict == .accepted)
    #expect(try await balances(bench) == ["5 fresh at 49", "3 fresh at 50"])
    await accept(bench, block: 48, [(bench.native, 1), (bench.usdc, nil)])
    #expect(try await balances(bench) == ["5 fresh at 49", "3 fresh at 50"])
    try await bench.read(block: 51, [(bench.native, "6"), (bench.usdc, "9")])
    #expect(try await balances(bench) == ["6 fresh at 51", "9 fresh at 51"])
  }

  @Test("wait for the first whole read, and for nobody who is gone")
  func incomplete() async throws {
    let bench = try await Bench()
    _ = try await bench.watch([Bench.eth])
    await accept(bench, block: 50, [(bench.native, 7)])
    #expect(try await bench.cells().rows.isEmpty)
    await accept(bench, block: 50, wallet: 99, [(bench.native, 7)])
    #expect(bench.recorder.takeBatches().isEmpty)
  }

  @Test("a token never held gets no row by being zero or failing; nor does one too many")
  func noRow() async throws {
    let bench = try await Bench(tokensPerWallet: 3)
    _ = try await bench.watchedWallet()
    await accept(bench, block: 50, [(bench.spam, 0), (bench.spam, nil), (4_711, 5)])
    #expect(try await bench.cells().rows.count == 2)
    let code = try ChainCode(parsing: "ETH")
    var ids: [TokenID] = []
    for number in 0..<3 as Range<UInt32> {
      let key = TokenKey(chain: code, contract: Address(high: 9, middle: 9, low: number))
      ids.append(try #require(await bench.ledger.admit(key, info: TokenInfo(isListed: false))))
    }
    await accept(bench, block: 51, ids.map { ($0, 5) })
    #expect(try await bench.cells().rows.count == 3)
  }

  @Test("an opened cell believes any block")
  func reopening() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.read(block: 1_000_000, [(bench.native, "5"), (bench.usdc, "9")])
    #expect(try await bench.read(block: 11, [(bench.native, "1")]) == .outdated(heldBlock: 1_000_000))
    await bench.ledger.reopen([1, 99])
    #expect(try await bench.read(block: 11, [(bench.native, "1"), (bench.usdc, "2")]) == .accepted)
    #expect(try await balances(bench) == ["1 fresh at 11", "2 fresh at 11"])
    await bench.ledger.reopen([1])
    await accept(bench, block: 3, [(bench.usdc, 4)])
    #expect(try await balances(bench) == ["1 fresh at 0", "4 fresh at 3"])
  }

  @Test("what was read above a fork is opened, and nothing else, before what was read since is taken in")
  func forks() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    try await bench.read(block: 20, [(bench.native, "5"), (bench.usdc, "9")])
    await accept(bench, block: 25, [(bench.native, 6), (bench.spam, 4)])
    let spam = WalletToken(wallet: 1, token: bench.spam)
    #expect(await bench.ledger.cells(of: [99, 1], above: 20) == [spam])
    #expect(await bench.ledger.cells(of: [1], above: 25).isEmpty)
    // Without the fork the reading is refused, and said to be.
    let lower = [
      WalletChanges(wallet: 1, outcomes: [(bench.native, .balance(1)), (bench.spam, .balance(2))])
    ]
    #expect(await bench.ledger.accept(lower, block: 23) == [spam])
    #expect(try await balances(bench) == ["6 fresh at 25", "9 fresh at 20", "4 fresh at 25"])
    #expect(await bench.ledger.accept(lower, block: 23, after: (22, [1, 99])).isEmpty)
    #expect(try await balances(bench) == ["1 fresh at 23", "9 fresh at 20", "2 fresh at 23"])
    // The whole read is of a block below, and stays the measure of whole reads.
    #expect(try await bench.read(block: 19, [(bench.native, "1")]) == .outdated(heldBlock: 20))
    #expect(await bench.ledger.accept([], block: 18, after: (18, [1])).isEmpty)
    #expect(try await bench.read(block: 19, [(bench.native, "7")]) == .accepted)
    #expect(try await balances(bench) == ["7 fresh at 19", "9 fresh at 18", "2 fresh at 18"])
  }

  @Test("a reading of a lower block that says what is held is not refused")
  func lowerAndTheSame() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    await accept(bench, block: 50, [(bench.usdc, 3)])
    let same = [WalletChanges(wallet: 1, outcomes: [(bench.usdc, .balance(3)), (bench.spam, .failed)])]
    #expect(await bench.ledger.accept(same, block: 40).isEmpty)
    #expect(try await balances(bench).last == "3 fresh at 50")
  }

  @Test("the place of a cell is its owner's and its token's")
  func places() async throws {
    let bench = try await Bench()
    _ = try await bench.watchedWallet()
    let cells = [(1, bench.native), (1, bench.usdc), (9, bench.usdc), (1, 4_711)]
      .map { WalletToken(wallet: $0.0, token: $0.1) }
    let places = await bench.ledger.places(of: cells)
    #expect(places.map(\.cell) == [WalletToken(wallet: 1, token: bench.usdc)])
    #expect(places.map(\.contract) == [try TokenKey(parsing: Bench.usdc).contract])
  }

  @Test("tokens are looked up by contract, and admitted while there is room")
  func tokens() async throws {
    let bench = try await Bench(tokens: 4)
    let code = try ChainCode(parsing: "ETH")
    let known = try #require(try TokenKey(parsing: Bench.usdc).contract)
    let strange = Address(high: 9, middle: 9, low: 9)
    let found = await bench.ledger.lookUp([known, strange], on: code)
    #expect(found.active == [known: bench.usdc] && found.unknown == [strange])
    let info = TokenInfo(symbol: "S", isListed: false)
    let id = await bench.ledger.admit(TokenKey(chain: code, contract: strange), info: info)
    #expect(id == 3)
    #expect(await bench.ledger.admit(TokenKey(chain: code, contract: strange), info: info) == 3)
    let other = Address(high: 9, middle: 9, low: 10)
    #expect(await bench.ledger.admit(TokenKey(chain: code, contract: other), info: info) == nil)
  }
}
