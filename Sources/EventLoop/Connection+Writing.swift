import CLinux
import Glibc

extension EventLoop {
  /// ``Connection/sendNow(_:)`` to the connection at `index` of the loop's table, without touching the connection
  /// where all goes well: what many connections are sent costs each of them little more than the system call.
  ///
  /// - Parameter index: ``ConnectionID/index`` of a connection that has not closed.
  /// - Returns: whether the kernel took everything. If not, ``Connection/unsentBytes`` tells what is left.
  public func sendNow(_ bytes: [UInt8], to index: Int) -> Bool {
    assertCurrent()
    let descriptor = connections.openDescriptor(at: index)
    guard descriptor >= 0 else {
      guard let connection = connections.connection(at: index) else { return false }
      connection.sendNow(bytes)
      return connection.unsentBytes == 0
    }
    let sent = bytes.withUnsafeBytes { send(descriptor, $0) }
    guard sent == bytes.count else {
      connections.connection(at: index)?.keepRest(of: bytes, result: sent)
      return false
    }
    statistics.bytesOut &+= UInt64(sent)
    return true
  }

  /// send(2), and what it returned.
  @inline(__always)
  fileprivate func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    return hasKernelSend
      ? clinux_send(descriptor, base, bytes.count) : systemCalls.send(descriptor, base, bytes.count)
  }
}

extension Connection {
  /// Queues the array, shared and not copied, for the end of the turn: all that a connection writes in a turn
  /// goes to the kernel at once. Does nothing once the connection is closing.
  public func write(_ bytes: [UInt8]) {
    loop.assertCurrent()
    guard isOpen, !bytes.isEmpty else { return }
    enqueue(bytes, from: 0)
    markDirty()
  }

  /// Queues a copy of the bytes.
  public func write(copying bytes: UnsafeRawBufferPointer) { write([UInt8](bytes)) }

  /// Sends now what would be alone anyway: the way of a frame that many connections share.
  ///
  /// One send(2), and without a filter nothing is allocated when the kernel takes everything; what it does not
  /// take is queued. With something queued already, or a filter that is not established, it is ``write(_:)``.
  /// Errors come later, by `closed`.
  public func sendNow(_ bytes: [UInt8]) {
    loop.assertCurrent()
    guard unsentBytes == 0, flags.isDisjoint(with: .notOpen) else {
      return write(bytes)
    }
    guard !bytes.isEmpty else { return }
    if let filterState {
      guard filterState.filter.isEstablished else { return write(bytes) }
      enqueue(bytes, from: 0)
      return flush()
    }
    keepRest(of: bytes, result: bytes.withUnsafeBytes { loop.send(descriptor, $0) })
  }

  /// After a send(2) of all the bytes: queues what the kernel did not take.
  fileprivate func keepRest(of bytes: [UInt8], result: Int) {
    let sent = account(for: result)
    if sent == bytes.count || flags.contains(.closed) { return }
    enqueue(bytes, from: sent)
    flags.insert([.blocked, .owesDrained])
    lastProgress = loop.now
    updateEvents()
  }

  private func enqueue(_ bytes: [UInt8], from offset: Int) {
    queue.append(bytes, from: offset, spare: &loop.spareQueues)
    unsentBytes += bytes.count - offset
  }

