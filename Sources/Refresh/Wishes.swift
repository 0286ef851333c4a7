import Ethereum
import Ledger
import Synchronization

/// What observers say, kept in order until the service takes it.
final class Wishes: Sendable {
  enum Wish: Sendable {
    case wanted(WalletID, WalletKey, isWatched: Bool)
    case unwatched(WalletID)
  }

  private let list = Mutex<[Wish]>([])
  let calls: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (calls, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  func add(_ wish: Wish) {
    list.withLock { $0.append(wish) }
    continuation.yield()
  }

  func call() { continuation.yield() }
  func finish() { continuation.finish() }

  func take() -> [Wish] {
    list.withLock { wishes in
      defer { wishes = [] }
      return wishes
    }
  }
}
