import Ethereum
import TestSupport
import Testing

@testable import Server

/// The files that settings name, looked at before anything starts.
@Suite struct SettingsFilesTests {
  private let folder: TemporaryFolder
  private var settings = Settings()

  init() throws {
    folder = try TemporaryFolder()
    settings.storage.path = folder.path + "/db.sqlite"
    settings.chains = Array(settings.chains.prefix(1))
  }

  /// What is said, without the folder.
  private func lines(_ configure: (inout Settings) -> Void) -> [String] {
    var settings = settings
    configure(&settings)
    do throws(SettingsError) {
      _ = try SettingsFiles(settings)
      return []
    } catch {
      return error.lines.map { $0.replacing(folder.path, with: "") }
    }
  }

  private static let lists = "chains.ETH.tokenLists: "

  @Test func whatIsThereIsRight() throws {
    try folder.write("list.json", #"{"tokens":[]}"#)
    try folder.write("keys.json", #"{"keys":[{"kty":"oct","k":"\#(String(repeating: "A", count: 43))"}]}"#)
    folder.folder("web")
    try folder.write("web/index.html", "front")
    #expect(
      lines {
        $0.chains[0].tokenLists = [folder.path + "/list.json", "https://lists.example/not-asked.json"]
        $0.auth = Settings.Auth(keys: folder.path + "/keys.json")
        $0.http.webRoot = folder.path + "/web"
      } == [])
    #expect(lines { $0.storage.path = Settings.Storage.inMemory } == [])
  }

  @Test func everyFaultIsALineThatSaysWhatWouldBeRight() throws {
    try folder.write("not-a-folder", "")
    #expect(
      lines {
        $0.chains[0].tokenLists = [folder.path + "/a.json", folder.path + "/b.json"]
        $0.auth = Settings.Auth(keys: folder.path + "/keys.json")
        $0.http.tls = Settings.TLS(certificate: folder.path + "/cert.pem", key: folder.path + "/key.pem")
        $0.http.webRoot = folder.path + "/web"
        $0.storage.path = folder.path + "/gone/db.sqlite"
      } == [
        "http.tls.certificate: /cert.pem: cannot be read: No such file or directory;"
          + " expected a PEM file the server may read",
        "http.webRoot: /web: /web: No such file or directory; expected the web-client-sample folder",
        "storage.path: the database /gone/db.sqlite cannot be created because the folder /gone does not exist:"
          + " create it first",
        Self.lists + "/a.json: cannot be read: No such file or directory;"
          + " expected a token list (tokenlists.org) the server may read",
        Self.lists + "/b.json: cannot be read: No such file or directory;"
          + " expected a token list (tokenlists.org) the server may read",
        "auth.keys: /keys.json: cannot be read: No such file or directory;"
          + " expected a JSON Web Key Set (RFC 7517) the server may read",
      ])
    #expect(
      lines { $0.storage.path = folder.path + "/not-a-folder/db.sqlite" }.first?.contains("does not exist")
        == true)
    #expect(lines { $0.storage.path = folder.path }.first?.contains("is not a regular file") == true)
  }

  @Test(arguments: [
    ("", "expected a token list, {\"tokens\":[…]} (tokenlists.org): "),
    ("[]", "expected a token list, {\"tokens\":[…]} (tokenlists.org): a token list is a JSON object"),
    (#"{"tokens":7}"#, "expected a token list, {\"tokens\":[…]} (tokenlists.org): a token list has an array"),
  ])
  func aFileThatIsNoTokenList(_ text: String, _ words: String) throws {
    try folder.write("list.json", text)
    let lines = lines { $0.chains[0].tokenLists = [folder.path + "/list.json"] }
    #expect(lines.count == 1 && lines[0].hasPrefix(Self.lists + "/list.json: " + words), "\(lines)")
  }

  @Test func aFileThatIsNoKeySet() throws {
    try folder.write("keys.json", "{}")
    let lines = lines { $0.auth = Settings.Auth(keys: folder.path + "/keys.json") }
    #expect(
      lines.count == 1 && lines[0].hasPrefix("auth.keys: /keys.json: expected a JSON Web Key Set"), "\(lines)"
    )
  }

  /// Unreadable for us; nothing that a name holds begins another line.
  @Test func aFolderIsNoFile() throws {
    folder.folder("a\nb")
    let lines = lines { $0.auth = Settings.Auth(keys: folder.path + "/a\nb") }
    #expect(lines.count == 1 && lines[0].contains("Is a directory") && !lines[0].contains("\n"), "\(lines)")
  }

  @Test func whatIsLeftAsideIsAWarning() throws {
    let secret = String(repeating: "A", count: 43)
    try folder.write("keys.json", #"{"keys":[{"kty":"oct","k":"\#(secret)"},{"kty":"oct","use":"enc"}]}"#)
    var settings = settings
    settings.auth = Settings.Auth(keys: folder.path + "/keys.json")
    let warnings = try SettingsFiles(settings).warnings(now: 0)
    #expect(
      warnings.count == 1 && warnings[0].hasPrefix("auth.keys: \(folder.path)/keys.json: keys[1]"),
      "\(warnings)")
  }
}
