import CLinux
import Glibc

extension EventLoop {
  /// Runs `call` on the loop. From any thread, in the order of each poster's calls. Posted on the loop
  /// itself, it runs later in this turn or in the next one, never inside `post`.
  ///
  /// False when the loop has ended: then `call` is never run.
  @discardableResult
  public func post(_ call: @escaping @Sendable () -> Void) -> Bool { deliver(.call(call)) }

  /// Runs `body` on the loop and returns what it returns. From any thread.
  public func perform<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let isPosted = post { continuation.resume(with: Result { try body() }) }
      if !isPosted { continuation.resume(throwing: EventLoopStopped()) }
    }
  }

  func deliver(_ message: MailboxMessage) -> Bool {
    if isCurrent {
      messages.append(message)
      return true
    }
    switch mailbox.push(message) {
    case .delivered: return true
    case .wakeLoop:
      wakeUps.add(1, ordering: .relaxed)
      wake()
      return true
    case .closed: return false
    }
  }

  func wake() {
    var one: UInt64 = 1
    // It can only fail when the counter is full, and then the loop has been woken already.
    _ = Glibc.write(wakeDescriptor, &one, 8)
  }

  func run(_ message: MailboxMessage) {
    switch message {
    case .call(let call): call()
    case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
    case .done: break
    }
  }
}

/// The loop has ended and takes no more calls.
public struct EventLoopStopped: Error, Hashable, Sendable {
  public init() {}
}

extension EventLoop: SerialExecutor {
  /// Called by the runtime for actors whose `unownedExecutor` is this loop. On a loop that has ended the job
  /// is dropped: stop the actors' users first.
  public func enqueue(_ job: consuming ExecutorJob) { _ = deliver(.job(UnownedJob(job))) }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  public func checkIsolated() { precondition(isCurrent, "not on the thread of event loop \(name)") }

  public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}
