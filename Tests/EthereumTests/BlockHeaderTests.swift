import Ethereum
import JSON
import Testing

private let hash = "0x" + String(repeating: "ab", count: 32)
private let alice = Address(high: 1, middle: 2, low: 3)
private let bob = Address(high: 4, middle: 5, low: 6)

@Suite struct BlockHeaderTests {
  private let block: JSONValue = [
    "number": "0x1406f40", "hash": .string(hash), "parentHash": .string(hash), "timestamp": "0x6921a1a0",
    "transactions": [], "baseFeePerGas": "0x7",
  ]

  @Test func aBlock() throws {
    let header = try BlockHeader(block)
    #expect(header.number == 21_000_000)
    #expect(header.hash.description == hash)
    #expect(header.timestamp == 0x6921_a1a0)
  }

  @Test(arguments: ["number", "hash", "parentHash", "timestamp"])
  func eachMemberCounts(member: String) throws {
    var object = try #require(block.object)
    for value: JSONValue? in [nil, .null, "0x", 5] {
      object[member] = value
      #expect(throws: JSONRPC.CallError.self) { try BlockHeader(.object(object)) }
    }
    #expect(throws: JSONRPC.CallError.self) { try BlockHeader(.null) }
  }
}

@Suite struct LogTests {
  private func log(_ topics: [UInt256], _ data: [UInt8]) -> Log {
    Log(
      address: alice, topics: topics.map { Bytes32($0) }, data: data, blockNumber: 1, blockHash: .zero,
      removed: false)
  }

  @Test func aLog() throws {
    let value: JSONValue = [
      "address": .string(alice.checksummed), "topics": [.string(ABI.Topic.transfer.description)],
      "data": "0x01",
      "blockNumber": "0x10", "blockHash": .string(hash), "removed": true, "logIndex": "0x0",
    ]
    let log = try Log(value)
    #expect(log.address == alice && log.topics == [ABI.Topic.transfer] && log.data == [1])
    #expect(log.blockNumber == 16 && log.removed)
    for member in ["address", "topics", "data", "blockNumber", "blockHash"] {
      var object = try #require(value.object)
      object[member] = "0xzz"
      #expect(throws: JSONRPC.CallError.self) { try Log(.object(object)) }
    }
    var object = try #require(value.object)
    object["topics"] = .array([JSONValue](repeating: .string(hash), count: 5))
    #expect(throws: JSONRPC.CallError.self) { try Log(.object(object)) }
  }

  @Test func movements() {
    let transfer = ABI.Topic.transfer.value
    #expect(
      log([transfer, alice.word, bob.word], word(5)).movement == .transfer(from: alice, to: bob, amount: 5))
    #expect(
      log([ABI.Topic.deposit.value, bob.word], word(5)).movement
        == .wrapping(owner: bob, amount: 5, wrapped: true))
    #expect(
      log([ABI.Topic.withdrawal.value, bob.word], word(5)).movement
        == .wrapping(owner: bob, amount: 5, wrapped: false))
    let none: [Log] = [
      // An NFT; too few topics; too much or too little data; an address that is none; another event; nothing.
      log([transfer, alice.word, bob.word, 1], []), log([transfer, alice.word, bob.word, 1], word(5)),
      log([transfer, alice.word], word(5)), log([transfer, alice.word, bob.word], []),
      log([transfer, alice.word, bob.word], word(5) + word(6)), log([transfer, .max, bob.word], word(5)),
      log([1, alice.word, bob.word], word(5)), log([], word(5)),
      log([ABI.Topic.deposit.value, .max], word(5)),
    ]
    for log in none { #expect(log.movement == nil) }
  }
}
