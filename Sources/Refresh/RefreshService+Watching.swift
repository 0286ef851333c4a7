import Ethereum
import Ledger

extension RefreshService {
  func scheduleNext(_ wallet: WalletID, after delay: Duration) {
    schedule.schedule(wallet, at: clock() + delay.inMilliseconds)
    wishes.call()
  }

  /// Before its time is up: four fifths of it, less a little at random, so that wallets watched since the same
  /// moment spread.
  func nextDelay() -> Duration {
    settings.balanceTTL * 4 / 5 - settings.balanceTTL * Double.random(in: 0...0.1)
  }

  func retryDelay(_ wallet: WalletID) -> Duration {
    let count = failures[wallet, default: 0]
    failures[wallet] = count + 1
    let delay = min(settings.retryMaximum, settings.retryMinimum * (1 << min(count, 10)))
    return delay * Double.random(in: 0.75...1.25)
  }

  /// Takes in what observers said, starts what is due, and sets the alarm for what is next.
  func work() async {
    for wish in wishes.take() { await take(wish) }
    let now = clock()
    while let wallet = schedule.takeDue(now: now) {
      guard watched.contains(wallet), let cells = await ledger.wallet(wallet) else { continue }
      fly(wallet, cells.key.chain, isRefresh: false)
    }
    alarm?.cancel()
    guard !isStopped, let next = schedule.next else { return }
    alarm = Task { [wishes, clock] in
      try? await Task.sleep(for: .milliseconds(max(1, next - clock())))
      if !Task.isCancelled { wishes.call() }
    }
  }

  private func take(_ wish: Wishes.Wish) async {
    guard !isStopped else { return }
    switch wish {
    case .unwatched(let wallet):
      outdatedFlights.remove(wallet)
      if watched.remove(wallet) != nil {
        for follower in followers.values { await follower.unwatch(wallet) }
      }
      schedule.remove(wallet)
      failures[wallet] = nil
    case .wanted(let wallet, let key, let readAt, let isWatched):
      if isWatched { watched.insert(wallet) }
      // What was read before the last start, or could not be read last time, is old however late it was read.
      let isFresh = await ledger.wallet(wallet)?.state == .fresh
      let age = readAt.map { max(0, clock() - $0) }
      if isWatched {
        let block = isFresh ? await ledger.wallet(wallet)?.block : nil
        await followers[key.chain]?.watch(wallet, key.address, readAt: block)
      }
      guard isFresh, let age, age < settings.balanceTTL.inMilliseconds * 4 / 5 else {
        fly(wallet, key.chain, isRefresh: false)
        return
      }
      guard isWatched else { return }
      schedule.schedule(wallet, at: clock() + max(1, nextDelay().inMilliseconds - age))
    }
  }
}

extension RefreshService: WatchObserver {
  public nonisolated func walletWanted(
    _ wallet: WalletID, key: WalletKey, readAt: UnixMilliseconds?, isWatched: Bool
  ) {
    wishes.add(.wanted(wallet, key, readAt: readAt, isWatched: isWatched))
  }

  public nonisolated func walletUnwatched(_ wallet: WalletID) { wishes.add(.unwatched(wallet)) }

  public nonisolated func pricesWanted() {}
}
