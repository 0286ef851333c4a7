import Ethereum

@testable import Ledger

/// A non-negative decimal as written digits, calculated as at school: slow, and sharing nothing with the code
/// under test.
struct Schoolbook {
  /// Last digit first, without zeros at the end.
  var digits: [Int]
  var scale: Int

  /// Plain decimal text without sign or exponent.
  init(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    digits = (parts.joined().compactMap(\.wholeNumberValue)).reversed()
    scale = parts.count == 2 ? parts[1].count : 0
    trim()
  }

  static func * (left: Schoolbook, right: Schoolbook) -> Schoolbook {
    var product = [Int](repeating: 0, count: left.digits.count + right.digits.count)
    for (i, a) in left.digits.enumerated() {
      for (j, b) in right.digits.enumerated() { product[i + j] += a * b }
    }
    var result = Schoolbook("0")
    result.digits = carried(product)
    result.scale = left.scale + right.scale
    return result
  }

  static func + (left: Schoolbook, right: Schoolbook) -> Schoolbook {
    let scale = max(left.scale, right.scale)
    let a = left.written(toScale: scale)
    let b = right.written(toScale: scale)
    var sum = [Int](repeating: 0, count: max(a.count, b.count))
    for (index, digit) in a.enumerated() { sum[index] += digit }
    for (index, digit) in b.enumerated() { sum[index] += digit }
    var result = Schoolbook("0")
    result.digits = carried(sum)
    result.scale = scale
    return result
  }

  /// |left − right|
  static func distance(_ left: Schoolbook, _ right: Schoolbook) -> Schoolbook {
    if isLess(left, right) { return distance(right, left) }
    let scale = max(left.scale, right.scale)
    var difference = left.written(toScale: scale)
    for (index, digit) in right.written(toScale: scale).enumerated() { difference[index] -= digit }
    for index in difference.indices where difference[index] < 0 {
      difference[index] += 10
      difference[index + 1] -= 1
    }
    var result = Schoolbook("0")
    result.digits = difference
    result.scale = scale
    result.trim()
    return result
  }

  static func isLess(_ left: Schoolbook, _ right: Schoolbook) -> Bool {
    let scale = max(left.scale, right.scale)
    let a = left.written(toScale: scale)
    let b = right.written(toScale: scale)
    if a.count != b.count { return a.count < b.count }
    return a.reversed().lexicographicallyPrecedes(b.reversed())
  }

  func dividedByPowerOfTen(_ power: Int) -> Schoolbook {
    var result = self
    result.scale += power
    return result
  }

  /// Half-even, two places.
  func roundedText() -> String {
    let places = max(scale, 2)
    var written = self.written(toScale: places)
    written += [Int](repeating: 0, count: max(0, places + 1 - written.count))
    let dropped = Array(written.prefix(places - 2))
    written.removeFirst(dropped.count)
    let half = [Int](repeating: 0, count: max(0, dropped.count - 1)) + (dropped.isEmpty ? [] : [5])
    let isTie = !dropped.isEmpty && dropped == half
    let isMore = half.reversed().lexicographicallyPrecedes(dropped.reversed())
    let isOdd = written[0] % 2 == 1
    if isMore || (isTie && isOdd) {
      written[0] += 1
      written = Schoolbook.carried(written)
    }
    while written.count < 3 { written.append(0) }
    let text = String(written.reversed().map { Character(String($0)) })
    return text.dropLast(2) + "." + text.suffix(2)
  }

  private func written(toScale target: Int) -> [Int] {
    digits.isEmpty ? [] : [Int](repeating: 0, count: target - scale) + digits
  }

  private mutating func trim() {
    while digits.last == 0 { digits.removeLast() }
  }

  private static func carried(_ columns: [Int]) -> [Int] {
    var digits: [Int] = []
    var carry = 0
    for column in columns {
      digits.append((column + carry) % 10)
      carry = (column + carry) / 10
    }
    while carry > 0 {
      digits.append(carry % 10)
      carry /= 10
    }
    while digits.last == 0 { digits.removeLast() }
    return digits
  }
}

/// SplitMix64, so that a failure comes back with its seed.
struct MoneyRandom: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// `count` digits, mostly random, with the runs of 0, 5 and 9 that rounding and carrying trip over.
  mutating func digits(_ count: Int) -> String {
    let kind = Int.random(in: 0..<4, using: &self)
    var text = ""
    for _ in 0..<count {
      switch kind {
      case 0: text += ["0", "9"].randomElement(using: &self) ?? "0"
      case 1: text += ["0", "0", "0", "5"].randomElement(using: &self) ?? "0"
      default: text += String(Int.random(in: 0...9, using: &self))
      }
    }
    return text
  }

  /// A JSON number of zero or more without exponent.
  mutating func plainNumber(integerDigits: Int, fractionDigits: Int) -> String {
    var integer = digits(integerDigits).drop { $0 == "0" }
    if integer.isEmpty { integer = "0" }
    return fractionDigits == 0 ? String(integer) : integer + "." + digits(fractionDigits)
  }
}

/// A 256-bit number from decimal text; nil on overflow.
func number256(_ text: String) -> UInt256? {
  var number = UInt256.zero
  for digit in text.utf8 {
    if number.multiplyReportingOverflow(by: 10 as UInt64)
      || number.addReportingOverflow(UInt256(UInt64(digit - 48)))
    {
      return nil
    }
  }
  return number
}
