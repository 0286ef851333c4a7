import EventLoop
import Synchronization
import TestSupport

/// A proxy that lets through what it is told to: requests by HTTP/1.1 without bodies, and what comes behind an upgrade.
final class Gate: Sendable {
  enum Way: Sendable, Hashable, CaseIterable {
    case webSockets, streams

    /// What the request line of one looks like.
    fileprivate func takes(_ target: Substring) -> Bool {
      switch self {
      case .webSockets: target.hasPrefix("/ws")
      case .streams: target.hasSuffix("/stream")
      }
    }
  }

  /// How a way is blocked.
  enum Block: Sendable, CaseIterable {
    case forbidden, notFound, upgradeRequired, closed

    fileprivate var answer: String? {
      switch self {
      case .forbidden: "403 Forbidden"
      case .notFound: "404 Not Found"
      case .upgradeRequired: "426 Upgrade Required"
      case .closed: nil
      }
    }
  }

  private struct State {
    var blocked: [Way: Block] = [:]
    var requests: [String] = []
  }

  private let state: Mutex<State>
  private let loop: EventLoop
  private let target: UInt16
  let port: UInt16

  private final class Box { weak var gate: Gate? }

  /// - Parameter target: the port of the server behind it.
  init(to target: UInt16, blocking blocked: [Way: Block]) async throws {
    guard let loop = Wire.loop else { throw NothingCame(description: "an event loop") }
    self.loop = loop
    self.target = target
    state = Mutex(State(blocked: blocked))
    nonisolated(unsafe) let box = Box()
    port = try await loop.perform {
      try loop.listen(on: ListenAddress(host: "127.0.0.1", port: 0)) { box.gate?.admit($0) ?? Refusing() }
        .address.port
    }
    let gate = self
    try await loop.perform { box.gate = gate }
  }

  var url: String { "ws://127.0.0.1:\(port)/ws" }
  /// The targets that were asked for.
  var requests: [String] { state.withLock { $0.requests } }

  func open(_ way: Way) { state.withLock { $0.blocked[way] = nil } }

  /// Nil where the request may pass; else what to say before it is closed.
  fileprivate func refusal(_ head: String) -> String?? {
    let words = head.prefix { $0 != "\r\n" }.split(separator: " ")
    let target = words.count > 1 ? words[1] : ""
    return state.withLock { state in
      state.requests.append(String(target))
      guard let block = state.blocked.first(where: { $0.key.takes(target) })?.value else { return nil }
      return .some(
        block.answer.map { "HTTP/1.1 \($0)\r\nContent-Length: 7\r\nConnection: close\r\n\r\nblocked" })
    }
  }

  private func admit(_ connection: Connection) -> any ConnectionHandler {
    let client = Side(self)
    let server = Side(nil)
    let outgoing = loop.connect(to: SocketAddress(127, 0, 0, 1, port: target), handler: server)
    (client.other, server.other) = (outgoing.id, connection.id)
    return client
  }

  private final class Refusing: ConnectionHandler {
    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) { connection.abort() }
    func inputEnded(on connection: Connection) { connection.abort() }
    func closed(_ connection: Connection, reason: CloseReason) {}
  }

  /// One side of a connection that passes; the client's looks at requests.
  private final class Side: ConnectionHandler {
    let gate: Gate?
    var other: ConnectionID?
    /// Of a request's head.
    var head: [UInt8] = []
    var isUpgraded = false

    init(_ gate: Gate?) { self.gate = gate }

    func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
      guard let gate, !isUpgraded else { return pass(Array(bytes), connection) }
      head += bytes
      guard head.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return }
      let request = head
      head = []
      let text = String(decoding: request, as: UTF8.self)
      isUpgraded = text.lowercased().contains("\r\nupgrade: websocket")
      guard let refusal = gate.refusal(text) else { return pass(request, connection) }
      if let refusal { connection.write(Array(refusal.utf8)) }
      connection.close(.requested, afterFlush: true)
      otherEnd(connection)?.abort()
    }

    private func otherEnd(_ connection: Connection) -> Connection? {
      other.flatMap { connection.loop.connection($0) }
    }

    private func pass(_ bytes: [UInt8], _ connection: Connection) { otherEnd(connection)?.write(bytes) }

    func inputEnded(on connection: Connection) {
      connection.close(.requested, afterFlush: true)
      otherEnd(connection)?.close(.requested, afterFlush: true)
    }

    func closed(_ connection: Connection, reason: CloseReason) {
      otherEnd(connection)?.close(.requested, afterFlush: true)
    }
  }
}
