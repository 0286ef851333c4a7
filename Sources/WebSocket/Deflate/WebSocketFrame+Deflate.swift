extension WebSocketFrame {
  /// Where the payload of a server's whole frame begins (RFC 6455 §5.2).
  public static func payloadStart(of frame: [UInt8]) -> Int {
    guard frame.count >= 2 else { return frame.count }
    return min(frame.count, FrameHeader.length(secondByte: frame[1]))
  }

  /// The message of a server's whole text frame compressed by itself, in a frame with RSV1 (RFC 7692 §6): for any
  /// number of connections without server context takeover that may be sent a window of `windowBits`. The frame
  /// itself where compressing does not pay: without RSV1 it is valid for them too.
  public static func compressed(_ frame: [UInt8], windowBits: Int, pool: DeflatePool) -> [UInt8] {
    let start = payloadStart(of: frame)
    guard frame.count - start >= pool.settings.minimumBytes else { return frame }
    let payload = frame.withUnsafeBytes {
      pool.compress(UnsafeRawBufferPointer(rebasing: $0[start...]), windowBits: windowBits)
    }
    guard let payload else { return frame }
    var out: [UInt8] = []
    out.reserveCapacity(FrameHeader.headerLength(payloadLength: payload.count) + payload.count)
    FrameHeader.encodeHeader(opcode: .text, rsv1: true, length: payload.count, into: &out)
    out.append(contentsOf: payload)
    return out
  }
}
