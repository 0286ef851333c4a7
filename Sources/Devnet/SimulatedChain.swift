public import Ethereum

// Theory of operation
//
// There is no EVM: contracts are Swift values that answer at the ABI's level (SimulatedChain+Calls). The
// state is one table of amounts. Each block has a journal: for every entry it changed, the value before. What
// an entry was at block B is said by the first journal behind B that names it, and by the table where none
// does; so reading the newest block costs one look-up more than the table, and a block falls out of memory
// with its journal.
//
// The last journal is that of the open block: changes are not seen by readers of the latest block before
// `mine()`. Before the first `mine()` there is no journal at all: changes belong to the first block and are
// seen at once.

/// An Ethereum chain in memory: coins, tokens, blocks, logs. Deterministic; holds no clock and no sockets.
public struct SimulatedChain: Sendable {
  public struct Configuration: Sendable {
    public var chainID: UInt64
    /// Where hashes come from.
    public var seed: UInt64
    public var multicall3: Address
    /// The number of the block that the chain begins with.
    public var firstBlock: UInt64
    /// Its time, in Unix seconds.
    public var firstTimestamp: UInt64
    /// Seconds between blocks, where `mine` is not told the time.
    public var blockSeconds: UInt64
    /// Blocks below the latest whose state can be read.
    public var stateBlocks: Int
    /// Blocks whose headers and logs are kept.
    public var logBlocks: Int
    /// Logs that one query may return.
    public var logsMaximum: Int
    /// The gas of an `eth_call` that names none, and the most of one that does.
    public var gasCap: UInt64
    /// Whether it is an Arbitrum: `ArbSys` answers, and contracts see the block number of the chain below,
    /// which here is a hundredth.
    public var hasArbSys: Bool
    /// Whether the node knows `eth_getLogs`: some don't.
    public var hasLogs = true
    /// Whether contracts see other block hashes than the node tells, as on some layers above Ethereum.
    public var hasOtherHashes = false

    /// Sizes as geth has them by default, or not far from it.
    public init(
      chainID: UInt64 = 31_337, seed: UInt64 = 1, multicall3: Address = Multicall3.canonicalAddress,
      firstBlock: UInt64 = 1_000, firstTimestamp: UInt64 = 1_700_000_000, blockSeconds: UInt64 = 2,
      stateBlocks: Int = 128, logBlocks: Int = 1_000, logsMaximum: Int = 10_000, gasCap: UInt64 = 50_000_000,
      hasArbSys: Bool = false
    ) {
      self.chainID = chainID
      self.seed = seed
      self.multicall3 = multicall3
      self.firstBlock = firstBlock
      self.firstTimestamp = firstTimestamp
      self.blockSeconds = blockSeconds
      self.stateBlocks = max(0, stateBlocks)
      self.logBlocks = max(1, logBlocks)
      self.logsMaximum = max(0, logsMaximum)
      self.gasCap = gasCap
      self.hasArbSys = hasArbSys
    }
  }

  /// One amount of the state.
  enum Entry: Hashable {
    case native(Address)
    case token(Address, owner: Address)
    case supply(Address)
  }

  struct Block: Sendable {
    let header: BlockHeader
    var logs: [Log]
  }

  private struct PendingTransfer {
    let token: Address
    let from: Address
    let to: Address
    let amount: UInt256
  }

  public var configuration: Configuration
  /// By address. Not part of a block's state: a change is seen in old blocks too.
  public private(set) var contracts: [Address: SimulatedContract] = [:]
  private var state: [Entry: UInt256] = [:]
  private var journals: [[Entry: UInt256]] = []
  private var pending: [PendingTransfer] = []
  /// The kept blocks, the latest last; never empty.
  private(set) var blocks: [Block]
  /// The latest block.
  public private(set) var head: BlockHeader

  public init(_ configuration: Configuration) {
    self.configuration = configuration
    let number = configuration.firstBlock
    head = BlockHeader(
      number: number, hash: Self.hash(number, seed: configuration.seed),
      parentHash: number == 0 ? .zero : Self.hash(number - 1, seed: configuration.seed),
      timestamp: configuration.firstTimestamp)
    blocks = [Block(header: head, logs: [])]
  }

  /// Keccak-256 of number and seed, 8 bytes each.
  private static func hash(_ number: UInt64, seed: UInt64) -> Bytes32 {
    var input: [UInt8] = []
    UInt256(0, 0, number, seed).append(to: &input)
    return Keccak256.hash(input)
  }

  /// The hash of any block of this chain, mined or not. Another `configuration.seed` is another fork: blocks that
  /// are mined from then on have other hashes. A reorganisation is a copy of the chain from before, forked.
  public func blockHash(_ number: UInt64) -> Bytes32 { Self.hash(number, seed: configuration.seed) }

  // MARK: - Changes

  /// Puts a contract at an address, or changes the one that is there.
  public mutating func deploy(_ contract: SimulatedContract, at address: Address) {
    contracts[address] = contract
  }

  /// Makes the coin's balance what it is told.
  public mutating func setNative(_ owner: Address, to amount: UInt256) { set(.native(owner), amount) }

