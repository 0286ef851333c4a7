import EventLoop
import WebSocket

extension PushClient {
  /// Arms the one timer for whatever comes first.
  func scheduleLiveness() {
    guard !isClosed else { return }
    shard.loop.cancel(livenessTimer)
    var deadline = nextPing
    isWatchedForSlowness = connection.unsentBytes > 0
    if isWatchedForSlowness {
      // What was queued in this turn only begins to wait: `lastProgress` may be of long ago.
      let since = lastQueued == shard.loop.now ? lastQueued : connection.lastProgress
      deadline = min(deadline, since + shard.settings.slowTimeout)
    } else if let pongDeadline {
      deadline = min(deadline, pongDeadline)
    }
    livenessTimer = shard.loop.schedule(at: deadline, self, tag: TimerTag.liveness.rawValue)
  }

  /// Something was left over: from now on the next ping is not soon enough to look.
  func watchForSlowness() {
    if !isWatchedForSlowness { scheduleLiveness() }
  }

  func checkLiveness(now: LoopInstant) {
    if connection.unsentBytes > 0, lastQueued == now {
      // Queued in this very turn: the kernel has not had a chance to take it. The next turn shows.
      livenessTimer = shard.loop.schedule(
        after: .milliseconds(1), self, tag: TimerTag.liveness.rawValue)
      return
    }
    if connection.unsentBytes > 0 {
      // While anything is unsent only slowness counts: a pong can't come before what it answers was taken.
      pongDeadline = nil
      if now >= connection.lastProgress + shard.settings.slowTimeout {
        shard.statistics.closedSlow += 1
        return close(.slow, reason: "nothing was taken for too long")
      }
      if now >= nextPing { nextPing = now + shard.settings.pingInterval }
    } else {
      if let deadline = pongDeadline, now >= deadline {
        shard.statistics.closedNoPong += 1
        return close(.noPong, reason: "no pong")
      }
      if now >= nextPing { ping(now: now) }
    }
    scheduleLiveness()
  }

  private func ping(now: LoopInstant) {
    settle(sendsNow: false)
    if now - shard.clients.slots[index].lastSent >= shard.settings.pingInterval, debts.isEmpty,
      mode != .lagging
    {
      write(
        mode == .live ? shard.heartbeat() : Replies.heartbeat(epoch: shard.epoch, revision: cursor))
    }
    nextPing = now + shard.settings.pingInterval
    probe(now: now)
  }
}
