/// Calls by Solidity's Contract ABI.
public enum ABI {
  /// The first four bytes of a call: the beginning of the hash of the function's signature.
  public struct Selector: Sendable, Hashable {
    /// `balanceOf(address)`: the name and the canonical types.
    public let signature: String
    /// The four bytes, big-endian.
    public let code: UInt32

    public init(_ signature: String) {
      self.signature = signature
      code = UInt32(truncatingIfNeeded: Keccak256.hash(signature).value.w3 >> 32)
    }

    /// Appends the four bytes.
    public func append(to output: inout [UInt8]) {
      for shift in stride(from: 24, through: 0, by: -8) {
        output.append(UInt8(truncatingIfNeeded: code >> UInt32(shift)))
      }
    }
  }

  /// The calldata of a function whose arguments are all of fixed size, one word each.
  public static func encode(_ selector: Selector, _ arguments: UInt256...) -> [UInt8] {
    var data: [UInt8] = []
    data.reserveCapacity(4 + 32 * arguments.count)
    selector.append(to: &data)
    for argument in arguments { argument.append(to: &data) }
    return data
  }

  public static func balanceOf(_ owner: Address) -> [UInt8] { encode(.balanceOf, owner.word) }
}

extension ABI.Selector {
  // ERC-20, whose name(), symbol() and decimals() are optional.
  public static let balanceOf = ABI.Selector("balanceOf(address)")
  public static let decimals = ABI.Selector("decimals()")
  public static let symbol = ABI.Selector("symbol()")
  public static let name = ABI.Selector("name()")
  public static let totalSupply = ABI.Selector("totalSupply()")

  // ArbSys, a precompile of Arbitrum.
  public static let arbBlockNumber = ABI.Selector("arbBlockNumber()")
  /// Of one of the last 256 blocks; reverts for any other.
  public static let arbBlockHash = ABI.Selector("arbBlockHash(uint256)")

  // Chainlink's AggregatorV3Interface.
  public static let latestRoundData = ABI.Selector("latestRoundData()")
  public static let description = ABI.Selector("description()")

  // What `require` and `revert` (a text), and a failed assertion (a code), return.
  public static let error = ABI.Selector("Error(string)")
  public static let panic = ABI.Selector("Panic(uint256)")
}

extension ABI {
  /// Topics: the hash of an event's signature.
  public enum Topic {
    /// ERC-20 with the two addresses indexed and the amount as data; ERC-721 indexes all three.
    public static let transfer = Keccak256.hash("Transfer(address,address,uint256)")
    /// Wrapped coins: the coin came in, or went out, often without a Transfer.
    public static let deposit = Keccak256.hash("Deposit(address,uint256)")
    public static let withdrawal = Keccak256.hash("Withdrawal(address,uint256)")
  }

  /// The reason a contract gave for reverting, from the data it returned; nil where it is none of the
  /// standard forms.
  /// - Parameter limit: characters kept.
  public static func revertReason(_ data: [UInt8], limit: Int) -> String? {
    guard data.count >= 4 else { return nil }
    let code = data[..<4].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
    let arguments = ABIDecoder(data[4...])
    if code == Selector.error.code, let text = try? arguments.dynamicBytes() {
      return TokenText.clean(text, limit: limit)
    }
    if code == Selector.panic.code, let reason = try? arguments.uint256() {
      return "panic \(reason.quantity)"
    }
    return nil
  }

  /// What Chainlink's `latestRoundData()` answers.
  public struct ChainlinkRound: Sendable, Hashable {
    /// The price times 10^decimals.
    public let answer: UInt256
    /// Unix seconds.
    public let updatedAt: UInt64

    public init(answer: UInt256, updatedAt: UInt64) {
      self.answer = answer
      self.updatedAt = updatedAt
    }

    /// `(uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)`. A
    /// price that is negative or zero is no price, and a round without a time is not complete.
    public init(decoding data: ArraySlice<UInt8>) throws(ABIError) {
      let decoder = ABIDecoder(data)
      guard decoder.count >= 160 else { throw .truncated(needed: 160, available: decoder.count) }
      answer = try decoder.uint256(at: 32)
      updatedAt = try decoder.uint64(at: 96)
      // The sign of an int256 is its highest bit.
      guard !answer.isZero, answer.w3 >> 63 == 0, updatedAt > 0 else { throw .outOfRange }
    }
  }
}
