// The configuration file.
//
// Invariant: bytes give settings or a `SettingsError` whose lines name the file, each one line, nothing else.
// Settings that were read, described with their secrets and read again, are the same.

import Server

private struct NoSuchFile: Error {}

func fuzzSettingsFiles(_ input: FuzzInput) throws {
  let settings: Settings
  do throws(SettingsError) {
    settings = try load(Array(input.rest))
  } catch {
    try require(!error.lines.isEmpty, "an error without a line")
    for line in error.lines {
      try require(line.hasPrefix(path), "a line without the file: \(line.shown)")
      try require(!line.unicodeScalars.contains { $0.value < 0x20 }, "more than a line: \(line.shown)")
    }
    return
  }
  let text = settings.describe(revealingSecrets: true)
  let again: Settings
  do throws(SettingsError) {
    again = try load(Array(text.utf8))
  } catch {
    throw Violation(description: "described it is refused: \(error)\n\(text)")
  }
  try requireEqual(again, settings, "described it is something else")
}

private let path = "/etc/wp.json"

private func load(_ bytes: [UInt8]) throws(SettingsError) -> Settings {
  try Settings.load(file: path, arguments: [], environment: [:], workingDirectory: "/srv") { asked in
    guard asked == path else { throw NoSuchFile() }
    return bytes
  }
}
