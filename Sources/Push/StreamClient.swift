// Server-Sent Events (WHATWG HTML §9.2): the frames of a WebSocket that follows one wallet, and nothing to ask.
//
// An id stands where `since` may, and nowhere else: on a heartbeat, and on live data after one. A browser that
// reconnects says the last one it has seen (`Last-Event-ID`), so whatever has none can't be resumed from: what comes
// between `ok` or a snapshot and the heartbeat behind it, and all of a wallet that was never read.

import EventLoop
import Ethereum
import HTTP1
import Ledger
import WebSocket

final class StreamClient: PushClient {
  /// It has had a heartbeat since its last `ok` or snapshot, and its wallet is complete.
  private var isResumable = false

  override var openFigure: WritableKeyPath<ShardStatistics, Int>? { \.streams }

  func start(_ wallet: WalletKey, since: Subscription.Since, authority: Authority) {
    // How long to wait after an end that nobody has announced: not the same for all.
    var out: [UInt8] = []
    let jitter = (index &* 7_919) % Self.retrySpread
    try? ServerSentEventEncoder.retry(milliseconds: Self.shortestRetry + jitter, into: &out)
    queue(out)
    write(shard.hello())
    scheduleLiveness()
    if shard.isDraining { return drain(retryMilliseconds: 1_000) }
    authorize(as: authority)
    guard !isClosed else { return }
    var subscription = Subscription()
    subscription.wallets = KeyList(keys: [wallet])
    subscription.since = since
    subscribe(subscription, id: nil)
  }

  /// In milliseconds.
  private static let shortestRetry = 1_000
  private static let retrySpread = 3_000

  // MARK: - Out

  override func write(_ frame: [UInt8]) {
    guard !isClosed else { return }
    let type = ServerSentEventEncoder.frameType(of: frame)
    var id: ResumePoint?
    if type.elementsEqual("heartbeat".utf8) {
      isResumable = wallets.first?.wallet.cells.isComplete == true
      if isResumable {
        id = ResumePoint(epoch: shard.epoch, revision: mode == .live ? shard.revision : cursor)
      }
    } else if type.elementsEqual("ok".utf8) || type.elementsEqual("snapshot".utf8) {
      isResumable = false
    }
    var out: [UInt8] = []
    out.reserveCapacity(frame.count + 64)
    ServerSentEventEncoder.append(frame: frame, id: id, into: &out)
    queue(out)
    // It was deleted, and could not be registered again, while the request was looked at.
    if type.elementsEqual("ok".utf8), wallets.isEmpty { finish(code: .normal) }
  }

  override func frames(_ mask: UInt64) -> [UInt8] {
    shard.chunk.events(for: mask, epoch: isResumable ? shard.epoch : nil)
  }

  /// A comment, where there was no heartbeat: proxies end what is silent.
  override func probe(now: LoopInstant) {
    guard shard.clients.slots[index].lastSent != now else { return }
    var out: [UInt8] = []
    ServerSentEventEncoder.comment("", into: &out)
    queue(out)
  }

  override func drain(retryMilliseconds: Int64) {
    guard !isClosed else { return }
    var out: [UInt8] = []
    try? ServerSentEventEncoder.retry(milliseconds: Int(retryMilliseconds), into: &out)
    queue(out)
    super.drain(retryMilliseconds: retryMilliseconds)
  }

  /// A stream has no Close to give a reason in.
  override func sayGoodbye(_ code: CloseCode, reason: String) {
    guard code == .tokenExpired else { return }
    write(Replies.error(nil, Refusal(.unauthorized, reason)))
  }

  override func subscriptionEnded() { finish(code: .normal) }

  // MARK: - In

  /// Requests behind this one are never answered: the stream has no end that they could come after.
  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) { tolerate() }
}
