/// `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2), as in a Host header.
enum Authority {
  /// User names, zone identifiers, empty hosts and ports above 65535 are not valid.
  static func isValid(_ text: Bytes) -> Bool {
    guard text.first == UInt8(ascii: "[") else { return isNameAndPort(text) }
    guard let bracket = text.firstIndex(of: UInt8(ascii: "]")) else { return false }
    let address = text.cut(from: 1, to: bracket)
    let rest = text.cut(from: bracket + 1, to: text.count)
    guard address.contains(Grammar.colon), address.allSatisfy(isAddress) else { return false }
    return rest.isEmpty || (rest.first == Grammar.colon && isPort(rest.cut(from: 1, to: rest.count)))
  }

  private static func isNameAndPort(_ text: Bytes) -> Bool {
    guard let colon = text.firstIndex(of: Grammar.colon) else { return isName(text) }
    return isName(text.cut(from: 0, to: colon)) && isPort(text.cut(from: colon + 1, to: text.count))
  }

  private static func isAddress(_ byte: UInt8) -> Bool {
    Grammar.hexValue(byte) != nil || byte == Grammar.colon || byte == UInt8(ascii: ".")
  }

  /// RFC 3986 §3.2.3 lets the digits be missing.
  private static func isPort(_ digits: Bytes) -> Bool {
    digits.isEmpty || (Grammar.decimal(digits) ?? Int.max) <= 65_535
  }

  /// reg-name: unreserved, sub-delims and whole percent triplets; here never empty.
  private static func isName(_ name: Bytes) -> Bool {
    var digitsOwed = 0
    for byte in name {
      if digitsOwed > 0 {
        guard Grammar.hexValue(byte) != nil else { return false }
        digitsOwed -= 1
      } else if byte == Grammar.percent {
        digitsOwed = 2
      } else if !isNameByte(byte) {
        return false
      }
    }
    return digitsOwed == 0 && !name.isEmpty
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
      true
    case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("),
      UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
      UInt8(ascii: "="):
      true
    default: false
    }
  }
}
