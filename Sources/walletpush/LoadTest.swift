import ArgumentParser
import EventLoop
import Glibc
import Load
import Server
import Upstream

struct LoadTest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Loads a running server with clients, and says how long what takes.",
    discussion: """
      Opens connections, subscribes each to wallets or tokens, and measures for a while: delivery latency, times to \
      connect and to the first snapshot, frames and bytes a second. Every frame's order is checked.

        walletpush load ws://127.0.0.1:8080/ws
        walletpush load ws://127.0.0.1:8080/ws --connections 10000 --duration 30
        walletpush load ws://127.0.0.1:8080/ws --wallets 'ETH:0x{n:40}' --wallets-per-connection 5
        walletpush load ws://127.0.0.1:8080/ws --tokens ETH:native --slow-fraction 0.1 --json
        walletpush load ws://127.0.0.1:8080/ws --connections 5000 --storms 3

      Keys: a list with commas, where {n:40} stands for a number in 40 hexadecimal digits, and {h:40} for 40 digits \
      that look random and are the same for the same number. Without any, the server is asked which wallets it knows.

      Exit code: 0 all well; 1 errors, lost connections or broken promises; 2 wrong usage. Progress goes to standard \
      error, the result to standard output. Ctrl-C ends early, with the results so far; a second one at once.
      """)

  @Argument(help: "The server's WebSocket: ws://HOST:PORT/ws, or wss://.")
  var url: String

  @Option(name: [.short, .long], help: "Clients.")
  var connections = 100

  @Option(name: [.short, .long], help: "Seconds to measure, once all clients are there.")
  var duration = 10.0

  @Option(help: ArgumentHelp("Wallets to subscribe to, a list or patterns.", valueName: "keys"))
  var wallets: String?

  @Option(help: ArgumentHelp("A file of wallets: one a line, or a JSON list.", valueName: "file"))
  var walletFile: String?

  @Option(help: ArgumentHelp("Tokens to follow the prices of, without wallets.", valueName: "keys"))
  var tokens: String?

  @Option(help: "Keys each client subscribes to.")
  var walletsPerConnection = 1

  @Option(
    help:
      "How many different keys a pattern gives; left out: connections × wallets per connection, so none twice."
  )
  var distinct: Int?

  @Option(help: "Connections opened a second.")
  var ramp = 1_000.0

  @Option(help: "Seconds over which all connections are opened, instead of --ramp.")
  var rampSeconds: Double?

  @Option(help: "Ticks a second the clients ask for (the protocol's rate); left out: everything at once.")
  var rate: Double?

  @Flag(help: "Ask for batches: the frames of one turn in one message.")
  var batch = false

  @Flag(help: "Offer permessage-deflate.")
  var compression = false

  @Option(help: "The share of clients that stop reading while it is measured, 0 to 1, and then read on.")
  var slowFraction = 0.0

  @Option(help: "How often all clients drop and resume at once, spread over the duration.")
  var storms = 0

  @Option(
    help: ArgumentHelp(
      "Addresses to connect from, past 28,000 connections: 127.0.0.1,127.0.0.2 or 127.0.0.1-8.",
      valueName: "addresses"))
  var source = ""

  @Option(help: "An access token. In the environment (WALLETPUSH_LOAD_TOKEN) other users can't see it.")
  var token: String?

  @Option(
    help: ArgumentHelp(
      "For wss: the authority, or the self-signed certificate, to trust instead of the system's; a PEM file.",
      valueName: "file"))
  var ca: String?

  @Option(help: "Event loops, one core each.")
  var loops = 1

  @Flag(help: "Print one JSON object instead of the table.")
  var json = false

  @Flag(name: [.short, .long], help: "No progress.")
  var quiet = false

  func run() async throws {
    let run: LoadRun
    do {
      let plan = try await plan()
      let progress = ProgressLine(isQuiet: quiet)
      run = try LoadRun(plan: plan) { progress.show($0) }
    } catch {
      // Without keys of its own it asks the server, which may not be there.
      if case LoadOptionError.noWallets = error { fail(["load: \(error)"]) }
      fail(["load: \(error)"], code: 2)
    }
    let signals = Task {
      var isStopping = false
      for await signal in Signals.stream where signal != SIGHUP {
        if isStopping { Glibc.exit(1) }
        isStopping = true
        run.stop()
      }
    }
    let report: LoadReport
    do { report = try await run.run() } catch { fail(["load: \(error)"]) }
    signals.cancel()
    ProgressLine.clear()
    writeOutput((json ? report.json : report.table) + "\n")
    Glibc.exit(report.isWell ? 0 : 1)
  }

  private func plan() async throws -> LoadPlan {
    let address: WebSocketURL
    do { address = try WebSocketURL(url) } catch { throw LoadOptionError.badURL(url, "\(error)") }
    guard [wallets, walletFile, tokens].count(where: { $0 != nil }) <= 1 else {
      throw LoadOptionError.together("--wallets, --wallet-file and --tokens: one of them")
    }
    let security: TLSClient? =
      address.isSecure ? try TLSClient(trust: ca.map { .file($0) } ?? .system) : nil
    let token = token ?? Environment.all[TokenVariable.load]
    var plan = LoadPlan(url: address)
    plan.connections = connections
    plan.keysPerConnection = walletsPerConnection
    plan.ramp = rampSeconds.map { Double(connections) / max($0, 1e-6) } ?? ramp
    plan.rate = rate
    plan.isBatched = batch
    plan.isCompressed = compression
    plan.duration = duration.isFinite ? .seconds(min(max(duration, 0), 1e9)) : .zero
    plan.slowFraction = slowFraction
    plan.storms = storms
    plan.sources = try SourceAddresses(parsing: source)
    plan.token = token
    plan.security = security
    plan.loops = loops
    // Before the server is asked anything.
    try plan.check()
    plan.keys = try await keys(plan)
    return plan
  }

  private func keys(_ plan: LoadPlan) async throws -> KeyPool {
    let count = connections * walletsPerConnection
    let distinct = distinct ?? count
    if let wallets { return try KeyPool(.wallets, parsing: wallets, distinct: distinct) }
    if let tokens { return try KeyPool(.tokens, parsing: tokens, distinct: distinct) }
    guard let walletFile else {
      return try await KnownWallets.ask(plan.url, token: plan.token, security: plan.security, count: count)
    }
    let bytes: [UInt8]
    do { bytes = try SmallFile.read(walletFile, limit: 256 << 20) } catch {
      throw LoadOptionError.badKeyFile("\(walletFile): \(error)")
    }
    return try KeyPool(.wallets, file: bytes)
  }
}

/// One line a second on standard error: on a terminal always the same one.
struct ProgressLine: Sendable {
  let isQuiet: Bool

  private static let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ progress: some CustomStringConvertible) {
    guard !isQuiet else { return }
    writeError(Self.isTerminal ? "\r\u{1b}[K\(progress)" : "walletpush: \(progress)\n")
  }

  /// Before the result, which may go to the same terminal.
  static func clear() {
    if isTerminal { writeError("\r\u{1b}[K") }
  }
}
