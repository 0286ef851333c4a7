import Ethereum
import Ledger

extension RefreshService {
  func makeFollowers() -> [ChainCode: ChainFollower] {
    var followers: [ChainCode: ChainFollower] = [:]
    for (code, reader) in readers {
      guard let follow = reader.settings.follow else { continue }
      followers[code] = ChainFollower(
        chain: reader, settings: follow, ledger: ledger, clock: clock, logger: logger
      ) { [weak self] wallets in await self?.readAnew(wallets, code) }
    }
    return followers
  }

  /// Reads wallets as a whole, each after the read under way of it: that may have been of what is no more.
  func readAnew(_ wallets: [WalletID], _ chain: ChainCode) {
    guard !isStopped else { return }
    for wallet in wallets where watched.contains(wallet) {
      guard let before = flights[wallet]?.task else {
        fly(wallet, chain, .whole)
        continue
      }
      Task {
        _ = await before.value
        if !isStopped, watched.contains(wallet) { fly(wallet, chain, .whole) }
      }
    }
  }
}
