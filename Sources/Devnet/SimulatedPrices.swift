public import Ethereum

// Prices are whole numbers of ticks of 10^−scale dollars, about seven digits of them, and walk in whole
// ticks: no float comes near them, and what is served has the same digits everywhere.

/// A price source's coins in memory. Deterministic; holds no clock and no sockets.
public struct SimulatedPrices: Sendable {
  /// What a coin is worth: `ticks` × 10^−`scale` dollars.
  public struct Price: Sendable, Hashable {
    /// Below 10^15.
    public var ticks: UInt64
    /// 0 … 18.
    public var scale: Int

    static let ticksMaximum: UInt64 = 999_999_999_999_999

    init(ticks: UInt64, scale: Int) {
      self.ticks = min(ticks, Self.ticksMaximum)
      self.scale = min(max(scale, 0), 18)
    }

    /// `2412.30`: at most 15 significant digits and 18 behind the point, no sign, no exponent; nil for other
    /// texts.
    public init?(_ text: String) {
      var ticks: UInt64 = 0
      var scale = 0
      var sawPoint = false
      var sawDigit = false
      for byte in text.utf8 {
        if byte == UInt8(ascii: "."), !sawPoint, sawDigit {
          sawPoint = true
          continue
        }
        let digit = byte &- UInt8(ascii: "0")
        guard digit < 10, ticks <= Self.ticksMaximum / 10, scale < 18 else { return nil }
        ticks = ticks * 10 + UInt64(digit)
        if sawPoint { scale += 1 }
        sawDigit = true
      }
      guard sawDigit, text.utf8.last != UInt8(ascii: ".") else { return nil }
      self.init(ticks: ticks, scale: scale)
    }

    /// The exact decimal, without zeros that say nothing: a JSON number.
    public var text: String {
      DecimalText.text(ticks: UInt128(ticks), scale: scale, isNegative: false, trimmed: true)
    }
  }

  /// One coin.
  public struct Coin: Sendable, Hashable {
    public var symbol: String
    /// nil for coins that are named by an id and not by a contract.
    public var decimals: Int?
    public var price: Price
    /// What it was worth 24 hours ago, in ticks of the same size; the change is counted from here. nil:
    /// nobody knows.
    public var dayAgoTicks: UInt64?
    /// The source's trust in its price, 0 … 1 as a JSON number; nil is left out.
    public var confidence: String?
    /// When the price was seen, in Unix seconds; nil is always now.
    public var timestamp: UInt64?
    public var movement: Movement

    public init(
      symbol: String, decimals: Int?, price: Price, dayAgoTicks: UInt64? = nil, confidence: String? = "0.99",
      timestamp: UInt64? = nil, movement: Movement = .none
    ) {
      self.symbol = symbol
      self.decimals = decimals
      self.price = price
      self.dayAgoTicks = dayAgoTicks
      self.confidence = confidence
      self.timestamp = timestamp
      self.movement = movement
    }

    /// Percent since 24 hours ago, in 10^−8 percent.
    var changeUnits: Int128? {
      guard let dayAgoTicks, dayAgoTicks > 0 else { return nil }
      return (Int128(price.ticks) - Int128(dayAgoTicks)) * 10_000_000_000 / Int128(dayAgoTicks)
    }

    /// Percent since 24 hours ago in hundredths, rounded half away from zero.
    public var changeHundredths: Int64? {
      changeUnits.map { units in
        Int64(clamping: (units + (units < 0 ? -500_000 : 500_000)) / 1_000_000)
      }
    }
  }

  /// How a tick moves a price.
  public enum Movement: Sendable, Hashable {
    case none
    /// By up to ±`step` millionths, and never by nothing; turned back where it is more than `band` millionths
    /// away from the price of 24 hours ago.
    case walk(step: Int64, band: Int64)
    /// It is always `millionths` of another coin's price.
    case pegged(to: String, millionths: UInt64)
  }

  /// In the order they came, which is the order in which they walk.
  private var coins: [Coin] = []
  /// Their lower-case names, and where each is.
  private var names: [String] = []
  private var positions: [String: Int] = [:]
  private var generator: SplitMix64

  public init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  /// DefiLlama's name of a token: `ethereum:0xa0b8…`.
  public static func name(slug: String, _ contract: Address) -> String { "\(slug):\(contract.lowercase)" }

  public var count: Int { coins.count }

  /// A coin by its name, without regard to case; setting nil deletes.
  public subscript(name: String) -> Coin? {
    get { positions[name.lowercased()].map { coins[$0] } }
    set {
      let key = name.lowercased()
      switch (positions[key], newValue) {
      case (let position?, let coin?): coins[position] = coin
      case (let position?, nil): remove(at: position)
      case (nil, let coin?):
        positions[key] = coins.count
        names.append(key)
        coins.append(coin)
      case (nil, nil): break
      }
    }
  }

  private mutating func remove(at position: Int) {
    coins.remove(at: position)
    positions[names.remove(at: position)] = nil
    for later in position..<names.count { positions[names[later]] = later }
  }

  /// Changes a coin's price and nothing else.
  /// - Returns: false where there is no such coin, or the text is no price (``Price/init(_:)``).
  @discardableResult
  public mutating func setPrice(_ name: String, _ text: String) -> Bool {
    guard var coin = self[name], let price = Price(text) else { return false }
    if let ticks = coin.dayAgoTicks {
      coin.dayAgoTicks = Self.rescaled(ticks, from: coin.price.scale, to: price.scale)
    }
    coin.price = price
    self[name] = coin
    return true
  }

  private static func rescaled(_ ticks: UInt64, from: Int, to: Int) -> UInt64 {
    var wide = UInt128(ticks)
    for _ in 0..<max(0, to - from) { wide = min(wide * 10, UInt128(UInt64.max)) }
    for _ in 0..<max(0, from - to) { wide /= 10 }
    return UInt64(clamping: wide)
  }

  // MARK: - Ticks

  /// Moves every coin once.
  public mutating func tick() {
    for position in coins.indices {
      guard case .walk(let step, let band) = coins[position].movement else { continue }
      coins[position].walk(generator.signed(step), band: band)
    }
    for position in coins.indices {
      guard case .pegged(let other, let millionths) = coins[position].movement, let leader = self[other]
      else { continue }
      coins[position].follow(leader, millionths)
    }
  }
}
