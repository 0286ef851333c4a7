import COpenSSL

/// Follows a client's records until the session is established, to see how long a message it announces: OpenSSL sets 128
/// KiB aside for a ClientHello as soon as they are announced, for the second one (RFC 8446 §4.1.4) too.
///
/// It looks into records in plain text only. Those of TLS 1.2 are not behind the first ClientHello, whoever feeds it
/// stops then.
struct HelloWatch {
  /// The longest message; a ClientHello with all extensions that browsers send, and a ticket, and post-quantum key shares,
  /// is below four KiB.
  static let messageBytes = 16_384

  /// RFC 8446 §5.1: the type, two bytes of version, two of length.
  private var recordHead = 0
  private var isHandshake = false
  private var recordLeft = 0
  /// §4: the type, three bytes of length.
  private var messageHead = 0
  private var messageLength = 0
  private var messageLeft = 0

  /// False when a message is announced that is too long.
  mutating func allows(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < bytes.count {
      if recordHead < 5 {
        readRecordHead(bytes[index])
        index += 1
      } else if recordLeft == 0 {
        recordHead = 0
      } else if !isHandshake || messageLeft > 0 {
        let most = isHandshake ? min(recordLeft, messageLeft) : recordLeft
        let count = min(most, bytes.count - index)
        recordLeft -= count
        if isHandshake { messageLeft -= count }
        index += count
      } else {
        guard readMessageHead(bytes[index]) else { return false }
        recordLeft -= 1
        index += 1
      }
    }
    return true
  }

  private mutating func readRecordHead(_ byte: UInt8) {
    switch recordHead {
    case 0: isHandshake = byte == UInt8(SSL3_RT_HANDSHAKE)
    case 3: recordLeft = Int(byte) << 8
    case 4: recordLeft |= Int(byte)
    default: break
    }
    recordHead += 1
  }

  private mutating func readMessageHead(_ byte: UInt8) -> Bool {
    messageLength = messageHead == 0 ? 0 : messageLength << 8 | Int(byte)
    messageHead += 1
    guard messageHead == 4 else { return true }
    messageHead = 0
    messageLeft = messageLength
    return messageLength <= Self.messageBytes
  }
}
