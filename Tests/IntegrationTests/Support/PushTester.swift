import EventLoop
import HTTP1
import JSON
import Synchronization
import TestSupport
import WebSocket

/// A WebSocket client as a browser would be one: it keeps every message, in order, and how the connection ended.
final class PushTester: Sendable {
  struct Ended: Sendable, Equatable {
    var code: UInt16?
    var reason: String
  }

  private struct State {
    var frames: [JSONValue] = []
    /// Messages before this one have been looked at.
    var cursor = 0
    var handshake: String?
    var subprotocol: String?
    var ended: Ended?
  }

  private final class End: ConnectionHandler {
    let tester: PushTester
    let handshake: ClientHandshake
    var head: [UInt8] = []
    var isOpen = false
    var machine: WebSocketConnection

    init(_ tester: PushTester, _ handshake: ClientHandshake) {
      self.tester = tester
      self.handshake = handshake
      var random = SystemRandomNumberGenerator()
      machine = WebSocketConnection(
        role: .client(maskingSeed: random.next()),
        limits: WebSocketLimits(messageBytes: 1 << 22, fragments: 100, replyBytes: 4_096))
    }

    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
      guard !isOpen else { return messages(bytes, connection) }
      head.append(contentsOf: bytes)
      guard let end = head.indices.first(where: { head[$0...].starts(with: [13, 10, 13, 10]) }) else {
        return
      }
      var rest = Array(head[(end + 4)...])
      open(String(decoding: head[..<end], as: UTF8.self), connection)
      if isOpen, !rest.isEmpty { rest.withUnsafeMutableBytes { messages($0, connection) } }
    }

    private func open(_ text: String, _ connection: Connection) {
      let lines = text.split(separator: "\r\n")
      let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      var headers = HTTPHeaders()
      for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        headers.append(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
      }
      do {
        let accepted = try handshake.verify(status: status, headers: headers)
        isOpen = true
        tester.state.withLock {
          $0.subprotocol = accepted.subprotocol
          $0.handshake = "open"
        }
      } catch {
        tester.state.withLock { $0.handshake = error.reason }
        connection.close(.requested, afterFlush: false)
      }
    }

    private func messages(_ bytes: UnsafeMutableRawBufferPointer, _ connection: Connection) {
      var input = bytes
      do throws(RemoteError) {
        while let event = try machine.next(&input) {
          switch event {
          case .message(_, let payload): take(Array(payload))
          case .close(let code, let reason):
            tester.state.withLock { $0.ended = $0.ended ?? Ended(code: code?.rawValue, reason: reason) }
          case .ping, .pong: break
          }
        }
      } catch {
        tester.state.withLock { $0.ended = Ended(code: 1002, reason: "the server broke a rule: \(error)") }
      }
      if machine.hasOutput { connection.write(machine.takeOutput()) }
    }

    private func take(_ payload: [UInt8]) {
      let value = try? JSONParser.parse(payload, limits: JSONLimits(depth: 32, numberBytes: 128))
      tester.state.withLock { $0.frames.append(value ?? .string("no JSON")) }
    }

    func inputEnded(on connection: Connection) { connection.close(.requested, afterFlush: true) }

    func closed(_ connection: Connection, reason: CloseReason) {
      tester.state.withLock {
        $0.ended = $0.ended ?? Ended(code: nil, reason: "no Close frame: \(reason)")
        $0.handshake = $0.handshake ?? "closed: \(reason)"
      }
    }
  }

  private let state = Mutex(State())
  private let id = Mutex<ConnectionID?>(nil)

  // MARK: - Coming and going

  /// Returns once the handshake is through; throws with its reason when it is refused.
  static func connect(
    port: UInt16, target: String = "/ws", subprotocols: [String] = [], headers: [(String, String)] = [],
    tls: TLSClient? = nil
  ) async throws -> PushTester {
    guard let loop = Wire.loop else { throw NothingCame(description: "an event loop") }
    let tester = PushTester()
    let id = try await loop.perform {
      var random = SystemRandomNumberGenerator()
      let handshake = ClientHandshake(
        nonce: (random.next(), random.next()), host: "127.0.0.1:\(port)", subprotocols: subprotocols)
      let connection = loop.connect(
        to: SocketAddress(127, 0, 0, 1, port: port), handler: End(tester, handshake))
      connection.filter = try tls?.makeFilter(host: "localhost")
      var text = "GET \(target) HTTP/1.1\r\n"
      for (name, value) in handshake.requestHeaders.pairs { text += "\(name): \(value)\r\n" }
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      connection.write(Array((text + "\r\n").utf8))
      return connection.id
    }
    tester.id.withLock { $0 = id }
    let result = try await eventually("the handshake") { tester.state.withLock { $0.handshake } }
    guard result == "open" else { throw NothingCame(description: result) }
    return tester
  }

  private func onEnd(_ body: @escaping @Sendable (Connection, inout WebSocketConnection) -> Void) {
    guard let id = id.withLock({ $0 }), let loop = Wire.loop else { return }
    loop.post {
      guard let connection = loop.connection(id), let end = connection.handler as? End else { return }
      body(connection, &end.machine)
    }
  }

  func send(_ text: String) {
    onEnd { connection, machine in
      var out: [UInt8] = []
      try? machine.send(text: text, into: &out)
      connection.write(out)
    }
  }

  func send(binary: [UInt8]) {
    onEnd { connection, machine in
      var out: [UInt8] = []
      try? machine.send(binary: binary, into: &out)
      connection.write(out)
    }
  }

  /// Bytes as they are, whatever they break.
  func send(raw: [UInt8]) { onEnd { connection, _ in connection.write(raw) } }

  func close() {
    onEnd { connection, machine in
      var out: [UInt8] = []
      try? machine.close(.normal, into: &out)
      connection.write(out)
    }
  }

  func abort() { onEnd { connection, _ in connection.abort() } }

  // MARK: - What came

  var subprotocol: String? { state.withLock { $0.subprotocol } }
  var frames: [JSONValue] { state.withLock { $0.frames } }

  func ended() async throws -> Ended {
    try await eventually("the end of the connection") { state.withLock { $0.ended } }
  }

  /// The first message, of those not looked at yet, that fits. What came before it counts as looked at.
  @discardableResult
  func frame(_ what: String, where fits: (JSONValue) -> Bool) async throws -> JSONValue {
    do {
      return try await eventually(what) {
        state.withLock { state in
          guard let index = state.frames[state.cursor...].firstIndex(where: fits) else { return nil }
          state.cursor = index + 1
          return state.frames[index]
        }
      }
    } catch {
      let seen = state.withLock { state in
        (state.frames.suffix(12).map(\.description), state.ended.map { "\($0)" } ?? "still open")
      }
      throw NothingCame(
        description: "never came: \(what); \(seen.1); the last messages:\n\(seen.0.joined(separator: "\n"))")
    }
  }

  /// The next message of a type.
  @discardableResult
  func next(_ type: String) async throws -> JSONValue { try await frame(type) { $0["type"]?.string == type } }

  /// Sends an operation and waits for its one direct reply.
  func ask(_ id: Int, _ operation: String) async throws -> JSONValue {
    send("{\"id\":\(id),\(operation)}")
    return try await frame("the reply to \(operation)") { $0["id"]?.int == id }
  }

  /// Waits for a whole, fresh snapshot.
  func freshSnapshot() async throws -> JSONValue {
    try await frame("a fresh snapshot") { $0["type"] == "snapshot" && $0["state"] == "fresh" }
  }
}
