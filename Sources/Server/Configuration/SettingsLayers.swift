// The three places a setting may come from, as swift-configuration's providers:
//
//   command line  over  environment  over  file
//
// The providers answer for a key; they neither mind names nobody asks for, nor say where an answer came from.
// So each is asked in turn, and the names that are there are checked against the names that the providers
// make of our keys.

import Configuration
import Ethereum

struct SettingsLayers {
  let options: CommandLineArgumentsProvider
  let environment: EnvironmentVariablesProvider
  let file: SettingsFile
  private let fileProvider: InMemoryProvider
  /// The chains that any of them sets, and which did first.
  private(set) var chains: [(code: ChainCode, origin: SettingOrigin)] = []

  init(
    arguments: [String], environment variables: [String: String], file: SettingsFile,
    faults: inout SettingFaults
  ) {
    self.file = file
    fileProvider = file.provider
    environment = EnvironmentVariablesProvider(
      environmentVariables: variables.filter { $0.key.hasPrefix(EnvironmentNames.prefix) },
      secretsSpecifier: .all)
    var reader = OptionReader()
    reader.read(arguments, &faults)
    // It takes the first argument for the program's name.
    options = CommandLineArgumentsProvider(
      arguments: ["walletpush"] + reader.accepted, secretsSpecifier: .all)
    for code in file.chains { note(code, file.origin) }
    for (code, name) in EnvironmentNames.check(variables.keys.sorted(), variables, &faults) {
      note(code, .environment(name: name))
    }
    for (code, name) in reader.chains { note(code, .option(name: name)) }
  }

  private mutating func note(_ code: ChainCode, _ origin: SettingOrigin) {
    if !chains.contains(where: { $0.code == code }) { chains.append((code, origin)) }
  }

  /// The texts of a setting and where they stand; nil where nobody set it.
  func find(_ path: [String], _ form: SettingForm) -> (texts: [String], origin: SettingOrigin)? {
    if let found = value(options, path, .stringArray) {
      return (Self.optionTexts(found.texts, form), .option(name: found.name))
    }
    let type: ConfigType = form == .list ? .stringArray : .string
    if let found = value(environment, [EnvironmentNames.section] + path, type) {
      return (Self.listTexts(found.texts, form), .environment(name: found.name))
    }
    return value(fileProvider, path, type).map { ($0.texts, file.origin) }
  }

  /// The providers throw only where a value is not of the type that is asked for, and texts always are.
  private func value(
    _ provider: some ConfigProvider, _ path: [String], _ type: ConfigType
  ) -> (texts: [String], name: String)? {
    guard let result = try? provider.value(forKey: AbsoluteConfigKey(path), type: type) else { return nil }
    return switch result.value?.content {
    case .string(let text): ([text], result.encodedKey)
    case .stringArray(let texts): (texts, result.encodedKey)
    default: nil
    }
  }

  /// The provider cuts every value at its commas, and gives none for an option that stands alone.
  private static func optionTexts(_ texts: [String], _ form: SettingForm) -> [String] {
    switch form {
    case .list: listTexts(texts, form)
    case .boolean where texts.isEmpty: ["true"]
    case .boolean, .number, .text: [texts.joined(separator: ",")]
    }
  }

  /// A list of nothing is the empty list.
  private static func listTexts(_ texts: [String], _ form: SettingForm) -> [String] {
    guard form == .list else { return texts }
    return texts == [""] ? [] : texts.map { $0.trimmingBlanks() }
  }
}

extension String {
  fileprivate func trimmingBlanks() -> String {
    var text = self[...]
    while text.first == " " { text = text.dropFirst() }
    while text.last == " " { text = text.dropLast() }
    return String(text)
  }
}

/// The names that the providers make of our keys: asked of themselves, so that they cannot differ.
enum SettingNames {
  private static let optionsProvider = CommandLineArgumentsProvider(arguments: [])
  private static let environmentProvider = EnvironmentVariablesProvider(environmentVariables: [:])

  /// `--http-port`.
  static func option(_ path: [String]) -> String {
    let result = try? optionsProvider.value(forKey: AbsoluteConfigKey(path), type: .stringArray)
    return result?.encodedKey ?? ""
  }

  /// `WALLETPUSH_HTTP_PORT`.
  static func variable(_ path: [String]) -> String {
    let key = AbsoluteConfigKey([EnvironmentNames.section] + path)
    return (try? environmentProvider.value(forKey: key, type: .string))?.encodedKey ?? ""
  }

  static let options = Dictionary(
    uniqueKeysWithValues: SettingDefinition<SettingsDraft>.all.map { (option($0.path), $0.form) })

  static let variables = Set(SettingDefinition<SettingsDraft>.all.map { variable($0.path) })

  /// `-chain-id` and `_CHAIN_ID`: what stands behind a chain's code.
  static let chainSuffixes = SettingDefinition<ChainConfiguration>.all.map { setting in
    let marked = ["x"] + setting.path
    return (
      option: String(option(marked).dropFirst("--x".count)),
      variable: String(variable(marked).dropFirst(EnvironmentNames.prefix.count + 1)), form: setting.form
    )
  }
}

/// The access tokens of the commands that are clients of a server.
public enum TokenVariable {
  public static let wallets = "WALLETPUSH_TOKEN"
  public static let load = "WALLETPUSH_LOAD_TOKEN"
  public static let watch = "WALLETPUSH_WATCH_TOKEN"
}

/// Whether a `WALLETPUSH_…` variable is one of ours.
enum EnvironmentNames {
  static let section = "walletpush"
  static let prefix = "WALLETPUSH_"
  /// Names the configuration file.
  static let file = "WALLETPUSH_CONFIG"
  /// What is no setting, and may be there all the same.
  private static let others: Set = [file, TokenVariable.wallets, TokenVariable.load, TokenVariable.watch]

  /// - Returns: the chains that are set, with the variables that do.
  static func check(
    _ names: [String], _ variables: [String: String], _ faults: inout SettingFaults
  ) -> [(ChainCode, String)] {
    var chains: [(ChainCode, String)] = []
    for name in names where name.hasPrefix(prefix) {
      if others.contains(name) || SettingNames.variables.contains(name) { continue }
      if let code = chain(of: name) {
        chains.append((code, name))
      } else if !isServiceLink(name, variables[name] ?? "") {
        faults.addUnknown(
          .environment(name: name), nil, what: "setting", known: SettingNames.variables.sorted())
      }
    }
    return chains
  }

  private static func chain(of name: String) -> ChainCode? {
    let prefix = prefix + "CHAINS_"
    guard name.hasPrefix(prefix) else { return nil }
    for suffix in SettingNames.chainSuffixes where name.hasSuffix(suffix.variable) {
      let code = String(name.dropFirst(prefix.count).dropLast(suffix.variable.count))
      guard let parsed = try? ChainCode(parsing: code), parsed.description == code else { return nil }
      return parsed
    }
    return nil
  }

  /// Kubernetes and Docker put `WALLETPUSH_SERVICE_HOST`, `WALLETPUSH_PORT=tcp://…` and
  /// `WALLETPUSH_PORT_8080_TCP…` into the environment of every neighbour of a service that is called
  /// walletpush.
  private static func isServiceLink(_ name: String, _ value: String) -> Bool {
    let rest = name.dropFirst(prefix.count)
    if rest == "SERVICE_HOST" || rest == "SERVICE_PORT" || rest.hasPrefix("SERVICE_PORT_") { return true }
    if rest == "PORT" { return value.contains("://") }
    return rest.hasPrefix("PORT_") && rest.dropFirst("PORT_".count).first?.isNumber == true
  }
}
