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
      fly(wallet, cells.key.chain, .due)
    }
    guard let next = schedule.next else { return alarm.clear() }
    alarm.set(at: .now + .milliseconds(max(1, next - clock()))) { [wishes] in wishes.call() }
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
    case .wanted(let wallet, let key, let isWatched):
      if isWatched { watched.insert(wallet) }
      // One that ends meanwhile does as well.
      let isUnderWay = flights[wallet] != nil
      let held = await held(wallet, key)
      if isWatched {
        let native = await ledger.wallet(wallet)?.rows.first?.balance
        await followers[key.chain]?.watch(wallet, key.address, readAt: held?.block, native: native)
      }
      guard let held, !isOld(held.age) else {
        if !isUnderWay { fly(wallet, key.chain, .due) }
        return
      }
      guard isWatched else { return }
      schedule.schedule(wallet, at: clock() + max(1, nextDelay().inMilliseconds - held.age))
    }
  }
}

extension RefreshService: WatchObserver {
  public nonisolated func walletWanted(_ wallet: WalletID, key: WalletKey, isWatched: Bool) {
    wishes.add(.wanted(wallet, key, isWatched: isWatched))
  }

  public nonisolated func walletUnwatched(_ wallet: WalletID) { wishes.add(.unwatched(wallet)) }

  public nonisolated func pricesWanted() {}
}
