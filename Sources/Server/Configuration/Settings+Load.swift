import Ethereum

extension Settings {
  /// Reads and checks all settings: the command line over the environment over the file over the defaults.
  ///
  /// - Parameters:
  ///   - file: the path of the configuration file; nil: that of `WALLETPUSH_CONFIG`, or none.
  ///   - arguments: what follows the subcommand, without the file's option.
  ///   - environment: all of it; only `WALLETPUSH_…` is looked at.
  ///   - workingDirectory: absolute; for the relative paths that do not come from the file.
  ///   - readFile: reads a file whole. It bounds the length.
  /// - Throws: ``SettingsError``, with a line for each fault.
  public static func load(
    file: String?, arguments: [String], environment: [String: String], workingDirectory: String,
    readFile: (String) throws -> [UInt8]
  ) throws(SettingsError) -> Settings {
    var faults = SettingFaults()
    let contents = try read(
      file ?? environment[EnvironmentNames.file], workingDirectory, readFile, &faults)
    let layers = SettingsLayers(
      arguments: arguments, environment: environment, file: contents, faults: &faults)
    var reader = SettingsReader(layers: layers, workingDirectory: workingDirectory, faults: faults)
    let settings = reader.read()
    guard reader.faults.lines.isEmpty else { throw SettingsError(lines: reader.faults.lines) }
    return settings
  }

  private static func read(
    _ file: String?, _ workingDirectory: String, _ readFile: (String) throws -> [UInt8],
    _ faults: inout SettingFaults
  ) throws(SettingsError) -> SettingsFile {
    guard let file else { return SettingsFile(path: "", bytes: nil, faults: &faults) }
    guard let path = SettingKind<String>.resolve(file, workingDirectory) else {
      throw SettingsError(lines: ["the configuration file's path is empty"])
    }
    do {
      return SettingsFile(path: path, bytes: try readFile(path), faults: &faults)
    } catch {
      throw SettingsError(lines: ["\(path): the configuration file cannot be read: \(error)"])
    }
  }
}

/// Makes settings of what the layers hold.
struct SettingsReader {
  let layers: SettingsLayers
  let workingDirectory: String
  var faults: SettingFaults

  mutating func read() -> Settings {
    var draft = SettingsDraft()
    var origins: [String: SettingOrigin] = [:]
    for setting in SettingDefinition<SettingsDraft>.all {
      if let origin = apply(setting, setting.path, to: &draft) { origins[setting.key] = origin }
    }
    var settings = draft.settings
    if origins["storage.path"] == nil {
      settings.storage.path = inWorkingDirectory(settings.storage.path)
    }
    settings.chains = chains(draft.enabled, origins["chains.enabled"])
    finishTLS(draft, origins, &settings)
    finishAuth(draft, origins, &settings)
    refuseTwins(settings.prices.sources, origins["prices.sources"])
    return settings
  }

  private func inWorkingDirectory(_ path: String) -> String {
    SettingKind<String>.resolve(path, workingDirectory) ?? path
  }

  /// - Returns: where the setting is set; nil where it is not.
  private mutating func apply<Root>(
    _ setting: SettingDefinition<Root>, _ path: [String], to root: inout Root
  ) -> SettingOrigin? {
    guard let (texts, origin) = layers.find(path, setting.form) else { return nil }
    do throws(SettingRefusal) {
      try setting.store(&root, texts, folder(for: origin))
    } catch {
      refuse(setting, path.joined(separator: "."), texts, origin, error)
    }
    return origin
  }

