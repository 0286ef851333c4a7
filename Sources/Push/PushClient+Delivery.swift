import EventLoop
import Ethereum
import Ledger
import WebSocket

/// What a client is owed besides changes. Small whatever the size of the wallet: frames are built when the socket
/// takes them.
enum Debt {
  /// A snapshot of a wallet the client follows. `starts` is empty until part 1 is built.
  case snapshot(ShardWallet, starts: [Int], next: Int, revision: Revision)
  /// A snapshot of a wallet as it was when it was asked for.
  case once(SnapshotEncoder, starts: [Int], next: Int)
  /// What changed after `cursor` in these wallets and tokens.
  case changes([ShardWallet], [ShardToken], cursor: Revision)
  /// One price frame for each, whatever its revision.
  case prices([ShardToken], next: Int)
  case heartbeat

  func isSnapshot(of wallet: ShardWallet) -> Bool {
    if case .snapshot(let other, _, _, _) = self { other === wallet } else { false }
  }
}

extension PushClient {
  // MARK: - Live

  /// Sends the frames of the open chunk that this client is marked for. Called at the end of the turn, and before
  /// anything that must not overtake them.
  func settle(sendsNow: Bool) {
    guard mask != 0 else { return }
    let marked = mask
    mask = 0
    shard.statistics.frames &+= UInt64(marked.nonzeroBitCount)
    shard.statistics.writes &+= 1
    if wantsBatches {
      for message in shard.chunk.batches(for: marked) { connection.write(message) }
    } else {
      let bytes = shard.chunk.bytes(for: marked)
      if sendsNow { connection.sendNow(bytes) } else { connection.write(bytes) }
    }
    lastSent = shard.loop.now
    if connection.unsentBytes > shard.settings.unsentBytes { fallBehind(at: shard.chunk.revision) }
  }

  /// From here on the client gets the newest values only, when it has taken what is on its way.
  private func fallBehind(at revision: Revision) {
    guard mode == .live else { return }
    mode = .lagging
    cursor = revision
    shard.statistics.lags += 1
    write(Replies.lag(revision: revision))
    scheduleLiveness()
  }

  func send(status frame: [UInt8]) {
    if mode == .lagging {
      missedStatus = true
    } else {
      settle(sendsNow: false)
      write(frame)
    }
  }

  // MARK: - Debts and catching up

  func owe(_ debt: Debt) { debts.append(debt) }

  /// How many frames' worth of bytes one client may be given before others have their turn.
  private static let pumpBytes = 262_144

  /// Sends what is owed, as far as the socket takes it: debts first, then what changed while lagging.
  func pump() {
    var budget = Self.pumpBytes
    while !isClosed, !debts.isEmpty || mode == .lagging {
      guard connection.unsentBytes <= shard.settings.unsentBytes else { return pumpLater() }
      guard budget > 0 else { return pumpLater() }
      let before = connection.unsentBytes
      if debts.isEmpty {
        guard catchUp() else { return pumpLater() }
        return recover()
      }
      payFirstDebt()
      budget -= max(0, connection.unsentBytes - before)
    }
  }

  /// What is queued now goes out at the end of this turn. If the kernel takes all of it, nobody calls `drained`:
  /// the next turn looks.
  private func pumpLater() {
    guard !isPumpScheduled else { return }
    isPumpScheduled = true
    let loop = shard.loop
    let name = connection.id
    loop.post {
      guard let client = loop.connection(name)?.handler as? PushClient else { return }
      client.isPumpScheduled = false
      if client.connection.unsentBytes == 0 { client.pump() }
    }
  }

  private func payFirstDebt() {
    switch debts[0] {
    case .snapshot(let wallet, let starts, let next, let revision):
      paySnapshot(wallet, starts: starts, next: next, revision: revision)
    case .once(let encoder, let starts, let next):
      let starts = starts.isEmpty ? encoder.partStarts(bytes: PushSettings.partBytes) : starts
      writePart(encoder, starts: starts, next: next)
      if next + 1 < starts.count {
        debts[0] = .once(encoder, starts: starts, next: next + 1)
      } else {
        debts.removeFirst()
      }
    case .changes(let wallets, let tokens, let since):
      if let rest = sendChanges(wallets: wallets, tokens: tokens, above: since) {
        debts[0] = .changes(wallets, tokens, cursor: rest)
      } else {
        debts.removeFirst()
      }
    case .prices(let tokens, let next):
      var index = next
      while index < tokens.count, connection.unsentBytes <= shard.settings.unsentBytes {
        write(tokens[index].priceFrame())
        index += 1
      }
      if index < tokens.count { debts[0] = .prices(tokens, next: index) } else { debts.removeFirst() }
    case .heartbeat:
      debts.removeFirst()
      // While lagging the heartbeat comes when the client has caught up.
      switch mode {
      case .live: if !debts.contains(where: \.isHeartbeat) { write(shard.heartbeat()) }
      case .paced: write(Replies.heartbeat(epoch: shard.epoch, revision: cursor))
      case .lagging: break
      }
    }
  }

