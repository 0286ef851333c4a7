import Ethereum
import JSON
import Ledger
import Testing

@testable import WalletPushClient

/// Attempts, greetings, silence, back-off and close codes.
@Suite struct ClientMachineTests {
  @Test func subscribesOnceGreeted() throws {
    var rig = Rig()
    try rig.subscribe([wallet], tokens: [coin])
    #expect(rig.sent.isEmpty)
    rig.open()
    #expect(rig.connects == 1 && rig.connection == .connecting)
    rig.hear(Say.price(rev: 1))
    #expect(rig.sent.isEmpty)
    rig.hear(Say.hello())
    #expect(rig.sent.count == 2)
    #expect(rig.sent.contains { $0["wallets"] == [.string(wallet)] && $0["since"] == nil })
    #expect(rig.sent.contains { $0["tokens"] == [.string(coin)] })
    guard case .live(let greeting) = rig.connection else { throw Unexpected() }
    #expect(greeting.epoch == "e1" && greeting.pingInterval == .seconds(25) && greeting.walletsMax == 100)
  }

  @Test func resumesWithoutASnapshot() throws {
    var rig = try Rig.live()
    rig.hear(Say.price(native, "3000", rev: 14))
    rig.lose(4_100, "drain")
    #expect(rig.connection == .waiting(code: 4_100, reason: "drain", retry: .milliseconds(250)))
    rig.pass(.seconds(1))
    #expect(rig.connects == 2)
    rig.hear(Say.hello())
    let (id, message) = try rig.lastSent("subscribe")
    #expect(message["since"]?.string == "e1:14")
    rig.hear(Say.resumed(id, wallets: [wallet]))
    #expect(rig.notices == [.resumed(true, changed: 0)])
    #expect(
      rig.machine.state.wallets[try walletKey()]?.rows[try tokenKey(native)]?.price.usd?.plainText == "3000")
  }

  @Test func anotherEpochBeginsAnew() throws {
    var rig = try Rig.live()
    rig.lose()
    rig.pass(.seconds(1))
    rig.hear(Say.hello("e2"))
    #expect(try rig.lastSent("subscribe").message["since"] == nil)
  }

  /// How a connection ends, and what comes of it.
  static let closes: [(UInt16?, comesBack: Bool)] = [
    (nil, true), (1_000, true), (1_001, true), (1_006, true), (1_011, true), (3_999, true), (4_000, false),
    (4_001, false), (4_002, false), (4_003, false), (4_099, false), (4_100, true), (4_101, true),
    (4_108, true),
    (4_109, true), (4_111, true), (4_199, true), (4_200, true),
  ]

  @Test(arguments: closes.indices) func obeysCloseCodes(index: Int) throws {
    let (code, comesBack) = Self.closes[index]
    var rig = try Rig.live()
    rig.lose(code, "why")
    rig.pass(.seconds(3_600))
    #expect((rig.connects > 1) == comesBack)
    guard let code, !comesBack else { return }
    #expect(rig.connection == .ended(code: code, reason: "why"))
    // But it does when it is told to.
    rig.open()
    #expect(rig.connects == 2)
  }

  @Test func obeysAnnouncedRetries() throws {
    var rig = try Rig.live()
    rig.hear(#"{"type":"reconnect","reason":"drain","retry_ms":3172}"#)
    rig.lose(4_100, "drain")
    #expect(rig.connection == .waiting(code: 4_100, reason: "drain", retry: .milliseconds(3_172)))
    // Said of one connection, not of the next.
    rig.pass(.milliseconds(3_172))
    rig.lose()
    #expect(rig.connection == .waiting(code: nil, reason: "", retry: .milliseconds(500)))
  }

  @Test func backsOffUntilAConnectionIsSteady() throws {
    var rig = try Rig.live()
    var waits: [Duration] = []
    func waited(_ rig: Rig) -> Duration? {
      if case .waiting(_, _, let retry) = rig.connection { retry } else { nil }
    }
    for _ in 0..<3 {
      rig.lose()
      waits.append(try #require(waited(rig)))
      rig.pass(.seconds(3))
      rig.hear(Say.hello())
    }
    #expect(waits == [.milliseconds(250), .milliseconds(500), .seconds(1)])
    rig.pass(.seconds(10))
    rig.lose()
    #expect(waited(rig) == .milliseconds(250))
  }

  @Test func givesAServerWithoutAGreetingUp() {
    var rig = Rig()
    rig.open()
    rig.pass(.milliseconds(9_999))
    #expect(rig.disconnects == 0)
    rig.pass(.milliseconds(1))
    #expect(rig.disconnects == 1)
    guard case .waiting(nil, "no greeting came", _) = rig.connection else {
      Issue.record("\(String(describing: rig.connection))")
      return
    }
  }

  @Test func asksASilentServerThenLeaves() throws {
    var rig = try Rig.live()
    rig.pass(.milliseconds(29_999))
    #expect(!rig.sent.contains { $0["op"] == "ping" })
    rig.pass(.milliseconds(1))
    #expect(rig.sent.count { $0["op"] == "ping" } == 1)
    rig.pass(.milliseconds(24_999))
    #expect(rig.disconnects == 0)
    rig.pass(.milliseconds(1))
    #expect(rig.disconnects == 1)
    guard case .waiting(nil, "no sign of life", _) = rig.connection else { throw Unexpected() }
  }

  @Test func anySignOfLifeWillDo() throws {
    var rig = try Rig.live()
    for _ in 0..<10 {
      rig.pass(.seconds(54))
      rig.hear(Say.heartbeat(10))
    }
    #expect(rig.disconnects == 0)
  }

  /// A device that slept finds out late: the server gets its time to answer.
  @Test func sleepIsNoSilenceOfTheServer() throws {
    var rig = try Rig.live()
    rig.now += .seconds(7_200)
    rig.act { [now = rig.now] in $0.timeoutReached(now: now, random: 0) }
    #expect(rig.disconnects == 0 && rig.sent.count { $0["op"] == "ping" } == 1)
    rig.pass(.seconds(25))
    #expect(rig.disconnects == 1)
  }

  @Test func closesUntilOpened() throws {
    var rig = try Rig.live()
    rig.act { $0.close() }
    #expect(rig.disconnects == 1 && rig.connection == .idle && rig.machine.deadline == nil)
    // What is under way of the old transport is not heard.
    rig.hear(Say.price(native, "9", rev: 99))
    rig.lose()
    #expect(rig.connection == .idle)
    rig.open()
    rig.hear(Say.hello())
    #expect(try rig.lastSent("subscribe").message["since"]?.string == "e1:10")
  }

  @Test func opensAtOnceWhileItWaits() throws {
    var rig = try Rig.live()
    rig.lose()
    rig.open()
    rig.open()
    #expect(rig.connects == 2)
  }

  // MARK: - Access tokens

  @Test func authorizesFirst() throws {
    var rig = Rig(token: "t1")
    try rig.subscribe([wallet])
    rig.open()
    rig.hear(Say.hello())
    #expect(rig.sent.map { $0["op"] } == ["auth"])
    #expect(rig.sent[0]["token"] == "t1")
    rig.hear(Say.ok(try rig.lastSent("auth").id))
    #expect(rig.sent.map { $0["op"] } == ["auth", "subscribe"])
    #expect(rig.notices == [.access(.accepted)])
    // A newer token: what is subscribed to stays.
    rig.act { $0.keep(token: "t2") }
    rig.hear(Say.ok(try rig.lastSent("auth").id))
    #expect(rig.sent.map { $0["op"] } == ["auth", "subscribe", "auth"])
  }

  @Test func asksForATokenAndAgainWhenItExpires() throws {
    var rig = Rig(canAsk: true)
    rig.open()
    rig.hear(Say.hello())
    #expect(rig.asked == [.connecting] && rig.sent.isEmpty)
    rig.act { $0.tokenArrived("t1") }
    rig.hear(Say.ok(try rig.lastSent("auth").id))
    rig.hear(#"{"type":"status","auth":"expiring","at":5}"#)
    #expect(rig.asked == [.connecting, .expiring])
    rig.act { $0.tokenArrived("t2") }
    #expect(try rig.lastSent("auth").message["token"] == "t2")
    rig.lose(4_101, "token expired")
    #expect(rig.notices.contains(.access(.expired)))
    rig.pass(.seconds(1))
    rig.hear(Say.hello())
    #expect(rig.asked == [.connecting, .expiring, .expired])
  }

  @Test func aTokenWithoutASourceIsKept() throws {
    var rig = try Rig.live(token: nil)
    rig.act { $0.keep(token: "t1") }
    rig.lose(4_101, "token expired")
    rig.pass(.seconds(1))
    rig.hear(Say.hello())
    #expect(try rig.lastSent("auth").message["token"] == "t1")
  }

  @Test func noTokenIsNeeded() throws {
    var rig = Rig(canAsk: true)
    try rig.subscribe([wallet])
    rig.open()
    rig.hear(Say.hello())
    rig.act { $0.tokenArrived(nil) }
    #expect(rig.sent.map { $0["op"] } == ["subscribe"])
  }

  @Test func aTokenThatIsNotToBeHadIsAskedForLater() throws {
    var rig = Rig(canAsk: true)
    rig.open()
    rig.hear(Say.hello())
    rig.act { [now = rig.now] in $0.tokenUnavailable("offline", now: now, random: 0) }
    #expect(rig.disconnects == 1 && rig.notices == [.access(.unavailable("offline"))])
    rig.pass(.seconds(1))
    rig.hear(Say.hello())
    #expect(rig.asked == [.connecting, .connecting])
  }

  @Test func aRefusedTokenIsAskedForAnew() throws {
    var rig = Rig(token: "bad", canAsk: true)
    rig.open()
    rig.hear(Say.hello())
    rig.hear(Say.error(try rig.lastSent("auth").id, "unauthorized"))
    #expect(rig.notices == [.access(.refused(ServerRefusal(code: "unauthorized", message: "m")))])
    rig.lose(4_001, "unauthorized")
    #expect(rig.connection == .ended(code: 4_001, reason: "unauthorized"))
    rig.open()
    rig.hear(Say.hello())
    #expect(rig.asked == [.connecting])
  }
}
