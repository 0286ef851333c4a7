import EventLoop
import HTTP1
import Synchronization
import WebSocket

@testable import Upstream

/// A WebSocket server by our own server role, on a loop of its own, that does as it is told.
final class WebSocketServer: Sendable {
  enum Behaviour: Sendable {
    /// Echoes messages, answers Closes and ends the connection.
    case echo
    /// Answers the handshake with these bytes instead.
    case answers(String)
    /// Answers nothing at all.
    case silent
    /// Opens, and sends these bytes.
    case sends([UInt8])
    /// Opens, then ends the connection without a word.
    case drops
    /// Opens, then hears nothing more.
    case deaf
  }

  let address: SocketAddress
  private let loop: EventLoop
  private let requests = Mutex<[RequestHead]>([])

  init(
    _ behaviour: Behaviour = .echo, settings: DeflateSettings? = nil,
    makeFilter: (@Sendable () -> any ByteFilter)? = nil
  ) throws {
    loop = try EventLoop(name: "server", configuration: .testing)
    let pool = settings.map { DeflatePool($0) }
    let box = Box()
    address = try loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) { connection in
      connection.filter = makeFilter?()
      return End(behaviour, pool) { box.server?.record($0) }
    }.address
    box.server = self
    try loop.start()
  }

  private final class Box: @unchecked Sendable { weak var server: WebSocketServer? }

  func stop() {
    loop.stop()
    loop.join()
  }

  /// The handshakes' requests.
  var heads: [RequestHead] { requests.withLock { $0 } }
  private func record(_ head: RequestHead) { requests.withLock { $0.append(head) } }

  func url(_ target: String = "/", scheme: String = "ws", host: String = "127.0.0.1") throws -> WebSocketURL {
    try WebSocketURL("\(scheme)://\(host):\(address.port)\(target)")
  }

  private final class End: ConnectionHandler {
    let behaviour: Behaviour
    let pool: DeflatePool?
    let record: (RequestHead) -> Void
    var parser = RequestParser(
      limits: HTTPLimits(lineBytes: 8_192, headBytes: 16_384, headerCount: 100, bodyBytes: 0))
    var head: RequestHead?
    var isOpen = false
    var machine = WebSocketConnection(role: .server, limits: .testing)

    init(_ behaviour: Behaviour, _ pool: DeflatePool?, record: @escaping (RequestHead) -> Void) {
      self.behaviour = behaviour
      self.pool = pool
      self.record = record
    }

    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
      if isOpen { return frames(bytes, connection) }
      var input = UnsafeRawBufferPointer(bytes)
      while !isOpen, let event = try? parser.next(&input) {
        if case .head(let parsed) = event { head = parsed }
        if case .end = event, let head {
          record(head)
          open(head, connection)
        }
      }
    }

    private func open(_ head: RequestHead, _ connection: Connection) {
      switch behaviour {
      case .silent: return
      case .answers(let text): return connection.write(Array(text.utf8))
      case .echo, .sends, .drops, .deaf: break
      }
      guard
        let handshake = try? ServerHandshake(
          method: head.method, httpMinorVersion: head.minorVersion, headers: head.headers)
      else { return connection.abort() }
      let agreement = pool?.settings.accept(handshake.extensions)
      if let pool, let agreement {
        machine = WebSocketConnection(
          role: .server, limits: .testing,
          messageExtension: PerMessageDeflate(agreement.parameters, role: .server, pool: pool))
      }
      var response: [UInt8] = []
      let headers = try? handshake.responseHeaders(
        subprotocol: handshake.subprotocols.first, extensions: agreement.map { [$0.answer] } ?? [])
      try? ResponseEncoder.encode(
        ResponseHead(status: 101, headers: headers ?? [:]), into: &response)
      isOpen = true
      if case .sends(let bytes) = behaviour { response += bytes }
      connection.write(response)
      if case .drops = behaviour { connection.close(.requested, afterFlush: true) }
    }

    private func frames(_ bytes: UnsafeMutableRawBufferPointer, _ connection: Connection) {
      if case .deaf = behaviour { return }
      var input = bytes
      var out: [UInt8] = []
      while let event = try? machine.next(&input) {
        guard case .message(let kind, let payload) = event else { continue }
        if payload.elementsEqual("close".utf8) {
          try? machine.close(.drain, reason: "as you like", into: &out)
        } else {
          try? machine.send(kind, payload, into: &out)
        }
      }
      connection.write(out + machine.takeOutput())
      if machine.state == .closed || machine.state == .failed {
        connection.close(.requested, afterFlush: true)
      }
    }

    func inputEnded(on connection: Connection) { connection.close(.requested, afterFlush: true) }
    func closed(_ connection: Connection, reason: CloseReason) {}
  }
}
