import EventLoop
import HTTP1
import Synchronization

/// The answer to an ``HTTPClientRequest`` as it comes in. For one reader.
///
/// The loop's thread puts pieces into a queue, the reader takes them out. Above ``queueBytes`` the loop stops reading: a
/// server that is faster has to wait.
public final class HTTPResponseStream: Sendable {
  /// Status and headers, as in ``HTTPClientResponse``.
  public struct Head: Sendable {
    public let status: Int
    public let headers: HTTPHeaders
  }

  /// A piece is at most what a connection reads at once.
  public static let queueBytes = 256 * 1_024

  private struct State {
    /// Until it has ended.
    var call: Call?
    var head: Head?
    var queue: [UInt8] = []
    var isPaused = false
    var end: Result<Void, UpstreamError>?
    var waiting: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  init() {}

  func begin(_ call: Call) { state.withLock { $0.call = call } }

  // MARK: - For the reader

  /// Waits for the head. Cancelling the task drops the call.
  public func head() async throws(UpstreamError) -> Head {
    await wait { $0.head != nil || $0.end != nil }
    let (head, end) = state.withLock { ($0.head, $0.end) }
    if let head { return head }
    try end?.get()
    throw .closedBeforeResponse
  }

  /// The next bytes of the body; nil at its end. Cancelling the task drops the call.
  public func next() async throws(UpstreamError) -> [UInt8]? {
    await wait { !$0.queue.isEmpty || $0.end != nil }
    // What came before the end is told before it.
    if let bytes = take() { return bytes }
    try state.withLock { $0.end }?.get()
    return nil
  }

  /// Closes the connection, unless the response has ended.
  public func cancel() {
    guard let call = state.withLock({ $0.call }) else { return }
    call.client.loop.post { call.finish(.failure(.cancelled)) }
  }

  var waitingBytes: Int { state.withLock { $0.queue.count } }

  private func take() -> [UInt8]? {
    let (bytes, paused) = state.withLock { state in
      let paused = state.isPaused ? state.call : nil
      state.isPaused = false
      let bytes = state.queue
      state.queue = []
      return (bytes, paused)
    }
    if let paused { paused.client.loop.post { paused.resumeReading() } }
    return bytes.isEmpty ? nil : bytes
  }

  private func wait(until isReady: @escaping @Sendable (State) -> Bool) async {
    await withTaskCancellationHandler {
      // What wakes it may be something else: the head, where it waits for the body.
      while !state.withLock({ isReady($0) }) { await somethingNew(isReady) }
    } onCancel: {
      cancel()
    }
  }

  private func somethingNew(_ isReady: @escaping @Sendable (State) -> Bool) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if isReady(state) { return true }
        state.waiting = continuation
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  // MARK: - From the loop

  func began(_ head: ResponseHead) {
    let waiting = state.withLock { state in
      state.head = Head(status: head.status, headers: head.headers)
      return state.waiting.take()
    }
    waiting?.resume()
  }

  /// False: read no more for now.
  func received(_ piece: UnsafeRawBufferPointer) -> Bool {
    let (waiting, isFull) = state.withLock { state in
      state.queue.append(contentsOf: piece)
      state.isPaused = state.queue.count > Self.queueBytes
      return (state.waiting.take(), state.isPaused)
    }
    waiting?.resume()
    return !isFull
  }

  func finish(_ outcome: Call.Outcome) {
    let waiting = state.withLock { state in
      state.end = outcome.map { _ in () }
      state.call = nil
      return state.waiting.take()
    }
    waiting?.resume()
  }
}
