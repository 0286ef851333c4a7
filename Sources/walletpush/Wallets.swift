import ArgumentParser
import Ethereum
import EventLoop
import Glibc
import Server
import Synchronization
import Upstream

struct Wallets: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Works on a server's wallets.", subcommands: [ImportWallets.self])
}

struct ImportWallets: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Registers the wallets of a file with a running server.",
    discussion: """
      One wallet a line: ETH:0x…, or ETH,0x… in two columns. What stands behind it, comments (#), blank lines and a first \
      line that names columns are passed over. A line that can't be read stops it before anything is registered.

        walletpush wallets import wallets.txt
        walletpush wallets import wallets.csv --url https://push.example --ca cert.pem

      It goes by the server's HTTP interface, so the server may serve meanwhile; a database file is one process's alone. \
      Each new wallet is read from its chain once. To import a file again does no harm.

      Exit code: 0 all are registered; 1 no server answers, or it refused some; 2 wrong lines or usage. Progress goes to \
      standard error, the result to standard output.
      """)

  @Argument(help: "The file.")
  var file: String

  @Option(help: "The server; left out: the one that the settings describe, on this machine.")
  var url: String?

  @Option(help: "The configuration file (JSON) that says where the server listens.")
  var config: String?

  @Option(help: "An access token. In the environment (WALLETPUSH_TOKEN) other users can't see it.")
  var token: String?

  @Option(
    help: ArgumentHelp(
      "For https: the authority, or the self-signed certificate, to trust instead of the system's; a PEM file.",
      valueName: "file"))
  var ca: String?

  @Flag(help: "Only look for wrong lines.")
  var check = false

  @Flag(name: [.short, .long], help: "No progress.")
  var quiet = false

  func run() async throws {
    let wallets = read()
    guard !check else { return writeOutput("\(wallets.count) wallets\n") }
    let signals = Task {
      for await signal in Signals.stream where signal != SIGHUP { Glibc.exit(1) }
    }
    let progress = ImportProgress(ProgressLine(isQuiet: quiet))
    let result: WalletImport.Progress
    do {
      result = try await importer().run(wallets) { progress.show($0) }
    } catch {
      ProgressLine.clear()
      fail(["import: \(error)"])
    }
    signals.cancel()
    ProgressLine.clear()
    for line in result.refusals { writeError("walletpush: \(line)\n") }
    let more = result.refused - result.refusals.count
    if more > 0 { writeError("walletpush: … and \(more) more that were refused\n") }
    writeOutput("registered \(result.registered), known already \(result.known), refused \(result.refused)\n")
    if result.refused > 0 { Glibc.exit(1) }
  }

  /// Ends with a line for each fault.
  private func read() -> [WalletKey] {
    let found: WalletFile
    do {
      found = WalletFile(parsing: try SmallFile.read(file, limit: 256 << 20))
    } catch {
      fail(["\(file): \(error)"], code: 2)
    }
    var lines = found.faults.map { "\(file), \($0)" }
    let more = found.faultCount - lines.count
    if more > 0 { lines.append("\(file): … and \(more) more lines that can't be read") }
    if found.faultCount == 0, found.wallets.isEmpty { lines.append("\(file) holds no wallets") }
    guard lines.isEmpty else { fail(lines, code: 2) }
    if found.repeated > 0 { writeError("walletpush: \(found.repeated) lines name a wallet again\n") }
    return found.wallets
  }

  private func importer() -> WalletImport {
    do {
      let address = try HTTPURL(url ?? loadSettings(config: config, arguments: []).http.addressHere)
      let security = address.scheme == .https ? try TLSClient(trust: ca.map { .file($0) } ?? .system) : nil
      return WalletImport(
        server: address, token: token ?? Environment.all[TokenVariable.wallets], security: security)
    } catch {
      fail(["import: \(error)"], code: 2)
    }
  }
}

/// At most a line a second: a terminal is slow, and a log should stay short.
private final class ImportProgress: Sendable {
  private let line: ProgressLine
  private let shownAt = Mutex(ContinuousClock.now)

  init(_ line: ProgressLine) { self.line = line }

  func show(_ progress: WalletImport.Progress) {
    let isDue = shownAt.withLock { last in
      guard ContinuousClock.now - last >= .seconds(1) else { return false }
      last = .now
      return true
    }
    if isDue { line.show("\(progress.done) of \(progress.total) wallets, \(progress.refused) refused") }
  }
}
