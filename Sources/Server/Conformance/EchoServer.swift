// A WebSocket echo server on the same event loop, HTTP and WebSocket machines that clients meet: for conformance suites
// and echo benchmarks. On loopback only.

import EventLoop
import HTTP1
import WebSocket

public final class EchoServer: Sendable {
  public let address: SocketAddress
  private let loops: EventLoopGroup

  /// Messages up to this long are echoed.
  public static let messageBytes = 16 << 20
  /// Every message is compressed that becomes shorter, in every way that the peer offers.
  static let compression = DeflateSettings(
    minimumBytes: 0, contextTakeover: true, windowBits: 15, level: 3, inflationRatio: 2_000)

  /// - Parameters:
  ///   - port: 0 picks a free one.
  ///   - tls: nil: plain text.
  public init(port: UInt16, loops count: Int, tls files: Settings.TLS? = nil) throws {
    let tls = try files.map { try ServerCertificate($0).makeServer() }
    loops = try EventLoopGroup(count: count, name: "echo", configuration: .standard)
    var address = ListenAddress(host: "127.0.0.1", port: port)
    var bound: SocketAddress?
    for loop in loops.loops {
      let pool = DeflatePool(Self.compression)
      let listener = try loop.listen(on: address) { connection in
        connection.filter = tls?.makeFilter()
        return EchoHandshake(pool: pool)
      }
      bound = listener.address
      address.port = listener.address.port
    }
    self.address = bound ?? SocketAddress(127, 0, 0, 1, port: port)
    try loops.start()
  }

  public func stop() {
    loops.stop()
    loops.join()
  }
}

/// The request before the echo.
private final class EchoHandshake: ConnectionHandler {
  private var parser = RequestParser(
    limits: HTTPLimits(lineBytes: 8_192, headBytes: 16_384, headerCount: 100, bodyBytes: 0))
  private var head: RequestHead?

  private let pool: DeflatePool

  init(pool: DeflatePool) { self.pool = pool }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    var input = UnsafeRawBufferPointer(bytes)
    do {
      while let event = try parser.next(&input) {
        if case .head(let parsed) = event { head = parsed }
        guard case .end = event, let head else { continue }
        let handshake = try ServerHandshake(
          method: head.method, httpMinorVersion: head.minorVersion, headers: head.headers)
        var response: [UInt8] = []
        response.reserveCapacity(256)
        let agreement = pool.settings.accept(handshake.extensions)
        let headers = try handshake.responseHeaders(extensions: agreement.map { [$0.answer] } ?? [])
        try ResponseEncoder.encode(ResponseHead(status: 101, headers: headers), into: &response)
        connection.write(response)
        let session = EchoSession(
          agreement.map { PerMessageDeflate($0.parameters, role: .server, pool: pool) })
        connection.handler = session
        session.received(UnsafeMutableRawBufferPointer(mutating: input), on: connection)
        return
      }
    } catch let error as HandshakeRefusal {
      refuse(error.status, error.headers, error.reason, connection)
    } catch {
      refuse(400, [:], "\(error)", connection)
    }
  }

  private func refuse(_ status: Int, _ extra: HTTPHeaders, _ reason: String, _ connection: Connection) {
    var headers = extra
    headers.append("Content-Length", String(reason.utf8.count))
    headers.append("Connection", "close")
    var response: [UInt8] = []
    try? ResponseEncoder.encode(ResponseHead(status: status, headers: headers), into: &response)
    connection.write(response + Array(reason.utf8))
    connection.close(.requested, afterFlush: true)
  }

  func inputEnded(on connection: Connection) { connection.close(.endOfStream, afterFlush: true) }
  func closed(_ connection: Connection, reason: CloseReason) {}
}

private final class EchoSession: ConnectionHandler {
  private var machine: WebSocketConnection

  init(_ messageExtension: (any MessageExtension)?) {
    machine = WebSocketConnection(
      role: .server,
      limits: WebSocketLimits(
        messageBytes: EchoServer.messageBytes, fragments: 1 << 20, replyBytes: 65_536),
      messageExtension: messageExtension)
  }

  /// A peer that does not read its echoes is not read either.
  private static let unsentMaximum = 4 << 20

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    process(bytes, on: connection)
  }

  private func process(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    var input = bytes
    var out: [UInt8] = []
    do throws(RemoteError) {
      while let event = try machine.next(&input) {
        switch event {
        case .message(let kind, let payload):
          if machine.hasOutput { out.append(contentsOf: machine.takeOutput()) }
          try? machine.send(kind, payload, into: &out)
        case .ping, .pong: break
        case .close(let code, _): return finish(out, code ?? .normal, connection)
        }
      }
    } catch {
      return finish(out, error.closeCode, connection)
    }
    if machine.hasOutput { out.append(contentsOf: machine.takeOutput()) }
    if !out.isEmpty { connection.sendNow(out) }
    if connection.unsentBytes > Self.unsentMaximum { connection.pauseReading() }
  }

  func drained(_ connection: Connection) { connection.resumeReading() }

  private func finish(_ out: [UInt8], _ code: CloseCode, _ connection: Connection) {
    connection.write(out + machine.takeOutput())
    connection.close(.local(code: code.rawValue), afterFlush: true)
  }

  func inputEnded(on connection: Connection) { connection.close(.endOfStream, afterFlush: true) }
  func closed(_ connection: Connection, reason: CloseReason) {}
}
