/// One connection to a server, from its handshake to its close: what a ``WalletPushClient`` needs of WebSocket.
/// For one use; all calls come from one client.
public protocol Transport: AnyObject, Sendable {
  /// Returns once the handshake is through.
  ///
  /// - Throws: ``TransportEnd``
  func open() async throws

  /// The next text message, in UTF-8. Nobody asks for the next one before the last one is merged, so that a server that
  /// is faster than its client has to wait.
  ///
  /// - Throws: ``TransportEnd`` once it is over.
  func receive() async throws -> [UInt8]

  /// Sends a text message, after those before it. A transport that has ended takes it and does nothing.
  func send(_ text: String)

  /// Ends it; what waits in `open` or `receive` is thrown out.
  func close()
}

/// How a transport ended.
public struct TransportEnd: Error, Sendable, Hashable, CustomStringConvertible {
  /// Of the server's Close (RFC 6455 §7.4); nil where there was none.
  public let code: UInt16?
  /// For people: the Close's text, or what went wrong.
  public let reason: String

  /// - Parameter code: of a Close that the server sent.
  public init(code: UInt16? = nil, reason: String) {
    self.code = code
    self.reason = reason
  }

  /// Code and reason.
  public var description: String { code.map { "\($0) \(reason)" } ?? reason }
}

/// The sub-protocol that is offered.
let subprotocol = "walletpush.v1"
