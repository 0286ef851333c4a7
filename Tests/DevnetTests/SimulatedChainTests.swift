import Devnet
import Ethereum
import TestSupport
import Testing

@Suite struct SimulatedChainTests {
  static let token = account(0xA1)
  static let (alice, bob) = (account(1), account(2))

  static func chain(stateBlocks: Int = 128, logBlocks: Int = 1_000) throws -> SimulatedChain {
    var chain = SimulatedChain(
      SimulatedChain.Configuration(seed: 7, firstBlock: 100, stateBlocks: stateBlocks, logBlocks: logBlocks))
    chain.deploy(SimulatedContract(name: "Token", symbol: "T", decimals: 18), at: token)
    try chain.mint(token, to: alice, amount: 1_000)
    chain.setNative(alice, to: 50)
    return chain
  }

  @Test func transferConservesSupply() throws {
    var chain = try Self.chain()
    var generator = SeededGenerator(seed: 11)
    let owners = (1...5).map { account($0) }
    for round in 0..<500 {
      let from = owners.randomElement(using: &generator) ?? Self.alice
      let to = owners.randomElement(using: &generator) ?? Self.bob
      let amount = UInt256(UInt64.random(in: 0...400, using: &generator))
      try? chain.transfer(Self.token, from: from, to: to, amount: amount)
      try? chain.transfer(nil, from: from, to: to, amount: amount)
      if round % 7 == 0 { chain.mine() }
    }
    chain.mine()
    #expect(owners.reduce(0) { $0 + (chain.balance(Self.token, of: $1).uint64 ?? 0) } == 1_000)
    #expect(owners.reduce(0) { $0 + (chain.balance(nil, of: $1).uint64 ?? 0) } == 50)
    #expect(chain.supply(of: Self.token) == 1_000)
  }

  @Test func refusals() throws {
    var chain = try Self.chain()
    let (alice, bob) = (Self.alice, Self.bob)
    func refusal(_ change: (inout SimulatedChain) throws(SimulatedChainError) -> Void) -> SimulatedChainError?
    {
      do throws(SimulatedChainError) {
        try change(&chain)
        return nil
      } catch {
        return error
      }
    }
    let short = SimulatedChainError.insufficientBalance(1_000)
    for to in [alice, bob] {
      let error = refusal { (chain) throws(SimulatedChainError) in
        try chain.transfer(Self.token, from: alice, to: to, amount: 1_001)
      }
      #expect(error == short)
    }
    let unknown = refusal { (chain) throws(SimulatedChainError) in
      try chain.transfer(bob, from: alice, to: bob, amount: 1)
    }
    #expect(unknown == .unknownToken(bob))
    let unminted = refusal { (chain) throws(SimulatedChainError) in try chain.mint(bob, to: bob, amount: 1) }
    #expect(unminted == .unknownToken(bob))
    let tooMany = refusal { (chain) throws(SimulatedChainError) in
      try chain.mint(Self.token, to: bob, amount: .max)
    }
    #expect(tooMany == .overflow)
    chain.setNative(bob, to: .max)
    let tooRich = refusal { (chain) throws(SimulatedChainError) in
      try chain.transfer(nil, from: alice, to: bob, amount: 1)
    }
    #expect(tooRich == .overflow)
    #expect(chain.pendingBalance(Self.token, of: Self.alice) == 1_000)
    #expect(chain.pendingBalance(nil, of: Self.alice) == 50)
  }

  @Test func toOneself() throws {
    var chain = try Self.chain()
    try chain.transfer(Self.token, from: Self.alice, to: Self.alice, amount: 1_000)
    #expect(chain.balance(Self.token, of: Self.alice) == 1_000)
  }

  @Test func headers() throws {
    var chain = try Self.chain()
    let first = chain.head
    let second = chain.mine()
    let third = chain.mine(timestamp: 1_800_000_000)
    let fourth = chain.mine(timestamp: 5)
    #expect([first, second, third, fourth].map(\.number) == [100, 101, 102, 103])
    #expect(second.parentHash == first.hash && third.parentHash == second.hash)
    #expect(second.timestamp == first.timestamp + 2)
    #expect(third.timestamp == 1_800_000_000)
    #expect(fourth.timestamp == 1_800_000_001, "time never stands still")
    #expect(chain.head == fourth)
  }

  @Test func hashesComeFromTheSeed() {
    func hash(_ seed: UInt64, _ number: UInt64) -> Bytes32 {
      SimulatedChain(SimulatedChain.Configuration(seed: seed)).blockHash(number)
    }
    #expect(hash(1, 5) == hash(1, 5))
    #expect(hash(1, 5) != hash(2, 5))
    #expect(hash(1, 5) != hash(1, 6))
    // keccak256 of 5 and 1 as big-endian uint64 behind 16 zero bytes.
    #expect(hash(1, 5) == Keccak256.hash(Array(repeating: 0, count: 23) + [5, 0, 0, 0, 0, 0, 0, 0, 1]))
  }

  @Test func openBlock() throws {
    var chain = try Self.chain()
    #expect(
      chain.balance(Self.token, of: Self.alice) == 1_000, "the first block is open until the first mine()")
    chain.mine()
    try chain.transfer(Self.token, from: Self.alice, to: Self.bob, amount: 400)
    #expect(chain.balance(Self.token, of: Self.alice) == 1_000)
    #expect(chain.pendingBalance(Self.token, of: Self.alice) == 600)
    chain.mine()
    #expect(chain.balance(Self.token, of: Self.alice) == 600)
    #expect(chain.balance(Self.token, of: Self.bob) == 400)
  }
}
