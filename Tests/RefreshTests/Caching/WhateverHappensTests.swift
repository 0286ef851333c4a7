import Devnet
import Ethereum
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Refresh

/// A chain on which anything may happen to wallets that are watched, while reads leave out what is known.
@Suite(.timeLimit(.minutes(5)))
struct WhateverHappensTests {
  private static let tokens = 12 as UInt64
  private static let owners = [Fixture.owner, .numbered(8_001), .numbered(8_002)]

  private struct World {
    var generator: SeededGenerator
    let fixture: Fixture
    let keys: [WalletKey]
    var wallets: [WalletID] = []
    /// Chains as they were: a reorganisation goes back to one of them.
    var past: [SimulatedChain] = []
    var seed = 100 as UInt64
    var highest = 0 as UInt64

    mutating func random(_ range: Range<UInt64>) -> UInt64 { .random(in: range, using: &generator) }

    /// Some transfers, and what else shows in a block.
    mutating func change(_ chain: inout SimulatedChain) throws {
      for _ in 0..<random(0..<3) {
        // Nobody ever has the last one: of who has all of them nothing can be left out.
        let token = Address.numbered(1 + random(0..<WhateverHappensTests.tokens - 1))
        let owner = WhateverHappensTests.owners[Int(random(0..<3))]
        let held = chain.pendingBalance(token, of: owner)
        if !held.isZero, random(0..<2) == 0 {
          try chain.transfer(token, from: owner, to: .numbered(9_999), amount: held)
        } else {
          try chain.mint(token, to: owner, amount: UInt256(1 + random(0..<9)))
        }
      }
      if random(0..<5) == 0 {
        chain.setNative(WhateverHappensTests.owners[Int(random(0..<3))], to: UInt256(random(0..<99)))
      }
    }

    /// - Parameter isQuiet: nothing happens in them.
    mutating func mine(blocks: UInt64, isQuiet: Bool = false) async throws {
      var chain = try await fixture.node.withChain { $0 }
      for _ in 0..<blocks {
        past.append(chain)
        if past.count > 50 { past.removeFirst() }
        if !isQuiet { try change(&chain) }
        chain.mine()
      }
      try await put(chain)
    }

    mutating func reorganise() async throws {
      guard var chain = past.suffix(Int(1 + random(0..<8))).first else { return }
      past.removeAll { $0.head.number > chain.head.number }
      seed += 1
      chain.configuration.seed = seed
      for _ in 0..<random(1..<10) {
        try change(&chain)
        // Nothing but its time tells a block from another one of the same parent that a contract has seen.
        chain.mine(timestamp: chain.head.timestamp + seed)
      }
      try await put(chain)
    }

    private mutating func put(_ chain: SimulatedChain) async throws {
      highest = max(highest, chain.head.number)
      try await fixture.node.withChain { $0 = chain }
    }

