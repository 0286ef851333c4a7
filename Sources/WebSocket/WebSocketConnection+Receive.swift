// From bytes to events: the frame layer (RFC 6455 §5.2) and fragmentation (§5.4).

extension WebSocketConnection {
  /// The next event in `input`, which is moved past what was consumed. Payloads are unmasked in place:
  /// the consumed bytes are no longer what the peer sent.
  ///
  /// nil: the input is used up; an unfinished frame or message is kept inside, within the limits. Call
  /// it until then: what an event left behind is given back by the next call. After the peer's Close and
  /// after an error all input is dropped (§1.4, §7.1.7).
  public mutating func next(
    _ input: inout UnsafeMutableRawBufferPointer
  ) throws(RemoteError) -> Event? {
    releaseDelivered()
    guard state == .open || state == .closing else {
      drop(&input)
      return nil
    }
    do throws(RemoteError) {
      return try pull(&input)
    } catch {
      fail(error)
      drop(&input)
      throw error
    }
  }

  private mutating func pull(
    _ input: inout UnsafeMutableRawBufferPointer
  ) throws(RemoteError) -> Event? {
    while true {
      if !frame.isOpen, try !readHeader(&input) { return nil }
      let event = frame.isControl ? try readControl(&input) : try readData(&input)
      if let event { return event }
      if frame.isOpen { return nil }  // the input ended within the payload
    }
  }

  // MARK: Header

  /// Reads a header, or the next piece of one. false: it is not complete yet.
  private mutating func readHeader(
    _ input: inout UnsafeMutableRawBufferPointer
  ) throws(RemoteError) -> Bool {
    if headerCount == 0, input.count >= 2 {
      try checkFirstByte(input[0])
      try checkSecondByte(input[1], firstByte: input[0])
      let length = FrameHeader.length(secondByte: input[1])
      if input.count >= length {
        try openFrame(FrameHeader.Fields(UnsafeRawBufferPointer(take(length, from: &input))))
        return true
      }
    }
    while let byte = input.first {
      _ = take(1, from: &input)
      header[Int(headerCount)] = byte
      headerCount += 1
      if try collectedHeader() { return true }
    }
    return false
  }

  /// Checks the byte that was added last to `header`, and opens the frame when it was the last one.
  private mutating func collectedHeader() throws(RemoteError) -> Bool {
    switch headerCount {
    case 1: try checkFirstByte(header[0])
    case 2: try checkSecondByte(header[1], firstByte: header[0])
    default: break
    }
    guard headerCount >= 2, Int(headerCount) == FrameHeader.length(secondByte: header[1]) else {
      return false
    }
    headerCount = 0
    try openFrame(withUnsafeBytes(of: header) { FrameHeader.Fields($0) })
    return true
  }

  private func checkFirstByte(_ byte: UInt8) throws(RemoteError) {
    // §5.2: RSV2 and RSV3 belong to no extension known here.
    if byte & FrameHeader.rsv2And3Bits != 0 { throw .reservedBits }
    guard let opcode = Opcode(rawValue: byte & FrameHeader.opcodeBits) else { throw .reservedOpcode }
    if byte & FrameHeader.rsv1Bit != 0 {
      // §5.2 and RFC 7692 §6: only a negotiated extension, only on the first frame of a message.
      guard messageExtension != nil, opcode == .text || opcode == .binary else { throw .reservedBits }
    }
    switch opcode {
    case .close, .ping, .pong:
      // §5.5: control frames are not fragmented.
      if byte & FrameHeader.finBit == 0 { throw .controlFragmented }
    case .continuation:
      // §5.4
      if message.kind == nil { throw .continuationWithoutMessage }
    case .text, .binary:
      // §5.4: fragments of two messages are not interleaved.
      if message.kind != nil { throw .messageInsideMessage }
    }
  }

  private func checkSecondByte(_ byte: UInt8, firstByte: UInt8) throws(RemoteError) {
    // §5.1: a client masks every frame, a server none.
    let isMasked = byte & FrameHeader.maskBit != 0
    if isClient, isMasked { throw .masked }
    if !isClient, !isMasked { throw .unmasked }
    // §5.5: a control frame's length fits its seven bits.
    if firstByte & 0x8 != 0, byte & FrameHeader.lengthBits > UInt8(FrameHeader.controlPayloadBytes) {
      throw .controlTooLong
    }
  }

