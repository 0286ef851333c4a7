import Ethereum
import Synchronization

/// What event loops and HTTP handlers ask of the ledger, in the order they asked: a `watch` after an `unwatch`
/// must not overtake it, which bare actor calls from two tasks would not promise.
public final class LedgerInbox: Sendable {
  public enum Message: Sendable {
    case watch(WatchRequest)
    case unwatch(shard: Int, wallets: [WalletID], tokens: [TokenID])
    case register([WalletKey], @Sendable ([Result<(id: WalletID, isNew: Bool), WatchFailure>]) -> Void)
    case delete(WalletID, @Sendable (Result<Bool, any Error>) -> Void)
    case setVisible(
      Bool, WalletID, TokenID, @Sendable (Result<(row: BalanceRow, price: PriceCell)?, any Error>) -> Void)
  }

  private struct State: ~Copyable {
    var messages: [Message] = []
    var isDraining = false
    weak var ledger: Ledger?
  }
  private let state = Mutex(State())

  init() {}

  func attach(_ ledger: Ledger) { state.withLock { $0.ledger = ledger } }

  /// Never blocks; may be called from an event loop.
  public func post(_ message: Message) {
    let ledger: Ledger? = state.withLock { state in
      state.messages.append(message)
      guard !state.isDraining else { return nil }
      state.isDraining = true
      return state.ledger
    }
    if let ledger { Task { await ledger.drainInbox() } }
  }

  /// Everything asked since the last call; `nil` ends the draining.
  func takeAll() -> [Message]? {
    state.withLock { state in
      if state.messages.isEmpty {
        state.isDraining = false
        return nil
      }
      defer { state.messages = [] }
      return state.messages
    }
  }
}

/// A loop wants to follow wallets and tokens from now on. Wallets the server has not seen are registered, durably,
/// before the answer.
public struct WatchRequest: Sendable {
  public var shard: Int
  public var ticket: UInt64
  public var wallets: [WalletKey]
  public var tokens: [TokenKey]
  /// `get`: the wallets are answered once and not followed.
  public var isOnce: Bool

  public init(shard: Int, ticket: UInt64, wallets: [WalletKey], tokens: [TokenKey], isOnce: Bool = false) {
    self.shard = shard
    self.ticket = ticket
    self.wallets = wallets
    self.tokens = tokens
    self.isOnce = isOnce
  }
}