  private func folder(for origin: SettingOrigin) -> String {
    guard case .file(let path) = origin, let slash = path.lastIndex(of: "/") else { return workingDirectory }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private mutating func refuse<Root>(
    _ setting: SettingDefinition<Root>, _ key: String, _ texts: [String], _ origin: SettingOrigin,
    _ refusal: SettingRefusal
  ) {
    var key = key
    var expected = setting.expected
    var found = setting.form == .list ? "none" : quoted(texts.first ?? "", setting, origin)
    if let index = refusal.index {
      key += "[\(index)]"
      expected = setting.expectedElement
      found = quoted(texts[index], setting, origin)
    }
    faults.add(
      origin, key, expected: expected, found: found + (refusal.reason.map { " (\($0))" } ?? ""))
  }

  /// Numbers of the file as they stand there.
  private func quoted<Root>(
    _ text: String, _ setting: SettingDefinition<Root>, _ origin: SettingOrigin
  ) -> String {
    if case .file = origin, setting.form == .number { return Excerpt.of(text) }
    return Excerpt.quoted(setting.secrecy.shown(text))
  }

  // Parts that exist only whole

  private mutating func finishTLS(
    _ draft: SettingsDraft, _ origins: [String: SettingOrigin], _ settings: inout Settings
  ) {
    guard let origin = presence(of: "http.tls", origins) else { return }
    if let certificate = draft.certificate, let key = draft.certificateKey {
      settings.http.tls = Settings.TLS(certificate: certificate, key: key)
    } else {
      for name in ["http.tls.certificate", "http.tls.key"] where origins[name] == nil {
        addMissing(origin, name, "TLS needs a certificate and its key, each the path of a PEM file")
      }
    }
  }

  private mutating func finishAuth(
    _ draft: SettingsDraft, _ origins: [String: SettingOrigin], _ settings: inout Settings
  ) {
    guard let origin = presence(of: "auth", origins) else { return }
    if let keys = draft.authKeys {
      var auth = Settings.Auth(keys: keys)
      auth.issuer = draft.authIssuer ?? auth.issuer
      auth.audience = draft.authAudience ?? auth.audience
      auth.walletsClaim = draft.authWalletsClaim ?? auth.walletsClaim
      settings.auth = auth
    } else if origins["auth.keys"] == nil {
      addMissing(origin, "auth.keys", "without the path of a JSON Web Key Set no token can be checked")
    }
  }

  /// What is there with a value of the wrong kind has its own line, but does not come this far.
  private mutating func addMissing(_ origin: SettingOrigin, _ key: String, _ reason: String) {
    guard !faults.lines.contains(where: { $0.contains(": \(key): ") }) else { return }
    faults.add(origin, key, "missing: \(reason)")
  }

  /// A source that is named twice would be asked twice.
  private mutating func refuseTwins(_ sources: [Settings.Prices.Source], _ origin: SettingOrigin?) {
    var seen: Set<Settings.Prices.Source> = []
    for (index, source) in sources.enumerated() where !seen.insert(source).inserted {
      faults.add(origin, "prices.sources[\(index)]", "\(source.rawValue) is named twice")
    }
  }

  /// Who asked for a section: one of its keys, or the file by an empty object.
  private func presence(of section: String, _ origins: [String: SettingOrigin]) -> SettingOrigin? {
    let keys = SettingDefinition<SettingsDraft>.all.map(\.key).filter { $0.hasPrefix(section + ".") }
    return keys.lazy.compactMap { origins[$0] }.first
      ?? (layers.file.sections.contains(section) ? layers.file.origin : nil)
  }
}

// Chains

extension SettingsReader {
  /// - Parameter enabled: nil: those of the registry, then all others that are set.
  private mutating func chains(_ enabled: [ChainCode]?, _ origin: SettingOrigin?) -> [ChainConfiguration] {
    var known: [ChainCode: ChainConfiguration] = [:]
    var order = ChainRegistry.chains.map(\.code)
    for chain in ChainRegistry.chains { known[chain.code] = ChainConfiguration(chain: chain) }
    for (code, origin) in layers.chains {
      let isListed = known[code] != nil
      known[code] = chain(code, origin)
      if !isListed { order.append(code) }
    }
    var result: [ChainConfiguration] = []
    for (index, code) in (enabled ?? order).enumerated() {
      let key = "chains.enabled[\(index)]"
      guard let chain = known[code] else {
        let builtIn = ChainRegistry.chains.map(\.code.description).joined(separator: ", ")
        faults.add(
          origin, key, expected: "one of \(builtIn), or a chain given with chainId and rpc",
          found: Excerpt.quoted(code.description))
        continue
      }
      if result.contains(where: { $0.code == code }) {
        faults.add(origin, key, "\(code) is named twice")
      } else {
        result.append(chain)
      }
    }
    return result
  }

  /// A chain with what is set for it.
  private mutating func chain(_ code: ChainCode, _ origin: SettingOrigin) -> ChainConfiguration {
    let listed = ChainRegistry.chain(code)
    var configuration = ChainConfiguration(
      chain: listed ?? Chain(unlisted: code, chainID: 0, rpc: []))
    var isSet: Set<String> = []
    for setting in SettingDefinition<ChainConfiguration>.all {
      let path = ["chains", code.description] + setting.path
      if apply(setting, path, to: &configuration) != nil { isSet.insert(setting.key) }
    }
    checkFeeds(of: configuration)
    for name in ["chainId", "rpc"] where listed == nil && !isSet.contains(name) {
      addMissing(origin, "chains.\(code).\(name)", "\(code) is not built in, so it needs chainId and rpc")
    }
    return configuration
  }

  /// A feed prices something, nothing is priced by two, and none is about two things: it describes itself as one.
  private mutating func checkFeeds(of configuration: ChainConfiguration) {
    let chain = configuration.chain
    let path = ["chains", chain.code.description, "chainlinkFeeds"]
    guard let (_, origin) = layers.find(path, .list) else { return }
    var priced: Set<Address?> = []
    var bases: [Address: String] = [:]
    for (index, feed) in configuration.chainlinkFeeds.enumerated() {
      let key = path.joined(separator: ".") + "[\(index)]"
      let contracts = chain.contracts(pricedBy: feed)
      if let token = feed.token, !chain.mayBeToken(token) {
        let coin = chain.nativeCoin.symbol
        faults.add(origin, key, "\(token.checksummed) is no token; the native coin's feed is \(coin)=0x…")
      } else if contracts.isEmpty {
        faults.add(
          origin, key,
          "\(feed.base) is neither the chain's coin nor a built-in token issued there:"
            + " name the token, as in \(feed.base)=0x…:0x…")
      } else if contracts.contains(where: { !priced.insert($0).inserted }) {
        faults.add(origin, key, "what it prices has a feed before")
      } else if let other = bases.updateValue(feed.base, forKey: feed.address), other != feed.base {
        faults.add(origin, key, "the feed \(feed.address.checksummed) is named for \(other) before")
      }
    }
  }
}
