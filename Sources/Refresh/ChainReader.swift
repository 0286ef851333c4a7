// One `eth_call` for a wallet, whatever it holds: one aggregate of Multicall3 for the block number, the chain's id,
// the native coin, all tokens and missing metadata.
//
// Tokens can spoil it for others: one that burns all gas it gets leaves 1/64 (EIP-150) to those behind it, and two of
// them leave too little for Multicall3 to answer at all. So
// - an aggregate that a node refuses is asked for without tokens, which tells a node that is down from one that is
//   overtaxed and pins the block, and then in halves;
// - tokens that failed without a word are asked for once more, each by itself, several times in one aggregate: one
//   that burns gas makes that fail as a whole, one that just reverts does not, and one that was starved answers.
// What is found out is kept (BadTokens): burners are left out of the aggregates to come and tried again now and then,
// the others stay in. So these extra calls are made once, and a read is one call again.

import Ethereum
import JSON
import Ledger
import Logging
import Metrics
import Upstream

/// A chain as the settings give it.
public struct ChainSettings: Sendable {
  public var chain: Chain
  /// In the order of preference, until they have been measured.
  public var endpoints: [HTTPURL]
  /// Of one call.
  public var timeout: Duration
  public var rules: EndpointRules
  /// The chain makes blocks by the clock, and its newest is never older unless it stands still. `nil`: its age says
  /// nothing.
  public var staleHead: Duration?
  /// `nil`: new blocks are not looked at.
  public var follow: FollowSettings?

  public init(
    chain: Chain, endpoints: [HTTPURL], timeout: Duration, rules: EndpointRules = EndpointRules()
  ) {
    self.chain = chain
    self.endpoints = endpoints
    self.timeout = timeout
    self.rules = rules
  }
}

