import Ethereum
import JSON

extension Settings {
  /// The settings in the shape of the configuration file, as indented JSON.
  ///
  /// - Parameter revealingSecrets: if not, keys are shown as `***`, and of URLs that are not built in only
  ///   scheme and host: their paths and queries often hold keys.
  public func describe(revealingSecrets: Bool = false) -> String {
    var text = ""
    IndentedJSON.append(json(revealingSecrets: revealingSecrets), to: &text)
    return text
  }

  func json(revealingSecrets: Bool) -> JSONValue {
    let draft = SettingsDraft(self)
    let defaults = SettingsDraft()
    var root = JSONTree()
    for setting in SettingDefinition<SettingsDraft>.all {
      guard let value = setting.show(draft) else { continue }
      let isOpen = revealingSecrets || value == setting.show(defaults)
      root.set(setting.path, isOpen ? value : value.hiding(setting.secrecy))
    }
    for chain in chains {
      let builtIn = ChainRegistry.chain(chain.code).map { ChainConfiguration(chain: $0) }
      for setting in SettingDefinition<ChainConfiguration>.all {
        guard let value = setting.show(chain) else { continue }
        let isOpen = revealingSecrets || value == builtIn.flatMap(setting.show)
        root.set(
          ["chains", chain.code.description] + setting.path, isOpen ? value : value.hiding(setting.secrecy))
      }
    }
    return root.value
  }
}

extension JSONValue {
  fileprivate func hiding(_ secrecy: SettingSecrecy) -> JSONValue {
    switch self {
    case .string(let text): .string(secrecy.shown(text))
    case .array(let elements): .array(elements.map { $0.hiding(secrecy) })
    case .null, .bool, .number, .object: self
    }
  }
}

/// Objects inside objects, built by path.
private struct JSONTree {
  private(set) var value = JSONValue.object(JSONObject())

  mutating func set(_ path: [String], _ leaf: JSONValue) { value = Self.setting(path[...], leaf, in: value) }

  private static func setting(_ path: ArraySlice<String>, _ leaf: JSONValue, in value: JSONValue?)
    -> JSONValue
  {
    guard let name = path.first else { return leaf }
    var object = value?.object ?? JSONObject()
    object[name] = setting(path.dropFirst(), leaf, in: object[name])
    return .object(object)
  }
}

/// JSON for people: a member on each line, arrays on one.
private enum IndentedJSON {
  static func append(_ value: JSONValue, to text: inout String, indent: String = "") {
    guard let object = value.object, !object.isEmpty else { return text += value.description }
    text += "{\n"
    for (index, member) in object.members.enumerated() {
      text += indent + "  " + JSONValue.string(member.key).description + ": "
      append(member.value, to: &text, indent: indent + "  ")
      text += index + 1 < object.count ? ",\n" : "\n"
    }
    text += indent + "}"
  }
}
