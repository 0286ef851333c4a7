import Ethereum
import JSON

/// What a call reads: a block's end, or the open block.
struct NodeState {
  let block: BlockHeader
  let isPending: Bool
}

extension Execution {
  init(_ state: NodeState, in chain: SimulatedChain) {
    self.init(chain: chain, block: state.block, isPending: state.isPending)
  }
}

/// Blocks, headers and logs as JSON-RPC asks for them.
struct NodeReader {
  let chain: SimulatedChain

  /// How far behind the latest block the tags `safe` and `finalized` are.
  static let safeDepth: UInt64 = 32
  static let finalizedDepth: UInt64 = 64

  private var first: UInt64 { chain.configuration.firstBlock }

  private func behind(_ depth: UInt64) -> UInt64 {
    chain.head.number - first > depth ? chain.head.number - depth : first
  }

  /// A tag or a number, of a block that need not be there.
  func number(_ value: JSONValue, at position: Int = 0) throws(NodeError) -> UInt64 {
    switch try Parameters.text(value, at: position) {
    case "latest", "pending": chain.head.number
    case "safe": behind(Self.safeDepth)
    case "finalized": behind(Self.finalizedDepth)
    case "earliest": first
    default: try Parameters.uint64(value, at: position)
    }
  }

  /// The state that a block parameter names: a tag, a number, or EIP-1898's object. nil is the latest.
  func state(_ value: JSONValue?) throws(NodeError) -> NodeState {
    guard let value else { return NodeState(block: chain.head, isPending: false) }
    if let object = value.object {
      if let hash = object["blockHash"] {
        let hash = try Parameters.bytes32(hash, at: 1)
        guard let block = chain.blocks.last(where: { $0.header.hash == hash }) else {
          throw NodeError(code: -32000, message: "header for hash not found")
        }
        return try state(of: block.header)
      }
      guard let number = object["blockNumber"] else { throw .invalid(1, "neither blockHash nor blockNumber") }
      return try state(number: try Parameters.uint64(number, at: 1))
    }
    if value == "pending" {
      let (head, configuration) = (chain.head, chain.configuration)
      let open = BlockHeader(
        number: head.number &+ 1, hash: chain.blockHash(head.number &+ 1), parentHash: head.hash,
        timestamp: head.timestamp &+ configuration.blockSeconds)
      return NodeState(block: open, isPending: true)
    }
    return try state(number: try number(value, at: 1))
  }

  private func state(number: UInt64) throws(NodeError) -> NodeState {
    guard number <= chain.head.number else { throw NodeError(code: -32000, message: "header not found") }
    guard let block = chain.block(number) else {
      throw NodeError(code: -32000, message: "missing trie node: state of block \(number) is not available")
    }
    return try state(of: block.header)
  }

  private func state(of header: BlockHeader) throws(NodeError) -> NodeState {
    guard header.number >= chain.oldestState else {
      throw NodeError(
        code: -32000, message: "missing trie node: state of block \(header.number) is not available")
    }
    return NodeState(block: header, isPending: false)
  }

  // MARK: - Headers

  /// null where there is no such block, or no longer.
  func header(_ number: UInt64) -> JSONValue { chain.block(number).map { Self.json($0.header) } ?? .null }

  func header(hash: Bytes32) -> JSONValue {
    chain.blocks.last { $0.header.hash == hash }.map { Self.json($0.header) } ?? .null
  }

  private static let zeroHash = JSONValue.string(Bytes32.zero.description)

  private static func json(_ header: BlockHeader) -> JSONValue {
    [
      "number": .string(UInt256(header.number).quantity), "hash": .string(header.hash.description),
      "parentHash": .string(header.parentHash.description),
      "timestamp": .string(UInt256(header.timestamp).quantity), "miner": .string(Address.zero.lowercase),
      "stateRoot": zeroHash, "transactionsRoot": zeroHash, "receiptsRoot": zeroHash,
      "nonce": "0x0000000000000000",
      "difficulty": "0x0", "gasLimit": "0x1c9c380", "gasUsed": "0x0", "baseFeePerGas": "0x7",
      "extraData": "0x",
      "transactions": [], "uncles": [],
    ]
  }

