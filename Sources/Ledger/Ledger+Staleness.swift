import Ethereum

extension Ledger {
  /// Turns stale what was not confirmed in its time: prices, and the rows of watched wallets. Call every second
  /// or so. Wallets nobody watches are looked at when somebody asks for them.
  public func sweep() {
    let now = clock()
    var batch = LedgerBatch(revision: revision)
    for index in prices.indices where prices[index].state == .fresh {
      guard now - priceConfirmedAt[index] > times.price else { continue }
      let cell = prices[index].with(state: .stale, revision: nextRevision())
      prices[index] = cell
      publish(cell, in: &batch)
    }
    for id in walletWatchers.keys { age(id, now: now, to: &batch) }
    send(&batch)
    endVisits(now: now)
  }

  // MARK: Chains that stand still

  /// A chain's newest block is too old, or no longer is. While it stands still what is read of it may have changed
  /// since, on the chain that others see: it counts as stale, and is fresh again with the first read afterwards.
  public func setStandingStill(_ chain: ChainCode, _ isStill: Bool) {
    guard isStill else {
      stillChains.remove(chain)
      return
    }
    if stillChains.insert(chain).inserted { sweep() }
  }

  /// The state of what a read of the chain says.
  func stateWhenRead(_ chain: ChainCode) -> CellState { stillChains.contains(chain) ? .stale : .fresh }

  private func isStill(_ id: WalletID) -> Bool {
    !stillChains.isEmpty && wallets[id].map { stillChains.contains($0.key.chain) } == true
  }

  /// Brings one wallet up to date with the time.
  func age(wallet id: WalletID) {
    var batch = LedgerBatch(revision: revision)
    age(id, now: clock(), to: &batch)
    send(&batch)
  }

  private func age(_ id: WalletID, now: UnixMilliseconds, to batch: inout LedgerBatch) {
    guard let readAt = wallets[id]?.readAt, now - readAt > times.balance || isStill(id),
      var cells = wallets[id]
    else { return }
    let changed = makeStale(&cells)
    if !changed.isEmpty { commit(cells, changedRows: changed, to: &batch) }
  }
}
