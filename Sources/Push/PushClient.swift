// One client. Lean, because there are many: while nothing is owed it holds no buffers.
//
// A client is a cursor. `live`: it has everything up to the shard's revision, and gets each turn's frames as they
// are marked. `lagging`: it did not take what it was sent; from `cursor` on it gets nothing until it has drained,
// then the newest values above the cursor. `paced`: the same at each tick of the rate it asked for.
//
// What is sent is the same for all; how it is put on the wire is each kind's own: a WebSocket gets the frames as
// they are, or compressed; an event stream gets them as events; a long-poll keeps them for its one answer.
//
//   PushClient.swift             coming, going, what its kind decides
//   PushClient+Operations.swift  what it asks for
//   PushClient+Access.swift      what it may ask for, and until when
//   PushClient+Delivery.swift    what it is sent, and what it is owed
//   PushClient+CatchUp.swift     the newest values above a cursor
//   PushClient+Liveness.swift    silence, slowness
//   WebSocketClient.swift        messages in, pings and pongs, the closing handshake
//   WebSocketClient+Compression.swift
//   StreamClient.swift           Server-Sent Events
//   PollClient.swift             one that waits for one answer

import EventLoop
import Ledger
import WebSocket

class PushClient: ConnectionHandler, TimerTarget {
  enum Mode: UInt8 {
    case live
    case lagging
    case paced
  }

  struct WalletEntry {
    let wallet: ShardWallet
    /// Where this client stands in the wallet's list.
    var position: UInt32
  }
  struct TokenEntry {
    let token: ShardToken
    var position: UInt32
  }

  /// Where those of its kind are counted that are open now; nil: only among all.
  var openFigure: WritableKeyPath<ShardStatistics, Int>? { nil }
  /// Strong, and let go of with the client when that has closed: an unowned one would count at every use.
  let shard: Shard
  let connection: Connection
  /// Its place in the shard's table, where what the fan-out touches of it is.
  let index: Int
  /// nil where no access tokens are asked for.
  var access: ClientAccess?

  var wallets: ContiguousArray<WalletEntry> = []
  var tokens: ContiguousArray<TokenEntry> = []
  var mode = Mode.live { didSet { shard.clients.slots[index].isLive = mode == .live } }
  var wantsBatches = false { didSet { shard.clients.slots[index].isPlain = isPlain } }
  /// Waits for the ledger's answer to an operation; later messages wait with it.
  var isWaiting = false
  var isClosed = false
  /// A status went by while there was no room.
  var missedStatus = false
  /// In the shard's list of those without room.
  var isWaitingForRoom = false
  /// The liveness timer comes when a slow client's time is up.
  var isWatchedForSlowness = false

  /// Everything up to here was sent. Means something unless live.
  var cursor: Revision = 0
  /// Where catching up began. It may take several steps, which move `cursor`; rows that were inserted or renamed
  /// after this have not been shown whole.
  var base: Revision = 0
  /// What is owed besides changes: snapshots, resumed changes, the heartbeats behind them.
  var debts: [Debt] = []

  /// Time between ticks; zero: unlimited.
  var tickInterval: Duration = .zero
  var tickTimer = TimerID.none
  var livenessTimer = TimerID.none
  /// When anything was last queued: what was queued in this very turn has not been offered to the kernel yet.
  var lastQueued: LoopInstant
  var nextPing: LoopInstant
  /// When an answer to a ping must have come; nil: none is awaited.
  var pongDeadline: LoopInstant?
  /// For what is refused, and for pings and pongs: cheap, but not for ever.
  private var excess: Allowance

  init(shard: Shard, connection: Connection) {
    self.shard = shard
    self.connection = connection
    index = connection.id.index
    let now = shard.loop.now
    lastQueued = now
    nextPing = now + shard.settings.pingInterval
    excess = Allowance(now: now)
  }

  // MARK: - What its kind decides

  /// Whether it gets the frames' bytes as they are.
  var isPlain: Bool { false }

  /// Writes a whole text frame as this kind of client gets it.
  func write(_ frame: [UInt8]) { queue(frame) }

  /// The frames of the open chunk that the mask selects, as this client gets them.
  func frames(_ mask: UInt64) -> [UInt8] { shard.chunk.bytes(for: mask) }

  /// What was selected of this turn, as `batch` messages.
  func batches(_ selection: BatchSelections.ID) -> [[UInt8]] {
    shard.batches.messages(selection, windowBits: nil, shard.deflatePool)
  }

  /// It was marked. - Returns: whether that is all that it wants to know now.
  func takesMarkAsNews() -> Bool { false }

  /// What comes last.
  func sayGoodbye(_ code: CloseCode, reason: String) {}

  /// Shows that we are there, and perhaps asks whether the client is.
  func probe(now: LoopInstant) {}

  /// The ledger has answered an operation.
  func resume() { isWaiting = false }

  /// There may be room again.
  func unclog() {}

  /// The wallet was deleted, or is no longer this client's to see; it has been told.
  func subscriptionEnded() {}

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {}

  func refuse(_ id: MessageID?, _ refusal: Refusal) {
    shard.statistics.refused += 1
    write(Replies.error(id, refusal))
  }

  /// One more of what costs little and brings the client nothing.
  func tolerate() {
    let cost = shard.settings.operationCost
    guard excess.take(cost, most: cost * shard.settings.excess, now: shard.loop.now) != nil else { return }
    shard.statistics.closedAbuse += 1
    close(.abuse, reason: "far more messages or pings than the limit in hello; do not come back like this")
  }

  // MARK: - Going

  func inputEnded(on connection: Connection) { finish(code: .goingAway) }

  func drained(_ connection: Connection) {
    pump()
    unclog()
  }

  /// Says goodbye; the connection ends once that has been sent.
  func close(_ code: CloseCode, reason: String) {
    guard !isClosed else { return }
    sayGoodbye(code, reason: reason)
    finish(code: code)
  }

  func drain(retryMilliseconds: Int64) {
    guard !isClosed else { return }
    settle(sendsNow: false)
    write(Replies.reconnect(retryMilliseconds: retryMilliseconds))
    close(.drain, reason: "the server is going away; come back")
  }

  /// No more events from here on; what is queued is still sent.
  func finish(code: CloseCode) {
    guard !isClosed else { return }
    isClosed = true
    leave()
    connection.close(.local(code: code.rawValue), afterFlush: true)
  }

  func closed(_ connection: Connection, reason: CloseReason) {
    isClosed = true
    leave()
  }

  /// Gives up everything that others hold of this client. Twice does no harm.
  func leave() {
    for entry in wallets { detach(entry) }
    for entry in tokens { detach(entry) }
    wallets = []
    tokens = []
    debts = []
    shard.loop.cancel(livenessTimer)
    shard.loop.cancel(tickTimer)
    if let access { shard.loop.cancel(access.timer) }
    shard.remove(self)
  }

  // MARK: - Writing

  /// Queues bytes as they are.
  func queue(_ bytes: [UInt8]) {
    guard !isClosed else { return }
    connection.write(bytes)
    noteSent()
  }

  // MARK: - Timers

  enum TimerTag: UInt64 {
    case liveness
    case tick
    case access
    case wait
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    guard !isClosed else { return }
    switch TimerTag(rawValue: tag) {
    case .liveness: checkLiveness(now: now)
    case .tick: tick()
    case .access: checkAccess()
    case .wait, nil: break
    }
  }
}

extension Duration {
  /// Whole milliseconds, rounded up.
  var inMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
