import Ethereum
import Ledger

/// Names a request of a client.
typealias RequestID = Int

/// A request to the server.
struct HTTPCall: Sendable, Equatable {
  var method = "GET"
  /// Path and query below the server's root, without a slash in front.
  var target: String
  var headers: [String: String] = [:]
  var body: [UInt8] = []
  /// For the whole answer; of a stream, for its head.
  var timeout = Duration.seconds(60)
  /// The answer does not end.
  var isStream = false
}

/// What the client looks at of an answer's head.
struct HTTPHead: Sendable, Equatable {
  let status: Int
  let contentType: String
  /// In whole seconds (RFC 9110 §10.2.3), where it said so.
  let retryAfter: String?
  var etag: String?

  var isSuccess: Bool { (200...299).contains(status) }
}

/// Why there is no answer, or no more of it.
enum HTTPFailure: Error, Sendable, Equatable {
  case timedOut
  case failed(String)

  var reason: String {
    switch self {
    case .timedOut: "no answer in time"
    case .failed(let reason): reason
    }
  }
}

/// Where one may resume from, of one wallet's stream.
struct Cursor: Sendable, Hashable, CustomStringConvertible {
  let epoch: String
  let revision: Revision

  init(epoch: String, revision: Revision) {
    self.epoch = epoch
    self.revision = revision
  }

  /// `epoch:rev`; nil where it is anything else.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
      let revision = Revision(text[text.index(after: colon)...]), revision < 1 << 53
    else { return nil }
    self.init(epoch: String(text[..<colon]), revision: revision)
  }

  var description: String { "\(epoch):\(revision)" }
}

/// Whose order a frame belongs to.
enum FrameOrigin: Sendable, Equatable {
  /// The one of a WebSocket connection.
  case connection
  /// That of a wallet's own stream or polls; `cursor`: where one may resume from after the frame.
  case stream(WalletKey, cursor: Cursor?)
  /// None: the answer to a call.
  case answer
}
