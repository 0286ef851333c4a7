extension SimulatedPrices.Coin {
  /// - Parameter drawn: millionths, of either sign.
  mutating func walk(_ drawn: Int64, band: Int64) {
    let ticks = Int64(price.ticks)
    var drawn = drawn
    if let origin = dayAgoTicks, origin > 0 {
      let distance = (Int128(ticks) - Int128(origin)) * 1_000_000 / Int128(origin)
      if distance > Int128(band) { drawn = -abs(drawn) }
      if distance < -Int128(band) { drawn = abs(drawn) }
    }
    var step = Int64(clamping: Int128(ticks) * Int128(drawn) / 1_000_000)
    if step == 0 { step = drawn < 0 ? -1 : 1 }
    price = SimulatedPrices.Price(ticks: UInt64(max(1, ticks + step)), scale: price.scale)
    // At the lowest price the only way is up.
    if price.ticks == UInt64(ticks) { price.ticks += 1 }
  }

  mutating func follow(_ leader: SimulatedPrices.Coin, _ millionths: UInt64) {
    func scaled(_ ticks: UInt64) -> UInt64 {
      UInt64(clamping: UInt128(ticks) * UInt128(millionths) / 1_000_000)
    }
    price = SimulatedPrices.Price(ticks: scaled(leader.price.ticks), scale: leader.price.scale)
    dayAgoTicks = leader.dayAgoTicks.map(scaled)
  }
}

/// Decimal text of whole numbers of small units.
enum DecimalText {
  static func text(ticks: UInt128, scale: Int, isNegative: Bool, trimmed: Bool) -> String {
    var digits = Array(String(ticks).utf8)
    if digits.count <= scale {
      digits.insert(contentsOf: repeatElement(48, count: scale + 1 - digits.count), at: 0)
    }
    var fraction = digits.suffix(scale)
    if trimmed { while fraction.last == 48 { fraction.removeLast() } }
    let whole = String(decoding: digits.dropLast(scale), as: UTF8.self)
    let sign = isNegative && ticks != 0 ? "-" : ""
    return fraction.isEmpty ? sign + whole : "\(sign)\(whole).\(String(decoding: fraction, as: UTF8.self))"
  }
}
