/// The key that a client's payload is XORed with, byte by byte (RFC 6455 §5.3).
///
/// Masking and unmasking are the same act. It runs over 64-bit words, which the compiler turns into
/// vector instructions; wider explicit vectors were far slower.
struct MaskingKey: Equatable, Sendable {
  /// The byte for the next payload byte is the least significant one.
  private var littleEndian: UInt32

  /// The four key bytes as a big-endian number.
  init(_ bigEndian: UInt32) {
    littleEndian = bigEndian.byteSwapped
  }

  /// Masks or unmasks `bytes` in place, the first of them with the key's first byte.
  func apply(to bytes: UnsafeMutableRawBufferPointer) {
    guard littleEndian != 0, let base = bytes.baseAddress else { return }
    let count = bytes.count
    let twice = UInt64(littleEndian) << 32 | UInt64(littleEndian)
    let word = twice.littleEndian
    var offset = 0
    while offset &+ 8 <= count {
      let masked = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
      base.storeBytes(of: masked, toByteOffset: offset, as: UInt64.self)
      offset &+= 8
    }
    // `offset` is a multiple of 8 here, so the key starts again with its first byte; fewer than 8 are left.
    var rest = twice
    while offset < count {
      let byte = base.load(fromByteOffset: offset, as: UInt8.self)
      base.storeBytes(of: byte ^ UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
      rest >>= 8
      offset &+= 1
    }
  }

  /// Moves on by `count` payload bytes, for a payload that comes in pieces.
  mutating func advance(by count: Int) {
    let shift = UInt32(count & 3) * 8
    littleEndian = littleEndian >> shift | littleEndian << ((32 - shift) & 31)
  }
}