  /// The header is complete: checks its length against the protocol and the limits, before anything of
  /// the payload is kept.
  private mutating func openFrame(_ fields: FrameHeader.Fields) throws(RemoteError) {
    // §5.2: "the minimal number of bytes MUST be used", "the most significant bit MUST be 0".
    if fields.hasLengthTopBit { throw .lengthTopBit }
    if !fields.isLengthMinimal { throw .lengthNotMinimal }
    var opened = Frame()
    opened.firstByte = fields.firstByte
    opened.maskingKey = fields.maskingKey
    opened.isOpen = true
    if !opened.isControl { try countFragment(fields) }
    // At most 125 in a control frame, little more than `messageBytes` (below 2³¹) in another: it fits.
    opened.remaining = UInt32(truncatingIfNeeded: fields.payloadLength)
    if opened.isControl { opened.controlLength = UInt8(truncatingIfNeeded: fields.payloadLength) }
    frame = opened
  }

  private mutating func countFragment(_ fields: FrameHeader.Fields) throws(RemoteError) {
    let isEncoded = message.isEncoded || fields.firstByte & FrameHeader.rsv1Bit != 0
    // What is decoded as it arrives is held to the limit there.
    let held = isEncoded ? 0 : buffer.count
    let allowed =
      isEncoded ? WebSocketLimits.encodedBytes(messageBytes: limits.messageBytes) : limits.messageBytes
    if fields.payloadLength > UInt64(max(0, allowed - held)) { throw .messageTooBig }
    if message.frames >= limits.fragments32 { throw .tooManyFragments }
    message.frames += 1
    if let kind = MessageKind(rawValue: fields.firstByte & FrameHeader.opcodeBits) {
      message.kind = kind
      message.isEncoded = isEncoded
    }
  }

  // MARK: Payload

  private mutating func readControl(
    _ input: inout UnsafeMutableRawBufferPointer
  ) throws(RemoteError) -> Event? {
    let length = Int(frame.controlLength)
    if Int(frame.remaining) == length, input.count >= length {
      return try deliverControl(takePayload(from: &input))
    }
    buffer.append(takePayload(from: &input), expected: Int(frame.remaining))
    if frame.isOpen { return nil }
    delivered = .controlFrame
    let start = buffer.count - length
    return try deliverControl(UnsafeRawBufferPointer(rebasing: buffer.bytes[start...]))
  }

  private mutating func readData(
    _ input: inout UnsafeMutableRawBufferPointer
  ) throws(RemoteError) -> Event? {
    if message.isEncoded, let messageExtension { return try readEncoded(&input, messageExtension) }
    let isUncutMessage = frame.isFinal && message.frames == 1 && buffer.isEmpty
    if isUncutMessage, input.count >= Int(frame.remaining) {
      return try finishMessage(takePayload(from: &input), checkedUpToHere: false)
    }
    let piece = takePayload(from: &input)
    buffer.append(piece, expected: Int(frame.remaining))
    try checkTextSoFar(added: piece.count)
    if frame.isOpen || !frame.isFinal { return nil }
    delivered = .message
    return try finishMessage(buffer.bytes, checkedUpToHere: true)
  }

  /// Decodes what there is of the message, so that nothing has to be kept of what came on the wire.
  private mutating func readEncoded(
    _ input: inout UnsafeMutableRawBufferPointer, _ messageExtension: any MessageExtension
  ) throws(RemoteError) -> Event? {
    let piece = takePayload(from: &input)
    let isLast = frame.isFinal && !frame.isOpen
    let before = buffer.count
    try messageExtension.decode(piece, isLast: isLast, into: &buffer, limit: limits.messageBytes)
    try checkTextSoFar(added: buffer.count - before)
    if !isLast { return nil }
    delivered = .message
    return try finishMessage(buffer.bytes, checkedUpToHere: true)
  }

  /// Takes what there is of the frame's payload and unmasks it. `frame.isOpen` says if some is missing.
  private mutating func takePayload(
    from input: inout UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    let piece = take(min(Int(frame.remaining), input.count), from: &input)
    if !isClient {
      frame.maskingKey.apply(to: piece)
      frame.maskingKey.advance(by: piece.count)
    }
    frame.remaining -= UInt32(piece.count)
    frame.isOpen = frame.remaining != 0
    return UnsafeRawBufferPointer(piece)
  }

  // MARK: Input

  /// Splits the first `count` bytes off; the caller has checked that they are there.
  private func take(
    _ count: Int, from input: inout UnsafeMutableRawBufferPointer
  ) -> UnsafeMutableRawBufferPointer {
    let taken = UnsafeMutableRawBufferPointer(rebasing: input[..<count])
    input = UnsafeMutableRawBufferPointer(rebasing: input[count...])
    return taken
  }

  private func drop(_ input: inout UnsafeMutableRawBufferPointer) {
    input = UnsafeMutableRawBufferPointer(rebasing: input[input.count...])
  }
}
