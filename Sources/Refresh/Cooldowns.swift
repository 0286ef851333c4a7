import Ledger

/// When each wallet was last refreshed. A pure table: entries that no longer matter are dropped.
struct Cooldowns {
  let period: UnixMilliseconds
  /// When the last successful refresh began.
  private var starts: [WalletID: UnixMilliseconds] = [:]
  private var sweepAt = 256

  init(period: UnixMilliseconds) { self.period = period }

  var count: Int { starts.count }

  /// How long ago the last refresh began and how long to wait still; `nil`: a refresh may begin.
  func remaining(_ wallet: WalletID, now: UnixMilliseconds) -> (ago: Int64, retry: Int64)? {
    guard period > 0, let start = starts[wallet] else { return nil }
    let ago = max(0, now - start)
    return ago < period ? (ago, period - ago) : nil
  }

  mutating func note(_ wallet: WalletID, start: UnixMilliseconds, now: UnixMilliseconds) {
    guard period > 0 else { return }
    starts[wallet] = start
    guard starts.count >= sweepAt else { return }
    starts = starts.filter { now - $0.value < period }
    sweepAt = max(256, starts.count * 2)
  }
}
