import EventLoop
import HTTP1
import WebSocket

/// What a ``WebSocketClient`` tells its owner. All calls come on the client's loop, none inside a call of the
/// client but `received` and what follows from it.
public protocol WebSocketClientHandler: AnyObject {
  /// The handshake is through: messages can be sent.
  func opened(_ client: WebSocketClient, subprotocol: String?)

  /// A whole message; text is valid UTF-8. The bytes are gone after the call.
  func received(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, on client: WebSocketClient)

  /// The unsent bytes fell to zero after some had been left over.
  func drained(_ client: WebSocketClient)

  /// The last call, exactly once, whoever ended the connection, also when it never opened.
  func closed(_ client: WebSocketClient, _ ending: WebSocketEnding)
}

extension WebSocketClientHandler {
  public func drained(_ client: WebSocketClient) {}
}

/// How a connection ended.
public enum WebSocketEnding: Sendable, Equatable {
  /// By a closing handshake, whoever began it. The code is the server's; nil when it gave none.
  case closed(code: CloseCode?, reason: String)
  case failed(WebSocketClientError)
}

/// Why a connection did not open, or broke off.
public enum WebSocketClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The way there: the name, the addresses, TLS, the connection itself.
  case transport(UpstreamError)
  /// What answered the handshake is no HTTP/1.1.
  case malformedResponse(HTTPError)
  /// The server's answer does not open a WebSocket connection.
  case notOpened(HandshakeFailure)
  case handshakeTimedOut
  /// The server broke the protocol or one of our limits; it was told why.
  case protocolBroken(RemoteError)
  /// The server was silent for too long, and did not answer a ping.
  case noPong
  /// Our Close was not answered in time.
  case closeTimedOut
  /// The connection ended without a Close (RFC 6455 §7.1.5 calls that 1006).
  case endedWithoutClose
  /// Given up by ``WebSocketClient/abort()``.
  case aborted

  public var description: String {
    switch self {
    case .transport(let error): error.description
    case .malformedResponse(let error): "malformed answer to the handshake: \(error)"
    case .notOpened(let failure): failure.reason
    case .handshakeTimedOut: "timed out in the handshake"
    case .protocolBroken(let error): "the server broke the protocol: \(error.reason)"
    case .noPong: "the server is silent"
    case .closeTimedOut: "timed out while closing"
    case .endedWithoutClose: "the connection ended without a Close"
    case .aborted: "given up"
    }
  }
}
