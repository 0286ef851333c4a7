import CLinux
import Glibc

extension EventLoop {
  /// The body of the loop's thread.
  func runThread() {
    clinux_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
    _ = name.withCString { clinux_set_thread_name($0) }
    now = .current()
    if configuration.reportsMetrics { startReporting() }
    while state.load(ordering: .acquiring) == .running { turn() }
    shutDown()
    state.store(.stopped, ordering: .sequentiallyConsistent)
    clinux_set_current_loop(nil)
  }

  /// One turn. Waits for an event, unless there is work left over.
  func turn() {
    let count = waitForEvents()
    now = .current()
    let begin = now
    statistics.turns &+= 1
    statistics.wakeUps = wakeUps.load(ordering: .relaxed)
    for index in 0..<count { dispatch(events[index]) }
    runResumed()
    runMessages(maximum: configuration.messagesPerTurn)
    fireTimers()
    for hook in turnEndHooks { hook() }
    writeLate()
    reap()
    let duration = LoopInstant.current() - begin
    if duration > statistics.longestTurn { statistics.longestTurn = duration }
  }

  private var hasLeftovers: Bool {
    messagesDone < messages.count || !dirty.isEmpty || !closing.isEmpty || !resumed.isEmpty || wheel.hasDue
  }

  private func waitForEvents() -> Int {
    let timeout = hasLeftovers ? 0 : millisecondsToNextTimer()
    let mayWait = timeout != 0 && mailbox.prepareToSleep()
    let count = epoll_wait(
      epollDescriptor, events, Int32(configuration.eventsPerTurn), mayWait ? timeout : 0)
    if mayWait { mailbox.wokeUp() }
    // The only error that can come is EINTR: a turn without events.
    return max(0, Int(count))
  }

  /// -1 for no timer. Rounded up: waking early would spin until the tick.
  private func millisecondsToNextTimer() -> Int32 {
    guard let deadline = wheel.nextWakeUp else { return -1 }
    let current = LoopInstant.current()
    guard deadline > current else { return 0 }
    let nanoseconds = deadline.nanoseconds - current.nanoseconds
    return Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1))
  }

  @inline(__always) private func dispatch(_ event: epoll_event) {
    let tag = event.data.u64
    if tag >> 32 != 0 {
      connections[ConnectionID(rawValue: tag)]?.handle(event.events)
    } else if tag != 0 {
      sources[UInt32(truncatingIfNeeded: tag)]?.ready()
    }
  }

  private func runResumed() {
    guard !resumed.isEmpty else { return }
    var batch: ContiguousArray<Connection> = []
    swap(&batch, &resumed)
    for connection in batch { connection.readFiltered() }
  }

  private func runMessages(maximum: Int) {
    mailbox.take(into: &messages)
    statistics.mailboxDepth = messages.count - messagesDone
    // Only what is here now, and not all of it: a call that posts itself must not hold the turn.
    let end = messagesDone + min(messages.count - messagesDone, maximum)
    statistics.messages &+= UInt64(end - messagesDone)
    while messagesDone < end {
      let message = messages[messagesDone]
      messages[messagesDone] = .done
      messagesDone += 1
      run(message)
    }
    guard messagesDone == messages.count else {
      // Under a steady load the batch may never be emptied: don't let the done part grow.
      if messagesDone >= 4 * configuration.messagesPerTurn {
        messages.removeFirst(messagesDone)
        messagesDone = 0
      }
      return
    }
    let hasGrown = messages.capacity > 4 * configuration.messagesPerTurn
    messages.removeAll(keepingCapacity: !hasGrown)
    messagesDone = 0
  }

  private func fireTimers() {
    wheel.advance(to: now)
    var left = configuration.timersPerTurn
    while left > 0, let due = wheel.popDue() {
      left -= 1
      statistics.timersFired &+= 1
      due.target.timerFired(tag: due.tag, now: now)
    }
  }

  private func writeLate() {
    guard !dirty.isEmpty else { return }
    let count = dirty.count
    for index in 0..<count { dirty[index].writeLate() }
    // What became dirty meanwhile (a handler that was told `drained`) goes with the next turn.
    if dirty.count == count {
      dirty.removeAll(keepingCapacity: count <= 4_096)
    } else {
      dirty.removeFirst(count)
    }
  }

  private func reap() {
    guard !closing.isEmpty else { return }
    var batch: ContiguousArray<Connection> = []
    swap(&batch, &closing)
    for connection in batch { connection.reap() }
  }

  // MARK: - End

  /// Closes everything and runs what was posted, so that nobody waits for an answer that can't come.
  private func shutDown() {
    // A handler may answer `closed` by posting or by connecting again; it can't do so for ever.
    for _ in 0..<64 {
      for source in Array(sources.values) { source.close() }
      for connection in connections.all { connection.markClosed(.stopped) }
      reap()
      runMessages(maximum: .max)
      if connections.count == 0, closing.isEmpty, messages.isEmpty { break }
    }
    mailbox.close(into: &messages)
    for _ in 0..<64 where messagesDone < messages.count { runMessages(maximum: .max) }
    messages.removeAll()
    messagesDone = 0
    dirty.removeAll()
    turnEndHooks.removeAll()
    reporter?.report(self)
    wheel = TimerWheel(start: now)
  }
}
