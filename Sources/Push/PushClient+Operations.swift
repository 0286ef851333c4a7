import EventLoop
import Ethereum
import JSON
import Ledger
import WebSocket

extension PushClient {
  func perform(_ operation: Operation, id: MessageID?) {
    guard isAuthorized || operation.needsNoToken else { return refuse(id, Self.unauthorized) }
    switch operation {
    case .subscribe(let subscription): subscribe(subscription, id: id)
    case .unsubscribe(let wallets, let tokens): unsubscribe(wallets, tokens, id: id)
    case .list: list(id: id)
    case .get(let key): get(key, id: id)
    case .refresh(let key): refresh(key, id: id)
    case .set(let rate, let batch):
      write(Replies.ok(id))
      apply(rate: rate, batch: batch)
      pump()
    case .auth(let token): authorize(token, id: id)
    case .ping: write(Replies.pong(id, time: shard.loop.wallClockMilliseconds))
    }
  }

  // MARK: - Subscribe

  /// `GET /ws?wallet=…`: a subscribe without id.
  func subscribe(toNamed names: [String]) {
    guard isAuthorized else { return refuse(nil, Self.unauthorized) }
    var subscription = Subscription()
    var list = KeyList<WalletKey>()
    for name in names {
      do {
        let key = try WalletKey(parsing: name)
        if !list.keys.contains(key) { list.keys.append(key) }
      } catch {
        list.failed.append(name, isToken: false, Refusal(.badWallet, error.description))
      }
    }
    subscription.wallets = list
    subscribe(subscription, id: nil)
    if isWaiting { connection.pauseReading() }
  }

  func subscribe(_ subscription: Subscription, id: MessageID?) {
    var subscription = subscription
    var failed = subscription.failedKeys
    subscription.wallets?.keys.removeAll { key in
      if mayUse(key) { return false }
      failed.append(key.description, isToken: false, Self.forbidden)
      return true
    }
    var room = max(0, shard.settings.walletsPerConnection - wallets.count - tokens.count)
    subscription.wallets?.keys.removeAll { key in
      if isSubscribed(to: key) { return false }
      if room == 0 { return fail(key.description, isToken: false) }
      room -= 1
      return false
    }
    subscription.tokens?.keys.removeAll { key in
      if isSubscribed(to: key) { return false }
      if room == 0 { return fail(key.description, isToken: true) }
      room -= 1
      return false
    }
    func fail(_ text: String, isToken: Bool) -> Bool {
      let limit = shard.settings.walletsPerConnection
      failed.append(
        text, isToken: isToken,
        Refusal(.tooManyWallets, "a connection follows at most \(limit) wallets and tokens; unsubscribe some")
      )
      return true
    }
    if let known = knownHere(subscription) {
      completeSubscription(
        id, subscription, wallets: known.wallets, tokens: known.tokens, failed: failed,
        ledgerRevision: shard.revision)
    } else {
      isWaiting = true
      shard.request(
        PendingOperation(client: self, id: id, kind: .subscribe(subscription, failed: failed)),
        wallets: subscription.wallets?.keys ?? [], tokens: subscription.tokens?.keys ?? [], isOnce: false)
    }
  }

  /// The wallets and tokens, when this loop follows them all already and can answer by itself.
  private func knownHere(
    _ subscription: Subscription
  ) -> (wallets: [ShardWallet], tokens: [ShardToken])? {
    // A revision above this loop's may still be below the ledger's.
    if case .point(let point) = subscription.since, point.revision > shard.revision { return nil }
    var knownWallets: [ShardWallet] = []
    for key in subscription.wallets?.keys ?? [] {
      guard let wallet = shard.wallets[key] else { return nil }
      knownWallets.append(wallet)
    }
    var knownTokens: [ShardToken] = []
    for key in subscription.tokens?.keys ?? [] {
      guard let token = shard.tokensByKey[key], !token.followers.isEmpty else { return nil }
      knownTokens.append(token)
    }
    return (knownWallets, knownTokens)
  }

