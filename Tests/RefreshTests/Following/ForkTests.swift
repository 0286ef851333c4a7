import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// What was read in blocks that turn out to be none of the chain's.
@Suite(.timeLimit(.minutes(5)))
struct ForkTests {
  private static let others = (0..<20 as Range<UInt64>).map { Address.numbered(5_000 + $0) }

  /// The owner and others are watched, read and followed; passes are made when a test says so.
  private func withWatched(
    range: UInt64 = 500, firstOverlap: UInt64 = 32, _ body: (Fixture, [WalletID]) async throws -> Void
  ) async throws {
    var follow = FollowSettings.quick
    follow.poll = .seconds(3_600)
    follow.rangeMaximum = range
    follow.firstOverlap = firstOverlap
    let fixture = try await Fixture(tokens: 5, follow: follow)
    try await withFixture(fixture) { fixture in
      // The first block's changes have no logs.
      try await fixture.mine { chain in
        for other in Self.others { try chain.mint(.numbered(2), to: other, amount: 30) }
      }
      await fixture.service.start()
      let keys = [fixture.key] + Self.others.map { WalletKey(chain: fixture.chain.code, address: $0) }
      fixture.watch(keys)
      var wallets: [WalletID] = []
      for key in keys { wallets.append(try await fixture.register(key)) }
      try await fixture.untilFollowed(wallets)
      for _ in 0..<3 { try await mineAndPass(fixture) }
      try await body(fixture, wallets)
    }
  }

  private func mineAndPass(
    _ fixture: Fixture, _ change: @escaping @Sendable (inout SimulatedChain) throws -> Void = { _ in }
  ) async throws {
    try await fixture.mine(change)
    try await fixture.pass()
  }

  /// Another chain from `before` on, of so many blocks.
  private func fork(
    _ fixture: Fixture, from before: SimulatedChain, blocks: Int, seed: UInt64 = 2,
    _ change: @escaping @Sendable (inout SimulatedChain) throws -> Void = { _ in }
  ) async throws {
    try await fixture.node.withChain { chain in
      chain = before
      chain.configuration.seed = seed
      try change(&chain)
      for _ in 0..<blocks { chain.mine() }
    }
  }

  private func refresh(_ fixture: Fixture, _ wallet: WalletID) async throws {
    fixture.clock.advance(by: .seconds(11))
    _ = try await fixture.service.refreshNow(wallet)
  }

  /// A wallet that had a token for so many blocks is watched for the first time, and read at the block in which it sold it.
  ///
  /// - Returns: the chain before that block, and the wallet.
  private func firstReadBehindASale(
    _ fixture: Fixture, blocks: Int
  ) async throws -> (before: SimulatedChain, wallet: WalletID) {
    let late = Address.numbered(6_000)
    try await mineAndPass(fixture) { try $0.mint(.numbered(3), to: late, amount: 12) }
    // Its log is in no range that is looked at later.
    for _ in 0..<blocks { try await mineAndPass(fixture) }
    let before = try await fixture.node.withChain { $0 }
    try await fixture.mine { try $0.transfer(.numbered(3), from: late, to: .numbered(9), amount: 12) }
    let key = WalletKey(chain: fixture.chain.code, address: late)
    fixture.watch([key])
    let wallet = try await fixture.register(key)
    try await until { await fixture.rows(wallet) == ["native=0"] }
    return (before, wallet)
  }

  // MARK: Blocks that no pass has seen

