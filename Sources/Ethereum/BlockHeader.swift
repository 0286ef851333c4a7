public import JSON

/// What we need of a block, from `eth_getBlockByNumber` or a `newHeads` notification.
public struct BlockHeader: Sendable, Hashable {
  public let number: UInt64
  public let hash: Bytes32
  public let parentHash: Bytes32
  /// Unix seconds.
  public let timestamp: UInt64

  public init(number: UInt64, hash: Bytes32, parentHash: Bytes32, timestamp: UInt64) {
    self.number = number
    self.hash = hash
    self.parentHash = parentHash
    self.timestamp = timestamp
  }

  public init(_ value: JSONValue) throws(JSONRPC.CallError) {
    self.init(
      number: try JSONRPC.uint64(value["number"] ?? .null),
      hash: try JSONRPC.bytes32(value["hash"] ?? .null),
      parentHash: try JSONRPC.bytes32(value["parentHash"] ?? .null),
      timestamp: try JSONRPC.uint64(value["timestamp"] ?? .null))
  }
}

/// What a contract sees of the block it runs in. No other of that height has it, but one that was made in the same second.
public struct BlockTraits: Sendable, Hashable {
  public let parentHash: Bytes32
  /// Unix seconds.
  public let timestamp: UInt64

  public init(parentHash: Bytes32, timestamp: UInt64) {
    self.parentHash = parentHash
    self.timestamp = timestamp
  }
}

extension BlockHeader {
  public var traits: BlockTraits { BlockTraits(parentHash: parentHash, timestamp: timestamp) }
}

/// An event of a contract, from `eth_getLogs` or a `logs` notification.
public struct Log: Sendable, Hashable {
  /// The contract.
  public let address: Address
  /// At most four.
  public let topics: [Bytes32]
  public let data: [UInt8]
  public let blockNumber: UInt64
  public let blockHash: Bytes32
  /// Whether a reorganisation took it back.
  public let removed: Bool

  public init(
    address: Address, topics: [Bytes32], data: [UInt8], blockNumber: UInt64, blockHash: Bytes32,
    removed: Bool
  ) {
    self.address = address
    self.topics = topics
    self.data = data
    self.blockNumber = blockNumber
    self.blockHash = blockHash
    self.removed = removed
  }

  public init(_ value: JSONValue) throws(JSONRPC.CallError) {
    guard let topicValues = value["topics"]?.array, topicValues.count <= 4 else {
      throw .malformed("a log without at most four topics")
    }
    var topics: [Bytes32] = []
    for topic in topicValues { topics.append(try JSONRPC.bytes32(topic)) }
    self.init(
      address: try JSONRPC.address(value["address"] ?? .null), topics: topics,
      data: try JSONRPC.data(value["data"] ?? .null),
      blockNumber: try JSONRPC.uint64(value["blockNumber"] ?? .null),
      blockHash: try JSONRPC.bytes32(value["blockHash"] ?? .null),
      removed: value["removed"]?.bool ?? false)
  }

  /// What a log tells about an ERC-20 balance.
  public enum Movement: Sendable, Hashable {
    case transfer(from: Address, to: Address, amount: UInt256)
    /// A wrapped coin's Deposit (`wrapped`) or Withdrawal.
    case wrapping(owner: Address, amount: UInt256, wrapped: Bool)
  }

  /// An ERC-20 Transfer has three topics and one word of data; with four topics it is an NFT's, and nothing
  /// to us.
  public var movement: Movement? {
    guard data.count == 32, let amount = UInt256(bigEndian: data.span), let event = topics.first else {
      return nil
    }
    let accounts = topics.dropFirst().map { Address(word: $0.value) }
    switch (event, accounts.count) {
    case (ABI.Topic.transfer, 2):
      guard let from = accounts[0], let to = accounts[1] else { return nil }
      return .transfer(from: from, to: to, amount: amount)
    case (ABI.Topic.deposit, 1), (ABI.Topic.withdrawal, 1):
      guard let owner = accounts[0] else { return nil }
      return .wrapping(owner: owner, amount: amount, wrapped: event == ABI.Topic.deposit)
    default: return nil
    }
  }
}
