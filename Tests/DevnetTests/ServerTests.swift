import Devnet
import Ethereum
import JSON
import Testing

/// Everything here goes over loopback.
@Suite struct ServerTests {
  static let usdc = account(0xA1)
  static let alice = account(1)

  static func server() throws -> DevnetServer {
    var chain = SimulatedChain(SimulatedChain.Configuration(chainID: 31_337, seed: 7))
    chain.deploy(SimulatedContract(name: "USD Coin", symbol: "USDC", decimals: 6), at: usdc)
    chain.setNative(alice, to: 5)
    try chain.mint(usdc, to: alice, amount: 2_500_000)
    var prices = SimulatedPrices(seed: 7)
    prices["ethereum:\(usdc)"] = SimulatedPrices.Coin(
      symbol: "USDC", decimals: 6, price: try #require(SimulatedPrices.Price("0.9998")), dayAgoTicks: 10_000,
      timestamp: 1_795_344_912)
    prices["coingecko:ethereum"] = SimulatedPrices.Coin(
      symbol: "ETH", decimals: nil, price: try #require(SimulatedPrices.Price("2412.3")),
      timestamp: 1_795_344_912)
    return try DevnetServer(chain: chain, prices: prices)
  }

  @Test func aggregate3() async throws {
    let server = try Self.server()
    let client = try TestClient(server.rpcURL)
    let multicall = Multicall3.canonicalAddress
    let calls = [
      Multicall3.Call(target: multicall, data: ABI.encode(.getBlockNumber)),
      Multicall3.Call(target: multicall, data: Multicall3.getEthBalance(Self.alice)),
      Multicall3.Call(target: Self.usdc, data: ABI.balanceOf(Self.alice)),
      Multicall3.Call(target: account(0x77), data: ABI.balanceOf(Self.alice)),
    ]
    let outcome = try await client.call(.call(id: 1, to: multicall, data: Multicall3.aggregate3(calls)))
    let results = try Multicall3.decodeAggregate3(JSONRPC.data(outcome.get()), count: 4, limit: 1_000)
    #expect(results.map(\.success) == [true, true, true, true])
    #expect(results.map { Array($0.data) } == [word(1_000), word(5), word(2_500_000), []])
    let statistics = try await server.chainStatistics
    #expect(statistics.requests == 1)
    #expect(statistics.methods == ["eth_call": 1])
    #expect(statistics.subcalls == 4)
  }

  @Test func changesAreSeenOnceMined() async throws {
    let server = try Self.server()
    let client = try TestClient(server.rpcURL)
    func balance() async throws -> UInt256 {
      try JSONRPC.quantity(try await client.call(.getBalance(id: 3, of: Self.alice)).get())
    }
    try await server.withChain { $0.setNative(Self.alice, to: 6) }
    #expect(try await balance() == 6, "before the first mine() it is still the first block")
    try await server.withChain { _ = $0.mine() }
    try await server.withChain { $0.setNative(Self.alice, to: 7) }
    #expect(try await balance() == 6)
    try await server.withChain { _ = $0.mine() }
    #expect(try await balance() == 7)
  }

