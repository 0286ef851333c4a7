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
  /// is asked again with the next attempt to connect.
  public typealias TokenSource = @Sendable (TokenReason) async throws -> String?

  private var machine: ClientMachine
  private let transports: TransportFactory
  private let tokens: TokenSource?
  private var webSocket: (any Transport)?
  /// The one that may take over.
  private var beside: (any Transport)?
  /// Requests under way.
  private var requests: [RequestID: Task<Void, Never>] = [:]
  private var callers: [CallID: CheckedContinuation<Answer, any Error>] = [:]
  private var readers: [Int: Reader] = [:]
  private var lastReader = 0
  private var timer: (at: ContinuousClock.Instant, task: Task<Void, Never>)?

  private struct Reader {
    var queue = ChangeQueue()
    var waiting: CheckedContinuation<Change?, Never>?
  }

  /// - Parameters:
  ///   - token: an access token that is good for as long as the client lives, or the first one.
  ///   - tokens: asked where there is no token, before the one at hand ends, and when it has ended.
  public init(
    transports: TransportFactory, options: ClientOptions = ClientOptions(), token: String? = nil,
    tokens: TokenSource? = nil
  ) {
    self.transports = transports
    self.tokens = tokens
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

  // MARK: - Calls

  /// One whole snapshot, without a subscription. `loading` where the server has not read the wallet yet.
  ///
  /// - Throws: ``ClientError``, like all calls.
  public func get(_ wallet: WalletKey) async throws -> WalletState {
    guard case .wallet(let state) = try await call(.get(wallet)) else { throw ClientError.disconnected }
    return state
  }

  /// Has the server read the chain now. What it finds comes as changes.
  ///
  /// - Throws: ``ClientError/refused(_:)`` with `cooldown` and the time to wait, right after another refresh.
  public func refresh(_ wallet: WalletKey) async throws { _ = try await call(.refresh(wallet)) }

  /// For this connection and later ones.
  public func set(_ pacing: Pacing) async throws {
    _ = try await answer { machine, id in machine.set(pacing, id: id) }
  }

  /// What the connection is subscribed to, by the server's word.
  public func list() async throws -> (wallets: [WalletKey], tokens: [TokenKey]) {
    guard case .list(let wallets, let tokens) = try await call(.list) else { return ([], []) }
    return (wallets, tokens)
  }

  /// The time to the server and back.
  public func ping() async throws -> Duration {
    let start = ContinuousClock.now
    _ = try await call(.ping)
    return ContinuousClock.now - start
  }

  private func call(_ operation: Operation) async throws -> Answer {
    try await answer { machine, id in machine.call(operation, id: id) }
  }

  private func answer(_ ask: (inout ClientMachine, CallID) -> Void) async throws -> Answer {
    let id = machine.nextCallID()
    return try await withCheckedThrowingContinuation { continuation in
      callers[id] = continuation
      ask(&machine, id)
      carryOut()
    }
  }

  // MARK: - Carrying out

  private func carryOut() {
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

  /// Opens a WebSocket, and hands on what it says for as long as it is one of ours.
  private func open() -> any Transport {
    let transport = transports.make()
    Task { await run(transport) }
    return transport
  }

  private func run(_ transport: any Transport) async {
    do {
      try await transport.open()
      while transport === webSocket || transport === beside {
        let message = try await transport.receive()
        // It may have taken over meanwhile.
        if transport === webSocket {
          machine.received(message, now: .now, random: Self.random)
        } else if transport === beside {
          machine.receivedBeside(message, now: .now, random: Self.random)
        }
        carryOut()
      }
    } catch {
      ended(transport, error as? TransportEnd ?? TransportEnd(reason: "\(error)"))
    }
  }

  private func ended(_ ended: any Transport, _ end: TransportEnd) {
    if ended === webSocket {
      Self.drop(&webSocket)
      machine.lost(code: end.code, reason: end.reason, now: .now, random: Self.random)
    } else if ended === beside {
      Self.drop(&beside)
      machine.lostBeside(now: .now, random: Self.random)
    }
    carryOut()
  }

  private static func drop(_ transport: inout (any Transport)?) { transport.take()?.close() }

  private static var random: UInt64 { .random(in: 0 ... .max) }

  // MARK: - Requests

  private func request(_ id: RequestID, _ call: HTTPCall) {
    guard let http = transports.http else { return }
    requests[id] = Task {
      let limit = Task {
        if (try? await ContinuousClock().sleep(for: call.timeout)) != nil { fail(id, .timedOut) }
      }
      do throws(HTTPFailure) {
        let answer = try await http.open(call)
        if call.isStream { limit.cancel() }
        try await take(answer, of: id)
      } catch {
        fail(id, error)
      }
      limit.cancel()
    }
  }

  private func take(_ answer: any HTTPAnswer, of id: RequestID) async throws(HTTPFailure) {
    guard requests[id] != nil else { return }
    machine.answered(id, answer.head, now: .now, random: Self.random)
    carryOut()
    while requests[id] != nil, let bytes = try await answer.next() {
      guard requests[id] != nil else { return }
      machine.receivedBody(id, bytes, now: .now, random: Self.random)
      carryOut()
    }
    guard requests.removeValue(forKey: id) != nil else { return }
    machine.finished(id, now: .now, random: Self.random)
    carryOut()
  }

  private func fail(_ id: RequestID, _ failure: HTTPFailure) {
    guard let task = requests.removeValue(forKey: id) else { return }
    task.cancel()
    machine.failed(id, failure, now: .now, random: Self.random)
    carryOut()
  }

  private func ask(_ reason: TokenReason) {
    guard let tokens else { return }
    Task {
      do {
        machine.tokenArrived(try await tokens(reason))
      } catch {
        machine.tokenUnavailable("\(error)", now: .now, random: Self.random)
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

  // MARK: - Readers

  private func report(_ change: Change) {
    for key in readers.keys {
      if let waiting = readers[key]?.waiting.take() {
        waiting.resume(returning: change)
      } else {
        readers[key]?.queue.push(change)
      }
    }
  }

  func next(_ reader: Int) async -> Change? {
    if let change = readers[reader]?.queue.pop() { return change }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard readers[reader] != nil, !Task.isCancelled else { return continuation.resume(returning: nil) }
        readers[reader]?.waiting.take()?.resume(returning: nil)
        readers[reader]?.waiting = continuation
      }
    } onCancel: {
      Task { await self.leave(reader) }
    }
  }

  func leave(_ reader: Int) {
    readers.removeValue(forKey: reader)?.waiting?.resume(returning: nil)
  }
}
