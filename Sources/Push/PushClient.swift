// One WebSocket client. Lean, because there are many: while nothing is owed it holds no buffers.
//
// A client is a cursor. `live`: it has everything up to the shard's revision, and gets each turn's frames as they
// are marked. `lagging`: it did not take what it was sent; from `cursor` on it gets nothing until it has drained,
// then the newest values above the cursor. `paced`: the same at each tick of the rate it asked for.
//
//   PushClient.swift             coming, going, messages in
//   PushClient+Operations.swift  what it asks for
//   PushClient+Access.swift      what it may ask for, and until when
//   PushClient+Delivery.swift    what it is sent, and what it is owed
//   PushClient+Compression.swift the same, compressed
//   PushClient+CatchUp.swift     the newest values above a cursor
//   PushClient+Liveness.swift    pings, pongs, slowness

import EventLoop
import Ledger
import WebSocket

final class PushClient: ConnectionHandler, TimerTarget {
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

  /// Strong, and let go of with the client when that has closed: an unowned one would count at every use.
  let shard: Shard
  let connection: Connection
  /// Its place in the shard's table, where what the fan-out touches of it is.
  let index: Int
  /// nil where no access tokens are asked for.
  var access: ClientAccess?
  var machine: WebSocketConnection
  let compression: ClientCompression

  var wallets: ContiguousArray<WalletEntry> = []
  var tokens: ContiguousArray<TokenEntry> = []
  var mode = Mode.live { didSet { shard.clients.slots[index].isLive = mode == .live } }
  var wantsBatches = false { didSet { shard.clients.slots[index].isPlain = isPlain } }
  /// Waits for the ledger's answer to an operation; later messages wait with it.
  var isWaiting = false
  var isClosed = false
  /// It did not take our replies: until it has, nothing more is read from it.
  private var isClogged = false
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
  /// Bytes that came while waiting.
  private var stash: [UInt8] = []

  /// Time between ticks; zero: unlimited.
  var tickInterval: Duration = .zero
  var tickTimer = TimerID.none
  var livenessTimer = TimerID.none
  /// When anything was last queued: what was queued in this very turn has not been offered to the kernel yet.
  var lastQueued: LoopInstant
  var nextPing: LoopInstant
  var pongDeadline: LoopInstant?
  private var operations: Allowance
  /// For what is refused, and for pings and pongs: cheap, but not for ever.
  private var excess: Allowance

  init(shard: Shard, connection: Connection, deflate: DeflateParameters?) {
    self.shard = shard
    self.connection = connection
    index = connection.id.index
    compression = ClientCompression(deflate)
    machine = WebSocketConnection(
      role: .server, limits: shard.settings.webSocketLimits,
      messageExtension: deflate.map { PerMessageDeflate($0, role: .server, pool: shard.deflatePool) })
    let now = shard.loop.now
    lastQueued = now
    nextPing = now + shard.settings.pingInterval
    operations = Allowance(now: now)
    excess = Allowance(now: now)
  }

  func start(wallets names: [String], tokens: [String], leftover: UnsafeMutableRawBufferPointer) {
    write(Replies.hello(settings: shard.settings, epoch: shard.epoch, revision: shard.revision))
    scheduleLiveness()
    if shard.isDraining { return drain(retryMilliseconds: 1_000) }
    authorize(handshake: tokens)
    guard !isClosed else { return }
    if !names.isEmpty { subscribe(toNamed: names) }
    if !leftover.isEmpty { received(leftover, on: connection) }
  }

