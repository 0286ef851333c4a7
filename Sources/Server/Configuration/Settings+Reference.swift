import Ethereum
import JSON

extension Settings {
  /// What can be set, as Markdown: a table for each group, one for what every chain has, and the chains that are known
  /// without settings. The settings' page of the documentation holds it.
  public static var reference: String {
    var defaults = Settings()
    // It exists only where it is set, and has defaults then.
    defaults.auth = Auth(keys: "")
    let draft = SettingsDraft(defaults)
    let unset = SettingsDraft()
    var groups: [(name: String, rows: [String])] = []
    for setting in SettingDefinition<SettingsDraft>.all {
      let name = setting.path[0]
      if groups.last?.name != name { groups.append((name, [])) }
      // All chains that are known, by default: said in words.
      let value = setting.show(unset) ?? (name == "auth" ? setting.show(draft) : nil)
      groups[groups.count - 1].rows.append(MarkdownTable.row(setting, key: setting.key, value: value))
    }
    let chain = SettingDefinition<ChainConfiguration>.all.map { setting in
      MarkdownTable.row(setting, key: "chains.CODE.\(setting.key)", value: commonValue(setting))
    }
    let tables = groups.flatMap { name, rows in
      let table = MarkdownTable.text("`\(name)`", settingColumns, rows)
      return name == "chains" ? [table, MarkdownTable.text("`chains.CODE`", settingColumns, chain)] : [table]
    }
    let chains = MarkdownTable.text(
      "Chains that need no settings", ["code", "chain", "id", "coin", "`rpc`"],
      ChainRegistry.chains.map { chain in
        MarkdownTable.row([
          "`\(chain.code)`", chain.name, String(chain.chainID), chain.nativeCoin.symbol,
          chain.rpc.map { "`\($0)`" }.joined(separator: ", "),
        ])
      })
    return (tables + [chains]).joined(separator: "\n")
  }

  private static let settingColumns = ["key", "default", "meaning", "values"]

  /// Nil where the chains that are known differ in it.
  private static func commonValue(_ setting: SettingDefinition<ChainConfiguration>) -> JSONValue? {
    let values = ChainRegistry.chains.map { setting.show(ChainConfiguration(chain: $0)) }
    return values.allSatisfy { $0 == values.first } ? values.first ?? nil : nil
  }
}

private enum MarkdownTable {
  static func text(_ title: String, _ columns: [String], _ rows: [String]) -> String {
    let head = [row(columns), row(columns.map { _ in "---" })]
    return (["### \(title)", ""] + head + rows).joined(separator: "\n") + "\n"
  }

  static func row(_ cells: [String]) -> String {
    "| " + cells.map { $0.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ") + " |"
  }

  static func row<Root>(_ setting: SettingDefinition<Root>, key: String, value: JSONValue?) -> String {
    row(["`\(key)`", value.map(shown) ?? "", setting.summary, setting.expected])
  }

  /// As it is written in the environment; what is empty is left empty.
  private static func shown(_ value: JSONValue) -> String {
    let texts = (value.array ?? [value]).map { $0.string ?? $0.description }
    let text = texts.joined(separator: ",")
    return text.isEmpty ? "" : "`\(text)`"
  }
}
