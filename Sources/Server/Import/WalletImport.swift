// Registering many wallets with a running server, by its HTTP interface: the one way that is safe whether or not
// somebody is served meanwhile, for the database file is one process's alone. Requests of a few connections are under way
// at once; those that reach the ledger in the same turn share a transaction.

import Ethereum
import HTTP1
import JSON
import Synchronization
import Upstream

public struct WalletImport: Sendable {
  /// The server's root.
  public var server: HTTPURL
  /// An access token.
  public var token: String?
  /// For `https:`.
  public var security: (any TransportSecurity)?

  public init(server: HTTPURL, token: String? = nil, security: (any TransportSecurity)? = nil) {
    self.server = server
    self.token = token
    self.security = security
  }

  public struct Progress: Sendable, Equatable {
    public var total: Int
    /// New to the server.
    public var registered = 0
    /// The server had them.
    public var known = 0
    /// The server does not take these: the first ``refusalsTold``, with its reason.
    public var refusals: [String] = []
    public var refused = 0

    public var done: Int { registered + known + refused }
  }

  public static let refusalsTold = 20

  /// As many as ``HTTPClient`` has connections to one server.
  private static let atOnce = 8
  private static let patience = Duration.seconds(30)

  /// Registers all that the server takes.
  ///
  /// - Parameter progress: called after each, from any thread.
  /// - Throws: ``WalletImportError`` when going on is of no use. What is registered stays, and to begin again does no harm.
  public func run(
    _ wallets: [WalletKey], _ progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Progress {
    let work = Work(wallets)
    let url = try server.appending("/api/v1/wallets")
    try await HTTPClient.once(userAgent: "walletpush-import", security: security) { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<Self.atOnce {
          group.addTask {
            while let wallet = work.next() {
              let outcome = try await register(wallet, at: url, client)
              progress(work.note(outcome, of: wallet))
            }
          }
        }
        try await group.waitForAll()
      }
    }
    return work.progress
  }

  fileprivate enum Outcome {
    case registered
    case known
    case refused(String)
  }

  private func register(_ wallet: WalletKey, at url: HTTPURL, _ client: HTTPClient) async throws -> Outcome {
    var body = JSONWriter(reserving: 96)
    body.beginObject()
    body.member("chain", wallet.chain.description)
    body.member("address", wallet.address.lowercase)
    body.endObject()
    let request = HTTPClientRequest(
      method: "POST", url: url, headers: token.map { [("Authorization", "Bearer \($0)")] } ?? [],
      body: body.take(),
      timeouts: .init(connect: Self.patience, firstByte: Self.patience, total: Self.patience),
      responseBytesLimit: 65_536, isIdempotent: true)
    while true {
      let response: HTTPClientResponse
      do { response = try await client.send(request) } catch {
        throw WalletImportError.unreachable(server, error)
      }
      switch response.status {
      case 201: return .registered
      case 200: return .known
      case 429: try await Task.sleep(for: Self.pause(response.headers.first("Retry-After")))
      default: return try refusal(response)
      }
    }
  }

  /// What the server asked for, a second where it did not say, and no longer than a minute.
  static func pause(_ text: String?) -> Duration { .seconds(min(max(text.flatMap { Int($0) } ?? 1, 1), 60)) }

  /// Some refusals are of this wallet; the others would be the same for all.
  private func refusal(_ response: HTTPClientResponse) throws(WalletImportError) -> Outcome {
    let answer = try? JSONParser.parse(response.body, limits: JSONLimits(depth: 4, numberBytes: 32))
    let reason = answer?["error"]?.string.map { Excerpt.of($0) } ?? "status \(response.status)"
    switch answer?["code"]?.string {
    case "bad_wallet", "chain_unsupported", "forbidden": return .refused(reason)
    default: throw .stopped(server, status: response.status, reason: reason)
    }
  }
}

public enum WalletImportError: Error, CustomStringConvertible {
  case unreachable(HTTPURL, UpstreamError)
  case stopped(HTTPURL, status: Int, reason: String)

  public var description: String {
    switch self {
    case .unreachable(let server, let error):
      "no server answers at \(server.origin) (\(error)); start one, or name it with --url"
    case .stopped(let server, 401, let reason):
      "\(server.origin) asks for an access token, in \(TokenVariable.wallets): \(reason)"
    case .stopped(let server, let status, let reason): "\(server.origin) says \(status): \(reason)"
    }
  }
}

/// What is left to do, and what came of the rest.
private final class Work: Sendable {
  private let wallets: [WalletKey]
  private let state: Mutex<(next: Int, progress: WalletImport.Progress)>

  init(_ wallets: [WalletKey]) {
    self.wallets = wallets
    state = Mutex((0, WalletImport.Progress(total: wallets.count)))
  }

  var progress: WalletImport.Progress { state.withLock { $0.progress } }

  func next() -> WalletKey? {
    state.withLock { state in
      guard state.next < wallets.count else { return nil }
      defer { state.next += 1 }
      return wallets[state.next]
    }
  }

  func note(_ outcome: WalletImport.Outcome, of wallet: WalletKey) -> WalletImport.Progress {
    state.withLock { state in
      switch outcome {
      case .registered: state.progress.registered += 1
      case .known: state.progress.known += 1
      case .refused(let reason):
        state.progress.refused += 1
        if state.progress.refusals.count < WalletImport.refusalsTold {
          state.progress.refusals.append("\(wallet): \(reason)")
        }
      }
      return state.progress
    }
  }
}
