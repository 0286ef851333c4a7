import CLinux
import Glibc
import Synchronization

/// The loops of a process, one per core. All of it may be used from any thread.
public final class EventLoopGroup: Sendable {
  public let loops: [EventLoop]
  private let turn = Atomic<Int>(0)

  /// `count` loops named `name-0`, `name-1` …; 0 is one for each core this process may run on.
  public init(
    count: Int, name: String = "loop", configuration: EventLoopConfiguration = .standard
  ) throws(SystemError) {
    var loops: [EventLoop] = []
    for index in 0..<(count > 0 ? count : Self.availableCores) {
      loops.append(try EventLoop(name: "\(name)-\(index)", configuration: configuration))
    }
    self.loops = loops
  }

  /// Cores this process may run on.
  public static var availableCores: Int { Int(clinux_available_cores()) }

  /// Raises the soft limit on open descriptors (RLIMIT_NOFILE), as far as the hard one allows; it is never lowered.
  /// - Returns: how many are allowed now; nil when the kernel won't say.
  public static func raiseDescriptorLimit(to wanted: UInt64) -> UInt64? {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return nil }
    guard limit.rlim_cur < rlim_t(wanted) else { return UInt64(limit.rlim_cur) }
    limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
    _ = setrlimit(resource, &limit)
    return getrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_cur) : nil
  }

  /// Starts every loop. When one can't be started, those that were are stopped again.
  public func start() throws(SystemError) {
    do throws(SystemError) {
      for loop in loops { try loop.start() }
    } catch {
      stop()
      join()
      throw error
    }
  }

  /// The loops in turn.
  public func next() -> EventLoop {
    let count = turn.wrappingAdd(1, ordering: .relaxed).oldValue
    return loops[Int(UInt(bitPattern: count) % UInt(loops.count))]
  }

  /// The loop the caller is on, when it is one of these; otherwise the next one.
  public var any: EventLoop {
    if let current = EventLoop.current, loops.contains(where: { $0 === current }) { return current }
    return next()
  }

  public func stop() { for loop in loops { loop.stop() } }

  /// Blocks until all loops have ended. From none of their threads.
  public func join() { for loop in loops { loop.join() } }
}
