// A pattern is a key in which numbers are put:
//
//     ETH:0x{n:40}   the number, in 40 hexadecimal digits: …0000, …0001, …0002
//     ETH:0x{h:40}   40 digits that look random, and are the same for the same number
//
// Placeholders may stand anywhere and several times; everything else is taken as it is.

/// Keys by number, from a text with placeholders. The same text and number give the same key, on every machine.
struct KeyPattern: Hashable, Sendable {
  private enum Piece: Hashable {
    case text(String)
    case number(digits: Int)
    case scattered(digits: Int)
  }

  private let pieces: [Piece]

  /// Whether all numbers give the same key.
  var isConstant: Bool {
    pieces.allSatisfy { if case .text = $0 { true } else { false } }
  }

  init(parsing text: some StringProtocol) throws(LoadOptionError) {
    var pieces: [Piece] = []
    var rest = Substring(text)
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else {
        throw .badPattern(String(text), "\"{\" is never closed")
      }
      pieces.append(try Self.placeholder(rest[rest.index(after: open)..<close], in: String(text)))
      rest = rest[rest.index(after: close)...]
    }
    guard !rest.contains("}") else { throw .badPattern(String(text), "\"}\" closes nothing") }
    if !rest.isEmpty { pieces.append(.text(String(rest))) }
    self.pieces = pieces
  }

  private static func placeholder(_ body: Substring, in text: String) throws(LoadOptionError) -> Piece {
    let parts = body.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let digits = Int(parts[1]), (1...64).contains(digits) else {
      throw .badPattern(text, "\"{\(body)}\" is not {n:DIGITS} or {h:DIGITS} with 1 to 64 digits")
    }
    switch parts[0] {
    case "n": return .number(digits: digits)
    case "h": return .scattered(digits: digits)
    default: throw .badPattern(text, "\"{\(body)}\" is not {n:DIGITS} or {h:DIGITS}")
    }
  }

  /// A number with more digits than there is room for loses its first ones.
  func key(_ number: UInt64) -> String {
    var key = ""
    for piece in pieces {
      switch piece {
      case .text(let text): key += text
      case .number(let digits):
        let hexadecimal = String(number, radix: 16)
        key += String(repeating: "0", count: max(0, digits - hexadecimal.count)) + hexadecimal.suffix(digits)
      case .scattered(let digits):
        var words = ""
        var word: UInt64 = 0
        while words.count < digits {
          let hexadecimal = String(Self.scatter(number, word), radix: 16)
          words += String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal
          word += 1
        }
        key += words.prefix(digits)
      }
    }
    return key
  }

  /// SplitMix64's output function, over the number and the word's place.
  private static func scatter(_ number: UInt64, _ word: UInt64) -> UInt64 {
    var z = (number &* 8 &+ word &+ 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
