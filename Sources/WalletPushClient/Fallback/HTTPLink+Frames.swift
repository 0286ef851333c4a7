import Ethereum
import HTTP1
import JSON
import Ledger

/// What comes for a wallet.
extension HTTPLink {
  mutating func streamBegan(_ key: WalletKey, _ head: HTTPHead, _ now: Instant) {
    guard head.contentType.lowercased().hasPrefix("text/event-stream") else {
      return unusable("no event stream")
    }
    let cursor = feeds[key]?.cursor?.description ?? ""
    let parser = ServerSentEventParser(eventBytesMax: limits.messageBytes, lastEventID: cursor)
    feeds[key]?.parser = parser
    feeds[key]?.deadline = now + Self.firstEventTimeout
  }

  mutating func streamed(_ key: WalletKey, _ bytes: [UInt8], _ now: Instant) {
    guard var parser = feeds[key]?.parser else { return }
    let before = parser.lastEventID
    var events: [ServerSentEventParser.Event] = []
    do {
      try bytes.withUnsafeBytes { raw in
        var input = raw
        while let event = try parser.next(&input) { events.append(event) }
      }
    } catch {
      return over(
        End(reason: "an event of more than \(limits.messageBytes) bytes", retry: feeds[key]?.retry))
    }
    feeds[key]?.parser = parser
    feeds[key]?.hasBytes = true
    take(events, after: before, of: key)
    if let feed = feeds[key] { feeds[key]?.deadline = now + feed.silence }
  }

  /// - Parameter lastID: the one in force before these events. Only an event that brings another one has a cursor.
  private mutating func take(_ events: [ServerSentEventParser.Event], after lastID: String, of key: WalletKey)
  {
    var lastID = lastID
    for event in events where feeds[key] != nil {
      switch event {
      case .comment: break
      case .retry(let milliseconds): feeds[key]?.retry = .milliseconds(min(milliseconds, 86_400_000))
      case .message(_, let data, let id):
        let cursor = id == lastID ? nil : Cursor(id)
        lastID = id
        if let frame = try? ServerFrame(parsing: Array(data.utf8)) { take(frame, cursor, of: key) }
      }
    }
  }

  mutating func streamFinished(_ key: WalletKey, _ head: HTTPHead, _ body: [UInt8]) {
    guard head.isSuccess else { return refused(key, head, body) }
    over(End(reason: "the stream ended", retry: feeds[key]?.retry))
  }

  /// A frame of the wallet's own order; `cursor`: where one may resume from after it.
  mutating func take(_ frame: ServerFrame, _ cursor: Cursor?, of key: WalletKey) {
    guard feeds[key] != nil else { return }
    wasAccepted = true
    switch frame {
    case .hello(let greeting):
      let silence = greeting.pingInterval * 2 + grace
      feeds[key]?.silence = silence
      return
    case .ok(let accepted):
      reply(accepted, of: key)
      if accepted.wallets.isEmpty { unwatch(key) }
      return
    // A stream can't close with 4101 when the token ends.
    case .error(_, let refusal) where refusal.code == "unauthorized": return unauthorized(refusal.message)
    case .pong, .error, .snapshot, .price, .balance, .token, .batch, .status, .heartbeat, .lag, .reconnect,
      .other:
      break
    }
    reply(AcceptedFrame(wallets: [key], isResumed: feeds[key]?.cursor == nil ? nil : true), of: key)
    if let cursor { feeds[key]?.cursor = cursor }
    say(frame, .stream(key, cursor: cursor))
    if case .status(.deleted) = frame { unwatch(key) }
  }

  /// To its subscribe, once.
  private mutating func reply(_ accepted: AcceptedFrame, of key: WalletKey) {
    guard let id = feeds[key]?.subscribeID else { return }
    feeds[key]?.subscribeID = nil
    var accepted = accepted
    accepted.id = id
    say(.ok(accepted), .stream(key, cursor: nil))
  }
}