  /// Interest is registered, then answered: no gap between the snapshot and what follows.
  func completeSubscription(
    _ id: MessageID?, _ subscription: Subscription, wallets followed: [ShardWallet],
    tokens followedTokens: [ShardToken], failed: FailedKeys, ledgerRevision: Revision
  ) {
    guard !isClosed else { return }
    settle(sendsNow: false)
    for wallet in followed { attach(wallet) }
    for token in followedTokens { attach(token) }
    let plan = ResumePlan(
      since: subscription.since, epoch: shard.epoch, ledgerRevision: ledgerRevision, wallets: followed,
      tokens: followedTokens, shard: shard)
    write(
      Replies.ok(id) { out in
        if subscription.wallets != nil { out.append(keys: followed.map(\.key), named: "wallets") }
        if subscription.tokens != nil {
          out.append(keys: followedTokens.map(\.cell.token.key), named: "tokens")
        }
        out.append(failed: failed)
        if subscription.since != .absent {
          out.append(plan.isResumed ? ",\"resumed\":true" : ",\"resumed\":false")
          if plan.isResumed {
            out.append(",\"changed\":")
            out.append(decimal: UInt64(plan.changed))
          }
        }
      })
    for (frame, isAbnormal) in shard.statuses.values where isAbnormal { write(frame) }
    apply(rate: subscription.rate, batch: subscription.batch)
    for wallet in plan.snapshots { oweSnapshot(of: wallet) }
    if let resume = plan.resume { owe(resume) }
    if !followed.isEmpty || !followedTokens.isEmpty || plan.isResumed { owe(.heartbeat) }
    pump()
  }

  private func unsubscribe(_ walletList: KeyList<WalletKey>?, _ tokenList: KeyList<TokenKey>?, id: MessageID?)
  {
    var failed = walletList?.failed ?? FailedKeys()
    if let tokenList { failed.append(tokenList.failed) }
    settle(sendsNow: false)
    let notSubscribed = Refusal(.notSubscribed, "this connection is not subscribed to it")
    let left = (walletList?.keys ?? []).filter { key in
      guard let entry = wallets.first(where: { $0.wallet.key == key }) else {
        failed.append(key.description, isToken: false, notSubscribed)
        return false
      }
      drop(entry.wallet)
      return true
    }
    let leftTokens = (tokenList?.keys ?? []).filter { key in
      guard let entry = tokens.first(where: { $0.token.cell.token.key == key }) else {
        failed.append(key.description, isToken: true, notSubscribed)
        return false
      }
      drop(entry.token)
      return true
    }
    write(
      Replies.ok(id) { out in
        if walletList != nil { out.append(keys: left, named: "wallets") }
        if tokenList != nil { out.append(keys: leftTokens, named: "tokens") }
        out.append(failed: failed)
      })
  }

  private func list(id: MessageID?) {
    write(
      Replies.ok(id) { out in
        out.append(keys: wallets.map(\.wallet.key), named: "wallets")
        out.append(keys: tokens.map(\.token.cell.token.key), named: "tokens")
      })
  }

  // MARK: - Get, refresh, set

  private func get(_ key: WalletKey, id: MessageID?) {
    guard mayUse(key) else { return refuse(id, Self.forbidden) }
    if let wallet = shard.wallets[key] {
      write(Replies.ok(id) { $0.append(wallet: key) })
      let encoder = SnapshotEncoder(
        cells: wallet.cells, epoch: shard.epoch, revision: shard.revision, prices: wallet.tokens.map(\.cell))
      owe(.once(encoder, cuts: [], next: 0))
      return pump()
    }
    isWaiting = true
    shard.request(
      PendingOperation(client: self, id: id, kind: .get), wallets: [key], tokens: [], isOnce: true)
  }

  func completeGet(_ id: MessageID?, _ reply: WatchReply) {
    guard !isClosed, let (key, result) = reply.wallets.first else { return }
    switch result {
    case .failure(let failure): refuse(id, failure.refusal(isToken: false))
    case .success(let cells):
      write(Replies.ok(id) { $0.append(wallet: key) })
      var prices: [TokenID: PriceCell] = [:]
      for cell in reply.rowTokens { prices[cell.token.id] = cell }
      let encoder = SnapshotEncoder(
        cells: cells, epoch: reply.epoch, revision: reply.revision,
        prices: cells.rows.compactMap { prices[$0.token] })
      owe(.once(encoder, cuts: [], next: 0))
      pump()
    }
  }

  private func refresh(_ key: WalletKey, id: MessageID?) {
    guard mayUse(key) else { return refuse(id, Self.forbidden) }
    isWaiting = true
    let shard = shard
    let name = connection.id
    shard.refresher.requestRefresh(key) { answer in
      shard.loop.post {
        // By name: the client may be gone, and its slot another's.
        guard let client = shard.loop.connection(name)?.handler as? PushClient else { return }
        client.completeRefresh(key, answer, id: id)
        client.resume()
      }
    }
  }

