import EventLoop
import Glibc
import HTTP1
import JSON
import Synchronization
import Testing

@testable import EventLoop

/// The other end of an event stream, whose events a test takes one after the other.
final class StreamReader: ConnectionHandler, @unchecked Sendable {
  struct Event {
    var type: String
    var json: JSONValue
    /// Of this event; nil: it has none of its own.
    var id: String?
  }
  enum Item {
    case event(Event)
    case retry(Int)
    case comment
    case ended
  }

  private let items = AsyncStream<Item>.makeStream()
  private let loop: EventLoop
  private let preamble: String
  private let readsBuffer: Int32?
  private let count = Mutex(0)
  private var iterator: AsyncStream<Item>.Iterator
  // On the loop only.
  private var connection: Connection?
  private var held: [UInt8] = []

  init(_ loop: EventLoop, preamble: String, _ receiveBuffer: Int32?) {
    self.loop = loop
    self.preamble = preamble
    readsBuffer = receiveBuffer
    iterator = items.stream.makeAsyncIterator()
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

  var receivedBytes: Int { count.withLock { $0 } }
  func pause() async throws { try await loop.perform { self.connection?.pauseReading() } }
  func resume() { loop.post { self.connection?.resumeReading() } }
  func drop() { loop.post { self.connection?.abort() } }
  func send(_ bytes: [UInt8]) { loop.post { self.connection?.write(bytes) } }

  /// What comes next; nil after the end. Nothing coming is what the test's own time limit is for.
  func item() async -> Item? { await iterator.next(isolation: nil) }

  /// The next event, whatever stands between.
  func event() async throws -> Event {
    while let item = await item() {
      switch item {
      case .event(let event): return event
      case .retry, .comment: continue
      case .ended: throw TestClient.Unexpected(description: "the stream ended")
      }
    }
    throw TestClient.Unexpected(description: "the stream has ended")
  }

  /// The next event, which must be of this type.
  @discardableResult
  func event(_ type: String, _ location: SourceLocation = #_sourceLocation) async throws -> Event {
    let event = try await event()
    #expect(event.type == type, "\(event)", sourceLocation: location)
    return event
  }

  func events(through type: String) async throws -> [Event] {
    var found: [Event] = []
    while true {
      found.append(try await event())
      if found.last?.type == type { return found }
    }
  }

  func untilEnded() async -> [Event] {
    var found: [Event] = []
    while let item = await item() {
      switch item {
      case .event(let event): found.append(event)
      case .ended: return found
      case .retry, .comment: continue
      }
    }
    return found
  }

  // MARK: On the loop

  func connected(_ connection: Connection) { connection.write(Array(preamble.utf8)) }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    count.withLock { $0 += bytes.count }
    held += bytes
    // Event by event, each up to its empty line.
    while let end = held.indices.dropFirst().first(where: { held[$0] == 10 && held[$0 - 1] == 10 }) {
      let one = Array(held[...end])
      held.removeFirst(end + 1)
      read(one)
    }
  }

  private func read(_ one: [UInt8]) {
    var parser = ServerSentEventParser(eventBytesMax: 1 << 22)
    do {
      try one.withUnsafeBytes { bytes in
        var rest = bytes
        while let event = try parser.next(&rest) { take(event) }
      }
    } catch {
      Issue.record("no event stream: \(error)")
    }
  }

  private func take(_ event: ServerSentEventParser.Event) {
    switch event {
    case .comment: items.continuation.yield(.comment)
    case .retry(let milliseconds): items.continuation.yield(.retry(milliseconds))
    case .message(let type, let data, let id):
      do {
        let json = try JSONParser.parse(data, limits: JSONLimits(depth: 16, numberBytes: 100))
        #expect(json.type == type)
        items.continuation.yield(.event(Event(type: type, json: json, id: id.isEmpty ? nil : id)))
      } catch {
        Issue.record("no JSON: \(error)")
      }
    }
  }

  func inputEnded(on connection: Connection) { connection.close(.requested, afterFlush: true) }

  func closed(_ connection: Connection, reason: CloseReason) {
    items.continuation.yield(.ended)
    items.continuation.finish()
  }
}
