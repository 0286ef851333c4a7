import Ethereum
import JSON
import Ledger

// Without Multicall3: each question of a pass is a call of its own.

extension FollowCall {
  /// The question at this position as a call of its own.
  func request(_ position: Int, id: Int, block: UInt64) -> JSONRPC.Request {
    switch questions[position] {
    case .block: .blockNumber(id: id)
    case .chainID: .chainID(id: id)
    case .hash(let number): .getBlock(id: id, .number(number))
    case .native(let owner): .getBalance(id: id, of: owner, block: .number(block))
    case .contract:
      .call(id: id, to: calls[position].target, data: calls[position].data, block: .number(block))
    }
  }

  /// Its outcome as Multicall3 would have told it.
  ///
  /// - Parameter block: that all of them were asked for.
  func result(_ position: Int, _ outcome: JSONRPC.Outcome, block: UInt64) -> Multicall3.Result {
    let failure = Multicall3.Result(success: false, data: [])
    func word(_ value: UInt256?) -> Multicall3.Result {
      value.map { Multicall3.Result(success: true, data: $0.bigEndianBytes[...]) } ?? failure
    }
    if questions[position] == .block { return word(UInt256(block)) }
    guard case .success(let value) = outcome else { return failure }
    switch questions[position] {
    case .block, .chainID, .native: return word(try? JSONRPC.quantity(value))
    case .hash: return word((try? BlockHeader(value))?.hash.value)
    case .contract:
      guard let data = try? JSONRPC.data(value) else { return failure }
      return Multicall3.Result(success: true, data: data.prefix(WalletCall.resultBytes))
    }
  }

  /// What one pass asks for where it may not ask for all.
  struct Share: Equatable {
    var subjects: [Subject] = []
    /// Changed tokens that have to wait.
    var waiting: [Subject] = []
    /// Behind whom the native coins of the next pass begin; `nil`: all had room.
    var last: WalletID?
  }

  /// What changed comes first, but for a part that native coins have in any case: those of wallets in whose tokens
  /// something happened, who have paid for it perhaps, and then one wallet after the other, from pass to pass.
  ///
  /// - Parameter last: of the pass before.
  static func share(of subjects: [Subject], most: Int, after last: WalletID?) -> Share {
    var natives: [Subject] = []
    var changed: [Subject] = []
    for subject in subjects {
      if case .native = subject { natives.append(subject) } else { changed.append(subject) }
    }
    let room = most - min(natives.count, most / 5)
    var share = Share(waiting: Array(changed.dropFirst(room)))
    changed = Array(changed.prefix(room))
    let touched = Set(changed.map(\.wallet))
    let first = natives.filter { touched.contains($0.wallet) }
    let others = natives.filter { !touched.contains($0.wallet) }.sorted { $0.wallet < $1.wallet }
    let turn = others.filter { $0.wallet > last ?? .min } + others.filter { $0.wallet <= last ?? .min }
    let asked = (first + turn).prefix(most - changed.count)
    if asked.count < natives.count {
      share.last = asked.last { !touched.contains($0.wallet) }?.wallet ?? last
    }
    share.subjects = asked + changed
    return share
  }
}

extension FollowCall.Question {
  /// Not a contract answers it.
  var isOfNode: Bool { self != .contract }
}
