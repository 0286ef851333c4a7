import Ethereum
import JSON
import Upstream

/// How a value stands in the file. In the environment and on the command line everything is text, and lists
/// are comma-separated.
enum SettingForm: Sendable, Equatable {
  case number, boolean, text, list

  /// The raw texts of a JSON value; nil where it is of another kind.
  func texts(_ value: JSONValue) -> [String]? {
    switch self {
    case .number: return value.number.map { [$0.text] }
    case .boolean: return value.bool.map { [String($0)] }
    case .text: return value.string.map { [$0] }
    case .list:
      guard let elements = value.array else { return nil }
      let texts = elements.compactMap(\.string)
      return texts.count == elements.count ? texts : nil
    }
  }
}

/// How much of a value messages and ``Settings/describe(revealingSecrets:)`` show.
enum SettingSecrecy: Sendable {
  case open
  /// A path or a query may hold a key.
  case url
  case secret

  func shown(_ text: String) -> String {
    switch self {
    case .open: text
    case .url: Self.withoutPath(text)
    case .secret: text.isEmpty ? "" : "***"
    }
  }

  /// `https://host/…`: scheme and host of what may not even be a URL.
  static func withoutPath(_ text: String) -> String {
    let marker = text.firstRange(of: "://")
    var start = marker?.upperBound ?? text.startIndex
    let end = text[start...].firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? text.endIndex
    let scheme = text[..<start]
    // A user name and a password.
    let at = text[start..<end].lastIndex(of: "@")
    if let at { start = text.index(after: at) }
    let tail = text[end...].dropFirst().isEmpty ? String(text[end...]) : "/…"
    return scheme + (at == nil ? "" : "…@") + text[start..<end] + tail
  }
}

/// Why a text is no value of its kind.
struct SettingRefusal: Error {
  /// Which element of a list.
  var index: Int?
  /// More than ``SettingKind/expected`` says.
  var reason: String?
}

/// What a setting may be: reading it from text, and showing it again.
struct SettingKind<Value: Sendable>: Sendable {
  let form: SettingForm
  /// Completes "expected …".
  let expected: String
  /// The same for one element of a list.
  let expectedElement: String
  let secrecy: SettingSecrecy
  /// - Parameter folder: what a relative path is relative to.
  let parse: @Sendable (_ texts: [String], _ folder: String) throws(SettingRefusal) -> Value
  let show: @Sendable (Value) -> JSONValue

  /// A kind of one text.
  init(
    _ form: SettingForm, expected: String, secrecy: SettingSecrecy = .open,
    parse: @escaping @Sendable (_ text: String, _ folder: String) throws(SettingRefusal) -> Value?,
    show: @escaping @Sendable (Value) -> JSONValue
  ) {
    self.form = form
    self.expected = expected
    expectedElement = expected
    self.secrecy = secrecy
    self.parse = { (texts, folder) throws(SettingRefusal) in
      guard texts.count == 1, let value = try parse(texts[0], folder) else { throw SettingRefusal() }
      return value
    }
    self.show = show
  }

  private init(
    list expected: String, of expectedElement: String, secrecy: SettingSecrecy,
    parse: @escaping @Sendable (_ texts: [String], _ folder: String) throws(SettingRefusal) -> Value,
    show: @escaping @Sendable (Value) -> JSONValue
  ) {
    form = .list
    self.expected = expected
    self.expectedElement = expectedElement
    self.secrecy = secrecy
    self.parse = parse
    self.show = show
  }

  /// A list of another kind.
  /// - Parameter plural: what its elements are, for messages.
  static func list<Element>(
    _ element: SettingKind<Element>, of plural: String, atLeastOne: Bool = false
  ) -> Self where Value == [Element] {
    Self(
      list: atLeastOne ? "a list of at least one of \(plural)" : "a list of \(plural)",
      of: element.expected, secrecy: element.secrecy,
      parse: { (texts, folder) throws(SettingRefusal) in
        guard !atLeastOne || !texts.isEmpty else { throw SettingRefusal() }
        var values: [Element] = []
        for (index, text) in texts.enumerated() {
          do throws(SettingRefusal) {
            values.append(try element.parse([text], folder))
          } catch {
            throw SettingRefusal(index: index, reason: error.reason)
          }
        }
        return values
      },
      show: { .array($0.map(element.show)) })
  }
}
