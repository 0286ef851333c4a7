/// A JSON number, kept as the text it came in (RFC 8259 §6), so that an amount of money never passes through
/// a binary float.
public struct JSONNumber: Sendable, Hashable {
  /// The literal, always of RFC 8259's grammar: `-12`, `0.10`, `6.02e23`.
  public let text: String

  init(validated text: String) { self.text = text }

  public init(_ value: some BinaryInteger) { text = String(value) }

  /// - Returns: nil where `text` is not exactly one number of RFC 8259's grammar.
  public init?(text: String) {
    let utf8 = Array(text.utf8)
    guard case .end(let end, _) = JSONNumberScanner.scan(utf8.span, from: 0), end == utf8.count else {
      return nil
    }
    self.text = text
  }

  /// Whether the literal is a plain integer: digits with an optional minus sign, no fraction, no exponent.
  public var isInteger: Bool {
    text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) }
  }

  /// The exact value of a plain integer. `1.0` and `1e3` are refused on purpose (nil): identifiers, heights
  /// and counts are written plainly, and whoever writes them otherwise has been through a float.
  public var int64: Int64? { isInteger ? Int64(text) : nil }

  /// Like ``int64``, for 0 … 2^64−1. `-0` is 0.
  public var uint64: UInt64? { isInteger ? (text == "-0" ? 0 : UInt64(text)) : nil }

  /// The nearest binary float; infinite where the literal is too large. Not for money.
  public var double: Double { Double(text) ?? .nan }
}
