/// Stands between a connection's socket and its handler, and turns one stream of bytes into another: TLS.
///
/// A filter holds no socket and makes no system call. The connection feeds it and asks for what came of it,
/// in this order: after ``start()`` and after every call below, ``takeOutbound()`` until it returns nothing,
/// so handshake messages, alerts and key updates go out although nobody wrote. Thread-confined to the loop.
public protocol ByteFilter: AnyObject {
  /// Plain bytes can pass. Until then what the handler writes waits in the connection's queue.
  var isEstablished: Bool { get }

  /// The transport is there: a client's filter has its first message ready when this returns.
  func start() throws(FilterError)

  /// Takes all bytes as they came from the peer.
  func receive(_ bytes: UnsafeRawBufferPointer) throws(FilterError)

  /// Fills the front of `buffer` with plain bytes. Asked again until `.needsInput` or `.ended`.
  func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(FilterError) -> PlainRead

  /// The transport ended. Throws when the peer may have lost bytes (TLS without close_notify) and that
  /// matters.
  func inputEnded() throws(FilterError)

  /// Takes all plain bytes: what the handler wrote in a turn, gathered. Only called when established.
  func writePlain(_ bytes: UnsafeRawBufferPointer) throws(FilterError)

  /// Our side says no more (TLS close_notify).
  func endOutput() throws(FilterError)

  /// Hands over what is to be sent to the peer, and forgets it; empty when there is nothing.
  func takeOutbound() -> [UInt8]

  /// Who goes on in its place, asked after each ``receive(_:)``. So what only watches over the beginning of a
  /// connection is not in the way for the rest of it.
  var successor: (any ByteFilter)? { get }
}

extension ByteFilter {
  public var successor: (any ByteFilter)? { nil }
}

/// The outcome of ``ByteFilter/readPlain(into:)``.
public enum PlainRead: Hashable, Sendable {
  /// So many bytes, at least 1, were written to the buffer's front.
  case bytes(Int)
  /// Nothing more until the peer sends.
  case needsInput
  /// The peer said that it has ended its side (TLS close_notify).
  case ended
}

/// A filter that can't go on.
public struct FilterError: Error, Hashable, Sendable {
  public enum Fault: UInt8, Sendable {
    /// The peer broke the protocol, or failed our checks (certificate).
    case peer
    /// We did: misconfiguration, out of memory.
    case local
  }
  public let fault: Fault
  /// The filter's own number for it (for TLS, OpenSSL's packed reason, or an X509 verify result).
  public let code: UInt64

  public init(fault: Fault, code: UInt64) {
    self.fault = fault
    self.code = code
  }
}
