import Glibc
import Logging
import Synchronization

/// Log records as lines on standard error: one record, one line, one write(2).
///
/// What strangers sent can stand in a record; nothing of it can break the line or speak to a terminal: control
/// characters are escaped, and a line has an end.
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

  /// The longest line, in bytes.
  static let lineBytes = 8_192

  let label: String
  let threshold: Threshold
  public var metadata: Logger.Metadata = [:]

  public init(label: String, threshold: Threshold) {
    self.label = label
    self.threshold = threshold
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
    let line = Self.line(
      milliseconds: milliseconds, level: event.level, label: label, message: event.message.description,
      metadata: all)
    Self.write(line)
  }

  /// `2026-11-22T10:21:00.123Z info     walletpush: message key=value …`
  static func line(
    milliseconds: Int64, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata
  ) -> [UInt8] {
    let time = CivilTime.text(milliseconds: milliseconds).replacing(" ", with: "T")
    let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
    let padding = String(repeating: " ", count: max(0, 8 - level.rawValue.count))
    var text = "\(time).\(fraction)Z \(level.rawValue)\(padding) \(escaped(label)): \(escaped(message))"
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      text += " \(escaped(key))=\(quoted(value.description))"
    }
    var bytes = Array(text.utf8.prefix(lineBytes - 1))
    // Not through a character: back to the first byte that begins one.
    if text.utf8.count > bytes.count {
      while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
      if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
    }
    bytes.append(10)
    return bytes
  }

  private static func quoted(_ value: String) -> String {
    let plain = escaped(value)
    // By scalars: a quote with an accent on it is another character, and a quote all the same.
    guard value.isEmpty || plain.unicodeScalars.contains(where: { " \"=".unicodeScalars.contains($0) }) else {
      return plain
    }
    var result = "\""
    for scalar in plain.unicodeScalars {
      if scalar == "\"" { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }

  private static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isUnsafe($0) || $0 == "\\" }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar == "\\" {
        // Or it would pass for the beginning of an escape of ours, or end a quoted value early.
        result += "\\\\"
      } else if isUnsafe(scalar) {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Control and format characters, line and paragraph separators.
  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
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
  public static func bootstrap(level: Logger.Level) -> Logger {
    threshold.level = level
    LoggingSystem.bootstrap { StandardErrorLog(label: $0, threshold: threshold) }
    return Logger(label: "walletpush")
  }

  public static func setLevel(_ level: Logger.Level) { threshold.level = level }
}

extension Settings.Log {
  /// As swift-log calls it.
  public var logLevel: Logger.Level { Logger.Level(rawValue: level.rawValue) ?? .info }
}
