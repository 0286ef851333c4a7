import Ethereum
import JSON

// JSON-RPC 2.0 over HTTP as geth does it: its methods' names, its codes, its words. What is missing: sending
// transactions, and subscriptions over a WebSocket (`eth_subscribe`): whoever follows the chain polls.

/// Answers JSON-RPC requests from a ``SimulatedChain``.
struct SimulatedNode {
  private(set) var statistics = RPCStatistics()

  /// geth's limit of a batch.
  static let batchMaximum = 1_000
  private static let jsonLimits = JSONLimits(depth: 32, numberBytes: 64)

  init() {}

  /// Counts a request, whatever becomes of it.
  mutating func noteRequest() { statistics.requests += 1 }

  /// The answer to a request's body; empty where all of it were notifications.
  /// - Parameter fault: what every call answers instead of its result.
  mutating func answer(
    _ body: [UInt8], chain: SimulatedChain, fault: NodeError? = nil, batchMaximum: Int = Self.batchMaximum
  ) -> [UInt8] {
    var writer = JSONWriter(reserving: 1_024)
    let request: JSONValue
    do {
      request = try JSONParser.parse(body, limits: Self.jsonLimits)
    } catch {
      Self.write(.failure(NodeError(code: -32700, message: "parse error")), id: .null, to: &writer)
      return writer.bytes
    }
    guard let batch = request.array else {
      answer(request, chain, fault, to: &writer)
      return writer.bytes
    }
    statistics.batches += 1
    guard !batch.isEmpty, batch.count <= batchMaximum else {
      let message = batch.isEmpty ? "empty batch" : "batch too large"
      Self.write(.failure(NodeError(code: -32600, message: message)), id: .null, to: &writer)
      return writer.bytes
    }
    writer.beginArray()
    for request in batch { answer(request, chain, fault, to: &writer) }
    writer.endArray()
    // §6: nothing at all, not an empty array.
    return writer.bytes.count == 2 ? [] : writer.bytes
  }

  private mutating func answer(
    _ request: JSONValue, _ chain: SimulatedChain, _ fault: NodeError?, to writer: inout JSONWriter
  ) {
    guard let object = request.object, let method = object["method"]?.string else {
      return Self.write(
        .failure(NodeError(code: -32600, message: "invalid request")), id: request["id"] ?? .null, to: &writer
      )
    }
    let known = Method(rawValue: method)
    statistics.methods[known?.rawValue ?? "other", default: 0] += 1
    var outcome: Result<JSONValue, NodeError>
    do throws(NodeError) {
      if let fault { throw fault }
      guard let known, known != .getLogs || chain.configuration.hasLogs else {
        throw NodeError(
          code: -32601, message: "the method \(method.prefix(64)) does not exist/is not available")
      }
      outcome = .success(try run(known, Parameters(object["params"]), chain))
    } catch {
      outcome = .failure(error)
    }
    // §4.1: a notification is not answered.
    guard let id = object["id"] else { return }
    Self.write(outcome, id: id, to: &writer)
  }

  private static func write(
    _ outcome: Result<JSONValue, NodeError>, id: JSONValue, to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("jsonrpc", "2.0")
    writer.key("id")
    writer.value(id)
    switch outcome {
    case .success(let result):
      writer.key("result")
      writer.value(result)
    case .failure(let error):
      writer.key("error")
      writer.beginObject()
      writer.member("code", error.code)
      writer.member("message", error.message)
      if let data = error.data { writer.member("data", Hex.encode(data)) }
      writer.endObject()
    }
    writer.endObject()
  }

  // MARK: - Methods

  enum Method: String {
    case chainID = "eth_chainId"
    case netVersion = "net_version"
    case clientVersion = "web3_clientVersion"
    case syncing = "eth_syncing"
    case gasPrice = "eth_gasPrice"
    case blockNumber = "eth_blockNumber"
    case getBalance = "eth_getBalance"
    case getCode = "eth_getCode"
    case call = "eth_call"
    case getBlockByNumber = "eth_getBlockByNumber"
    case getBlockByHash = "eth_getBlockByHash"
    case getLogs = "eth_getLogs"
  }

