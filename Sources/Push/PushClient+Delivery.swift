import EventLoop
import Ethereum
import Ledger
import WebSocket

/// What a client is owed besides changes. Small whatever the size of the wallet: frames are built when the socket
/// takes them.
enum Debt {
  /// A snapshot of a wallet the client follows. `cuts` are the first row of each part and, last, the number of
  /// rows; empty until part 1 is built.
  case snapshot(ShardWallet, cuts: [Int], next: Int, revision: Revision)
  /// A snapshot of a wallet as it was when it was asked for.
  case once(SnapshotEncoder, cuts: [Int], next: Int)
  /// What changed since a client that resumes has left.
  case changes(OwedChanges)
  /// One price frame for each, whatever its revision.
  case prices([ShardToken], next: Int)
  case heartbeat

  func isSnapshot(of wallet: ShardWallet) -> Bool {
    if case .snapshot(let other, _, _, _) = self { other === wallet } else { false }
  }

  /// Whether nothing live may overtake it: the rest of a resume, and a snapshot of which no part was sent.
  var isBeforeLive: Bool {
    switch self {
    case .changes: true
    case .snapshot(_, let cuts, _, _): cuts.isEmpty
    case .once, .prices, .heartbeat: false
    }
  }
  /// What the client is known to have of rows: nothing is while it resumes (``OwedChanges``).
  var base: Revision? { if case .changes = self { 0 } else { nil } }

  var isHeartbeat: Bool { if case .heartbeat = self { true } else { false } }

  /// What is left when the client no longer follows the wallet.
  func without(_ wallet: ShardWallet) -> Debt? {
    switch self {
    case .snapshot(let other, _, _, _): return other === wallet ? nil : self
    case .changes(var owed):
      owed.wallets.removeAll { $0 === wallet }
      return .changes(owed)
    case .once, .prices, .heartbeat: return self
    }
  }

  /// What is left when the client no longer follows the token.
  func without(_ token: ShardToken) -> Debt {
    switch self {
    case .changes(var owed):
      owed.tokens.removeAll { $0 === token }
      return .changes(owed)
    case .prices(let tokens, let next):
      return .prices(tokens[next...].filter { $0 !== token }, next: 0)
    case .snapshot, .once, .heartbeat: return self
    }
  }
}

extension PushClient {
  // MARK: - Live

  /// Sends what this client is marked for. Called at the end of the turn, and before anything that must not overtake
  /// it.
  func settle(sendsNow: Bool) {
    guard !isClosed else { return }
    let marked = takeMarks()
    let batch = shard.batched.isEmpty ? nil : shard.batched.removeValue(forKey: index)
    guard marked != 0 || batch != nil, !takesMarkAsNews() else { return }
    count(marked)
    shard.statistics.writes &+= 1
    if wantsBatches {
      let selection = shard.batches.select(marked, of: shard.chunk, after: batch)
      for message in batches(selection) { connection.write(message) }
    } else {
      let bytes = frames(marked)
      if sendsNow { connection.sendNow(bytes) } else { connection.write(bytes) }
    }
    noteSent()
    if sendsNow { lookAfterSending() } else if !hasRoom { fallBehind(at: shard.chunk.revision) }
  }

  /// The chunk ends, the turn goes on: a client that wants batches is given one when the turn ends, or when it is full.
  func gatherBatch() {
    let marked = takeMarks()
    count(marked)
    let selection = shard.batches.select(marked, of: shard.chunk, after: shard.batched[index])
    shard.batched[index] = selection
    if shard.batches.isFull(selection) { settle(sendsNow: false) }
  }

  private func takeMarks() -> UInt64 {
    let marked = shard.clients.slots[index].mask
    shard.clients.slots[index].mask = 0
    return marked
  }

  private func count(_ marked: UInt64) { shard.statistics.frames &+= UInt64(marked.nonzeroBitCount) }

