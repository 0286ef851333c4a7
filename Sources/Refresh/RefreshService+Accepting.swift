import Ethereum
import Ledger

/// What was read goes into the ledger.
extension RefreshService {
  /// - Parameters:
  ///   - plan: what was asked for.
  ///   - leftOut: what was not.
  func accept(
    _ reading: ChainReader.Reading, _ plan: ReadPlan, _ leftOut: LeftOut?
  ) async throws(RefreshError) -> RefreshOutcome {
    let readAt = clock()
    let wallet = plan.wallet
    if !reading.metadata.isEmpty {
      var entries: [(key: TokenKey, info: TokenInfo)] = []
      for (id, name, symbol, decimals) in reading.metadata {
        guard let token = await ledger.token(id) else { continue }
        entries.append(
          (
            token.key,
            TokenInfo(
              symbol: symbol, name: name, decimals: decimals, isListed: token.info.isListed,
              isActive: token.info.isActive)
          ))
      }
      await ledger.internAll(entries)
    }
    let whole = WalletReading(
      wallet: wallet, block: reading.block, readAt: readAt, outcomes: reading.outcomes)
    let before = await ledger.revision
    var verdict = await ledger.accept(whole)
    if case .outdated(let held) = verdict, isConfirmedLow(wallet, held: held, found: reading.block) {
      logger.notice(
        "a wallet was read at a block that is not in the chain: it is read anew",
        metadata: ["wallet": "\(wallet)", "held": "\(held)", "found": "\(reading.block)"])
      await ledger.reopen([wallet])
      if leftOut != nil { await doubt(plan) }
      verdict = await ledger.accept(whole)
    }
    var outcome = RefreshOutcome(
      tokenCount: await ledger.rowCount(of: wallet), revision: await ledger.revision, block: reading.block,
      readAt: readAt)
    switch verdict {
    case .accepted:
      lowHeads[wallet] = nil
      await remember(reading, plan, leftOut, readAt: readAt, after: before)
    case .unknownWallet:
      lowHeads[wallet] = nil
      throw .unknownWallet
    case .outdated(let heldBlock):
      outcome.block = heldBlock
      outcome.isOutdated = true
    }
    return outcome
  }

  /// The chain is another than what was left out is known from: all of it is stale until a whole read, which follows.
  private func doubt(_ plan: ReadPlan) async {
    await ledger.acceptFailure(of: plan.wallet)
    readAnew([plan.wallet], plan.key.chain)
  }

  /// A reading of a lower block than what is held: whether an earlier one said so too, and no node lags so much.
  private func isConfirmedLow(_ wallet: WalletID, held: UInt64, found: UInt64) -> Bool {
    guard let low = lowHeads[wallet] else {
      lowHeads[wallet] = LowHead(now: clock())
      return false
    }
    return low.isConfirmed(held: held, found: found, now: clock())
  }
}
