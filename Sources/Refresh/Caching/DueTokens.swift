import Ethereum
import Ledger

/// Why a wallet is read: the later ones take in the earlier.
enum ReadKind: Int, Comparable, Sendable {
  /// Its time is up, or it was wanted: what needs no reading is left out.
  case due
  /// Something was missed: nothing is left out.
  case whole
  /// Somebody asked for it: nothing is left out, statuses are announced, and the cool-down counts from its start.
  case refresh

  static func < (left: ReadKind, right: ReadKind) -> Bool { left.rawValue < right.rawValue }
}

/// What a read of a wallet leaves out.
struct LeftOut: Sendable, Equatable {
  /// What it is known by.
  var continuity: Continuity
  /// When the first of it has to be read.
  var until: UnixMilliseconds
}

/// Which tokens of a wallet have to be read. Pure.
///
/// A read makes the whole wallet fresh for `balance`, so it leaves out only what needs no reading for longer than that:
/// balances of zero that a read has brought, of a wallet of which nothing was missed since, as long as `zeroBalance`
/// says. Whatever is shown with another balance, or not as fresh, is read.
struct DueTokens {
  let times: CacheTimes
  let now: UnixMilliseconds
  /// `nil`: the wallet is not followed, or was never read as a whole.
  let continuity: Continuity?
  /// Those that are shown and not as a fresh zero.
  let shown: Set<TokenID>
  private(set) var lookups = CacheLookups()
  private var firstEnd = UnixMilliseconds.max

  init(times: CacheTimes, now: UnixMilliseconds, cells: WalletCells?, continuity: Continuity?) {
    self.times = times
    self.now = now
    self.continuity = cells?.isComplete == true ? continuity : nil
    shown = Set(
      cells?.rows.lazy.filter { $0.state != .fresh || !$0.isKnown || !$0.balance.isZero }.map(\.token) ?? [])
  }

  /// Whether no read is needed before the next one's time is up, and how long.
  private func end(of entry: CacheEntry?) -> UnixMilliseconds? {
    guard let entry, let continuity else { return nil }
    let end = times.end(of: entry, since: continuity.since)
    return end > now + times.balance ? end : nil
  }

  private mutating func note(_ kind: CacheKey.Kind, _ entry: CacheEntry?, isHit: Bool) {
    lookups[kind, isHit ? .hit : entry == nil ? .miss : .stale] += 1
  }

  /// The coin is read every time.
  mutating func noteNative(_ entry: CacheEntry?) { note(.nativeBalance, entry, isHit: false) }

  /// - Returns: whether nothing that is not shown has to be looked for.
  mutating func isListKnown(_ entry: CacheEntry?) -> Bool {
    let end = end(of: entry)
    note(.tokenList, entry, isHit: end != nil)
    guard let end else { return false }
    firstEnd = min(firstEnd, end)
    return true
  }

  mutating func isDue(_ token: TokenID, _ entry: CacheEntry?) -> Bool {
    let end = shown.contains(token) ? nil : end(of: entry)
    note(.tokenBalance, entry, isHit: end != nil)
    guard let end else { return true }
    firstEnd = min(firstEnd, end)
    return false
  }

  mutating func isMetadataDue(_ entry: CacheEntry?) -> Bool {
    let isDue = entry.map { $0.until <= now } ?? true
    note(.metadata, entry, isHit: !isDue)
    return isDue
  }

  /// `nil` where nothing was left out.
  var leftOut: LeftOut? {
    guard let continuity, firstEnd < .max else { return nil }
    return LeftOut(continuity: continuity, until: firstEnd)
  }
}

/// How long what was read counts, in milliseconds.
struct CacheTimes: Sendable, Equatable {
  var balance: UnixMilliseconds
  var zeroBalance: UnixMilliseconds
  var tokenList: UnixMilliseconds
  var metadata: UnixMilliseconds

  init(_ settings: RefreshSettings) {
    balance = settings.balanceTTL.inMilliseconds
    zeroBalance = settings.zeroBalanceTTL.inMilliseconds
    tokenList = settings.tokenListTTL.inMilliseconds
    metadata = settings.metadataTTL.inMilliseconds
  }

  /// - Parameter since: the block since which nothing was missed of the wallet.
  func end(of entry: CacheEntry, since: UInt64?) -> UnixMilliseconds {
    if let since, entry.block >= since { return entry.until }
    return min(entry.until, entry.readAt + balance)
  }
}
