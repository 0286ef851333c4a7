public import JSON

/// JSON-RPC 2.0 as Ethereum's nodes speak it: requests out, replies in.
public enum JSONRPC {
  /// One call. The id is ours, and unique among the calls of one batch or connection.
  public struct Request: Sendable, Equatable {
    public let id: Int
    public let method: String
    public let params: [JSONValue]

    public init(id: Int, method: String, params: [JSONValue] = []) {
      self.id = id
      self.method = method
      self.params = params
    }

    public func encode(to writer: inout JSONWriter) {
      writer.beginObject()
      writer.member("jsonrpc", "2.0")
      writer.member("id", id)
      writer.member("method", method)
      writer.key("params")
      writer.value(.array(params))
      writer.endObject()
    }
  }

  /// One call as a body by itself.
  public static func encode(_ request: Request) -> [UInt8] {
    var writer = JSONWriter(reserving: 256)
    request.encode(to: &writer)
    return writer.bytes
  }

  /// Several calls as one body (§6). An empty batch is an error to a node: don't send one.
  public static func encode(batch requests: [Request]) -> [UInt8] {
    var writer = JSONWriter(reserving: 256 * requests.count)
    writer.beginArray()
    for request in requests { request.encode(to: &writer) }
    writer.endArray()
    return writer.bytes
  }

  /// Which state a call reads.
  public enum Block: Sendable, Hashable {
    case latest, safe, finalized, pending
    case number(UInt64)
    /// EIP-1898: the very block, or an error where the node does not have it.
    case hash(Bytes32)

    var param: JSONValue {
      switch self {
      case .latest: "latest"
      case .safe: "safe"
      case .finalized: "finalized"
      case .pending: "pending"
      case .number(let number): .string(UInt256(number).quantity)
      case .hash(let hash): ["blockHash": .string(hash.description)]
      }
    }
  }
}

// The calls we use (the execution API's specification).
extension JSONRPC.Request {
  /// The result is the return data.
  public static func call(
    id: Int, to: Address, data: [UInt8], gas: UInt64? = nil, block: JSONRPC.Block = .latest
  ) -> JSONRPC.Request {
    var transaction = JSONObject()
    transaction["to"] = .string(to.lowercase)
    transaction["data"] = .string(Hex.encode(data))
    if let gas { transaction["gas"] = .string(UInt256(gas).quantity) }
    return JSONRPC.Request(id: id, method: "eth_call", params: [.object(transaction), block.param])
  }

  /// The result is a quantity.
  public static func getBalance(
    id: Int, of owner: Address, block: JSONRPC.Block = .latest
  ) -> JSONRPC.Request {
    JSONRPC.Request(id: id, method: "eth_getBalance", params: [.string(owner.lowercase), block.param])
  }

  /// The result is a quantity.
  public static func blockNumber(id: Int) -> JSONRPC.Request {
    JSONRPC.Request(id: id, method: "eth_blockNumber")
  }

  /// The result is a quantity.
  public static func chainID(id: Int) -> JSONRPC.Request {
    JSONRPC.Request(id: id, method: "eth_chainId")
  }

  /// The result is a ``BlockHeader``, or null. A block named by its hash is another method.
  public static func getBlock(id: Int, _ block: JSONRPC.Block = .latest) -> JSONRPC.Request {
    if case .hash(let hash) = block {
      return JSONRPC.Request(
        id: id, method: "eth_getBlockByHash", params: [.string(hash.description), false])
    }
    return JSONRPC.Request(id: id, method: "eth_getBlockByNumber", params: [block.param, false])
  }

  /// The result is the contract's code, `0x` where there is none.
  public static func getCode(
    id: Int, of address: Address, block: JSONRPC.Block = .latest
  ) -> JSONRPC.Request {
    JSONRPC.Request(id: id, method: "eth_getCode", params: [.string(address.lowercase), block.param])
  }

  /// The result is an array of ``Log``.
  /// - Parameters:
  ///   - addresses: the contracts; all, where there are none.
  ///   - topics: for each position the topics that match; an empty set matches any.
  public static func getLogs(
    id: Int, fromBlock: UInt64, toBlock: UInt64, addresses: [Address] = [], topics: [[Bytes32]]
  ) -> JSONRPC.Request {
    var filter = filter(addresses, topics)
    filter["fromBlock"] = .string(UInt256(fromBlock).quantity)
    filter["toBlock"] = .string(UInt256(toBlock).quantity)
    return JSONRPC.Request(id: id, method: "eth_getLogs", params: [.object(filter)])
  }

  /// Like the above, for the logs of one block, whichever fork it is on.
  public static func getLogs(
    id: Int, blockHash: Bytes32, addresses: [Address] = [], topics: [[Bytes32]]
  ) -> JSONRPC.Request {
    var filter = filter(addresses, topics)
    filter["blockHash"] = .string(blockHash.description)
    return JSONRPC.Request(id: id, method: "eth_getLogs", params: [.object(filter)])
  }

  /// The result is the subscription's name; new heads follow as notifications.
  public static func subscribeToNewHeads(id: Int) -> JSONRPC.Request {
    JSONRPC.Request(id: id, method: "eth_subscribe", params: ["newHeads"])
  }

  /// The result is the subscription's name; logs follow as notifications.
  public static func subscribeToLogs(
    id: Int, addresses: [Address] = [], topics: [[Bytes32]]
  ) -> JSONRPC.Request {
    JSONRPC.Request(id: id, method: "eth_subscribe", params: ["logs", .object(filter(addresses, topics))])
  }

  private static func filter(_ addresses: [Address], _ topics: [[Bytes32]]) -> JSONObject {
    var filter = JSONObject()
    if !addresses.isEmpty { filter["address"] = .array(addresses.map { .string($0.lowercase) }) }
    filter["topics"] = .array(
      topics.map { choices in
        choices.isEmpty ? .null : .array(choices.map { .string($0.description) })
      })
    return filter
  }
}
