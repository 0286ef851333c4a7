import Ethereum
import JSON
import Ledger
import Testing

@testable import Refresh

struct TransferScanTests {
  private static func plan(wallets: Int) -> FollowedWallets.Plan {
    FollowedWallets.Plan(
      from: 10, through: 20,
      wallets: (0..<wallets).map { (WalletID($0), Address.numbered(UInt64($0)), 0) })
  }

  @Test func twoQuestionsForAThousandWallets() throws {
    #expect(TransferScan(Self.plan(wallets: 0)).requests.isEmpty)
    #expect(TransferScan(Self.plan(wallets: 1_001)).requests.count == 4)
    let requests = TransferScan(Self.plan(wallets: 1_000)).requests
    #expect(requests.count == 2)
    let filters = try requests.map { try #require($0.params.first) }
    for filter in filters {
      #expect(filter["fromBlock"] == "0xa" && filter["toBlock"] == "0x14")
      #expect(filter["address"] == nil)
    }
    let senders = try #require(filters[0]["topics"]?.array)
    #expect(senders.count == 2 && senders[0].array?.count == 3 && senders[1].array?.count == 1_000)
    let receivers = try #require(filters[1]["topics"]?.array)
    #expect(receivers.count == 3 && receivers[0].array == [.string(ABI.Topic.transfer.description)])
    #expect(receivers[1].isNull && receivers[2].array?.count == 1_000)
  }

  private static func log(
    _ topics: [Bytes32], contract: UInt64 = 500, words: Int = 1, removed: Bool = false
  ) -> JSONValue {
    [
      "address": .string(Address.numbered(contract).lowercase),
      "topics": .array(topics.map { .string($0.description) }),
      "data": .string(Hex.encode(Array(repeating: 1, count: words * 32))), "blockNumber": "0xa",
      "blockHash": .string(Bytes32.zero.description), "removed": .bool(removed),
    ]
  }
  private static func word(_ number: UInt64) -> Bytes32 { Bytes32(Address.numbered(number).word) }

  private struct Case {
    var name: String
    var log: JSONValue
    var pairs: [WalletID] = []
    var wrappings: [WalletID] = []
  }
  private static let transfer = ABI.Topic.transfer
  private static let cases: [Case] = [
    Case(name: "out", log: log([transfer, word(1), word(90)]), pairs: [1]),
    Case(name: "in", log: log([transfer, word(90), word(2)]), pairs: [2]),
    Case(name: "from one to the other", log: log([transfer, word(1), word(2)]), pairs: [1, 2]),
    Case(name: "to oneself", log: log([transfer, word(1), word(1)]), pairs: [1]),
    Case(name: "of others", log: log([transfer, word(90), word(91)])),
    Case(name: "an NFT's", log: log([transfer, word(1), word(2), word(3)], words: 0)),
    Case(name: "without an amount", log: log([transfer, word(1), word(2)], words: 0)),
    Case(name: "no address", log: log([transfer, Bytes32(UInt256(1, 1, 1, 1)), word(2)])),
    Case(name: "taken back", log: log([transfer, word(1), word(2)], removed: true)),
    Case(name: "wrapped", log: log([ABI.Topic.deposit, word(1)]), wrappings: [1]),
    Case(name: "unwrapped", log: log([ABI.Topic.withdrawal, word(2)]), wrappings: [2]),
    Case(name: "another's Deposit", log: log([ABI.Topic.deposit, word(90)])),
    Case(name: "without topics", log: log([])),
  ]

  @Test(arguments: cases)
  private func whatALogChanges(_ test: Case) throws {
    var scan = TransferScan(Self.plan(wallets: 3))
    try scan.take(.array([test.log, test.log]))
    #expect(scan.logCount == 2)
    #expect(scan.pairs == Set(test.pairs.map { ChangedPair(wallet: $0, contract: .numbered(500)) }))
    #expect(scan.wrappings == Set(test.wrappings.map { ChangedPair(wallet: $0, contract: .numbered(500)) }))
  }

  private static let hostile: [JSONValue] = [
    .null, "0x", [:], [.null], [[:]], ["0x"], [["topics": [], "address": "0x12"]],
    [
      [
        "address": .string(Address.numbered(1).lowercase), "topics": ["0x1"], "data": "0x",
        "blockNumber": "0xa",
        "blockHash": .string(Bytes32.zero.description),
      ]
    ],
  ]

  @Test(arguments: hostile)
  func whatAreNoLogsIsRefused(_ value: JSONValue) {
    var scan = TransferScan(Self.plan(wallets: 3))
    #expect(throws: JSONRPC.CallError.self) { try scan.take(value) }
  }

  @Test func tooMuchIsNotHeld() throws {
    var scan = TransferScan(Self.plan(wallets: 3))
    let many = (0..<UInt64(TransferScan.pairsMaximum + 500)).map {
      Self.log([Self.transfer, Self.word(1), Self.word(90)], contract: 1_000 + $0)
    }
    try scan.take(.array(many))
    #expect(scan.isTooMuch)
    #expect(scan.pairs.count == TransferScan.pairsMaximum + 1)
  }
}

struct FollowCallTests {
  private static let subjects: [FollowCall.Subject] = [
    .native(1, .numbered(1)), .known(1, owner: .numbered(1), 7, .numbered(500)),
    .unknown(2, owner: .numbered(2), .numbered(501)),
  ]

