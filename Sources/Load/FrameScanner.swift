// What comes thousands of times a second is read by template: the members of price, balance and heartbeat frames, and
// of batches of the former, in the order in which the server writes them, without a space. The whole message must fit
// to its last byte: between the literals stand only strings without escapes and plain integers, and so a message that
// fits is valid JSON, names no member twice, and says the same to a full parser. Everything else is parsed in full.

/// Reads the server's messages. One for each loop; it reads into memory that is used again.
struct FrameScanner {
  /// Of the message that was scanned last.
  private(set) var frames: [ServerFrame] = []
  /// How many messages did not fit a template.
  private(set) var fullParses: UInt64 = 0

  /// - Parameter message: of a text frame, hence valid UTF-8.
  /// - Returns: false when it is no frame of the protocol; then ``frames`` is empty.
  mutating func scan(_ message: UnsafeRawBufferPointer) -> Bool {
    frames.removeAll(keepingCapacity: true)
    var reader = TemplateReader(message)
    if reader.literal("{\"type\":\""), readFitting(&reader) { return true }
    frames.removeAll(keepingCapacity: true)
    fullParses &+= 1
    return ServerFrame.parse(message, into: &frames)
  }

  /// Behind `{"type":"`.
  private mutating func readFitting(_ reader: inout TemplateReader) -> Bool {
    switch reader.next {
    case UInt8(ascii: "p"):
      guard let frame = reader.price() else { return false }
      frames.append(frame)
    case UInt8(ascii: "h"):
      guard let frame = reader.heartbeat() else { return false }
      frames.append(frame)
    case UInt8(ascii: "b"):
      if let frame = reader.balance() {
        frames.append(frame)
      } else if !readBatch(&reader) {
        return false
      }
    default: return false
    }
    return reader.isAtEnd
  }

  private mutating func readBatch(_ reader: inout TemplateReader) -> Bool {
    guard reader.literal("batch\",\"frames\":[") else { return false }
    repeat {
      guard reader.literal("{\"type\":\""), let frame = reader.price() ?? reader.balance() else {
        return false
      }
      frames.append(frame)
    } while reader.literal(",")
    return reader.literal("]}")
  }
}

/// Reads pieces of a message in order. A piece that does not fit leaves the position where it was, or the reader of
/// no further use.
private struct TemplateReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  // MARK: - Frames, behind their `{"type":"`

  mutating func price() -> ServerFrame? {
    guard literal("price\",\"token\":\""), string(),
      literal(",\"price_usd\":"), stringOrNull(),
      literal(",\"change_24h\":"), stringOrNull(),
      literal(",\"price_state\":\""), string(),
      literal(",\"price_at\":"), let acceptedAt = integerOrNull(),
      literal(",\"rev\":"), let revision = integer(), literal("}")
    else { return nil }
    return .data(.price, revision: revision, acceptedAt: acceptedAt.value)
  }

  mutating func balance() -> ServerFrame? {
    guard literal("balance\",\"wallet\":\""), string(),
      literal(",\"token\":\""), string(),
      literal(",\"balance\":"), stringOrNull(),
      literal(",\"balance_state\":\""), string(),
      literal(",\"block\":"), integerOrNull() != nil,
      literal(",\"rev\":"), let revision = integer(), literal("}")
    else { return nil }
    return .data(.balance, revision: revision, acceptedAt: nil)
  }

  mutating func heartbeat() -> ServerFrame? {
    guard literal("heartbeat\",\"epoch\":\"") else { return nil }
    let start = position
    guard string() else { return nil }
    // Up to 15 bytes a string is held in place: nothing is allocated.
    let epoch = String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
    guard literal(",\"rev\":"), let revision = integer(), literal("}") else { return nil }
    return .heartbeat(epoch: epoch, revision: revision)
  }

  // MARK: - Pieces

  @inline(__always)
  mutating func literal(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - position >= count, let base = bytes.baseAddress else { return false }
    let expected = text.utf8Start
    let found = base.advanced(by: position)
    var offset = 0
    while offset + 8 <= count {
      let word = found.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let wanted = UnsafeRawPointer(expected).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      if word != wanted { return false }
      offset += 8
    }
    while offset < count {
      if found.load(fromByteOffset: offset, as: UInt8.self) != expected[offset] { return false }
      offset += 1
    }
    position += count
    return true
  }

  /// To behind the closing quote. Not one with an escape or a control character in it.
  @inline(__always)
  mutating func string() -> Bool {
    while bytes.count - position >= 8 {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let ends = Self.bytesEndingRun(word)
      if ends == 0 {
        position += 8
        continue
      }
      position += ends.trailingZeroBitCount / 8
      return closingQuote()
    }
    while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      position += 1
    }
    return closingQuote()
  }

  private mutating func closingQuote() -> Bool {
    guard next == UInt8(ascii: "\"") else { return false }
    position += 1
    return true
  }

  /// The top bit of the first byte that is a quote, a backslash or below 0x20; bits above it mean nothing.
  @inline(__always)
  private static func bytesEndingRun(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let quotes = word ^ (ones &* 0x22)
    let backslashes = word ^ (ones &* 0x5c)
    let controls = (word &- ones &* 0x20) & ~word
    return ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | controls) & tops
  }

  private mutating func stringOrNull() -> Bool {
    literal("\"") ? string() : literal("null")
  }

  /// A plain integer below 2^53 as JSON writes it: no sign, no leading zero.
  @inline(__always)
  mutating func integer() -> UInt64? {
    let start = position
    var value: UInt64 = 0
    while let byte = next, byte &- UInt8(ascii: "0") <= 9 {
      // 16 digits are more than 2^53 has.
      guard position - start < 16 else { return nil }
      value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
      position += 1
    }
    guard position > start, value < ServerFrame.revisionLimit,
      position - start == 1 || bytes[start] != UInt8(ascii: "0")
    else { return nil }
    return value
  }

  struct Optional {
    var value: Int64?
  }

  /// Nil: neither.
  private mutating func integerOrNull() -> Optional? {
    if literal("null") { return Optional(value: nil) }
    return integer().map { Optional(value: Int64($0)) }
  }
}
