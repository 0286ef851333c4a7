import Ethereum
import HTTP1

/// One wallet without a WebSocket: its stream, or its polls.
struct HTTPFeed: Sendable {
  typealias Instant = ContinuousClock.Instant

  let wallet: WalletKey
  /// The id of its subscribe, until that has its reply.
  var subscribeID: Int?
  /// Where it goes on from.
  var cursor: Cursor?
  /// It holds a request all the time: a stream, or a poll that waits.
  var isHeld = false
  /// The one under way.
  var request: RequestID?
  /// Of a stream whose head is here.
  var parser: ServerSentEventParser?
  var hasBytes = false
  /// What the server said of coming back.
  var retry: Duration?
  /// So long a stream may be silent.
  var silence: Duration
  /// When it was silent for too long, or polls again.
  var deadline: Instant?

  var isAnswered: Bool { subscribeID == nil }
}
