import Ethereum
import Ledger
import TestSupport
import Testing

@testable import Refresh

struct MemoryCacheTests {
  private static func key(_ wallet: WalletID, _ token: TokenID) throws -> CacheKey {
    let chain = try ChainCode(parsing: "TEST")
    let contract = Address.numbered(UInt64(token))
    guard wallet > 0 else { return .metadata(of: token, contract, on: chain) }
    let key = WalletKey(chain: chain, address: .numbered(UInt64(wallet)))
    return switch token {
    case 0: .tokenList(of: wallet, key)
    case 1: .nativeBalance(of: wallet, key)
    default: .tokenBalance(token, contract, of: wallet, key)
    }
  }
  private static func entry(_ block: UInt64, until: UnixMilliseconds = 1_000) -> CacheEntry {
    CacheEntry(block: block, readAt: 0, until: until)
  }

  /// Against a plain dictionary.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func doesWhatADictionaryWould(seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    let cache = MemoryCache(maximumBytes: .max, idle: .seconds(1_000))
    var table: [CacheKey: CacheEntry] = [:]
    for _ in 0..<200 {
      let keys = try Set(
        (0..<Int.random(in: 1...30, using: &generator)).map { _ in
          try Self.key(.random(in: 0..<4, using: &generator), .random(in: 0..<60, using: &generator))
        })
      switch Int.random(in: 0..<4, using: &generator) {
      case 0, 1:
        let news = keys.map { ($0, Self.entry(.random(in: 0..<5, using: &generator))) }
        await cache.set(news, now: 0)
        for (key, entry) in news { table[key] = entry }
      case 2:
        await cache.remove(Array(keys), now: 0)
        for key in keys { table[key] = nil }
      default: break
      }
      let asked = Array(keys)
      #expect(await cache.entries(for: asked, now: 0) == asked.map { table[$0] }, "seed \(seed)")
      let figures = await cache.sweep(now: 0)
      #expect(figures.entries == table.count, "seed \(seed)")
      #expect(figures.wallets == Set(table.keys.map(\.wallet)).subtracting([0]).count, "seed \(seed)")
    }
    await cache.remove(Array(table.keys), now: 0)
    #expect(await cache.sweep(now: 0) == CacheFigures())
  }

  private static func fill(_ cache: MemoryCache, wallet: WalletID, tokens: TokenID, now: UnixMilliseconds)
    async throws
  {
    let entries = try (0..<tokens).map { (key: try key(wallet, $0), entry: entry(UInt64($0 % 2))) }
    await cache.set(entries, now: now)
  }

  @Test func isBoundedAndLetsGoOfWhatWasNotUsedForLongest() async throws {
    let maximum = 200_000
    let cache = MemoryCache(maximumBytes: maximum, idle: .seconds(1_000_000))
    for wallet in 1...200 as ClosedRange<WalletID> {
      try await Self.fill(cache, wallet: wallet, tokens: 2_000, now: wallet)
      // The first is asked for all the time.
      let first = await cache.entries(for: [try Self.key(1, 5)], now: wallet)
      #expect(first != [nil])
      let figures = await cache.sweep(now: wallet)
      #expect(figures.bytes <= maximum)
    }
    let figures = await cache.sweep(now: 200)
    // 8 bytes an entry.
    #expect(figures.wallets == maximum / (2_000 * 8 + 300))
    let last = figures.wallets - 2
    for wallet in [1, 200, 200 - WalletID(last)] {
      #expect(try await cache.entries(for: [Self.key(wallet, 5)], now: 200) != [nil], "\(wallet)")
    }
    #expect(try await cache.entries(for: [Self.key(199 - WalletID(last), 5)], now: 200) == [nil])
  }

  @Test func whatFitsNowhereIsNotHeld() async throws {
    let cache = MemoryCache(maximumBytes: 1_000, idle: .seconds(1))
    try await Self.fill(cache, wallet: 1, tokens: 2_000, now: 0)
    #expect(await cache.sweep(now: 0) == CacheFigures())
  }

  @Test func whatNobodyAsksForGoes() async throws {
    let cache = MemoryCache(maximumBytes: .max, idle: .seconds(10))
    try await Self.fill(cache, wallet: 1, tokens: 5, now: 0)
    try await Self.fill(cache, wallet: 2, tokens: 5, now: 4_000)
    try await Self.fill(cache, wallet: 3, tokens: 5, now: 5_000)
    #expect(await cache.sweep(now: 9_999).wallets == 3)
    _ = await cache.entries(for: [try Self.key(2, 0)], now: 9_999)
    #expect(await cache.sweep(now: 10_000).wallets == 2)
    #expect(await cache.sweep(now: 15_000) == CacheFigures(entries: 5, bytes: 192 + 40 + 48, wallets: 1))
    #expect(
      try await cache.entries(for: [Self.key(2, 0), Self.key(3, 0)], now: 15_000).map { $0 != nil } == [
        true, false,
      ])
    #expect(await cache.sweep(now: 25_000) == CacheFigures())
  }

  /// Names of tokens are kept as long as they count.
  @Test func whatBelongsToNoWalletStays() async throws {
    let cache = MemoryCache(maximumBytes: .max, idle: .seconds(10))
    await cache.set([(try Self.key(0, 7), Self.entry(1, until: 100_000))], now: 0)
    try await Self.fill(cache, wallet: 1, tokens: 5, now: 1)
    #expect(await cache.sweep(now: 50_000).entries == 1)
    #expect(try await cache.entries(for: [Self.key(0, 7)], now: 99_000) != [nil])
    #expect(await cache.sweep(now: 110_000) == CacheFigures())
  }

  @Test func beingAskedCostsNoMemory() async throws {
    let cache = MemoryCache(maximumBytes: .max, idle: .seconds(10))
    for wallet in 1...50 as ClosedRange<WalletID> {
      try await Self.fill(cache, wallet: wallet, tokens: 3, now: 0)
    }
    for round in 0..<200 {
      for wallet in 1...50 as ClosedRange<WalletID> {
        _ = await cache.entries(for: [try Self.key(wallet, 1), try Self.key(wallet, 2)], now: Int64(round))
      }
    }
    #expect(await cache.usesHeld <= 2 * 50 + 64)
  }
}
