import Storage

/// What the settings name on this machine, read and checked before anything starts: a fault here is one of the
/// settings, and starting again does not help.
public struct SettingsFiles: Sendable {
  /// Those that name them.
  public let settings: Settings
  let certificate: ServerCertificate?
  let keys: AccessKeys?
  let tokenLists: TokenListFiles
  /// Of `http.webRoot`; nil: it is to be found.
  let webRoot: StaticFiles?

  /// - Throws: a line for each fault, which names the setting, the file, and what would be right.
  public init(_ settings: Settings) throws(SettingsError) {
    self.settings = settings
    var faults = SettingFaults()
    func read<Value>(_ body: () throws(StartError) -> Value) -> Value? {
      do throws(StartError) {
        return try body()
      } catch {
        faults.add(nil, nil, error.description)
        return nil
      }
    }
    certificate = settings.http.tls.flatMap { files in
      read { () throws(StartError) in try ServerCertificate(files) }
    }
    webRoot = settings.http.webRoot.flatMap { folder in
      read { () throws(StartError) in try WebRoot.load(folder) }
    }
    do throws(StorageError) {
      try Database.check(path: settings.storage.path)
    } catch {
      faults.add(nil, "storage.path", error.description)
    }
    var unreadable: [StartError] = []
    tokenLists = TokenListFiles(settings.chains, faults: &unreadable)
    for fault in unreadable { faults.add(nil, nil, fault.description) }
    keys = settings.auth.flatMap { auth in read { () throws(StartError) in try AccessKeys(auth) } }
    guard faults.lines.isEmpty else { throw SettingsError(lines: faults.lines) }
  }

  /// What does not keep the server from starting; a line each.
  ///
  /// - Parameter now: Unix time in seconds.
  public func warnings(now: Int64) -> [String] {
    (certificate?.warnings(now: now) ?? []) + (keys?.warnings ?? [])
  }
}
