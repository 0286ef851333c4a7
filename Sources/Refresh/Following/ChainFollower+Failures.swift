import Ethereum
import Ledger

/// What becomes of passes that fail.
extension ChainFollower {
  /// So many failures are no bad luck: a node that lags behind another knows no newest block either.
  static let failuresToTell = 3
  /// Beginnings in a row that ended with logs that were refused, before passes do without.
  private static let refusalsMaximum = 3

  func failed(_ error: PassError) async {
    switch error {
    case .reading(let error) where error.isOurs: return
    case .reading(let error):
      // The next pass begins where this one did; when it is too far behind by then, that is a gap.
      metrics.failures.increment()
      failures += 1
      if failures == Self.failuresToTell {
        logger.warning(
          "chain cannot be followed", metadata: ["chain": "\(chain.code)", "reason": "\(error)"])
      }
    case .noLogs(let error): restLogs(error)
    // What is too much once may not be too much the next time.
    case .refused(let error) where restarts >= Self.refusalsMaximum: restLogs(error)
    case .refused(let error): await failed(.gap("\(error)"))
    case .gap(let reason):
      metrics.gaps.increment()
      tellGap(reason)
      await restart()
    case .reorganised(let found):
      metrics.reorganisations.increment()
      logger.notice(
        "chain is another than before: wallets are read anew",
        metadata: [
          "chain": "\(chain.code)", "held": "\(track.held?.number ?? 0)", "found": "\(found.number)",
        ])
      await ledger.reopen(wallets.all)
      forgetForks()
      await restart()
    }
  }

  func tellGap(_ reason: String) {
    logger.warning(
      "chain was not followed without a gap: wallets are read anew",
      metadata: ["chain": "\(chain.code)", "reason": "\(reason)"])
  }

  /// Every wallet is read as a whole, and followed from that read on. Ever later, where it does not help.
  private func restart() async {
    beginAnew()
    let pause = min(settings.rest, settings.minimumInterval * (1 << min(restarts, 10)))
    restarts += 1
    notBefore = max(notBefore, .now + pause)
    await readAnew(wallets.all)
  }

  /// What was known of blocks is forgotten.
  func beginAnew() {
    track.reset()
    wallets.forgetBlocks()
  }
}

/// Why a pass came to nothing.
enum PassError: Error {
  case reading(RefreshError)
  /// No node knows `eth_getLogs`.
  case noLogs(RefreshError)
  /// The node does not tell the logs of these blocks.
  case refused(RefreshError)
  /// What happened in these blocks cannot be found out.
  case gap(String)
  /// What was seen before is not in the chain any more.
  case reorganised(BlockHeader)
}
