import Ethereum
import JSON
import Ledger
import Testing

@testable import WalletPushClient

/// Subscriptions and calls, and the replies to them.
@Suite struct ClientCallTests {
  @Test func calls() throws {
    var rig = try Rig.live()
    let key = try walletKey()
    func call(_ operation: Operation, _ rig: inout Rig) -> CallID {
      let id = rig.machine.nextCallID()
      rig.act { $0.call(operation, id: id) }
      return id
    }
    let refresh = call(.refresh(key), &rig)
    #expect(try rig.lastSent("refresh").message["wallet"] == .string(wallet))
    rig.hear(Say.error(refresh, "cooldown", retry: 6_000))
    guard case .failure(.refused(let refusal)) = rig.answers[refresh] else { throw Unexpected() }
    #expect(refusal == ServerRefusal(code: "cooldown", message: "m", retry: .seconds(6)))
    let list = call(.list, &rig)
    rig.hear(Say.ok(list, wallets: [wallet], tokens: [coin]))
    guard case .success(.list(let wallets, let tokens)) = rig.answers[list] else { throw Unexpected() }
    #expect(try wallets == [key] && tokens == [tokenKey(coin)])
    let ping = call(.ping, &rig)
    rig.hear(#"{"type":"pong","id":\#(ping),"time":7}"#)
    guard case .success(.pong(let time)) = rig.answers[ping] else { throw Unexpected() }
    #expect(time == 7)
  }

  @Test func getJoinsParts() throws {
    var rig = try Rig.live()
    let key = try walletKey(other)
    let ids = [rig.machine.nextCallID(), rig.machine.nextCallID()]
    for id in ids { rig.act { $0.call(.get(key), id: id) } }
    for id in ids { rig.hear(Say.ok(id)) }
    rig.hear(Say.snapshot(other, part: 1, of: 2, rows: [Say.row()]))
    #expect(rig.answers.isEmpty)
    rig.hear(Say.snapshot(other, part: 2, of: 2, rows: [Say.row(coin)]))
    for id in ids {
      guard case .success(.wallet(let state)) = rig.answers[id] else { throw Unexpected() }
      #expect(state.key == key && state.rows.count == 2 && state.isComplete)
    }
    // It was no subscription.
    #expect(rig.machine.state.wallets[key] == nil)
  }

  @Test func getIsRefused() throws {
    var rig = try Rig.live()
    let key = try walletKey(other)
    rig.act { $0.call(.get(key), id: 900) }
    rig.hear(Say.error(900, "chain_unsupported"))
    guard case .failure(.refused) = rig.answers[900] else { throw Unexpected() }
    #expect(rig.machine.collected.isEmpty)
  }

  @Test func callsFailWithTheConnection() throws {
    var rig = try Rig.live()
    let key = try walletKey()
    rig.act { $0.call(.list, id: 901) }
    rig.act { $0.call(.get(key), id: 902) }
    rig.hear(Say.ok(902))
    rig.lose()
    rig.act { $0.call(.list, id: 903) }
    for (id, error) in [(901, ClientError.disconnected), (902, .disconnected), (903, .notConnected)] {
      guard case .failure(let found) = rig.answers[id] else { throw Unexpected() }
      #expect(found == error, "\(id)")
    }
  }

  @Test func callsAreBounded() throws {
    var rig = Rig(options: ClientOptions(limits: ClientLimits(calls: 3)))
    rig.open()
    rig.hear(Say.hello())
    let key = try walletKey()
    rig.act { $0.call(.get(key), id: 901) }
    // Answered, but its snapshot is still to come.
    rig.hear(Say.ok(901))
    for id in 902...904 { rig.act { $0.call(.list, id: id) } }
    guard case .failure(.tooManyCalls) = rig.answers[904] else { throw Unexpected() }
    #expect(rig.answers.count == 1)
  }

  @Test func pacing() throws {
    var rig = Rig(options: ClientOptions(pacing: Pacing(rate: .perSecond(0.5))))
    rig.act { $0.set(Pacing(batch: true), id: 901) }
    guard case .success(.done) = rig.answers[901] else { throw Unexpected() }
    try rig.subscribe([wallet])
    rig.open()
    rig.hear(Say.hello())
    let message = try rig.lastSent("subscribe").message
    #expect(message["rate"]?.number?.text == "0.5" && message["batch"] == true)
    rig.act { $0.set(Pacing(rate: .unlimited), id: 902) }
    let set = try rig.lastSent("set").message
    #expect(set["rate"] == .null && set["batch"] == nil)
  }

  @Test func unsubscribes() throws {
    var rig = try Rig.live()
    let key = try walletKey()
    rig.act { $0.unsubscribe(from: [.wallet(key), .token(.native(key.chain))]) }
    #expect(rig.machine.state.wallets.isEmpty)
    let messages = rig.sent.filter { $0["op"] == "unsubscribe" }
    #expect(messages.count == 1 && messages[0]["wallets"] == [.string(wallet)])
    rig.lose()
    rig.pass(.seconds(1))
    rig.hear(Say.hello())
    #expect(rig.sent.count { $0["op"] == "subscribe" } == 1)
  }

  @Test func longListsGoInPieces() throws {
    var rig = Rig()
    rig.open()
    // (1056 − 256) / 80: ten keys in a message.
    rig.hear(Say.hello(messageBytes: 1_056))
    let keys = try (0..<25).map { number -> WatchedKey in
      let digits = String(number)
      let zeros = String(repeating: "0", count: 40 - digits.count)
      return .wallet(try walletKey("A_CHAIN_WITH_32_CHARACTERS_NAME_:0x\(zeros)\(digits)"))
    }
    rig.act { $0.subscribe(to: keys) }
    let messages = rig.sent.filter { $0["op"] == "subscribe" }
    #expect(messages.map { $0["wallets"]?.array?.count } == [10, 10, 5])
    #expect(messages.allSatisfy { $0.encoded().count <= 1_056 })
  }

  // MARK: - Refusals

  private func failed(_ id: Int, _ key: String, _ code: String, retry: Int? = nil) -> String {
    let more = retry.map { ",\"retry_ms\":\($0)" } ?? ""
    return
      #"{"type":"ok","id":\#(id),"wallets":[],"failed":[{"wallet":"\#(key)","code":"\#(code)","message":"m"\#(more)}]}"#
  }

  @Test func refusedKeysAreForgotten() throws {
    var rig = Rig()
    try rig.subscribe([other])
    rig.open()
    rig.hear(Say.hello())
    rig.hear(failed(try rig.lastSent("subscribe").id, other, "chain_unsupported"))
    let refusal = ServerRefusal(code: "chain_unsupported", message: "m")
    #expect(rig.notices == [.refused(.wallet(try walletKey(other)), refusal)])
    #expect(rig.machine.state.wallets.isEmpty && rig.machine.tracker.keys.isEmpty)
  }

  /// Whether one key failed for now or the whole message did.
  @Test(arguments: [true, false]) func temporaryRefusalsAreTriedAgain(oneKey: Bool) throws {
    var rig = Rig()
    try rig.subscribe([wallet])
    rig.open()
    rig.hear(Say.hello())
    let id = try rig.lastSent("subscribe").id
    rig.hear(
      oneKey ? failed(id, wallet, "rate_limited", retry: 700) : Say.error(id, "rate_limited", retry: 700))
    rig.pass(.milliseconds(699))
    #expect(rig.sent.count { $0["op"] == "subscribe" } == 1)
    rig.pass(.milliseconds(1))
    #expect(rig.sent.count { $0["op"] == "subscribe" } == 2)
    #expect(rig.notices.isEmpty)
  }

  @Test func whatIsNotWishedAnyMoreIsNotTriedAgain() throws {
    var rig = Rig()
    try rig.subscribe([wallet])
    rig.open()
    rig.hear(Say.hello())
    rig.hear(Say.error(try rig.lastSent("subscribe").id, "rate_limited", retry: 700))
    let key = try walletKey()
    rig.act { $0.unsubscribe(from: [.wallet(key)]) }
    rig.pass(.seconds(2))
    #expect(rig.sent.count { $0["op"] == "subscribe" } == 1)
  }

  @Test func endedSubscriptions() throws {
    var rig = try Rig.live()
    rig.hear(#"{"type":"status","wallet":"\#(wallet)","state":"deleted"}"#)
    #expect(rig.notices == [.deleted(try walletKey())])
    #expect(rig.machine.tracker.keys.isEmpty)
    rig = try Rig.live()
    rig.hear(#"{"type":"status","wallet":"\#(wallet)","state":"forbidden"}"#)
    guard case .refused(_, let refusal) = rig.notices.first else { throw Unexpected() }
    #expect(refusal.code == "forbidden" && rig.machine.state.wallets.isEmpty)
  }

  @Test func strayErrorsAreTold() throws {
    var rig = try Rig.live()
    rig.hear(#"{"type":"error","code":"unauthorized","message":"m"}"#, "no JSON")
    #expect(rig.notices.first == .problem(ServerRefusal(code: "unauthorized", message: "m")))
    guard case .malformedMessage = rig.notices.last else { throw Unexpected() }
  }
}
