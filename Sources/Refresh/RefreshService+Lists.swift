import Ethereum
import Ledger

extension RefreshService {
  /// Other tokens are listed: watched wallets of the chain are read soon, spread over two seconds.
  public func readAgain(_ chain: ChainCode) async {
    for wallet in watched where await ledger.wallet(wallet)?.key.chain == chain {
      // What is under way may have been planned before.
      if flights[wallet] != nil { outdatedFlights.insert(wallet) }
      scheduleNext(wallet, after: .milliseconds(.random(in: 0..<2_000)))
    }
  }
}
