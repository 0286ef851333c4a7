/// A piece of a message as it lies in the caller's buffer.
typealias Bytes = UnsafeRawBufferPointer

/// The byte classes of RFC 9110 §5.6 and the few marks the parsers look for.
public enum Grammar {
  static let tab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let quote: UInt8 = 0x22
  static let hash: UInt8 = 0x23
  static let percent: UInt8 = 0x25
  static let comma: UInt8 = 0x2C
  static let slash: UInt8 = 0x2F
  static let colon: UInt8 = 0x3A
  static let semicolon: UInt8 = 0x3B
  static let equals: UInt8 = 0x3D
  static let backslash: UInt8 = 0x5C

  /// tchar, RFC 9110 §5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``.
  public static func isToken(_ byte: UInt8) -> Bool {
    // A bit for each ASCII character: those of 0 to 63, those of 64 to 127.
    let marks: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
    return byte < 128 && marks >> UInt64(byte & 63) & 1 == 1
  }

  /// A byte that may stand in a field value or reason phrase: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5).
  static func isFieldText(_ byte: UInt8) -> Bool {
    byte == tab || (byte >= space && byte != 0x7F)
  }

  static func isVisible(_ byte: UInt8) -> Bool { byte > space && byte < 0x7F }
  /// OWS, RFC 9110 §5.6.3.
  public static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
    !bytes.isEmpty && bytes.allSatisfy { isToken($0) }
  }

  static func isToken(_ bytes: Span<UInt8>) -> Bool {
    for index in bytes.indices where !isToken(bytes[index]) { return false }
    return !bytes.isEmpty
  }

  static func isFieldText(_ bytes: Span<UInt8>) -> Bool {
    for index in bytes.indices where !isFieldText(bytes[index]) { return false }
    return true
  }

  /// The same as below, of what a `String` holds: its `utf8` is slow to walk through.
  static func equalIgnoringCase(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices {
      let (one, other) = (left[index], right[index])
      guard one == other || lowercased(one) == lowercased(other) else { return false }
    }
    return true
  }

  /// ASCII letters compare without case, all other bytes as they are.
  static func equalIgnoringCase(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { lowercased($0) == lowercased($1) }
  }

  /// Whether the comma-separated `list` has the element `token`, without regard to case.
  static func contains(_ token: Span<UInt8>, in list: Span<UInt8>) -> Bool {
    var start = 0
    while start < list.count {
      while start < list.count, isBlank(list[start]) { start += 1 }
      var end = start
      while end < list.count, list[end] != comma { end += 1 }
      var last = end
      while last > start, isBlank(list[last - 1]) { last -= 1 }
      if equalIgnoringCase(list.extracting(start..<last), token) { return true }
      start = end + 1
    }
    return false
  }

  /// `value` without the blanks (OWS) at both its ends.
  static func trimmed(_ value: Substring.UTF8View) -> Substring.UTF8View {
    var value = value
    while let first = value.first, isBlank(first) { value = value.dropFirst() }
    while let last = value.last, isBlank(last) { value = value.dropLast() }
    return value
  }

  /// A decimal number made of digits only; nil if empty, signed, spaced or larger than `Int.max`.
  static func decimal(_ digits: some Collection<UInt8>) -> Int? {
    guard !digits.isEmpty else { return nil }
    var value = 0
    for digit in digits {
      guard isDigit(digit) else { return nil }
      let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowedToo) = product.addingReportingOverflow(Int(digit - 0x30))
      guard !overflowed, !overflowedToo else { return nil }
      value = sum
    }
    return value
  }
}

extension UnsafeRawBufferPointer {
  /// The place of the first `byte`, looked for eight at a time.
  func firstIndex(of byte: UInt8) -> Int? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let wanted = ones &* UInt64(byte)
    var index = 0
    while count - index >= 8 {
      // A byte that is wanted becomes 0. Above the lowest 0 a borrow may make others look like one.
      let word = UInt64(littleEndian: loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ wanted
      let zeros = (word &- ones) & ~word & (ones << 7)
      if zeros != 0 { return index + zeros.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < count {
      if self[index] == byte { return index }
      index += 1
    }
    return nil
  }

  /// The bytes from `start` up to `end` as a buffer of their own. Both are clamped to what there is.
  func cut(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
    let end = Swift.min(Swift.max(end, 0), count)
    let start = Swift.min(Swift.max(start, 0), end)
    return UnsafeRawBufferPointer(rebasing: self[start..<end])
  }

  /// Takes the first `length` bytes (or all, if there are fewer) off the front.
  mutating func takeFirst(_ length: Int) -> UnsafeRawBufferPointer {
    let taken = cut(from: 0, to: length)
    self = cut(from: taken.count, to: count)
    return taken
  }

  var trimmedOfBlanks: UnsafeRawBufferPointer {
    var start = 0
    var end = count
    while start < end, Grammar.isBlank(self[start]) { start += 1 }
    while end > start, Grammar.isBlank(self[end - 1]) { end -= 1 }
    return cut(from: start, to: end)
  }
}
