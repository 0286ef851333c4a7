import CZlib

/// Compresses messages to raw DEFLATE (RFC 1951), one window over them all until it is reset.
///
/// Between messages it holds the window, hash tables and pending output of zlib, ``heldBytes``.
final class Deflater {
  /// Every compressed message would end with 00 00 FF FF, left out on the wire (RFC 7692 §7.2.1).
  private static let tailBytes = 4

  let windowBits: Int
  /// zlib's state points back at it: it must not move.
  private let stream: UnsafeMutablePointer<z_stream>

  /// nil: memory has run out.
  init?(windowBits: Int, level: Int) {
    self.windowBits = windowBits
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // Below 0: raw, without zlib's header and checksum.
    let code = czlib_deflateInit2(
      stream, Int32(level), Z_DEFLATED, Int32(-windowBits), Int32(Self.memoryLevel(windowBits)),
      Z_DEFAULT_STRATEGY)
    guard code == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// The hash table grows with the window, up to zlib's own default of 8 for 15 bits.
  private static func memoryLevel(_ windowBits: Int) -> Int { max(1, windowBits - 7) }

  /// What zlib holds (zconf.h): window and chains, hash heads and pending output, and its state.
  var heldBytes: Int { 1 << (windowBits + 2) + 1 << (Self.memoryLevel(windowBits) + 9) + 6_144 }

  /// Forgets the window. The other end needs not know: what is compressed from here on refers to nothing
  /// before it.
  func reset() { deflateReset(stream) }

  /// A message compressed, without the tail; nil, with the window forgotten, when that is not shorter.
  func compress(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
    guard let base = message.baseAddress, message.count > 1, message.count < Int(Int32.max) else {
      return nil
    }
    // Room for one byte less than the message, the tail, and one byte by which zlib shows that it is done.
    let room = message.count + Self.tailBytes
    var isDone = false
    let compressed = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      // zlib only reads from it, though its type doesn't say so.
      stream.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: Bytef.self))
      stream.pointee.avail_in = uInt(message.count)
      stream.pointee.next_out = buffer.baseAddress
      stream.pointee.avail_out = uInt(room)
      // §7.2.1: a sync flush ends with an empty stored block, whose last four bytes are the tail.
      let code = deflate(stream, Z_SYNC_FLUSH)
      isDone = code == Z_OK && stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0
      count = isDone ? room - Int(stream.pointee.avail_out) - Self.tailBytes : 0
      stream.pointee.next_in = nil
      stream.pointee.next_out = nil
    }
    guard isDone else {
      reset()
      return nil
    }
    return compressed
  }
}
