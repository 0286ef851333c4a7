// From where a client may resume. Pure: told what is sent and received, asked what to subscribe.
//
// The rule: resume from the `rev` of the last heartbeat, or of a data frame after it, those wallets and tokens that were
// subscribed without a break since, and whose latest snapshot was complete (not `loading`) and followed by a heartbeat;
// subscribe the others without `since`; after a change of epoch everything is new.
//
// Theory of operation. One cursor belongs to the connection. An entry (a wallet or a token) is
//   live       covered by the connection's cursor;
//   resumable  not covered yet on this connection, but with the revision an earlier one left off at (`resume`);
//   new        neither: it needs a snapshot.
// A heartbeat makes every confirmed and complete entry live. When the connection ends, live entries take its cursor
// along. Between a subscribe and its heartbeat, and while the server conflates (`lag`), data frames do not move the
// cursor: a catch-up brings newer revisions of some entries before older ones of others. An older cursor only repeats
// absolute values, which does no harm.
//
// Without a WebSocket each wallet has a stream of its own, and a cursor that comes with its frames. Then the epoch is not
// known before the first answer, entries are never live, and each holds its own `resume`.

import Ethereum
import Ledger

struct ResumeTracker: Sendable {
  private struct Entry {
    /// The server's `ok` on this connection named it.
    var isConfirmed = false
    /// Its rows are all here, or follow before the next heartbeat.
    var isComplete = false
    var isLive = false
    var resume: Cursor?
  }

  private var entries: [WatchedKey: Entry] = [:]
  /// The connection's; nil: not known.
  private var epoch: String?
  private var cursor: Revision?
  private var isLagging = false
  /// Subscribes that were sent and not answered.
  private var unanswered = 0
  /// Some were answered, and the heartbeat is still to come.
  private var isUnsettled = false

  /// What is wished for, whatever became of it.
  var keys: some Collection<WatchedKey> { entries.keys }

  func contains(_ key: WatchedKey) -> Bool { entries[key] != nil }

  mutating func add(_ key: WatchedKey) {
    if entries[key] == nil { entries[key] = Entry() }
  }

  mutating func remove(_ key: WatchedKey) { entries[key] = nil }

  // MARK: - Connections

  /// After `hello`. A connection's epoch never changes; another one voids what was held. Nil: it is not known yet.
  mutating func connected(epoch: String?) {
    self.epoch = epoch
    cursor = nil
    isLagging = false
    unanswered = 0
    isUnsettled = false
    for key in entries.keys {
      entries[key]?.isConfirmed = false
      entries[key]?.isLive = false
      if let epoch, entries[key]?.resume?.epoch != epoch { entries[key]?.resume = nil }
    }
  }

  /// Live entries take the connection's cursor along.
  mutating func disconnected() {
    for (key, entry) in entries {
      if entry.isLive, let epoch, let cursor { entries[key]?.resume = Cursor(epoch: epoch, revision: cursor) }
      entries[key]?.isLive = false
      entries[key]?.isConfirmed = false
    }
  }

  /// The subscribes that a new connection needs, those that resume first.
  ///
  /// One `since` serves all that resume: the oldest, since the rest then only hear again what they know.
  /// - Parameter keysPerMessage: 1 or more.
  func plan(keysPerMessage: Int) -> [SubscribeMessage] {
    var resuming: [WatchedKey] = []
    var fresh: [WatchedKey] = []
    var oldest: Cursor?
    for (key, entry) in entries {
      if let resume = entry.resume {
        resuming.append(key)
        if resume.revision < oldest?.revision ?? .max { oldest = resume }
      } else {
        fresh.append(key)
      }
    }
    let since = oldest?.description
    return SubscribeMessage.messages(for: resuming, since: since, keysPerMessage: keysPerMessage)
      + SubscribeMessage.messages(for: fresh, since: nil, keysPerMessage: keysPerMessage)
  }

  /// The same where each wallet has a stream of its own: a message each, with its own cursor.
  func planEach() -> [SubscribeMessage] {
    entries.keys.sorted { $0.description < $1.description }.flatMap { key in
      SubscribeMessage.messages(for: [key], since: entries[key]?.resume?.description, keysPerMessage: 1)
    }
  }