  // MARK: - Messages in

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    if isWaiting || isClogged {
      stash.append(contentsOf: bytes)
    } else {
      process(bytes)
    }
  }

  private func process(_ bytes: UnsafeMutableRawBufferPointer) {
    var input = bytes
    pongDeadline = nil
    do throws(RemoteError) {
      while !isClosed, !isWaiting, !isClogged, let event = try machine.next(&input) {
        handle(event)
        checkRoom()
      }
    } catch {
      // The machine has queued the Close that answers.
      writeMachineOutput()
      finish(code: error.closeCode)
      return
    }
    writeMachineOutput()
    checkRoom()
    if isWaiting || isClogged, !isClosed {
      stash.append(contentsOf: input)
      connection.pauseReading()
    }
  }

  /// A client that asks and asks without taking the answers must not make a queue of them grow.
  private func checkRoom() {
    guard !isClogged, !isClosed, !hasRoom else { return }
    isClogged = true
    waitForRoom()
  }

  /// The ledger has answered: what came meanwhile is read now.
  func resume() {
    guard isWaiting, !isClosed else { return }
    isWaiting = false
    processStash()
  }

  /// There may be room again.
  func unclog() {
    guard isClogged, !isClosed else { return }
    guard hasRoom else { return waitForRoom() }
    isClogged = false
    processStash()
  }

  private func processStash() {
    guard !isWaiting, !isClogged, !isClosed else { return }
    var waiting = stash
    stash = []
    if !waiting.isEmpty { waiting.withUnsafeMutableBytes { process($0) } }
    if !isWaiting, !isClogged, !isClosed { connection.resumeReading() }
  }

  private func handle(_ event: WebSocketConnection.Event) {
    switch event {
    case .message(.text, let payload): handle(message: payload)
    case .message(.binary, _):
      close(.unsupportedData, reason: "messages are JSON in text frames, not binary")
    case .ping, .pong: tolerate()
    case .close(let code, _):
      writeMachineOutput()
      finish(code: code ?? .normal)
    }
  }

  private func handle(message payload: UnsafeRawBufferPointer) {
    shard.statistics.messages += 1
    let message = ClientMessage.parse(payload)
    if let wait = overdraft() {
      shard.statistics.rateLimited += 1
      refuse(
        message.id,
        Refusal(.rateLimited, "too many operations; the limit is in hello", retryMilliseconds: wait))
      return tolerate()
    }
    switch message.operation {
    case .success(let operation):
      // A list longer than a connection can use costs as many operations as it is too long: each of its entries is
      // answered.
      let more = max(0, operation.keyCount - 1) / max(1, shard.settings.walletsPerConnection)
      if more > 0 { operations.charge(shard.settings.operationCost * more, now: shard.loop.now) }
      perform(operation, id: message.id)
    case .failure(let refusal): refuse(message.id, refusal)
    }
  }

  /// A second's worth of operations may come at once. The limit counts every message, refused ones too.
  /// - Returns: milliseconds to wait, when there were too many.
  private func overdraft() -> Int64? {
    let cost = shard.settings.operationCost
    let wait = operations.take(cost, most: max(.seconds(1), cost), now: shard.loop.now)
    return wait.map { max(1, $0.inMilliseconds) }
  }

  /// One more of what costs little and brings the client nothing.
  private func tolerate() {
    let cost = shard.settings.operationCost
    guard excess.take(cost, most: cost * shard.settings.excess, now: shard.loop.now) != nil else { return }
    shard.statistics.closedAbuse += 1
    close(.abuse, reason: "far more messages or pings than the limit in hello; do not come back like this")
  }

  func refuse(_ id: MessageID?, _ refusal: Refusal) {
    shard.statistics.refused += 1
    write(Replies.error(id, refusal))
  }

  // MARK: - Going

  func inputEnded(on connection: Connection) { finish(code: .goingAway) }

  func drained(_ connection: Connection) {
    pump()
    unclog()
  }

  /// Starts the closing handshake; the connection ends once the Close has been sent.
  func close(_ code: CloseCode, reason: String) {
    guard !isClosed else { return }
    var out: [UInt8] = []
    try? machine.close(code, reason: reason, into: &out)
    queue(out)
    finish(code: code)
  }

  func drain(retryMilliseconds: Int64) {
    guard !isClosed else { return }
    settle(sendsNow: false)
    write(Replies.reconnect(retryMilliseconds: retryMilliseconds))
    close(.drain, reason: "the server is going away; come back")
  }

  /// No more events from here on; what is queued is still sent.
  private func finish(code: CloseCode) {
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
  private func leave() {
    for entry in wallets { detach(entry) }
    for entry in tokens { detach(entry) }
    wallets = []
    tokens = []
    debts = []
    stash = []
    shard.loop.cancel(livenessTimer)
    shard.loop.cancel(tickTimer)
    if let access { shard.loop.cancel(access.timer) }
    shard.remove(self)
  }

  // MARK: - Writing

  /// Writes a whole text frame, compressed where that was negotiated and pays.
  func write(_ frame: [UInt8]) {
    guard !isClosed else { return }
    if case .none = compression { queue(frame) } else { queue(compressed(frame)) }
  }

  /// Queues bytes as they are.
  private func queue(_ bytes: [UInt8]) {
    connection.write(bytes)
    noteSent()
  }

  private func writeMachineOutput() {
    guard machine.hasOutput else { return }
    connection.write(machine.takeOutput())
    lastQueued = shard.loop.now
  }

  // MARK: - Timers

  enum TimerTag: UInt64 {
    case liveness
    case tick
    case access
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    guard !isClosed else { return }
    switch TimerTag(rawValue: tag) {
    case .liveness: checkLiveness(now: now)
    case .tick: tick()
    case .access: checkAccess()
    case nil: break
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
