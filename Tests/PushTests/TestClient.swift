import CLinux
import EventLoop
import Glibc
import JSON
import Synchronization
import Testing
import WebSocket

@testable import EventLoop

/// What a client has negotiated.
enum Deflate: String {
  case none
  case shared
  case own

  var parameters: DeflateParameters? {
    switch self {
    case .none: nil
    case .shared:
      DeflateParameters(
        serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 12)
    case .own: DeflateParameters(serverMaxWindowBits: 12)
    }
  }
}

/// The other end: a WebSocket client on a loop of its own, whose frames a test takes one after the other.
final class TestClient: ConnectionHandler, TimerTarget, @unchecked Sendable {
  enum Event {
    case message(JSONValue)
    case close(UInt16, String)
    /// The connection is gone.
    case ended
  }
  struct TooLong: Error {}
  struct Unexpected: Error, CustomStringConvertible {
    var description: String
  }

  private struct State {
    var events: ArraySlice<Event> = []
    var waiter: (number: UInt64, continuation: CheckedContinuation<Event, any Error>)?
    var waits: UInt64 = 0
    var bytes = 0
  }
  private let state = Mutex(State())
  private let loop: EventLoop
  private let preamble: String
  // On the loop only.
  private var connection: Connection?
  private var machine: WebSocketConnection
  private var answersPings: Bool
  private let readsBuffer: Int32?

  init(
    loop: EventLoop, wallets: [String], tokens: [String], answersPings: Bool, receiveBuffer: Int32?,
    deflate: Deflate
  ) {
    self.loop = loop
    let handshake = ([wallets.joined(separator: ",")] + tokens).joined(separator: ";")
    preamble = handshake + "|" + deflate.rawValue + "\n"
    let pool = DeflatePool(
      DeflateSettings(
        minimumBytes: 0, contextTakeover: true, windowBits: 15, level: 6, inflationRatio: 2_000))
    machine = WebSocketConnection(
      role: .client(maskingSeed: 1),
      limits: WebSocketLimits(messageBytes: 1 << 24, fragments: 8, replyBytes: 4_096),
      messageExtension: deflate.parameters.map { PerMessageDeflate($0, role: .client, pool: pool) })
    self.answersPings = answersPings
    readsBuffer = receiveBuffer
  }

  func connect(to address: SocketAddress) async throws {
    try await loop.perform {
      let connection = self.loop.connect(to: address, handler: self)
      self.connection = connection
      if var bytes = self.readsBuffer {
        setsockopt(connection.descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
      }
    }
  }

  // MARK: What the test does

  func send(_ json: String) { send(all: [json]) }

  /// Messages that the server hears at once.
  func send(all messages: [String]) {
    loop.post {
      var out: [UInt8] = []
      for json in messages { try? self.machine.send(text: json, into: &out) }
      self.connection?.write(out)
    }
  }

  func sendBinary(_ bytes: [UInt8]) {
    loop.post {
      var out: [UInt8] = []
      try? self.machine.send(binary: bytes, into: &out)
      self.connection?.write(out)
    }
  }

  /// Bytes as they are, whatever they break.
  func send(raw bytes: [UInt8]) { loop.post { self.connection?.write(bytes) } }

  /// From here on nothing is read.
  func pause() async throws { try await loop.perform { self.connection?.pauseReading() } }
  func resume() { loop.post { self.connection?.resumeReading() } }
  func drop() { loop.post { self.connection?.abort() } }
  var receivedBytes: Int { state.withLock { $0.bytes } }

  /// What comes next; fails when nothing comes for a long time.
  func next() async throws -> Event {
    try await withCheckedThrowingContinuation { continuation in
      let (event, number) = state.withLock { state -> (Event?, UInt64) in
        if let event = state.events.popFirst() { return (event, 0) }
        state.waits += 1
        state.waiter = (state.waits, continuation)
        return (nil, state.waits)
      }
      if let event { return continuation.resume(returning: event) }
      loop.post { self.loop.schedule(after: .seconds(120), self, tag: number) }
    }
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    let waiter = state.withLock { state -> CheckedContinuation<Event, any Error>? in
      guard let waiter = state.waiter, waiter.number == tag else { return nil }
      state.waiter = nil
      return waiter.continuation
    }
    waiter?.resume(throwing: TooLong())
  }

  /// The next message.
  func message() async throws -> JSONValue {
    switch try await next() {
    case .message(let value): return value
    case .close(let code, let reason): throw Unexpected(description: "closed: \(code) \(reason)")
    case .ended: throw Unexpected(description: "ended")
    }
  }

  /// The next message, which must be of this type.
  func message(_ type: String, _ location: SourceLocation = #_sourceLocation) async throws -> JSONValue {
    let message = try await message()
    #expect(message["type"]?.string == type, "\(message)", sourceLocation: location)
    return message
  }

  /// All messages up to one of this type, which comes last.
  func messages(through type: String) async throws -> [JSONValue] {
    var found: [JSONValue] = []
    while true {
      let message = try await message()
      found.append(message)
      if message["type"]?.string == type { return found }
    }
  }

  /// The close code, whatever comes before it.
  func closeCode() async throws -> UInt16 {
    while true {
      switch try await next() {
      case .message: continue
      case .close(let code, let reason):
        #expect(!reason.isEmpty, "a reason text always comes with it")
        return code
      case .ended: throw Unexpected(description: "ended without a Close")
      }
    }
  }

  func untilEnded() async throws {
    while true { if case .ended = try await next() { return } }
  }

  // MARK: On the loop

  func connected(_ connection: Connection) { connection.write(Array(preamble.utf8)) }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    state.withLock { $0.bytes += bytes.count }
    var input = bytes
    do {
      while let event = try machine.next(&input) {
        switch event {
        case .message(_, let payload):
          do {
            push(.message(try JSONParser.parse(payload, limits: JSONLimits(depth: 16, numberBytes: 100))))
          } catch {
            Issue.record("no JSON: \(error)")
          }
        case .close(let code, let reason): push(.close(code?.rawValue ?? 1005, reason))
        case .ping, .pong: break
        }
      }
    } catch {
      Issue.record("the server broke the protocol: \(error)")
    }
    guard machine.hasOutput else { return }
    let output = machine.takeOutput()
    if answersPings || machine.state != .open { connection.write(output) }
  }

  func inputEnded(on connection: Connection) { connection.close(.requested, afterFlush: true) }
  func closed(_ connection: Connection, reason: CloseReason) { push(.ended) }

  private func push(_ event: Event) {
    let waiter = state.withLock { state -> CheckedContinuation<Event, any Error>? in
      guard let waiter = state.waiter else {
        state.events.append(event)
        return nil
      }
      state.waiter = nil
      return waiter.continuation
    }
    waiter?.resume(returning: event)
  }
}

extension JSONValue {
  var type: String { self["type"]?.string ?? "" }
  var rev: UInt64? { self["rev"]?.number?.uint64 }
  func text(_ key: String) -> String? { self[key]?.string }
  func texts(_ key: String) -> [String] { self[key]?.array?.compactMap(\.string) ?? [] }
  func list(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }
}
