import Configuration
import Ethereum
import JSON

/// The configuration file, taken apart: each known key with its value as text, and every fault of shape.
///
/// It is read by our own parser: swift-configuration's file provider neither lists a file's keys, so that
/// unknown ones could be found, nor tells `1` from `"1"`.
struct SettingsFile {
  /// Deeper and longer than any setting needs.
  static let limits = JSONLimits(depth: 16, numberBytes: 64)

  let path: String
  /// Scalars as `.string`, lists as `.stringArray`.
  private(set) var values: [AbsoluteConfigKey: ConfigValue] = [:]
  /// Every object that stands in it: `auth`, `http.tls`.
  private(set) var sections: Set<String> = []
  /// The chains it sets, in its order.
  private(set) var chains: [ChainCode] = []

  /// - Parameter bytes: nil where there is no file.
  init(path: String, bytes: [UInt8]?, faults: inout SettingFaults) {
    self.path = path
    if let bytes { read(bytes, &faults) }
  }

  private mutating func read(_ bytes: [UInt8], _ faults: inout SettingFaults) {
    do throws(JSONError) {
      let value = try JSONParser.parse(bytes, limits: Self.limits)
      guard let root = value.object else {
        return faults.add(origin, nil, "expected an object of settings, found \(value.kindDescription)")
      }
      walk(root, [], &faults)
    } catch {
      faults.add(origin, nil, Self.place(of: error, in: bytes))
    }
  }

  var origin: SettingOrigin { .file(path: path) }
  var provider: InMemoryProvider { InMemoryProvider(name: path, values: values) }

  /// `line 3, column 14: unexpected '}': expected a value`, columns counted in characters.
  private static func place(of error: JSONError, in bytes: [UInt8]) -> String {
    let before = bytes[..<min(error.offset, bytes.count)]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
    // Its own text counts bytes from the start, which helps nobody with an editor.
    let text = error.description.replacing(" at byte \(error.offset)", with: "")
    return "line \(line), column \(column): \(text)"
  }

  private mutating func walk(_ object: JSONObject, _ section: [String], _ faults: inout SettingFaults) {
    if !section.isEmpty { sections.insert(section.joined(separator: ".")) }
    for member in object {
      let path = section + [member.key]
      let key = path.joined(separator: ".")
      if let setting = SettingsIndex.settings[path] {
        take(member.value, path, setting.form, setting.expected, setting.secrecy, &faults)
      } else if SettingsIndex.sections.contains(path) {
        guard let inner = enter(member.value, key, &faults) else { continue }
        walk(inner, path, &faults)
      } else if member.key.contains(".") {
        faults.add(origin, key, "no such setting; its parts are objects inside one another, not one name")
      } else if section == ["chains"] {
        walkChain(member, &faults)
      } else {
        faults.addUnknown(origin, key, what: "setting", known: SettingsIndex.children(of: section))
      }
    }
  }

  private mutating func walkChain(_ member: JSONObject.Member, _ faults: inout SettingFaults) {
    let key = "chains." + member.key
    guard let code = try? ChainCode(parsing: member.key), code.description == member.key else {
      return faults.add(
        origin, key, "no such setting; chains has \"enabled\" and chains by their upper-case codes")
    }
    guard let object = enter(member.value, key, &faults) else { return }
    chains.append(code)
    for inner in object {
      if let setting = SettingsIndex.chain[inner.key] {
        take(
          inner.value, ["chains", member.key, inner.key], setting.form, setting.expected, setting.secrecy,
          &faults)
      } else {
        let known = SettingDefinition<ChainConfiguration>.all.map { key + "." + $0.key }
        faults.addUnknown(origin, key + "." + inner.key, what: "setting", known: known)
      }
    }
  }

  private func enter(_ value: JSONValue, _ key: String, _ faults: inout SettingFaults) -> JSONObject? {
    if let object = value.object { return object }
    faults.add(origin, key, expected: "an object", found: value.excerpt)
    return nil
  }

  private mutating func take(
    _ value: JSONValue, _ path: [String], _ form: SettingForm, _ expected: String,
    _ secrecy: SettingSecrecy, _ faults: inout SettingFaults
  ) {
    guard let texts = form.texts(value) else {
      let found = secrecy == .open ? value.excerpt : value.kindDescription
      return faults.add(origin, path.joined(separator: "."), expected: expected, found: found)
    }
    let content: ConfigContent = form == .list ? .stringArray(texts) : .string(texts[0])
    values[AbsoluteConfigKey(path)] = ConfigValue(content, isSecret: secrecy == .secret)
  }
}

extension JSONValue {
  /// Short enough for a line.
  var excerpt: String {
    switch self {
    case .object: kindDescription
    default: Excerpt.of(description)
    }
  }
}

enum Excerpt {
  static func of(_ text: String) -> String {
    text.count <= 80 ? text : text.prefix(77) + "…"
  }

  /// As a JSON string, so that blanks and control characters show.
  static func quoted(_ text: String) -> String { of(JSONValue.string(text).description) }
}

/// The tables, by path: a name of the file may itself hold a dot.
enum SettingsIndex {
  static let settings = Dictionary(
    uniqueKeysWithValues: SettingDefinition<SettingsDraft>.all.map { ($0.path, $0) })
  static let chain = Dictionary(
    uniqueKeysWithValues: SettingDefinition<ChainConfiguration>.all.map { ($0.key, $0) })

  /// `http`, `http.tls` …
  static let sections: Set<[String]> = {
    var sections: Set<[String]> = []
    for setting in SettingDefinition<SettingsDraft>.all {
      for length in 1..<setting.path.count {
        sections.insert(Array(setting.path[..<length]))
      }
    }
    return sections
  }()

  /// What may stand in a section, in the table's order.
  static func children(of section: [String]) -> [String] {
    var names: [String] = []
    for setting in SettingDefinition<SettingsDraft>.all where setting.path.starts(with: section) {
      let name = setting.path[...section.count].joined(separator: ".")
      if names.last != name { names.append(name) }
    }
    return names
  }
}