  @Test func asksForAllInOrder() throws {
    let call = FollowCall(chain: try .test(), subjects: Self.subjects, ancestor: 99)
    let chain = Multicall3.canonicalAddress
    #expect(
      call.calls.map(\.target) == [
        chain, chain, chain, chain, .numbered(500), .numbered(501), .numbered(501), .numbered(501),
        .numbered(501),
      ])
    #expect(call.calls[2].data == ABI.encode(.getBlockHash, 99))
    #expect(call.calls[3].data == Multicall3.getEthBalance(.numbered(1)))
    #expect(call.calls[4].data == ABI.balanceOf(.numbered(1)))
    #expect(call.calls[5].data == ABI.balanceOf(.numbered(2)))
    #expect(!call.calls.contains { !$0.allowFailure })
    var arbitrum = try Chain.test()
    arbitrum.quirks = .blockNumberFromArbSys
    let other = FollowCall(chain: arbitrum, subjects: [], ancestor: 99)
    #expect(other.calls.map(\.target) == [Chain.arbSys, chain, Chain.arbSys])
  }

  @Test func readsTheAnswer() throws {
    let call = FollowCall(chain: try .test(), subjects: Self.subjects, ancestor: 99)
    let answer = try call.decode(
      Returned.aggregate([
        .word(100), .word(31_337), .word(5), .word(8), .failure([]), .word(9), .text("N"), .text("S"),
        .word(6),
      ]))
    #expect(answer.block == 100 && answer.chainID == 31_337 && answer.ancestor == Bytes32(5))
    #expect(answer.findings.map(\.outcome) == [.balance(8), .failed, .balance(9)])
    #expect(answer.findings.map(\.isSilent) == [false, true, false])
    #expect(
      answer.findings[2].metadata == .init(name: "N", symbol: "S", decimals: 6, isAnswered: true))
    let failed = try call.decode(Returned.aggregate(Array(repeating: .failure([]), count: 9)))
    #expect(failed.block == nil && failed.chainID == nil && failed.ancestor == nil)
    #expect(failed.findings.map(\.outcome) == [.failed, .failed, .failed])
    #expect(throws: ABIError.self) { try call.decode([]) }
    #expect(throws: ABIError.self) { try call.decode(Returned.aggregate([.word(1)])) }
  }

  @Test func leavesOutTheStrangeFirst() {
    let some = FollowCall.fewer(Self.subjects)
    #expect(some == Array(Self.subjects[..<2]))
    let natives = FollowCall.fewer(some)
    #expect(natives == Array(Self.subjects[..<1]))
    #expect(FollowCall.fewer(natives) == natives)
  }

  @Test(arguments: [(0, []), (1, [1]), (9, [9]), (10, [10]), (11, [10, 1]), (35, [10, 10, 10, 5])])
  func chunksByCost(natives: Int, sizes: [Int]) {
    let subjects = (0..<natives).map { FollowCall.Subject.native(WalletID($0), .numbered(UInt64($0))) }
    let chunks = FollowCall.chunks(subjects, most: 10)
    #expect(chunks.map(\.count) == sizes)
    #expect(chunks.flatMap { $0 } == subjects)
    let mixed = FollowCall.chunks(subjects + Self.subjects, most: 5)
    #expect(mixed.allSatisfy { $0.reduce(0) { $0 + $1.cost } <= 5 })
    #expect(mixed.flatMap { $0 } == subjects + Self.subjects)
  }
}

struct HeadAnnouncerTests {
  private static let words: [(String, HeadAnnouncer.Word)] = [
    (#"{"jsonrpc":"2.0","id":1,"result":"0xcd0c3e8af590364c09d0fa6a1210faf5"}"#, .subscribed),
    (
      #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xcd","result":{"number":"0x1"}}}"#,
      .head(1)
    ),
    (
      #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#,
      .refused("the node says: no such method (-32601)")
    ),
    (
      #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xcd","result":{"number":1}}}"#,
      .head(nil)
    ),
    (#"{"jsonrpc":"2.0","id":2,"result":"0x"}"#, .other), ("[]", .other), ("", .other), ("{", .other),
    ("\u{0}", .other),
  ]

  @Test(arguments: words)
  func readsWhatANodeSends(_ text: String, _ word: HeadAnnouncer.Word) {
    #expect(HeadAnnouncer.read(Array(text.utf8)) == word)
  }
}
