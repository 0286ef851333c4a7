/// Names and symbols as contracts give them are written by strangers, some of whom want to be taken for
/// somebody else: what cannot be seen, and what changes the direction of its surroundings, is removed.
public enum TokenText {
  /// Characters (Unicode scalars) kept of a name and of a symbol.
  public static let nameLimit = 64
  public static let symbolLimit = 32

  /// What is fit to be shown of a text; nil where it is not UTF-8, or nothing is left.
  ///
  /// White space of any kind and length becomes one space, none at the ends. Removed are: control, format
  /// (the bidirectional ones too), private-use and all default-ignorable characters, save the joiner and the
  /// variation selector behind an emoji.
  /// - Parameter limit: Unicode scalars kept; the rest is cut off.
  public static func clean(_ bytes: ArraySlice<UInt8>, limit: Int) -> String? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    return clean(text, limit: limit)
  }

  public static func clean(_ text: String, limit: Int) -> String? {
    var kept = String.UnicodeScalarView()
    var count = 0
    var spacePending = false
    var emojiBefore = false
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        spacePending = count > 0
        emojiBefore = false
        continue
      }
      // U+200D joins emoji into one, U+FE0F asks for the coloured form; anywhere else they are invisible.
      let isEmojiGlue = (scalar == "\u{200D}" || scalar == "\u{FE0F}") && emojiBefore
      guard isEmojiGlue || isVisible(scalar) else { continue }
      guard count + (spacePending ? 2 : 1) <= limit else { break }
      if spacePending {
        kept.append(" ")
        count += 1
        spacePending = false
      }
      kept.append(scalar)
      count += 1
      emojiBefore = isEmojiGlue || (!scalar.isASCII && scalar.properties.isEmoji)
    }
    while kept.last == "\u{200D}" { kept.removeLast() }
    return kept.isEmpty ? nil : String(kept)
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value > 0x20 && scalar.value < 0x7F }
    let properties = scalar.properties
    if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return false }
    switch properties.generalCategory {
    case .control, .format, .privateUse, .surrogate, .lineSeparator, .paragraphSeparator: return false
    default: return true
    }
  }

  /// `decimals()` says how many digits of a balance are behind the point. More than 77 cannot be: 10^78 does
  /// not fit 256 bits.
  public static func decimals(_ value: UInt256) -> Int? {
    guard let small = value.uint64, small <= 77 else { return nil }
    return Int(small)
  }
}
