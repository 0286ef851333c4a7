import ArgumentParser
import EventLoop
import Glibc
import Server

@main
struct WalletPush: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "walletpush",
    abstract: "Pushes balances and prices of EVM wallets over WebSocket.",
    version: "walletpush \(WalletPushServer.version)",
    subcommands: [
      Serve.self, Demo.self, Watch.self, CheckConfig.self, Health.self, Wallets.self, LoadTest.self,
      Conformance.self,
    ])

  /// Not `async`: the runtime would park the main thread with all signals let through, and the first one would end
  /// the process. So the commands run elsewhere, and the main thread waits for signals.
  static func main() {
    EventLoop.blockSignals(Signals.all)
    Task.detached {
      do {
        var command = try parseAsRoot()
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
        Glibc.exit(0)
      } catch {
        end(with: error)
      }
    }
    Signals.forward()
  }

  /// Wrong usage ends like a wrong setting does: with 2, not with sysexits' 64.
  private static func end(with error: any Error) -> Never {
    guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
    writeError(fullMessage(for: error) + "\n")
    Glibc.exit(2)
  }
}

/// One clear line on standard error, and the exit code that says so.
func fail(_ lines: [String], code: Int32 = 1) -> Never {
  for line in lines { writeError("walletpush: \(line)\n") }
  exit(code)
}

func writeError(_ text: String) { write(text, to: STDERR_FILENO) }
func writeOutput(_ text: String) { write(text, to: STDOUT_FILENO) }

private func write(_ text: String, to descriptor: Int32) {
  let bytes = Array(text.utf8)
  var offset = 0
  while offset < bytes.count {
    let count = bytes.withUnsafeBytes {
      Glibc.write(descriptor, $0.baseAddress?.advanced(by: offset), bytes.count - offset)
    }
    if count <= 0, errno != EINTR { return }
    offset += max(0, count)
  }
}
