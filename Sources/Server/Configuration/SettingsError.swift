/// Why the settings cannot be used: whoever wrote them broke the rule.
public struct SettingsError: Error, Sendable, Equatable {
  /// One for each fault: where it came from, the key, what would be right, and what was found.
  public let lines: [String]

  public init(lines: [String]) { self.lines = lines }
}

extension SettingsError: CustomStringConvertible {
  public var description: String { lines.joined(separator: "\n") }
}

/// Where a value came from, as messages name it.
enum SettingOrigin: Sendable, Equatable {
  case file(path: String)
  case environment(name: String)
  case option(name: String)
}

extension SettingOrigin: CustomStringConvertible {
  var description: String {
    switch self {
    case .file(let path): path
    case .environment(let name): "environment variable \(name)"
    case .option(let name): "option \(name)"
    }
  }
}

/// Faults are gathered, so that one start shows all of them.
struct SettingFaults {
  private(set) var lines: [String] = []

  mutating func add(_ origin: SettingOrigin?, _ key: String?, _ message: String) {
    let parts = [origin?.description, key, message].compactMap { $0 }
    lines.append(Self.oneLine(parts.joined(separator: ": ")))
  }

  /// A key or a value may hold anything that JSON can write: what would begin another line, or do something to a
  /// terminal, is shown as it is written in Swift.
  private static func oneLine(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: scalar.escaped(asASCII: true)
      default: String(scalar)
      }
    }.joined()
  }

  mutating func add(_ origin: SettingOrigin?, _ key: String, expected: String, found: String) {
    add(origin, key, "expected \(expected), found \(found)")
  }

  mutating func addUnknown(_ origin: SettingOrigin?, _ key: String?, what: String, known: [String]) {
    let name = key ?? origin.map(Self.name) ?? ""
    if let near = Spelling.nearest(to: name, among: known) {
      add(origin, key, "no such \(what); did you mean \(near)?")
    } else if known.count <= 20 {
      add(origin, key, "no such \(what); there are \(known.joined(separator: ", "))")
    } else {
      add(origin, key, "no such \(what)")
    }
  }

  private static func name(_ origin: SettingOrigin) -> String {
    switch origin {
    case .file(let name), .environment(let name), .option(let name): name
    }
  }
}

/// Telling a misspelt name from a foreign one.
enum Spelling {
  /// The name that fewest edits lead to, if they are few for its length.
  static func nearest(to name: String, among known: [String]) -> String? {
    guard name.utf8.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in known {
      let distance = distance(Array(name.lowercased().utf8), Array(candidate.lowercased().utf8))
      if distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    // "http.prot" is three quarters right; "zzz" is nothing.
    if let best, best.distance <= max(1, min(3, name.utf8.count / 4)) { return best.name }
    return only(endingIn: name, among: known)
  }

  /// `--http-port` for `--port`, and the same of a variable.
  private static func only(endingIn name: String, among known: [String]) -> String? {
    for (prefix, separator) in [("--", "-"), (EnvironmentNames.prefix, "_")] where name.hasPrefix(prefix) {
      let ending = separator + name.dropFirst(prefix.count)
      let matches = known.filter { ending.count > 1 && $0.hasSuffix(ending) }
      if matches.count == 1 { return matches.first }
    }
    return nil
  }

  /// Levenshtein's: insertions, deletions and replacements.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in right.enumerated() {
        let replaced = diagonal + (byte == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }
}
