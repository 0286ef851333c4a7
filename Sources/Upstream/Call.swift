import EventLoop

/// One request of a caller, from its start on the loop to the one answer it gets. Thread-confined, but for
/// its constants.
final class Call: @unchecked Sendable, TimerTarget {
  typealias Outcome = Result<HTTPClientResponse, UpstreamError>

  private enum Tag { static let total: UInt64 = 0, firstByte: UInt64 = 1 }

  let request: HTTPClientRequest
  /// Who takes the body as it comes in; nil: it is gathered.
  let stream: HTTPResponseStream?
  /// Head and body as they are sent.
  let bytes: [UInt8]
  let client: ClientLoop
  private let start = LoopInstant.current()

  /// Names it in its origin's pool.
  var key: ConnectionPool.RequestKey = 0
  var origin: Origin?
  /// While it is running.
  var connection: ClientConnection?

  private var answer: ((Outcome) -> Void)?
  private var outcome: Outcome?
  private var totalTimer = TimerID.none
  private var firstByteTimer = TimerID.none

  init(
    _ request: HTTPClientRequest, bytes: [UInt8], client: ClientLoop, stream: HTTPResponseStream? = nil
  ) {
    self.request = request
    self.stream = stream
    self.bytes = bytes
    self.client = client
  }

  /// False when it was cancelled before it could start; then it has been answered.
  func begin(_ answer: @escaping (Outcome) -> Void) -> Bool {
    if let outcome {
      answer(outcome)
      return false
    }
    self.answer = answer
    totalTimer = client.loop.schedule(at: start + request.timeouts.total, self, tag: Tag.total)
    return true
  }

  /// It was handed to a connection.
  func sent(on connection: ClientConnection) {
    self.connection = connection
    firstByteTimer = client.loop.schedule(after: request.timeouts.firstByte, self, tag: Tag.firstByte)
  }

  /// The stream's reader is behind, or has caught up.
  func pauseReading() { connection?.connection?.pauseReading() }
  func resumeReading() { connection?.connection?.resumeReading() }

  func receivedFirstByte() {
    client.loop.cancel(firstByteTimer)
    firstByteTimer = .none
  }

  /// Its connection is no longer its own: the response is there, or it is to be sent again.
  func leaveConnection() {
    // The next call on it waits for its answer, whatever the reader of this one does.
    if stream != nil { resumeReading() }
    connection = nil
    receivedFirstByte()
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    finish(.failure(.timedOut(tag == Tag.total ? .total : .firstByte)))
  }

  /// Answers the caller, gives back what the call holds, and forgets everything. The first outcome counts.
  func finish(_ outcome: Outcome) {
    guard self.outcome == nil else { return }
    self.outcome = outcome
    client.loop.cancel(totalTimer)
    let connection = connection
    leaveConnection()
    let origin = origin
    self.origin = nil
    origin?.ended(self, on: connection, outcome, after: LoopInstant.current() - start)
    answer?(outcome)
    answer = nil
  }
}
