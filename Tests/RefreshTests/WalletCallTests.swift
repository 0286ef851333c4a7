import Ethereum
import Ledger
import TestSupport
import Testing

@testable import Refresh

struct WalletCallTests {
  static let owner = Address(high: 0x1111_1111_1111_1111, middle: 2, low: 3)
  static let tokens = (1...3).map {
    ReadPlan.Entry(id: TokenID($0), contract: .numbered(UInt64($0)), needsMetadata: $0 == 2)
  }
  static let plain = ReadPlan.Entry(id: 7, contract: .numbered(7), needsMetadata: false)

  private func call(_ scope: WalletCall.Scope, repeats: Int = 1) throws -> WalletCall {
    WalletCall(owner: Self.owner, chain: try .test(), tokens: Self.tokens, scope: scope, repeats: repeats)
  }

  // MARK: What is asked

  @Test func asksForAllInOneCallWithMetadataLast() throws {
    let call = try call([.prelude, .balances, .metadata])
    #expect(
      call.questions == [
        .blockNumber, .parentHash, .timestamp, .chainID, .nativeBalance, .balance(0), .balance(1),
        .balance(2),
        .name(1), .symbol(1), .decimals(1),
      ])
    let mayFail = call.calls.allSatisfy(\.allowFailure)
    #expect(mayFail)
    #expect(call.calls[6].target == .numbered(2))
    #expect(call.calls[6].data == ABI.balanceOf(Self.owner))
    #expect(call.calls[10].data == ABI.encode(.decimals))
  }

  @Test func asksForNoMoreThanItsScope() throws {
    #expect(try call(.balances).questions == [.balance(0), .balance(1), .balance(2)])
    #expect(try call(.metadata).questions == [.name(1), .symbol(1), .decimals(1)])
    #expect(try call(.prelude).questions.count == WalletCall.preludeMaximum)
    #expect(
      try call(.balances, repeats: 2).questions == [
        .balance(0), .balance(0), .balance(1), .balance(1), .balance(2), .balance(2),
      ])
  }

  @Test func asksArbitrumForItsOwnBlockNumber() throws {
    let chain = try #require(ChainRegistry.chain(ChainCode(parsing: "ARB")))
    let call = WalletCall(owner: Self.owner, chain: chain, tokens: [], scope: .prelude)
    #expect(call.calls[0].target == Chain.arbSys)
    #expect(call.calls[0].data == ABI.encode(.arbBlockNumber))
    #expect(call.calls[2].target == chain.multicall3)
  }

  // MARK: What is answered

  private struct Case: CustomTestStringConvertible {
    var name: String
    var balance: Returned
    var outcome: WalletReading.Outcome
    var isSilent = false
    var testDescription: String { name }
  }

  private static let balances: [Case] = [
    Case(name: "one word", balance: .word(25), outcome: .balance(25)),
    Case(name: "zero", balance: .word(0), outcome: .balance(0)),
    Case(
      name: "the most", balance: .success(Array(repeating: 0xFF, count: 32)),
      outcome: .balance(UInt256(.max, .max, .max, .max))),
    Case(
      name: "two words: the first counts",
      balance: .success(UInt256(25).bigEndianBytes + Array(repeating: 0xEE, count: 32)), outcome: .balance(25)
    ),
    Case(
      name: "32 KiB", balance: .success(UInt256(25).bigEndianBytes + Array(repeating: 0, count: 32_736)),
      outcome: .balance(25)),
    Case(name: "nothing", balance: .success([]), outcome: .failed),
    Case(name: "a byte", balance: .success([1]), outcome: .failed),
    Case(name: "31 bytes", balance: .success(Array(repeating: 0, count: 31)), outcome: .failed),
    Case(name: "reverted without a word", balance: .failure([]), outcome: .failed, isSilent: true),
    Case(name: "reverted with a reason", balance: .failure([8, 0xC3, 0x79, 0xA0]), outcome: .failed),
    Case(
      name: "reverted with a word that is no balance", balance: .failure(UInt256(5).bigEndianBytes),
      outcome: .failed),
  ]

  @Test(arguments: balances)
  private func aTokenSpoilsNoOther(_ test: Case) throws {
    let call = try call([.prelude, .balances, .metadata])
    let data = Returned.aggregate(
      [
        .word(1_000), .word(8), .word(77), .word(31_337), .word(5), .word(1), test.balance, .word(3),
        .text("Name"), .text("SYM"), .word(6),
      ])
    let answer = try call.decode(data)
    #expect(answer.block == 1_000)
    #expect(answer.chainID == 31_337)
    #expect(answer.timestamp == 77)
    #expect(answer.traits == BlockTraits(parentHash: Bytes32(8), timestamp: 77))
    #expect(answer.native == .balance(5))
    #expect(answer.balances == [.balance(1), test.outcome, .balance(3)])
    #expect(answer.silent == (test.isSilent ? [1] : []))
    #expect(answer.metadata == [1: .init(name: "Name", symbol: "SYM", decimals: 6, isAnswered: true)])
    #expect(answer.silentMetadata.isEmpty)
  }

  private static let names: [(Returned, String?)] = [
    (.text("Dai Stablecoin"), "Dai Stablecoin"),
    (.success(Array("MKR".utf8) + Array(repeating: 0, count: 29)), "MKR"),
    (.text(""), nil),
    (.success([]), nil),
    (.failure([]), nil),
    (.failure([1]), nil),
    (.success(Array(repeating: 0xFF, count: 32)), nil),
    (.success(Array(repeating: 0xFF, count: 64)), nil),
    (.success(Array(repeating: 0, count: 32)), nil),
    (.success(Array(repeating: 0, count: 31)), nil),
    (.text("a\u{202E}b\nc"), "ab c"),
    (.text(String(repeating: "N", count: 2_000)), String(repeating: "N", count: 64)),
    (.text(String(repeating: "N", count: 5_000)), nil),
    (.text("火星币 🚀"), "火星币 🚀"),
  ]

  @Test(arguments: names)
  func namesAreTakenFromStrangersWithCare(_ name: Returned, _ expected: String?) throws {
    let answer = try call(.metadata).decode(Returned.aggregate([name, .text("S"), .word(18)]))
    #expect(answer.metadata[1] == .init(name: expected, symbol: "S", decimals: 18, isAnswered: true))
  }

  private static let decimals: [(Returned, UInt8?)] = [
    (.word(0), 0), (.word(77), 77), (.word(78), nil), (.word(255), nil), (.success([6]), nil),
    (.success(Array(repeating: 0xFF, count: 32)), nil), (.failure([]), nil),
  ]

  @Test(arguments: decimals)
  func decimalsAreBelievedUpTo77(_ decimals: Returned, _ expected: UInt8?) throws {
    let answer = try call(.metadata).decode(Returned.aggregate([.text("N"), .text("S"), decimals]))
    #expect(answer.metadata[1]?.decimals == expected)
  }

  @Test func onlyTotalSilenceIsSilentMetadata() throws {
    let silent = try call(.metadata).decode(Returned.aggregate([.failure([]), .failure([]), .failure([])]))
    #expect(silent.silentMetadata == [1])
    let partial = try call(.metadata).decode(Returned.aggregate([.failure([]), .failure([1]), .failure([])]))
    #expect(partial.silentMetadata.isEmpty)
  }

  @Test func oneAnswerOfSeveralIsEnough() throws {
    let call = WalletCall(
      owner: Self.owner, chain: try .test(), tokens: [Self.plain], scope: .balances, repeats: 3)
    let starved = try call.decode(Returned.aggregate([.word(9), .word(9), .failure([])]))
    #expect(starved.balances == [.balance(9)])
    #expect(starved.silent.isEmpty)
    #expect(try call.decode(Returned.aggregate([.failure([]), .failure([]), .failure([])])).silent == [0])
  }

  // MARK: What is no answer at all

  private static func hostile() -> [(String, [UInt8])] {
    let good = Returned.aggregate([.word(1), .word(2), .word(3)])
    func with(_ word: Int, _ value: UInt256) -> [UInt8] {
      var bytes = good
      bytes.replaceSubrange(word * 32..<(word * 32 + 32), with: value.bigEndianBytes)
      return bytes
    }
    let huge = UInt256(.max, .max, .max, .max)
    return [
      ("nothing", []), ("a byte", [0]), ("a word", Array(good[..<32])), ("cut short", Array(good[..<200])),
      ("two results", Returned.aggregate([.word(1), .word(2)])),
      ("four results", Returned.aggregate([.word(1), .word(2), .word(3), .word(4)])),
      ("an array far away", with(0, huge)), ("an array just outside", with(0, UInt256(UInt64(good.count)))),
      ("2^256 - 1 results", with(1, huge)), ("2^63 results", with(1, UInt256(1 << 63))),
      ("a tuple far away", with(2, huge)), ("a success that is 2", with(5, 2)),
      ("bytes far away", with(6, huge)), ("bytes without end", with(7, huge)),
      ("an error's data", Array(repeating: 0xFF, count: 4)),
    ]
  }

  @Test(arguments: hostile())
  func whatIsNotTheAnswerIsRefused(_ name: String, _ bytes: [UInt8]) throws {
    let call = try call(.balances)
    #expect(throws: ABIError.self) { _ = try call.decode(bytes) }
  }

  @Test func anyBytesAreReadOrRefused() throws {
    let call = try call([.prelude, .balances, .metadata])
    let good = Returned.aggregate(
      [
        .word(1), .word(2), .word(3), .word(4), .word(5), .word(6), .word(7), .text("N"), .text("S"),
        .word(6),
      ])
    for seed in 0..<500 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var bytes = good
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[index] = Bool.random(using: &generator) ? 0xFF : UInt8.random(in: 0...255, using: &generator)
      }
      if seed % 5 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
      guard let answer = try? call.decode(bytes) else { continue }
      #expect(answer.balances.count == 3, "seed \(seed)")
    }
  }
}
