import Ethereum
import Ledger
import WebSocket

// The newest values above a cursor: for a client that lags, at the ticks of one that is paced, and for one that
// resumes. It may take several steps, as the socket drains.

/// What a client that resumes is owed: what changed in these wallets and tokens since it left. Rows go whole: it left
/// perhaps in the middle of a catch-up, when a row that it had not seen inserted had changed once more and was sent
/// after others with a revision above the row's first.
struct OwedChanges {
  var wallets: [ShardWallet]
  var tokens: [ShardToken]
  /// How far it has been paid.
  var cursor: Revision
  /// Where the client's own cursor takes over.
  let end: Revision
}

extension PushClient {
  /// - Returns: whether the client has everything now.
  func catchUp() -> Bool {
    let rest = sendChanges(
      wallets: wallets.map(\.wallet), tokens: tokens.map(\.token), above: cursor, through: .max, base: base)
    if let rest {
      cursor = rest
      return false
    }
    cursor = shard.revision
    base = cursor
    return true
  }

  /// Caught up after a lag.
  func recover() {
    mode = tickInterval == .zero ? .live : .paced
    shard.statistics.caughtUp += 1
    sendMissedStatuses()
    write(shard.heartbeat())
    scheduleLiveness()
  }

  func tick() {
    tickTimer = shard.loop.schedule(after: tickInterval, self, tag: TimerTag.tick.rawValue)
    guard mode == .paced, debts.isEmpty, connection.unsentBytes == 0, cursor < shard.revision else { return }
    let sentBefore = shard.statistics.frames
    if catchUp() {
      if shard.statistics.frames != sentBefore { write(shard.heartbeat()) }
    } else {
      lagUntilTaken()
    }
  }

  /// Catching up found no room for all of it.
  func lagUntilTaken() {
    mode = .lagging
    shard.statistics.lags += 1
    waitForRoom()
  }

  /// Something that live frames must not overtake waits for room. With part of a resume outstanding the client
  /// would take a later revision for all below it; and a row means nothing before its wallet's snapshot. So it gets
  /// none until it has caught up. Nothing is marked for it now: it has everything up to here.
  func holdBack() {
    guard mode == .live, debts.contains(where: \.isBeforeLive) else { return }
    mode = .lagging
    cursor = shard.revision
    base = debts.compactMap(\.base).reduce(cursor) { min($0, $1) }
    scheduleLiveness()
  }

  /// - Returns: whether everything was written.
  func send(_ owed: inout OwedChanges) -> Bool {
    let rest = sendChanges(
      wallets: owed.wallets, tokens: owed.tokens, above: owed.cursor, through: owed.end, base: 0)
    guard let rest else { return true }
    owed.cursor = rest
    return false
  }

  /// Writes the newest values above `cursor`, in ascending revision, until the socket has enough.
  /// - Returns: where it stopped, or `nil` when everything was written.
  private func sendChanges(
    wallets: [ShardWallet], tokens: [ShardToken], above cursor: Revision, through end: Revision,
    base: Revision
  ) -> Revision? {
    let changes = shard.changes(wallets: wallets, tokens: tokens, above: cursor, through: end, base: base)
    var frames: [[UInt8]] = []
    var bytes = connection.unsentBytes
    var stopped: Revision?
    for change in changes {
      guard bytes <= shard.settings.unsentBytes else {
        stopped = change.revision - 1
        break
      }
      let frame = change.frame()
      frames.append(frame)
      bytes += frame.count
    }
    write(data: frames)
    return stopped
  }

  /// Writes data frames, as batches where the client wants them.
  func write(data frames: [[UInt8]]) {
    shard.statistics.frames &+= UInt64(frames.count)
    for frame in wantsBatches ? BatchFrames.build(frames) : frames { write(frame) }
  }
}

/// A cell above a cursor, whose frame is built when it is written.
struct PendingChange {
  enum Subject {
    case price(ShardToken)
    case row(ShardWallet, Int, isWhole: Bool)
  }
  var revision: Revision
  var subject: Subject

  func frame() -> [UInt8] {
    switch subject {
    case .price(let token): return token.priceFrame()
    case .row(let wallet, let index, let isWhole):
      let row = wallet.cells.rows[index]
      let cell = wallet.tokens[index].cell
      return WebSocketFrame.text(
        isWhole
          ? Frames.token(wallet: wallet.key, row: row, price: cell)
          : Frames.balance(wallet: wallet.key, row: row, token: cell.token))
    }
  }
}

extension Shard {
  /// The cells of these wallets and tokens with a revision above the cursor and not above `end`, in ascending
  /// revision; a price that several wallets share counts once. A row that was inserted, renamed, shown or hidden
  /// above `base` goes whole, though its balance has changed since: the client may not have it at all.
  func changes(
    wallets: [ShardWallet], tokens: [ShardToken], above cursor: Revision, through end: Revision,
    base: Revision
  ) -> [PendingChange] {
    stamp += 1
    var changes: [PendingChange] = []
    func isWanted(_ revision: Revision) -> Bool { revision > cursor && revision <= end }
    func add(_ token: ShardToken) {
      guard token.stamp != stamp else { return }
      token.stamp = stamp
      if isWanted(token.cell.revision) {
        changes.append(PendingChange(revision: token.cell.revision, subject: .price(token)))
      }
    }
    for wallet in wallets {
      for (index, row) in wallet.cells.rows.enumerated() where isWanted(row.newestRevision) {
        changes.append(
          PendingChange(
            revision: row.newestRevision, subject: .row(wallet, index, isWhole: row.rowRevision > base)))
      }
      for token in wallet.tokens { add(token) }
    }
    for token in tokens { add(token) }
    changes.sort { $0.revision < $1.revision }
    return changes
  }
}

/// How a subscribe with `since` is answered: what is sent whole, and what only as changes.
struct ResumePlan {
  private(set) var isResumed = false
  private(set) var changed = 0
  private(set) var snapshots: [ShardWallet]
  private(set) var resume: Debt?

  init(
    since: Subscription.Since, epoch: String, ledgerRevision: Revision, wallets: [ShardWallet],
    tokens: [ShardToken], shard: Shard
  ) {
    snapshots = wallets
    if !tokens.isEmpty { resume = .prices(tokens, next: 0) }
    guard case .point(let point) = since, point.epoch == epoch, point.revision <= ledgerRevision
    else { return }
    isResumed = true
    // Registered again, or never read: the client can't have the rows that changes apply to.
    let isWhole: (ShardWallet) -> Bool = { $0.cells.needsSnapshot(since: point.revision) }
    snapshots = wallets.filter(isWhole)
    let owed = OwedChanges(
      wallets: wallets.filter { !isWhole($0) }, tokens: tokens, cursor: point.revision, end: shard.revision)
    changed =
      shard.changes(
        wallets: owed.wallets, tokens: tokens, above: owed.cursor, through: owed.end, base: 0
      ).count
    resume = .changes(owed)
  }
}
