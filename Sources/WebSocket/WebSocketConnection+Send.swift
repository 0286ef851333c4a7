// From messages to bytes. Everything is appended to the caller's array; a server's message for many
// clients is better encoded once, with `WebSocketFrame`.

extension WebSocketConnection {
  /// Appends a message, in one frame, to `out`; through the extension, where one was negotiated.
  ///
  /// - Throws: `.notOpen` after a Close; `.textNotUTF8` for text that is not.
  public mutating func send(
    _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, into out: inout [UInt8]
  ) throws(LocalError) {
    guard state == .open else { throw .notOpen }
    // §5.6: the payload of a text message is UTF-8.
    if kind == .text, !UTF8Prefix.isValid(payload) { throw .textNotUTF8 }
    appendMessage(kind, payload, into: &out)
  }

  /// Appends a text message to `out`.
  ///
  /// - Throws: `.notOpen` after a Close.
  public mutating func send(text: String, into out: inout [UInt8]) throws(LocalError) {
    guard state == .open else { throw .notOpen }
    var text = text
    text.withUTF8 { appendMessage(.text, UnsafeRawBufferPointer($0), into: &out) }
  }

  /// Appends a binary message to `out`.
  ///
  /// - Throws: `.notOpen` after a Close.
  public mutating func send(binary: [UInt8], into out: inout [UInt8]) throws(LocalError) {
    guard state == .open else { throw .notOpen }
    binary.withUnsafeBytes { appendMessage(.binary, $0, into: &out) }
  }

  /// Appends a ping to `out` (§5.5.2).
  ///
  /// - Parameter payload: at most 125 bytes; the pong brings them back.
  public mutating func ping(_ payload: [UInt8] = [], into out: inout [UInt8]) throws(LocalError) {
    try appendControl(.ping, payload, into: &out)
  }

  /// Appends a pong nobody asked for to `out`: a heartbeat in one direction (§5.5.3). Pings are
  /// answered without it.
  ///
  /// - Parameter payload: at most 125 bytes.
  public mutating func pong(_ payload: [UInt8] = [], into out: inout [UInt8]) throws(LocalError) {
    try appendControl(.pong, payload, into: &out)
  }

  /// Starts the closing handshake (§7.1.2): appends a Close to `out`. Nothing can be sent after it.
  /// Pongs that wait in the output are put before it.
  ///
  /// - Parameters:
  ///   - code: nil: an empty Close, without a reason.
  ///   - reason: at most 123 bytes of UTF-8.
  public mutating func close(
    _ code: CloseCode?, reason: String = "", into out: inout [UInt8]
  ) throws(LocalError) {
    guard state == .open else { throw .notOpen }
    if let code, !code.mayBeSent { throw .closeCodeInvalid(code.rawValue) }
    // §5.5.1: a reason stands behind a code.
    if code == nil, !reason.isEmpty { throw .reasonWithoutCode }
    if reason.utf8.count > FrameHeader.controlPayloadBytes - 2 { throw .reasonTooLong }
    out.append(contentsOf: takeOutput())
    appendClose(code, reason: reason, into: &out)
    state = .closing
  }

  // MARK: Frames

  private mutating func appendControl(
    _ opcode: Opcode, _ payload: [UInt8], into out: inout [UInt8]
  ) throws(LocalError) {
    guard state == .open else { throw .notOpen }
    if payload.count > FrameHeader.controlPayloadBytes { throw .controlTooLong }
    payload.withUnsafeBytes { appendFrame(opcode, $0, into: &out) }
  }

  private mutating func appendMessage(
    _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, into out: inout [UInt8]
  ) {
    if let encoded = messageExtension?.encode(payload) {
      encoded.withUnsafeBytes { appendFrame(kind.opcode, rsv1: true, $0, into: &out) }
    } else {
      appendFrame(kind.opcode, payload, into: &out)
    }
  }

  mutating func appendClose(_ code: CloseCode?, reason: String, into out: inout [UInt8]) {
    var payload: [UInt8] = []
    if let code {
      payload.reserveCapacity(2 + reason.utf8.count)
      payload.append(UInt8(truncatingIfNeeded: code.rawValue >> 8))
      payload.append(UInt8(truncatingIfNeeded: code.rawValue))
      payload.append(contentsOf: reason.utf8)
    }
    payload.withUnsafeBytes { appendFrame(.close, $0, into: &out) }
  }

  mutating func appendFrame(
    _ opcode: Opcode, rsv1: Bool = false, _ payload: UnsafeRawBufferPointer, into out: inout [UInt8]
  ) {
    let key = isClient ? nextMaskingKey() : nil
    FrameHeader.encodeHeader(
      opcode: opcode, rsv1: rsv1, length: payload.count, maskingKey: key, into: &out)
    let start = out.count
    out.append(contentsOf: payload)
    if let key {
      out.withUnsafeMutableBytes {
        MaskingKey(key).apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
      }
    }
  }

  /// A fresh key for each frame (§5.3): SplitMix64, of whose 64 bits half is shown.
  private mutating func nextMaskingKey() -> UInt32 {
    maskingState &+= 0x9E37_79B9_7F4A_7C15
    var z = maskingState
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return UInt32(truncatingIfNeeded: (z ^ (z >> 31)) >> 32)
  }
}