  /// The passes never see that there was another branch, and no log tells what did not happen.
  @Test(arguments: [1, 2, 5])
  func whatWasReadAheadOfThePassesIsLookedAtAgain(blocks: Int) async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      try await fixture.mine {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 3)
        try $0.transfer(.numbered(4), from: Fixture.owner, to: .numbered(9), amount: 1)
        for _ in 1..<blocks { $0.mine() }
      }
      try await refresh(fixture, wallets[0])
      #expect(await fixture.rows(wallets[0]) == ["native=1000000", "2=1", "3=2", "4=2", "5=0", "1=3"])
      try await fork(fixture, from: before, blocks: 0)
      // One after the other: readings of a lower block than the one that is held are not believed yet.
      for _ in 0...blocks { try await mineAndPass(fixture) }
      #expect(await fixture.rows(wallets[0]) == ["native=1000000", "2=1", "3=2", "4=3", "5=4", "1=0"])
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      #expect(await follower.unsettled.count == 0)
    }
  }

  /// What happens on the chain meanwhile, in blocks below the one that was read, is no less.
  @Test func whatIsReadTooLowIsAskedForAgain() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      try await fixture.mine { for _ in 0..<9 { $0.mine() } }
      try await refresh(fixture, wallets[0])
      try await fork(fixture, from: before, blocks: 0)
      try await mineAndPass(fixture) { try $0.mint(.numbered(2), to: Fixture.owner, amount: 50) }
      // Its log is in no range that is looked at by the time that this one is reached.
      for _ in 0..<10 { try await mineAndPass(fixture) }
      #expect(await fixture.rows(wallets[0]).contains("2=51"))
    }
  }

  /// Nor do they see it where following begins with a read of the other branch that was made before anybody watched;
  /// what happened instead has logs.
  @Test func whatHappenedInPlaceOfTheBlockOfAFirstReadIsFound() async throws {
    try await withWatched { fixture, _ in
      let late = Address.numbered(6_000)
      let before = try await fixture.node.withChain { $0 }
      try await fixture.mine { for _ in 0..<9 { $0.mine() } }
      let key = WalletKey(chain: fixture.chain.code, address: late)
      let wallet = try await fixture.register(key)
      try await refresh(fixture, wallet)
      #expect(await fixture.rows(wallet) == ["native=0"])
      try await fork(fixture, from: before, blocks: 12) { try $0.mint(.numbered(3), to: late, amount: 12) }
      fixture.watch([key])
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await until { await follower.wallets.address(of: wallet) != nil }
      try await fixture.pass()
      #expect(await fixture.rows(wallet) == ["native=0", "3=12"])
    }
  }

  /// All are late and read as a whole, and no pass has seen the block of these reads when it is taken back.
  @Test func whoWasReadInABlockThatIsNoMoreIsReadAgain() async throws {
    try await withWatched(range: 20, firstOverlap: 0) { fixture, wallets in
      try await fixture.mine { for _ in 0..<30 { $0.mine() } }
      let before = try await fixture.node.withChain { $0 }
      try await fixture.mine { chain in
        for _ in 0..<8 { chain.mine() }
        try chain.mint(.numbered(4), to: Self.others[5], amount: 1)
      }
      try await fixture.pass()
      try await fixture.untilFollowed(wallets)
      #expect(await fixture.rows(wallets[6]) == ["native=0", "2=30", "4=1"])
      try await fork(fixture, from: before, blocks: 12) {
        try $0.mint(.numbered(3), to: Self.others[4], amount: 8)
      }
      try await fixture.pass()
      #expect(await fixture.rows(wallets[5]) == ["native=0", "2=30", "3=8"])
      #expect(await fixture.rows(wallets[6]) == ["native=0", "2=30", "4=0"])
    }
  }

  /// The block's other version, of the same parent, in which the token was not sold: there is no row of it, and no log.
  @Test func whoWasFirstReadInTheTwinOfABlockIsReadAgain() async throws {
    try await withWatched { fixture, _ in
      let (before, wallet) = try await firstReadBehindASale(fixture, blocks: 40)
      try await fork(fixture, from: before, blocks: 0) { $0.mine(timestamp: $0.head.timestamp + 5) }
      for _ in 0..<3 { try await mineAndPass(fixture) }
      try await until { await fixture.rows(wallet) == ["native=0", "3=12"] }
    }
  }

  /// Nothing is known by what contracts see where they see other hashes than nodes tell: soon nobody is read twice.
  @Test func chainsWhoseContractsSeeOtherHashesAreFollowed() async throws {
    try await withWatched { fixture, _ in
      try await fixture.node.withChain { $0.configuration.hasOtherHashes = true }
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      func anotherIsWatched(_ number: UInt64) async throws {
        _ = try await watched(fixture, .numbered(number))
        try await mineAndPass(fixture)
      }
      for number in 6_000..<6_100 as Range<UInt64>
      where await follower.strangeBlocks <= ChainFollower.strangeMaximum {
        try await anotherIsWatched(number)
      }
      let metrics = await follower.strangeBlocks
      try await fixture.node.resetStatistics()
      for number in 6_200..<6_210 as Range<UInt64> { try await anotherIsWatched(number) }
      #expect(await follower.strangeBlocks > metrics)
      // One read of each, and one question of each pass.
      #expect(try await fixture.node.chainStatistics.methods["eth_call"] == 20)
      // What is like others again is proven again.
      try await fixture.node.withChain { $0.configuration.hasOtherHashes = false }
      try await anotherIsWatched(6_300)
      #expect(await follower.strangeBlocks == 0)
    }
  }

  /// It need not wait until it is known that nothing can be said by them.
  @Test func whatComesInIsFoundWhereContractsSeeOtherHashes() async throws {
    try await withWatched { fixture, _ in
      try await fixture.node.withChain { $0.configuration.hasOtherHashes = true }
      let wallet = try await watched(fixture, .numbered(6_000))
      try await mineAndPass(fixture) { try Self.surprise(.numbered(6_000), on: &$0) }
      try await until { await fixture.rows(wallet) == ["native=0", "77=50"] }
    }
  }

  /// Nor for another block, where it came in before the wallet was read.
  @Test func whatCameInBeforeAWalletIsReadIsFoundWithoutAnotherBlock() async throws {
    try await withWatched { fixture, _ in
      try await mineAndPass(fixture) { try Self.surprise(.numbered(6_000), on: &$0) }
      let wallet = try await watched(fixture, .numbered(6_000))
      #expect(await fixture.rows(wallet) == ["native=0"])
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      follower.headAnnounced()
      try await until { await fixture.rows(wallet) == ["native=0", "77=50"] }
      // Once.
      try await until { await !follower.wallets.isAnyBehind(0, first: 32) }
      try await fixture.node.resetStatistics()
      follower.headAnnounced()
      try await until {
        try await fixture.node.chainStatistics.methods["eth_getBlockByNumber", default: 0] > 1
      }
      #expect(try await fixture.node.chainStatistics.methods["eth_getLogs"] == nil)
    }
  }

  /// One more, read and followed.
  private func watched(_ fixture: Fixture, _ owner: Address) async throws -> WalletID {
    let key = WalletKey(chain: fixture.chain.code, address: owner)
    fixture.watch([key])
    let wallet = try await fixture.register(key)
    try await fixture.untilFollowed([wallet])
    return wallet
  }

  /// A token that no list names comes in.
  private static func surprise(_ owner: Address, on chain: inout SimulatedChain) throws {
    chain.deploy(SimulatedContract(name: "Surprise", symbol: "SUR", decimals: 3), at: .numbered(77))
    try chain.mint(.numbered(77), to: owner, amount: 50)
  }

  // MARK: Blocks that passes have seen

  @Test(arguments: [1, 3, 12])
  func onlyWhatWasReadAboveTheForkIsReadAgain(depth: Int) async throws {
    try await withWatched { fixture, wallets in
      let readAt = try #require(await fixture.ledger.wallet(wallets[5])?.readAt)
      fixture.clock.advance(by: .seconds(1))
      let before = try await fixture.node.withChain { $0 }
      try await mineAndPass(fixture) {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
        try $0.mint(.numbered(3), to: Self.others[4], amount: 8)
      }
      for _ in 1..<depth { try await mineAndPass(fixture) }
      #expect(await fixture.rows(wallets[0]).contains("5=0"))
      #expect(await fixture.rows(wallets[5]) == ["native=0", "2=30", "3=8"])
      try await fork(fixture, from: before, blocks: depth + 1) {
        try $0.mint(.numbered(2), to: Self.others[6], amount: 1)
      }
      try await fixture.node.resetStatistics()
      try await fixture.pass()
      #expect(await fixture.rows(wallets[0]) == ["native=1000000", "2=1", "3=2", "4=3", "5=4"])
      #expect(await fixture.rows(wallets[5]) == ["native=0", "2=30", "3=0"])
      #expect(await fixture.rows(wallets[7]) == ["native=0", "2=31"])
      for wallet in wallets { #expect(await fixture.ledger.wallet(wallet)?.readAt == readAt) }
      // Two or three questions about the block, 21 native coins, what was undone, and what happened instead.
      let statistics = try await fixture.node.chainStatistics
      #expect(statistics.subcalls <= 3 + 21 + 3)
      #expect(statistics.methods["eth_call"] == 1 && statistics.methods["eth_getLogs"] == 2)
      // The newest twice, and some of the old ones.
      #expect(statistics.methods["eth_getBlockByNumber", default: 0] <= 2 + 5)
    }
  }

  /// A read was ahead of the passes on a branch that they saw the beginning of.
  @Test func lowerBlocksThanTheOneThatWasReadCountAfterAFork() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      try await mineAndPass(fixture) {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
      }
      try await fixture.mine { chain in
        for _ in 0..<9 { chain.mine() }
        chain.setNative(Fixture.owner, to: 8)
      }
      try await refresh(fixture, wallets[0])
      #expect(await fixture.rows(wallets[0]) == ["native=8", "2=1", "3=2", "4=3", "5=0"])
      try await fork(fixture, from: before, blocks: 2)
      try await fixture.pass()
      #expect(await fixture.rows(wallets[0]) == ["native=1000000", "2=1", "3=2", "4=3", "5=4"])
    }
  }

  /// Of a token that was sold before the wallet was first read there is no row: nothing tells that it is held again.
  @Test func whoWasFirstReadAboveTheForkIsReadAsAWhole() async throws {
    try await withWatched { fixture, _ in
      let (before, wallet) = try await firstReadBehindASale(fixture, blocks: 3)
      try await fixture.pass()
      try await fork(fixture, from: before, blocks: 2)
      try await fixture.pass()
      try await until { await fixture.rows(wallet) == ["native=0", "3=12"] }
    }
  }

  /// However they take turns: nobody begins anew, and in the end it is known what the last one says.
  @Test func nodesOfTwoBranchesThatAnswerInTurns() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      for turn in 0..<60 as Range<UInt64> {
        let requests = try await fixture.node.chainStatistics.requests
        try await fork(fixture, from: before, blocks: 1 + Int(turn % 3), seed: 2 + turn % 2) {
          try $0.mint(.numbered(1), to: Fixture.owner, amount: UInt256(1 + turn % 2))
        }
        follower.headAnnounced()
        try await until { try await fixture.node.chainStatistics.requests > requests }
      }
      try await fork(fixture, from: before, blocks: 4, seed: 9) {
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 77)
      }
      try await fixture.pass()
      #expect(await fixture.rows(wallets[0]).contains("1=77"))
      #expect(await follower.restarts == 0)
    }
  }

  /// Nor does a pass see the block of that read: it is taken back before.
  @Test func whoLeavesBeforeAPassIsLookedAtLater() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      try await fixture.mine {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
        for _ in 0..<3 { $0.mine() }
      }
      try await refresh(fixture, wallets[0])
      #expect(await fixture.rows(wallets[0]).contains("5=0"))
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallets[0]], tokens: []))
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await until { await follower.wallets.address(of: wallets[0]) == nil }
      try await fork(fixture, from: before, blocks: 5) {
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 3)
      }
      fixture.watch([fixture.key])
      try await until { await follower.wallets.address(of: wallets[0]) != nil }
      // The first of these may come before what was read is known to be in doubt.
      for _ in 0..<20 where await !fixture.rows(wallets[0]).contains("5=4") { try await mineAndPass(fixture) }
      #expect(await fixture.rows(wallets[0]) == ["native=1000000", "2=1", "3=2", "4=3", "5=4", "1=3"])
    }
  }

  /// Nor is it above the block up to which the wallet was followed before it left.
  @Test func whatIsReadOfAWalletThatLeftIsLookedAtLater() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      for _ in 0..<3 { try await mineAndPass(fixture) }
      let after = try await fixture.node.withChain { $0 }
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallets[0]], tokens: []))
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await until { await follower.wallets.address(of: wallets[0]) == nil }
      try await fork(fixture, from: before, blocks: 2) {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
      }
      try await refresh(fixture, wallets[0])
      #expect(await fixture.rows(wallets[0]).contains("5=0"))
      try await fixture.node.withChain { $0 = after }
      fixture.watch([fixture.key])
      try await until { await follower.wallets.address(of: wallets[0]) != nil }
      // The first of these may come before what was read is known to be in doubt.
      for _ in 0..<20 where await !fixture.rows(wallets[0]).contains("5=4") { try await mineAndPass(fixture) }
      #expect(await fixture.rows(wallets[0]).contains("5=4"))
    }
  }

  /// Two reorganisations one after the other, of which the second does not reach so far.
  @Test func whoWasReadInTheFirstOfTwoIsLookedAtLaterToo() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      try await mineAndPass(fixture) {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
      }
      try await refresh(fixture, wallets[0])
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallets[0]], tokens: []))
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await until { await follower.wallets.address(of: wallets[0]) == nil }
      try await fork(fixture, from: before, blocks: 5)
      try await fixture.pass()
      let second = try await fixture.node.withChain { $0 }
      try await mineAndPass(fixture)
      try await fork(fixture, from: second, blocks: 2, seed: 3)
      try await fixture.pass()
      fixture.watch([fixture.key])
      try await until { await follower.wallets.address(of: wallets[0]) != nil }
      // The first of these may come before what was read is known to be in doubt.
      for _ in 0..<20 where await !fixture.rows(wallets[0]).contains("5=4") { try await mineAndPass(fixture) }
      #expect(await fixture.rows(wallets[0]).contains("5=4"))
    }
  }

  @Test func whoWasNotWatchedThenIsLookedAtLater() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      try await mineAndPass(fixture) {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
      }
      try await refresh(fixture, wallets[0])
      fixture.ledger.inbox.post(.unwatch(shard: 0, wallets: [wallets[0]], tokens: []))
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await until { await follower.wallets.address(of: wallets[0]) == nil }
      try await fork(fixture, from: before, blocks: 2)
      try await fixture.pass()
      #expect(await fixture.rows(wallets[0]).contains("5=0"))
      fixture.watch([fixture.key])
      try await until { await follower.wallets.address(of: wallets[0]) != nil }
      // The first of these may come before what was read is known to be in doubt.
      for _ in 0..<20 where await !fixture.rows(wallets[0]).contains("5=4") { try await mineAndPass(fixture) }
      #expect(await fixture.rows(wallets[0]).contains("5=4"))
    }
  }

  /// The fork is not forgotten when the pass that found it comes to nothing.
  @Test func aForkOutlivesAPassThatFails() async throws {
    try await withWatched { fixture, wallets in
      let before = try await fixture.node.withChain { $0 }
      try await mineAndPass(fixture) {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
      }
      // Blocks and logs are told, balances are not.
      try await fork(fixture, from: before, blocks: 2) { $0.configuration.gasCap = 0 }
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await until {
        follower.headAnnounced()
        return await follower.failures > 0
      }
      #expect(await follower.fork?.block == before.head.number)
      #expect(await fixture.rows(wallets[0]).contains("5=0"))
      try await fixture.node.withChain { $0.configuration.gasCap = 50_000_000 }
      try await fixture.pass()
      // By that pass; or, where it had begun when balances were not told yet, by a read of the whole wallet after it.
      try await until { await fixture.rows(wallets[0]).contains("5=4") }
      #expect(await follower.fork == nil)
    }
  }
}
