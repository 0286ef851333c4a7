/// The peer broke a rule of RFC 6455, or one of our limits. The machine that throws it has already
/// queued the Close frame with `closeCode` (unless it had sent one before) and takes no more input.
public enum RemoteError: Error, Hashable, Sendable {
  /// RSV1, RSV2 or RSV3 set where no extension claims it (§5.2).
  case reservedBits
  /// Opcodes 3–7 and 11–15 (§5.2).
  case reservedOpcode
  /// A frame from a client without a mask (§5.1).
  case unmasked
  /// A frame from a server with a mask (§5.1).
  case masked
  /// A length in a longer form than it needs (§5.2).
  case lengthNotMinimal
  /// A 64-bit length with its most significant bit set (§5.2).
  case lengthTopBit
  /// A control frame with FIN clear (§5.5).
  case controlFragmented
  /// A control frame with more than 125 bytes (§5.5).
  case controlTooLong
  /// A continuation frame without a message to continue (§5.4).
  case continuationWithoutMessage
  /// A text or binary frame between the fragments of another message (§5.4).
  case messageInsideMessage
  /// A Close frame with one byte of payload: half a code (§5.5.1).
  case closePayloadOfOneByte
  /// A Close frame with a code that may not be sent (§7.4).
  case closeCodeInvalid(UInt16)
  /// A Close frame whose reason is not UTF-8 (§5.5.1).
  case closeReasonNotUTF8
  /// A text message that is not UTF-8 (§8.1).
  case textNotUTF8
  /// A message longer than `WebSocketLimits.messageBytes`.
  case messageTooBig
  /// A message in more fragments than `WebSocketLimits.fragments`.
  case tooManyFragments
  /// A compressed message that inflates to more than `DeflateSettings.inflationRatio` times its length.
  case inflationRatio
  /// A payload that the negotiated extension cannot decode: damaged, cut off, or followed by something else.
  case extensionDataInvalid

  /// The code of the Close frame that answers it (§7.4.1).
  public var closeCode: CloseCode {
    switch self {
    case .reservedBits, .reservedOpcode, .unmasked, .masked, .lengthNotMinimal, .lengthTopBit,
      .controlFragmented, .controlTooLong, .continuationWithoutMessage, .messageInsideMessage,
      .closePayloadOfOneByte, .closeCodeInvalid:
      .protocolError
    case .closeReasonNotUTF8, .textNotUTF8, .extensionDataInvalid: .invalidPayload
    case .messageTooBig, .inflationRatio: .messageTooBig
    case .tooManyFragments: .policyViolation
    }
  }

  /// What was wrong, for people; at most 123 bytes, as a Close frame holds.
  public var reason: String {
    switch self {
    case .reservedBits: "a reserved bit is set that no extension claimed"
    case .reservedOpcode: "reserved opcode"
    case .unmasked: "frames from a client must be masked"
    case .masked: "frames from a server must not be masked"
    case .lengthNotMinimal: "the payload length is not in its shortest form"
    case .lengthTopBit: "the most significant bit of a 64-bit length must be 0"
    case .controlFragmented: "control frames must not be fragmented"
    case .controlTooLong: "control frames hold at most 125 bytes"
    case .continuationWithoutMessage: "continuation frame without a message to continue"
    case .messageInsideMessage: "new message before the last fragment of the one before"
    case .closePayloadOfOneByte: "a close payload is empty or starts with a two-byte code"
    case .closeCodeInvalid(let code): "close code \(code) must not be sent"
    case .closeReasonNotUTF8: "the close reason is not UTF-8"
    case .textNotUTF8: "the text message is not UTF-8"
    case .messageTooBig: "the message is too long"
    case .tooManyFragments: "the message has too many fragments"
    case .inflationRatio: "the message is compressed too much to be inflated"
    case .extensionDataInvalid: "the payload cannot be decoded by the negotiated extension"
    }
  }
}

/// We asked for something the protocol does not allow. Nothing was written.
public enum LocalError: Error, Hashable, Sendable {
  /// A Close frame was sent or received, or the connection failed: nothing may follow (§5.5.1).
  case notOpen
  /// A ping or pong with more than 125 bytes (§5.5).
  case controlTooLong
  /// A close reason with more than 123 bytes of UTF-8 (§5.5).
  case reasonTooLong
  /// A close reason without a code (§5.5.1).
  case reasonWithoutCode
  /// A code that may not stand in a Close frame (§7.4).
  case closeCodeInvalid(UInt16)
  /// A text message from bytes that are not UTF-8 (§8.1).
  case textNotUTF8
  /// A sub-protocol for the answer that the client did not offer (§4.2.2).
  case subprotocolNotOffered
  /// An extension for the answer that the client did not offer (§9.1).
  case extensionNotOffered
}