  /// Makes new tokens: a Transfer from the zero address.
  /// - Throws: `unknownToken`, `overflow`.
  public mutating func mint(_ token: Address, to owner: Address, amount: UInt256) throws(SimulatedChainError)
  {
    guard contracts[token] != nil else { throw .unknownToken(token) }
    let (supply, overflow) = pendingAmount(.supply(token)).addingReportingOverflow(amount)
    // No balance is above the supply.
    guard !overflow else { throw .overflow }
    set(.supply(token), supply)
    add(amount, to: .token(token, owner: owner))
    log(PendingTransfer(token: token, from: .zero, to: owner, amount: amount))
  }

  /// Moves an amount of a token, or of the coin where `token` is nil, from one owner to another.
  /// - Throws: `unknownToken`, `insufficientBalance`, `overflow`.
  public mutating func transfer(
    _ token: Address?, from: Address, to: Address, amount: UInt256
  ) throws(SimulatedChainError) {
    if let token, contracts[token] == nil { throw .unknownToken(token) }
    let source = entry(token, from)
    let (rest, isShort) = pendingAmount(source).subtractingReportingOverflow(amount)
    guard !isShort else { throw .insufficientBalance(pendingAmount(source)) }
    if from != to {
      let target = entry(token, to)
      guard !pendingAmount(target).addingReportingOverflow(amount).overflow else { throw .overflow }
      set(source, rest)
      add(amount, to: target)
    }
    if let token { log(PendingTransfer(token: token, from: from, to: to, amount: amount)) }
  }

  /// Closes the open block, which becomes the latest, and opens the next.
  /// - Parameter timestamp: Unix seconds; raised to the second behind the parent's where it is not above.
  @discardableResult
  public mutating func mine(timestamp: UInt64? = nil) -> BlockHeader {
    // The end of 64 bits of blocks will not be met.
    let number = head.number &+ 1
    let time = max(head.timestamp &+ 1, timestamp ?? head.timestamp &+ configuration.blockSeconds)
    head = BlockHeader(
      number: number, hash: blockHash(number), parentHash: head.hash, timestamp: time)
    blocks.append(Block(header: head, logs: pending.map { log(of: $0) }))
    pending.removeAll(keepingCapacity: true)
    if blocks.count > configuration.logBlocks { blocks.removeFirst(blocks.count - configuration.logBlocks) }
    if journals.isEmpty { journals.append([:]) }
    journals.append([:])
    let most = configuration.stateBlocks + 1
    if journals.count > most { journals.removeFirst(journals.count - most) }
    return head
  }

  private func entry(_ token: Address?, _ owner: Address) -> Entry {
    token.map { .token($0, owner: owner) } ?? .native(owner)
  }

  private mutating func set(_ entry: Entry, _ amount: UInt256) {
    let before = state.updateValue(amount, forKey: entry) ?? .zero
    if amount.isZero { state[entry] = nil }
    guard let open = journals.indices.last, journals[open][entry] == nil else { return }
    journals[open][entry] = before
  }

  private mutating func add(_ amount: UInt256, to entry: Entry) {
    set(entry, pendingAmount(entry).addingReportingOverflow(amount).partialValue)
  }

  /// The first block has no logs.
  private mutating func log(_ transfer: PendingTransfer) {
    if !journals.isEmpty { pending.append(transfer) }
  }

  private func log(of transfer: PendingTransfer) -> Log {
    Log(
      address: transfer.token,
      topics: [ABI.Topic.transfer, Bytes32(transfer.from.word), Bytes32(transfer.to.word)],
      data: transfer.amount.bigEndianBytes, blockNumber: head.number, blockHash: head.hash, removed: false)
  }

  // MARK: - Reading

  /// What an owner has of a token, or of the coin where `token` is nil, in the latest block.
  public func balance(_ token: Address?, of owner: Address) -> UInt256 {
    amount(entry(token, owner), at: head.number)
  }

  /// The same with what the open block has changed.
  public func pendingBalance(_ token: Address?, of owner: Address) -> UInt256 {
    pendingAmount(entry(token, owner))
  }

  /// How much of a token there is, in the latest block.
  public func supply(of token: Address) -> UInt256 { amount(.supply(token), at: head.number) }

  /// The lowest block whose state can still be read.
  var oldestState: UInt64 { head.number &- UInt64(max(0, journals.count - 1)) }

  func pendingAmount(_ entry: Entry) -> UInt256 { state[entry] ?? .zero }

  /// The amount at the end of a block: one of `oldestState` … the latest.
  func amount(_ entry: Entry, at block: UInt64) -> UInt256 {
    let behind = Int(clamping: head.number &- block)
    for journal in journals.suffix(behind &+ 1) {
      if let before = journal[entry] { return before }
    }
    return pendingAmount(entry)
  }

  /// A kept block by its number.
  func block(_ number: UInt64) -> Block? {
    let behind = head.number.subtractingReportingOverflow(number)
    guard !behind.overflow, behind.partialValue < UInt64(blocks.count) else { return nil }
    return blocks[blocks.count - 1 - Int(behind.partialValue)]
  }
}

/// Why the simulated chain refuses a change: the simulation's user asked for what cannot be.
public enum SimulatedChainError: Error, Hashable {
  case unknownToken(Address)
  /// What there is.
  case insufficientBalance(UInt256)
  /// A balance or a supply above 2^256 − 1.
  case overflow
}
