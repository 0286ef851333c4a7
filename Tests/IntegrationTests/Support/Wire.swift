import EventLoop
import Synchronization
import TestSupport

/// One TCP connection that says what it is told, and keeps what it hears.
final class Wire: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isConnected = false
    var isEnded = false
    var reason: CloseReason?
  }

  private final class End: ConnectionHandler {
    let wire: Wire
    init(_ wire: Wire) { self.wire = wire }

    func connected(_ connection: Connection) { wire.state.withLock { $0.isConnected = true } }

    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
      wire.state.withLock { $0.bytes.append(contentsOf: bytes) }
    }

    func inputEnded(on connection: Connection) {
      wire.state.withLock { $0.isEnded = true }
      connection.close(.requested, afterFlush: true)
    }

    func closed(_ connection: Connection, reason: CloseReason) {
      wire.state.withLock {
        $0.isEnded = true
        $0.reason = reason
      }
    }
  }

  /// The loop of all test clients of the process. It is never stopped.
  static let loop: EventLoop? = {
    var configuration = EventLoopConfiguration.standard
    configuration.reportsMetrics = false
    let loop = try? EventLoop(name: "test-clients", configuration: configuration)
    try? loop?.start()
    return loop
  }()

  private let state = Mutex(State())
  private let id = Mutex<ConnectionID?>(nil)

  /// - Parameter tls: nil: plain text.
  static func connect(port: UInt16, tls: TLSClient? = nil) async throws -> Wire {
    guard let loop else { throw NothingCame(description: "an event loop") }
    let wire = Wire()
    let id = try await loop.perform {
      let connection = loop.connect(to: SocketAddress(127, 0, 0, 1, port: port), handler: End(wire))
      connection.filter = try tls?.makeFilter(host: "localhost")
      return connection.id
    }
    wire.id.withLock { $0 = id }
    return wire
  }

  func write(_ bytes: [UInt8]) {
    guard let id = id.withLock({ $0 }), let loop = Self.loop else { return }
    loop.post { loop.connection(id)?.write(bytes) }
  }

  /// A client that opens a WebSocket and then does nothing by itself: it answers no ping and no Close.
  static func webSocket(port: UInt16, target: String = "/ws") async throws -> Wire {
    let wire = try await connect(port: port)
    wire.write(handshake(target))
    try await eventually("the upgrade") { wire.bytes.starts(with: Array("HTTP/1.1 101".utf8)) }
    return wire
  }

  static func handshake(_ target: String) -> String {
    "GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
  }

  func write(_ text: String) { write(Array(text.utf8)) }

  /// What has come until now is not looked at again.
  func forget() { state.withLock { $0.bytes = [] } }

  /// From here on nothing is read.
  func pause() {
    guard let id = id.withLock({ $0 }), let loop = Self.loop else { return }
    loop.post { loop.connection(id)?.pauseReading() }
  }

  func resume() {
    guard let id = id.withLock({ $0 }), let loop = Self.loop else { return }
    loop.post { loop.connection(id)?.resumeReading() }
  }

  /// Ends the connection without a goodbye.
  func abort() {
    guard let id = id.withLock({ $0 }), let loop = Self.loop else { return }
    loop.post { loop.connection(id)?.abort() }
  }

  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var isConnected: Bool { state.withLock { $0.isConnected } }
  /// Why it closed; nil while it is open.
  var closeReason: CloseReason? { state.withLock { $0.reason } }
  var isEnded: Bool { state.withLock { $0.isEnded } }

  /// All that came, once the other side has ended.
  func untilEnd() async throws -> [UInt8] {
    try await eventually("the end of the connection") { isEnded ? bytes : nil }
  }
}
