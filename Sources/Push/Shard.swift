// One event loop's part of the fan-out.
//
// A shard keeps copies of the cells that its clients watch and changes them only by what the ledger publishes, which
// comes through the loop's mailbox in order. So a subscription that starts between two batches misses nothing and
// gets nothing twice: it starts when its answer comes through that same mailbox.
//
// A batch is not sent, it marks. Each frame gets a bit; a changed token marks the wallets that hold it, these mark
// the clients that follow them. At the end of the turn each marked client is sent the frames of its mask in one
// call, and clients with the same mask share the gathered bytes. A client that has not taken what it was sent is
// not marked at all: it is a cursor, and catches up when it has drained (PushClient+CatchUp.swift).
//
//   Shard.swift            the tables, who comes and goes
//   Shard+Batches.swift    marking and sending
//   PushClient*.swift      one client

import EventLoop
import Ethereum
import Ledger
import Metrics
import WebSocket

/// Confined to its loop, but for what is marked as callable from anywhere.
public final class Shard: @unchecked Sendable {
  let index: Int
  public let loop: EventLoop
  let settings: PushSettings
  let refresher: any RefreshRequester
  /// nil: no tokens are asked for.
  let authenticator: (any Authenticator)?
  /// What tokens end by.
  let wallClock: () -> UnixMilliseconds
  var inbox: LedgerInbox?

  /// What the ledger calls this life of the counter.
  private(set) var epoch = ""
  /// The last revision this loop took in.
  var revision: Revision = 0 { didSet { if revision != oldValue { snapshots.removeAll() } } }

  var tokens: [TokenID: ShardToken] = [:]
  var wallets: [WalletKey: ShardWallet] = [:]
  var walletsByID: [WalletID: ShardWallet] = [:]
  var tokensByKey: [TokenKey: ShardToken] = [:]
  var clients = ClientTable()
  var walletTable = WalletTable()

  /// Operations that wait for the ledger's answer.
  var pending: [UInt64: PendingOperation] = [:]
  var nextTicket: UInt64 = 1
  /// Wallets of pending operations: the ledger already counts us as watching.
  var pendingWallets: [WalletKey: Int] = [:]
  var pendingTokens: [TokenKey: Int] = [:]

  var snapshots = SnapshotCache()
  var chunk = Chunk()
  var batches = BatchSelections()
  /// What clients that want batches are to get of the chunks of this turn before the open one.
  var batched: [Int: BatchSelections.ID] = [:]
  var touchedWallets: ContiguousArray<UInt32> = []
  var touchedClients: ContiguousArray<UInt32> = []
  /// Clients that have something to be sent, but no room for it in this turn.
  var waitingForRoom: ContiguousArray<PushClient> = []
  /// Those of the turn before.
  var dueForRoom: ContiguousArray<PushClient> = []
  var isRoomPosted = false
  /// Of the batches of this turn.
  var oldestAcceptedAt: ContinuousClock.Instant?
  /// From a change's acceptance until all who follow it have been written to: once a turn.
  let delivery = Metrics.Timer(label: "push_delivery")
  var statuses: [StatusFrame.Subject: (frame: [UInt8], isAbnormal: Bool)] = [:]
  private var heartbeatFrame: (revision: Revision, bytes: [UInt8])?
  private var helloFrame: (revision: Revision, bytes: [UInt8])?
  var stamp: UInt64 = 0
  public private(set) var isDraining = false
  public internal(set) var statistics = ShardStatistics()
  /// For clients with compression: what they share is compressed once.
  let deflatePool: DeflatePool
  public var deflateStatistics: DeflateStatistics { deflatePool.statistics }

  /// Before the loop starts.
  ///
  /// - Parameters:
  ///   - authenticator: nil: no access tokens are asked for.
  ///   - wallClock: nil: the loop's.
  public init(
    index: Int, loop: EventLoop, settings: PushSettings, refresher: any RefreshRequester,
    authenticator: (any Authenticator)? = nil, wallClock: (() -> UnixMilliseconds)? = nil
  ) {
    self.index = index
    self.loop = loop
    self.settings = settings
    self.refresher = refresher
    self.authenticator = authenticator
    self.wallClock = wallClock ?? { [unowned loop] in loop.wallClockMilliseconds }
    deflatePool = DeflatePool(settings.compression)
    loop.addTurnEndHook { [unowned self] in self.endTurn() }
  }

