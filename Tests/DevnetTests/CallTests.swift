import Ethereum
import TestSupport
import Testing

@testable import Devnet

@Suite struct CallTests {
  static let alice = account(1)
  static let good = account(0xA0)
  static let old = account(0xA1)
  static let bare = account(0xA2)
  static let angry = account(0xA3)
  static let empty = account(0xA4)
  static let burner = account(0xA5)
  static let garbage = account(0xA6)
  static let multicall = Multicall3.canonicalAddress

  static func chain(hasArbSys: Bool = false, gasCap: UInt64 = 50_000_000) throws -> SimulatedChain {
    var chain = SimulatedChain(
      SimulatedChain.Configuration(
        chainID: 31_337, seed: 7, firstBlock: 1_234, firstTimestamp: 1_700_000_000, gasCap: gasCap,
        hasArbSys: hasArbSys))
    let kinds: [(Address, SimulatedContract.Behaviour)] = [
      (good, .standard), (old, .bytes32Metadata), (bare, .noMetadata), (angry, .reverts(reason: "go away")),
      (empty, .returnsNothing), (burner, .burnsGas), (garbage, .returnsGarbage(bytes: 3)),
    ]
    for (address, behaviour) in kinds {
      chain.deploy(
        SimulatedContract(name: "Näme", symbol: "SYM", decimals: 6, behaviour: behaviour), at: address)
      try chain.mint(address, to: alice, amount: 77)
    }
    chain.setNative(alice, to: 9)
    return chain
  }

  static func run(
    _ target: Address, _ data: [UInt8], _ chain: SimulatedChain, gas: UInt64? = nil
  ) -> CallOutcome {
    var execution = Execution(chain: chain, block: chain.head, isPending: false)
    var gas = gas ?? chain.configuration.gasCap
    return execution.call(target, data[...], gas: &gas)
  }

  private static let name = word(32) + word(5) + Array("Näme".utf8) + Array(repeating: 0, count: 27)
  private static let symbol = Array("SYM".utf8) + Array(repeating: 0, count: 29)
  private static let goAway =
    [0x08, 0xc3, 0x79, 0xa0] + word(32) + word(7) + Array("go away".utf8) + Array(repeating: 0, count: 25)

  static let calls: [(Address, [UInt8], CallOutcome)] = [
    (good, ABI.balanceOf(alice), .returned(word(77))),
    (good, ABI.balanceOf(good), .returned(word(0))),
    (good, ABI.encode(.totalSupply), .returned(word(77))),
    (good, ABI.encode(.name), .returned(name)),
    (good, ABI.encode(.decimals), .returned(word(6))),
    (good, ABI.encode(.balanceOf), .reverted([])),
    (good, ABI.encode(.balanceOf, .max), .reverted([])),
    (good, ABI.encode(.latestRoundData), .reverted([])),
    (good, [], .reverted([])),
    (good, [0x70, 0xa0, 0x82], .reverted([])),
    (old, ABI.encode(.symbol), .returned(symbol)),
    (old, ABI.balanceOf(alice), .returned(word(77))),
    (bare, ABI.encode(.name), .reverted([])),
    (bare, ABI.encode(.symbol), .reverted([])),
    (bare, ABI.encode(.decimals), .reverted([])),
    (bare, ABI.balanceOf(alice), .returned(word(77))),
    (angry, ABI.balanceOf(alice), .reverted(goAway)),
    (empty, ABI.balanceOf(alice), .returned([])),
    (burner, ABI.balanceOf(alice), .outOfGas),
    (garbage, ABI.balanceOf(alice), .returned([0xFF, 0xFF, 0xFF])),
    (alice, ABI.balanceOf(alice), .returned([])),
    (multicall, Multicall3.getEthBalance(alice), .returned(word(9))),
    (multicall, ABI.encode(.getBlockNumber), .returned(word(1_234))),
    (multicall, ABI.encode(.getChainId), .returned(word(31_337))),
    (multicall, ABI.encode(.getCurrentBlockTimestamp), .returned(word(1_700_000_000))),
    (multicall, ABI.encode(.name), .reverted([])),
    (multicall, ABI.encode(.aggregate3), .reverted([])),
    (multicall, Multicall3.aggregate3([]), .returned(word(32) + word(0))),
    (Chain.arbSys, ABI.encode(.arbBlockNumber), .returned([])),
  ]

  @Test(arguments: calls)
  func call(target: Address, data: [UInt8], outcome: CallOutcome) throws {
    #expect(Self.run(target, data, try Self.chain()) == outcome)
  }

