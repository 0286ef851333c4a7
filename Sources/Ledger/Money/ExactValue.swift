import Ethereum

/// An exact value of zero or more, for sums: addends of different scales add up exactly, and only the text is
/// rounded. Values come from ``Valuation``.
///
/// 256 bits hold it without heap while they suffice, which is nearly always; beyond, it grows.
public struct ExactValue: Sendable {
  private enum Magnitude: Sendable {
    case inline(UInt256)
    case large(Natural)

    var isZero: Bool {
      switch self {
      case .inline(let magnitude): magnitude.isZero
      case .large(let magnitude): magnitude.isZero
      }
    }

    var natural: Natural {
      switch self {
      case .inline(let magnitude): Natural(magnitude)
      case .large(let magnitude): magnitude
      }
    }
  }

  private var magnitude: Magnitude

  /// The value is magnitude × 10^exponent.
  private var exponent: Int

  public static let zero = ExactValue(.zero as UInt256, exponent: 0)

  init(_ magnitude: UInt256, exponent: Int) {
    self.magnitude = .inline(magnitude)
    self.exponent = exponent
  }

  init(_ magnitude: Natural, exponent: Int) {
    self.magnitude = .large(magnitude)
    self.exponent = exponent
  }

  public var isZero: Bool { magnitude.isZero }

  /// Adds exactly.
  public mutating func add(_ other: ExactValue) {
    if other.isZero { return }
    if isZero {
      self = other
      return
    }
    let common = min(exponent, other.exponent)
    if case .inline(var own) = magnitude, case .inline(var others) = other.magnitude,
      !own.multiplyReportingOverflow(byPowerOfTen: exponent - common),
      !others.multiplyReportingOverflow(byPowerOfTen: other.exponent - common),
      !own.addReportingOverflow(others)
    {
      self = ExactValue(own, exponent: common)
      return
    }
    var own = magnitude.natural
    var others = other.magnitude.natural
    _ = own.multiplyReportingOverflow(byPowerOfTen: exponent - common)
    _ = others.multiplyReportingOverflow(byPowerOfTen: other.exponent - common)
    _ = own.addReportingOverflow(others)
    self = ExactValue(own, exponent: common)
  }

  /// Whether it is the smaller number. Exact.
  public func isLess(than other: ExactValue) -> Bool {
    let common = min(exponent, other.exponent)
    var (own, others) = (magnitude.natural, other.magnitude.natural)
    _ = own.multiplyReportingOverflow(byPowerOfTen: exponent - common)
    _ = others.multiplyReportingOverflow(byPowerOfTen: other.exponent - common)
    return own.isLess(than: others)
  }

  /// Rounded half-even to two places, as plain text: `3704.17`, `0.00`.
  public func roundedText() -> String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends ``roundedText()`` as ASCII.
  public func append(to output: inout [UInt8]) {
    switch magnitude {
    case .inline(let magnitude): Self.append(magnitude, exponent: exponent, to: &output)
    case .large(let magnitude): Self.append(magnitude, exponent: exponent, to: &output)
    }
  }

  private static func append(
    _ magnitude: some DecimalMagnitude, exponent: Int, to output: inout [UInt8]
  ) {
    var rounded = magnitude
    rounded.divideHalfEven(byPowerOfTen: max(0, -2 - exponent))
    rounded.appendPlainText(
      exponent: rounded.isZero ? -2 : max(-2, exponent), fractionDigits: 2, isNegative: false, to: &output)
  }
}

extension ExactValue: CustomStringConvertible {
  public var description: String { roundedText() }
}