  /// Before the loop starts: where watchers are announced, and where the counter stands.
  public func attach(_ inbox: LedgerInbox, epoch: String, revision: Revision) {
    self.inbox = inbox
    self.epoch = epoch
    self.revision = revision
  }

  /// Takes over an upgraded connection: says hello, then acts on `?wallet=` as a subscribe without id.
  ///
  /// - Parameters:
  ///   - tokens: the access tokens of the handshake: none, or one.
  ///   - deflate: what was negotiated; nil: no compression.
  ///   - leftover: bytes that came after the request.
  public func adopt(
    _ connection: Connection, wallets: [String], tokens: [String] = [], deflate: DeflateParameters? = nil,
    leftover: UnsafeMutableRawBufferPointer
  ) {
    let client = WebSocketClient(shard: self, connection: connection, deflate: deflate)
    admit(client)
    connection.handler = client
    client.start(wallets: wallets, tokens: tokens, leftover: leftover)
  }

  func admit(_ client: PushClient) {
    clients.insert(client, now: loop.now)
    statistics.opened += 1
    if let open = client.openFigure { statistics[keyPath: open] += 1 }
  }

  func remove(_ client: PushClient) {
    guard clients.remove(client) else { return }
    batched[client.index] = nil
    statistics.closed += 1
    if let open = client.openFigure { statistics[keyPath: open] -= 1 }
  }

  /// How many clients there are now.
  public var clientCount: Int { clients.count }

  func heartbeat() -> [UInt8] {
    if let known = heartbeatFrame, known.revision == revision { return known.bytes }
    let bytes = Replies.heartbeat(epoch: epoch, revision: revision)
    heartbeatFrame = (revision, bytes)
    return bytes
  }

  /// What whoever comes is told first: the same bytes at the same revision.
  func hello() -> [UInt8] {
    if let known = helloFrame, known.revision == revision { return known.bytes }
    let bytes = Replies.hello(settings: settings, epoch: epoch, revision: revision)
    helloFrame = (revision, bytes)
    return bytes
  }

  // MARK: Tables

  func shardToken(_ cell: PriceCell) -> ShardToken {
    if let known = tokens[cell.token.id] {
      if known.cell !== cell {
        known.cell = cell
        snapshots.removeAll()
      }
      return known
    }
    let token = ShardToken(cell: cell)
    tokens[cell.token.id] = token
    tokensByKey[cell.token.key] = token
    return token
  }

  func shardWallet(_ cells: WalletCells) -> ShardWallet {
    let wallet =
      walletsByID[cells.id] ?? walletTable.insert { slot in ShardWallet(slot: slot, cells: cells) }
    snapshots.removeAll()
    walletsByID[cells.id] = wallet
    wallets[cells.key] = wallet
    wallet.update(cells) { self.knownToken($0) }
    return wallet
  }

  /// The ledger sends every token with the first row that shows it.
  private func knownToken(_ id: TokenID) -> ShardToken {
    guard let token = tokens[id] else { preconditionFailure("token \(id) came without its price cell") }
    return token
  }

  /// Forgets a wallet nobody follows any more.
  func retire(_ wallet: ShardWallet, tellsLedger: Bool = true) {
    guard walletTable.slots[Int(wallet.slot)].followers.isEmpty, walletsByID[wallet.id] === wallet else {
      return
    }
    let used = wallet.tokens
    wallet.detach { slot in walletTable[slot] }
    walletTable.remove(wallet)
    walletsByID[wallet.id] = nil
    wallets[wallet.key] = nil
    for token in used { retire(token) }
    if tellsLedger, pendingWallets[wallet.key] == nil {
      inbox?.post(.unwatch(shard: index, wallets: [wallet.id], tokens: []))
    }
  }

  func retire(_ token: ShardToken) {
    guard token.isUnused else { return }
    tokens[token.cell.token.id] = nil
    tokensByKey[token.cell.token.key] = nil
  }

