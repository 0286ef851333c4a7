// The actor carries out what the machine decides: it opens transports, keeps one timer, and hands answers and changes to
// those who wait for them. Nothing is decided here.

import Ethereum
import Ledger

/// A client of the `walletpush.v1` protocol.
/// ```swift
/// let client = try WalletPushClient("wss://wallets.example/ws")
/// await client.subscribe(wallets: [try WalletKey(parsing: "ETH:0xd8da…")])
/// await client.connect()
/// for await change in await client.changes() {
///   if case .wallet(let key) = change, let wallet = await client.state.wallets[key] { show(wallet.total.text) }
/// }
/// ```
/// Subscriptions are wishes: they outlive connections. The client comes back by itself with exponential back-off and
/// jitter, resumes what may be resumed, and obeys the server's close codes. It lives until ``close()``.
public actor WalletPushClient {
  /// Gives an access token; nil where none is needed. What it throws is told as ``AccessNotice/unavailable(_:)``, and it
  /// is asked again with the next attempt to connect; a call of ``api`` throws it as ``APIError/noToken(_:)``. Those who
  /// wait for a token at the same time get the same one; so it must not wait for a call of that very client or ``api``.
  public typealias TokenSource = @Sendable (TokenReason) async throws -> String?

  /// The server's HTTP interface, with this client's options and access tokens. It needs no connection of the client's.
  public nonisolated let api: WalletPushAPI

  var machine: ClientMachine
  let transports: TransportFactory
  var webSocket: (any Transport)?
  /// The one that may take over.
  var beside: (any Transport)?
  /// Requests under way.
  var requests: [RequestID: Task<Void, Never>] = [:]
  private var callers: [CallID: CheckedContinuation<Answer, any Error>] = [:]
  var readers: [Int: Reader] = [:]
  private var lastReader = 0
  private var timer: (at: ContinuousClock.Instant, task: Task<Void, Never>)?

  /// - Parameters:
  ///   - token: an access token that is good for as long as the client lives, or the first one.
  ///   - tokens: asked where there is no token, before the one at hand ends, and when it has ended.
  public init(
    transports: TransportFactory, options: ClientOptions = ClientOptions(), token: String? = nil,
    tokens: TokenSource? = nil
  ) {
    self.transports = transports
    api = WalletPushAPI(transports: transports, options: options, token: token, tokens: tokens)
    machine = ClientMachine(
      options: options, kinds: transports.kinds, token: token, canAskForTokens: tokens != nil)
  }

  /// A client of a server's `/ws`: ``TransportFactory/server(_:kinds:limits:certificateAuthority:)``.
  public init(
    _ url: String, options: ClientOptions = ClientOptions(), token: String? = nil, tokens: TokenSource? = nil
  ) throws(TransportSetupError) {
    self.init(
      transports: try .server(url, limits: options.limits), options: options, token: token, tokens: tokens)
  }

  // MARK: - What is known

  /// All that is known. A copy, and cheap as long as it is not kept.
  public var state: ClientState { machine.state }

  /// There is a connection, and the server has greeted.
  public var isConnected: Bool { machine.live != nil }

  /// How the connection came about; nil while there is none.
  public var transport: TransportKind? { machine.live?.greeting.transport }

  /// What changes from now on, for one reader; each call makes another one. It ends when its task is cancelled, or with
  /// the client.
  public func changes() -> Changes {
    lastReader += 1
    readers[lastReader] = Reader()
    return Changes(client: self, reader: lastReader)
  }

  // MARK: - Connection

  /// Opens the connection, at once even where it waits for the next attempt.
  public func connect() {
    machine.open(now: .now)
    carryOut()
  }

  /// Closes until ``connect()``: no connection, no timer and no task is left. Subscriptions and state stay.
  public func close() {
    machine.close()
    carryOut()
  }

  /// An access token, for now and for later connections; nil: none. How it fares is told as ``AccessNotice``.
  public func authenticate(_ token: String?) {
    api.access.keep(token)
    machine.keep(token: token)
    carryOut()
  }

  // MARK: - Subscriptions

  /// Watches wallets, and prices of tokens. What the server does not take is told as ``Notice/refused(_:_:)``.
  public func subscribe(wallets: [WalletKey] = [], tokens: [TokenKey] = []) {
    machine.subscribe(to: wallets.map(WatchedKey.wallet) + tokens.map(WatchedKey.token))
    carryOut()
  }

  /// What is known of them is forgotten at once.
  public func unsubscribe(wallets: [WalletKey] = [], tokens: [TokenKey] = []) {
    machine.unsubscribe(from: wallets.map(WatchedKey.wallet) + tokens.map(WatchedKey.token))
    carryOut()
  }

  /// What a call gets.
  func answer(_ ask: (inout ClientMachine, CallID) -> Void) async throws -> Answer {
    let id = machine.nextCallID()
    return try await withCheckedThrowingContinuation { continuation in
      callers[id] = continuation
      ask(&machine, id)
      carryOut()
    }
  }

  // MARK: - Carrying out

  func carryOut() {
    for action in machine.takeActions() {
      switch action {
      case .connect: webSocket = open()
      case .send(let text): webSocket?.send(text)
      case .disconnect: Self.drop(&webSocket)
      case .connectBeside: beside = open()
      case .disconnectBeside: Self.drop(&beside)
      case .takeOver: webSocket = beside.take()
      case .request(let id, let call): request(id, call)
      case .cancel(let id): requests.removeValue(forKey: id)?.cancel()
      case .askForToken(let reason): ask(reason)
      case .answer(let id, let result):
        callers.removeValue(forKey: id)?.resume(with: result)
      case .report(let change): report(change)
      }
    }
    arm()
  }

  private func ask(_ reason: TokenReason) {
    Task {
      do throws(APIError) {
        machine.tokenArrived(try await api.access.ask(reason))
      } catch {
        let reason = if case .noToken(let reason) = error { reason } else { error.description }
        machine.tokenUnavailable(reason, now: .now, random: Self.random)
      }
      carryOut()
    }
  }

  /// One task sleeps until the deadline. When that moves on, as with each message, the task finds out when it wakes.
  private func arm() {
    guard let deadline = machine.deadline else {
      timer?.task.cancel()
      timer = nil
      return
    }
    if let timer, timer.at <= deadline { return }
    timer?.task.cancel()
    let task = Task {
      guard (try? await ContinuousClock().sleep(until: deadline)) != nil, !Task.isCancelled else { return }
      timer = nil
      machine.timeoutReached(now: .now, random: Self.random)
      carryOut()
    }
    timer = (deadline, task)
  }
}
