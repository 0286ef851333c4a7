import Ethereum
import Ledger

/// Passes where there is no Multicall3: they ask for so much and no more, or all that an endpoint allows would go
/// into them.
extension ChainFollower {
  /// What this pass asks for. Tokens that changed and have no room are stale until the next one. Native coins that have
  /// none are not: that they changed is not known, and whole reads look at them in their time.
  func share(
    of subjects: [FollowCall.Subject], most: Int, at head: BlockHeader
  ) async -> [FollowCall.Subject] {
    let share = FollowCall.share(of: subjects, most: most, after: lastNative)
    lastNative = share.last
    guard !share.waiting.isEmpty else { return share.subjects }
    var stale: [WalletID: WalletChanges] = [:]
    for case .known(let wallet, _, let token, _) in share.waiting {
      stale[wallet, default: WalletChanges(wallet: wallet, outcomes: [])].outcomes.append((token, .failed))
      unsettled.insert([WalletToken(wallet: wallet, token: token)])
    }
    metrics.leftOut.increment(by: share.waiting.count { if case .unknown = $0 { true } else { false } })
    await ledger.accept(Array(stale.values), block: head.number)
    return share.subjects
  }
}