  private func paySnapshot(_ wallet: ShardWallet, starts: [Int], next: Int, revision: Revision) {
    let isFirst = starts.isEmpty
    let encoder = SnapshotEncoder(
      cells: wallet.cells, epoch: shard.epoch, revision: isFirst ? shard.revision : revision,
      prices: wallet.tokens.map(\.cell))
    let starts = isFirst ? encoder.partStarts(bytes: PushSettings.partBytes) : starts
    writePart(encoder, starts: starts, next: next)
    if next + 1 < starts.count {
      debts[0] = .snapshot(wallet, starts: starts, next: next + 1, revision: encoder.revision)
    } else {
      debts.removeFirst()
    }
  }

  /// The last part takes all rows that came meanwhile.
  private func writePart(_ encoder: SnapshotEncoder, starts: [Int], next: Int) {
    let end = next + 1 < starts.count ? starts[next + 1] : encoder.cells.rows.count
    let json = encoder.part(rows: starts[next]..<max(starts[next], end), number: next + 1, of: starts.count)
    write(WebSocketFrame.text(json))
    shard.statistics.snapshots += 1
  }

  /// - Returns: whether the client has everything now.
  private func catchUp() -> Bool {
    if let rest = sendChanges(wallets: wallets.map(\.wallet), tokens: tokens.map(\.token), above: cursor) {
      cursor = rest
      return false
    }
    cursor = shard.revision
    return true
  }

  /// Caught up after a lag.
  private func recover() {
    mode = tickInterval == .zero ? .live : .paced
    shard.statistics.caughtUp += 1
    if missedStatus {
      missedStatus = false
      for (frame, _) in shard.statuses.values { write(frame) }
    }
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
      mode = .lagging
      shard.statistics.lags += 1
      pumpLater()
    }
  }

  /// Writes the newest values above `cursor`, in ascending revision, until the socket has enough.
  /// - Returns: where it stopped, or `nil` when everything was written.
  private func sendChanges(
    wallets: [ShardWallet], tokens: [ShardToken], above cursor: Revision
  ) -> Revision? {
    let changes = shard.changes(wallets: wallets, tokens: tokens, above: cursor)
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
    shard.statistics.frames &+= UInt64(frames.count)
    if wantsBatches { frames = BatchFrames.build(frames) }
    for frame in frames { write(frame) }
    return stopped
  }
}

extension Debt {
  fileprivate var isHeartbeat: Bool { if case .heartbeat = self { true } else { false } }
}

/// A cell above a cursor, whose frame is built when it is written.
struct PendingChange {
  enum Subject {
    case price(ShardToken)
    case row(ShardWallet, Int)
  }
  var revision: Revision
  var subject: Subject

  func frame() -> [UInt8] {
    switch subject {
    case .price(let token): return token.priceFrame()
    case .row(let wallet, let index):
      let row = wallet.cells.rows[index]
      let cell = wallet.tokens[index].cell
      return WebSocketFrame.text(
        row.rowRevision >= row.revision
          ? Frames.token(wallet: wallet.key, row: row, price: cell)
          : Frames.balance(wallet: wallet.key, row: row, token: cell.token))
    }
  }
}

extension Shard {
  /// The cells of these wallets and tokens with a revision above the cursor, in ascending revision; a price that
  /// several wallets share counts once.
  func changes(wallets: [ShardWallet], tokens: [ShardToken], above cursor: Revision) -> [PendingChange] {
    stamp += 1
    var changes: [PendingChange] = []
    func add(_ token: ShardToken) {
      guard token.stamp != stamp else { return }
      token.stamp = stamp
      if token.cell.revision > cursor {
        changes.append(PendingChange(revision: token.cell.revision, subject: .price(token)))
      }
    }
    for wallet in wallets {
      for (index, row) in wallet.cells.rows.enumerated() where row.newestRevision > cursor {
        changes.append(PendingChange(revision: row.newestRevision, subject: .row(wallet, index)))
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
    let isWhole: (ShardWallet) -> Bool = {
      !$0.cells.isComplete || $0.cells.registeredRevision > point.revision
    }
    snapshots = wallets.filter(isWhole)
    let resumed = wallets.filter { !isWhole($0) }
    changed = shard.changes(wallets: resumed, tokens: tokens, above: point.revision).count
    resume = .changes(resumed, tokens, cursor: point.revision)
  }
}
