/// What a connection tells its owner. All calls come on the connection's loop.
///
/// The connection holds its handler until ``closed(_:reason:)`` has returned. The handler may be swapped at
/// any time (HTTP, then WebSocket): the next call goes to the new one.
public protocol ConnectionHandler: AnyObject {
  /// Only for outgoing connections: the peer accepted, and the filter (TLS), if there is one, is established.
  func connected(_ connection: Connection)

  /// Bytes from the peer: 1 to ``EventLoopConfiguration/readBufferBytes`` of them, in the loop's shared
  /// buffer. They may be changed in place (unmasking) and are gone after the call.
  func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection)

  /// The peer ended its side: nothing more will be received. Writing still works. A handler with nothing left
  /// to say closes now.
  func inputEnded(on connection: Connection)

  /// The unsent bytes fell to zero after some had been left over at the end of a flush.
  func drained(_ connection: Connection)

  /// The last call, exactly once, at a safe point of the turn, whoever closed the connection.
  func closed(_ connection: Connection, reason: CloseReason)
}

extension ConnectionHandler {
  public func connected(_ connection: Connection) {}
  public func drained(_ connection: Connection) {}
}

/// Why a connection closed.
public enum CloseReason: Hashable, Sendable {
  /// Our side decided; the code is the caller's own (a WebSocket close code, 0 for none).
  case local(code: UInt16)
  /// A deadline of ours passed.
  case timedOut
  /// The peer ended the connection, and there was no error.
  case endOfStream
  /// The kernel reported an error on the connection: refused, reset, unreachable …
  case failed(SystemError)
  /// The byte filter (TLS) refused to go on.
  case filter(FilterError)
  /// The loop stopped.
  case stopped

  /// Our side decided, with nothing more to tell.
  public static let requested = CloseReason.local(code: 0)
}

/// Names a connection of one loop. Slots are reused with a new generation, so a late name finds nothing.
public struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
  /// The generation in the upper half, the slot's index in the lower. Never 0.
  public let rawValue: UInt64

  init(index: UInt32, generation: UInt32) {
    rawValue = UInt64(generation) << 32 | UInt64(index)
  }

  init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The connection's place in its loop's table: a small number, taken again by another one when it has closed.
  @inline(__always) public var index: Int { Int(rawValue & 0xffff_ffff) }

  public var description: String { "\(index)#\(rawValue >> 32)" }
}
