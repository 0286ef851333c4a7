public import Ethereum

/// A token contract of a ``SimulatedChain``: what it says of itself, and how it misbehaves.
public struct SimulatedContract: Sendable, Hashable {
  /// What real contracts do that a reader of many has to survive.
  public enum Behaviour: Sendable, Hashable {
    case standard
    /// Name and symbol are `bytes32`, as the oldest tokens have them.
    case bytes32Metadata
    /// `name()`, `symbol()` and `decimals()`, which ERC-20 makes optional, revert.
    case noMetadata
    /// Every call reverts, with a reason or with none.
    case reverts(reason: String?)
    /// Every call succeeds and returns nothing.
    case returnsNothing
    /// Every call returns so many bytes of 0xFF.
    case returnsGarbage(bytes: Int)
    /// Every call uses up all the gas it gets: within Multicall3, 63/64 of what is left for the calls behind
    /// it (EIP-150).
    case burnsGas
  }

  public var name: String
  public var symbol: String
  public var decimals: Int
  public var behaviour: Behaviour
  /// What it says as a price feed of Chainlink's; nil where it is none.
  public var round: FeedRound?

  /// What a feed said last, with the contract's `decimals` and `name` as its decimals and description.
  public struct FeedRound: Sendable, Hashable {
    /// An `int256`.
    public var answer: UInt256
    /// Unix seconds.
    public var updatedAt: UInt64

    public init(answer: UInt256, updatedAt: UInt64) {
      self.answer = answer
      self.updatedAt = updatedAt
    }
  }

  public init(
    name: String, symbol: String, decimals: Int, behaviour: Behaviour = .standard, round: FeedRound? = nil
  ) {
    self.round = round
    self.name = name
    self.symbol = symbol
    self.decimals = decimals
    self.behaviour = behaviour
  }
}
