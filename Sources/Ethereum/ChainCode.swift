/// The short name of a chain: `ETH`, `BSC`, `ETH_SEPOLIA`. A capital letter, then capital letters, digits and
/// underscores; at most 32 bytes, which are kept inline, so that keys are copied and hashed without a
/// reference count.
public struct ChainCode: Sendable, Hashable {
  public static let maximumBytes = 32

  /// The ASCII bytes, big-endian and padded with zeros: so they order as the text does.
  private let w0, w1, w2, w3: UInt64

  /// Accepts any letter case.
  public init(parsing text: String) throws(ChainCodeError) {
    try self.init(parsing: text.utf8.span)
  }

  /// The same, from UTF-8 bytes.
  public init(parsing text: Span<UInt8>) throws(ChainCodeError) {
    guard text.count > 0 else { throw .empty }
    guard text.count <= Self.maximumBytes else { throw .tooLong }
    var words = InlineArray<4, UInt64>(repeating: 0)
    for offset in 0..<text.count {
      let byte = text[offset]
      let upper = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte & 0xDF : byte
      let isLetter = upper >= UInt8(ascii: "A") && upper <= UInt8(ascii: "Z")
      let isOther = upper == UInt8(ascii: "_") || (upper >= UInt8(ascii: "0") && upper <= UInt8(ascii: "9"))
      guard isLetter || (isOther && offset > 0) else { throw .invalidCharacter(offset: offset) }
      words[offset / 8] |= UInt64(upper) << UInt64(56 - offset % 8 * 8)
    }
    (w0, w1, w2, w3) = (words[0], words[1], words[2], words[3])
  }

  /// Most codes fit the first word: the rest is hashed only where there is one.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(w0)
    if w1 != 0 {
      hasher.combine(w1)
      hasher.combine(w2)
      hasher.combine(w3)
    }
  }

  /// Appends the code in ASCII.
  public func append(to output: inout [UInt8]) {
    let words: InlineArray<4, UInt64> = [w0, w1, w2, w3]
    for index in 0..<Self.maximumBytes {
      let byte = UInt8(truncatingIfNeeded: words[index / 8] >> UInt64(56 - index % 8 * 8))
      guard byte != 0 else { return }
      output.append(byte)
    }
  }

  /// The part before the first underscore, which names the coin: `ETH` of `ETH_SEPOLIA`.
  public var coinName: String {
    let text = description
    return String(text.prefix { $0 != "_" })
  }
}

extension ChainCode: CustomStringConvertible {
  public var description: String {
    var text: [UInt8] = []
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}

extension ChainCode: Comparable {
  public static func < (left: ChainCode, right: ChainCode) -> Bool {
    (left.w0, left.w1, left.w2, left.w3) < (right.w0, right.w1, right.w2, right.w3)
  }
}

/// Why a text is no chain code.
public enum ChainCodeError: Error, Hashable {
  case empty
  case tooLong
  /// The byte offset in the text.
  case invalidCharacter(offset: Int)
}

extension ChainCodeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .empty: "the chain is missing"
    case .tooLong: "a chain code has at most \(ChainCode.maximumBytes) characters"
    case .invalidCharacter(let offset):
      "a chain code is a letter, then letters, digits and underscores, unlike byte \(offset)"
    }
  }
}
