import EventLoop
import HTTP1
import Synchronization

/// An HTTP server on a loop of its own that does what a test tells it to, and keeps a diary.
final class ScriptedServer: Sendable {
  enum Step: Sendable {
    case send(String)
    case sendBytes([UInt8])
    /// Writes to another connection.
    case sendTo(connection: Int, String)
    /// Resets another connection.
    case abortOther(connection: Int)
    /// Ends our side, after what was sent, and the connection when the client ends its own.
    case close
    /// Resets the connection.
    case abort
  }

  struct Request: Sendable {
    var head: RequestHead
    var body: [UInt8]
    /// From 1, in the order they were accepted.
    var connection: Int
    /// From 1, on this connection.
    var number: Int
  }

  enum Event: Equatable, Sendable {
    case accepted(connection: Int)
    case requested(connection: Int, target: String)
    case closed(connection: Int)
  }

  typealias Script = @Sendable (Request) -> [Step]

  private struct Diary {
    var requests: [Request] = []
    var accepted = 0
    var open = 0
    var openMost = 0
  }

  private let diary = Mutex(Diary())
  private let events: AsyncStream<Event>
  private let eventSink: AsyncStream<Event>.Continuation
  private let connections = Connections()
  private let script: Script
  private let greeting: [Step]
  let loop: EventLoop
  let port: UInt16

  /// - Parameters:
  ///   - greeting: done as soon as a connection is accepted.
  ///   - makeFilter: of each connection: TLS.
  init(
    greeting: [Step] = [], makeFilter: (@Sendable () -> any ByteFilter)? = nil, script: @escaping Script
  ) throws {
    self.script = script
    self.greeting = greeting
    (events, eventSink) = AsyncStream.makeStream()
    loop = try EventLoop(name: "scripted", configuration: .testing)
    let accept = AcceptBox()
    port = try loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) { accept.handler?($0) }.address.port
    accept.handler = { [unowned self] connection in
      if let makeFilter { connection.filter = makeFilter() }
      return self.accept(connection)
    }
    try loop.start()
  }

  /// Only the loop uses it.
  private final class Connections: @unchecked Sendable { var numbers: [Int: Connection] = [:] }

  private final class AcceptBox { var handler: AcceptHandler? }

  deinit { loop.stop() }

  func stop() {
    loop.stop()
    loop.join()
  }

  func url(_ target: String = "/", scheme: String = "http", host: String = "127.0.0.1") -> String {
    "\(scheme)://\(host):\(port)\(target)"
  }

  var requests: [Request] { diary.withLock { $0.requests } }
  var targets: [String] { requests.map(\.head.target) }
  var acceptedCount: Int { diary.withLock { $0.accepted } }
  /// The most connections that were open at once.
  var openMost: Int { diary.withLock { $0.openMost } }

  /// Returns when `event` has come, at once when it came earlier. One caller at a time.
  func wait(for event: Event) async {
    for await next in events where next == event { return }
  }

  private func accept(_ connection: Connection) -> any ConnectionHandler {
    let number = diary.withLock { diary in
      diary.accepted += 1
      diary.open += 1
      diary.openMost = max(diary.openMost, diary.open)
      return diary.accepted
    }
    eventSink.yield(.accepted(connection: number))
    connections.numbers[number] = connection
    perform(greeting, on: connection)
    return ScriptedConnection(self, number: number)
  }

  fileprivate func handle(_ request: Request, on connection: Connection) {
    diary.withLock { $0.requests.append(request) }
    eventSink.yield(.requested(connection: request.connection, target: request.head.target))
    perform(script(request), on: connection)
  }

  fileprivate func closed(_ number: Int) {
    diary.withLock { $0.open -= 1 }
    connections.numbers[number] = nil
    eventSink.yield(.closed(connection: number))
  }

  private func perform(_ steps: [Step], on connection: Connection) {
    for step in steps {
      switch step {
      case .send(let text): connection.write([UInt8](text.utf8))
      case .sendBytes(let bytes): connection.write(bytes)
      case .sendTo(let number, let text): connections.numbers[number]?.write([UInt8](text.utf8))
      case .abortOther(let number): connections.numbers[number]?.abort()
      case .close: connection.close(.requested, afterFlush: true)
      case .abort: connection.abort()
      }
    }
  }
}

private final class ScriptedConnection: ConnectionHandler {
  private let server: ScriptedServer
  private let number: Int
  private var parser = RequestParser(
    limits: HTTPLimits(lineBytes: 8_192, headBytes: 65_536, headerCount: 100, bodyBytes: 1 << 26))
  private var head: RequestHead?
  private var body: [UInt8] = []
  private var requests = 0

  init(_ server: ScriptedServer, number: Int) {
    self.server = server
    self.number = number
  }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    var input = UnsafeRawBufferPointer(bytes)
    while let event = try? parser.next(&input) {
      switch event {
      case .head(let head): self.head = head
      case .body(let piece): body.append(contentsOf: piece)
      case .end:
        requests += 1
        guard let head else { return }
        let request = ScriptedServer.Request(head: head, body: body, connection: number, number: requests)
        body = []
        server.handle(request, on: connection)
      }
    }
  }

  func inputEnded(on connection: Connection) { connection.close(.requested, afterFlush: true) }

  func closed(_ connection: Connection, reason: CloseReason) { server.closed(number) }
}

extension EventLoopConfiguration {
  static var testing: EventLoopConfiguration {
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    return configuration
  }
}

extension ScriptedServer.Step {
  /// A whole response.
  static func respond(_ body: String, status: Int = 200, headers: String = "") -> ScriptedServer.Step {
    .send("HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
  }
}