  /// How many bytes the kernel took; 0 when it takes none now, or never will (then the connection is closed).
  private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
    account(for: loop.send(descriptor, bytes))
  }

  private func account(for result: Int) -> Int {
    if result >= 0 {
      loop.statistics.bytesOut &+= UInt64(result)
      return result
    }
    let code = errno
    if code != EAGAIN && code != EINTR && code != ENOBUFS {
      markClosed(.failed(SystemError(.send, code: code)))
    }
    return 0
  }

  // MARK: - Late writes

  /// Asks for a flush at the end of this turn.
  func markDirty() {
    guard flags.isDisjoint(with: [.dirty, .blocked, .connecting, .closed]) else { return }
    flags.insert(.dirty)
    loop.dirty.append(self)
  }

  /// The loop's late write of this connection.
  func writeLate() {
    flags.remove(.dirty)
    if flags.isDisjoint(with: [.blocked, .closed]) { flush() }
  }

  /// Writes what the kernel takes, up to the turn's budget. Not while blocked.
  func flush() {
    guard flags.isDisjoint(with: [.connecting, .closed]) else { return }
    let didFinish = filterState.map { flushFiltered($0) } ?? flushPlain()
    guard !flags.contains(.closed) else { return }
    if !didFinish {
      flags.insert(.blocked)
    }
    if unsentBytes > 0 {
      if !flags.contains(.owesDrained) { lastProgress = loop.now }
      flags.insert(.owesDrained)
    }
    updateEvents()
    if unsentBytes == 0 { flushed() }
  }

  /// Everything is with the kernel.
  private func flushed() {
    if flags.contains(.closing) { return shutOutput() }
    if let countedClient, countedClient.endsWhenSent { endCountForClient() }
    guard flags.contains(.owesDrained) else { return }
    flags.remove(.owesDrained)
    handler?.drained(self)
  }

  /// False when bytes are left, be it that the kernel took less or that the budget is used up: either way the
  /// kernel says when to go on.
  private func flushPlain() -> Bool {
    var budget = loop.configuration.writeBytesPerTurn
    while !queue.isEmpty {
      guard budget > 0 else { return false }
      let (count, offered) = queue.describe(
        to: loop.vectors, maximum: EventLoop.vectorsMaximum, byteLimit: budget)
      let sent = sendDescribed(count, bytes: offered)
      guard !flags.contains(.closed) else { return false }
      dropQueued(sent)
      if sent < offered { return false }
      budget -= sent
    }
    return true
  }

  /// Offers the kernel what `loop.vectors` describes, and says what it took. A few small pieces cost less in one piece
  /// than the list of them does.
  private func sendDescribed(_ count: Int, bytes: Int) -> Int {
    if count > 1, bytes > loop.smallBuffer.count {
      return account(for: loop.systemCalls.sendMany(descriptor, loop.vectors, count))
    }
    return send(inOnePiece(count, bytes: bytes, scratch: loop.smallBuffer))
  }

  /// The bytes that the first `count` of `loop.vectors` describe.
  private func inOnePiece(
    _ count: Int, bytes: Int, scratch: UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    if count == 1 { return UnsafeRawBufferPointer(start: loop.vectors[0].iov_base, count: bytes) }
    var offset = 0
    for vector in UnsafeBufferPointer(start: loop.vectors, count: count) {
      let chunk = UnsafeRawBufferPointer(start: vector.iov_base, count: vector.iov_len)
      UnsafeMutableRawBufferPointer(rebasing: scratch[offset...]).copyMemory(from: chunk)
      offset += vector.iov_len
    }
    return UnsafeRawBufferPointer(rebasing: scratch[..<bytes])
  }

  private func dropQueued(_ count: Int) {
    guard count > 0 else { return }
    queue.drop(count, spare: &loop.spareQueues)
    unsentBytes -= count
    lastProgress = loop.now
  }

  // MARK: - Filtered writes

  /// Like ``flushPlain()``; plain bytes that wait for the filter to be established don't count as left.
  private func flushFiltered(_ state: FilterState) -> Bool {
    var budget = loop.configuration.writeBytesPerTurn
    while true {
      if !state.outbound.isEmpty {
        guard budget > 0 else { return false }
        let offered = state.unsent
        let sent = state.outbound.withUnsafeBytes {
          send(UnsafeRawBufferPointer(rebasing: $0[state.offset...]))
        }
        guard !flags.contains(.closed) else { return false }
        state.drop(sent)
        unsentBytes -= sent
        if sent > 0 { lastProgress = loop.now }
        if sent < offered { return false }
        budget -= sent
        // What there was has been taken: more can only come of what is queued, or of the end.
        if queue.isEmpty, !flags.contains(.closing) { return true }
      }
      guard fillOutbound(state) else { return true }
    }
  }

  /// Runs the turn's plain bytes through the filter, gathered. False when nothing came out.
  private func fillOutbound(_ state: FilterState) -> Bool {
    if !queue.isEmpty, state.filter.isEstablished, !flags.contains(.filterFailed) {
      do {
        try gather { (bytes) throws(FilterError) in try state.filter.writePlain(bytes) }
      } catch {
        failFilter(error)
      }
    }
    if flags.contains(.closing), queue.isEmpty, !flags.contains(.filterFailed), !state.saidEnd {
      state.saidEnd = true
      // Nothing is lost when a dying filter can't say goodbye.
      try? state.filter.endOutput()
    }
    state.outbound = state.filter.takeOutbound()
    unsentBytes += state.outbound.count
    return !state.outbound.isEmpty
  }

  /// Moves the front of the queue into one piece of memory and hands it to `body`: a TLS record for each 16 KiB,
  /// not for each frame. The memory is the loop's: what is flushed while a handler still holds plain bytes there
  /// (``sendNow(_:)``) is alone in the queue, and not moved.
  private func gather(_ body: (UnsafeRawBufferPointer) throws(FilterError) -> Void) throws(FilterError) {
    let scratch = loop.plainBuffer
    let (count, bytes) = queue.describe(
      to: loop.vectors, maximum: EventLoop.vectorsMaximum, byteLimit: scratch.count)
    try body(inOnePiece(count, bytes: bytes, scratch: scratch))
    queue.drop(bytes, spare: &loop.spareQueues)
    unsentBytes -= bytes
  }
}
