import Server

/// Loads settings without touching a disk.
struct Load {
  static let folder = "/srv"
  static let file = "/etc/wp/wp.json"

  /// Nil: no file is named.
  var json: String?
  var arguments: [String] = []
  var environment: [String: String] = [:]

  struct NoSuchFile: Error, CustomStringConvertible {
    var description: String { "No such file or directory" }
  }

  func settings() throws(SettingsError) -> Settings {
    try Settings.load(
      file: json == nil ? nil : Self.file, arguments: arguments, environment: environment,
      workingDirectory: Self.folder
    ) { path in
      guard path == Self.file, let json else { throw NoSuchFile() }
      return Array(json.utf8)
    }
  }

  /// Empty where they load.
  func faults() -> [String] {
    do throws(SettingsError) {
      _ = try settings()
      return []
    } catch {
      return error.lines
    }
  }
}
