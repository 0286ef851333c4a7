import Ethereum
import Ledger

/// One aggregate of Multicall3 over balances of many wallets, and what its answer says. Pure.
struct FollowCall {
  enum Subject: Hashable {
    case native(WalletID, Address)
    /// A token that the ledger knows.
    case known(WalletID, owner: Address, TokenID, Address)
    /// One that it does not: asked for its name too.
    case unknown(WalletID, owner: Address, Address)

    static func known(_ place: TokenPlace) -> Subject {
      .known(place.cell.wallet, owner: place.owner, place.cell.token, place.contract)
    }

    /// Calls that it takes.
    var cost: Int { if case .unknown = self { 4 } else { 1 } }
    var wallet: WalletID {
      switch self {
      case .native(let wallet, _), .known(let wallet, _, _, _), .unknown(let wallet, _, _): wallet
      }
    }
  }

  struct Finding {
    var outcome: WalletReading.Outcome
    /// It failed without a word: perhaps another one left it no gas.
    var isSilent = false
    var metadata = WalletCall.Metadata()
  }

  struct Answer {
    var block: UInt64?
    var chainID: UInt64?
    /// Of the block that was asked for, where the chain says it.
    var ancestor: Bytes32?
    /// By position in `subjects`.
    var findings: [Finding]
  }

  /// What a call is about, where there is no Multicall3 to make it.
  enum Question: Equatable {
    case block
    case chainID
    case hash(of: UInt64)
    case native(Address)
    case contract
  }

  let subjects: [Subject]
  let calls: [Multicall3.Call]
  /// By position in `calls`.
  let questions: [Question]
  private let parts: [WalletCall?]
  private let asksForAncestor: Bool

  /// - Parameter ancestor: the number of a block below, whose hash is asked for.
  init(chain: Chain, subjects: [Subject], ancestor: UInt64? = nil) {
    self.subjects = subjects
    let isArbitrum = chain.quirks.contains(.blockNumberFromArbSys)
    func call(_ target: Address, _ data: [UInt8]) -> Multicall3.Call {
      Multicall3.Call(target: target, allowFailure: true, data: data)
    }
    var calls = [
      isArbitrum
        ? call(Chain.arbSys, ABI.encode(.arbBlockNumber))
        : call(chain.multicall3, ABI.encode(.getBlockNumber)),
      call(chain.multicall3, ABI.encode(.getChainId)),
    ]
    var questions = [Question.block, .chainID]
    asksForAncestor = ancestor != nil
    if let ancestor {
      questions.append(.hash(of: ancestor))
      let number = UInt256(ancestor)
      calls.append(
        isArbitrum
          ? call(Chain.arbSys, ABI.encode(.arbBlockHash, number))
          : call(chain.multicall3, ABI.encode(.getBlockHash, number)))
    }
    var parts: [WalletCall?] = []
    for subject in subjects {
      let part = Self.part(subject, chain)
      parts.append(part)
      if let part {
        calls += part.calls
        questions += part.calls.map { _ in .contract }
      } else if case .native(_, let owner) = subject {
        calls.append(call(chain.multicall3, Multicall3.getEthBalance(owner)))
        questions.append(.native(owner))
      }
    }
    self.calls = calls
    self.questions = questions
    self.parts = parts
  }

  private static func part(_ subject: Subject, _ chain: Chain) -> WalletCall? {
    switch subject {
    case .native: nil
    case .known(_, let owner, let id, let contract):
      WalletCall(
        owner: owner, chain: chain,
        tokens: [ReadPlan.Entry(id: id, contract: contract, needsMetadata: false)], scope: .balances)
    case .unknown(_, let owner, let contract):
      WalletCall(
        owner: owner, chain: chain,
        // A number comes when it turns out to be held; the call does not look at it.
        tokens: [ReadPlan.Entry(id: .max, contract: contract, needsMetadata: true)],
        scope: [.balances, .metadata])
    }
  }

  func decode(_ data: [UInt8]) throws(ABIError) -> Answer {
    answer(try Multicall3.decodeAggregate3(data, count: calls.count, limit: WalletCall.resultBytes)[...])
  }

  /// - Parameter results: of these calls.
  func answer(_ results: ArraySlice<Multicall3.Result>) -> Answer {
    var rest = results
    func next() -> ABIDecoder? { rest.popFirst().flatMap { $0.success ? ABIDecoder($0.data) : nil } }
    var answer = Answer(findings: [])
    answer.block = next().flatMap { try? $0.uint64() }
    answer.chainID = next().flatMap { try? $0.uint64() }
    if asksForAncestor { answer.ancestor = next().flatMap { try? $0.bytes32() } }
    for part in parts {
      guard let part else {
        answer.findings.append(
          Finding(outcome: next().flatMap { try? $0.uint256() }.map { .balance($0) } ?? .failed))
        continue
      }
      let reply = part.answer(rest.prefix(part.calls.count))
      rest = rest.dropFirst(part.calls.count)
      answer.findings.append(
        Finding(
          outcome: reply.balances[0], isSilent: !reply.silent.isEmpty,
          metadata: reply.metadata[0] ?? WalletCall.Metadata()))
    }
    return answer
  }

  /// What is left to ask for where the subjects, in their order, are too much for a node: all but the unknown tokens, or
  /// the native coins alone.
  static func fewer(_ subjects: [Subject]) -> [Subject] {
    let trusted = subjects.prefix { if case .unknown = $0 { false } else { true } }
    guard trusted.count == subjects.count else { return Array(trusted) }
    return Array(subjects.prefix { if case .native = $0 { true } else { false } })
  }

  /// Others that are known, in their place among the subjects; each once.
  static func merged(_ subjects: [Subject], _ known: [Subject]) -> [Subject] {
    guard !known.isEmpty else { return subjects }
    let there = Set(subjects)
    let trusted = subjects.prefix { if case .unknown = $0 { false } else { true } }
    return Array(trusted) + known.filter { !there.contains($0) } + Array(subjects[trusted.endIndex...])
  }

  /// The subjects in parts of which each fits one call.
  static func chunks(_ subjects: [Subject], most: Int) -> [[Subject]] {
    var chunks: [[Subject]] = []
    var cost = most
    for subject in subjects {
      if cost + subject.cost > most {
        chunks.append([])
        cost = 0
      }
      chunks[chunks.count - 1].append(subject)
      cost += subject.cost
    }
    return chunks
  }
}
