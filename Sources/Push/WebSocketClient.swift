import EventLoop
import Ledger
import WebSocket

/// A client over a WebSocket: the one kind that says something too.
final class WebSocketClient: PushClient {
  var machine: WebSocketConnection
  let compression: ClientCompression
  /// It did not take our replies: until it has, nothing more is read from it.
  private var isClogged = false
  /// Bytes that came while waiting.
  private var stash: [UInt8] = []
  private var operations: Allowance

  init(shard: Shard, connection: Connection, deflate: DeflateParameters?) {
    compression = ClientCompression(deflate)
    machine = WebSocketConnection(
      role: .server, limits: shard.settings.webSocketLimits,
      messageExtension: deflate.map { PerMessageDeflate($0, role: .server, pool: shard.deflatePool) })
    operations = Allowance(now: shard.loop.now)
    super.init(shard: shard, connection: connection)
  }

  func start(wallets names: [String], tokens: [String], leftover: UnsafeMutableRawBufferPointer) {
    write(shard.hello())
    scheduleLiveness()
    if shard.isDraining { return drain(retryMilliseconds: 1_000) }
    authorize(handshake: tokens)
    guard !isClosed else { return }
    if !names.isEmpty { subscribe(toNamed: names) }
    if !leftover.isEmpty { received(leftover, on: connection) }
  }

  // MARK: - Messages in

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
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

  /// What came meanwhile is read now.
  override func resume() {
    guard isWaiting, !isClosed else { return }
    isWaiting = false
    processStash()
  }

  override func unclog() {
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

  // MARK: - Out

  override var isPlain: Bool { if case .none = compression { !wantsBatches } else { false } }

  override func write(_ frame: [UInt8]) {
    guard !isClosed else { return }
    if case .none = compression { queue(frame) } else { queue(compressed(frame)) }
  }

  override func frames(_ mask: UInt64) -> [UInt8] {
    switch compression {
    case .none: shard.chunk.bytes(for: mask)
    case .shared(let bits): shard.chunk.bytes(for: mask, windowBits: bits, shard.deflatePool)
    case .own: shard.chunk.selection(mask).reduce(into: []) { $0 += compressed($1) }
    }
  }

  override func batches(_ selection: BatchSelections.ID) -> [[UInt8]] {
    switch compression {
    case .none: shard.batches.messages(selection, windowBits: nil, shard.deflatePool)
    case .shared(let bits): shard.batches.messages(selection, windowBits: bits, shard.deflatePool)
    case .own: shard.batches.messages(selection, windowBits: nil, shard.deflatePool).map { compressed($0) }
    }
  }

  /// Starts the closing handshake.
  override func sayGoodbye(_ code: CloseCode, reason: String) {
    var out: [UInt8] = []
    try? machine.close(code, reason: reason, into: &out)
    queue(out)
  }

  override func probe(now: LoopInstant) {
    var out: [UInt8] = []
    try? machine.ping(into: &out)
    connection.write(out)
    lastQueued = now
    // The first ping that is not answered counts: later ones must not put its deadline off.
    if pongDeadline == nil { pongDeadline = now + shard.settings.pongTimeout }
  }

  private func writeMachineOutput() {
    guard machine.hasOutput else { return }
    connection.write(machine.takeOutput())
    lastQueued = shard.loop.now
  }

  override func leave() {
    super.leave()
    stash = []
  }
}
