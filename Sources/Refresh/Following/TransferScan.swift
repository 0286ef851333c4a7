import Ethereum
import JSON
import Ledger

/// A balance that may have changed.
struct ChangedPair: Hashable {
  let wallet: WalletID
  let contract: Address
}

/// The transfers of a range of blocks that concern some wallets: what to ask for, and what the answers say. Pure.
struct TransferScan {
  /// Wallets in one filter.
  static let walletsPerCall = 1_000
  /// Changed balances that one pass takes on. More of them is no range to follow.
  static let pairsMaximum = 20_000

  let plan: FollowedWallets.Plan
  /// Of Transfers.
  private(set) var pairs: Set<ChangedPair> = []
  /// Of Deposits and Withdrawals: any contract may have events of these names.
  private(set) var wrappings: Set<ChangedPair> = []
  private(set) var logCount = 0
  private let wallets: [Address: WalletID]

  init(_ plan: FollowedWallets.Plan) {
    self.plan = plan
    wallets = Dictionary(plan.wallets.map { ($0.address, $0.id) }, uniquingKeysWith: { first, _ in first })
  }

  var isTooMuch: Bool { pairs.count + wrappings.count > Self.pairsMaximum }

  /// Topics are and-ed across their positions: the sender and the receiver need a question each. The owner of a wrapped
  /// coin's Deposit and Withdrawal stands where a Transfer's sender does.
  var requests: [JSONRPC.Request] {
    var requests: [JSONRPC.Request] = []
    var rest = plan.wallets[...]
    while !rest.isEmpty {
      let words = rest.prefix(Self.walletsPerCall).map { Bytes32($0.address.word) }
      rest = rest.dropFirst(Self.walletsPerCall)
      for topics in [
        [[ABI.Topic.transfer, ABI.Topic.deposit, ABI.Topic.withdrawal], words],
        [[ABI.Topic.transfer], [], words],
      ] {
        requests.append(.getLogs(id: 1, fromBlock: plan.from, toBlock: plan.through, topics: topics))
      }
    }
    return requests
  }

  /// - Parameter result: of one of the requests.
  mutating func take(_ result: JSONValue) throws(JSONRPC.CallError) {
    guard let values = result.array else { throw .malformed("\(result.kindDescription) instead of logs") }
    logCount += values.count
    for value in values {
      let log = try Log(value)
      guard !log.removed, !isTooMuch else { continue }
      switch log.movement {
      case .transfer(let from, let to, _):
        for account in [from, to] {
          if let wallet = wallets[account] {
            pairs.insert(ChangedPair(wallet: wallet, contract: log.address))
          }
        }
      case .wrapping(let owner, _, _):
        if let wallet = wallets[owner] {
          wrappings.insert(ChangedPair(wallet: wallet, contract: log.address))
        }
      case nil: break
      }
    }
  }
}
