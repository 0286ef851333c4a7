/// The zlib streams of connections that keep no window between messages, and the figures of all connections.
///
/// A stream is borrowed for a message, so that what is held does not grow with the connections: a compressor
/// for each size of window in use, and up to ``spareInflaters`` idle inflaters (39 KB each). Confined to the
/// thread of its connections: one for each event loop.
public final class DeflatePool {
  public let settings: DeflateSettings
  public internal(set) var statistics = DeflateStatistics()
  /// By bits of window, from 9 on.
  private var deflaters: [Deflater?]
  private var inflaters: [RawInflater] = []

  /// More than this many messages are rarely under way at once on one loop.
  private static let spareInflaters = 4

  public init(_ settings: DeflateSettings) {
    self.settings = settings
    let sizes = DeflateParameters.windowBitsMinimum...DeflateParameters.windowBitsMaximum
    deflaters = Array(repeating: nil, count: sizes.count)
  }

  /// What the idle streams hold, in bytes.
  public var heldBytes: Int {
    deflaters.reduce(0) { $0 + ($1?.heldBytes ?? 0) } + inflaters.reduce(0) { $0 + $1.heldBytes }
  }

  /// A message compressed by itself, for any number of connections whose server does not keep its window and
  /// may use one of `windowBits`. nil: it is below the minimum, or would not become shorter.
  public func compress(_ message: UnsafeRawBufferPointer, windowBits: Int) -> [UInt8]? {
    guard message.count >= settings.minimumBytes, let deflater = deflater(windowBits) else { return nil }
    // What is left from another message must not be referred to.
    deflater.reset()
    return count(message, deflater.compress(message))
  }

  /// Adds an attempt to the figures.
  func count(_ message: UnsafeRawBufferPointer, _ compressed: [UInt8]?) -> [UInt8]? {
    guard let compressed else { return nil }
    statistics.compressedMessages &+= 1
    statistics.compressedBytesIn &+= UInt64(message.count)
    statistics.compressedBytesOut &+= UInt64(compressed.count)
    return compressed
  }

  private func deflater(_ windowBits: Int) -> Deflater? {
    let index = windowBits - DeflateParameters.windowBitsMinimum
    guard deflaters.indices.contains(index) else { return nil }
    if let known = deflaters[index] { return known }
    let made = Deflater(windowBits: windowBits, level: settings.level)
    deflaters[index] = made
    return made
  }

  /// An inflater for any window, with nothing in it.
  func takeInflater() -> RawInflater? {
    inflaters.popLast() ?? RawInflater(windowBits: DeflateParameters.windowBitsMaximum)
  }

  func giveBack(_ inflater: RawInflater) {
    guard inflaters.count < Self.spareInflaters else { return }
    inflater.reset()
    inflaters.append(inflater)
  }
}

/// What was compressed and inflated; plain numbers, counted from the start.
public struct DeflateStatistics: Hashable, Sendable {
  /// Messages that were compressed; one that many connections share counts once.
  public var compressedMessages: UInt64 = 0
  /// Their bytes before and after.
  public var compressedBytesIn: UInt64 = 0
  public var compressedBytesOut: UInt64 = 0
  public var inflatedMessages: UInt64 = 0
  /// Their bytes on the wire and inflated.
  public var inflatedBytesIn: UInt64 = 0
  public var inflatedBytesOut: UInt64 = 0
  /// Messages refused because they became too long, inflated too much, or were no DEFLATE.
  public var refusedSize: UInt64 = 0
  public var refusedRatio: UInt64 = 0
  public var refusedData: UInt64 = 0

  public init() {}

  public static func += (total: inout DeflateStatistics, part: DeflateStatistics) {
    total.compressedMessages &+= part.compressedMessages
    total.compressedBytesIn &+= part.compressedBytesIn
    total.compressedBytesOut &+= part.compressedBytesOut
    total.inflatedMessages &+= part.inflatedMessages
    total.inflatedBytesIn &+= part.inflatedBytesIn
    total.inflatedBytesOut &+= part.inflatedBytesOut
    total.refusedSize &+= part.refusedSize
    total.refusedRatio &+= part.refusedRatio
    total.refusedData &+= part.refusedData
  }
}