  @Test func prices() async throws {
    let server = try Self.server()
    let client = try TestClient(server.pricesURL)
    let upper = "ethereum:\(Self.usdc.checksummed)"
    let response = try await client.get(
      "/prices/current/\(upper),coingecko:ethereum,ethereum:0x00?searchWidth=4h")
    #expect(response.status == 200)
    #expect(
      response.text
        == "{\"coins\":{\"\(upper)\":{\"decimals\":6,\"symbol\":\"USDC\",\"price\":0.9998,"
        + "\"timestamp\":1795344912,\"confidence\":0.99},\"coingecko:ethereum\":{\"symbol\":\"ETH\","
        + "\"price\":2412.3,\"timestamp\":1795344912,\"confidence\":0.99}}}")
    let change = try await client.get("/percentage/\(upper),coingecko:ethereum")
    #expect(change.text == "{\"coins\":{\"\(upper)\":-0.02}}")
    let twice = try await client.get("/prices/current/coingecko:ethereum,coingecko:ethereum")
    #expect(try parse(twice.body)["coins"]?.object?.count == 1, "a name is a member once")
    let statistics = try await server.priceStatistics
    #expect(statistics.requests == 3 && statistics.current == 2 && statistics.percentage == 1)
    #expect(statistics.coins == 7)
  }

  @Test func pricesAsCoinGeckoTellsThem() async throws {
    let server = try Self.server()
    let client = try TestClient(server.pricesURL)
    let native = try await client.get("/simple/price?ids=ethereum,nothing&vs_currencies=usd")
    #expect(native.text == #"{"ethereum":{"usd":2412.3,"last_updated_at":1795344912}}"#)
    let path = "/simple/token_price/ethereum?contract_addresses="
    let token = try await client.get(path + Self.usdc.checksummed)
    #expect(
      token.text
        == #"{"\#(Self.usdc.lowercase)":{"usd":0.9998,"usd_24h_change":-0.02,"last_updated_at":1795344912}}"#)
    let many = try await client.get(path + "0x01,0x02")
    #expect(many.status == 400 && many.text.contains("10012") && many.text.contains("(1 addresses)"))
    #expect(try await client.get("/simple/token_price/nowhere?contract_addresses=0x01").text == "{}")
    #expect(try await client.get("/simple/price").status == 422)
    let statistics = try await server.priceStatistics
    #expect([statistics.simple, statistics.tooMany, statistics.coins] == [5, 1, 4])
  }

  @Test(arguments: [
    ("/prices/current/" + String(repeating: "a", count: 13_500), 414), ("/prices/current", 404), ("/", 404),
    ("/percentage/", 404), ("/prices/current/%zz", 400), ("/prices/current/nothing", 200),
  ])
  func priceAddresses(target: String, status: Int) async throws {
    let server = try Self.server()
    #expect(try await TestClient(server.pricesURL).get(target).status == status)
  }

  static let faults: [(Fault, Int)] = [
    (.status(503), 503), (.status(204), 500), (.rateLimited(retryAfter: 7), 429), (.garbage, 200),
  ]

  @Test(arguments: faults)
  func httpFaults(fault: Fault, status: Int) async throws {
    let server = try Self.server()
    try await server.setChainFault(fault)
    try await server.setPriceFault(fault, requests: 1)
    let node = try TestClient(server.rpcURL)
    let prices = try TestClient(server.pricesURL)
    let question = JSONRPC.encode(.blockNumber(id: 1))
    for response in [try await node.post(question), try await prices.get("/percentage/coingecko:ethereum")] {
      #expect(response.status == status)
      #expect(throws: JSONError.self) { try parse(response.body + [0]) }
      #expect(response.headers.first("Retry-After") == (status == 429 ? "7" : nil))
    }
    #expect(try await node.post(question).status == status)
    #expect(try await prices.get("/percentage/coingecko:ethereum").text == #"{"coins":{}}"#)
    try await server.setChainFault(nil)
    #expect(try await node.call(.blockNumber(id: 1)) == .success("0x3e8"))
  }

  @Test func rpcFaults() async throws {
    let server = try Self.server()
    let client = try TestClient(server.rpcURL)
    try await server.setChainFault(.rpcError(code: -32005, message: "rate limit"))
    let outcome = try await client.call(.blockNumber(id: 9))
    #expect(outcome == .failure(.node(RPCError(code: -32005, message: "rate limit"))))
    try await server.setChainFault(.chainID(56))
    #expect(try await client.call(.chainID(id: 9)) == .success("0x38"))
    let data = ABI.encode(.getChainId)
    let inside = try await client.call(.call(id: 1, to: Multicall3.canonicalAddress, data: data))
    #expect(try JSONRPC.data(inside.get()) == word(56))
    try await server.setChainFault(nil)
    #expect(try await client.call(.chainID(id: 9)) == .success("0x7a69"))
  }

  @Test func disconnects() async throws {
    let server = try Self.server()
    try await server.setChainFault(.disconnect, requests: 1)
    let client = try TestClient(server.rpcURL)
    await #expect(throws: ClientError.closed) { try await client.call(.blockNumber(id: 1)) }
    #expect(try await client.call(.blockNumber(id: 1)) == .success("0x3e8"))
  }

  /// Of a node that says nothing to one question.
  @Test func silenceAboutAMethod() async throws {
    let server = try Self.server()
    defer { server.stop() }
    try await server.setChainFault(.silenceAbout(method: "eth_chainId"))
    let client = try TestClient(server.rpcURL)
    async let unanswered = client.call(.chainID(id: 1))
    while try await server.chainStatistics.methods["eth_chainId"] == nil {}
    let other = try TestClient(server.rpcURL)
    #expect(try JSONRPC.quantity(try await other.call(.blockNumber(id: 2)).get()) == 1_000)
    server.stop()
    do {
      _ = try await unanswered
      Issue.record("an answer")
    } catch {
      #expect(error as? ClientError == .closed)
    }
  }

  /// A request that is never answered ends with the server.
  @Test func silence() async throws {
    let server = try Self.server()
    try await server.setPriceFault(.silence)
    let client = try TestClient(server.pricesURL)
    async let response = client.get("/percentage/coingecko:ethereum")
    while try await server.priceStatistics.requests == 0 {}
    server.stop()
    do {
      _ = try await response
      Issue.record("an answer")
    } catch {
      #expect(error as? ClientError == .closed)
    }
  }

  /// Late answers keep the order of their questions, and tell what was so when those came.
  @Test func latency() async throws {
    let server = try Self.server()
    let client = try TestClient(server.rpcURL)
    let question = try TestClient.request("POST", "/", JSONRPC.encode(.blockNumber(id: 1)))
    let unknown = try TestClient.request("PUT", "/")
    try await server.setChainLatency(.milliseconds(5))
    async let answers = client.send(question + unknown + question, expecting: 3)
    while try await server.chainStatistics.requests < 3 {}
    try await server.withChain { _ = $0.mine() }
    let responses = try await answers
    #expect(responses.map(\.status) == [200, 405, 200])
    #expect(responses.allSatisfy { !$0.text.contains("0x3e9") })
    try await server.setChainLatency(.zero)
    #expect(try await client.call(.blockNumber(id: 1)) == .success("0x3e9"))
  }

  @Test func manyPipelined() async throws {
    let server = try Self.server()
    let client = try TestClient(server.rpcURL)
    try await server.setChainLatency(.milliseconds(1))
    var bytes: [UInt8] = []
    for id in 0..<1_000 { bytes += try TestClient.request("POST", "/", JSONRPC.encode(.chainID(id: id))) }
    let answers = try await client.send(bytes, expecting: 1_000)
    let ids = try answers.map { try #require(try parse($0.body)["id"]?.int) }
    #expect(ids == Array(0..<1_000))
  }

  @Test func refusesWhatIsNoHTTP() async throws {
    let server = try Self.server()
    let answers = try await TestClient(server.rpcURL).send(Array("GET / HTTP/1.1\r\nnothing\r\n\r\n".utf8))
    #expect(answers.map(\.status) == [400])
    #expect(answers[0].headers.first("Connection") == "close")
  }
}