  /// The last direct subscriber of a token left.
  func releaseToken(_ token: ShardToken) {
    if pendingTokens[token.cell.token.key] == nil {
      inbox?.post(.unwatch(shard: index, wallets: [], tokens: [token.cell.token.id]))
    }
    retire(token)
  }

  // MARK: HTTP

  /// Takes over a connection that was sent the head of an event stream, for one wallet.
  ///
  /// - Parameters:
  ///   - since: where the client stands, `k3f9:8121`; nil: nowhere.
  ///   - authority: what its access token allows, where tokens are asked for.
  public func stream(
    on connection: Connection, wallet: WalletKey, since: String?, authority: Authority
  ) {
    let client = StreamClient(shard: self, connection: connection)
    admit(client)
    statistics.streamsOpened += 1
    connection.handler = client
    client.start(wallet, since: Subscription.Since(since), authority: authority)
  }

  /// Waits for what comes after a revision that a wallet had nothing new above a moment ago. Nothing is written to the
  /// connection, and its handler stays.
  ///
  /// - Parameter answer: called once, in a turn of the loop after this call, unless the poll is abandoned.
  public func poll(
    on connection: Connection, wallet: WalletKey, since: ResumePoint, wait: Duration, authority: Authority,
    _ answer: @escaping (ChangesDocument) -> Void
  ) -> LongPoll {
    let client = PollClient(shard: self, connection: connection, since: since, answer)
    admit(client)
    statistics.pollsOpened += 1
    client.start(wallet, wait: wait, authority: authority)
    return LongPoll(client)
  }

  // MARK: Draining

  /// Sends everybody away, each with its own time to come back within `window`, and takes nobody new.
  /// - Parameter random: a source of uniformly distributed numbers.
  public func drain(window: Duration, random: () -> UInt64) {
    isDraining = true
    let milliseconds = UInt64(max(1, window.inMilliseconds))
    for client in clients.all {
      client.drain(retryMilliseconds: Int64(random() % milliseconds) + 50)
    }
  }
}

/// What one shard has done; plain numbers, read on the loop.
public struct ShardStatistics: Sendable {
  public var opened: UInt64 = 0
  public var closed: UInt64 = 0
  public var messages: UInt64 = 0
  public var refused: UInt64 = 0
  public var frames: UInt64 = 0
  public var writes: UInt64 = 0
  /// Parts, of which most snapshots have one.
  public var snapshots: UInt64 = 0
  /// Snapshots by what was held of the wallet: all in time; something, but old or in doubt; nothing.
  public var snapshotsFresh: UInt64 = 0
  public var snapshotsStale: UInt64 = 0
  public var snapshotsMissing: UInt64 = 0
  public var lags: UInt64 = 0
  public var caughtUp: UInt64 = 0
  public var closedSlow: UInt64 = 0
  public var closedNoPong: UInt64 = 0
  /// Operations refused because they came too fast.
  public var rateLimited: UInt64 = 0
  public var closedAbuse: UInt64 = 0
  /// Without an access token, or with a wrong one.
  public var closedUnauthorized: UInt64 = 0
  /// Their access tokens had ended.
  public var closedExpired: UInt64 = 0
  /// Event streams that are open now, and long-polls that wait now.
  public var streams = 0
  public var polls = 0
  /// Event streams, of those opened.
  public var streamsOpened: UInt64 = 0
  /// Long-polls that had to wait, of those opened; those whose time was up; those that nobody waited for any more.
  public var pollsOpened: UInt64 = 0
  public var pollsTimedOut: UInt64 = 0
  public var pollsAbandoned: UInt64 = 0

  public init() {}
}

/// An operation that waits for the ledger.
struct PendingOperation {
  /// It may have closed when the answer comes.
  let client: PushClient
  let id: MessageID?
  let kind: Kind
  enum Kind {
    case subscribe(Subscription, failed: FailedKeys)
    case get
  }
}

extension ShardStatistics {
  mutating func count(_ state: CellState) {
    switch state {
    case .fresh: snapshotsFresh += 1
    case .stale: snapshotsStale += 1
    case .loading, .unknown: snapshotsMissing += 1
    }
  }
}
