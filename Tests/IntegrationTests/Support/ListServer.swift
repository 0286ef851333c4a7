import EventLoop
import Synchronization
import TestSupport

/// Answers every request with what it is told to.
final class ListServer: Sendable {
  private struct State {
    var answer = (status: 200, body: "")
    var requests = 0
  }
  private let state = Mutex(State())
  let port: UInt16
  var url: String { "http://127.0.0.1:\(port)/tokens.json" }
  var requests: Int { state.withLock { $0.requests } }

  private final class End: ConnectionHandler {
    weak var server: ListServer?
    var head: [UInt8] = []

    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
      head += bytes
      guard head.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return }
      head = []
      let answer = server?.take() ?? (status: 503, body: "")
      connection.write(
        Array(
          """
          HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\n\
          Location: http://elsewhere.test/\r\n\r\n\(answer.body)
          """.utf8))
    }
    func inputEnded(on connection: Connection) { connection.close(.requested, afterFlush: true) }
    func closed(_ connection: Connection, reason: CloseReason) {}
  }

  private final class Box { weak var server: ListServer? }

  init() async throws {
    guard let loop = Wire.loop else { throw NothingCame(description: "an event loop") }
    nonisolated(unsafe) let box = Box()
    port = try await loop.perform {
      try loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) { _ in
        let end = End()
        end.server = box.server
        return end
      }.address.port
    }
    let server = self
    try await loop.perform { box.server = server }
  }

  func answer(_ status: Int, _ body: String = "") { state.withLock { $0.answer = (status, body) } }

  private func take() -> (status: Int, body: String) {
    state.withLock {
      $0.requests += 1
      return $0.answer
    }
  }
}
