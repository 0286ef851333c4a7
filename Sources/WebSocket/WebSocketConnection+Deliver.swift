// What a complete frame means: messages (RFC 6455 §5.6), pings and pongs (§5.5.2, §5.5.3), the closing
// handshake (§5.5.1, §7) and the failing of a connection (§7.1.7).

extension WebSocketConnection {
  // MARK: Messages

  /// Validates what was just put behind the message under way, so that text which cannot become right
  /// is refused with the bytes that spoil it (§8.1), not at the end of a long message.
  mutating func checkTextSoFar(added: Int) throws(RemoteError) {
    guard message.kind == .text else { return }
    let unchecked = added + Int(message.unfinishedBytes)
    let bytes = buffer.bytes
    let tail = UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - unchecked)...])
    guard let unfinished = UTF8Prefix.unfinishedBytes(tail) else { throw .textNotUTF8 }
    message.unfinishedBytes = UInt8(unfinished)
  }

  /// The last frame of a message is there: checks text to its end.
  ///
  /// - Parameter checkedUpToHere: `checkTextSoFar` has seen all of it.
  mutating func finishMessage(
    _ payload: UnsafeRawBufferPointer, checkedUpToHere: Bool
  ) throws(RemoteError) -> Event? {
    let finished = message
    message = Message()
    guard let kind = finished.kind else { return nil }  // `checkFirstByte` lets no frame come here
    if kind == .text {
      let isText = checkedUpToHere ? finished.unfinishedBytes == 0 : UTF8Prefix.isValid(payload)
      if !isText { throw .textNotUTF8 }
    }
    return .message(kind, payload)
  }

  // MARK: Control frames

  mutating func deliverControl(_ payload: UnsafeRawBufferPointer) throws(RemoteError) -> Event? {
    switch Opcode(rawValue: frame.opcodeBits) {
    case .ping:
      // §5.5.2: answer, unless a Close was sent: after it nothing more is (§5.5.1).
      if state == .open { queuePong(payload) }
      return .ping(payload)
    case .pong:
      return .pong(payload)
    case .close:
      return try receiveClose(payload)
    case .continuation, .text, .binary, nil:
      return nil  // not control frames
    }
  }

  private mutating func receiveClose(_ payload: UnsafeRawBufferPointer) throws(RemoteError) -> Event? {
    let code = try closeCode(of: payload)
    var reason = ""
    if payload.count > 2 {
      let text = UnsafeRawBufferPointer(rebasing: payload[2...])
      // §5.5.1: the reason is UTF-8.
      guard UTF8Prefix.isValid(text) else { throw .closeReasonNotUTF8 }
      reason = String(decoding: text, as: UTF8.self)
    }
    // §5.5.1: the answer "typically echos the status code".
    if state == .open { queueClose(code, reason: "") }
    state = .closed
    releaseAll()
    return .close(code, reason: reason)
  }

  private func closeCode(of payload: UnsafeRawBufferPointer) throws(RemoteError) -> CloseCode? {
    if payload.isEmpty { return nil }
    // §5.5.1: "the first two bytes of the body MUST be a 2-byte unsigned integer".
    if payload.count == 1 { throw .closePayloadOfOneByte }
    let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
    guard code.mayBeSent else { throw .closeCodeInvalid(code.rawValue) }
    return code
  }

  // MARK: Replies

  /// Puts a pong into the output. §5.5.3: when earlier ones wait there still, it is enough to answer the
  /// most recent ping; they give way when they outgrow the limit.
  private mutating func queuePong(_ payload: UnsafeRawBufferPointer) {
    let length = FrameHeader.headerLength(payloadLength: payload.count, masked: isClient) + payload.count
    if output.count + length > limits.replyBytes { output = [] }
    var taken = takeOutput()  // not to be read and changed at once
    appendFrame(.pong, payload, into: &taken)
    output = taken
  }

  private mutating func queueClose(_ code: CloseCode?, reason: String) {
    var taken = takeOutput()
    appendClose(code, reason: reason, into: &taken)
    output = taken
  }

  /// §7.1.7: the peer broke a rule. Tells it why, unless a Close was sent already (§5.5.1), and ends.
  mutating func fail(_ error: RemoteError) {
    if state == .open { queueClose(error.closeCode, reason: error.reason) }
    state = .failed
    releaseAll()
  }

  // MARK: Memory

  /// Gives back what the last event pointed to.
  mutating func releaseDelivered() {
    switch delivered {
    case .nothing:
      return
    case .controlFrame:
      buffer.removeLast(Int(frame.controlLength))
      if buffer.isEmpty { buffer.release() }
    case .message:
      buffer.release()
    }
    delivered = .nothing
  }

  private mutating func releaseAll() {
    buffer.release()
    messageExtension?.release()
    delivered = .nothing
    message = Message()
    frame = Frame()
    headerCount = 0
  }
}
