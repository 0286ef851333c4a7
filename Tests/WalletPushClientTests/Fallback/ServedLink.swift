import Ethereum
import JSON
import Testing

@testable import WalletPushClient

/// A link and a server that answers as it is told to.
struct ServedLink {
  var link: HTTPLink
  var now = ContinuousClock.now
  private(set) var requests: [(id: RequestID, call: HTTPCall)] = []
  private(set) var cancelled: Set<RequestID> = []
  private(set) var frames: [(frame: ServerFrame, origin: FrameOrigin)] = []

  init(_ kind: TransportKind, limits: ClientLimits = ClientLimits()) {
    link = HTTPLink(kind, limits: limits, grace: .seconds(5), lastRequest: 0)
    drain()
  }

  /// One that has greeted.
  static func greeted(_ kind: TransportKind) throws -> ServedLink {
    var served = ServedLink(kind)
    try served.answer("api/v1/chains", #"{"chains":[]}"#)
    return served
  }

  mutating func drain() {
    for output in link.takeOutputs() {
      switch output {
      case .request(let id, let call): requests.append((id, call))
      case .cancel(let id): cancelled.insert(id)
      case .frame(let frame, let origin): frames.append((frame, origin))
      }
    }
  }

  mutating func send(_ operation: Operation, _ id: Int) {
    link.send(operation, id: id)
    drain()
  }

  mutating func subscribe(_ key: String, _ id: Int, since: String? = nil) throws {
    send(.subscribe(SubscribeMessage(wallets: [try walletKey(key)], since: since)), id)
  }

  /// The last request whose target has this in it.
  func asked(_ target: String) throws -> (id: RequestID, call: HTTPCall) {
    try #require(requests.last { $0.call.target.contains(target) }, "no request for \(target)")
  }

  mutating func head(_ target: String, _ status: Int = 200, _ type: String = "text/event-stream") throws {
    let id = try asked(target).id
    link.answered(id, HTTPHead(status: status, contentType: type, retryAfter: nil), now: now)
    drain()
  }

  mutating func bytes(_ target: String, _ text: String) throws {
    link.received(try asked(target).id, Array(text.utf8), now: now)
    drain()
  }

  mutating func finish(_ target: String) throws {
    link.finished(try asked(target).id, now: now)
    drain()
  }

  mutating func answer(
    _ target: String, status: Int = 200, _ body: String = "", retryAfter: String? = nil
  ) throws {
    let id = try asked(target).id
    let type = "application/json"
    link.answered(id, HTTPHead(status: status, contentType: type, retryAfter: retryAfter), now: now)
    link.received(id, Array(body.utf8), now: now)
    link.finished(id, now: now)
    drain()
  }

  mutating func fail(_ target: String, _ failure: HTTPFailure) throws {
    link.failed(try asked(target).id, failure)
    drain()
  }

  mutating func pass(_ duration: Duration) {
    let end = now + duration
    while let deadline = link.deadline, deadline <= end {
      now = max(now, deadline)
      link.timeoutReached(now: now)
      drain()
    }
    now = end
  }

  /// What was replied to an op.
  func reply(_ id: Int) -> Result<AcceptedFrame, ServerRefusal>? {
    for (frame, _) in frames {
      if case .ok(let accepted) = frame, accepted.id == id { return .success(accepted) }
      if case .error(id, let refusal) = frame { return .failure(refusal) }
    }
    return nil
  }

  /// Of the wallet's stream, in their order, where one may resume from.
  func cursors(_ key: String = wallet) throws -> [String?] {
    let key = try walletKey(key)
    return frames.compactMap { frame, origin -> String?? in
      guard case .stream(key, let cursor) = origin else { return nil }
      if case .ok = frame { return nil }
      return .some(cursor?.description)
    }
  }
}

/// One event of a stream.
func event(_ data: String, id: String? = nil) -> String {
  (id.map { "id: \($0)\n" } ?? "") + data.split(separator: "\n").map { "data: \($0)\n" }.joined() + "\n"
}
