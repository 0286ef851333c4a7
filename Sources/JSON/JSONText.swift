/// Reading the inside of a JSON string (RFC 8259 §7).
enum JSONText {
  /// A copy of `bytes[start..<end]`, which must be UTF-8.
  static func copy(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(JSONError) -> String {
    do throws(UTF8.ValidationError) {
      return String(copying: try UTF8Span(validating: bytes.extracting(start..<end)))
    } catch {
      throw JSONError(
        offset: start + error.byteOffsets.lowerBound, reason: .invalidUTF8, expected: "UTF-8")
    }
  }

  private static func validate(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(JSONError) {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.extracting(start..<end))
    } catch {
      throw JSONError(
        offset: start + error.byteOffsets.lowerBound, reason: .invalidUTF8, expected: "UTF-8")
    }
  }

  static func controlCharacter(_ byte: UInt8, at offset: Int) -> JSONError {
    JSONError(offset: offset, reason: .controlCharacter(byte), expected: "it as an escape")
  }

  /// The string that begins at `start` (behind its quote) and has its first backslash at `firstEscape`, and
  /// the offset behind its closing quote.
  static func unescape(
    _ bytes: Span<UInt8>, from start: Int, firstEscape: Int
  ) throws(JSONError) -> (String, Int) {
    var output: [UInt8] = []
    // Each run between escapes is validated where it stands, so that an error names the right byte.
    var runStart = start
    var position = firstEscape
    for index in start..<firstEscape { output.append(bytes[index]) }
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        try validate(bytes, runStart, position)
        return (String(decoding: output, as: UTF8.self), position + 1)
      case UInt8(ascii: "\\"):
        try validate(bytes, runStart, position)
        position = try appendEscape(bytes, at: position, to: &output)
        runStart = position
      case 0..<0x20: throw controlCharacter(byte, at: position)
      default:
        output.append(byte)
        position += 1
      }
    }
    throw JSONError(offset: bytes.count, reason: .unexpectedEnd, expected: "the string's closing quote")
  }

  /// Appends what the escape at `start` (its backslash) stands for.
  /// - Returns: the offset behind it.
  private static func appendEscape(
    _ bytes: Span<UInt8>, at start: Int, to output: inout [UInt8]
  ) throws(JSONError) -> Int {
    guard start + 1 < bytes.count else {
      throw JSONError(offset: bytes.count, reason: .unexpectedEnd, expected: "an escape")
    }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""): output.append(0x22)
    case UInt8(ascii: "\\"): output.append(0x5C)
    case UInt8(ascii: "/"): output.append(0x2F)
    case UInt8(ascii: "b"): output.append(0x08)
    case UInt8(ascii: "f"): output.append(0x0C)
    case UInt8(ascii: "n"): output.append(0x0A)
    case UInt8(ascii: "r"): output.append(0x0D)
    case UInt8(ascii: "t"): output.append(0x09)
    case UInt8(ascii: "u"): return try appendUnicodeEscape(bytes, at: start, to: &output)
    default:
      throw JSONError(
        offset: start + 1, reason: .invalidEscape, expected: "one of \" \\ / b f n r t u")
    }
    return start + 2
  }

  /// RFC 8259 §7: characters outside the Basic Multilingual Plane are twelve characters, a surrogate pair.
  private static func appendUnicodeEscape(
    _ bytes: Span<UInt8>, at start: Int, to output: inout [UInt8]
  ) throws(JSONError) -> Int {
    let unit = try codeUnit(bytes, at: start)
    var end = start + 6
    var code = UInt32(unit)
    let lone = JSONError(offset: start, reason: .loneSurrogate, expected: "a whole surrogate pair")
    switch unit {
    case 0xD800...0xDBFF:
      guard end + 1 < bytes.count, bytes[end] == UInt8(ascii: "\\"), bytes[end + 1] == UInt8(ascii: "u")
      else {
        throw lone
      }
      let low = try codeUnit(bytes, at: end)
      guard low >= 0xDC00, low <= 0xDFFF else { throw lone }
      code = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
      end += 6
    case 0xDC00...0xDFFF: throw lone
    default: break
    }
    guard let scalar = Unicode.Scalar(code) else { throw lone }
    output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    return end
  }

  /// The four hexadecimal digits of `\uXXXX`, whose backslash is at `start`.
  private static func codeUnit(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for offset in (start + 2)..<(start + 6) {
      guard offset < bytes.count else {
        throw JSONError(offset: bytes.count, reason: .unexpectedEnd, expected: "four hexadecimal digits")
      }
      guard let digit = hexDigit(bytes[offset]) else {
        throw JSONError(offset: offset, reason: .invalidEscape, expected: "four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
