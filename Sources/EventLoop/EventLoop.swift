// An event loop: one thread, one epoll set, and everything that belongs to them.
//
// Theory of operation
//
// A turn is: wait → events → mailbox → timers → turn-end hooks → late writes → reap the closed.
//
// - Events. Level-triggered. A connection reads once, into the buffer that all share, and hands the bytes to
//   its handler before anybody else reads: idle connections own no buffer, and a loud one can't starve the
//   others.
// - Mailbox. Calls and actor jobs from other threads, and those that the loop's own code put off. A bounded
//   batch; when some are left, the next wait returns at once.
// - Timers. A hierarchical wheel (TimerWheel). Also a bounded batch.
// - Turn-end hooks. Whoever gathers over a turn (one write per subscriber, however many messages came) acts
//   here.
// - Late writes. What handlers wrote during the turn was only queued; now each connection that has something
//   is written once, by one system call. EPOLLOUT is armed only for what the kernel did not take.
// - Reaping. Closing a connection marks it; only here its descriptor is closed, its handler told and its slot
//   freed. So nothing is freed under the feet of code further up the stack, and an event of the same batch
//   finds the slot as it was. An event or a message that comes later carries the old generation and finds
//   nothing.
//
// Anything that is put off inside a phase (a handler that closes another connection while being told that its
// own has closed, a call that posts itself) waits for the next turn, which then doesn't sleep: no phase runs
// for ever.
//
// What the kernel gives back with an event is a 64-bit tag: generation and index of a connection, or, with
// generation 0, the number of a source (listener, signals) or of the eventfd.
import CLinux
import Glibc
import Synchronization

/// One thread's epoll loop: connections, listeners, timers, a mailbox, and a serial executor for actors.
///
/// Thread-confined: only ``start()``, ``stop()``, ``join()``, ``post(_:)``, ``perform(_:)``, `enqueue` and
/// ``isCurrent`` may be used from other threads; everything else traps there. Before ``start()`` the loop
/// belongs to whoever made it, who may already listen and connect.
///
/// A handler must not throw away time: what takes longer than a millisecond belongs on another thread.
public final class EventLoop: @unchecked Sendable {
  public let name: String
  public let configuration: EventLoopConfiguration

  // MARK: Any thread
  enum State: UInt8, AtomicRepresentable { case idle, running, stopping, stopped }
  let state = Atomic<State>(.idle)
  let mailbox = Mailbox()
  let wakeUps = Atomic<UInt64>(0)
  let wakeDescriptor: Int32
  let thread = Mutex<pthread_t?>(nil)

