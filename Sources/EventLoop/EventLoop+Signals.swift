import CLinux
import Glibc

/// Signals as events: signalfd(2) on a loop.
final class SignalSource: EventSource {
  private let loop: EventLoop
  private var descriptor: Int32
  private var source: UInt32 = 0
  private let handle: (Int32) -> Void

  init(loop: EventLoop, descriptor: Int32, handle: @escaping (Int32) -> Void) {
    self.loop = loop
    self.descriptor = descriptor
    self.handle = handle
  }

  func register() throws(SystemError) { source = try loop.addSource(self, descriptor: descriptor) }

  func ready() {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    while descriptor >= 0, Glibc.read(descriptor, &info, size) == size { handle(Int32(info.ssi_signo)) }
  }

  func close() {
    guard descriptor >= 0 else { return }
    loop.sources[source] = nil
    _ = Glibc.close(descriptor)
    descriptor = -1
  }
}

extension EventLoop {
  /// Blocks the signals in the calling thread, and ignores SIGPIPE. Threads inherit the mask: call it first
  /// in `main`, before any other thread exists, or one of those is killed by the signal.
  public static func blockSignals(_ signals: [Int32]) {
    var set = signalSet(signals)
    pthread_sigmask(SIG_BLOCK, &set, nil)
    _ = clinux_ignore_sigpipe()
  }

  /// Calls `handle` on this loop with each of these signals that the process gets, for the loop's life. They
  /// must be blocked in every thread (``blockSignals(_:)``).
  public func onSignals(_ signals: [Int32], _ handle: @escaping (Int32) -> Void) throws(SystemError) {
    assertCurrent()
    var set = Self.signalSet(signals)
    let descriptor = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    guard descriptor >= 0 else { throw .last(.signalfd) }
    let source = SignalSource(loop: self, descriptor: descriptor, handle: handle)
    do throws(SystemError) {
      try source.register()
    } catch {
      _ = Glibc.close(descriptor)
      throw error
    }
  }

  private static func signalSet(_ signals: [Int32]) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    return set
  }
}