  @Test func blockHashes() throws {
    var chain = try Self.chain()
    for _ in 0..<300 { chain.mine() }
    let get = ABI.Selector("getBlockHash(uint256)")
    func hash(_ number: UInt256) -> CallOutcome { Self.run(Self.multicall, ABI.encode(get, number), chain) }
    let latest = chain.head.number
    #expect(
      Self.run(Self.multicall, ABI.encode(.getLastBlockHash), chain) == .returned(chain.head.parentHash.bytes)
    )
    #expect(hash(UInt256(latest - 1)) == .returned(chain.head.parentHash.bytes))
    #expect(hash(UInt256(latest - 256)) == .returned(chain.blockHash(latest - 256).bytes))
    for number in [UInt256(latest), UInt256(latest - 257), .max] {
      #expect(hash(number) == .returned(word(0)))
    }
  }

  @Test func arbitrum() throws {
    let chain = try Self.chain(hasArbSys: true)
    #expect(Self.run(Chain.arbSys, ABI.encode(.arbBlockNumber), chain) == .returned(word(1_234)))
    #expect(Self.run(Self.multicall, ABI.encode(.getBlockNumber), chain) == .returned(word(12)))
  }

  // MARK: - aggregate3

  typealias Outcomes = [(Bool, [UInt8])]

  static func aggregate(_ calls: [Multicall3.Call], _ chain: SimulatedChain) throws -> [Multicall3.Result]? {
    guard case .returned(let data) = run(multicall, Multicall3.aggregate3(calls), chain) else { return nil }
    return try Multicall3.decodeAggregate3(data, count: calls.count, limit: 10_000)
  }

  private static func balance(of target: Address, mayFail: Bool = true) -> Multicall3.Call {
    Multicall3.Call(target: target, allowFailure: mayFail, data: ABI.balanceOf(alice))
  }

  @Test func failuresAreAllowed() throws {
    let targets = [Self.good, Self.angry, Self.empty, Self.alice, Self.garbage, Self.old]
    let results = try #require(try Self.aggregate(targets.map { Self.balance(of: $0) }, try Self.chain()))
    #expect(results.map(\.success) == [true, false, true, true, true, true])
    #expect(
      results.map { Array($0.data) }
        == [word(77), Self.goAway, [], [], [0xFF, 0xFF, 0xFF], word(77)])
  }

  @Test(arguments: [angry, burner])
  func failureRevertsAll(target: Address) throws {
    let calls = [Self.balance(of: Self.good), Self.balance(of: target, mayFail: false)]
    let outcome = Self.run(Self.multicall, Multicall3.aggregate3(calls), try Self.chain())
    guard case .reverted(let data) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(ABI.revertReason(data, limit: 100) == "Multicall3: call failed")
  }

  /// The first burner leaves a 64th of the gas, which is enough for what follows; the third leaves nothing to
  /// go on with.
  @Test(arguments: [(1, true), (2, true), (3, false), (4, false)])
  func burnersStarveOthers(burners: Int, survives: Bool) throws {
    let calls =
      Array(repeating: Self.balance(of: Self.burner), count: burners) + [Self.balance(of: Self.good)]
    let results = try Self.aggregate(calls, try Self.chain())
    #expect((results?.last?.success == true) == survives)
    if let results { #expect(results.dropLast().allSatisfy { !$0.success && $0.data.isEmpty }) }
  }

  @Test func nested() throws {
    let chain = try Self.chain()
    func nest(_ depth: Int) -> [UInt8] {
      depth == 0
        ? ABI.encode(.getChainId)
        : Multicall3.aggregate3([Multicall3.Call(target: Self.multicall, data: nest(depth - 1))])
    }
    for depth in [1, 2, 8] {
      guard case .returned(let data) = Self.run(Self.multicall, nest(depth), chain) else {
        Issue.record("depth \(depth)")
        continue
      }
      #expect(try Multicall3.decodeAggregate3(data, count: 1, limit: 10_000)[0].success)
    }
    guard case .returned(var data) = Self.run(Self.multicall, nest(9), chain) else {
      Issue.record("the outer calls stand")
      return
    }
    for _ in 0..<7 { data = Array(try Multicall3.decodeAggregate3(data, count: 1, limit: 10_000)[0].data) }
    #expect(try !Multicall3.decodeAggregate3(data, count: 1, limit: 10_000)[0].success)
  }

  @Test func workIsBounded() throws {
    let chain = try Self.chain(gasCap: 1_000_000)
    var data = Multicall3.aggregate3(
      Array(repeating: Multicall3.Call(target: Self.multicall, data: ABI.encode(.getChainId)), count: 100))
    for _ in 0..<2 {
      data = Multicall3.aggregate3(
        Array(repeating: Multicall3.Call(target: Self.multicall, data: data), count: 10))
    }
    var execution = Execution(chain: chain, block: chain.head, isPending: false)
    var gas = chain.configuration.gasCap
    _ = execution.call(Self.multicall, data[...], gas: &gas)
    #expect((100...500).contains(execution.subcalls), "of 10,110")
  }

  /// Calldata from anybody: whatever it is, there is an outcome.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func randomCalldata(seed: UInt64) throws {
    let chain = try Self.chain(gasCap: 1_000_000)
    var generator = SeededGenerator(seed: seed)
    let valid = Multicall3.aggregate3([Self.balance(of: Self.good), Self.balance(of: Self.angry)])
    for _ in 0..<300 {
      var data = valid
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        data[Int.random(in: 4..<data.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) { data.removeLast(Int.random(in: 0..<data.count, using: &generator)) }
      _ = Self.run(Self.multicall, data, chain)
    }
  }
}
