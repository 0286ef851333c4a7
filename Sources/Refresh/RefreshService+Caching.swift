import Ethereum
import Ledger

/// What needs no reading, and what is known after a read.
extension RefreshService {
  /// What of the plan has to be asked for.
  ///
  /// - Returns: the rest of the plan, and what was left out; `nil` where that is nothing.
  func due(_ plan: ReadPlan, for kind: ReadKind) async -> (plan: ReadPlan, leftOut: LeftOut?) {
    guard kind == .due else { return (plan, nil) }
    let now = clock()
    let continuity = await continuity(of: plan.wallet, plan.key.chain)
    let entries = await cache.entries(for: plan.cacheKeys, now: now)
    // Last, so that what the follower brought meanwhile is seen.
    var due = DueTokens(
      times: times, now: now, cells: await ledger.wallet(plan.wallet), continuity: continuity)
    var rest = plan
    rest.tokens = []
    due.noteNative(entries[0])
    let isListKnown = due.isListKnown(entries[1])
    for (token, entry) in zip(plan.tokens, entries[2...])
    where isListKnown ? due.shown.contains(token.id) : due.isDue(token.id, entry) {
      rest.tokens.append(token)
    }
    await leaveOutMetadata(&rest, &due)
    cacheMetrics.note(due.lookups)
    return (rest, due.leftOut)
  }

  /// Names that a token would not tell lately are not asked for again.
  private func leaveOutMetadata(_ plan: inout ReadPlan, _ due: inout DueTokens) async {
    let positions = plan.tokens.indices.filter { plan.tokens[$0].needsMetadata }
    guard !positions.isEmpty else { return }
    let chain = plan.key.chain
    let keys = positions.map {
      CacheKey.metadata(of: plan.tokens[$0].id, plan.tokens[$0].contract, on: chain)
    }
    for (position, entry) in zip(positions, await cache.entries(for: keys, now: due.now)) {
      plan.tokens[position].needsMetadata = due.isMetadataDue(entry)
    }
  }

  /// A read has gone into the ledger.
  ///
  /// - Parameters:
  ///   - plan: what was asked for.
  ///   - revision: of the ledger before the read went into it.
  func remember(
    _ reading: ChainReader.Reading, _ plan: ReadPlan, _ leftOut: LeftOut?, readAt: UnixMilliseconds,
    after revision: Revision
  ) async {
    func entry(_ time: UnixMilliseconds) -> CacheEntry {
      CacheEntry(block: reading.block, readAt: readAt, until: readAt + time)
    }
    let (held, zero) = (entry(times.balance), entry(times.zeroBalance))
    // The block may turn out to be none of the chain's: what went to zero in it is looked at once more.
    let changed = Set(
      await ledger.wallet(plan.wallet)?.rows.lazy.filter { $0.revision > revision }.map(\.token) ?? [])
    var entries = [(key: CacheKey.nativeBalance(of: plan.wallet, plan.key), entry: held)]
    var failed: [CacheKey] = []
    for (token, (_, outcome)) in zip(plan.tokens, reading.outcomes.dropFirst()) {
      let key = CacheKey.tokenBalance(token.id, token.contract, of: plan.wallet, plan.key)
      switch outcome {
      case .balance(let balance):
        entries.append((key, balance.isZero && !changed.contains(token.id) ? zero : held))
      case .failed: failed.append(key)
      }
    }
    // What failed, or was listed while the read was under way, is looked for in the next one.
    let isListRead = failed.isEmpty && !outdatedFlights.contains(plan.wallet)
    let listEnd = min(readAt + min(times.tokenList, times.zeroBalance), leftOut?.until ?? .max)
    entries.append(
      (
        .tokenList(of: plan.wallet, plan.key),
        CacheEntry(
          block: leftOut?.continuity.through ?? reading.block, readAt: readAt,
          until: isListRead ? listEnd : readAt)
      ))
    let contracts = Dictionary(
      plan.tokens.map { ($0.id, $0.contract) }, uniquingKeysWith: { first, _ in first })
    for metadata in reading.metadata {
      guard let contract = contracts[metadata.id] else { continue }
      entries.append(
        (.metadata(of: metadata.id, contract, on: plan.key.chain), entry(times.metadata)))
    }
    await cache.set(entries, now: readAt)
    if !failed.isEmpty { await cache.remove(failed, now: readAt) }
    let native: UInt256? =
      if case .balance(let balance)? = reading.outcomes.first?.outcome { balance } else { nil }
    await followers[plan.key.chain]?.noteRead(
      plan.wallet, block: reading.block, traits: reading.traits, native: native, isWhole: leftOut == nil,
      changed: changed.filter { $0 != plan.native })
  }

  /// What is held of a wallet that somebody wants.
  ///
  /// - Returns: how old it is, and the block as of which it is known; `nil` where it is in doubt, or nothing is held.
  func held(_ wallet: WalletID, _ key: WalletKey) async -> (age: UnixMilliseconds, block: UInt64)? {
    let now = clock()
    let entries = await cache.entries(
      for: [.nativeBalance(of: wallet, key), .tokenList(of: wallet, key)], now: now)
    // What was read before the last start, or could not be read last time, is old however late it was read.
    let isFresh = await ledger.wallet(wallet)?.state == .fresh
    var lookups = CacheLookups()
    defer { cacheMetrics.note(lookups) }
    guard let native = entries[0], let list = entries[1] else {
      lookups[.nativeBalance, .miss] += 1
      return nil
    }
    let age = max(0, now - native.readAt)
    lookups[.nativeBalance, isFresh && !isOld(age) ? .hit : .stale] += 1
    return isFresh ? (age, list.block) : nil
  }

  /// Whether what was read so long ago is read again for who wants it.
  func isOld(_ age: UnixMilliseconds) -> Bool { age >= times.balance * 4 / 5 }

  /// Other tokens make up these wallets.
  func forgetTokenLists(of wallets: [(id: WalletID, key: WalletKey)]) async {
    await cache.remove(wallets.map { .tokenList(of: $0.id, $0.key) }, now: clock())
  }

  /// Lets go of what nobody asked for lately. Call every second or so.
  public func sweep() async {
    let figures = await cache.sweep(now: clock())
    cacheMetrics.note(figures, watched: watched.count, all: await ledger.walletCount)
  }
}

extension ReadPlan {
  /// The coin's, the list's, and the tokens' in their order.
  fileprivate var cacheKeys: [CacheKey] {
    [.nativeBalance(of: wallet, key), .tokenList(of: wallet, key)]
      + tokens.map { .tokenBalance($0.id, $0.contract, of: wallet, key) }
  }
}