  private func completeRefresh(_ key: WalletKey, _ answer: RefreshAnswer, id: MessageID?) {
    guard !isClosed else { return }
    switch answer {
    case .accepted: write(Replies.ok(id) { $0.append(wallet: key) })
    case .cooldown(let ago, let retry):
      refuse(
        id, Refusal(.cooldown, "refreshed \(ago / 1_000) s ago", retryMilliseconds: max(1, retry)))
    case .chainUnsupported(let chain):
      refuse(id, WatchFailure.chainUnsupported(chain).refusal(isToken: false))
    case .serverFull(let limit):
      refuse(id, WatchFailure.serverFull(limit: limit).refusal(isToken: false))
    case .internal:
      refuse(id, Refusal(.internal, "the refresh could not be started; try again", retryMilliseconds: 5_000))
    }
  }

  /// Shorter ticks than this would be no pacing.
  private static let shortestTick = Duration.milliseconds(10)

  /// What it makes necessary is sent by the caller's `pump`.
  private func apply(rate: RateChange, batch: Bool?) {
    if let batch, batch != wantsBatches {
      settle(sendsNow: false)
      wantsBatches = batch
    }
    switch rate {
    case .absent: break
    case .unlimited:
      tickInterval = .zero
      shard.loop.cancel(tickTimer)
      // The rest of the current tick is caught up with, then it is live.
      if mode == .paced { mode = .lagging }
    case .ticksPerSecond(let rate):
      tickInterval = max(Self.shortestTick, .seconds(min(86_400, 1 / rate)))
      settle(sendsNow: false)
      if mode == .live {
        mode = .paced
        cursor = shard.revision
        base = cursor
      }
      shard.loop.cancel(tickTimer)
      tickTimer = shard.loop.schedule(after: tickInterval, self, tag: TimerTag.tick.rawValue)
    }
  }

  // MARK: - Subscriptions

  private func isSubscribed(to key: WalletKey) -> Bool { wallets.contains { $0.wallet.key == key } }
  private func isSubscribed(to key: TokenKey) -> Bool {
    tokens.contains { $0.token.cell.token.key == key }
  }

  private func attach(_ wallet: ShardWallet) {
    guard !wallets.contains(where: { $0.wallet === wallet }) else { return }
    wallets.append(
      WalletEntry(wallet: wallet, position: shard.walletTable.slots[Int(wallet.slot)].followers.append(index))
    )
  }

  private func attach(_ token: ShardToken) {
    guard !tokens.contains(where: { $0.token === token }) else { return }
    tokens.append(TokenEntry(token: token, position: token.followers.append(index)))
  }

  private func drop(_ wallet: ShardWallet) {
    guard let index = wallets.firstIndex(where: { $0.wallet === wallet }) else { return }
    let entry = wallets.remove(at: index)
    debts = debts.compactMap { $0.without(wallet) }
    detach(entry)
  }

  private func drop(_ token: ShardToken) {
    guard let index = tokens.firstIndex(where: { $0.token === token }) else { return }
    let entry = tokens.remove(at: index)
    debts = debts.map { $0.without(token) }
    detach(entry)
  }

  /// The wallet was deleted, or is no longer this client's to see.
  /// - Parameter farewell: the frame that says so.
  func endSubscription(_ wallet: ShardWallet, _ farewell: [UInt8]) {
    settle(sendsNow: false)
    drop(wallet)
    write(farewell)
    subscriptionEnded()
  }

  /// Takes this client out of the wallet's list.
  func detach(_ entry: WalletEntry) {
    let wallet = entry.wallet
    if let moved = shard.walletTable.slots[Int(wallet.slot)].followers.remove(at: entry.position),
      let client = shard.clients[moved],
      let index = client.wallets.firstIndex(where: { $0.wallet === wallet })
    {
      client.wallets[index].position = entry.position
    }
    shard.retire(wallet)
  }

  func detach(_ entry: TokenEntry) {
    let token = entry.token
    if let moved = token.followers.remove(at: entry.position), let client = shard.clients[moved],
      let index = client.tokens.firstIndex(where: { $0.token === token })
    {
      client.tokens[index].position = entry.position
    }
    if token.followers.isEmpty { shard.releaseToken(token) }
  }
}

extension Operation {
  /// What works before a client has shown its access token.
  fileprivate var needsNoToken: Bool {
    switch self {
    case .auth, .ping: true
    case .subscribe, .unsubscribe, .list, .get, .refresh, .set: false
    }
  }
}

extension Subscription {
  fileprivate var failedKeys: FailedKeys {
    var failed = wallets?.failed ?? FailedKeys()
    if let tokens { failed.append(tokens.failed) }
    return failed
  }
}

extension [UInt8] {
  fileprivate mutating func append(wallet key: WalletKey) {
    append(",\"wallet\":\"")
    append(contentsOf: key.description.utf8)
    append(34)
  }
}
