// The client library as Apple's systems have it, and a server: .ci/test-urlsession starts the demo and gives its port and
// one of its wallets. What is not as it should be is said, and the exit code is 1.

import Ethereum
import Glibc
import Ledger
import WalletPushClient

struct Unexpected: Error, CustomStringConvertible {
  let description: String
}

func expect(_ condition: Bool, _ what: String) throws {
  guard condition else { throw Unexpected(description: what) }
}

/// Calls by HTTP.
func calls(_ url: String, _ wallet: WalletKey) async throws {
  let api = try WalletPushAPI(url)
  let added = try await api.addWallet(wallet)
  try expect(try await api.wallet(id: added.wallet.id) == added.wallet, "the wallet by its number")
  var all: [WalletKey] = []
  for try await wallet in api.allWallets(pageSize: 1) { all.append(wallet.key) }
  try expect(all.contains(wallet), "the wallet in the list")
  try expect(try await api.chains().isEmpty == false, "chains")
  let row = try await api.setVisible(false, .native(wallet.chain), in: wallet)
  try expect(!row.isVisible, "a hidden row")
  try await api.setVisible(true, .native(wallet.chain), in: wallet)
  // The demo's wallets move: soon or late nothing happens between two requests.
  while true {
    let held = try await api.balances(of: wallet)
    try expect(held.etag != nil && held.wallet.isComplete, "a snapshot with its tag")
    if try await api.balances(ifChangedSince: held) == nil { break }
  }
  do {
    try await api.refreshBalances(of: wallet)
    try await api.refreshBalances(of: wallet)
    throw Unexpected(description: "two refreshes in a row")
  } catch let error as APIError {
    guard case .refused(status: 429, let refusal) = error, refusal.code == "cooldown" else { throw error }
    try expect(error.retry.map { $0 > .zero } == true, "when a refresh is possible again")
  }
  let cancelled = Task { try await api.balances(of: wallet) }
  cancelled.cancel()
  guard case .failure(APIError.cancelled) = await cancelled.result else {
    throw Unexpected(description: "a cancelled call")
  }
}

/// A live wallet, by a transport of this kind.
func follow(_ url: String, _ wallet: WalletKey, _ kind: TransportKind) async throws {
  let transports = try TransportFactory.server(url, kinds: [kind])
  let client = WalletPushClient(transports: transports)
  let changes = await client.changes()
  await client.subscribe(wallets: [wallet])
  await client.connect()
  var rows = 0
  for await change in changes {
    if case .connection(.waiting(_, let reason, _)) = change { throw Unexpected(description: reason) }
    if case .row(wallet, _) = change { rows += 1 }
    if rows == 3 { break }
  }
  let (used, total) = (await client.transport, await client.state.wallets[wallet]?.total.text)
  try expect(used == kind && total != nil, "a total by \(kind)")
  await client.close()
}

/// What is to be done, by its name.
func run(_ name: String, _ body: () async throws -> Void) async {
  do {
    try await body()
    print("\(name): as it should be")
  } catch {
    // Debian's libcurl was built without them: then the code is compiled, and no more.
    let isMissing = "\(error)".contains("WebSockets not supported by libcurl")
    print("\(name): \(error)")
    if !isMissing { exit(1) }
  }
}

@main enum Program {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count > 2 else { throw Unexpected(description: "usage: urlsession PORT WALLET") }
    let (url, wallet) = ("ws://127.0.0.1:\(arguments[1])/ws", try WalletKey(parsing: arguments[2]))
    await run("calls") { try await calls(url, wallet) }
    for kind in TransportKind.allCases { await run("\(kind)") { try await follow(url, wallet, kind) } }
  }
}
