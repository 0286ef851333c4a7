import Ethereum

// Gas is counted coarsely: a price per call, and EIP-150's rule that a call gets all but a 64th of what is
// left. That is enough for what a reader of many tokens has to survive: one that burns its gas and starves
// the calls behind it, and a call of so many parts that a node won't grant it. It also bounds the work of a
// request whose nested calls all point at the same bytes.

/// What a call of a contract comes to.
enum CallOutcome: Equatable {
  case returned([UInt8])
  case reverted([UInt8])
  case outOfGas
}

/// Contracts at work in one block.
struct Execution {
  let chain: SimulatedChain
  let block: BlockHeader
  /// Whether it runs on the open block, on top of the latest.
  let isPending: Bool
  /// Calls made by Multicall3.
  private(set) var subcalls = 0

  /// A contract's look into its storage, and the price of a call around it.
  static let callGas: UInt64 = 3_000
  /// What Multicall3 itself needs for a call.
  static let overheadGas: UInt64 = 2_000
  /// EVM's own limit is 1,024; here each level is a level of ours.
  static let depthMaximum = 8

  init(chain: SimulatedChain, block: BlockHeader, isPending: Bool) {
    self.chain = chain
    self.block = block
    self.isPending = isPending
  }

  func amount(_ entry: SimulatedChain.Entry) -> UInt256 {
    isPending ? chain.pendingAmount(entry) : chain.amount(entry, at: block.number)
  }

  /// Calls an address. Where there is no code, a call succeeds and returns nothing.
  mutating func call(_ target: Address, _ data: ArraySlice<UInt8>, gas: inout UInt64, depth: Int = 0)
    -> CallOutcome
  {
    guard gas >= Self.callGas else {
      gas = 0
      return .outOfGas
    }
    gas -= Self.callGas
    if target == chain.configuration.multicall3 { return callMulticall(data, gas: &gas, depth: depth) }
    if target == Chain.arbSys, chain.configuration.hasArbSys { return callArbSys(data) }
    guard let contract = chain.contracts[target] else { return .returned([]) }
    return call(contract, at: target, data, gas: &gas)
  }

