/// How one end compresses, and what it takes from the other.
public struct DeflateSettings: Hashable, Sendable {
  /// Shorter messages are sent as they are, in bytes.
  public var minimumBytes: Int
  /// Whether a window may be kept from one message to the next. Without it nothing is held between messages,
  /// and one compressed frame serves many connections. With it each connection holds what
  /// ``PerMessageDeflate`` says.
  public var contextTakeover: Bool
  /// Our own sending window is at most 2^this bytes: 9…15.
  public var windowBits: Int
  /// zlib's: 1 is fast, 9 is small.
  public var level: Int
  /// A message may inflate to so many times what came on the wire. It counts from ``ratioFreeBytes`` on:
  /// below, the length limit alone bounds what a message costs, and a short JSON text of one repeated word
  /// inflates by several hundred. 1032 is the most that DEFLATE can do.
  public var inflationRatio: Int

  /// What any message may inflate to, whatever its ratio.
  public static let ratioFreeBytes = 65_536

  /// `windowBits` and `level` are clamped to what zlib takes, the others to 0 and 1 at least.
  public init(
    minimumBytes: Int, contextTakeover: Bool, windowBits: Int, level: Int, inflationRatio: Int
  ) {
    self.minimumBytes = max(0, minimumBytes)
    self.contextTakeover = contextTakeover
    self.windowBits = min(
      max(windowBits, DeflateParameters.windowBitsMinimum), DeflateParameters.windowBitsMaximum)
    self.level = min(max(level, 1), 9)
    self.inflationRatio = max(1, inflationRatio)
  }

  /// Nothing is kept between messages. Measured on a batch of 40 prices (7,234 bytes) and a snapshot of 130 rows
  /// (47,495): this makes 1,935 and 11,099 bytes of them, a window of 15 bits 1,960 and 11,261 (rows lie close to
  /// those they resemble), one of 10 bits 2,090 and 12,867, one of 9 bits 32,739 of the latter; level 6 makes 1,867
  /// and 10,512 in twice the time.
  public static let standard = DeflateSettings(
    minimumBytes: 512, contextTakeover: false, windowBits: 12, level: 3, inflationRatio: 200)
}
