import Devnet
import Ethereum
import Ledger
import Testing

@testable import Refresh

/// Chains that have no Multicall3 are followed all the same.
@Suite(.timeLimit(.minutes(5)))
struct OneByOneFollowingTests {
  private static let tokens = 5

  /// The owner and others are watched, read and followed; passes are made when a test says so.
  private func withWatched(
    others: Int = 0, fault: Fault? = nil, _ body: (Fixture, [WalletID]) async throws -> Void
  ) async throws {
    var follow = FollowSettings.quick
    follow.poll = .seconds(3_600)
    let fixture = try await Fixture(tokens: Self.tokens, follow: follow)
    try await withFixture(fixture) { fixture in
      let others = (0..<UInt64(others)).map { Address.numbered(10_000 + $0) }
      try await fixture.node.setChainFault(fault)
      // The first block's changes have no logs.
      try await fixture.mine { chain in
        chain.configuration.multicall3 = .numbered(9_999)
        for other in others { try chain.mint(.numbered(2), to: other, amount: 30) }
      }
      await fixture.service.start()
      let keys = [fixture.key] + others.map { WalletKey(chain: fixture.chain.code, address: $0) }
      fixture.watch(keys)
      var wallets: [WalletID] = []
      for key in keys { wallets.append(try await fixture.register(key)) }
      try await fixture.untilFollowed(wallets)
      try await body(fixture, wallets)
    }
  }

  /// Returns when the newest block was looked at.
  private func mineAndPass(
    _ fixture: Fixture, _ change: @escaping @Sendable (inout SimulatedChain) throws -> Void = { _ in }
  ) async throws {
    try await fixture.mine(change)
    try await fixture.pass()
  }

  private func untilSettled(_ fixture: Fixture) async throws {
    let follower = try #require(await fixture.service.followers[fixture.chain.code])
    while await follower.unsettled.count > 0 { try await mineAndPass(fixture) }
  }

  @Test(arguments: [nil, Fault.batchesOver(3), .batchesOver(0)])
  func aTransferArrivesWithoutARefresh(fault: Fault?) async throws {
    try await withWatched(fault: fault) { fixture, wallets in
      let before = await fixture.ledger.wallet(wallets[0])
      try await mineAndPass(fixture) {
        try $0.mint(.numbered(1), to: Fixture.owner, amount: 7)
        try $0.transfer(.numbered(3), from: Fixture.owner, to: .numbered(99), amount: 2)
        $0.setNative(Fixture.owner, to: 9)
      }
      #expect(await fixture.rows(wallets[0]) == ["native=9", "2=1", "3=0", "4=3", "5=4", "1=7"])
      let after = await fixture.ledger.wallet(wallets[0])
      #expect(after?.block == before?.block && after?.readAt == before?.readAt, "no whole read")
      #expect(after?.rows.allSatisfy { $0.state == .fresh } == true)
    }
  }

  @Test func aTokenThatNobodyListedBecomesARow() async throws {
    try await withWatched { fixture, wallets in
      try await mineAndPass(fixture) {
        $0.deploy(SimulatedContract(name: "Surprise", symbol: "SUR", decimals: 3), at: .numbered(77))
        try $0.mint(.numbered(77), to: Fixture.owner, amount: 50)
        $0.deploy(
          SimulatedContract(name: "Odd", symbol: "ODD", decimals: 3, behaviour: .burnsGas), at: .numbered(78))
        try $0.mint(.numbered(78), to: Fixture.owner, amount: 50)
      }
      #expect(await fixture.rows(wallets[0]).last == "77=50")
      let key = TokenKey(chain: fixture.chain.code, contract: .numbered(77))
      let id = try #require(await fixture.ledger.tokenID(of: key))
      #expect(await fixture.ledger.token(id)?.info.symbol == "SUR")
    }
  }

  /// Several blocks at once: whether the newest descends from the last one is asked with the balances.
  @Test(arguments: [1, 3])
  func aReorganisationIsSeen(blocks: Int) async throws {
    try await withWatched { fixture, wallets in
      for _ in 0..<3 { try await mineAndPass(fixture) }
      let before = try await fixture.node.withChain { $0 }
      try await mineAndPass(fixture) {
        try $0.transfer(.numbered(5), from: Fixture.owner, to: .numbered(9), amount: 4)
        for _ in 1..<blocks { $0.mine() }
      }
      #expect(await fixture.rows(wallets[0]).contains("5=0"))
      try await fixture.node.withChain { chain in
        chain = before
        chain.configuration.seed = 2
        for _ in 0..<blocks + 3 { chain.mine() }
      }
      try await fixture.pass()
      #expect(await fixture.rows(wallets[0]).contains("5=4"))
    }
  }

  @Test func nativeCoinsOfManyTakeTurns() async throws {
    try await withWatched(others: 249) { fixture, wallets in
      try await untilSettled(fixture)
      var seen = 0
      var passes = 0
      try await fixture.mine { chain in
        for number in 0..<249 as Range<UInt64> { chain.setNative(.numbered(10_000 + number), to: 3) }
      }
      while seen < 249, passes < 10 {
        passes += 1
        try await fixture.node.resetStatistics()
        try await mineAndPass(fixture)
        let methods = try await fixture.node.chainStatistics.methods
        #expect(methods["eth_getBalance"] == 100)
        #expect(methods["eth_call"] == nil)
        #expect(methods["eth_getLogs"] == 2)
        seen = 0
        for wallet in wallets.dropFirst() where await fixture.rows(wallet).first == "native=3" { seen += 1 }
      }
      #expect(passes == 3)
    }
  }

