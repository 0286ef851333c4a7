// One read of a wallet as one call of Multicall3, and what its answer says. Pure.

import Ethereum
import Ledger

/// The calls of one aggregate: what every read needs, then the wallet's tokens.
struct WalletCall {
  enum Question: Equatable {
    case blockNumber
    case timestamp
    case parentHash
    case chainID
    case nativeBalance
    case balance(Int)
    case name(Int)
    case symbol(Int)
    case decimals(Int)
  }

  /// What to ask for.
  struct Scope: OptionSet {
    let rawValue: UInt8
    /// The block, the chain and the native coin: once in a read.
    static let prelude = Scope(rawValue: 1)
    static let balances = Scope(rawValue: 2)
    /// Of the tokens whose metadata is not complete.
    static let metadata = Scope(rawValue: 4)
  }

  let questions: [Question]
  let calls: [Multicall3.Call]
  let tokens: [ReadPlan.Entry]

  /// - Parameters:
  ///   - tokens: of the plan, those to ask for in this call.
  ///   - repeats: how often each balance is asked for.
  init(owner: Address, chain: Chain, tokens: [ReadPlan.Entry], scope: Scope, repeats: Int = 1) {
    self.tokens = tokens
    var questions: [Question] = []
    var calls: [Multicall3.Call] = []
    func ask(_ question: Question, _ target: Address, _ data: [UInt8]) {
      questions.append(question)
      calls.append(Multicall3.Call(target: target, allowFailure: true, data: data))
    }
    if scope.contains(.prelude) {
      if chain.quirks.contains(.blockNumberFromArbSys) {
        ask(.blockNumber, Chain.arbSys, ABI.encode(.arbBlockNumber))
      } else {
        ask(.blockNumber, chain.multicall3, ABI.encode(.getBlockNumber))
        // Of the chain's own blocks only here: there the machine counts those of the chain below.
        ask(.parentHash, chain.multicall3, ABI.encode(.getLastBlockHash))
      }
      ask(.timestamp, chain.multicall3, ABI.encode(.getCurrentBlockTimestamp))
      ask(.chainID, chain.multicall3, ABI.encode(.getChainId))
      ask(.nativeBalance, chain.multicall3, Multicall3.getEthBalance(owner))
    }
    if scope.contains(.balances) {
      let data = ABI.balanceOf(owner)
      for (index, token) in tokens.enumerated() {
        for _ in 0..<max(1, repeats) { ask(.balance(index), token.contract, data) }
      }
    }
    // Metadata behind the balances: a token that burns all gas when asked for its name spoils no balance.
    if scope.contains(.metadata) {
      for (index, token) in tokens.enumerated() where token.needsMetadata {
        ask(.name(index), token.contract, ABI.encode(.name))
        ask(.symbol(index), token.contract, ABI.encode(.symbol))
        ask(.decimals(index), token.contract, ABI.encode(.decimals))
      }
    }
    self.questions = questions
    self.calls = calls
  }

  /// What the answer says. A token that reverted, returned nothing or too little is `.failed`, and no other token
  /// is touched by it.
  struct Answer: Equatable {
    var block: UInt64?
    /// Of the block, in Unix seconds.
    var timestamp: UInt64?
    /// Hash of the block below it, where the chain tells.
    var parentHash: Bytes32?
    var traits: BlockTraits? {
      guard let parentHash, let timestamp else { return nil }
      return BlockTraits(parentHash: parentHash, timestamp: timestamp)
    }
    var chainID: UInt64?
    var native: WalletReading.Outcome?
    /// By position in `tokens`.
    var balances: [WalletReading.Outcome]
    /// Positions of tokens that failed without a word: perhaps another one left them no gas.
    var silent: [Int] = []
    var metadata: [Int: Metadata] = [:]
    /// Positions of tokens that said nothing to all of the three questions, for the same reason perhaps.
    var silentMetadata: [Int] = []
  }

  struct Metadata: Equatable {
    var name: String?
    var symbol: String?
    var decimals: UInt8?
    /// Some of the calls came to an end of their own: they returned, or reverted with a reason.
    var isAnswered = false
  }

  /// The longest text a contract may call itself, before cleaning.
  static let textBytes = 4_096
  /// Of what one call returned, so much is looked at.
  static let resultBytes = textBytes + 96

  func decode(_ data: [UInt8]) throws(ABIError) -> Answer {
    answer(try Multicall3.decodeAggregate3(data, count: calls.count, limit: Self.resultBytes)[...])
  }

  /// - Parameter results: of these calls, as part of a larger aggregate perhaps.
  func answer(_ results: ArraySlice<Multicall3.Result>) -> Answer {
    var answer = Answer(balances: Array(repeating: .failed, count: tokens.count))
    for (question, result) in zip(questions, results) {
      if result.success { take(question, ABIDecoder(result.data), into: &answer) }
      let isSilent = !result.success && result.data.isEmpty
      switch question {
      case .balance(let index) where isSilent && answer.silent.last != index: answer.silent.append(index)
      case .name(let index), .symbol(let index), .decimals(let index):
        if !isSilent { answer.metadata[index, default: Metadata()].isAnswered = true }
      default: break
      }
    }
    answer.silent.removeAll { answer.balances[$0] != .failed }
    answer.silentMetadata = questions.compactMap { question in
      guard case .name(let index) = question else { return nil }
      return answer.metadata[index]?.isAnswered == true ? nil : index
    }
    return answer
  }

  private func take(_ question: Question, _ decoder: ABIDecoder, into answer: inout Answer) {
    switch question {
    case .blockNumber: answer.block = try? decoder.uint64()
    case .timestamp: answer.timestamp = try? decoder.uint64()
    case .parentHash: answer.parentHash = (try? decoder.bytes32()).flatMap { $0 == .zero ? nil : $0 }
    case .chainID: answer.chainID = try? decoder.uint64()
    case .nativeBalance: answer.native = (try? decoder.uint256()).map { .balance($0) }
    case .balance(let index):
      if let balance = try? decoder.uint256() { answer.balances[index] = .balance(balance) }
    case .name(let index):
      answer.metadata[index, default: Metadata()].name = text(decoder, limit: TokenText.nameLimit)
    case .symbol(let index):
      answer.metadata[index, default: Metadata()].symbol = text(decoder, limit: TokenText.symbolLimit)
    case .decimals(let index):
      answer.metadata[index, default: Metadata()].decimals =
        (try? decoder.uint256()).flatMap { TokenText.decimals($0) }.map { UInt8($0) }
    }
  }

  private func text(_ decoder: ABIDecoder, limit: Int) -> String? {
    guard let bytes = try? decoder.text(limit: Self.textBytes) else { return nil }
    return TokenText.clean(bytes, limit: limit)
  }
}
