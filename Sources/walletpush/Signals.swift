import Glibc

/// The signals that mean something to the server. They are blocked in every thread and waited for by the main one.
enum Signals {
  static let all: [Int32] = [SIGTERM, SIGINT, SIGHUP]

  /// Each signal as it comes. For one reader.
  static let stream: AsyncStream<Int32> = made.stream
  private static let made = AsyncStream<Int32>.makeStream(bufferingPolicy: .bufferingNewest(16))

  /// The main thread's work.
  static func forward() -> Never {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in all { sigaddset(&set, signal) }
    while true {
      var signal: Int32 = 0
      if sigwait(&set, &signal) == 0 { made.continuation.yield(signal) }
    }
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