  // MARK: - Logs

  /// `eth_getLogs`. Blocks that are no longer kept have no logs.
  func logs(_ filter: JSONObject) throws(NodeError) -> JSONValue {
    let blocks = try blocks(filter)
    let addresses = try choices(filter["address"], Parameters.address)
    let topics = try topics(filter["topics"])
    var found: [JSONValue] = []
    for block in blocks {
      for (index, log) in block.logs.enumerated() {
        guard addresses.isEmpty || addresses.contains(log.address), Self.matches(log, topics) else {
          continue
        }
        guard found.count < chain.configuration.logsMaximum else {
          let most = chain.configuration.logsMaximum
          throw NodeError(code: -32005, message: "query returned more than \(most) results")
        }
        found.append(Self.json(log, index: index))
      }
    }
    return .array(found)
  }

  private func blocks(_ filter: JSONObject) throws(NodeError) -> ArraySlice<SimulatedChain.Block> {
    if let hash = filter["blockHash"], !hash.isNull {
      guard filter["fromBlock"] == nil, filter["toBlock"] == nil else {
        throw .invalid(0, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
      }
      let hash = try Parameters.bytes32(hash, at: 0)
      guard let index = chain.blocks.lastIndex(where: { $0.header.hash == hash }) else {
        throw NodeError(code: -32000, message: "unknown block")
      }
      return chain.blocks[index...index]
    }
    let from = try number(filter["fromBlock"] ?? "latest")
    let to = try number(filter["toBlock"] ?? "latest")
    guard from <= to else { throw NodeError(code: -32000, message: "invalid block range params") }
    let oldest = chain.head.number - UInt64(chain.blocks.count - 1)
    guard from <= chain.head.number, to >= oldest else { return [] }
    return chain.blocks[Int(max(from, oldest) - oldest)...Int(min(to, chain.head.number) - oldest)]
  }

  /// One value, several, or none that matches all.
  private func choices<Value>(
    _ value: JSONValue?, _ parse: (JSONValue, Int) throws(NodeError) -> Value
  ) throws(NodeError) -> [Value] {
    guard let value, !value.isNull else { return [] }
    var choices: [Value] = []
    for value in value.array ?? [value] { choices.append(try parse(value, 0)) }
    return choices
  }

  private func topics(_ value: JSONValue?) throws(NodeError) -> [[Bytes32]] {
    guard let value, !value.isNull else { return [] }
    guard let positions = value.array else { throw .invalid(0, "topics are no array") }
    guard positions.count <= 4 else { throw .invalid(0, "exceed max topics") }
    var topics: [[Bytes32]] = []
    for position in positions { topics.append(try choices(position, Parameters.bytes32)) }
    return topics
  }

  private static func matches(_ log: Log, _ topics: [[Bytes32]]) -> Bool {
    guard topics.count <= log.topics.count else { return false }
    return zip(topics, log.topics).allSatisfy { choices, topic in choices.isEmpty || choices.contains(topic) }
  }

  private static func json(_ log: Log, index: Int) -> JSONValue {
    let position = JSONValue.string(UInt256(UInt64(index)).quantity)
    return [
      "address": .string(log.address.lowercase), "topics": .array(log.topics.map { .string($0.description) }),
      "data": .string(Hex.encode(log.data)), "blockNumber": .string(UInt256(log.blockNumber).quantity),
      "blockHash": .string(log.blockHash.description),
      // Each Transfer is a transaction of its own.
      "transactionHash": .string(transactionHash(log, index).description), "transactionIndex": position,
      "logIndex": position, "removed": .bool(log.removed),
    ]
  }

  private static func transactionHash(_ log: Log, _ index: Int) -> Bytes32 {
    Keccak256.hash(log.blockHash.bytes + UInt256(UInt64(index)).bigEndianBytes)
  }
}
