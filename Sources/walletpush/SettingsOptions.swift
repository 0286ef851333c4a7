import ArgumentParser
import Server

/// Where the settings come from, for the commands that read them.
struct SettingsOptions: ParsableArguments {
  @Option(help: "The configuration file (JSON).")
  var config: String?

  @Argument(
    parsing: .allUnrecognized,
    help: "Settings, such as --http-port 9000; check-config --reference lists them.")
  var settings: [String] = []

  func load() -> Settings { loadSettings(config: config, arguments: settings) }

  func read() throws(SettingsError) -> Settings { try readSettings(config: config, arguments: settings) }
}

/// The settings in force, or the end with a line for each fault.
func loadSettings(config: String?, arguments: [String]) -> Settings {
  do {
    return try readSettings(config: config, arguments: arguments)
  } catch {
    fail(error.lines, code: 2)
  }
}

/// What the settings name on this machine, or the end with a line for each fault.
func loadFiles(of settings: Settings) -> SettingsFiles {
  do throws(SettingsError) {
    return try SettingsFiles(settings)
  } catch {
    fail(error.lines, code: 2)
  }
}

private func readSettings(config: String?, arguments: [String]) throws(SettingsError) -> Settings {
  try Settings.load(
    file: config, arguments: arguments, environment: Environment.all, workingDirectory: Environment.folder,
    readFile: { try SmallFile.read($0, limit: 4 << 20) })
}
