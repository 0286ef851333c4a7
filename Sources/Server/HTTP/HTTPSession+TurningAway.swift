import EventLoop
import HTTP1
import WebSocket

/// Connections and clients for whom there is no room (``ConnectionBudget``).
///
/// A connection beyond the limits has its first head read, is answered and closed: no body is waited for, nothing is
/// looked up, nothing begun. Closing goes by `afterFlush`, which reads on until the client has ended its side: a reset
/// for what it still sends would overtake the answer.
extension HTTPSession {
  /// Behind a proxy the client is known only now, and counts from the head of its request until its answer is taken; as
  /// a WebSocket, to its end.
  func hasRoomForClient(of head: RequestHead) -> Bool {
    guard let client = router.clients.client(of: head, peer: connection.peer) else { return true }
    return connection.count(for: client)
  }

  /// A browser can't read the status of a refused handshake, but it can read a Close.
  func turnAway(_ head: RequestHead, _ refusal: ConnectionBudget.Refusal) {
    guard let handshake = handshake(head) else { return finish(ConnectionRefusal.response(refusal), head) }
    var machine = WebSocketConnection(
      role: .server, limits: WebSocketLimits(messageBytes: 0, fragments: 1, replyBytes: 0))
    var out = handshake
    try? machine.close(.tooManyConnections, reason: ConnectionRefusal.reason(refusal), into: &out)
    connection.write(out)
    close()
  }

  /// The 101 for a WebSocket's handshake; nil where it is none, or a wrong one. The address is looked at first: routing
  /// any other one could cost something.
  private func handshake(_ head: RequestHead) -> [UInt8]? {
    guard head.headers.containsToken("Upgrade", "websocket"), head.rawPath == "/ws",
      case .upgrade(let upgrade) = route(head, [])
    else { return nil }
    return upgrade.response
  }
}

/// What is said where there is no room.
enum ConnectionRefusal {
  /// From the accept to the end of the first head, where `limits.handshakeSeconds` is not less.
  static let patience = Duration.seconds(5)

  static func reason(_ refusal: ConnectionBudget.Refusal) -> String {
    switch refusal {
    case .connections: "too many connections; come back later"
    case .address: "too many connections from your address; close some and come back"
    }
  }

  /// Seconds.
  private static let retry = "5"

  static func response(_ refusal: ConnectionBudget.Refusal) -> Response {
    .error(503, "too_many_connections", reason(refusal), headers: [(name: "Retry-After", value: retry)])
  }

  /// What a plain connection is told of which not a byte is read.
  static let answer: [UInt8] = {
    let body = #"{"error":"\#(reason(.connections))","code":"too_many_connections"}"#
    return Array(
      ("HTTP/1.1 503 Service Unavailable\r\nRetry-After: \(retry)\r\nConnection: close\r\n"
        + "Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)").utf8)
  }()
}