  @Test func whatChangedAndHasNoRoomIsStaleUntilItIsRead() async throws {
    try await withWatched(others: 120) { fixture, wallets in
      try await untilSettled(fixture)
      try await fixture.node.resetStatistics()
      try await mineAndPass(fixture) { chain in
        for number in 0..<120 as Range<UInt64> {
          try chain.mint(.numbered(2), to: .numbered(10_000 + number), amount: 1)
        }
      }
      #expect(try await fixture.node.chainStatistics.methods["eth_call"] == 80)
      #expect(try await fixture.node.chainStatistics.methods["eth_getBalance"] == 20)
      var rows: [String: Int] = [:]
      for wallet in wallets.dropFirst() { rows[await fixture.rows(wallet)[1], default: 0] += 1 }
      #expect(rows == ["2=31": 80, "2=30 stale": 40])
      try await untilSettled(fixture)
      for wallet in wallets.dropFirst() { #expect(await fixture.rows(wallet) == ["native=0", "2=31"]) }
    }
  }

  @Test func withoutLogsEveryWalletHasItsTurn() async throws {
    try await withWatched(others: 60) { fixture, wallets in
      let follower = try #require(await fixture.service.followers[fixture.chain.code])
      try await mineAndPass(fixture) { $0.configuration.hasLogs = false }
      #expect(await follower.restsUntil != nil)
      // A transfer to each: without a log, since none are told.
      try await fixture.mine { chain in
        for number in 0..<60 as Range<UInt64> {
          try chain.mint(.numbered(2), to: .numbered(10_000 + number), amount: 1)
        }
      }
      for _ in 0..<3 {
        try await fixture.node.resetStatistics()
        try await mineAndPass(fixture)
        let methods = try await fixture.node.chainStatistics.methods
        #expect(methods["eth_call", default: 0] + methods["eth_getBalance", default: 0] <= 100)
      }
      for wallet in wallets.dropFirst() { #expect(await fixture.rows(wallet) == ["native=0", "2=31"]) }
    }
  }

  /// One endpoint of several: that it has none is no reason to ask it for everything by itself.
  @Test func anotherEndpointHasIt() async throws {
    let fixture = try await Fixture(tokens: 2, nodes: 2, follow: .quick)
    try await withFixture(fixture) { fixture in
      try await fixture.nodes[0].withChain { $0.configuration.multicall3 = .numbered(9_999) }
      try await fixture.mine { _ in }
      await fixture.service.start()
      fixture.watch([fixture.key])
      let wallet = try await fixture.register()
      try await until { await fixture.ledger.wallet(wallet)?.state == .fresh }
      try await fixture.nodes[0].resetStatistics()
      try await fixture.mine { $0.setNative(Fixture.owner, to: 5) }
      try await until { await fixture.rows(wallet).first == "native=5" }
      #expect(try await fixture.nodes[0].chainStatistics.methods["eth_getBalance"] == nil)
    }
  }
}

struct ShareTests {
  private static func natives(_ wallets: Range<WalletID>) -> [FollowCall.Subject] {
    wallets.map { .native($0, .numbered(UInt64($0))) }
  }
  private static func tokens(_ wallets: Range<WalletID>) -> [FollowCall.Subject] {
    wallets.map { .known($0, owner: .numbered(UInt64($0)), 7, .numbered(7)) }
  }

  @Test func allThatFitsIsAskedFor() {
    let subjects = Self.natives(0..<5) + Self.tokens(2..<4)
    let share = FollowCall.share(of: subjects, most: 10, after: 3)
    #expect(Set(share.subjects) == Set(subjects) && share.subjects.count == 7)
    #expect(share.waiting.isEmpty && share.last == nil)
    #expect(share.subjects.suffix(2) == Self.tokens(2..<4)[...], "native coins first")
  }

  @Test func nativeCoinsTakeTurns() {
    var last: WalletID?
    var seen: [WalletID] = []
    for _ in 0..<4 {
      let share = FollowCall.share(of: Self.natives(0..<25).shuffled(), most: 10, after: last)
      seen += share.subjects.map(\.wallet)
      last = share.last
    }
    #expect(seen == (0..<40).map { WalletID($0 % 25) })
  }

  @Test func whoseTokensChangedComesFirstAndTakesNobodysTurn() {
    let subjects = Self.natives(0..<25) + Self.tokens(20..<23)
    let share = FollowCall.share(of: subjects, most: 10, after: 1)
    #expect(share.subjects.map(\.wallet) == [20, 21, 22, 2, 3, 4, 5, 20, 21, 22])
    #expect(share.last == 5)
  }

  @Test func changedTokensLeaveAFifth() {
    let subjects = Self.natives(0..<25) + Self.tokens(0..<25)
    let share = FollowCall.share(of: subjects, most: 10, after: nil)
    #expect(share.subjects == Self.natives(0..<2) + Self.tokens(0..<8))
    #expect(share.waiting == Self.tokens(8..<25))
  }
}