    mutating func step() async throws {
      let index = Int(random(0..<3))
      switch random(0..<16) {
      case 0..<5: try await mine(blocks: 1)
      case 5: try await mine(blocks: 3)
      case 6: try await mine(blocks: 30)
      case 7: try await reorganise()
      case 8:
        fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallets[index]], tokens: []))
        fixture.watch([keys[index]])
      case 9:
        try await fixture.node.setChainFault(.status(503))
        try await mine(blocks: 1)
        try await Task.sleep(for: .milliseconds(Int(random(0..<60))))
        try await fixture.node.setChainFault(nil)
      case 14...15:
        // What it finds is undone before a pass has seen it, perhaps.
        try await mine(blocks: random(1..<4))
        _ = await fixture.service.fly(wallets[index], fixture.chain.code, .due).value
        try await reorganise()
      case 10: try await Task.sleep(for: .milliseconds(Int(random(0..<60))))
      default:
        fixture.clock.advance(by: .seconds(Int(random(0..<200))))
        _ = await fixture.service.fly(wallets[index], fixture.chain.code, .due).value
      }
    }

    /// Cells that do not say what the chain says.
    func wrong() async throws -> [String] {
      var wrong: [String] = []
      for (key, wallet) in zip(keys, wallets) {
        guard let cells = await fixture.ledger.wallet(wallet) else { return ["no wallet"] }
        var shown: [TokenKey: UInt256] = [:]
        for row in cells.rows {
          guard let token = await fixture.ledger.token(row.token) else { continue }
          shown[token.key] = row.balance
        }
        let contracts: [Address?] = [nil] + (1...WhateverHappensTests.tokens).map { .numbered($0) }
        for contract in contracts {
          let truth = try await fixture.node.withChain { $0.balance(contract, of: key.address) }
          let held = shown[TokenKey(chain: key.chain, contract: contract)] ?? .zero
          if held != truth {
            let row = await fixture.ledger.tokenRow(cells, TokenKey(chain: key.chain, contract: contract))
            let known = await fixture.service.continuity(of: wallet, key.chain)
            wrong.append(
              "\(key) \(contract?.number ?? 0): \(held.decimal), not \(truth.decimal) \(row) read \(cells.block ?? 0) known \(known.map { "\($0.since)...\($0.through)" } ?? "-") head \(try await fixture.node.withChain { $0.head.number })"
            )
          }
        }
      }
      return wrong
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func everyCellIsTrueInTheEnd(seed: UInt64) async throws {
    var follow = FollowSettings.quick
    follow.rangeMaximum = 20
    follow.rest = .milliseconds(100)
    let fixture = try await Fixture(tokens: 2, empty: Int(Self.tokens) - 2, follow: follow)
    try await withFixture(fixture) { fixture in
      var world = World(
        generator: SeededGenerator(seed: seed), fixture: fixture,
        keys: Self.owners.map { WalletKey(chain: fixture.chain.code, address: $0) })
      try await fixture.mine { _ in }
      await fixture.service.start()
      fixture.watch(world.keys)
      for key in world.keys { world.wallets.append(try await fixture.register(key)) }
      // Now and then everything is known, and reads leave out much; then something happens.
      for round in 0..<4 {
        for _ in 0..<15 { try await world.step() }
        try await settle(&world, "seed \(seed), round \(round)")
      }
    }
  }

  /// The follower catches up, and reads leave out what is known: what they make of it is true.
  private func settle(_ world: inout World, _ context: Comment) async throws {
    let fixture = world.fixture
    repeat {
      try await world.mine(blocks: 1)
    } while try await fixture.node.withChain({ $0.head.number }) <= world.highest - 1
    // No read puts right what one found in a block that is none of the chain's: passes do. Reads that failed are tried
    // again by and by, and the time of none is up so soon. The chain waits for the passes: one that is always too far
    // ahead is not followed.
    var wrong: [String] = ["nothing seen yet"]
    for _ in 0..<600 where !wrong.isEmpty {
      try await world.mine(blocks: 1, isQuiet: true)
      fixture.clock.advance(by: .milliseconds(100))
      try await fixture.pass()
      wrong = try await world.wrong()
    }
    #expect(wrong == [], context)
    for wallet in world.wallets {
      var isLeftOut = false
      for _ in 0..<100 where !isLeftOut {
        try await world.mine(blocks: 1, isQuiet: true)
        try await fixture.pass()
        _ = await fixture.service.fly(wallet, fixture.chain.code, .due).value
        guard let plan = await fixture.ledger.readPlan(for: wallet) else { break }
        isLeftOut = await fixture.service.due(plan, for: .due).leftOut != nil
      }
      #expect(isLeftOut, context)
    }
    #expect(try await world.wrong() == [], context)
  }
}

extension Ledger {
  fileprivate func tokenRow(_ cells: WalletCells, _ key: TokenKey) -> String {
    guard let row = cells.rows.first(where: { token($0.token)?.key == key }) else { return "no row" }
    return "\(row.state) at \(row.block)"
  }
}
