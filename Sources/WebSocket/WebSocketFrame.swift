/// Whole frames as a server sends them: one unfragmented message, not masked, header and payload in one
/// array. What goes to many clients is encoded once and the bytes are shared.
///
/// Such a frame goes past the machine of a connection: its driver writes it only while
/// `WebSocketConnection.state` is `.open`. It is for connections without a negotiated extension too:
/// a message that an extension did not encode is valid with it (RSV1 clear).
public enum WebSocketFrame {
  /// A text message. `payload` must be UTF-8.
  public static func text(_ payload: some Collection<UInt8>) -> [UInt8] {
    encode(.text, payload)
  }

  /// A text message.
  public static func text(_ payload: String) -> [UInt8] {
    encode(.text, payload.utf8)
  }

  /// A binary message.
  public static func binary(_ payload: some Collection<UInt8>) -> [UInt8] {
    encode(.binary, payload)
  }

  private static func encode(_ opcode: Opcode, _ payload: some Collection<UInt8>) -> [UInt8] {
    let count = payload.count
    var frame: [UInt8] = []
    frame.reserveCapacity(FrameHeader.headerLength(payloadLength: count) + count)
    FrameHeader.encodeHeader(opcode: opcode, length: count, into: &frame)
    frame.append(contentsOf: payload)
    return frame
  }
}
