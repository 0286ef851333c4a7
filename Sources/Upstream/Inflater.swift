import CZlib

/// Inflates gzip (RFC 1952) and deflate (RFC 1950, and the bare RFC 1951 that some servers mean by it), piece
/// by piece.
final class Inflater {
  enum Format { case gzip, deflate }

  enum Failure: Error, Hashable {
    /// Inflated, it is longer than the limit.
    case tooLong
    case damaged
  }

  private static let pieceBytes = 32_768

  private let format: Format
  /// zlib's state points back at it: it must not move. Nil until the first byte shows the format.
  private var stream: UnsafeMutablePointer<z_stream>?
  /// The first byte of a deflate body, kept until the second tells what it is.
  private var held: UInt8?
  private(set) var isComplete = false

  init(_ format: Format) { self.format = format }

  deinit {
    guard let stream else { return }
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Appends what `input` inflates to. Never lets `output` grow beyond `limit`.
  func inflate(_ input: UnsafeRawBufferPointer, into output: inout [UInt8], limit: Int) throws(Failure) {
    guard !input.isEmpty else { return }
    if stream != nil { return try run(input, &output, limit) }
    switch format {
    case .gzip:
      // 15 bits of window, and 16 for a gzip header.
      try begin(windowBits: 15 + 16)
      try run(input, &output, limit)
    case .deflate: try sniff(input, &output, limit)
    }
  }

  /// RFC 9110 §8.4.1.2: deflate means the zlib format, but some send the bare data. Two bytes tell (RFC 1950
  /// §2.2).
  private func sniff(_ input: UnsafeRawBufferPointer, _ output: inout [UInt8], _ limit: Int) throws(Failure) {
    guard let first = held ?? input.first else { return }
    guard held != nil || input.count > 1 else {
      held = first
      return
    }
    let second = held == nil ? input[1] : input[0]
    let hasHeader = first & 0x0F == 8 && (UInt16(first) << 8 | UInt16(second)) % 31 == 0
    try begin(windowBits: hasHeader ? 15 : -15)
    if var first = held {
      held = nil
      try withUnsafeBytes(of: &first) { (bytes) throws(Failure) in try run(bytes, &output, limit) }
    }
    try run(input, &output, limit)
  }

  private func begin(windowBits: Int32) throws(Failure) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard czlib_inflateInit2(stream, windowBits) == Z_OK else {
      stream.deallocate()
      throw .damaged
    }
    self.stream = stream
  }

  private func run(_ input: UnsafeRawBufferPointer, _ output: inout [UInt8], _ limit: Int) throws(Failure) {
    guard let stream, let base = input.baseAddress else { return }
    // zlib only reads from it, though its type doesn't say so.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: Bytef.self))
    stream.pointee.avail_in = uInt(input.count)
    defer { stream.pointee.next_in = nil }
    var produced = Self.pieceBytes
    // It is done with the input when it has room left in the output.
    while stream.pointee.avail_in > 0 || produced == Self.pieceBytes {
      if isComplete {
        guard stream.pointee.avail_in > 0 else { return }
        try beginMember(stream)
      }
      produced = try step(stream, &output, limit)
    }
  }

  /// RFC 1952 §2.2: a gzip file is a series of members. Behind anything else nothing may follow.
  private func beginMember(_ stream: UnsafeMutablePointer<z_stream>) throws(Failure) {
    guard format == .gzip, inflateReset(stream) == Z_OK else { throw .damaged }
    isComplete = false
  }

  /// How many bytes came out, at most a piece.
  private func step(
    _ stream: UnsafeMutablePointer<z_stream>, _ output: inout [UInt8], _ limit: Int
  ) throws(Failure) -> Int {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.pieceBytes) {
      (piece) throws(Failure) -> Int in
      stream.pointee.next_out = piece.baseAddress
      stream.pointee.avail_out = uInt(Self.pieceBytes)
      let code = CZlib.inflate(stream, Z_NO_FLUSH)
      let produced = Self.pieceBytes - Int(stream.pointee.avail_out)
      stream.pointee.next_out = nil
      guard produced <= limit - output.count else { throw .tooLong }
      output.append(contentsOf: piece[..<produced])
      switch code {
      case Z_STREAM_END: isComplete = true
      // Z_BUF_ERROR: neither input nor output to go on with. No error: more may come.
      case Z_OK, Z_BUF_ERROR: break
      default: throw .damaged
      }
      return produced
    }
  }
}
