import Glibc
import Logging
import Synchronization

/// Log records as lines on standard error: one record, one line, one write(2).
public struct StandardErrorLog: LogHandler {
  /// The level of all loggers made here; may be changed while they are in use.
  public final class Threshold: Sendable {
    private let value: Atomic<Int>

    public init(_ level: Logger.Level) { value = Atomic(Self.rank(level)) }

    public var level: Logger.Level {
      get { Logger.Level.allCases[value.load(ordering: .relaxed)] }
      set { value.store(Self.rank(newValue), ordering: .relaxed) }
    }

    private static func rank(_ level: Logger.Level) -> Int {
      Logger.Level.allCases.firstIndex(of: level) ?? 0
    }
  }

  let label: String
  let threshold: Threshold
  let format: LogFormat
  public var metadata: Logger.Metadata = [:]

  public init(label: String, threshold: Threshold, format: LogFormat) {
    self.label = label
    self.threshold = threshold
    self.format = format
  }

  public var logLevel: Logger.Level {
    get { threshold.level }
    set { threshold.level = newValue }
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let milliseconds = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let record = LogRecord(
      milliseconds: milliseconds, level: event.level, label: label, message: event.message.description,
      metadata: all)
    Self.write(record.line(format))
  }

  private static func write(_ line: [UInt8]) {
    var offset = 0
    while offset < line.count {
      let count = line.withUnsafeBytes {
        Glibc.write(STDERR_FILENO, $0.baseAddress?.advanced(by: offset), line.count - offset)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      offset += count
    }
  }
}

/// The process's one log.
public enum ServerLog {
  private static let threshold = StandardErrorLog.Threshold(.info)

  /// Makes swift-log write here. Once in a process.
  public static func bootstrap(_ settings: Settings.Log) -> Logger {
    threshold.level = settings.logLevel
    let format = LogFormat(
      settings.format, isTerminal: isatty(STDERR_FILENO) == 1,
      wantsNoColor: getenv("NO_COLOR").map { $0.pointee != 0 } ?? false)
    LoggingSystem.bootstrap { StandardErrorLog(label: $0, threshold: threshold, format: format) }
    return Logger(label: "walletpush")
  }

  public static func setLevel(_ level: Logger.Level) { threshold.level = level }
}

extension Settings.Log {
  /// As swift-log calls it.
  public var logLevel: Logger.Level { Logger.Level(rawValue: level.rawValue) ?? .info }
}
