import CZlib

/// Inflates messages of raw DEFLATE (RFC 1951), piece by piece, one window over them all until it is reset.
///
/// Between messages it holds zlib's state and, once something was inflated, the window: ``heldBytes``.
///
/// Two breaches may be overlooked, depending on how a message is cut into pieces. A distance beyond the window
/// agreed on is refused only if zlib does not have those bytes any more. The ratio is looked at behind each piece
/// and each roomful of output, so a message may exceed it for a while in between.
final class RawInflater {
  /// What a message may inflate to.
  struct Bounds {
    /// In bytes; more is `.messageTooBig`.
    var messageBytes: Int
    /// See ``DeflateSettings/inflationRatio``.
    var ratio: Int
  }

  let windowBits: Int
  /// zlib's state points back at it: it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  /// A block with BFINAL set has ended the stream; more of the message begins a new one.
  private var hasEnded = false
  /// Of the message under way, as they came on the wire.
  private(set) var messageBytesIn = 0

  /// nil: memory has run out.
  init?(windowBits: Int) {
    self.windowBits = windowBits
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard czlib_inflateInit2(stream, Int32(-windowBits)) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// What zlib holds (zconf.h): the window and its state.
  var heldBytes: Int { 1 << windowBits + 7_168 }

  /// Forgets the window and the message under way.
  func reset() {
    inflateReset(stream)
    hasEnded = false
    messageBytesIn = 0
  }

  /// Appends what a piece of a message inflates to. Never lets `output` grow beyond one byte more than the
  /// bounds allow.
  func inflate(
    _ piece: UnsafeRawBufferPointer, into output: inout AssemblyBuffer, _ bounds: Bounds
  ) throws(RemoteError) {
    messageBytesIn += piece.count
    try run(piece, into: &output, bounds)
  }

  /// The message has been given whole: appends what is left of it.
  func finish(into output: inout AssemblyBuffer, _ bounds: Bounds) throws(RemoteError) {
    defer { messageBytesIn = 0 }
    // Some send nothing at all for an empty message, instead of the byte of RFC 7692 §7.2.3.6.
    if messageBytesIn == 0 { return }
    if hasEnded {
      // §7.2.3.4 wants an empty block without BFINAL behind the one with it. Where it is missing, the message
      // is complete all the same, and the tail would belong to nothing.
      return beginAgain()
    }
    // §7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message."
    var tail = UInt32(littleEndian: 0xFFFF_0000)
    try withUnsafeBytes(of: &tail) { (tail) throws(RemoteError) in
      try run(tail, into: &output, bounds)
    }
    // That must have completed an empty block (zlib.h: 128 is set between two blocks). Otherwise the message
    // was cut off, or what followed a final block was no DEFLATE.
    guard !hasEnded, stream.pointee.data_type & 128 != 0 else { throw .extensionDataInvalid }
  }

  private func run(
    _ input: UnsafeRawBufferPointer, into output: inout AssemblyBuffer, _ bounds: Bounds
  ) throws(RemoteError) {
    guard let base = input.baseAddress, !input.isEmpty else { return }
    // zlib only reads from it, though its type doesn't say so.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: Bytef.self))
    stream.pointee.avail_in = uInt(input.count)
    defer { stream.pointee.next_in = nil }
    while true {
      if hasEnded {
        guard stream.pointee.avail_in > 0 else { return }
        beginAgain()
      }
      var code = Z_OK
      // One byte more than allowed, and no more, shows that there is too much.
      output.appendInPlace(expected: 4 * input.count, upTo: bounds.messageBytes + 1) { room in
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_out = uInt(room.count)
        code = CZlib.inflate(stream, Z_SYNC_FLUSH)
        stream.pointee.next_out = nil
        return room.count - Int(stream.pointee.avail_out)
      }
      if output.count > bounds.messageBytes { throw .messageTooBig }
      try checkRatio(output.count, bounds)
      switch code {
      case Z_STREAM_END: hasEnded = true
      // Room is left in the output: all input is used up.
      case Z_OK: if stream.pointee.avail_out > 0 { return }
      // There was neither input nor output to go on with.
      case Z_BUF_ERROR: return
      default: throw .extensionDataInvalid
      }
    }
  }

  private func checkRatio(_ count: Int, _ bounds: Bounds) throws(RemoteError) {
    guard count > DeflateSettings.ratioFreeBytes else { return }
    let taken = max(1, messageBytesIn - Int(stream.pointee.avail_in))
    if count / bounds.ratio > taken { throw .inflationRatio }
  }

  /// The final block is behind us, but not the message: another stream follows, which may refer to the same
  /// window.
  private func beginAgain() {
    inflateResetKeep(stream)
    hasEnded = false
  }
}