  // MARK: Loop only
  let epollDescriptor: Int32
  var systemCalls = SystemCalls.kernel { didSet { hasKernelSend = false } }
  /// False where a test put its own calls in place.
  private(set) var hasKernelSend = true
  let events: UnsafeMutablePointer<epoll_event>
  let readBuffer: UnsafeMutableRawBufferPointer
  /// Where a filter's plain bytes go on their way to the handler; made for the first filter.
  private var plainStorage: UnsafeMutableRawBufferPointer?
  var plainBuffer: UnsafeMutableRawBufferPointer {
    if let plainStorage { return plainStorage }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: configuration.readBufferBytes, alignment: 16)
    plainStorage = buffer
    return buffer
  }
  let vectors: UnsafeMutablePointer<iovec>
  /// Where a few small pieces are put together for one send(2).
  let smallBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 16)
  static let vectorsMaximum = 64

  /// The turn's time, read once after the wait.
  public internal(set) var now: LoopInstant
  var wheel: TimerWheel

  var messages: ContiguousArray<MailboxMessage> = []
  var messagesDone = 0

  var connections = ConnectionTable()
  var sources: [UInt32: any EventSource] = [:]
  var nextSource: UInt32 = 1

  /// Connections with something to write, once each.
  var dirty: ContiguousArray<Connection> = []
  /// Connections to be reaped, once each.
  var closing: ContiguousArray<Connection> = []
  /// Filtered connections that resumed reading: their filter may still hold plain bytes.
  var resumed: ContiguousArray<Connection> = []
  /// Storage of emptied write queues, for the next ones.
  var spareQueues: ContiguousArray<ContiguousArray<[UInt8]>> = []

  var turnEndHooks: [() -> Void] = []
  var spareDescriptor: Int32
  var reporter: MetricsReporter?

  public internal(set) var statistics = EventLoopStatistics()

  public init(name: String, configuration: EventLoopConfiguration) throws(SystemError) {
    self.name = name
    self.configuration = configuration
    epollDescriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epollDescriptor >= 0 else { throw .last(.epollCreate) }
    wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard wakeDescriptor >= 0 else {
      let error = SystemError.last(.eventfd)
      _ = Glibc.close(epollDescriptor)
      throw error
    }
    // Edge-triggered: every write is a new edge, so the counter is never read.
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | EPOLLET.rawValue
    event.data.u64 = 0
    guard epoll_ctl(epollDescriptor, EPOLL_CTL_ADD, wakeDescriptor, &event) == 0 else {
      let error = SystemError.last(.epollControl)
      _ = Glibc.close(epollDescriptor)
      _ = Glibc.close(wakeDescriptor)
      throw error
    }
    spareDescriptor = Self.openSpareDescriptor()
    events = .allocate(capacity: configuration.eventsPerTurn)
    events.initialize(repeating: epoll_event(), count: configuration.eventsPerTurn)
    readBuffer = .allocate(byteCount: configuration.readBufferBytes, alignment: 16)
    vectors = .allocate(capacity: Self.vectorsMaximum)
    vectors.initialize(repeating: iovec(), count: Self.vectorsMaximum)
    now = .current()
    wheel = TimerWheel(start: now)
  }

  deinit {
    _ = Glibc.close(epollDescriptor)
    _ = Glibc.close(wakeDescriptor)
    if spareDescriptor >= 0 { _ = Glibc.close(spareDescriptor) }
    events.deallocate()
    readBuffer.deallocate()
    plainStorage?.deallocate()
    vectors.deallocate()
    smallBuffer.deallocate()
  }

  // MARK: - Thread

  /// Spawns the loop's thread, named after the loop. A loop starts once; a second call does nothing.
  public func start() throws(SystemError) {
    let (exchanged, _) = state.compareExchange(
      expected: .idle, desired: .running, ordering: .sequentiallyConsistent)
    guard exchanged else { return }
    let loop = Unmanaged.passRetained(self)
    var created = pthread_t()
    let code = pthread_create(
      &created, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().runThread()
        return nil
      }, loop.toOpaque())
    guard code == 0 else {
      loop.release()
      state.store(.idle, ordering: .sequentiallyConsistent)
      throw SystemError(.threadCreate, code: code)
    }
    thread.withLock { $0 = created }
  }

  /// Asks the loop to end after its current turn: every connection is closed with `.stopped`, what is in the
  /// mailbox is run, and later posts are refused. From any thread; a loop that never started just never will.
  public func stop() {
    let (exchanged, _) = state.compareExchange(
      expected: .running, desired: .stopping, ordering: .sequentiallyConsistent)
    if exchanged { wake() }
  }

  /// Blocks until the loop's thread has ended. From any other thread; one caller waits, further ones return.
  public func join() {
    let created = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    if let created { pthread_join(created, nil) }
  }

  /// Whether the caller runs on the loop's thread.
  @inline(__always) public var isCurrent: Bool {
    clinux_current_loop() == Unmanaged.passUnretained(self).toOpaque()
  }

  /// Traps when the caller is on another thread than a running loop's.
  @inline(__always) public func assertCurrent() {
    if !isCurrent { assertNotRunning() }
  }

  @inline(never) private func assertNotRunning() {
    let state = state.load(ordering: .acquiring)
    precondition(state == .idle || state == .stopped, "not on the thread of event loop \(name)")
  }

  /// The loop that runs on this thread.
  public static var current: EventLoop? {
    clinux_current_loop().map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
  }

  // MARK: - Time and turns

  /// The wall clock, in milliseconds since 1970.
  public var wallClockMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// Calls `hook` in each turn, after mailbox and timers and before the late writes. For the loop's life.
  public func addTurnEndHook(_ hook: @escaping () -> Void) {
    assertCurrent()
    turnEndHooks.append(hook)
  }

  // MARK: - Timers

  /// Fires once, in the first turn at or after `deadline` (rounded up to a millisecond). The loop holds
  /// `target` until then. O(1), and nothing is allocated in a steady state.
  @discardableResult
  public func schedule(at deadline: LoopInstant, _ target: any TimerTarget, tag: UInt64) -> TimerID {
    assertCurrent()
    return wheel.schedule(at: deadline, target, tag: tag)
  }

  /// Fires once, `delay` after this turn's time.
  @discardableResult
  public func schedule(after delay: Duration, _ target: any TimerTarget, tag: UInt64) -> TimerID {
    schedule(at: now + delay, target, tag: tag)
  }

  /// False when the timer has fired or was cancelled already.
  @discardableResult
  public func cancel(_ timer: TimerID) -> Bool {
    assertCurrent()
    return wheel.cancel(timer)
  }

  /// Timers that are scheduled now.
  public var timerCount: Int { wheel.count }
}
