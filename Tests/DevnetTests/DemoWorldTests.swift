import Ethereum
import JSON
import Testing

@testable import Devnet

@Suite struct DemoWorldTests {
  static func contracts(_ world: DemoWorld) -> [Address?] { [nil] + world.tokens.map(\.address) }

  static func balances(_ world: DemoWorld) -> [UInt256] {
    world.wallets.flatMap { wallet in contracts(world).map { world.chain.balance($0, of: wallet.address) } }
  }

  @Test func sameSeedSameWorld() {
    var one = DemoWorld(seed: 42, wallets: 6, tokens: 30)
    var two = DemoWorld(seed: 42, wallets: 6, tokens: 30)
    let other = DemoWorld(seed: 43, wallets: 6, tokens: 30)
    #expect(one.wallets == two.wallets && one.tokens == two.tokens)
    #expect(one.wallets != other.wallets && one.tokens != other.tokens)
    #expect(Self.balances(one) == Self.balances(two))
    for step in 0..<50 {
      one.step()
      // Prices in between don't change what is traded.
      if step % 3 == 0 { one.tick() }
      two.step()
    }
    for _ in 0..<17 { two.tick() }
    #expect(one.chain.head == two.chain.head)
    #expect(Self.balances(one) == Self.balances(two))
    #expect(one.priceTicks == two.priceTicks)
    let (next, twin) = (one.nextPriceTick(), two.nextPriceTick())
    #expect(next == twin)
  }

  @Test(arguments: [(0, 0), (0, 1), (1, 1), (1, 5), (3, 17), (2, 60)])
  func sizes(wallets: Int, tokens: Int) {
    var world = DemoWorld(seed: 1, wallets: wallets, tokens: tokens)
    #expect(world.wallets.count == wallets && Set(world.wallets).count == wallets)
    #expect(world.tokens.count == max(1, tokens) - 1)
    #expect(Set(world.tokens.map(\.address)).count == world.tokens.count)
    #expect(world.priceTicks.count == max(1, tokens))
    for _ in 0..<5 { world.step() }
    #expect(world.chain.head.number == 1_005)
  }

  @Test func whatIsInIt() throws {
    let world = DemoWorld(seed: 1, wallets: 50, tokens: 40)
    #expect(world.tokens.prefix(3).map(\.symbol) == ["USDC", "USDT", "DAI"])
    #expect(world.tokens.last?.symbol == "T39" && world.tokens.last?.name == "Token 39")
    let held = Self.balances(world).count { !$0.isZero }
    // 50 × 39 × 2/3 tokens, and 50 coins; the standard deviation is 21.
    #expect((1_260...1_440).contains(held))
    let ticks = world.priceTicks
    #expect(ticks[0].contract == nil && ticks[0].price == "3412.35")
    for (token, tick) in zip(world.tokens, ticks.dropFirst()) {
      #expect(tick.contract == token.address)
      #expect(SimulatedPrices.Price(tick.price)?.ticks ?? 0 > 0, "\(token.symbol) \(tick.price)")
      #expect(abs(tick.changeHundredths) < 700)
    }
    let chain = world.chain(rpcURL: "http://127.0.0.1:1")
    #expect(chain.code.description == "ETH" && chain.chainID == 31_337)
    #expect(chain.tokens == world.tokens && chain.rpc == ["http://127.0.0.1:1"])
  }

  /// What somebody holds of a coin is worth between $1 and $1,000,000.
  @Test func plausibleAmounts() throws {
    let world = DemoWorld(seed: 5, wallets: 20, tokens: 60)
    for (index, tick) in world.priceTicks.enumerated() {
      let decimals = index == 0 ? 18 : world.tokens[index - 1].decimals
      let price = try #require(Double(tick.price))
      for wallet in world.wallets {
        let balance = world.chain.balance(tick.contract, of: wallet.address)
        guard !balance.isZero else { continue }
        var worth = balance.double * price
        for _ in 0..<decimals { worth /= 10 }
        #expect((1...1_000_000).contains(worth), "\(tick) \(balance)")
      }
    }
  }

