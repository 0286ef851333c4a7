import Ethereum
import Push
import Synchronization

/// The shards exist before the service they ask for refreshes; this stands between them until it is there.
final class DeferredDesk: RefreshRequester {
  private let desk = Mutex<(any RefreshRequester)?>(nil)

  func attach(_ requester: any RefreshRequester) { desk.withLock { $0 = requester } }

  func requestRefresh(_ wallet: WalletKey, _ answer: @escaping @Sendable (RefreshAnswer) -> Void) {
    guard let requester = desk.withLock({ $0 }) else { return answer(.internal) }
    requester.requestRefresh(wallet, answer)
  }
}
