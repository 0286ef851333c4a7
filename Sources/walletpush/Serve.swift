import ArgumentParser
import EventLoop
import Glibc
import Server

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the server.",
    discussion: """
      Without a file: built-in defaults for the 12 chains with their public endpoints, DefiLlama prices, \
      walletpush.sqlite in the working folder, http://127.0.0.1:8080.

      Every setting can be given as an option (a.bB as --a-b-b) or in the environment (WALLETPUSH_A_B_B); \
      `walletpush check-config` prints those in force, `walletpush check-config --reference` all that there are.
      """)

  @OptionGroup
  var settings: SettingsOptions

  func run() async throws {
    await runUntilSignal(
      settings.load(),
      onReload: { server in
        do throws(SettingsError) {
          await server.reload(try settings.read())
        } catch {
          for line in error.lines { writeError("walletpush: not reloaded: \(line)\n") }
        }
      })
  }
}

struct CheckConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config", abstract: "Says what is wrong, or prints the settings in force.",
    discussion: """
      It reads the same file, environment and options as `walletpush serve`, and starts nothing. The settings are \
      printed in the shape of the file; secrets as ***. Exit code: 0 the settings are right; 2 they are not, with a line \
      for each fault.
      """)

  @Flag(help: "Print what can be set, as Markdown: each setting's default, values and meaning.")
  var reference = false

  @OptionGroup
  var settings: SettingsOptions

  func run() async throws {
    if reference { return writeOutput(Settings.reference) }
    let settings = settings.load()
    for line in loadFiles(of: settings).warnings(now: WalletPushServer.clock() / 1_000) {
      writeError("walletpush: \(line)\n")
    }
    writeOutput(settings.describe() + "\n")
  }
}

struct Conformance: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a WebSocket echo server at / on loopback, or plays a fuzzing server's cases as a client.")

  @Option(help: "The echo server's port; 0 picks a free one.")
  var port: UInt16?

  @Option(help: "The base URL of an Autobahn fuzzing server (ws:), whose cases are played.")
  var client: String?

  @Option(help: "Event loops; 0 is one for each core.")
  var loops = 1

  @OptionGroup
  var tls: TLSOptions

  func validate() throws {
    guard (port == nil) != (client == nil) else {
      throw ValidationError("say either --port, for the echo server, or --client URL")
    }
  }

  func run() async throws {
    if let client { return await play(client) }
    let port = port ?? 0
    let server: EchoServer
    do {
      server = try EchoServer(port: port, loops: loops, tls: tls.files)
    } catch let error as StartError {
      fail([error.description])
    } catch {
      fail(["cannot listen on 127.0.0.1:\(port): \(error)"])
    }
    let scheme = tls.files == nil ? "http" : "https"
    writeError("walletpush: echo server listening on \(scheme)://127.0.0.1:\(server.address.port)\n")
    for await signal in Signals.stream where signal != SIGHUP { break }
    server.stop()
  }

  private func play(_ url: String) async {
    let signals = Task {
      for await signal in Signals.stream where signal != SIGHUP { Glibc.exit(1) }
    }
    do {
      let client = try ConformanceClient(server: url, agent: "walletpush-client")
      try await client.run { number, count in
        if number % 50 == 0 || number == count { writeError("walletpush: case \(number) of \(count)\n") }
      }
    } catch {
      fail(["\(error)"])
    }
    signals.cancel()
  }
}

/// A certificate and its key, for the commands that read no settings.
struct TLSOptions: ParsableArguments {
  @Option(
    name: [.customLong("tls-certificate"), .customLong("http-tls-certificate")],
    help: ArgumentHelp("The certificate chain, a PEM file; then TLS is spoken.", valueName: "file"))
  var certificate: String?

  @Option(
    name: [.customLong("tls-key"), .customLong("http-tls-key")],
    help: ArgumentHelp("The certificate's private key, a PEM file.", valueName: "file"))
  var key: String?

  /// Nil: plain text.
  var files: Settings.TLS? {
    guard let certificate, let key else { return nil }
    return Settings.TLS(certificate: certificate, key: key)
  }

  func validate() throws {
    guard (certificate == nil) == (key == nil) else {
      throw ValidationError("--tls-certificate and --tls-key are given together, or neither is")
    }
  }
}

/// Starts the server, says where it listens, and drains it when a signal asks.
///
/// - Parameters:
///   - prepare: once connections are accepted, before it is said that they are: what whoever waits for that expects.
///   - onReload: for each SIGHUP.
func runUntilSignal(
  _ settings: Settings, prepare: (WalletPushServer) async -> Void = { _ in },
  onReload: (WalletPushServer) async -> Void
) async {
  let logger = ServerLog.bootstrap(settings.log)
  let metrics = ServerMetrics.bootstrap()
  let files = loadFiles(of: settings)
  let server: WalletPushServer
  do {
    server = try await WalletPushServer.start(files, metrics: metrics, logger: logger)
  } catch {
    fail([error.description])
  }
  await prepare(server)
  writeError("walletpush: listening on \(server.url)\n")
  ServiceManager.ready("listening on \(server.url)")
  var drain: Task<Void, Never>?
  for await signal in Signals.stream {
    if signal == SIGHUP {
      ServiceManager.reloading()
      await onReload(server)
      ServiceManager.ready("listening on \(server.url)")
    } else if drain == nil {
      ServiceManager.stopping()
      drain = Task {
        await server.drain()
        exit(0)
      }
    } else {
      writeError("walletpush: second signal, ending at once\n")
      exit(1)
    }
  }
}