  /// After bytes that were to be sent at once: they may not have been taken.
  func lookAfterSending() {
    guard !isClosed, connection.unsentBytes > 0 else { return }
    lastQueued = shard.loop.now
    watchForSlowness()
    if !hasRoom { fallBehind(at: shard.chunk.revision) }
  }

  func noteSent() {
    lastQueued = shard.loop.now
    shard.clients.slots[index].lastSent = lastQueued
  }

  /// From here on the client gets the newest values only, when it has taken what is on its way.
  private func fallBehind(at revision: Revision) {
    guard mode == .live else { return }
    mode = .lagging
    cursor = revision
    base = revision
    shard.statistics.lags += 1
    write(Replies.lag(revision: revision))
    scheduleLiveness()
    waitForRoom()
  }

  /// Statuses are not counted by revisions: one that finds no room is sent as it is then, when there is some.
  func send(status frame: [UInt8]) {
    if mode == .lagging || !hasRoom {
      missedStatus = true
      waitForRoom()
    } else {
      settle(sendsNow: false)
      write(frame)
    }
  }

  func sendMissedStatuses() {
    guard missedStatus else { return }
    missedStatus = false
    for (frame, _) in shard.statuses.values { write(frame) }
    for entry in wallets { if let frame = entry.wallet.status { write(frame) } }
  }

  // MARK: - Room

  /// Whether the client may be given more. What it has not taken is bounded by this and one frame.
  var hasRoom: Bool { connection.unsentBytes <= shard.settings.unsentBytes }

  /// Asks for a look after the next flush. If the kernel then takes everything at once, nobody calls `drained`.
  func waitForRoom() {
    guard !isWaitingForRoom else { return }
    isWaitingForRoom = true
    shard.waitingForRoom.append(self)
  }

  /// A turn later. Where the flush left something over, `drained` will be called, and a client that lags waits for
  /// it. What is unsent otherwise was queued since, a reply perhaps.
  func lookForRoom() {
    isWaitingForRoom = false
    guard !isClosed else { return }
    if connection.unsentBytes > 0 { watchForSlowness() }
    if connection.hasLeftovers, mode == .lagging || !hasRoom { return }
    guard hasRoom else { return waitForRoom() }
    pump()
    unclog()
  }

  // MARK: - Debts

  func owe(_ debt: Debt) {
    debts.append(debt)
    // A row that came while the client was away, and changes again before the debt is paid, is left to the client's
    // own catching up: there too it must go whole.
    if mode != .live, let before = debt.base { base = min(base, before) }
  }

  /// A new snapshot takes the place of one that is under way.
  func oweSnapshot(of wallet: ShardWallet) {
    debts.removeAll { $0.isSnapshot(of: wallet) }
    owe(.snapshot(wallet, cuts: [], next: 0, revision: 0))
  }

  /// How many bytes one client may be given before others have their turn.
  private static let pumpBytes = 262_144

  /// Sends what is owed, as far as the socket takes it: debts first, then what changed while lagging.
  func pump() {
    // What is marked has a lower revision than what is sent here.
    settle(sendsNow: false)
    var budget = Self.pumpBytes
    while !isClosed, !debts.isEmpty {
      guard hasRoom, budget > 0 else {
        holdBack()
        return waitForRoom()
      }
      let before = connection.unsentBytes
      payFirstDebt()
      budget -= max(0, connection.unsentBytes - before)
    }
    guard !isClosed else { return }
    if mode == .lagging {
      guard hasRoom, catchUp() else { return waitForRoom() }
      recover()
    } else if missedStatus {
      guard hasRoom else { return waitForRoom() }
      sendMissedStatuses()
    }
  }

