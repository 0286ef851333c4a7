// What the server answers to requests that are malformed, ambiguous or odd: one table, checked at the parser, at
// the running server and in the documentation. It is data only, so that no layer judges itself.

/// One request and what becomes of it under the default settings.
public struct StrictnessCase: Sendable {
  /// What becomes of the connection.
  public enum Fate: Equatable, Sendable {
    /// The next request on it is read.
    case kept
    /// Nothing behind the request is read.
    case closed
    /// It became a WebSocket, which was closed with this code.
    case webSocket(UInt16)
  }

  /// Markdown: what was sent, as it stands in the documentation.
  public let title: String
  public let bytes: [UInt8]
  public let status: Int
  public let fate: Fate

  public init(_ title: String, _ text: String, _ status: Int, _ fate: Fate) {
    self.init(title, bytes: Array(text.utf8), status, fate)
  }

  public init(_ title: String, bytes: [UInt8], _ status: Int, _ fate: Fate) {
    (self.title, self.bytes, self.status, self.fate) = (title, bytes, status, fate)
  }
}

/// Cases that belong together.
public struct StrictnessFamily: Sendable {
  public let title: String
  /// The rule, with where it comes from.
  public let rule: String
  public let cases: [StrictnessCase]

  public init(_ title: String, _ rule: String, _ cases: [StrictnessCase]) {
    (self.title, self.rule, self.cases) = (title, rule, cases)
  }
}

extension StrictnessFamily {
  public static let all: [StrictnessFamily] = [
    twoLengths, transferEncoding, contentLength, chunks, trailers, lines, fields, requestLine, target, host,
    expectation, upgrade, limits,
  ]

  /// The table as the documentation shows it.
  public static let markdown = all.map(\.markdown).joined(separator: "\n")

  private var markdown: String {
    var text = "### \(title)\n\n\(rule)\n\n| request | status | connection |\n|---|---|---|\n"
    for row in cases {
      let title = row.title.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
      text += "| \(title) | \(row.status) | \(row.fate.markdown) |\n"
    }
    return text
  }
}

extension StrictnessCase.Fate {
  fileprivate var markdown: String {
    switch self {
    case .kept: "kept"
    case .closed: "closed"
    case .webSocket(let code): "WebSocket, closed with \(code)"
    }
  }
}

// MARK: - Requests

extension StrictnessCase {
  /// A POST with one header line, or several, and nothing behind them.
  static func post(_ fields: String, _ status: Int, _ fate: Fate = .closed, body: String = "") -> Self {
    let shown = body.isEmpty ? fields : fields + "\r\n\r\n" + body
    return Self(
      code(shown), "POST /healthz HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)", status, fate)
  }

  /// A chunked POST.
  static func chunked(_ body: String, _ status: Int, _ fate: Fate = .closed) -> Self {
    Self(
      code(body), "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", status,
      fate)
  }

  /// A GET of this target.
  static func target(_ target: String, _ status: Int, _ fate: Fate) -> Self {
    Self(code("GET \(target)"), "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", status, fate)
  }

  /// A request line, with a Host line behind it.
  static func line(_ line: String, _ status: Int, _ fate: Fate = .closed) -> Self {
    Self(code(line), "\(line)\r\nHost: a\r\n\r\n", status, fate)
  }

  /// A GET whose head is the request line and these lines.
  static func get(_ lines: String, _ status: Int, _ fate: Fate = .closed) -> Self {
    Self(code(lines), "GET /healthz HTTP/1.1\r\n\(lines)\r\n\r\n", status, fate)
  }

  /// As code, with what is not printable ASCII escaped.
  static func code(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\r": shown += "\\r"
      case "\n": shown += "\\n"
      case "\t": shown += "\\t"
      case " "..."~": shown.unicodeScalars.append(scalar)
      default: shown += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return "`\(shown)`"
  }
}
