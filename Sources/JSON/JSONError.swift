/// Why a text is not JSON, and where. It is always the writer of the text who broke the rule.
public struct JSONError: Error, Equatable {
  /// The byte at which reading stopped, from 0; the length of the text where it ended too early.
  public let offset: Int
  public let reason: Reason
  /// What would have been right there, for a message.
  public let expected: String

  public enum Reason: Sendable, Hashable {
    case unexpectedEnd
    case unexpectedByte(UInt8)
    /// A byte-order mark (RFC 8259 §8.1).
    case byteOrderMark
    case invalidUTF8
    /// A raw control character inside a string (RFC 8259 §7).
    case controlCharacter(UInt8)
    case invalidEscape
    /// `\uD800` without its other half: not a Unicode character, so not text we can pass on.
    case loneSurrogate
    case invalidNumber
    case numberTooLong
    case tooDeep
    case duplicateKey
    /// Bytes after the value.
    case trailingBytes
  }

  public init(offset: Int, reason: Reason, expected: String) {
    self.offset = offset
    self.reason = reason
    self.expected = expected
  }
}

extension JSONError: CustomStringConvertible {
  public var description: String { "\(found) at byte \(offset): expected \(expected)" }

  private var found: String {
    switch reason {
    case .unexpectedEnd: "the text ends"
    case .unexpectedByte(let byte): "unexpected \(Self.name(byte))"
    case .byteOrderMark: "a byte-order mark"
    case .invalidUTF8: "invalid UTF-8"
    case .controlCharacter(let byte): "an unescaped control character (\(Self.name(byte)))"
    case .invalidEscape: "an invalid escape"
    case .loneSurrogate: "half of a surrogate pair"
    case .invalidNumber: "an invalid number"
    case .numberTooLong: "a number with too many digits"
    case .tooDeep: "too deep a nesting"
    case .duplicateKey: "a repeated member name"
    case .trailingBytes: "something after the value"
    }
  }

  private static func name(_ byte: UInt8) -> String {
    if byte > 0x20, byte < 0x7F { return "'\(Character(Unicode.Scalar(byte)))'" }
    let hex = String(byte, radix: 16)
    return "byte 0x" + (hex.utf8.count < 2 ? "0" : "") + hex
  }
}

/// What a text from a stranger may cost. Its length is the caller's to check, before it has it in memory.
public struct JSONLimits: Sendable, Hashable {
  /// The deepest nesting there can be, whatever is asked for: releasing and comparing a tree recurse.
  public static let deepest = 1024

  /// Arrays and objects inside one another; `[1]` is 1 deep.
  public let depth: Int
  /// Bytes of one number.
  public let numberBytes: Int

  public init(depth: Int, numberBytes: Int) {
    self.depth = Swift.min(Swift.max(depth, 0), Self.deepest)
    self.numberBytes = Swift.max(numberBytes, 1)
  }
}
