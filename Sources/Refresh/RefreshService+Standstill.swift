import Ethereum
import Ledger
import Metrics

/// Chains whose head does not move.
extension RefreshService {
  /// The newest block as a look at the chain found it; what is read at it is judged accordingly.
  func noteHead(
    _ chain: ChainCode, _ kind: EndpointTable.HeadKind, _ number: UInt64, timestamp: UInt64,
    announced: UInt64? = nil
  ) async {
    standstills[chain]?.look(kind, number, timestamp: timestamp)
    if let announced { standstills[chain]?.announced(announced, now: clock()) }
    await judgeStandstill(of: chain)
  }

  /// No node says what the newest block is, time after time.
  func noteHeadLost(_ chain: ChainCode) async {
    standstills[chain]?.lost(now: clock())
    await judgeStandstill(of: chain)
  }

  /// Nobody watches a wallet of the chain any more.
  func forgetHead(of chain: ChainCode) async {
    standstills[chain]?.forget()
    await judgeStandstill(of: chain)
  }

  static func standsStill(_ chain: ChainCode) -> Meter {
    Meter(label: "refresh_chain_stands_still", dimensions: [("chain", chain.description)])
  }

  private func judgeStandstill(of chain: ChainCode) async {
    let since = standstills[chain]?.since(now: clock())
    let changes = (since == nil) != (stillSince[chain] == nil)
    if changes { await noteStandstill(of: chain, since) }
    await judgeTrouble(of: chain)
    if changes, since == nil { await readAgain(chain) }
  }

  private func noteStandstill(of chain: ChainCode, _ since: UnixMilliseconds?) async {
    stillSince[chain] = since
    let isLost = standstills[chain]?.isLost == true
    Self.standsStill(chain).set(since == nil || isLost ? 0 : 1)
    await ledger.setStandingStill(chain, since != nil)
    if let since {
      logger.error(
        isLost ? "no node of the chain answers" : "chain stands still",
        metadata: ["chain": "\(chain)", "since": "\(since)"])
    } else {
      logger.notice("chain moves again", metadata: ["chain": "\(chain)"])
    }
  }

  /// The last words of a chain's readings.
  func noteHeads(_ chain: ChainCode, of results: [Result<ChainReader.Reading, RefreshError>]) async {
    let readings = results.compactMap { try? $0.get() }
    guard let newest = readings.max(by: { $0.block < $1.block }), let time = newest.timestamp else { return }
    await noteHead(chain, .reading, newest.block, timestamp: time)
  }
}
