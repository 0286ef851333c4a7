import Ethereum
import JSON

/// Other transports than WebSocket, and the way back to it.
extension ClientMachine {
  /// That of the ladder's rung.
  mutating func tryTransport(_ now: Instant) {
    phase = .connecting(until: now + options.times.greeting)
    if ladder.kind == .webSocket { return act(.connect) }
    link = HTTPLink(
      ladder.kind, limits: options.limits, grace: options.times.grace, lastRequest: lastRequest)
  }

  mutating func worked(_ now: Instant, _ random: UInt64) {
    ladder.worked()
    recoverAt = ladder.nextRecovery(random: random).map { now + $0 }
  }

  /// What replaces a WebSocket is ended by `leave`.
  mutating func hangUp() {
    if link == nil { act(.disconnect) }
  }

  mutating func leaveLink() {
    recoverAt = nil
    if besideUntil != nil { act(.disconnectBeside) }
    besideUntil = nil
    guard var link = link.take() else { return }
    link.close()
    lastRequest = link.lastRequest
    // Of what it still wanted only what was begun needs an end.
    for case .cancel(let id) in link.takeOutputs() { act(.cancel(id)) }
  }

  // MARK: - Answers

  mutating func answered(_ id: RequestID, _ head: HTTPHead, now: Instant, random: UInt64) {
    link?.answered(id, head, now: now)
    settle(now, random)
  }

  mutating func receivedBody(_ id: RequestID, _ bytes: [UInt8], now: Instant, random: UInt64) {
    link?.received(id, bytes, now: now)
    settle(now, random)
  }

  mutating func finished(_ id: RequestID, now: Instant, random: UInt64) {
    link?.finished(id, now: now)
    settle(now, random)
  }

  mutating func failed(_ id: RequestID, _ failure: HTTPFailure, now: Instant, random: UInt64) {
    link?.failed(id, failure)
    settle(now, random)
  }

  /// Carries out what the link wants, and what comes of that.
  private mutating func settle(_ now: Instant, _ random: UInt64) {
    while let outputs = link?.takeOutputs(), !outputs.isEmpty {
      for output in outputs {
        switch output {
        case .request(let id, let call): act(.request(id, call))
        case .cancel(let id): act(.cancel(id))
        case .frame(let frame, let origin): received(frame, origin, now: now, random: random)
        }
      }
    }
    guard let end = link?.end else { return }
    lost(
      code: end.code, reason: end.reason, retry: end.retry, isUnusable: end.isUnusable, now: now,
      random: random)
    settle(now, random)
  }

  // MARK: - The WebSocket beside

  mutating func recover(_ now: Instant) {
    recoverAt = nil
    besideUntil = now + options.times.greeting
    act(.connectBeside)
  }

  /// The greeting: what replaced the WebSocket goes, and its cursors serve.
  mutating func receivedBeside(_ bytes: [UInt8], now: Instant, random: UInt64) {
    guard besideUntil != nil, case .hello(let greeting)? = try? ServerFrame(parsing: bytes) else { return }
    besideUntil = nil
    leave()
    act(.takeOver)
    ladder.tookOver()
    greeted(greeting, now, random)
  }

  mutating func lostBeside(now: Instant, random: UInt64) {
    guard besideUntil != nil else { return }
    besideUntil = nil
    recoverAt = ladder.nextRecovery(random: random).map { now + $0 }
  }

  // MARK: - Time

  func liveDeadline(_ live: Live) -> Instant {
    // What the link wants is done at once.
    if link?.hasOutputs == true { return live.since }
    let silence = link == nil ? silenceDeadline(live) : nil
    let all = [silence, link?.deadline, recoverAt, besideUntil, retries.map { $0.at }.min()].compactMap(
      \.self)
    return all.min() ?? live.since + .seconds(86_400)
  }

  mutating func ladderTimeout(_ now: Instant, _ random: UInt64) {
    if let besideUntil, now >= besideUntil {
      act(.disconnectBeside)
      lostBeside(now: now, random: random)
    }
    if let recoverAt, now >= recoverAt { recover(now) }
    link?.timeoutReached(now: now)
    settle(now, random)
  }
}
