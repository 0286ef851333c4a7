import Ethereum
import HTTP1
import JSON
import Ledger

// From answers to values. Nil where something is missing without which the value is none; of lists, elements that this
// library can't read are left out, as a wallet on a chain with other addresses would be.

extension RegisteredWallet {
  init?(_ value: JSONValue) {
    guard let id = value["id"]?.number?.int64, id > 0, let key = value.wallet else { return nil }
    self.init(id: id, key: key)
  }
}

extension WalletPage {
  /// - Parameter after: where the page begins. The next one begins after it, or one would go in circles.
  init?(_ value: JSONValue, after: WalletID) {
    guard let wallets = value["wallets"]?.array else { return nil }
    self.wallets = wallets.compactMap { RegisteredWallet($0) }
    switch value["next"] {
    case nil, .null: next = nil
    case let value?:
      guard let id = value.number?.int64, id > after else { return nil }
      next = id
    }
  }
}

extension WalletBalances {
  init?(_ value: JSONValue, of key: WalletKey, etag: String?) {
    guard case .snapshot(let snapshot) = ServerFrame(snapshot: value), snapshot.wallet == key,
      let epoch = value["epoch"]?.string
    else { return nil }
    var wallet = WalletState(key: key)
    // The answer's bytes bound its rows.
    guard wallet.take(snapshot, room: .max) != nil else { return nil }
    self.init(wallet: wallet, epoch: epoch, revision: snapshot.revision, etag: etag)
  }
}

extension BalancesRefresh {
  init?(_ value: JSONValue) {
    guard let wallet = RegisteredWallet(value), let count = value["token_count"]?.int, count >= 0,
      let epoch = value["epoch"]?.string, let revision = value.revision
    else { return nil }
    self.init(
      wallet: wallet, tokenCount: count,
      refreshedAt: value["refresh_time"]?.string.flatMap { CivilTime($0)?.unixSeconds }.map { $0 * 1_000 },
      message: value["message"]?.string ?? "", epoch: epoch, revision: revision)
  }
}

extension ChainStatus {
  init?(_ value: JSONValue) {
    guard let chain = value["chain"]?.string.flatMap({ try? ChainCode(parsing: $0) }),
      let state = value["state"]?.string
    else { return nil }
    self.init(
      chain: chain, chainID: value["chain_id"]?.number?.uint64, name: value["name"]?.string ?? "",
      symbol: value["symbol"]?.string ?? "", isDown: state == "down", since: value["since"]?.number?.int64,
      reason: value["reason"]?.string,
      endpoints: value["endpoints"]?.array?.compactMap { ChainEndpoint($0) } ?? [])
  }
}

extension ChainEndpoint {
  init?(_ value: JSONValue) {
    guard let host = value["host"]?.string, let state = value["state"]?.string else { return nil }
    self.init(
      host: host, state: state,
      latency: value["latency_ms"]?.number?.int64.flatMap {
        (0...86_400_000).contains($0) ? .milliseconds($0) : nil
      },
      errorPercent: value["error_percent"]?.int.flatMap { (0...100).contains($0) ? $0 : nil },
      block: value["block"]?.number?.uint64,
      hasMulticall3: value["multicall3"]?.bool ?? false)
  }
}
