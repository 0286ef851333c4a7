import Ethereum
import Ledger

extension RefreshService {
  /// Other tokens are listed: watched wallets of the chain are read soon, spread over two seconds.
  public func readAgain(_ chain: ChainCode) async {
    for wallet in watched {
      guard let key = await ledger.wallet(wallet)?.key, key.chain == chain else { continue }
      await forgetTokenLists(of: [(wallet, key)])
      // What is under way may have been planned before.
      if flights[wallet] != nil { outdatedFlights.insert(wallet) }
      scheduleNext(wallet, after: .milliseconds(.random(in: 0..<2_000)))
    }
  }
}
