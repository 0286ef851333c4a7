import Synchronization

/// The access token of a client's calls, and whoever gives out others: asked by one at a time, however many wait.
final class AccessTokens: Sendable {
  private typealias Waiting = CheckedContinuation<Result<String?, APIError>, Never>

  private struct State {
    var credentials: Credentials
    /// Whoever was asked said that none is needed.
    var areNone = false
    var waiting: [Int: Waiting] = [:]
    var lastWaiting = 0
  }

  private let source: WalletPushClient.TokenSource?
  private let state: Mutex<State>

  init(token: String?, source: WalletPushClient.TokenSource?) {
    self.source = source
    state = Mutex(State(credentials: Credentials(token: token, canAsk: source != nil)))
  }

  private var canAsk: Bool { source != nil }
  /// Those who wait for a token.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  func keep(_ token: String?) {
    state.withLock { state in
      state.credentials.keep(token)
      state.areNone = false
    }
  }

  /// The token to send; nil: none.
  ///
  /// - Throws: ``APIError/noToken(_:)``, ``APIError/cancelled``
  func current() async throws(APIError) -> String? {
    let (token, isKnown) = state.withLock { state in
      let token = state.credentials.token
      return (token, token != nil || state.areNone || !state.credentials.canAsk)
    }
    return isKnown ? token : try await ask()
  }

  /// Another token than one that the server did not take, or than none; nil where there is no other.
  ///
  /// - Throws: ``APIError/noToken(_:)``, ``APIError/cancelled``
  func replacement(for refused: String?) async throws(APIError) -> String? {
    let held = state.withLock { state -> String? in
      // Another call has replaced it meanwhile.
      if let token = state.credentials.token, token != refused { return token }
      if state.credentials.token == refused { state.credentials.expired() }
      state.areNone = false
      return nil
    }
    if let held { return held }
    guard canAsk else { return nil }
    let token = try await ask()
    return token == refused ? nil : token
  }

  /// Asks for a token, or waits for the answer where somebody does already.
  ///
  /// - Parameter renewal: what for, if it is not to go on with a call.
  func ask(_ renewal: TokenReason? = nil) async throws(APIError) -> String? {
    let id = state.withLock { state in
      state.lastWaiting += 1
      return state.lastWaiting
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { wait($0, id, renewal) }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: .failure(.cancelled))
    }
    return try result.get()
  }

  private func wait(_ waiting: Waiting, _ id: Int, _ renewal: TokenReason?) {
    let (isCancelled, reason) = state.withLock { state -> (Bool, TokenReason?) in
      if Task.isCancelled { return (true, nil) }
      state.waiting[id] = waiting
      return (false, state.credentials.ask(renewal))
    }
    if isCancelled { waiting.resume(returning: .failure(.cancelled)) }
    // Not the caller's own: it goes on for others where that one is cancelled.
    if let reason { Task { await askSource(reason) } }
  }

  private func askSource(_ reason: TokenReason) async {
    let result: Result<String?, APIError>
    do {
      result = .success(try await source?(reason))
    } catch {
      result = .failure(.noToken("\(error)"))
    }
    let waiting = state.withLock { state in
      state.credentials.answered()
      if case .success(let token) = result {
        state.credentials.keep(token)
        state.areNone = token == nil
      }
      let waiting = state.waiting.values
      state.waiting = [:]
      return waiting
    }
    for waiting in waiting { waiting.resume(returning: result) }
  }
}
