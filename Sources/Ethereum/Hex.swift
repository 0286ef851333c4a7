/// Hexadecimal as Ethereum's JSON-RPC writes unformatted data: `0x`, then two digits a byte.
public enum Hex {
  /// The four bits a digit stands for, in either letter case; nil where it is no digit.
  @inlinable
  public static func nibble(_ digit: UInt8) -> UInt8? {
    let decimal = digit &- 0x30
    if decimal < 10 { return decimal }
    let letter = (digit | 0x20) &- 0x61
    return letter < 6 ? letter + 10 : nil
  }

  /// The lower-case digit of four bits.
  @inlinable
  public static func digit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? nibble + 0x30 : nibble &+ 0x57
  }

  /// Whether the text begins with `0x` or `0X`.
  @inlinable
  static func hasPrefix(_ text: Span<UInt8>) -> Bool {
    text.count >= 2 && text[0] == UInt8(ascii: "0") && text[1] | 0x20 == UInt8(ascii: "x")
  }

  /// JSON-RPC DATA: `0x` and an even number of digits, perhaps none.
  public static func decode(_ text: String) throws(HexError) -> [UInt8] {
    let digits = text.utf8.span
    guard hasPrefix(digits) else { throw .missingPrefix }
    guard digits.count % 2 == 0 else { throw .oddLength }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2 - 1)
    var index = 2
    while index < digits.count {
      guard let high = nibble(digits[index]) else { throw .invalidDigit(offset: index) }
      guard let low = nibble(digits[index + 1]) else { throw .invalidDigit(offset: index + 1) }
      bytes.append(high << 4 | low)
      index += 2
    }
    return bytes
  }

  /// `0x…` in lower case.
  public static func encode(_ bytes: Span<UInt8>) -> String {
    String(unsafeUninitializedCapacity: 2 + bytes.count * 2) { buffer in
      buffer[0] = UInt8(ascii: "0")
      buffer[1] = UInt8(ascii: "x")
      for index in 0..<bytes.count {
        buffer[2 + index * 2] = digit(bytes[index] >> 4)
        buffer[3 + index * 2] = digit(bytes[index] & 0xF)
      }
      return 2 + bytes.count * 2
    }
  }

  public static func encode(_ bytes: [UInt8]) -> String { encode(bytes.span) }

  /// Appends `count` digits of `value`, the most significant of them first.
  @inlinable
  static func append(_ value: UInt64, digits count: Int, to output: inout [UInt8]) {
    var shift = count * 4
    while shift > 0 {
      shift -= 4
      output.append(digit(UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 0xF))
    }
  }
}

/// Why a text is no hexadecimal data.
public enum HexError: Error, Hashable {
  case missingPrefix
  case oddLength
  /// The byte offset in the text, prefix included.
  case invalidDigit(offset: Int)
}

extension HexError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingPrefix: "it does not begin with 0x"
    case .oddLength: "it has an odd number of digits"
    case .invalidDigit(let offset): "it has something else than a hexadecimal digit at byte \(offset)"
    }
  }
}