  private func payFirstDebt() {
    switch debts[0] {
    case .snapshot(let wallet, let cuts, let next, let revision):
      paySnapshot(wallet, cuts: cuts, next: next, revision: revision)
    case .once(let encoder, let cuts, let next):
      if cuts.isEmpty, let whole = encoder.whole(upTo: PushSettings.partBytes) {
        writeSnapshot(WebSocketFrame.text(whole))
        return settleFirstDebt(nil)
      }
      let cuts = cuts.isEmpty ? encoder.cuts : cuts
      writePart(encoder, cuts: cuts, next: next)
      settleFirstDebt(next + 2 < cuts.count ? .once(encoder, cuts: cuts, next: next + 1) : nil)
    case .changes(var owed):
      settleFirstDebt(send(&owed) ? nil : .changes(owed))
    case .prices(let tokens, let next):
      payPrices(tokens, next: next)
    case .heartbeat:
      settleFirstDebt(nil)
      // It says that everything before it was sent: only the last of several does, and while lagging the one that
      // comes when the client has caught up.
      guard mode != .lagging, !debts.contains(where: \.isHeartbeat) else { return }
      // Snapshots are of now: who is paced gets the rest of what is older than they are first, before its tick.
      if mode == .paced, !catchUp() { return lagUntilTaken() }
      write(shard.heartbeat())
    }
  }

  private func settleFirstDebt(_ rest: Debt?) {
    if let rest {
      debts[0] = rest
    } else if debts.count == 1 {
      // Not `removeFirst`: a client that is owed nothing holds no memory for it.
      debts = []
    } else {
      debts.removeFirst()
    }
  }

  private func payPrices(_ tokens: [ShardToken], next: Int) {
    var index = next
    var frames: [[UInt8]] = []
    var bytes = connection.unsentBytes
    while index < tokens.count, bytes <= shard.settings.unsentBytes {
      let frame = tokens[index].priceFrame()
      frames.append(frame)
      bytes += frame.count
      index += 1
    }
    write(data: frames)
    settleFirstDebt(index < tokens.count ? .prices(tokens, next: index) : nil)
  }

  private func paySnapshot(_ wallet: ShardWallet, cuts: [Int], next: Int, revision: Revision) {
    let isFirst = cuts.isEmpty
    if isFirst {
      shard.statistics.count(wallet.cells.state)
      if let frame = shard.wholeSnapshot(of: wallet) {
        writeSnapshot(frame)
        return settleFirstDebt(nil)
      }
    }
    let encoder = SnapshotEncoder(
      cells: wallet.cells, epoch: shard.epoch, revision: isFirst ? shard.revision : revision,
      prices: wallet.tokens.map(\.cell))
    let cuts = isFirst ? encoder.cuts : cuts
    writePart(encoder, cuts: cuts, next: next)
    settleFirstDebt(
      next + 2 < cuts.count
        ? .snapshot(wallet, cuts: cuts, next: next + 1, revision: encoder.revision) : nil)
  }

  /// Rows that have come since part 1 are not in any part: the client is sent each of them as a `token`.
  private func writePart(_ encoder: SnapshotEncoder, cuts: [Int], next: Int) {
    let json = encoder.part(rows: cuts[next]..<cuts[next + 1], number: next + 1, of: cuts.count - 1)
    writeSnapshot(WebSocketFrame.text(json))
  }

  private func writeSnapshot(_ frame: [UInt8]) {
    write(frame)
    shard.statistics.snapshots += 1
  }
}

extension Shard {
  /// The wallet's snapshot as it is now, as one frame; nil where it takes parts.
  fileprivate func wholeSnapshot(of wallet: ShardWallet) -> [UInt8]? {
    if let known = snapshots[wallet.slot] { return known }
    let encoder = SnapshotEncoder(
      cells: wallet.cells, epoch: epoch, revision: revision, prices: wallet.tokens.map(\.cell))
    guard let whole = encoder.whole(upTo: PushSettings.partBytes) else { return nil }
    let frame = WebSocketFrame.text(whole)
    snapshots.insert(frame, for: wallet.slot)
    return frame
  }
}

extension SnapshotEncoder {
  fileprivate var cuts: [Int] { partStarts(bytes: PushSettings.partBytes) + [cells.rows.count] }
}
