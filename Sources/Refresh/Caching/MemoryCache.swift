import Ledger
import Metrics

/// A cache in this server's memory: bounded by bytes, and empty after a start.
///
/// All entries of a wallet are asked for together, so they are kept together and go together: when nobody has asked for
/// them for a while, or when there is no room and others were asked for since. As that while is the same for all, the
/// order in which they were asked for is the order in which they go, and nothing is ever searched.
public actor MemoryCache: Cache {
  private struct Held {
    var page: CachePage
    var usedAt: UnixMilliseconds
    /// Its place in `order`.
    var use: UInt64
  }
  private struct Use {
    var page: WalletID
    var number: UInt64
  }

  public nonisolated let maximumBytes: Int
  /// How long what nobody asks for is kept, milliseconds.
  private let idle: UnixMilliseconds
  private var pages: [WalletID: Held] = [:]
  /// The oldest first. A use that is not its page's last is a leftover.
  private var order: [Use] = []
  private var first = 0
  private var uses: UInt64 = 0
  private var figures = CacheFigures()
  private let evictions = Counter(label: "cache_evictions_total")

  /// - Parameter idle: longer than from one read of a watched wallet to the next.
  public init(maximumBytes: Int, idle: Duration) {
    self.maximumBytes = maximumBytes
    self.idle = idle.inMilliseconds
  }

  public func entries(for keys: [CacheKey], now: UnixMilliseconds) -> [CacheEntry?] {
    var used: WalletID?
    return keys.map { key in
      guard let held = pages[key.page] else { return nil }
      if used != key.page {
        used = key.page
        use(key.page, now: now)
      }
      return held.page[key.slot]
    }
  }

  public func set(_ entries: [(key: CacheKey, entry: CacheEntry)], now: UnixMilliseconds) {
    change(entries.map { ($0.key, $0.entry) }, now: now)
  }

  public func remove(_ keys: [CacheKey], now: UnixMilliseconds) {
    change(keys.filter { pages[$0.page] != nil }.map { ($0, nil) }, now: now)
  }

  public func sweep(now: UnixMilliseconds) -> CacheFigures {
    while let oldest = oldest(), let held = pages[oldest], now - held.usedAt >= idle {
      // What belongs to no wallet is used by all of them, and rarely.
      if CacheKey.isShared(oldest), held.page.until > now {
        use(oldest, now: now)
      } else {
        drop(oldest)
      }
    }
    return figures
  }

  private func change(_ changes: [(key: CacheKey, entry: CacheEntry?)], now: UnixMilliseconds) {
    var byPage: [WalletID: [(id: UInt32, entry: CacheEntry?)]] = [:]
    for (key, entry) in changes { byPage[key.page, default: []].append((key.slot, entry)) }
    for (page, changes) in byPage {
      var held = take(page) ?? Held(page: CachePage(), usedAt: now, use: 0)
      held.page.merge(changes)
      guard held.page.count > 0 else { continue }
      put(held, page)
      use(page, now: now)
    }
    while figures.bytes > maximumBytes, let oldest = oldest() {
      evictions.increment(by: pages[oldest]?.page.count ?? 0)
      drop(oldest)
    }
  }

  private func take(_ page: WalletID) -> Held? {
    guard let held = pages.removeValue(forKey: page) else { return nil }
    figures.entries -= held.page.count
    figures.bytes -= held.page.bytes
    if !CacheKey.isShared(page) { figures.wallets -= 1 }
    return held
  }

  private func put(_ held: Held, _ page: WalletID) {
    figures.entries += held.page.count
    figures.bytes += held.page.bytes
    if !CacheKey.isShared(page) { figures.wallets += 1 }
    pages[page] = held
  }

  private func drop(_ page: WalletID) { _ = take(page) }

  // MARK: The order of use

  /// Leftovers included.
  var usesHeld: Int { order.count }

  private func use(_ page: WalletID, now: UnixMilliseconds) {
    uses += 1
    pages[page]?.usedAt = now
    pages[page]?.use = uses
    order.append(Use(page: page, number: uses))
    // Leftovers must not outnumber what counts.
    guard order.count > 2 * pages.count + 64 else { return }
    order = order[first...].filter { pages[$0.page]?.use == $0.number }
    first = 0
  }

  /// The page that was not used for longest.
  private func oldest() -> WalletID? {
    while first < order.count {
      let use = order[first]
      if pages[use.page]?.use == use.number { return use.page }
      first += 1
    }
    return nil
  }
}

extension CacheKey {
  /// Wallets' numbers begin at 1; what belongs to no wallet is below.
  var page: WalletID {
    switch kind {
    case .tokenList, .nativeBalance, .tokenBalance: wallet
    case .metadata: 0
    }
  }

  static func isShared(_ page: WalletID) -> Bool { page == 0 }

  /// Tokens are numbered from 0 on, and there are fewer of them.
  var slot: UInt32 {
    switch kind {
    case .tokenList: .max
    case .nativeBalance: .max - 1
    case .tokenBalance, .metadata: token
    }
  }
}
