import CLinux
import Glibc

extension Connection {
  /// No more `received` until ``resumeReading()``; the kernel's buffer fills, and then the peer has to wait.
  public func pauseReading() {
    loop.assertCurrent()
    guard !flags.contains(.readPaused) else { return }
    flags.insert(.readPaused)
    updateEvents()
  }

  public func resumeReading() {
    loop.assertCurrent()
    guard flags.contains(.readPaused) else { return }
    flags.remove(.readPaused)
    updateEvents()
    // The socket may be silent while the filter holds plain bytes that nobody has taken.
    if filterState != nil, !flags.contains(.resuming), isOpen {
      flags.insert(.resuming)
      loop.resumed.append(self)
    }
  }

  public var isReadingPaused: Bool { flags.contains(.readPaused) }

  /// One read, whatever is there. False when there was nothing to read; then an error, if there is one, is
  /// for the caller to find.
  func read() -> Bool {
    let buffer = loop.readBuffer
    guard let base = buffer.baseAddress else { return false }
    let count = loop.systemCalls.receive(descriptor, base, buffer.count)
    if count > 0 {
      loop.statistics.bytesIn &+= UInt64(count)
      take(UnsafeMutableRawBufferPointer(start: base, count: count))
      return true
    }
    if count == 0 {
      endInput()
      return true
    }
    let code = errno
    if code == EAGAIN || code == EINTR { return false }
    markClosed(.failed(SystemError(.receive, code: code)))
    return true
  }

  private func take(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let state = filterState else {
      // While closing, input is read only so that the kernel doesn't answer it with a reset.
      if isOpen { handler?.received(bytes, on: self) }
      return
    }
    // A filter that has to be established before what is queued can go out still needs to hear its peer.
    let isWaitedFor = !queue.isEmpty && !state.filter.isEstablished && !flags.contains(.filterFailed)
    guard isOpen || isWaitedFor else { return }
    do {
      try state.receive(UnsafeRawBufferPointer(bytes))
    } catch {
      return failFilter(error)
    }
    readFiltered()
  }

  /// End of file on the socket.
  private func endInput() {
    guard !flags.contains(.inputEnded) else { return }
    if isOpen, let state = filterState {
      do { try state.filter.inputEnded() } catch { return failFilter(error, inputEnded: true) }
    }
    finishInput()
  }

  /// From here on the connection is one-way.
  func finishInput() {
    guard !flags.contains(.inputEnded) else { return }
    flags.insert(.inputEnded)
    // End of file stays readable for ever: disarm, or the loop spins.
    updateEvents()
    if flags.contains(.lingering) { return markClosed(closeReason) }
    if isOpen { handler?.inputEnded(on: self) }
  }
}
