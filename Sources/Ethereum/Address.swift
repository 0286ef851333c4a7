/// An account: 20 bytes, kept inline.
public struct Address: Sendable, Hashable {
  /// Bytes 0 … 7, 8 … 15 and 16 … 19, each big-endian.
  public let high: UInt64
  public let middle: UInt64
  public let low: UInt32

  @inlinable
  public init(high: UInt64, middle: UInt64, low: UInt32) {
    self.high = high
    self.middle = middle
    self.low = low
  }

  public static let zero = Address(high: 0, middle: 0, low: 0)

  /// `0x` (or `0X`) and 40 hexadecimal digits. All lower case and all upper case carry no checksum; in mixed
  /// case the letters must be EIP-55's, since a checksum that fails is most likely a mistyped address.
  public init(parsing text: String) throws(AddressError) {
    try self.init(parsing: text.utf8.span)
  }

  /// The same, from UTF-8 bytes.
  public init(parsing text: Span<UInt8>) throws(AddressError) {
    guard Hex.hasPrefix(text) else { throw .missingPrefix }
    guard text.count == 42 else { throw .wrongLength(digits: text.count - 2) }
    var words = InlineArray<3, UInt64>(repeating: 0)
    var hasLower = false
    var hasUpper = false
    for offset in 0..<40 {
      let digit = text[offset + 2]
      guard let nibble = Hex.nibble(digit) else { throw .invalidDigit(offset: offset + 2) }
      words[offset / 16] = words[offset / 16] << 4 | UInt64(nibble)
      if nibble > 9 {
        if digit & 0x20 == 0 { hasUpper = true } else { hasLower = true }
      }
    }
    self.init(high: words[0], middle: words[1], low: UInt32(truncatingIfNeeded: words[2]))
    guard hasLower, hasUpper else { return }
    let checksummed = checksummedDigits()
    for offset in 0..<40 where checksummed[offset] != text[offset + 2] {
      throw .badChecksum
    }
  }

  /// The 20 bytes that begin at `offset`; nil where there are fewer.
  public init?(bytes: Span<UInt8>, at offset: Int = 0) {
    guard offset >= 0, offset <= bytes.count, bytes.count - offset >= 20 else { return nil }
    func number(_ start: Int, _ count: Int) -> UInt64 {
      var number: UInt64 = 0
      for index in start..<(start + count) { number = number << 8 | UInt64(bytes[index]) }
      return number
    }
    self.init(
      high: number(offset, 8), middle: number(offset + 8, 8),
      low: UInt32(truncatingIfNeeded: number(offset + 16, 4)))
  }

  /// The address in an ABI word or a log's topic; nil where the 12 bytes before it are not zero.
  public init?(word: UInt256) {
    guard word.w3 == 0, word.w2 <= UInt64(UInt32.max) else { return nil }
    self.init(
      high: word.w2 << 32 | word.w1 >> 32, middle: word.w1 << 32 | word.w0 >> 32,
      low: UInt32(truncatingIfNeeded: word.w0))
  }

  /// The zero-padded ABI word.
  public var word: UInt256 {
    UInt256(0, high >> 32, high << 32 | middle >> 32, middle << 32 | UInt64(low))
  }

  public var bytes: [UInt8] { Array(word.bigEndianBytes[12...]) }
}

extension Address: Comparable {
  @inlinable
  public static func < (left: Address, right: Address) -> Bool {
    if left.high != right.high { return left.high < right.high }
    if left.middle != right.middle { return left.middle < right.middle }
    return left.low < right.low
  }
}

extension Address: CustomStringConvertible {
  public var description: String { lowercase }

  /// Appends `0x` and the 40 lower-case digits.
  public func append(to output: inout [UInt8]) {
    output.append(UInt8(ascii: "0"))
    output.append(UInt8(ascii: "x"))
    appendDigits(to: &output)
  }

  private func appendDigits(to output: inout [UInt8]) {
    Hex.append(high, digits: 16, to: &output)
    Hex.append(middle, digits: 16, to: &output)
    Hex.append(UInt64(low), digits: 8, to: &output)
  }

  /// The canonical text: `0xd8da…`.
  public var lowercase: String {
    var text: [UInt8] = []
    text.reserveCapacity(42)
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The text with EIP-55's checksum: `0xd8dA…`.
  public var checksummed: String { "0x" + String(decoding: checksummedDigits(), as: UTF8.self) }

  /// EIP-55: a letter is upper case where the digit at its place in the Keccak-256 hash of the 40 lower-case
  /// digits is 8 or more.
  private func checksummedDigits() -> [UInt8] {
    var digits: [UInt8] = []
    digits.reserveCapacity(40)
    appendDigits(to: &digits)
    let hash = Keccak256.hash(digits.span).value
    for index in digits.indices where digits[index] >= UInt8(ascii: "a") {
      let byte = hash.byte(index / 2)
      let nibble = index % 2 == 0 ? byte >> 4 : byte & 0xF
      if nibble >= 8 { digits[index] &= 0xDF }
    }
    return digits
  }
}

/// Why a text is no address.
public enum AddressError: Error, Hashable {
  case missingPrefix
  /// How many characters follow `0x`; there must be 40.
  case wrongLength(digits: Int)
  /// The byte offset in the text, prefix included.
  case invalidDigit(offset: Int)
  /// EIP-55.
  case badChecksum
}

extension AddressError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingPrefix: "an address begins with 0x"
    case .wrongLength(let digits): "an address has 40 digits after 0x, not \(digits)"
    case .invalidDigit(let offset): "an address has only hexadecimal digits, unlike byte \(offset)"
    case .badChecksum: "its EIP-55 checksum is wrong: an address in mixed case must spell it exactly"
    }
  }
}
