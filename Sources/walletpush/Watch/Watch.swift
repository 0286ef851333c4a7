import ArgumentParser
import Ethereum
import Glibc
import Server
import WalletPushClient

struct Watch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows wallets live.",
    discussion: """
      A table that follows every change, on a terminal; elsewhere one line a change, or with --json one object. It comes \
      back by itself when the connection is lost, and asks only for what changed meanwhile.

        walletpush watch ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045
        walletpush watch ETH:0xd8da… BSC:0xd8da… --url wss://wallets.example/ws --token "$TOKEN"
        walletpush watch ETH:0xd8da… --json | jq .

      Marks: ~ is a value that is stale, ? one that is unknown. Exit code: 0 after Ctrl-C; 1 when nothing more will \
      come: the server takes neither the wallets nor the token; 2 wrong usage. NO_COLOR is honoured.
      """)

  @Argument(help: ArgumentHelp("CHAIN:0x…, one or several.", valueName: "wallet"))
  var wallets: [String]

  @Option(help: "The server's WebSocket.")
  var url = "ws://127.0.0.1:8080/ws"

  @Option(
    help:
      "An access token, where the server asks for one. Better in the environment: WALLETPUSH_WATCH_TOKEN.")
  var token: String?

  @Option(help: ArgumentHelp("For wss://: trust the certificates of this PEM file alone.", valueName: "file"))
  var ca: String?

  @Flag(help: "One JSON object a change.")
  var json = false

  @Flag(help: "Hidden rows, and tokens that no list names, too.")
  var all = false

  func run() async throws {
    let keys = try wallets.map { text -> WalletKey in
      do throws(KeyError) { return try WalletKey(parsing: text) } catch {
        throw ValidationError("\(text): \(error)")
      }
    }
    let transports: TransportFactory
    do throws(TransportSetupError) {
      transports = try .server(url, certificateAuthority: ca)
    } catch {
      throw ValidationError("\(error)")
    }
    let client = WalletPushClient(
      transports: transports, token: token ?? Environment.all[TokenVariable.watch])
    let changes = await client.changes()
    await client.subscribe(wallets: keys)
    await client.connect()
    let signals = Task {
      for await signal in Signals.stream where signal != SIGHUP { return await client.close() }
    }
    await follow(changes, keys, makeOutput(client, keys))
    signals.cancel()
  }

  private func makeOutput(_ client: WalletPushClient, _ keys: [WalletKey]) -> any WatchOutput {
    if json { return ChangeLines(client: client, format: JSONLines()) }
    guard isatty(STDOUT_FILENO) == 1, Environment.all["TERM"] != "dumb" else {
      return ChangeLines(client: client, format: PlainLines())
    }
    let isColoured = (Environment.all["NO_COLOR"] ?? "").isEmpty
    return LiveTable(
      client: client, wallets: keys, style: WalletTable.Style(isColoured: isColoured, showsAll: all))
  }

  private func follow(
    _ changes: WalletPushClient.Changes, _ keys: [WalletKey], _ output: any WatchOutput
  ) async {
    var course = WatchCourse(wallets: keys)
    for await change in changes {
      await output.show(change)
      guard let end = course.take(change) else { continue }
      await output.end()
      switch end {
      case .closed: return
      case .failed(let reason): fail([reason])
      }
    }
  }
}

/// Until when there is something to watch. Pure.
struct WatchCourse {
  enum End: Equatable {
    case closed
    /// Nothing more will come. Why.
    case failed(String)
  }

  /// Those that may still be heard of.
  private var wallets: Set<WalletKey>

  init(wallets: [WalletKey]) { self.wallets = Set(wallets) }

  /// Nil while it goes on.
  mutating func take(_ change: Change) -> End? {
    switch change {
    case .connection(.idle): return .closed
    case .connection(.ended(let code, let reason)):
      return .failed("the server ended the connection: \(code) \(ShownText.clean(reason))")
    // No other token is to be had.
    case .notice(.access(.refused(let refusal))) where refusal.retry == nil:
      return .failed(ShownText.notice(.access(.refused(refusal))))
    case .notice(.refused(.wallet(let key), _)), .notice(.deleted(let key)):
      wallets.remove(key)
      guard wallets.isEmpty, case .notice(let notice) = change else { return nil }
      return .failed("no wallet is left to watch: \(ShownText.notice(notice))")
    case .wallet, .row, .price, .status, .connection, .notice: return nil
    }
  }
}

/// Where changes are shown.
protocol WatchOutput: Sendable {
  func show(_ change: Change) async
  func end() async
}
