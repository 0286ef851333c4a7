import Ethereum
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
      refreshedAt: value["refresh_time"]?.string.flatMap { CivilTime.milliseconds($0) },
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

/// A date and time as `refresh_time` has it: `2026-11-22 10:21:00`, UTC.
enum CivilTime {
  /// Since 1970; nil for what is none of the years 1970 to 9999. Days are counted, not checked against their month.
  static func milliseconds(_ text: String) -> UnixMilliseconds? {
    let bytes = Array(text.utf8)
    guard bytes.count == 19,
      zip(bytes, "dddd-dd-dd dd:dd:dd".utf8).allSatisfy({ byte, form in
        form == UInt8(ascii: "d") ? (48...57).contains(byte) : byte == form
      })
    else { return nil }
    let number: (Range<Int>) -> Int64 = { bytes[$0].reduce(0) { $0 * 10 + Int64($1 - 48) } }
    let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
    let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
    guard year >= 1970, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    // Years that begin in March end with their leap day.
    let (marchYear, marchMonth) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
    let days = marchYear * 365 + leapDays + (153 * marchMonth + 2) / 5 + day - 1 - 719_468
    return (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000
  }
}
