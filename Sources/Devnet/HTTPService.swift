import EventLoop
import HTTP1

/// A response before its framing.
struct HTTPReply: Sendable {
  var status: Int
  var headers: HTTPHeaders
  var body: [UInt8]

  init(status: Int, type: String, body: [UInt8]) {
    self.status = status
    self.headers = ["Content-Type": type]
    self.body = body
  }

  init(status: Int, type: String, text: String) {
    self.init(status: status, type: type, body: Array(text.utf8))
  }

  init(status: Int, json: String) { self.init(status: status, type: "application/json", text: json) }

  /// What a fault answers; nil for faults that are not of HTTP, or answer nothing.
  init?(_ fault: Fault) {
    switch fault {
    case .status(let status):
      // One that has no body, or is no status of an answer, would only be a fault of ours.
      let status = (200...999).contains(status) && status != 204 && status != 304 ? status : 500
      self.init(status: status, type: "text/html", text: "<html><body><h1>\(status)</h1></body></html>")
    case .rateLimited(let seconds):
      self.init(status: 429, json: #"{"message":"Too many requests"}"#)
      if let seconds { headers.append("Retry-After", String(seconds)) }
    case .garbage: self.init(status: 200, type: "application/json", text: #"{"coins":{"a":{"pri<html>"#)
    case .silence, .silenceAbout, .disconnect, .rpcError, .chainID, .batchesOver: return nil
    }
  }
}

/// What becomes of a request.
enum HTTPVerdict {
  case reply(HTTPReply, after: Duration)
  case silence
  case disconnect
}

/// A server's side of HTTP/1.1 connections: the requests of a connection are answered in their order, however
/// long each is made to wait. On one loop.
final class HTTPService {
  let limits: HTTPLimits
  let answer: (RequestHead, [UInt8]) -> HTTPVerdict
  /// Requests of one connection that may wait for their answers before it is no longer read.
  let waitingMaximum: Int
  private var open: [ConnectionID: Connection] = [:]

  init(
    limits: HTTPLimits, waitingMaximum: Int, answer: @escaping (RequestHead, [UInt8]) -> HTTPVerdict
  ) {
    self.limits = limits
    self.waitingMaximum = max(1, waitingMaximum)
    self.answer = answer
  }

  var connectionCount: Int { open.count }

  func accept(_ connection: Connection) -> any ConnectionHandler {
    open[connection.id] = connection
    return HTTPServiceConnection(self, connection)
  }

  fileprivate func closed(_ connection: Connection) { open[connection.id] = nil }

  func closeConnections() {
    for connection in open.values { connection.close(.requested, afterFlush: false) }
  }
}

private final class HTTPServiceConnection: ConnectionHandler, TimerTarget {
  /// A request and what has become of it.
  private struct Slot {
    var response: [UInt8]?
    var isLast = false
    var answersHead = false
  }

  private let service: HTTPService
  private weak var connection: Connection?
  private var parser: RequestParser
  private var head: RequestHead?
  private var body: [UInt8] = []
  /// The requests that are not answered yet, the oldest first, and the number of that one.
  private var slots: [Slot] = []
  private var firstNumber: UInt64 = 0
  private var timers: [UInt64: HTTPReply] = [:]

  init(_ service: HTTPService, _ connection: Connection) {
    self.service = service
    self.connection = connection
    parser = RequestParser(limits: service.limits)
  }

  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    var input = UnsafeRawBufferPointer(bytes)
    do throws(HTTPError) {
      while let event = try parser.next(&input) {
        switch event {
        case .head(let head):
          self.head = head
          if head.expectContinue { connection.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        case .body(let piece): body.append(contentsOf: piece)
        case .end: finishRequest(connection)
        }
        // After a request that ends the connection nothing more is heard.
        guard slots.last?.isLast != true, connection.isOpen else { return }
      }
    } catch {
      let number = append(Slot(isLast: true))
      fill(number, HTTPReply(status: error.status, type: "text/plain", text: error.explanation), connection)
    }
    if slots.count >= service.waitingMaximum { connection.pauseReading() }
  }

  private func append(_ slot: Slot) -> UInt64 {
    slots.append(slot)
    return firstNumber + UInt64(slots.count - 1)
  }

  private func finishRequest(_ connection: Connection) {
    guard let head else { return }
    let body = body
    self.head = nil
    self.body = []
    let number = append(Slot(isLast: !head.keepAlive, answersHead: head.method == "HEAD"))
    switch service.answer(head, body) {
    case .silence: break
    case .disconnect: connection.close(.requested, afterFlush: true)
    case .reply(let reply, let delay) where delay > .zero:
      timers[number] = reply
      connection.loop.schedule(after: delay, self, tag: number)
    case .reply(let reply, _): fill(number, reply, connection)
    }
  }

  func timerFired(tag: UInt64, now: LoopInstant) {
    guard let reply = timers.removeValue(forKey: tag), let connection, connection.isOpen else { return }
    fill(tag, reply, connection)
  }

  private func fill(_ number: UInt64, _ reply: HTTPReply, _ connection: Connection) {
    let index = Int(clamping: number - firstNumber)
    guard slots.indices.contains(index) else { return }
    var headers = reply.headers
    if slots[index].isLast { headers.append("Connection", "close") }
    var response: [UInt8] = []
    do {
      try ResponseEncoder.encode(
        ResponseHead(status: reply.status, headers: headers), body: reply.body,
        answersHead: slots[index].answersHead, into: &response)
    } catch {
      return connection.close(.requested, afterFlush: true)
    }
    slots[index].response = response
    flush(connection)
  }

  /// Sends the answers whose turn it is.
  private func flush(_ connection: Connection) {
    while let response = slots.first?.response {
      connection.write(response)
      let wasLast = slots.removeFirst().isLast
      firstNumber += 1
      if wasLast { connection.close(.requested, afterFlush: true) }
    }
    if slots.count < service.waitingMaximum { connection.resumeReading() }
  }

  func inputEnded(on connection: Connection) { connection.close(.endOfStream, afterFlush: true) }

  func closed(_ connection: Connection, reason: CloseReason) {
    timers.removeAll()
    service.closed(connection)
  }
}