  // MARK: - Subscribing

  mutating func subscribeSent() { unanswered += 1 }

  /// The direct reply was an error: nothing was subscribed.
  mutating func subscribeRefused() { unanswered = max(0, unanswered - 1) }

  /// The direct reply was `ok`.
  mutating func subscribeAnswered(_ keys: some Sequence<WatchedKey>, isResumed: Bool) {
    unanswered = max(0, unanswered - 1)
    isUnsettled = true
    for key in keys {
      guard var entry = entries[key] else { continue }
      entry.isConfirmed = true
      if isResumed {
        entry.isComplete = true
      } else {
        entry.isLive = false
        entry.resume = nil
        // A token has no snapshot: its one price frame comes before the heartbeat.
        if case .token = key { entry.isComplete = true } else { entry.isComplete = false }
      }
      entries[key] = entry
    }
  }

  // MARK: - Frames

  /// Every message of the server comes by here; those that say nothing about resuming change nothing.
  mutating func receive(_ frame: ServerFrame) {
    switch frame {
    case .heartbeat(let revision): heartbeat(revision)
    case .lag: isLagging = true
    case .snapshot(let snapshot): take(snapshot)
    case .batch(let frames): for frame in frames { advance(to: frame.dataRevision) }
    case .price, .balance, .token: advance(to: frame.dataRevision)
    case .hello, .ok, .pong, .error, .status, .reconnect, .other: break
    }
  }

  /// A frame of the wallet's own stream; `cursor`: what may be resumed from after it.
  mutating func receive(_ frame: ServerFrame, of wallet: WalletKey, _ cursor: Cursor?) {
    if case .snapshot(let snapshot) = frame { take(snapshot) }
    let key = WatchedKey.wallet(wallet)
    if let cursor, entries[key]?.isComplete == true { entries[key]?.resume = cursor }
  }

  private mutating func heartbeat(_ revision: Revision) {
    cursor = revision
    isLagging = false
    isUnsettled = false
    for (key, entry) in entries where entry.isConfirmed && entry.isComplete {
      entries[key]?.isLive = true
      entries[key]?.resume = nil
    }
  }

  /// From part 1 on the wallet's rows are the snapshot's. They count once it is whole and a heartbeat came.
  private mutating func take(_ snapshot: SnapshotFrame) {
    let key = WatchedKey.wallet(snapshot.wallet)
    guard entries[key] != nil else { return }
    entries[key]?.isLive = false
    entries[key]?.resume = nil
    entries[key]?.isComplete = snapshot.isLast && snapshot.state != .loading
  }

  private mutating func advance(to revision: Revision?) {
    guard let revision, let cursor, !isLagging, unanswered == 0, !isUnsettled else { return }
    self.cursor = max(cursor, revision)
  }
}

extension SubscribeMessage {
  /// Cut so that each message stays below what the server takes; wallets and tokens in messages of their own.
  static func messages(for keys: [WatchedKey], since: String?, keysPerMessage: Int) -> [SubscribeMessage] {
    var wallets: [WalletKey] = []
    var tokens: [TokenKey] = []
    for key in keys {
      switch key {
      case .wallet(let key): wallets.append(key)
      case .token(let key): tokens.append(key)
      }
    }
    return wallets.sorted().pieces(of: keysPerMessage).map { SubscribeMessage(wallets: $0, since: since) }
      + tokens.sorted().pieces(of: keysPerMessage).map { SubscribeMessage(tokens: $0, since: since) }
  }

  var keys: [WatchedKey] { wallets.map(WatchedKey.wallet) + tokens.map(WatchedKey.token) }
}

extension Array {
  /// Slices of at most `count` elements, which is 1 or more.
  func pieces(of count: Int) -> [[Element]] {
    stride(from: 0, to: self.count, by: Swift.max(count, 1)).map {
      Array(self[$0..<Swift.min($0 + Swift.max(count, 1), self.count)])
    }
  }
}
