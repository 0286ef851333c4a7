import JSON
import Logging
import Testing

@testable import Server

@Suite struct StandardErrorLogTests {
  private func line(
    _ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info,
    _ format: LogFormat = .text(isColored: false)
  ) -> String {
    let record = LogRecord(
      milliseconds: 1_795_342_860_123, level: level, label: "walletpush", message: message,
      metadata: metadata)
    return String(decoding: record.line(format), as: UTF8.self)
  }

  @Test func shape() {
    #expect(line("started") == "2026-11-22T10:21:00.123Z info     walletpush: started\n")
    #expect(
      line("chain down", ["chain": "ETH", "a": "1"], level: .critical)
        == "2026-11-22T10:21:00.123Z critical walletpush: chain down a=1 chain=ETH\n")
  }

  @Test(arguments: [
    ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
    ("a\"b", "\"a\\\"b\""), ("a\"\u{301}b", "\"a\\\"\u{301}b\""),
    ("line\nfeed", "line\\u{a}feed"), ("\u{1B}[31mred", "\\u{1b}[31mred"), ("nul\u{0}", "nul\\u{0}"),
    ("del\u{7F}", "del\\u{7f}"), ("c1\u{85}", "c1\\u{85}"), ("bidi\u{202E}", "bidi\\u{202e}"),
    ("sep\u{2028}", "sep\\u{2028}"), ("crlf\r\n", "crlf\\u{d}\\u{a}"), ("钱包 ü", "\"钱包 ü\""), ("钱包", "钱包"),
    // A backslash of the value's own can't undo a quote, nor pass for an escape.
    (#"a\" b=c"#, #""a\\\" b=c""#), (#"\u{a}"#, #"\\u{a}"#),
  ])
  func valuesOfStrangers(_ value: String, _ written: String) {
    #expect(
      line("m", ["k": .string(value)]) == "2026-11-22T10:21:00.123Z info     walletpush: m k=\(written)\n")
  }

  @Test func messagesAndKeysToo() {
    #expect(line("a\nb", ["k\n": "v"]).hasSuffix("walletpush: a\\u{a}b k\\u{a}=v\n"))
  }

  @Test(arguments: [8_100, 8_150, 8_151, 8_152, 8_153, 8_154, 100_000])
  func linesHaveAnEnd(_ count: Int) throws {
    let bytes = LogRecord(
      milliseconds: 0, level: .info, label: "l", message: String(repeating: "x", count: count) + "钱钱钱钱钱",
      metadata: ["k": "v"]
    ).line(.text(isColored: false))
    #expect(bytes.count <= LogRecord.lineBytes)
    #expect(bytes.last == 10 && bytes.filter { $0 == 10 }.count == 1)
    // The cut is no cut through a character.
    #expect(!String(decoding: bytes, as: UTF8.self).contains("\u{FFFD}"))
  }

  @Test func thresholdIsShared() {
    let threshold = StandardErrorLog.Threshold(.warning)
    let log = StandardErrorLog(label: "a", threshold: threshold, format: .json)
    #expect(log.logLevel == .warning)
    for level in Logger.Level.allCases {
      threshold.level = level
      #expect(log.logLevel == level)
    }
  }

  @Test func colors() {
    #expect(
      line("m\u{1B}[0m", level: .error, .text(isColored: true))
        == "2026-11-22T10:21:00.123Z \u{1B}[31merror\u{1B}[0m    walletpush: m\\u{1b}[0m\n")
  }

  @Test func json() {
    #expect(
      line("chain \"down\"", ["chain": "ETH", "a": "1"], level: .warning, .json)
        == #"{"time":"2026-11-22T10:21:00.123Z","level":"warning","logger":"walletpush","#
        + #""message":"chain \"down\"","metadata":{"a":"1","chain":"ETH"}}"# + "\n")
    #expect(!line("m", [:], .json).contains("metadata"))
  }

  /// Parsed, the line says what was said; as it is, it is printable and one line.
  @Test(arguments: [
    "plain", "a\"b\\c", "line\nfeed", "\u{1B}[31mred", "nul\u{0}", "c1\u{9B}2J", "bidi\u{202E}",
    "sep\u{2028}",
    "tag\u{E0001}", "钱包 ü", #"\u{a}"#,
  ])
  func jsonOfStrangers(_ value: String) throws {
    let line = line(value, ["k\(value)": .string(value)], .json)
    #expect(line.unicodeScalars.count { $0.value < 32 } == 1)
    let unsafe: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]
    #expect(!line.dropLast().unicodeScalars.contains { unsafe.contains($0.properties.generalCategory) })
    let parsed = try JSONParser.parse(
      Array(line.utf8.dropLast()), limits: JSONLimits(depth: 4, numberBytes: 9))
    #expect(parsed["message"]?.string == value)
    #expect(parsed["metadata"]?["k\(value)"]?.string == value)
  }

  @Test(arguments: [8_000, 8_100, 100_000], ["x", "\u{1}", "\u{2028}", "\u{E0001}"])
  func jsonLinesHaveAnEnd(_ count: Int, _ text: String) throws {
    let line = line(String(repeating: text, count: count), ["k": "v"], .json)
    #expect(line.utf8.count <= LogRecord.lineBytes)
    let parsed = try JSONParser.parse(
      Array(line.utf8.dropLast()), limits: JSONLimits(depth: 4, numberBytes: 9))
    #expect(parsed["message"]?.string?.hasPrefix(text) == true)
  }

  @Test(arguments: [
    (Settings.Log.Format.auto, true, false, LogFormat.text(isColored: true)),
    (.auto, true, true, .text(isColored: false)), (.auto, false, false, .json),
    (.text, false, false, .text(isColored: false)), (.text, true, false, .text(isColored: true)),
    (.json, true, false, .json),
  ])
  func formats(_ setting: Settings.Log.Format, _ isTerminal: Bool, _ noColor: Bool, _ format: LogFormat) {
    #expect(LogFormat(setting, isTerminal: isTerminal, wantsNoColor: noColor) == format)
  }
}