  private mutating func run(
    _ method: Method, _ parameters: Parameters, _ chain: SimulatedChain
  ) throws(NodeError) -> JSONValue {
    let reader = NodeReader(chain: chain)
    switch method {
    case .chainID: return quantity(chain.configuration.chainID)
    case .netVersion: return .string(String(chain.configuration.chainID))
    case .clientVersion: return "walletpush-devnet/1"
    case .syncing: return false
    case .gasPrice: return quantity(1_000_000_000)
    case .blockNumber: return quantity(chain.head.number)
    case .getBalance:
      let owner = try parameters.address(0)
      let state = try reader.state(parameters.optional(1))
      return .string(Execution(state, in: chain).amount(.native(owner)).quantity)
    case .getCode:
      let address = try parameters.address(0)
      _ = try reader.state(parameters.optional(1))
      let isContract =
        chain.contracts[address] != nil || address == chain.configuration.multicall3
        || (address == Chain.arbSys && chain.configuration.hasArbSys)
      // Not code that anybody could run, but code.
      return isContract ? "0xfe" : "0x"
    case .call: return try call(parameters, reader)
    case .getBlockByNumber: return reader.header(try reader.number(try parameters.required(0)))
    case .getBlockByHash: return reader.header(hash: try parameters.bytes32(0))
    case .getLogs: return try reader.logs(parameters.object(0))
    }
  }

  private mutating func call(_ parameters: Parameters, _ reader: NodeReader) throws(NodeError) -> JSONValue {
    let transaction = try parameters.object(0)
    let state = try reader.state(parameters.optional(1))
    // Without an address it would create a contract.
    guard let target = transaction["to"], !target.isNull else { return "0x" }
    let address = try Parameters.address(target, at: 0)
    let data = try Parameters.data(transaction["input"] ?? transaction["data"] ?? "0x", at: 0)
    var gas = reader.chain.configuration.gasCap
    if let asked = transaction["gas"] { gas = min(gas, try Parameters.uint64(asked, at: 0)) }
    var execution = Execution(state, in: reader.chain)
    let outcome = execution.call(address, data[...], gas: &gas)
    statistics.subcalls += execution.subcalls
    switch outcome {
    case .returned(let data): return .string(Hex.encode(data))
    case .outOfGas: throw NodeError(code: -32000, message: "out of gas")
    case .reverted(let data):
      let reason = ABI.revertReason(data, limit: 200).map { ": \($0)" } ?? ""
      throw NodeError(code: 3, message: "execution reverted\(reason)", data: data)
    }
  }

  private func quantity(_ value: UInt64) -> JSONValue { .string(UInt256(value).quantity) }
}

/// The error object of an answer.
struct NodeError: Error, Hashable {
  let code: Int
  let message: String
  var data: [UInt8]?

  static func invalid(_ position: Int, _ what: String) -> NodeError {
    NodeError(code: -32602, message: "invalid argument \(position): \(what)")
  }
}

/// A call's positional parameters.
struct Parameters {
  private let values: [JSONValue]

  init(_ value: JSONValue?) throws(NodeError) {
    switch value {
    case nil, .null: values = []
    case .array(let values): self.values = values
    default: throw NodeError(code: -32602, message: "non-array args")
    }
  }

  func optional(_ position: Int) -> JSONValue? {
    guard values.indices.contains(position), !values[position].isNull else { return nil }
    return values[position]
  }

  func required(_ position: Int) throws(NodeError) -> JSONValue {
    guard let value = optional(position) else {
      throw NodeError(code: -32602, message: "missing value for required argument \(position)")
    }
    return value
  }

  func object(_ position: Int) throws(NodeError) -> JSONObject {
    guard let object = try required(position).object else { throw .invalid(position, "not an object") }
    return object
  }

  func address(_ position: Int) throws(NodeError) -> Address {
    try Self.address(try required(position), at: position)
  }

  func bytes32(_ position: Int) throws(NodeError) -> Bytes32 {
    try Self.bytes32(try required(position), at: position)
  }

  static func text(_ value: JSONValue, at position: Int) throws(NodeError) -> String {
    guard let text = value.string else {
      throw .invalid(position, "\(value.kindDescription) instead of a string")
    }
    return text
  }

  static func address(_ value: JSONValue, at position: Int) throws(NodeError) -> Address {
    let text = try text(value, at: position)
    // geth doesn't look at checksums.
    guard let address = try? Address(parsing: text.lowercased()) else {
      throw .invalid(position, "bad address")
    }
    return address
  }

  static func bytes32(_ value: JSONValue, at position: Int) throws(NodeError) -> Bytes32 {
    let text = try text(value, at: position)
    guard let hash = try? Bytes32(parsing: text) else { throw .invalid(position, "bad hash") }
    return hash
  }

  static func data(_ value: JSONValue, at position: Int) throws(NodeError) -> [UInt8] {
    let text = try text(value, at: position)
    do throws(HexError) { return try Hex.decode(text) } catch { throw .invalid(position, "\(error)") }
  }

  static func uint64(_ value: JSONValue, at position: Int) throws(NodeError) -> UInt64 {
    let text = try text(value, at: position)
    do throws(QuantityError) {
      guard let number = try UInt256(quantity: text).uint64 else { throw .overflow }
      return number
    } catch {
      throw .invalid(position, "\(error)")
    }
  }
}
