import Ethereum
import HTTP1
import JSON
import Ledger

/// Which wallets hold a request, and which go round.
extension HTTPLink {
  /// One wallet a message: each has its own reply, with its first frame. Tokens alone have no stream.
  mutating func subscribe(_ message: SubscribeMessage, _ id: Int) {
    guard let wallet = message.wallets.first else { return say(.ok(AcceptedFrame(id: id))) }
    unwatch(wallet)
    order.append(wallet)
    feeds[wallet] = HTTPFeed(
      wallet: wallet, subscribeID: id, cursor: message.since.flatMap { Cursor($0) },
      silence: .seconds(2 * Self.pollWait) + grace)
    assign()
  }

  mutating func unwatch(_ key: WalletKey) {
    guard let feed = feeds.removeValue(forKey: key) else { return }
    order.removeAll { $0 == key }
    queue.removeAll { $0 == key }
    if let request = feed.request { cancel(request) }
    if asked == key { asked = nil }
    assign()
  }

  /// The first wallets hold a request each.
  private mutating func assign() {
    for key in order.prefix(Self.heldMax) where feeds[key]?.isHeld == false {
      feeds[key]?.isHeld = true
      queue.removeAll { $0 == key }
      // What is under way of it is waited for.
      if asked == key { asked = nil }
      if feeds[key]?.request == nil { goOn(key) }
    }
    goRound()
  }

  /// The next request of a wallet that holds one.
  private mutating func goOn(_ key: WalletKey) {
    feeds[key]?.deadline = nil
    if kind == .eventStream { stream(key) } else { poll(key, wait: Self.pollWait) }
  }

  private mutating func stream(_ key: WalletKey) {
    guard let feed = feeds[key] else { return }
    var headers = ["Accept": "text/event-stream"]
    if let cursor = feed.cursor { headers["Last-Event-ID"] = cursor.description }
    let id = request(
      .stream(key),
      HTTPCall(
        target: "\(Self.path(key))/stream", headers: headers, timeout: Self.firstEventTimeout, isStream: true)
    )
    feeds[key]?.request = id
  }

  /// The first one does not wait.
  private mutating func poll(_ key: WalletKey, wait: Int) {
    guard let feed = feeds[key] else { return }
    let wait = feed.isAnswered ? wait : 0
    let since = feed.cursor.map { "&since=\($0)" } ?? ""
    let id = request(
      .poll(key),
      HTTPCall(
        target: "\(Self.path(key))/changes?wait=\(wait)\(since)", timeout: .seconds(wait + Self.pollGrace)))
    feeds[key]?.request = id
  }

  // MARK: - The round

  /// Asks those that hold no request, one after the other, rests, and asks again. Who has had no answer yet does not
  /// wait for the next round.
  private mutating func goRound(now: Instant? = nil) {
    guard asked == nil, end == nil else { return }
    let others = order.dropFirst(Self.heldMax)
    guard !others.isEmpty else {
      queue.removeAll()
      return roundAt = nil
    }
    let fresh = others.first { feeds[$0]?.isAnswered == false }
    if fresh == nil, queue.isEmpty {
      if let now { return roundAt = now + Self.round }
      guard roundAt == nil else { return }
      // Who was asked is gone, or holds a request now: the round was not over.
      queue = Array(others)
    }
    guard let next = fresh ?? queue.first else { return }
    queue.removeAll { $0 == next }
    asked = next
    poll(next, wait: 0)
  }

  // MARK: - Time

  var deadline: Instant? {
    let feed = feeds.values.compactMap(\.deadline).min()
    guard let roundAt else { return feed }
    return min(roundAt, feed ?? roundAt)
  }

  mutating func timeoutReached(now: Instant) {
    if let roundAt, now >= roundAt {
      self.roundAt = nil
      queue = Array(order.dropFirst(Self.heldMax))
      goRound()
    }
    for key in order {
      guard let feed = feeds[key], let deadline = feed.deadline, now >= deadline else { continue }
      feeds[key]?.deadline = nil
      if feed.parser == nil {
        goOn(key)
      } else if feed.hasBytes {
        over(End(reason: "no sign of life", retry: feed.retry))
      } else {
        unusable("the stream is held back")
      }
    }
  }

  // MARK: - Polls

  mutating func polled(_ key: WalletKey, _ head: HTTPHead, _ body: [UInt8], _ now: Instant) {
    feeds[key]?.request = nil
    guard head.isSuccess else { return refused(key, head, body) }
    guard let value = try? JSONParser.parse(body, limits: ServerFrame.limits),
      let changes = value["changes"]?.array, let epoch = value["epoch"]?.string, let revision = value.revision
    else { return unusable("no list of changes") }
    var isNews = !changes.isEmpty
    for change in changes {
      guard let frame = ServerFrame(change) else { continue }
      if case .snapshot = frame { isNews = false }
      take(frame, nil, of: key)
    }
    take(.heartbeat(revision: revision), Cursor(epoch: epoch, revision: revision), of: key)
    guard let feed = feeds[key], end == nil else { return }
    if !feed.isHeld {
      asked = nil
      return goRound(now: now)
    }
    // A proxy may answer at once for a server that would wait. A wallet that held no request till now begins at once.
    if kind == .polling {
      feeds[key]?.deadline = now + (isNews ? Self.pause : Self.pauseIdle)
    } else {
      goOn(key)
    }
  }

  /// What is about this wallet alone is told as its refusal; all else ends the link.
  mutating func refused(_ key: WalletKey, _ head: HTTPHead, _ body: [UInt8]) {
    let answer = HTTPRefusal(head, body)
    guard answer.isOurs, [400, 403].contains(head.status) else {
      if head.status == 401 { return unauthorized(answer.refusal.message) }
      let isUnusable = head.status < 500 && ![408, 429].contains(head.status)
      return over(End(reason: answer.refusal.message, retry: answer.refusal.retry, isUnusable: isUnusable))
    }
    if let id = feeds[key]?.subscribeID {
      say(.ok(AcceptedFrame(id: id, failed: [FailedKey(key: .wallet(key), refusal: answer.refusal)])))
    } else {
      say(.status(.forbidden(key)), .stream(key, cursor: nil))
    }
    unwatch(key)
  }
}
