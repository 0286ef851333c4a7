#if os(Linux) && !WALLETPUSH_URLSESSION
  import EventLoop
  import Synchronization
  import Upstream
  import WebSocket

  /// A WebSocket connection by the server's own client, on an event loop that all clients of the process share.
  ///
  /// The loop's thread puts messages into a queue, the client takes them out. Above `queueBytes` the loop stops reading:
  /// a server that is faster has to wait.
  final class LoopTransport: Transport {
    fileprivate struct State {
      var socket: WebSocketClient?
      var messages: [[UInt8]] = []
      /// Messages of `messages` that were taken.
      var taken = 0
      var queuedBytes = 0
      var isPaused = false
      var end: TransportEnd?
      /// Of the one that waits, in `open` or in `receive`.
      var opening: CheckedContinuation<Void, any Error>?
      var receiving: CheckedContinuation<[UInt8], any Error>?
    }

    private static let queueBytes = 256 * 1_024

    private let url: WebSocketURL
    private let home: LoopHome
    private let configuration: WebSocketClientConfiguration
    private let state = Mutex(State())

    init(url: WebSocketURL, home: LoopHome, security: TLSClient?, messageBytes: Int) {
      self.url = url
      self.home = home
      var configuration = WebSocketClientConfiguration.standard(security: security)
      configuration.limits = WebSocketLimits(messageBytes: messageBytes, fragments: 1_024, replyBytes: 4_096)
      configuration.subprotocols = [subprotocol]
      // Silence is the client's to judge: it knows the server's interval.
      configuration.pingInterval = nil
      self.configuration = configuration
    }

    func open() async throws {
      try await withCheckedThrowingContinuation { continuation in
        let end = state.withLock { state -> TransportEnd? in
          if state.end == nil { state.opening = continuation }
          return state.end
        }
        if let end { return continuation.resume(throwing: end) }
        let isPosted = home.loop.post { self.connect() }
        if !isPosted { finish(TransportEnd(reason: "the event loop has ended")) }
      }
    }

    private func connect() {
      // Closed before it began: a socket would never be let go.
      guard state.withLock({ $0.end == nil }) else { return }
      let socket = WebSocketClient(
        url, loop: home.loop, resolver: home.resolver, configuration: configuration, deflatePool: nil,
        handler: Handler(self))
      state.withLock { $0.socket = socket }
      // What was closed meanwhile is told so next, on this very loop.
      socket.connect()
    }

    func receive() async throws -> [UInt8] {
      try await withCheckedThrowingContinuation { continuation in
        let next = state.withLock { state -> Result<[UInt8], TransportEnd>? in
          if let message = state.pop() { return .success(message) }
          // What came before the end is told before it.
          if let end = state.end { return .failure(end) }
          state.receiving = continuation
          return nil
        }
        switch next {
        case .success(let message):
          resumeReading()
          continuation.resume(returning: message)
        case .failure(let end): continuation.resume(throwing: end)
        case nil: break
        }
      }
    }

    private func resumeReading() {
      let isDue = state.withLock { state in
        guard state.isPaused, state.queuedBytes <= Self.queueBytes / 2 else { return false }
        state.isPaused = false
        return true
      }
      if isDue { onSocket { $0.resumeReading() } }
    }

    func send(_ text: String) { onSocket { try? $0.send(text: text) } }

    func close() {
      onSocket { try? $0.close() }
      finish(TransportEnd(reason: "closed"))
    }

    private func onSocket(_ body: @escaping @Sendable (WebSocketClient) -> Void) {
      home.loop.post {
        if let socket = self.state.withLock({ $0.socket }) { body(socket) }
      }
    }

    // MARK: - From the loop

    fileprivate func opened() {
      state.withLock { $0.opening.take() }?.resume()
    }

    fileprivate func received(_ message: [UInt8], on socket: WebSocketClient) {
      let waiting = state.withLock { state -> CheckedContinuation<[UInt8], any Error>? in
        guard state.end == nil else { return nil }
        if let receiving = state.receiving.take() { return receiving }
        state.messages.append(message)
        state.queuedBytes += message.count
        if state.queuedBytes > Self.queueBytes, !state.isPaused {
          state.isPaused = true
          socket.pauseReading()
        }
        return nil
      }
      waiting?.resume(returning: message)
    }

    fileprivate func finish(_ end: TransportEnd) {
      let (opening, receiving) = state.withLock { state in
        state.end = state.end ?? end
        return (state.opening.take(), state.receiving.take())
      }
      opening?.resume(throwing: end)
      receiving?.resume(throwing: end)
    }

    /// Told on the loop. Apart from the transport, which other threads use.
    private final class Handler: WebSocketClientHandler {
      private let transport: LoopTransport

      init(_ transport: LoopTransport) { self.transport = transport }

      func opened(_ client: WebSocketClient, subprotocol: String?) { transport.opened() }

      func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient) {
        if kind == .text { transport.received(Array(payload), on: client) }
      }

      func closed(_ client: WebSocketClient, _ ending: WebSocketEnding) {
        switch ending {
        case .closed(let code, let reason):
          transport.finish(TransportEnd(code: code?.rawValue, reason: reason))
        case .failed(let error): transport.finish(TransportEnd(reason: error.description))
        }
        transport.state.withLock { $0.socket = nil }
      }
    }
  }

  extension LoopTransport.State {
    /// The oldest message. The storage is given back once all are taken, so that each costs the same.
    fileprivate mutating func pop() -> [UInt8]? {
      guard taken < messages.count else { return nil }
      let message = messages[taken]
      messages[taken] = []
      taken += 1
      queuedBytes -= message.count
      if taken == messages.count {
        messages.removeAll()
        taken = 0
      }
      return message
    }
  }

  /// The thread of the process's clients, and the one that looks names up for them. They live as long as the process.
  struct LoopHome: Sendable {
    let loops: EventLoopGroup
    let loop: EventLoop
    let resolver: Resolver

    static let shared: Result<LoopHome, SystemError> = Result {
      () throws(SystemError) -> LoopHome in try LoopHome()
    }

    private init() throws(SystemError) {
      var configuration = EventLoopConfiguration.standard
      configuration.reportsMetrics = false
      loops = try EventLoopGroup(count: 1, name: "walletpush-cl", configuration: configuration)
      loop = loops.next()
      resolver = try Resolver(threads: 1, queueMaximum: 256)
      try loops.start()
    }
  }
#endif
