import EventLoop
import Ethereum
import HTTP1
import Ledger
import WebSocket

/// A request that waits for a change: a cursor that is marked once, catches up in the next turn, and is done. It keeps
/// what others would be sent: the newest values of one wallet, or its snapshot.
final class PollClient: PushClient {
  private let since: ResumePoint
  private let answer: (ChangesDocument) -> Void
  /// JSON of frames.
  private var changes: [[UInt8]] = []
  /// The last `status` frame.
  private var status: [UInt8]?
  private var result: ChangesDocument?
  private var timer = TimerID.none

  override var openFigure: WritableKeyPath<ShardStatistics, Int>? { \.polls }

  init(
    shard: Shard, connection: Connection, since: ResumePoint, _ answer: @escaping (ChangesDocument) -> Void
  ) {
    self.since = since
    self.answer = answer
    super.init(shard: shard, connection: connection)
  }

  func start(_ wallet: WalletKey, wait: Duration, authority: Authority) {
    timer = shard.loop.schedule(after: wait, self, tag: TimerTag.wait.rawValue)
    if shard.isDraining { return end() }
    access = ClientAccess()
    access?.authority = authority
    var subscription = Subscription()
    subscription.wallets = KeyList(keys: [wallet])
    subscription.since = .point(since)
    subscribe(subscription, id: nil)
  }

  // MARK: - What it is told

  override func write(_ frame: [UInt8]) {
    guard !isClosed else { return }
    let json = frame[WebSocketFrame.payloadStart(of: frame)...]
    switch String(decoding: ServerSentEventEncoder.frameType(of: frame), as: UTF8.self) {
    case "snapshot", "token", "balance", "price": changes.append(Array(json))
    case "status": status = Array(json)
    // A wallet that was never read sends its snapshot again: that is no news.
    case "heartbeat": if hasNews { end() } else { changes = [] }
    // It was deleted, and could not be registered again, while the request was looked at.
    case "ok": if wallets.isEmpty { end() }
    default: break
    }
  }

  private var hasNews: Bool {
    wallets.contains { entry in
      let cells = entry.wallet.cells
      return max(cells.registeredRevision, cells.stateRevision) > since.revision
        || cells.rows.contains { $0.newestRevision > since.revision }
        || entry.wallet.tokens.contains { $0.cell.revision > since.revision }
    }
  }

  /// What it was marked with it takes as it is then: it catches up from where its client stands.
  override func takesMarkAsNews() -> Bool {
    mode = .lagging
    cursor = since.revision
    base = 0
    waitForRoom()
    return true
  }

  override func subscriptionEnded() {
    if let status { changes.append(status) }
    end()
  }

  // MARK: - The answer

  override func drain(retryMilliseconds: Int64) { end() }

  override func finish(code: CloseCode) { end() }

  func clientEnded() {
    if result == nil { shard.statistics.pollsAbandoned += 1 }
    end()
  }

  /// Nobody waits any more.
  func abandon() {
    if result == nil { shard.statistics.pollsAbandoned += 1 }
    result = nil
    isClosed = true
    leave()
  }

  /// With what there is.
  func end() {
    guard !isClosed else { return }
    // It may have been marked in this very turn.
    settle(sendsNow: false)
    // A part of what is owed is nothing to go on from.
    if !debts.isEmpty { changes = [] }
    if debts.isEmpty, changes.isEmpty, mode == .lagging { _ = catchUp() }
    if changes.isEmpty, let wallet = wallets.first?.wallet, !wallet.cells.isComplete {
      changes = [
        SnapshotEncoder(cells: wallet.cells, epoch: shard.epoch, revision: shard.revision, prices: []).whole()
      ]
    }
    isClosed = true
    result = ChangesDocument(
      epoch: shard.epoch,
      revision: changes.isEmpty ? since.revision : mode == .live ? shard.revision : cursor, frames: changes)
    changes = []
    leave()
    // Not from in here: who gets it may begin the next poll.
    timer = shard.loop.schedule(after: .zero, self, tag: TimerTag.wait.rawValue)
  }

  override func leave() {
    super.leave()
    shard.loop.cancel(timer)
  }

  override func timerFired(tag: UInt64, now: LoopInstant) {
    guard tag == TimerTag.wait.rawValue else { return super.timerFired(tag: tag, now: now) }
    if let result {
      self.result = nil
      return answer(result)
    }
    guard !isClosed else { return }
    shard.statistics.pollsTimedOut += 1
    end()
  }
}

/// A request that waits.
public final class LongPoll {
  private let client: PollClient

  init(_ client: PollClient) { self.client = client }

  /// Its client has ended its side, and most likely its own end too: it is answered with what there is.
  public func clientEnded() { client.clientEnded() }

  /// Its client has gone; there will be no answer.
  public func abandon() { client.abandon() }

  /// What the connection had left over is with the kernel.
  public func drained() { client.drained(client.connection) }
}
