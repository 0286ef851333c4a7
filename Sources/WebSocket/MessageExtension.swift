/// An extension that encodes whole messages and marks them with RSV1 (RFC 6455 §9, RFC 7692 §6),
/// negotiated in the handshake and given to the machine when it is made.
///
/// A message with RSV1 clear passes by it: per message, the sender chooses.
public protocol MessageExtension: AnyObject {
  /// Undoes the encoding of a message as it arrives.
  ///
  /// - Parameters:
  ///   - piece: the next bytes of the payload, over all frames; possibly none.
  ///   - isLast: whether the message ends with them.
  ///   - message: holds what was decoded so far; what can be decoded now is to be appended.
  ///   - limit: the longest message, in bytes; beyond it throw `.messageTooBig`, before the memory is used.
  func decode(
    _ piece: UnsafeRawBufferPointer, isLast: Bool, into message: inout AssemblyBuffer, limit: Int
  ) throws(RemoteError)

  /// Encodes a message to be sent, or returns nil to send it as it is.
  func encode(_ message: UnsafeRawBufferPointer) -> [UInt8]?

  /// How many bytes of memory it holds beside itself.
  var heldBytes: Int { get }

  /// The connection has ended, perhaps within a message: gives back all memory. Nothing more will be asked.
  func release()
}
