import CLinux
import Glibc

extension Connection: TimerTarget {
  /// Closes the connection; the handler hears nothing more but `closed`, with this reason, at the end of a
  /// turn.
  ///
  /// With `afterFlush`, everything queued is sent first. Then our side is shut, and the connection stays for
  /// a moment, reading and discarding, until the peer ends its own side or
  /// ``EventLoopConfiguration/lingerTimeout`` has passed: closing a socket with unread input resets it, and
  /// the reset would overtake the last bytes. Input is discarded from here on.
  ///
  /// A second close changes nothing, except that one without `afterFlush` cuts a waiting one short.
  public func close(_ reason: CloseReason, afterFlush: Bool) {
    loop.assertCurrent()
    guard afterFlush, !flags.contains(.connecting) else { return markClosed(isOpen ? reason : closeReason) }
    guard isOpen else { return }
    flags.insert(.closing)
    closeReason = reason
    closeTimer = loop.schedule(after: loop.configuration.flushTimeout, self, tag: 0)
    updateEvents()
    markDirty()
  }

  /// Closes at once and drops what is unsent. The peer sees a reset.
  public func abort(_ reason: CloseReason = .requested) {
    loop.assertCurrent()
    guard !flags.contains(.closed) else { return }
    if descriptor >= 0 {
      // SO_LINGER with no time: close(2) resets instead of sending on from the kernel's buffer.
      var option = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
    markClosed(isOpen ? reason : closeReason)
  }

  /// Marks the connection for the end of the turn. The first reason counts.
  func markClosed(_ reason: CloseReason) {
    guard !flags.contains(.closed) else { return }
    if !flags.contains(.closing) { closeReason = reason }
    flags.insert(.closed)
    loop.closing.append(self)
  }

  /// Everything is sent: say so, and wait for the peer to do the same.
  func shutOutput() {
    guard flags.isDisjoint(with: [.lingering, .closed]) else { return }
    _ = loop.cancel(closeTimer)
    guard shutdown(descriptor, Int32(SHUT_WR)) == 0, !flags.contains(.inputEnded) else {
      return markClosed(closeReason)
    }
    flags.insert(.lingering)
    closeTimer = loop.schedule(after: loop.configuration.lingerTimeout, self, tag: 0)
  }

  /// The deadline of a close after flush.
  public func timerFired(tag: UInt64, now: LoopInstant) {
    closeTimer = .none
    let deadline = lastProgress + loop.configuration.flushTimeout
    guard !flags.contains(.lingering), unsentBytes > 0, deadline > now else { return markClosed(closeReason) }
    closeTimer = loop.schedule(at: deadline, self, tag: 0)
  }

  /// The end: only the loop calls this, at its safe point.
  func reap() {
    if descriptor >= 0 {
      // Closing takes it out of the epoll set too: no other descriptor shares the socket.
      _ = Glibc.close(descriptor)
      descriptor = -1
    }
    _ = loop.cancel(closeTimer)
    queue.removeAll(spare: &loop.spareQueues)
    unsentBytes = 0
    filterState = nil
    loop.connections.remove(id)
    loop.statistics.connectionsOpen -= 1
    if !flags.contains(.outgoing) { leaveBudget() }
    let handler = handler
    handler?.closed(self, reason: closeReason)
    self.handler = nil
  }
}
