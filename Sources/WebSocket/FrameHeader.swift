/// What a frame is (RFC 6455 §5.2). The other ten values are reserved.
public enum Opcode: UInt8, Sendable {
  case continuation = 0x0
  case text = 0x1
  case binary = 0x2
  case close = 0x8
  case ping = 0x9
  case pong = 0xA

  /// Whether frames with it are control frames (§5.5): at most 125 bytes, never fragmented.
  public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// The header of a frame (RFC 6455 §5.2): 2 to 14 bytes before the payload.
///
/// ```
/// byte 0: FIN RSV1 RSV2 RSV3 opcode(4)
/// byte 1: MASK length(7); 126: 2 bytes of length follow, 127: 8 bytes, both big-endian
/// then:   4 bytes of masking key where MASK is set
/// ```
public enum FrameHeader {
  /// The longest header: 64-bit length and masking key.
  public static let longest = 14
  /// The longest payload of a control frame (§5.5).
  public static let controlPayloadBytes = 125

  static let finBit: UInt8 = 0x80
  static let rsv1Bit: UInt8 = 0x40
  static let rsv2And3Bits: UInt8 = 0x30
  static let opcodeBits: UInt8 = 0x0F
  static let maskBit: UInt8 = 0x80
  static let lengthBits: UInt8 = 0x7F

  /// The length of the header before a payload of `payloadLength` bytes.
  @inlinable
  public static func headerLength(payloadLength: Int, masked: Bool = false) -> Int {
    let length = payloadLength < 126 ? 2 : payloadLength <= 0xFFFF ? 4 : 10
    return masked ? length + 4 : length
  }

  /// Appends a header to `out`. The payload, masked with `maskingKey` where there is one, is to follow.
  ///
  /// - Parameters:
  ///   - length: of the payload, in bytes; below 0 counts as 0.
  ///   - maskingKey: the four key bytes as a big-endian number: 0x37FA213D is 37 FA 21 3D on the
  ///     wire. nil: a server's frame, not masked.
  public static func encodeHeader(
    opcode: Opcode, fin: Bool = true, rsv1: Bool = false, length: Int, maskingKey: UInt32? = nil,
    into out: inout [UInt8]
  ) {
    let length = max(0, length)
    let mask = maskingKey == nil ? 0 : maskBit
    out.append((fin ? finBit : 0) | (rsv1 ? rsv1Bit : 0) | opcode.rawValue)
    // §5.2: the shortest form that holds the length
    if length < 126 {
      out.append(mask | UInt8(length))
    } else if length <= 0xFFFF {
      out.append(mask | 126)
      appendBigEndian(UInt64(length), bytes: 2, to: &out)
    } else {
      out.append(mask | 127)
      appendBigEndian(UInt64(length), bytes: 8, to: &out)
    }
    if let maskingKey { appendBigEndian(UInt64(maskingKey), bytes: 4, to: &out) }
  }

  private static func appendBigEndian(_ value: UInt64, bytes: Int, to out: inout [UInt8]) {
    for index in (0..<bytes).reversed() {
      out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
    }
  }

  // Parsing: the caller has checked that the bytes are there.

  /// The length of the whole header, from its second byte.
  static func length(secondByte: UInt8) -> Int {
    let lengthBytes =
      switch secondByte & lengthBits {
      case 126: 2
      case 127: 8
      default: 0
      }
    return 2 + lengthBytes + (secondByte & maskBit == 0 ? 0 : 4)
  }

  /// A complete header, taken apart.
  struct Fields {
    let firstByte: UInt8
    /// The seven bits of length in the second byte: the length, or 126 or 127 for a longer form.
    let lengthForm: UInt8
    let payloadLength: UInt64
    /// Zero in a frame that is not masked.
    let maskingKey: MaskingKey

    init(_ header: UnsafeRawBufferPointer) {
      firstByte = header[0]
      lengthForm = header[1] & lengthBits
      payloadLength =
        switch lengthForm {
        case 126: UInt64(UInt16(bigEndian: header.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        case 127: UInt64(bigEndian: header.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
        case let short: UInt64(short)
        }
      if header[1] & maskBit != 0 {
        let offset = length(secondByte: header[1]) - 4
        maskingKey = MaskingKey(
          UInt32(bigEndian: header.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      } else {
        maskingKey = MaskingKey(0)
      }
    }

    var hasLengthTopBit: Bool { payloadLength > UInt64(Int64.max) }

    var isLengthMinimal: Bool {
      switch lengthForm {
      case 126: payloadLength >= 126
      case 127: payloadLength > 0xFFFF
      default: true
      }
    }
  }
}
