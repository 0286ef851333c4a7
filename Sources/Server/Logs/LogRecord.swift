import HTTP1
import JSON
import Logging

/// How a log is written.
public enum LogFormat: Sendable, Equatable {
  /// For people: `2026-11-22T10:21:00.123Z info     walletpush: message key=value`.
  case text(isColored: Bool)
  /// For programs: one object a line.
  case json

  /// - Parameter wantsNoColor: as the environment says, <https://no-color.org>.
  public init(_ setting: Settings.Log.Format, isTerminal: Bool, wantsNoColor: Bool) {
    switch setting {
    case .auto where !isTerminal, .json: self = .json
    case .auto, .text: self = .text(isColored: isTerminal && !wantsNoColor)
    }
  }
}

/// One record as a line.
///
/// What strangers sent can stand in a record; nothing of it can break the line or speak to a terminal: control
/// characters are escaped, and a line has an end.
struct LogRecord {
  /// The longest line, in bytes.
  static let lineBytes = 8_192

  let milliseconds: Int64
  let level: Logger.Level
  let label: String
  let message: String
  let metadata: Logger.Metadata

  func line(_ format: LogFormat) -> [UInt8] {
    switch format {
    case .text(let isColored): text(isColored: isColored)
    case .json: json()
    }
  }

  private var time: String {
    let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
    let second = CivilTime(unixSeconds: milliseconds / 1_000).description
    return "\(second.replacing(" ", with: "T")).\(fraction)Z"
  }

  private var sortedMetadata: [(key: String, value: Logger.Metadata.Value)] {
    metadata.sorted { $0.key < $1.key }
  }

  // MARK: - Text

  private func text(isColored: Bool) -> [UInt8] {
    let padding = String(repeating: " ", count: max(0, 8 - level.rawValue.count))
    let name = isColored ? "\u{1B}[\(color)m\(level.rawValue)\u{1B}[0m" : level.rawValue
    var text = "\(time) \(name)\(padding) \(Self.escaped(label)): \(Self.escaped(message))"
    for (key, value) in sortedMetadata { text += " \(Self.escaped(key))=\(Self.quoted(value.description))" }
    var bytes = Array(text.utf8.prefix(Self.lineBytes - 1))
    // Not through a character: back to the first byte that begins one.
    if text.utf8.count > bytes.count {
      while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
      if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
    }
    bytes.append(10)
    return bytes
  }

  /// Of ECMA-48, Select Graphic Rendition.
  private var color: String {
    switch level {
    case .trace, .debug: "2"
    case .info: "32"
    case .notice: "36"
    case .warning: "33"
    case .error: "31"
    case .critical: "1;31"
    }
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

  // MARK: - JSON

  private func json() -> [UInt8] {
    let whole = object(message, sortedMetadata)
    if whole.count < Self.lineBytes { return whole + [10] }
    // A byte takes six at most.
    let start = String(message.unicodeScalars.prefix(Self.lineBytes / 32))
    return object(start, [("truncated", "true")]) + [10]
  }

  /// `{"time":"…","level":"info","logger":"walletpush","message":"…","metadata":{"key":"value"}}`
  private func object(
    _ message: String, _ metadata: [(key: String, value: Logger.Metadata.Value)]
  ) -> [UInt8] {
    var writer = JSONWriter(reserving: 256)
    writer.beginObject()
    writer.member("time", time)
    writer.member("level", level.rawValue)
    writer.member("logger", label)
    writer.member("message", message)
    if !metadata.isEmpty {
      writer.key("metadata")
      writer.beginObject()
      for (key, value) in metadata {
        writer.key(key)
        writer.string(value.description)
      }
      writer.endObject()
    }
    writer.endObject()
    return Self.armored(writer.take())
  }

  /// The same JSON: what may stand unescaped in a string, and still moves a terminal's cursor or turns its text around,
  /// is escaped.
  private static func armored(_ json: [UInt8]) -> [UInt8] {
    let text = String(decoding: json, as: UTF8.self)
    guard text.unicodeScalars.contains(where: isUnsafe) else { return json }
    var result = ""
    for scalar in text.unicodeScalars {
      guard isUnsafe(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return Array(result.utf8)
  }
}