  private static func selector(_ data: ArraySlice<UInt8>) -> UInt32? {
    data.count < 4 ? nil : data.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  // MARK: - ERC-20

  private func call(
    _ contract: SimulatedContract, at address: Address, _ data: ArraySlice<UInt8>, gas: inout UInt64
  ) -> CallOutcome {
    switch contract.behaviour {
    case .standard, .bytes32Metadata, .noMetadata: break
    case .reverts(let reason): return .reverted(reason.map(ABIEncoding.error) ?? [])
    case .returnsNothing: return .returned([])
    case .returnsGarbage(let bytes): return .returned(Array(repeating: 0xFF, count: max(0, bytes)))
    case .burnsGas:
      gas = 0
      return .outOfGas
    }
    let arguments = ABIDecoder(data.dropFirst(4))
    switch Self.selector(data) {
    case ABI.Selector.balanceOf.code:
      guard let owner = try? arguments.address() else { return .reverted([]) }
      return word(amount(.token(address, owner: owner)))
    case ABI.Selector.latestRoundData.code:
      guard let round = contract.round else { return .reverted([]) }
      let updatedAt = UInt256(round.updatedAt)
      return .returned([1, round.answer, updatedAt, updatedAt, 1].flatMap(\.bigEndianBytes))
    case ABI.Selector.description.code:
      guard contract.round != nil else { return .reverted([]) }
      return .returned(ABIEncoding.string(contract.name))
    case ABI.Selector.totalSupply.code: return word(amount(.supply(address)))
    case ABI.Selector.name.code: return metadata(contract, contract.name)
    case ABI.Selector.symbol.code: return metadata(contract, contract.symbol)
    case ABI.Selector.decimals.code:
      if contract.behaviour == .noMetadata { return .reverted([]) }
      return word(UInt256(UInt64(max(0, contract.decimals))))
    default: return .reverted([])
    }
  }

  private func metadata(_ contract: SimulatedContract, _ text: String) -> CallOutcome {
    switch contract.behaviour {
    case .noMetadata: .reverted([])
    case .bytes32Metadata: .returned(ABIEncoding.bytes32(text))
    default: .returned(ABIEncoding.string(text))
    }
  }

  private func word(_ value: UInt256) -> CallOutcome { .returned(value.bigEndianBytes) }

  // MARK: - ArbSys

  private func callArbSys(_ data: ArraySlice<UInt8>) -> CallOutcome {
    switch Self.selector(data) {
    case ABI.Selector.arbBlockNumber.code: return word(UInt256(block.number))
    case ABI.Selector.arbBlockHash.code:
      guard let hash = pastHash(ABIDecoder(data.dropFirst(4))) else { return .reverted([]) }
      return word(hash.value)
    default: return .reverted([])
    }
  }

  /// What a contract sees as `block.number`.
  private var visibleNumber: UInt64 {
    chain.configuration.hasArbSys ? block.number / 100 : block.number
  }

  /// BLOCKHASH knows the 256 blocks before the one it runs in.
  private func pastHash(_ arguments: ABIDecoder) -> Bytes32? {
    guard let number = try? arguments.uint64(), number < block.number, block.number - number <= 256 else {
      return nil
    }
    return seen(chain.block(number)?.header.hash ?? chain.blockHash(number))
  }

  private func seen(_ hash: Bytes32) -> Bytes32 {
    chain.configuration.hasOtherHashes ? Keccak256.hash(hash.value.bigEndianBytes) : hash
  }

  // MARK: - Multicall3

  private mutating func callMulticall(
    _ data: ArraySlice<UInt8>, gas: inout UInt64, depth: Int
  ) -> CallOutcome {
    let arguments = ABIDecoder(data.dropFirst(4))
    switch Self.selector(data) {
    case ABI.Selector.aggregate3.code:
      do {
        return try aggregate3(arguments, gas: &gas, depth: depth)
      } catch {
        // Solidity's decoder reverts without a reason.
        return .reverted([])
      }
    case ABI.Selector.getEthBalance.code:
      guard let owner = try? arguments.address() else { return .reverted([]) }
      return word(amount(.native(owner)))
    case ABI.Selector.getBlockNumber.code: return word(UInt256(visibleNumber))
    case ABI.Selector.getLastBlockHash.code: return word(seen(block.parentHash).value)
    case ABI.Selector.getBlockHash.code:
      guard (try? arguments.uint256()) != nil else { return .reverted([]) }
      return word(pastHash(arguments)?.value ?? 0)
    case ABI.Selector.getCurrentBlockTimestamp.code: return word(UInt256(block.timestamp))
    case ABI.Selector.getChainId.code: return word(UInt256(chain.configuration.chainID))
    default: return .reverted([])
    }
  }

  /// `aggregate3((address target, bool allowFailure, bytes callData)[])`
  private mutating func aggregate3(
    _ arguments: ABIDecoder, gas: inout UInt64, depth: Int
  ) throws(ABIError) -> CallOutcome {
    guard depth < Self.depthMaximum else { return .reverted([]) }
    let array = try ABIEncoding.tail(arguments, head: 0, base: 0)
    let count = try arguments.uint64(at: array)
    let start = array + 32
    guard count <= UInt64(max(0, (arguments.count - start) / 32)) else { throw .outOfBounds }
    var results: [(success: Bool, data: [UInt8])] = []
    for index in 0..<Int(count) {
      let tuple = try ABIEncoding.tail(arguments, head: start + index * 32, base: start)
      let target = try arguments.address(at: tuple)
      let allowFailure = try arguments.bool(at: tuple + 32)
      let callData = try arguments.dynamicBytes(head: tuple + 64, base: tuple)
      guard gas >= Self.overheadGas else {
        gas = 0
        return .outOfGas
      }
      gas -= Self.overheadGas
      subcalls += 1
      // EIP-150.
      let kept = gas / 64
      var granted = gas - kept
      let outcome = call(target, callData, gas: &granted, depth: depth + 1)
      gas = kept + granted
      switch outcome {
      case .returned(let data): results.append((true, data))
      case .reverted, .outOfGas:
        guard allowFailure else { return .reverted(ABIEncoding.error("Multicall3: call failed")) }
        if case .reverted(let data) = outcome {
          results.append((false, data))
        } else {
          results.append((false, []))
        }
      }
    }
    return .returned(ABIEncoding.results(results))
  }
}

/// Solidity's Contract ABI from a contract's side: what it returns, and how it reads arrays.
enum ABIEncoding {
  private static func append(_ value: Int, to data: inout [UInt8]) {
    UInt256(UInt64(max(0, value))).append(to: &data)
  }

  private static func appendPadded(_ bytes: some Collection<UInt8>, to data: inout [UInt8]) {
    append(bytes.count, to: &data)
    data.append(contentsOf: bytes)
    data.append(contentsOf: repeatElement(0, count: (32 - bytes.count % 32) % 32))
  }

  static func string(_ text: String) -> [UInt8] {
    var data: [UInt8] = []
    append(32, to: &data)
    appendPadded(text.utf8, to: &data)
    return data
  }

  /// Cut off after 32 bytes, or padded with NULs.
  static func bytes32(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8.prefix(32))
    return bytes + Array(repeating: 0, count: 32 - bytes.count)
  }

  /// `Error(string)`: what `require` reverts with.
  static func error(_ reason: String) -> [UInt8] {
    var data: [UInt8] = []
    ABI.Selector.error.append(to: &data)
    return data + string(reason)
  }

  /// `(bool success, bytes returnData)[]`
  static func results(_ results: [(success: Bool, data: [UInt8])]) -> [UInt8] {
    var data: [UInt8] = []
    data.reserveCapacity(results.reduce(64) { $0 + 160 + $1.data.count })
    append(32, to: &data)
    append(results.count, to: &data)
    var offset = results.count * 32
    for result in results {
      append(offset, to: &data)
      offset += 96 + (result.data.count + 31) / 32 * 32
    }
    for result in results {
      append(result.success ? 1 : 0, to: &data)
      append(64, to: &data)
      appendPadded(result.data, to: &data)
    }
    return data
  }

  /// Where the tail begins whose offset stands at `head`, counted from `base`: inside the data, with a word
  /// left.
  static func tail(_ data: ABIDecoder, head: Int, base: Int) throws(ABIError) -> Int {
    guard base >= 0, base <= data.count else { throw .outOfBounds }
    let offset = try data.uint64(at: head)
    guard offset <= UInt64(data.count - base) else { throw .outOfBounds }
    let position = base + Int(offset)
    guard data.count - position >= 32 else { throw .outOfBounds }
    return position
  }
}
