import Logging
import Synchronization

/// Work that goes on until it is told to stop: a loop that takes turns.
///
/// Each turn is a job of the loop's name, so one that hangs shows in the age of the oldest. A loop that returns or throws
/// without being told to is begun anew, ever later while it does not last.
public final class JobLoop: Sendable {
  /// - Parameter turns: to be told of each turn.
  public typealias Body = @Sendable (_ turns: JobRecord) async throws -> Void

  private enum State {
    case idle
    case running(Task<Void, Never>)
    case stopped
  }

  private let record: JobRecord
  private let logger: Logger
  private let pauses: Pauses
  private let body: Body
  private let state = Mutex(State.idle)

  /// Between the end of a loop and its next beginning: doubled each time, until one has lasted for the longest.
  public struct Pauses: Sendable {
    public var first: Duration
    public var longest: Duration

    public init(first: Duration, longest: Duration) {
      self.first = first
      self.longest = longest
    }

    public static let standard = Pauses(first: .milliseconds(100), longest: .seconds(30))

    /// - Parameters:
    ///   - previous: the last pause; `nil` before the first.
    ///   - life: how long the loop lasted that has ended now.
    func next(after previous: Duration?, life: Duration) -> Duration {
      guard let previous, life < longest else { return first }
      return min(longest, previous * 2)
    }
  }

  /// - Parameter body: must hold its owner weakly; where that is gone it may return, for it is stopped then.
  public init(_ name: String, on board: JobBoard, pauses: Pauses = .standard, _ body: @escaping Body) {
    record = board.record(name)
    logger = board.logger
    self.pauses = pauses
    self.body = body
  }

  deinit {
    if case .running(let task) = state.withLock({ $0 }) { task.cancel() }
  }

  /// Once in its life, and not after ``stop()``.
  public func start() {
    state.withLock { state in
      guard case .idle = state else { return }
      state = .running(
        Task { [record, logger, pauses, body] in await Self.run(body, pauses, record, logger) })
    }
  }

  /// Tells it to stop, and does not wait.
  public func cancel() {
    if case .running(let task) = state.withLock({ $0 }) { task.cancel() }
  }

  /// Cancels the turn under way, and returns when the loop is over.
  public func stop() async {
    let before = state.withLock { state in
      defer { state = .stopped }
      return state
    }
    guard case .running(let task) = before else { return }
    task.cancel()
    await task.value
  }

  private static func run(_ body: Body, _ pauses: Pauses, _ record: JobRecord, _ logger: Logger) async {
    var last: Duration?
    while !Task.isCancelled {
      let began = ContinuousClock.now
      var reason = "it ended"
      do { try await body(record) } catch { reason = "\(error)" }
      guard !Task.isCancelled else { return }
      let pause = pauses.next(after: last, life: .now - began)
      last = pause
      logger.error(
        "a background job died and is begun anew",
        metadata: ["job": "\(record.name)", "reason": "\(reason)", "pause": "\(pause)"])
      try? await Task.sleep(for: pause)
      guard !Task.isCancelled else { return }
      record.noteRestart()
    }
  }
}
