/// UTF-8 that may come in pieces (RFC 6455 §8.1, RFC 3629).
///
/// The standard library validates the bulk at memory speed. What it has no name for is "good so far":
/// at most three bytes at the end that begin a scalar whose rest has not come yet. They are looked at by
/// hand, so that a byte which no continuation can make right is refused at once.
enum UTF8Prefix {
  /// How many bytes at the end begin an unfinished scalar (0...3); nil: the bytes are not UTF-8, whatever
  /// may follow.
  static func unfinishedBytes(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let unfinished = unfinishedTail(bytes) else { return nil }
    let bulk = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - unfinished)])
    return isValid(bulk) ? unfinished : nil
  }

  /// Whether the bytes are UTF-8 from end to end.
  static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let span = bytes.bindMemory(to: UInt8.self).span
    return (try? UTF8Span(validating: span)) != nil
  }

  /// The length of the unfinished scalar at the end, whose bytes so far are checked here; what is before
  /// it is not.
  private static func unfinishedTail(_ bytes: UnsafeRawBufferPointer) -> Int? {
    let count = bytes.count
    for back in stride(from: 1, through: min(3, count), by: 1) {
      let byte = bytes[count - back]
      if byte & 0xC0 == 0x80 { continue }
      guard scalarLength(lead: byte) > back else { return 0 }
      if back >= 2, !secondBytes(lead: byte).contains(bytes[count - back + 1]) { return nil }
      return back
    }
    return 0
  }

  private static func scalarLength(lead: UInt8) -> Int {
    switch lead {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1  // ASCII, or no lead at all: for the bulk check
    }
  }

  /// RFC 3629 §4: after some leads the second byte is narrower than 80–BF (no overlong forms, no
  /// surrogates, nothing above U+10FFFF).
  private static func secondBytes(lead: UInt8) -> ClosedRange<UInt8> {
    switch lead {
    case 0xE0: 0xA0...0xBF
    case 0xED: 0x80...0x9F
    case 0xF0: 0x90...0xBF
    case 0xF4: 0x80...0x8F
    default: 0x80...0xBF
    }
  }
}
