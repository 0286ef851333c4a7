import EventLoop
import HTTP1
import Synchronization
import WebSocket

/// A push server that says what a test tells it to, by our own server role, on a loop of its own.
final class ScriptedServer: Sendable {
  enum Answer: Sendable {
    /// To the n-th connection's subscribe, from 0 on: these messages, one after the other.
    case messages(@Sendable (_ connection: Int, _ subscribe: String) -> [String])
    /// The same, and then a Close.
    case messagesAndClose([String], CloseCode)
    /// No upgrade, but this answer.
    case refuses(String)
    /// Never anything.
    case silent
  }

  static let hello = #"{"type":"hello","protocol":"walletpush.v1","epoch":"e","rev":10}"#
  static let ok = #"{"type":"ok","id":1,"wallets":[],"failed":[]}"#

  static func heartbeat(_ revision: Int, epoch: String = "e") -> String {
    #"{"type":"heartbeat","epoch":"\#(epoch)","rev":\#(revision)}"#
  }
  static func price(_ revision: Int, at time: Int64? = nil) -> String {
    #"{"type":"price","token":"ETH:native","price_usd":"1","change_24h":null,"price_state":"fresh","price_at":\#(time.map(String.init) ?? "null"),"rev":\#(revision)}"#
  }

  let port: UInt16
  private let loop: EventLoop
  private let answer: Answer
  private struct State {
    var connections = 0
    var subscribes: [String] = []
    var peers: [String] = []
    var heads: [RequestHead] = []
  }
  private let state = Mutex(State())

  init(_ answer: Answer) throws {
    self.answer = answer
    loop = try EventLoop(name: "scripted", configuration: .standard)
    let box = Box()
    port = try loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) { connection in
      guard let server = box.server else { return nil }
      return End(server, server.accepted(connection))
    }.address.port
    box.server = self
    try loop.start()
  }

  private final class Box: @unchecked Sendable { weak var server: ScriptedServer? }

  func stop() {
    loop.stop()
    loop.join()
  }

  var subscribes: [String] { state.withLock { $0.subscribes } }
  /// The addresses that connections came from.
  var peers: [String] { state.withLock { $0.peers } }
  var heads: [RequestHead] { state.withLock { $0.heads } }

  private func accepted(_ connection: Connection) -> Int {
    state.withLock {
      $0.peers.append(connection.peer.host)
      $0.connections += 1
      return $0.connections - 1
    }
  }

  private final class End: ConnectionHandler {
    let server: ScriptedServer
    let number: Int
    var parser = RequestParser(
      limits: HTTPLimits(lineBytes: 8_192, headBytes: 16_384, headerCount: 100, bodyBytes: 0))
    var head: RequestHead?
    var isOpen = false
    var machine = WebSocketConnection(
      role: .server, limits: WebSocketLimits(messageBytes: 65_536, fragments: 10, replyBytes: 4_096))

    init(_ server: ScriptedServer, _ number: Int) { (self.server, self.number) = (server, number) }

    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
      if isOpen { return frames(bytes, connection) }
      var input = UnsafeRawBufferPointer(bytes)
      while !isOpen, let event = try? parser.next(&input) {
        if case .head(let parsed) = event { head = parsed }
        if case .end = event, let head { open(head, connection) }
      }
    }

    private func open(_ head: RequestHead, _ connection: Connection) {
      server.state.withLock { $0.heads.append(head) }
      switch server.answer {
      case .silent: return
      case .refuses(let text):
        connection.write(Array(text.utf8))
        return connection.close(.requested, afterFlush: true)
      case .messages, .messagesAndClose: break
      }
      guard
        let handshake = try? ServerHandshake(
          method: head.method, httpMinorVersion: head.minorVersion, headers: head.headers),
        let headers = try? handshake.responseHeaders(
          subprotocol: handshake.subprotocols.first, extensions: [])
      else { return connection.abort() }
      var response: [UInt8] = []
      try? ResponseEncoder.encode(ResponseHead(status: 101, headers: headers), into: &response)
      isOpen = true
      connection.write(response + WebSocketFrame.text(ScriptedServer.hello))
    }

    private func frames(_ bytes: UnsafeMutableRawBufferPointer, _ connection: Connection) {
      var input = bytes
      var out: [UInt8] = []
      while let event = try? machine.next(&input) {
        guard case .message(_, let payload) = event else { continue }
        let text = String(decoding: payload, as: UTF8.self)
        server.state.withLock { $0.subscribes.append(text) }
        switch server.answer {
        case .messages(let script):
          for message in script(number, text) { try? machine.send(text: message, into: &out) }
        case .messagesAndClose(let messages, let code):
          for message in messages { try? machine.send(text: message, into: &out) }
          try? machine.close(code, reason: "as told", into: &out)
        case .refuses, .silent: break
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
