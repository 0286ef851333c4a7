import Ethereum

/// Checks a command line before the provider reads it: the provider takes any name, and what belongs to no
/// option it drops.
struct OptionReader {
  /// What is in order, with each name as the provider expects it.
  private(set) var accepted: [String] = []
  /// The chains that are set, with the options that do.
  private(set) var chains: [(ChainCode, String)] = []
  private var seen: Set<String> = []

  /// `--a-b VALUE`, `--a-b=VALUE`; a list may have several values, a boolean none.
  mutating func read(_ arguments: [String], _ faults: inout SettingFaults) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        let shown = argument.contains("://") ? SettingSecrecy.url.shown(argument) : argument
        faults.add(
          nil, nil, "argument \(Excerpt.quoted(shown)): belongs to no option; options begin with --")
        continue
      }
      let equals = argument.firstIndex(of: "=")
      let name = String(argument[..<(equals ?? argument.endIndex)])
      var values = equals.map { [String(argument[argument.index(after: $0)...])] } ?? []
      let option = find(name)
      let room = equals != nil ? 0 : option?.form == .list ? Int.max : 1
      while values.count < room || equals == nil && option == nil, let next = rest.first,
        !next.hasPrefix("--")
      {
        values.append(next)
        rest.removeFirst()
      }
      guard let option else {
        faults.addUnknown(
          .option(name: name), nil, what: "option", known: SettingNames.options.keys.sorted())
        continue
      }
      accept(option, values, &faults)
    }
  }

  private mutating func accept(
    _ option: (name: String, form: SettingForm, chain: ChainCode?), _ values: [String],
    _ faults: inout SettingFaults
  ) {
    let origin = SettingOrigin.option(name: option.name)
    guard !values.isEmpty || option.form == .boolean else {
      return faults.add(origin, nil, "its value is missing")
    }
    guard seen.insert(option.name).inserted || option.form == .list else {
      return faults.add(origin, nil, "given twice")
    }
    if let chain = option.chain { chains.append((chain, option.name)) }
    // One argument for each value: a value of its own could be taken for an option.
    accepted += values.isEmpty ? [option.name] : values.map { option.name + "=" + $0 }
  }

  /// A chain's code may be written with dashes: `--chains-eth-sepolia-rpc`.
  private func find(_ name: String) -> (name: String, form: SettingForm, chain: ChainCode?)? {
    if let form = SettingNames.options[name] { return (name, form, nil) }
    let prefix = "--chains-"
    guard name.hasPrefix(prefix) else { return nil }
    for suffix in SettingNames.chainSuffixes where name.hasSuffix(suffix.option) {
      let text = name.dropFirst(prefix.count).dropLast(suffix.option.count).map { $0 == "-" ? "_" : $0 }
      guard let code = try? ChainCode(parsing: String(text)) else { return nil }
      return (prefix + code.description.lowercased() + suffix.option, suffix.form, code)
    }
    return nil
  }
}
