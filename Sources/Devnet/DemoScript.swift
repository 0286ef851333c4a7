import Ethereum

/// Who trades what in a demo world. Draws its own random numbers, so that what happens in a block does not
/// depend on how often prices moved before it.
struct DemoScript: Sendable {
  let owners: [Address]
  let coins: [DemoCoin]
  /// Who buys what is sold and sells what is bought. It has more than all wallets together.
  let market: Address
  private var generator: SplitMix64

  init(seed: UInt64, owners: [Address], coins: [DemoCoin]) {
    self.owners = owners
    self.coins = coins
    market = DemoWorld.address("market", seed: seed, index: 0)
    generator = SplitMix64(seed: seed ^ 0x7363_7269_7074)
  }

  // MARK: - The first block

  mutating func populate(_ chain: inout SimulatedChain) {
    for coin in coins {
      guard let token = coin.listed else { continue }
      // The one of them that is as old as that.
      let isOld = token.symbol == "MKR"
      chain.deploy(
        SimulatedContract(
          name: token.name, symbol: token.symbol, decimals: token.decimals,
          behaviour: isOld ? .bytes32Metadata : .standard), at: token.address)
    }
    for coin in coins { give(coin, to: market, amount(of: coin, cents: 100_000_000_000), &chain) }
    for (number, owner) in owners.enumerated() {
      for coin in coins where coin.listed == nil || number == 0 || generator.chance(2, in: 3) {
        give(coin, to: owner, randomAmount(of: coin), &chain)
      }
    }
  }

  private func give(_ coin: DemoCoin, to owner: Address, _ amount: UInt256, _ chain: inout SimulatedChain) {
    guard let contract = coin.contract else { return chain.setNative(owner, to: amount) }
    // It cannot overflow: a world's supply of a coin is far below 2^256.
    try? chain.mint(contract, to: owner, amount: amount)
  }

  /// $10 to $100,000, and as likely tens as ten thousands.
  private mutating func randomAmount(of coin: DemoCoin) -> UInt256 {
    var cents: UInt64 = 1_000
    for _ in 0..<generator.index(4) { cents *= 10 }
    return amount(of: coin, cents: cents + generator.below(cents * 9))
  }

  /// What costs so many cents at the price to begin with, in base units; not less than one. People like round
  /// numbers: four places are kept.
  private func amount(of coin: DemoCoin, cents: UInt64) -> UInt256 {
    let price = coin.priced.price
    let unit = Self.power(coin.decimals)
    // cents / 100 ÷ (ticks · 10^−scale) · 10^decimals. Where the product does not fit 128 bits, the amount is so
    // large that nobody misses the digits lost by dividing first.
    let (units, overflow) = (UInt128(cents) * Self.power(price.scale)).multipliedReportingOverflow(by: unit)
    let ticks = UInt128(max(1, price.ticks))
    let base =
      overflow
      ? UInt128(cents) * Self.power(price.scale) / (ticks * 100) * unit : units / (ticks * 100)
    let grain = coin.decimals > 4 ? Self.power(coin.decimals - 4) : 1
    let round = base >= grain ? base - base % grain : base
    return Self.word(max(1, round))
  }

  private static func power(_ exponent: Int) -> UInt128 {
    (0..<min(max(0, exponent), 30)).reduce(1) { power, _ in power * 10 }
  }

  private static func word(_ value: UInt128) -> UInt256 {
    UInt256(0, 0, UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
  }

  // MARK: - Blocks

  /// A block of two to six trades.
  @discardableResult
  mutating func step(_ chain: inout SimulatedChain, timestamp: UInt64?) -> BlockHeader {
    if !owners.isEmpty {
      for _ in 0..<(2 + generator.index(5)) { trade(&chain) }
    }
    return chain.mine(timestamp: timestamp)
  }

  private mutating func trade(_ chain: inout SimulatedChain) {
    let owner = owners[generator.index(owners.count)]
    let coin = coins[generator.index(coins.count)]
    let held = chain.pendingBalance(coin.contract, of: owner)
    if held.isZero {
      return move(coin, from: market, to: owner, randomAmount(of: coin), &chain)
    }
    switch generator.index(10) {
    // Sold out; never the coin, which pays for gas.
    case 0 where coin.contract != nil: move(coin, from: owner, to: market, held, &chain)
    case 1, 2: move(coin, from: market, to: owner, randomAmount(of: coin), &chain)
    default:
      let other = owners[generator.index(owners.count)]
      let share = Self.share(held, thousandths: 1 + generator.below(300))
      move(coin, from: owner, to: other == owner ? market : other, share, &chain)
    }
  }

  private static func share(_ amount: UInt256, thousandths: UInt64) -> UInt256 {
    let (high, product) = amount.multipliedFullWidth(by: thousandths)
    return high == 0 ? product.quotientAndRemainder(dividingBy: 1_000).quotient : amount
  }

  /// Nothing happens where the seller has too little.
  private func move(
    _ coin: DemoCoin, from: Address, to: Address, _ amount: UInt256, _ chain: inout SimulatedChain
  ) {
    guard !amount.isZero else { return }
    try? chain.transfer(coin.contract, from: from, to: to, amount: amount)
  }

  // MARK: - Prices

  func priceTicks(_ prices: SimulatedPrices) -> [PriceTick] {
    coins.compactMap { coin in
      guard let priced = prices[coin.priceName] else { return nil }
      let change = priced.changeHundredths ?? 0
      return PriceTick(
        contract: coin.contract, price: priced.price.text,
        change: DecimalText.text(
          ticks: UInt128(change.magnitude), scale: 2, isNegative: change < 0, trimmed: false),
        changeHundredths: change)
    }
  }
}
