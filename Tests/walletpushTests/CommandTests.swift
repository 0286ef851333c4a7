import ArgumentParser
import Testing

@testable import walletpush

/// What the commands take, and that each explains itself.
@Suite struct CommandTests {
  private static let commands = [
    "serve", "demo", "watch", "check-config", "health", "wallets", "wallets import", "load", "conformance",
  ]

  @Test(arguments: commands, ["--help", "-h"])
  func everyCommandHasHelp(_ command: String, _ flag: String) throws {
    for more in [[], command == "serve" ? ["--http-port", "0"] : []] {
      let words = command.split(separator: " ").map(String.init) + more + [flag]
      var parsed = try WalletPush.parseAsRoot(words)
      // All of ours are; the one that shows help is not.
      try #require(!(parsed is any AsyncParsableCommand), "\(words) would run")
      let error = try #require(throws: (any Error).self) { try parsed.run() }
      #expect(WalletPush.exitCode(for: error) == .success)
      #expect(WalletPush.fullMessage(for: error).contains("USAGE: walletpush \(command) "))
    }
  }

  /// Settings and the file's option may come in any order; a value may look like an option.
  @Test(arguments: ["serve", "demo", "check-config", "health"])
  func whatIsNoOptionOfACommandIsASetting(_ name: String) throws {
    let settings = ["--http-loops", "-1", "--chains-enabled", "ETH", "BSC", "--log-level=debug", "stray"]
    let command = try WalletPush.parseAsRoot(
      [name, settings[0], settings[1], "--config", "a.json"] + settings[2...])
    let options =
      switch command {
      case let command as Serve: command.settings
      case let command as Demo: command.settings
      case let command as CheckConfig: command.settings
      default: try #require(command as? Health).settings
      }
    #expect(options.config == "a.json")
    #expect(options.settings == settings)
  }
}
