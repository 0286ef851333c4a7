/// An extension that encodes whole messages and marks them with RSV1 (RFC 6455 §9, RFC 7692 §6),
/// negotiated in the handshake and given to the machine when it is made.
///
/// A message with RSV1 clear passes by it: per message, the sender chooses.
public protocol MessageExtension: AnyObject {
  /// Undoes the encoding of a message.
  ///
  /// - Parameters:
  ///   - payload: of the whole message, all fragments together.
  ///   - limit: the longest result, in bytes; beyond it throw `.messageTooBig`, before the memory is used.
  /// - Returns: the message, valid until the next call of `decode`.
  func decode(_ payload: UnsafeRawBufferPointer, limit: Int) throws(RemoteError) -> UnsafeRawBufferPointer

  /// Encodes a message to be sent, or returns nil to send it as it is.
  ///
  /// - Returns: the encoded payload, valid until the next call of `encode`.
  func encode(_ payload: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer?
}
