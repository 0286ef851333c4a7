// How it works
//
// One pass, no recursion: what is open is a stack of `Level`s, and finished values pile up on one stack of
// values (member names on another). Closing a container takes everything above its start off those stacks, so
// each array is allocated once, at its size, and a text of a million brackets costs a depth error instead of
// our call stack.
//
// Every byte is read through a bounds-checked Span. Strings without escapes are validated and copied straight
// from the input.

/// A strict RFC 8259 parser: no comments, no trailing commas, no leading zeros, no `NaN`, no byte-order mark,
/// no repeated member names, no lone surrogates, nothing after the value but white space.
public enum JSONParser {
  /// - Parameter bytes: the whole text in UTF-8.
  /// - Throws: ``JSONError``: the writer broke the rule, at a byte offset.
  public static func parse(_ bytes: Span<UInt8>, limits: JSONLimits) throws(JSONError) -> JSONValue {
    var machine = ParserMachine(limits: limits)
    return try machine.run(bytes)
  }

  public static func parse(_ bytes: [UInt8], limits: JSONLimits) throws(JSONError) -> JSONValue {
    try parse(bytes.span, limits: limits)
  }

  public static func parse(_ bytes: ArraySlice<UInt8>, limits: JSONLimits) throws(JSONError) -> JSONValue {
    try parse(bytes.span, limits: limits)
  }

  public static func parse(
    _ bytes: UnsafeRawBufferPointer, limits: JSONLimits
  ) throws(JSONError) -> JSONValue {
    try parse(bytes.assumingMemoryBound(to: UInt8.self).span, limits: limits)
  }

  public static func parse(_ text: String, limits: JSONLimits) throws(JSONError) -> JSONValue {
    try parse(Array(text.utf8).span, limits: limits)
  }
}

private struct ParserMachine {
  /// An open array or object, and where its content begins on the stacks.
  struct Level {
    let isObject: Bool
    let firstValue: Int
    let firstKey: Int
  }

  /// What may come next.
  enum Expectation {
    case value
    /// Just after `[`.
    case valueOrEnd
    /// Just after `{`.
    case keyOrEnd
    case key
    /// After a value inside a container.
    case commaOrEnd
    case nothing
  }

  let limits: JSONLimits
  var position = 0
  var levels: [Level] = []
  var values: [JSONValue] = []
  var keys: [String] = []

  init(limits: JSONLimits) {
    self.limits = limits
  }

