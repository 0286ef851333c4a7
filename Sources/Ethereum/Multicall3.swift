/// The contract that answers many calls in one: one request, one block, so readings that belong together.
public enum Multicall3 {
  /// Where it is on nearly all chains.
  public static let canonicalAddress = Address(
    high: 0xcA11_bde0_5977_b363, middle: 0x1167_0288_62bE_2a17, low: 0x3976_CA11)

  /// One call of `aggregate3`.
  public struct Call: Sendable, Hashable {
    public let target: Address
    /// Whether its failure leaves the others standing; otherwise it reverts all of them.
    public let allowFailure: Bool
    public let data: [UInt8]

    public init(target: Address, allowFailure: Bool = true, data: [UInt8]) {
      self.target = target
      self.allowFailure = allowFailure
      self.data = data
    }
  }

  /// One answer of `aggregate3`.
  public struct Result: Sendable, Hashable {
    public let success: Bool
    /// What the call returned, or the reason it reverted; a slice of the whole reply.
    public let data: ArraySlice<UInt8>

    public init(success: Bool, data: ArraySlice<UInt8>) {
      self.success = success
      self.data = data
    }
  }

  private static func padded(_ count: Int) -> Int { (count + 31) / 32 * 32 }

  /// The calldata of `aggregate3((address target, bool allowFailure, bytes callData)[])`.
  public static func aggregate3(_ calls: [Call]) -> [UInt8] {
    var data: [UInt8] = []
    // Per call: an offset, three heads, a length, the bytes.
    data.reserveCapacity(calls.reduce(4 + 64) { $0 + 5 * 32 + padded($1.data.count) })
    ABI.Selector.aggregate3.append(to: &data)
    appendWord(32, to: &data)
    appendWord(calls.count, to: &data)
    var offset = calls.count * 32
    for call in calls {
      appendWord(offset, to: &data)
      offset += 4 * 32 + padded(call.data.count)
    }
    for call in calls {
      call.target.word.append(to: &data)
      appendWord(call.allowFailure ? 1 : 0, to: &data)
      appendWord(3 * 32, to: &data)
      appendWord(call.data.count, to: &data)
      data.append(contentsOf: call.data)
      for _ in call.data.count..<padded(call.data.count) { data.append(0) }
    }
    return data
  }

  private static func appendWord(_ value: Int, to data: inout [UInt8]) {
    UInt256(UInt64(value)).append(to: &data)
  }

  /// The answer to ``aggregate3(_:)``, `(bool success, bytes returnData)[]`: as many results as there were
  /// calls.
  /// - Parameters:
  ///   - count: how many calls there were.
  ///   - limit: bytes kept of each answer. What is longer is cut off and not refused: a caller in Solidity
  ///     that asked for one word would not mind either.
  public static func decodeAggregate3(
    _ data: [UInt8], count: Int, limit: Int
  ) throws(ABIError) -> [Result] {
    let decoder = ABIDecoder(data)
    let start = try decoder.arrayOfDynamic(head: 0, expected: count)
    var results: [Result] = []
    results.reserveCapacity(count)
    for index in 0..<count {
      let tuple = try decoder.tail(head: start + index * 32, base: start)
      let success = try decoder.bool(at: tuple)
      let returned = try decoder.dynamicBytes(head: tuple + 32, base: tuple)
      results.append(Result(success: success, data: returned.prefix(max(limit, 0))))
    }
    return results
  }

  /// `getEthBalance(address)`: the chain's own coin, as one of the aggregated calls.
  public static func getEthBalance(_ owner: Address) -> [UInt8] {
    ABI.encode(.getEthBalance, owner.word)
  }
}

extension ABI.Selector {
  public static let aggregate3 = ABI.Selector("aggregate3((address,bool,bytes)[])")
  public static let getEthBalance = ABI.Selector("getEthBalance(address)")
  public static let getBlockNumber = ABI.Selector("getBlockNumber()")
  /// The hash of the block before the one the call runs in.
  public static let getLastBlockHash = ABI.Selector("getLastBlockHash()")
  /// The hash of one of the 256 blocks before the one the call runs in; zero for any other.
  public static let getBlockHash = ABI.Selector("getBlockHash(uint256)")
  public static let getCurrentBlockTimestamp = ABI.Selector("getCurrentBlockTimestamp()")
  public static let getChainId = ABI.Selector("getChainId()")
}