/// Reads wallets of one chain. All parts of a read are pinned to the block of its first.
actor ChainReader {
  nonisolated let settings: ChainSettings
  nonisolated let client: HTTPClient
  nonisolated let logger: Logger
  nonisolated let endpoints: [Endpoint]
  nonisolated let metrics: [EndpointMetrics]
  var table: EndpointTable
  /// What each endpoint allows.
  var traits: [EndpointTraits]
  /// Those under way, by endpoint.
  var probes: [Int: Task<Result<Void, RefreshError>, Never>] = [:]
  var bad = BadTokens()
  /// Until then each wallet is read by itself.
  var aloneUntil = ContinuousClock.now
  nonisolated let calls: Counter
  nonisolated let subcalls: Counter
  nonisolated let callFailures: Counter
  private let tokensFailed: Counter
  let walletsTogether: Counter

  /// Extra calls that one read may spend on finding out who spoils it.
  static let extraCallsMaximum = 64
  static let probesAtOnce = 8
  /// Four calls of a token that burns all gas leave 1/16,777,216 of it: too little to go on.
  static let probeRepeats = 4
  static let responseBytes = 32 << 20

  init(settings: ChainSettings, client: HTTPClient, logger: Logger) {
    self.settings = settings
    self.client = client
    self.logger = logger
    endpoints = Endpoint.list(settings.endpoints)
    metrics = endpoints.map {
      EndpointMetrics(chain: settings.chain.code.description, endpoint: $0.name)
    }
    table = EndpointTable(
      count: endpoints.count, blockTime: settings.chain.blockTime, rules: settings.rules, now: .now)
    traits = endpoints.map { _ in EndpointTraits(memory: settings.rules.memory) }
    let chain = ("chain", settings.chain.code.description)
    calls = Counter(label: "refresh_calls_total", dimensions: [chain])
    subcalls = Counter(label: "refresh_subcalls_total", dimensions: [chain])
    callFailures = Counter(label: "refresh_call_failures_total", dimensions: [chain])
    walletsTogether = Counter(label: "refresh_wallets_read_together_total", dimensions: [chain])
    tokensFailed = Counter(label: "refresh_tokens_failed_total", dimensions: [chain])
  }

  struct Reading: Sendable {
    var block: UInt64
    /// Of the block, in Unix seconds; `nil` where there is no Multicall3 to tell it.
    var timestamp: UInt64?
    /// Where the chain tells.
    var traits: BlockTraits?
    /// The native coin first, then the plan's tokens in its order.
    var outcomes: [(token: TokenID, outcome: WalletReading.Outcome)]
    var metadata: [(id: TokenID, name: String?, symbol: String?, decimals: UInt8?)]
  }

  /// All of a reading comes from one endpoint.
  func read(_ plan: ReadPlan) async throws(RefreshError) -> Reading {
    try await withEndpoints { endpoint, firstAnswer in
      do throws(RefreshError) {
        return .success(try await self.read(plan, at: endpoint, firstAnswer))
      } catch {
        return .failure(error)
      }
    }
  }

  /// The endpoint that answered last is behind what is known already: others are asked before it.
  func noteBehind() { table.noteOutdated() }

  // MARK: One endpoint

  /// A read under way at one endpoint.
  struct Part {
    let plan: ReadPlan
    let endpoint: Endpoint
    let firstAnswer: FirstAnswer
    /// There is no Multicall3 here: each question is a call of its own.
    var isOneByOne: Bool
    var block: UInt64?
    var timestamp: UInt64?
    var traits: BlockTraits?
    var native: WalletReading.Outcome?
    var balances: [TokenID: WalletReading.Outcome] = [:]
    var metadata: [TokenID: WalletCall.Metadata] = [:]
    /// Failed without a word: perhaps for want of gas.
    var doubtful: [ReadPlan.Entry] = []
    /// Metadata that was not asked for, or not answered, in the first call.
    var unnamed: [ReadPlan.Entry] = []
    var extraCalls = 0
    /// Sub-calls of the largest aggregate that was answered, and whether one was refused for what it asked.
    var passed = 0
    var wasRefused = false
    var foundBurner = false

    mutating func mayTryMore() -> Bool {
      guard extraCalls < ChainReader.extraCallsMaximum else { return false }
      extraCalls += 1
      return true
    }
  }

  private func read(
    _ plan: ReadPlan, at endpoint: Endpoint, _ firstAnswer: FirstAnswer
  ) async throws(RefreshError) -> Reading {
    let now = ContinuousClock.now
    var part = Part(
      plan: plan, endpoint: endpoint, firstAnswer: firstAnswer,
      isOneByOne: !traits[endpoint.index].hasMulticall(now: now))
    var tokens: [ReadPlan.Entry] = []
    for var token in plan.tokens {
      if bad.isMute(token.id) { token.needsMetadata = false }
      // Where each is asked by itself it burns nobody else's gas, but much of the node's.
      guard bad.isBurner(token.id), !part.isOneByOne || bad.isResting(token.id, now: now) else {
        tokens.append(token)
        continue
      }
      // Left out; tried again now and then, by itself.
      part.balances[token.id] = .failed
      if !bad.isResting(token.id, now: now) { part.doubtful.append(token) }
    }
    var rest = tokens[...]
    repeat {
      let size = traits[endpoint.index].chunkSize(now: now)
      let chunk = Array(rest.prefix(Self.chunkCount(rest, subcallsMaximum: size)))
      rest = rest.dropFirst(chunk.count)
      try await read(chunk, scope: [.balances, .metadata], into: &part)
    } while !rest.isEmpty
    guard let block = part.block else { throw .malformed(host: endpoint.host, "no block number") }
    try await examineDoubtful(&part)
    try await readUnnamed(&part)
    // Nobody spoiled the large call: it was the provider's limit.
    if part.wasRefused, !part.foundBurner {
      traits[endpoint.index].noteChunk(passed: part.passed, now: .now)
    }
    let outcomes = plan.tokens.map { ($0.id, part.balances[$0.id] ?? .failed) }
    tokensFailed.increment(by: outcomes.count { $0.1 == .failed })
    return Reading(
      block: block, timestamp: part.timestamp, traits: part.traits,
      outcomes: [(plan.native, part.native ?? .failed)] + outcomes,
      metadata: part.metadata.map { ($0.key, $0.value.name, $0.value.symbol, $0.value.decimals) })
  }

  /// How many of the tokens fit one call.
  private static func chunkCount(_ tokens: ArraySlice<ReadPlan.Entry>, subcallsMaximum: Int) -> Int {
    var subcalls = 5
    var count = 0
    for token in tokens {
      subcalls += token.needsMetadata ? 4 : 1
      if subcalls > subcallsMaximum, count > 0 { break }
      count += 1
    }
    return count
  }

  func read(
    _ tokens: [ReadPlan.Entry], scope: WalletCall.Scope, into part: inout Part
  ) async throws(RefreshError) {
    let call = WalletCall(
      owner: part.plan.key.address, chain: settings.chain, tokens: tokens,
      scope: part.block == nil ? scope.union(.prelude) : scope)
    if part.isOneByOne { return try await readOneByOne(call, into: &part) }
    do {
      let data = try await aggregate(call, block: part.block, at: part.endpoint)
      // What an account without code answers.
      if data.isEmpty, part.block == nil { return try await readOneByOne(call, into: &part) }
      part.firstAnswer.note()
      try take(call, data, into: &part)
      part.passed = max(part.passed, call.calls.count)
      return
    } catch {
      guard error.mayFitInParts, !tokens.isEmpty else { throw error }
      part.firstAnswer.note()
      part.wasRefused = true
    }
    // Is it the node, or what it was asked? A call without tokens tells.
    if part.block == nil { try await read([], scope: [], into: &part) }
    // Whose names were the trouble, perhaps: they come later, by themselves.
    if scope.contains(.metadata) { part.unnamed += tokens.filter(\.needsMetadata) }
    guard tokens.count > 1 else {
      noteBurner(tokens[0])
      part.foundBurner = true
      return
    }
    for half in [tokens[..<(tokens.count / 2)], tokens[(tokens.count / 2)...]] where part.mayTryMore() {
      try await read(Array(half), scope: .balances, into: &part)
    }
  }

  private func take(_ call: WalletCall, _ data: [UInt8], into part: inout Part) throws(RefreshError) {
    let answer: WalletCall.Answer
    do {
      answer = try call.decode(data)
    } catch {
      throw .malformed(host: part.endpoint.host, error.description)
    }
    try take(call, answer, into: &part)
    part.doubtful += answer.silent.map { call.tokens[$0] }.filter { !bad.isKnown($0.id) }
    part.unnamed += answer.silentMetadata.map { call.tokens[$0] }
  }

  func take(_ call: WalletCall, _ answer: WalletCall.Answer, into part: inout Part) throws(RefreshError) {
    if part.block == nil {
      part.block = try checkedBlock(of: answer, at: part.endpoint)
      part.timestamp = answer.timestamp
      part.traits = answer.traits
      part.native = answer.native
    }
    for (token, outcome) in zip(call.tokens, answer.balances) {
      part.balances[token.id] = outcome
      if outcome != .failed { bad.noteAnswer(token.id) }
    }
    for (index, metadata) in answer.metadata { part.metadata[call.tokens[index].id] = metadata }
  }

  /// The block of an answer that has the prelude: of this chain, and no node's that lags.
  func checkedBlock(of answer: WalletCall.Answer, at endpoint: Endpoint) throws(RefreshError) -> UInt64 {
    guard let found = answer.chainID else { throw .malformed(host: endpoint.host, "no chain id") }
    guard found == settings.chain.chainID else {
      throw .wrongChain(host: endpoint.host, expected: settings.chain.chainID, found: found)
    }
    guard let block = answer.block else { throw .malformed(host: endpoint.host, "no block number") }
    try noteHead(block, .reading, at: endpoint)
    return block
  }
}

extension RefreshError {
  /// A node that refuses the whole may take the halves; a token that spoils the whole is found the same way.
  var mayFitInParts: Bool {
    switch self {
    case .node(_, let node): [.outOfGas, .reverted, .timedOut, .tooManyResults, .other].contains(node.kind)
    case .status(_, let status): status == 413
    case .unreachable(_, .responseTooLarge): true
    default: false
    }
  }

  /// No endpoint can help: the server is going away.
  var isOurs: Bool {
    switch self {
    case .stopped, .unreachable(_, .cancelled), .unreachable(_, .stopped): true
    default: false
    }
  }

  /// No endpoint answered, not even with a refusal.
  var isSilence: Bool {
    if case .node = self { return false }
    return !isOurs
  }
}