  mutating func run(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    // RFC 8259 §8.1: a parser may ignore a byte-order mark; we are strict.
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
      throw JSONError(offset: 0, reason: .byteOrderMark, expected: "a value")
    }
    var expectation = Expectation.value
    while true {
      skipWhiteSpace(bytes)
      guard position < bytes.count else { break }
      let byte = bytes[position]
      switch expectation {
      case .value: expectation = try startValue(bytes, byte)
      case .valueOrEnd:
        expectation =
          byte == UInt8(ascii: "]") ? try close(byte) : try startValue(bytes, byte)
      case .keyOrEnd:
        expectation =
          byte == UInt8(ascii: "}") ? try close(byte) : try readKey(bytes, byte)
      case .key: expectation = try readKey(bytes, byte)
      case .commaOrEnd:
        if byte == UInt8(ascii: ",") {
          position += 1
          expectation = levels.last?.isObject == true ? .key : .value
        } else {
          expectation = try close(byte)
        }
      case .nothing:
        throw JSONError(offset: position, reason: .trailingBytes, expected: "the end of the text")
      }
    }
    guard case .nothing = expectation, let result = values.popLast() else {
      throw JSONError(offset: position, reason: .unexpectedEnd, expected: Self.name(expectation))
    }
    return result
  }

  static func name(_ expectation: Expectation) -> String {
    switch expectation {
    case .value: "a value"
    case .valueOrEnd: "a value or ']'"
    case .keyOrEnd: "a member name or '}'"
    case .key: "a member name"
    case .commaOrEnd: "',' or the end of the array or object"
    case .nothing: "the end of the text"
    }
  }

  @inline(__always)
  mutating func skipWhiteSpace(_ bytes: Span<UInt8>) {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  /// What comes after a finished value.
  var afterValue: Expectation { levels.isEmpty ? .nothing : .commaOrEnd }

  mutating func startValue(_ bytes: Span<UInt8>, _ byte: UInt8) throws(JSONError) -> Expectation {
    switch byte {
    case UInt8(ascii: "\""):
      values.append(.string(try readString(bytes)))
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      return try open(isObject: byte == UInt8(ascii: "{"))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      values.append(.number(try readNumber(bytes)))
    case UInt8(ascii: "t"): try readWord(bytes, "true", .bool(true))
    case UInt8(ascii: "f"): try readWord(bytes, "false", .bool(false))
    case UInt8(ascii: "n"): try readWord(bytes, "null", .null)
    default:
      throw JSONError(offset: position, reason: .unexpectedByte(byte), expected: "a value")
    }
    return afterValue
  }

  mutating func open(isObject: Bool) throws(JSONError) -> Expectation {
    guard levels.count < limits.depth else {
      throw JSONError(offset: position, reason: .tooDeep, expected: "at most \(limits.depth) levels")
    }
    levels.append(Level(isObject: isObject, firstValue: values.count, firstKey: keys.count))
    position += 1
    return isObject ? .keyOrEnd : .valueOrEnd
  }

  mutating func close(_ byte: UInt8) throws(JSONError) -> Expectation {
    guard let level = levels.last, byte == UInt8(ascii: level.isObject ? "}" : "]") else {
      let end = levels.last?.isObject == true ? "',' or '}'" : "',' or ']'"
      throw JSONError(offset: position, reason: .unexpectedByte(byte), expected: end)
    }
    levels.removeLast()
    if level.isObject {
      let members = (0..<(values.count - level.firstValue)).map {
        JSONObject.Member(key: keys[level.firstKey + $0], value: values[level.firstValue + $0])
      }
      guard let object = JSONObject(unique: members) else {
        throw JSONError(offset: position, reason: .duplicateKey, expected: "each name once")
      }
      keys.removeSubrange(level.firstKey...)
      values.removeSubrange(level.firstValue...)
      values.append(.object(object))
    } else {
      let elements = Array(values[level.firstValue...])
      values.removeSubrange(level.firstValue...)
      values.append(.array(elements))
    }
    position += 1
    return afterValue
  }

  /// A member's name and its colon.
  mutating func readKey(_ bytes: Span<UInt8>, _ byte: UInt8) throws(JSONError) -> Expectation {
    guard byte == UInt8(ascii: "\"") else {
      throw JSONError(offset: position, reason: .unexpectedByte(byte), expected: "a member name")
    }
    keys.append(try readString(bytes))
    skipWhiteSpace(bytes)
    guard position < bytes.count else {
      throw JSONError(offset: position, reason: .unexpectedEnd, expected: "':'")
    }
    guard bytes[position] == UInt8(ascii: ":") else {
      throw JSONError(offset: position, reason: .unexpectedByte(bytes[position]), expected: "':'")
    }
    position += 1
    return .value
  }

  mutating func readWord(
    _ bytes: Span<UInt8>, _ word: StaticString, _ value: JSONValue
  ) throws(JSONError) {
    let start = position
    for index in 0..<word.utf8CodeUnitCount {
      guard start + index < bytes.count else {
        throw JSONError(offset: bytes.count, reason: .unexpectedEnd, expected: "\(word)")
      }
      guard bytes[start + index] == word.utf8Start[index] else {
        let found = bytes[start + index]
        throw JSONError(offset: start + index, reason: .unexpectedByte(found), expected: "\(word)")
      }
    }
    position = start + word.utf8CodeUnitCount
    values.append(value)
  }

  mutating func readNumber(_ bytes: Span<UInt8>) throws(JSONError) -> JSONNumber {
    switch JSONNumberScanner.scan(bytes, from: position) {
    case .invalid(let offset, let expected):
      let reason: JSONError.Reason = offset < bytes.count ? .invalidNumber : .unexpectedEnd
      throw JSONError(offset: offset, reason: reason, expected: expected)
    case .end(let end, _):
      guard end - position <= limits.numberBytes else {
        throw JSONError(
          offset: position, reason: .numberTooLong, expected: "at most \(limits.numberBytes) bytes")
      }
      let text = try JSONText.copy(bytes, position, end)
      position = end
      return JSONNumber(validated: text)
    }
  }

  mutating func readString(_ bytes: Span<UInt8>) throws(JSONError) -> String {
    let start = position + 1
    var end = start
    while end < bytes.count {
      let byte = bytes[end]
      if byte == UInt8(ascii: "\"") {
        position = end + 1
        return try JSONText.copy(bytes, start, end)
      }
      if byte == UInt8(ascii: "\\") {
        let (text, next) = try JSONText.unescape(bytes, from: start, firstEscape: end)
        position = next
        return text
      }
      guard byte >= 0x20 else { throw JSONText.controlCharacter(byte, at: end) }
      end += 1
    }
    throw JSONError(offset: bytes.count, reason: .unexpectedEnd, expected: "the string's closing quote")
  }
}
