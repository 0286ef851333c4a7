import CLinux
import Glibc

/// SIGTERM, SIGINT and SIGHUP, which every thread blocks, one by one.
enum Signals {
  /// Waits for the next one. On a thread of its own: waiting must not hold one of the pool's.
  static func next() async -> Int32 {
    await withCheckedContinuation { continuation in
      let box = Unmanaged.passRetained(Box(continuation))
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
          var set = sigset_t()
          sigemptyset(&set)
          for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, signal) }
          var signal: Int32 = 0
          while sigwait(&set, &signal) != 0 {}
          box.continuation.resume(returning: signal)
          return nil
        }, box.toOpaque())
      pthread_detach(thread)
    }
  }

  private final class Box {
    let continuation: CheckedContinuation<Int32, Never>
    init(_ continuation: CheckedContinuation<Int32, Never>) { self.continuation = continuation }
  }
}

enum Environment {
  static var all: [String: String] {
    var result: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
      entry += 1
    }
    return result
  }

  static var folder: String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    return String(cString: path)
  }
}
