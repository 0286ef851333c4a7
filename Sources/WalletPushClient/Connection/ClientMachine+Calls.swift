import Ethereum
import Ledger

/// Names a call of this client: the protocol's `id`.
typealias CallID = Int

/// What a call gets.
enum Answer: Sendable {
  case done
  case list(wallets: [WalletKey], tokens: [TokenKey])
  /// A whole snapshot.
  case wallet(WalletState)
  /// The server's clock.
  case pong(UnixMilliseconds?)
}

/// What its owner asks for, and the replies.
extension ClientMachine {
  /// What an op was sent for.
  enum Purpose: Sendable {
    case subscribe([WatchedKey])
    case auth(String)
    /// Somebody waits for the answer.
    case call
    case get(WalletKey)
    /// The answer says nothing new, but that there is one.
    case probe
  }

  enum Reply: Sendable {
    case accepted(AcceptedFrame)
    case pong(UnixMilliseconds?)
  }

  /// The parts of a snapshot, and who waits for it.
  struct PendingSnapshot: Sendable {
    var wallet: WalletState
    var callers: [CallID]
  }

  // MARK: - Subscriptions

  /// Subscriptions are wishes: they outlive connections.
  mutating func subscribe(to keys: [WatchedKey]) {
    for key in keys {
      tracker.add(key)
      state.add(key)
    }
    guard live?.isAuthorized == true else { return }
    for message in SubscribeMessage.messages(for: keys, since: nil, keysPerMessage: keysPerMessage) {
      subscribe(message)
    }
  }

  /// What is known of the keys is forgotten at once.
  mutating func unsubscribe(from keys: [WatchedKey]) {
    let had = keys.filter { tracker.contains($0) }
    for key in keys {
      tracker.remove(key)
      state.remove(key)
    }
    guard live?.isAuthorized == true else { return }
    for message in SubscribeMessage.messages(for: had, since: nil, keysPerMessage: keysPerMessage) {
      send(.unsubscribe(wallets: message.wallets, tokens: message.tokens), for: .probe)
    }
  }

  mutating func subscribe(_ message: SubscribeMessage) {
    var message = message
    message.pacing = pacing
    tracker.subscribeSent()
    send(.subscribe(message), for: .subscribe(message.keys))
  }

  /// One where each wallet has a stream of its own; else far below what the server takes: a key is at most 76 bytes, with quotes and comma 79.
  var keysPerMessage: Int {
    if link != nil { return 1 }
    let bytes = live?.greeting.messageBytes ?? 65_536
    return min(500, max(1, (bytes - 256) / 80))
  }

  /// Subscribes again to what the server did not take before, where it is still wished for.
  mutating func retryDue(_ now: Instant) {
    let due = retries.filter { $0.at <= now }
    retries.removeAll { $0.at <= now }
    for (_, keys) in due {
      let wished = keys.filter { tracker.contains($0) }
      for message in SubscribeMessage.messages(for: wished, since: nil, keysPerMessage: keysPerMessage) {
        subscribe(message)
      }
    }
  }

  // MARK: - Calls

  mutating func nextCallID() -> CallID {
    lastCall += 1
    return lastCall
  }

  /// Sends an op whose `answer` comes later, or at once where it can't be sent.
  mutating func call(_ operation: Operation, id: CallID) {
    guard live?.isAuthorized == true else { return act(.answer(id, .failure(.notConnected))) }
    let waiting = calls.count + collected.values.reduce(0) { $0 + $1.callers.count }
    guard waiting < options.limits.calls else { return act(.answer(id, .failure(.tooManyCalls))) }
    guard case .get(let wallet) = operation else { return send(operation, id: id, for: .call) }
    collected[wallet, default: PendingSnapshot(wallet: WalletState(key: wallet), callers: [])].callers.append(
      id)
    send(operation, id: id, for: .get(wallet))
  }

  /// For this connection and later ones.
  mutating func set(_ newer: Pacing, id: CallID) {
    pacing = pacing.updated(by: newer)
    // The next subscribe says it.
    guard live?.isAuthorized == true else { return act(.answer(id, .success(.done))) }
    call(.set(newer), id: id)
  }

  mutating func send(_ operation: Operation, id: CallID? = nil, for purpose: Purpose) {
    let id = id ?? nextCallID()
    calls[id] = purpose
    if link == nil { act(.send(operation.message(id: id))) } else { link?.send(operation, id: id) }
  }

