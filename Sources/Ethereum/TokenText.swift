/// Names and symbols as contracts give them are written by strangers, some of whom want to be taken for
/// somebody else: what cannot be seen, and what changes the direction of its surroundings, is removed.
public enum TokenText {
  /// Characters (Unicode scalars) kept of a name and of a symbol.
  public static let nameLimit = 64
  public static let symbolLimit = 32

  /// Marks kept on one letter. A tower of them covers the lines above and below.
  public static let marksLimit = 4

  /// What is fit to be shown of a text; nil where it is not UTF-8, or nothing is left.
  ///
  /// White space of any kind and length becomes one space, none at the ends. Removed are: control, format
  /// (the bidirectional ones too), private-use and all default-ignorable characters, those that are blank, and marks
  /// that stand on nothing or are too many. A joiner is kept between two emoji, a variation selector behind one.
  /// - Parameter limit: Unicode scalars kept; the rest is cut off.
  public static func clean(_ bytes: ArraySlice<UInt8>, limit: Int) -> String? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    return clean(text, limit: limit)
  }

  public static func clean(_ text: String, limit: Int) -> String? {
    var cleaner = TextCleaner(limit: limit)
    for scalar in text.unicodeScalars {
      guard cleaner.take(scalar) else { break }
    }
    return cleaner.kept.isEmpty ? nil : String(cleaner.kept)
  }

  /// `decimals()` says how many digits of a balance are behind the point. More than 77 cannot be: 10^78 does
  /// not fit 256 bits.
  public static func decimals(_ value: UInt256) -> Int? {
    guard let small = value.uint64, small <= 77 else { return nil }
    return Int(small)
  }
}

/// Takes a text one scalar after the other.
private struct TextCleaner {
  let limit: Int
  private(set) var kept = String.UnicodeScalarView()
  private var count = 0
  /// White space, or a joiner, that stands if something follows that it may stand before.
  private var pending: Unicode.Scalar?
  /// What was kept last is an emoji, with its selector perhaps.
  private var isBehindEmoji = false
  private var hasSelector = false
  /// Marks on the last letter.
  private var marks = 0

  private static let joiner: Unicode.Scalar = "\u{200D}"
  /// Asks for an emoji's coloured form.
  private static let selector: Unicode.Scalar = "\u{FE0F}"

  init(limit: Int) { self.limit = limit }

  /// - Returns: false when the text is as long as it may be.
  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    if properties.isWhitespace {
      pending = count > 0 ? " " : nil
      isBehindEmoji = false
      return true
    }
    // Anywhere else they are invisible.
    if scalar == Self.joiner, isBehindEmoji { pending = pending ?? scalar }
    if scalar == Self.selector, isBehindEmoji, !hasSelector, pending == nil {
      hasSelector = true
      return keep(scalar)
    }
    guard Self.isVisible(scalar) else { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark:
      // Behind a space it would stand on the space.
      guard count > 0, pending == nil, marks < TokenText.marksLimit else { return true }
      marks += 1
      return keep(scalar)
    default:
      let isEmoji = !scalar.isASCII && properties.isEmoji
      if pending == Self.joiner, !isEmoji { pending = nil }
      guard keep(scalar) else { return false }
      marks = 0
      isBehindEmoji = isEmoji
      hasSelector = false
      return true
    }
  }

  private mutating func keep(_ scalar: Unicode.Scalar) -> Bool {
    guard count + (pending == nil ? 1 : 2) <= limit else { return false }
    if let pending {
      kept.append(pending)
      count += 1
    }
    pending = nil
    kept.append(scalar)
    count += 1
    return true
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value > 0x20 && scalar.value < 0x7F }
    let properties = scalar.properties
    if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return false }
    if blanks.contains(scalar) { return false }
    switch properties.generalCategory {
    case .control, .format, .privateUse, .surrogate, .lineSeparator, .paragraphSeparator: return false
    default: return true
    }
  }

  /// Blank, though Unicode calls them symbols and letters: the Braille pattern without dots, the null notehead, the
  /// Khitan filler, two Egyptian blanks; and what stands for an object that is not there.
  private static let blanks: Set<Unicode.Scalar> = [
    "\u{2800}", "\u{1D159}", "\u{16FE4}", "\u{13441}", "\u{13442}", "\u{FFFC}",
  ]
}