  @Test func blocksMoveTokensAndKeepTheSupply() {
    var world = DemoWorld(seed: 9, wallets: 8, tokens: 12)
    let before = Self.balances(world)
    let supplies = world.tokens.map { world.chain.supply(of: $0.address) }
    var emptied = 0
    var bought = 0
    var last = before
    for _ in 0..<300 {
      world.step()
      let now = Self.balances(world)
      emptied += zip(last, now).count { !$0.isZero && $1.isZero }
      bought += zip(last, now).count { $0.isZero && !$1.isZero }
      last = now
    }
    #expect(last != before)
    #expect(emptied > 0 && bought > 0)
    #expect(world.tokens.map { world.chain.supply(of: $0.address) } == supplies)
    for (token, supply) in zip(world.tokens, supplies) {
      let owners = world.wallets.map(\.address) + [world.script.market]
      let sum = owners.reduce(UInt256.zero) {
        $0.addingReportingOverflow(world.chain.balance(token.address, of: $1)).partialValue
      }
      #expect(sum == supply)
    }
    #expect(world.wallets.allSatisfy { !world.chain.balance(nil, of: $0.address).isZero }, "gas is left")
  }

  @Test func everyTickMovesEveryPrice() {
    var world = DemoWorld(seed: 9, wallets: 0, tokens: 80)
    var last = world.priceTicks
    for _ in 0..<100 {
      let next = world.nextPriceTick()
      #expect(zip(last, next).count { $0.price == $1.price } == 0)
      last = next
    }
    let stable = next(of: "USDC", in: world, last)
    #expect((0.99...1.01).contains(Double(stable) ?? 0))
    #expect(next(of: "WETH", in: world, last) == last[0].price)
  }

  private func next(of symbol: String, in world: DemoWorld, _ ticks: [PriceTick]) -> String {
    let index = world.tokens.firstIndex { $0.symbol == symbol }
    return index.map { ticks[$0 + 1].price } ?? ""
  }

  /// Blocks and ticks come by themselves, and what HTTP says is what the world says.
  @Test func movesOnAServer() async throws {
    let world = DemoWorld(seed: 9, wallets: 4, tokens: 20)
    let server = try DevnetServer(world)
    let node = try TestClient(server.rpcURL)
    let quotes = try TestClient(server.pricesURL)
    #expect(try await node.call(.blockNumber(id: 1)) == .success("0x3e8"))
    try await world.start(on: server, stepEvery: .milliseconds(2), ticksPerSecond: 500)
    while try await JSONRPC.uint64(node.call(.blockNumber(id: 1)).get()) < 1_003 {}
    let first = try await quotes.get("/prices/current/coingecko:ethereum").text
    while try await quotes.get("/prices/current/coingecko:ethereum").text == first {}

    try await world.start(on: server, stepEvery: .seconds(3_600), ticksPerSecond: 0)
    var twin = world
    for _ in 0..<3 {
      try await server.step()
      twin.step(timestamp: 0)
      let ticks = twin.nextPriceTick()
      #expect(try await server.tickPrices() == ticks)
    }
    for wallet in world.wallets {
      let balance = try JSONRPC.quantity(try await node.call(.getBalance(id: 1, of: wallet.address)).get())
      #expect(balance == twin.chain.balance(nil, of: wallet.address))
    }
    let names = world.tokens.map { SimulatedPrices.name(slug: "ethereum", $0.address) }
    let answer = try parse(try await quotes.get("/prices/current/\(names.joined(separator: ","))").body)
    for (name, tick) in zip(names, twin.priceTicks.dropFirst()) {
      #expect(answer["coins"]?[name]?["price"]?.number?.text == tick.price)
    }
  }

  @Test func serversWithoutAWorldDontTick() async throws {
    let server = try ServerTests.server()
    try await server.step()
    #expect(try await server.tickPrices().isEmpty)
  }
}
