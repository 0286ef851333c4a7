import Logging
import Testing

@testable import Server

@Suite struct StandardErrorLogTests {
  private func line(_ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info)
    -> String
  {
    String(
      decoding: StandardErrorLog.line(
        milliseconds: 1_795_342_860_123, level: level, label: "walletpush", message: message,
        metadata: metadata),
      as: UTF8.self)
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
    let bytes = StandardErrorLog.line(
      milliseconds: 0, level: .info, label: "l", message: String(repeating: "x", count: count) + "钱钱钱钱钱",
      metadata: ["k": "v"])
    #expect(bytes.count <= StandardErrorLog.lineBytes)
    #expect(bytes.last == 10 && bytes.filter { $0 == 10 }.count == 1)
    // The cut is no cut through a character.
    #expect(!String(decoding: bytes, as: UTF8.self).contains("\u{FFFD}"))
  }

  @Test func thresholdIsShared() {
    let threshold = StandardErrorLog.Threshold(.warning)
    let log = StandardErrorLog(label: "a", threshold: threshold)
    #expect(log.logLevel == .warning)
    for level in Logger.Level.allCases {
      threshold.level = level
      #expect(log.logLevel == level)
    }
  }
}
