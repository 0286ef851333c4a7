import Ethereum
import Ledger

/// Passes where no node tells logs: native balances, and what is known to be held, are asked for at every new block.
/// What comes in of other tokens is found by reads of whole wallets.
extension ChainFollower {
  /// Aggregates of one pass. Where that is too little for all, the next pass begins where this one ended.
  static let callsWithoutLogs = 4

  func restLogs(_ error: RefreshError) {
    metrics.failures.increment()
    logger.error(
      "no node tells this chain's transfers: only what wallets are known to hold is followed",
      metadata: ["chain": "\(chain.code)", "reason": "\(error)", "again": "\(settings.rest)"])
    beginAnew()
    restsUntil = .now + settings.rest
  }

  /// - Parameter announced: 0 where no block was.
  func lookedAt(_ head: BlockHeader, _ announced: UInt64) async {
    await headSeen(head, announced == 0 ? nil : announced)
  }

  func passWithoutLogs(_ head: BlockHeader) async throws(PassError) {
    switch track.look(at: head, now: clock()) {
    case .first, .next, .ahead: break
    case .same, .behind: return
    case .reorganised: throw .reorganised(head)
    }
    try await read(await holdings(), at: head, ancestor: nil)
    track.accept(head)
  }

  private func holdings() async -> [FollowCall.Subject] {
    let room =
      await reader.isOneByOne
      ? ChainReader.subjectsOneByOne : max(1, await reader.chunkSize - 3) * Self.callsWithoutLogs
    let all = wallets.all.sorted()
    let last = lastWithoutLogs ?? .min
    let ids = all.filter { $0 > last } + all.filter { $0 <= last }
    let held = Dictionary(grouping: await ledger.holdings(of: ids, limit: room), by: \.cell.wallet)
    let burners = Set(await reader.burners(among: held.values.joined().map(\.cell.token)))
    var natives: [FollowCall.Subject] = []
    var tokens: [FollowCall.Subject] = []
    lastWithoutLogs = nil
    for id in ids {
      guard let owner = wallets.address(of: id) else { continue }
      let mine = held[id, default: []].filter { !burners.contains($0.cell.token) }
      let left = room - natives.count - tokens.count - 1
      guard left >= mine.count || natives.isEmpty else { break }
      natives.append(.native(id, owner))
      tokens += mine.prefix(left).map { .known($0) }
      lastWithoutLogs = id
    }
    if natives.count == ids.count { lastWithoutLogs = nil }
    return natives + tokens
  }

  /// Whether logs are told again: then every wallet is read as a whole, and followed from that read on.
  func tryLogs(_ head: BlockHeader) async throws(PassError) {
    guard let id = wallets.all.first, let address = wallets.address(of: id) else { return }
    let scan = TransferScan(
      FollowedWallets.Plan(
        from: head.number, through: head.number, wallets: [(id: id, address: address, version: 0)]))
    do throws(PassError) {
      _ = try await logs(scan.requests)
    } catch {
      if case .reading = error { throw error }
      restsUntil = .now + settings.rest
      return try await passWithoutLogs(head)
    }
    logger.notice("transfers are told again: wallets are read anew", metadata: ["chain": "\(chain.code)"])
    restsUntil = nil
    beginAnew()
    await readAnew(wallets.all)
  }
}
