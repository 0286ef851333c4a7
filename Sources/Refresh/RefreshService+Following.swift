import Ethereum
import Ledger

extension RefreshService {
  func makeFollowers() -> [ChainCode: ChainFollower] {
    var followers: [ChainCode: ChainFollower] = [:]
    for (code, reader) in readers {
      guard let follow = reader.settings.follow else { continue }
      followers[code] = ChainFollower(
        chain: reader, settings: follow, ledger: ledger, clock: clock, logger: logger, jobs: jobs
      ) { [weak self] wallets in
        await self?.readAnew(wallets, code)
      } headSeen: { [weak self] head, announced in
        guard let head else { return await self?.forgetHead(of: code) ?? () }
        await self?.noteHead(
          code, .node, head.number, timestamp: head.timestamp, announced: announced)
      } headLost: { [weak self] in
        await self?.noteHeadLost(code)
      }
    }
    return followers
  }

  /// How far nothing was missed of the wallet. `nil`: it is not followed, or its chain stands still.
  func continuity(of wallet: WalletID, _ chain: ChainCode) async -> Continuity? {
    stillSince[chain] == nil ? await followers[chain]?.continuity(of: wallet) : nil
  }

  /// Reads wallets as a whole, each after the read under way of it: that may have been of what is no more.
  func readAnew(_ wallets: [WalletID], _ chain: ChainCode) {
    guard !isStopped else { return }
    for wallet in wallets where watched.contains(wallet) {
      guard let before = flights[wallet]?.task else {
        fly(wallet, chain, .whole)
        continue
      }
      followUps.run { [weak self] in
        _ = await before.value
        await self?.readIfWatched(wallet, chain)
      }
    }
  }

  private func readIfWatched(_ wallet: WalletID, _ chain: ChainCode) {
    if !isStopped, watched.contains(wallet) { fly(wallet, chain, .whole) }
  }
}