  mutating func failCalls() {
    for (id, purpose) in calls {
      if case .call = purpose { act(.answer(id, .failure(.disconnected))) }
    }
    for id in collected.values.flatMap(\.callers) { act(.answer(id, .failure(.disconnected))) }
    calls.removeAll()
    collected.removeAll()
  }

  // MARK: - Access tokens

  /// For this connection and later ones; nil: none.
  mutating func keep(token: String?) {
    credentials.keep(token)
    if live != nil, let token { send(.auth(token), for: .auth(token)) }
  }

  /// - Parameter token: nil: none is needed.
  mutating func tokenArrived(_ token: String?) {
    credentials.answered()
    if let token {
      keep(token: token)
    } else if credentials.token == nil {
      authorized()
    }
  }

  mutating func tokenUnavailable(_ reason: String, now: Instant, random: UInt64) {
    credentials.answered()
    notice(.access(.unavailable(reason)))
    if live?.isAuthorized == false { abandon("no access token to be had", now: now, random: random) }
  }

  // MARK: - Replies

  mutating func replied(_ id: CallID?, _ reply: Result<Reply, ServerRefusal>, _ now: Instant) {
    guard let id, let purpose = calls.removeValue(forKey: id) else {
      if case .failure(let refusal) = reply { notice(.problem(refusal)) }
      return
    }
    switch purpose {
    case .subscribe(let keys): subscribeAnswered(keys, reply, now)
    case .auth(let token): authAnswered(token, reply)
    case .call: act(.answer(id, reply.map(Answer.init).mapError(ClientError.refused)))
    case .get(let wallet): getAnswered(wallet, id, reply)
    case .probe: break
    }
  }

  private mutating func subscribeAnswered(
    _ keys: [WatchedKey], _ reply: Result<Reply, ServerRefusal>, _ now: Instant
  ) {
    switch reply {
    case .success(.accepted(let accepted)):
      let taken = accepted.wallets.map(WatchedKey.wallet) + accepted.tokens.map(WatchedKey.token)
      tracker.subscribeAnswered(taken, isResumed: accepted.isResumed == true)
      for failed in accepted.failed { subscribeFailed([failed.key], failed.refusal, now) }
      if let isResumed = accepted.isResumed { notice(.resumed(isResumed, changed: accepted.changed)) }
    case .success(.pong): tracker.subscribeRefused()
    case .failure(let refusal):
      tracker.subscribeRefused()
      if refusal.retry == nil { notice(.problem(refusal)) } else { subscribeFailed(keys, refusal, now) }
    }
  }

  /// Temporary refusals say when to ask again; with the others it is over.
  private mutating func subscribeFailed(_ keys: [WatchedKey], _ refusal: ServerRefusal, _ now: Instant) {
    guard let retry = refusal.retry else { return keys.forEach { refuse($0, refusal) } }
    // At least a moment, so that a server that always says 0 is not asked all the time.
    retries.append((now + max(retry, .milliseconds(100)), keys))
  }

  private mutating func authAnswered(_ token: String, _ reply: Result<Reply, ServerRefusal>) {
    switch reply {
    case .success:
      notice(.access(.accepted))
      authorized()
    case .failure(let refusal):
      credentials.spoiled(token)
      notice(.access(.refused(refusal)))
    }
  }

  // MARK: - Snapshots for callers

  /// The `ok` says that a snapshot follows; an error, that none does.
  private mutating func getAnswered(
    _ wallet: WalletKey, _ id: CallID, _ reply: Result<Reply, ServerRefusal>
  ) {
    guard case .failure(let refusal) = reply else { return }
    collected[wallet]?.callers.removeAll { $0 == id }
    if collected[wallet]?.callers.isEmpty == true { collected[wallet] = nil }
    act(.answer(id, .failure(.refused(refusal))))
  }

  /// Joins the parts of a snapshot somebody waits for.
  mutating func collect(_ snapshot: SnapshotFrame) {
    let room = options.limits.rows
    guard collected[snapshot.wallet]?.wallet.take(snapshot, room: room) != nil,
      snapshot.isLast, let pending = collected.removeValue(forKey: snapshot.wallet)
    else { return }
    for id in pending.callers { act(.answer(id, .success(.wallet(pending.wallet)))) }
  }
}

extension Answer {
  init(_ reply: ClientMachine.Reply) {
    switch reply {
    case .accepted(let accepted): self = .list(wallets: accepted.wallets, tokens: accepted.tokens)
    case .pong(let time): self = .pong(time)
    }
  }
}
