import EventLoop
import HTTP1
import Push
import TestSupport
import Testing

@testable import Server

private func instant(_ milliseconds: Int) -> LoopInstant {
  LoopInstant(nanoseconds: UInt64(1_000_000_000_000 + milliseconds * 1_000_000))
}

private func address(_ host: String) throws -> SocketAddress {
  try #require(SocketAddress(host: host, port: 4_000))
}

@Suite("Who shares a rate of requests with whom")
struct RequestRatesTests {
  private func rates(perAddress: Int = 0, trusted: [String] = [], rate: Double = 1) -> RequestRates {
    var limits = Settings.Limits()
    limits.requestsPerSecond = rate
    limits.connectionsPerAddress = perAddress
    return RequestRates(limits, clients: ClientAddresses(trusted: trusted.compactMap { AddressRange($0) }))
  }

  private func head(_ forwarded: String? = nil) -> RequestHead {
    var head = RequestHead(method: "GET", target: "/api/v1/stats", headers: ["Host": "a"])
    if let forwarded { head.headers.append("X-Forwarded-For", forwarded) }
    return head
  }

  @Test("a second's worth at once, then at the rate; connections have their own")
  func connections() throws {
    let rates = rates(rate: 4)
    let peer = try address("192.0.2.1")
    var first = Allowance(now: instant(0))
    var second = Allowance(now: instant(0))
    func ask(_ own: inout Allowance, _ at: Int) -> Duration? {
      rates.overdraft(of: head("198.51.100.1"), from: peer, own: &own, now: instant(at))
    }
    for _ in 0..<4 { #expect(ask(&first, 0) == nil) }
    #expect(ask(&first, 0) == .milliseconds(250))
    #expect(ask(&first, 100) == .milliseconds(150))
    for _ in 0..<4 { #expect(ask(&second, 100) == nil) }
    #expect(ask(&first, 250) == nil)
    #expect(ask(&first, 250) != nil)
  }

  @Test("a rate below one a second is one request in its time")
  func slow() throws {
    let rates = rates(rate: 0.1)
    var own = Allowance(now: instant(0))
    let peer = try address("192.0.2.1")
    #expect(rates.overdraft(of: head(), from: peer, own: &own, now: instant(0)) == nil)
    #expect(rates.overdraft(of: head(), from: peer, own: &own, now: instant(4_000)) == .seconds(6))
    #expect(rates.overdraft(of: head(), from: peer, own: &own, now: instant(10_000)) == nil)
  }

  @Test(
    "where addresses are counted",
    arguments: [
      ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
      ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true), ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
      ("::ffff:192.0.2.1", "192.0.2.1", true),
    ])
  func addresses(_ one: String, _ other: String, _ isShared: Bool) throws {
    let rates = rates(perAddress: 5)
    var own = [Allowance(now: instant(0)), Allowance(now: instant(0))]
    #expect(rates.overdraft(of: head(), from: try address(one), own: &own[0], now: instant(0)) == nil)
    let wait = rates.overdraft(of: head(), from: try address(other), own: &own[1], now: instant(0))
    #expect((wait != nil) == isShared)
  }

  @Test("clients of a trusted proxy share its connection, and nothing else", arguments: [0, 5])
  func proxies(_ perAddress: Int) throws {
    let rates = rates(perAddress: perAddress, trusted: ["10.0.0.0/8"])
    let proxy = try address("10.0.0.1")
    var own = Allowance(now: instant(0))
    func ask(_ forwarded: String?) -> Bool {
      rates.overdraft(of: head(forwarded), from: proxy, own: &own, now: instant(0)) == nil
    }
    #expect(ask("198.51.100.1"))
    #expect(ask("198.51.100.2"))
    #expect(!ask("198.51.100.1"))
    #expect(!ask("203.0.113.9, 198.51.100.1, 10.0.0.7"))
    #expect(ask("2001:db8::1"))
    #expect(!ask("2001:db8::2"))
    // Who can't be told counts for nobody.
    for _ in 0..<5 { #expect(ask(nil) && ask("nonsense")) }
  }

  @Test("from anybody else X-Forwarded-For means nothing")
  func forged() throws {
    let rates = rates(perAddress: 5, trusted: ["10.0.0.0/8"])
    let peer = try address("192.0.2.1")
    var own = Allowance(now: instant(0))
    #expect(rates.overdraft(of: head("198.51.100.1"), from: peer, own: &own, now: instant(0)) == nil)
    #expect(rates.overdraft(of: head("198.51.100.2"), from: peer, own: &own, now: instant(0)) != nil)
  }
}

@Suite("Allowances by address, in bounded memory")
struct AddressAllowancesTests {
  private let second = Duration.seconds(1)

  private func addresses(_ count: UInt16) -> [SocketAddress] {
    (0..<count).map { SocketAddress(198, 51, UInt8($0 >> 8), UInt8($0 & 0xff), port: 0) }
  }

  @Test("as if every address were kept for ever", arguments: 0..<20 as Range<UInt64>)
  func sameAsUnbounded(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let cost = Duration.milliseconds(200)
    var table = AddressAllowances(window: second, addresses: 1_000)
    var model: [SocketAddress: Allowance] = [:]
    var now = 0
    for _ in 0..<2_000 {
      now += Int.random(in: 0...60, using: &generator) * Int.random(in: 0...2, using: &generator)
      let address = addresses(12)[Int.random(in: 0..<12, using: &generator)]
      let wait = model[address, default: Allowance(now: instant(now))]
        .take(cost, most: second, now: instant(now))
      #expect(
        table.take(cost, most: second, of: address, now: instant(now)) == (wait.map { .wait($0) } ?? .granted)
      )
    }
  }

  @Test("no more addresses than that, and silent ones are forgotten")
  func bounded() {
    var table = AddressAllowances(window: second, addresses: 100)
    var verdicts: [AddressAllowances.Verdict] = []
    for address in addresses(1_000) {
      verdicts.append(table.take(second, most: second, of: address, now: instant(0)))
    }
    #expect(verdicts == Array(repeating: .granted, count: 100) + Array(repeating: .noRoom, count: 900))
    #expect(table.count == 100)
    // Those that are known go on being limited.
    #expect(
      table.take(second, most: second, of: addresses(1)[0], now: instant(500)) == .wait(.milliseconds(500)))
    for address in addresses(1_000).suffix(200) {
      _ = table.take(second, most: second, of: address, now: instant(1_100))
    }
    #expect(table.count == 200)
    #expect(table.take(second, most: second, of: addresses(500)[499], now: instant(9_000)) == .granted)
    #expect(table.count == 1)
  }
}
