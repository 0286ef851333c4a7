import Ethereum
import Ledger

/// The protocol's ops.
extension WalletPushClient {
  /// One whole snapshot, without a subscription. `loading` where the server has not read the wallet yet.
  ///
  /// - Throws: ``ClientError``, like all calls.
  public func get(_ wallet: WalletKey) async throws -> WalletState {
    guard case .wallet(let state) = try await call(.get(wallet)) else { throw ClientError.disconnected }
    return state
  }

  /// Has the server read the chain now. What it finds comes as changes.
  ///
  /// - Throws: ``ClientError/refused(_:)`` with `cooldown` and the time to wait, right after another refresh.
  public func refresh(_ wallet: WalletKey) async throws { _ = try await call(.refresh(wallet)) }

  /// For this connection and later ones.
  public func set(_ pacing: Pacing) async throws {
    _ = try await answer { machine, id in machine.set(pacing, id: id) }
  }

  /// What the connection is subscribed to, by the server's word.
  public func list() async throws -> (wallets: [WalletKey], tokens: [TokenKey]) {
    guard case .list(let wallets, let tokens) = try await call(.list) else { return ([], []) }
    return (wallets, tokens)
  }

  /// The time to the server and back.
  public func ping() async throws -> Duration {
    let start = ContinuousClock.now
    _ = try await call(.ping)
    return ContinuousClock.now - start
  }

  private func call(_ operation: Operation) async throws -> Answer {
    try await answer { machine, id in machine.call(operation, id: id) }
  }
}
