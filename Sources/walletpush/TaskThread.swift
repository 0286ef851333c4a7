import Glibc
import Synchronization

/// A thread for tasks that prefer it, and for the actors they call meanwhile. Lives as long as the process.
///
/// What ticks many times a second on the common pool wakes three threads each time: the timers', one of the pool's, and
/// the event loop's. From here it wakes the loop's alone, and the thread may simply sleep between two ticks.
final class TaskThread: TaskExecutor, @unchecked Sendable {
  private let jobs = Mutex<[UnownedJob]>([])
  private let available: UnsafeMutablePointer<sem_t>

  /// - Throws: the code of `pthread_create`.
  init() throws(Errno) {
    available = .allocate(capacity: 1)
    sem_init(available, 0, 0)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<TaskThread>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard code == 0 else { throw Errno(code: code) }
    pthread_detach(thread)
  }

  struct Errno: Error { let code: Int32 }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
    sem_post(available)
  }

  private func run() {
    while true {
      guard sem_wait(available) == 0 else { continue }
      let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      job?.runSynchronously(on: asUnownedTaskExecutor())
    }
  }

  /// Holds the thread. To be called on it only: elsewhere it would hold one that others wait for.
  func sleep(until instant: ContinuousClock.Instant) {
    let (seconds, attoseconds) = (instant - ContinuousClock.now).components
    guard seconds >= 0, attoseconds > 0 || seconds > 0 else { return }
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    // A signal only makes the tick come early.
    nanosleep(&time, nil)
  }
}
