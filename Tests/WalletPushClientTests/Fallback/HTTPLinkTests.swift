import Ethereum
import Testing

@testable import WalletPushClient

/// The probe, ops and their answers, and how a link ends.
@Suite struct HTTPLinkTests {
  @Test func aServerThatAnswersGreets() throws {
    for (status, body) in [(200, #"{"chains":[]}"#), (401, #"{"code":"unauthorized","error":"no token"}"#)] {
      var served = ServedLink(.eventStream)
      #expect(served.requests.map(\.call.target) == ["api/v1/chains"] && served.frames.isEmpty)
      try served.answer("chains", status: status, body)
      guard case .hello(let greeting) = served.frames.first?.frame else { throw Unexpected() }
      #expect(greeting.transport == .eventStream && served.link.end == nil)
    }
  }

  @Test(arguments: [
    (404, true), (403, true), (302, true), (500, false), (502, false), (503, false),
  ])
  func whatElseAnswersIsNone(_ status: Int, _ isUnusable: Bool) throws {
    var served = ServedLink(.polling)
    try served.answer("chains", status: status, "<html>", retryAfter: "7")
    #expect(
      served.link.end
        == HTTPLink.End(reason: "HTTP \(status)", retry: .seconds(7), isUnusable: isUnusable))
    #expect(served.frames.isEmpty)
  }

  @Test func nobodyAnswers() throws {
    for (failure, isUnusable) in [(HTTPFailure.timedOut, true), (.failed("no route"), false)] {
      var served = ServedLink(.polling)
      try served.fail("chains", failure)
      #expect(served.link.end == HTTPLink.End(reason: failure.reason, isUnusable: isUnusable))
    }
  }

  @Test func opsBecomeRequests() throws {
    var served = try ServedLink.greeted(.eventStream)
    let key = try walletKey()
    served.send(.auth("t1"), 1)
    served.send(.refresh(key), 2)
    let refresh = try served.asked("refresh_balances")
    #expect(
      refresh.call.method == "POST" && refresh.call.target == "api/v1/wallets/\(wallet)/refresh_balances")
    #expect(refresh.call.headers["Authorization"] == "Bearer t1")
    try served.answer(
      "refresh", status: 429, #"{"code":"cooldown","error":"refreshed 4 s ago"}"#, retryAfter: "6")
    #expect(throws: ServerRefusal(code: "cooldown", message: "refreshed 4 s ago", retry: .seconds(6))) {
      try served.reply(2)?.get()
    }
    served.send(.refresh(key), 3)
    try served.answer("refresh", #"{"status":"success"}"#)
    served.send(.get(key), 4)
    try served.answer("/balances", Say.snapshot())
    served.send(.ping, 5)
    try served.fail("healthz", .failed("reset"))
    served.send(.set(Pacing(batch: true)), 6)
    served.send(.unsubscribe(wallets: [key], tokens: []), 7)
    for id in [1, 3, 4, 6, 7] { #expect(try served.reply(id)?.get() != nil, "\(id)") }
    #expect(throws: ServerRefusal(code: "unreachable", message: "reset")) { try served.reply(5)?.get() }
    let snapshots = served.frames.filter { if case .snapshot = $0.frame { true } else { false } }
    #expect(snapshots.map(\.origin) == [.answer])
    #expect(served.link.end == nil)
  }

  /// A token that was good before has ended; else it was none.
  @Test func withoutAGoodTokenItEnds() throws {
    let refusal = #"{"code":"unauthorized","error":"no"}"#
    var served = try ServedLink.greeted(.polling)
    served.send(.get(try walletKey()), 1)
    try served.answer("balances", status: 401, refusal)
    #expect(served.link.end == HTTPLink.End(code: 4_001, reason: "no"))

    served = try ServedLink.greeted(.polling)
    served.send(.auth("t1"), 1)
    try served.subscribe(wallet, 2)
    try served.answer("changes", status: 401, refusal)
    #expect(served.link.end?.code == 4_001)

    served = try ServedLink.greeted(.eventStream)
    served.send(.auth("t1"), 1)
    try served.subscribe(wallet, 2)
    try served.head("stream")
    try served.bytes("stream", event(Say.ok(9, wallets: [wallet])))
    try served.bytes("stream", event(#"{"type":"error","code":"unauthorized","message":"ended"}"#))
    #expect(served.link.end == HTTPLink.End(code: 4_101, reason: "ended"))
  }

  @Test func anAnswerIsBounded() throws {
    var served = ServedLink(.polling, limits: ClientLimits(answerBytes: 100))
    try served.answer("chains", "{}")
    served.send(.get(try walletKey()), 1)
    try served.bytes("balances", String(repeating: " ", count: 100))
    #expect(served.reply(1) == nil)
    try served.bytes("balances", " ")
    #expect(throws: ServerRefusal(code: "unreachable", message: "an answer of more than 100 bytes")) {
      try served.reply(1)?.get()
    }
    #expect(served.cancelled == [try served.asked("balances").id])
  }

  @Test func closingEndsWhatIsUnderWay() throws {
    var served = try ServedLink.greeted(.eventStream)
    try served.subscribe(wallet, 1)
    served.send(.ping, 2)
    served.link.close()
    served.drain()
    #expect(served.cancelled == Set([try served.asked("stream").id, try served.asked("healthz").id]))
    #expect(served.link.deadline == nil)
    // What comes late is not heard.
    let count = served.frames.count
    try served.answer("healthz")
    try served.bytes("stream", event(Say.heartbeat(3)))
    #expect(served.frames.count == count)
  }

  @Test(arguments: [
    ("e:5", "e:5"), ("a:b:5", "a:b:5"), ("e:0", "e:0"), ("e:", nil), (":5", nil), ("5", nil), ("", nil),
    ("e:-1", nil), ("e:x", nil), ("e:9007199254740991", "e:9007199254740991"), ("e:9007199254740992", nil),
  ])
  func cursorsAreRead(_ text: String, _ expected: String?) {
    #expect(Cursor(text)?.description == expected)
  }

  @Test(arguments: [
    ("ws://a/ws", "http://a/"), ("wss://a:8443/b/ws", "https://a:8443/b/"), ("wss://a", "https://a/"),
    ("ws://a/ws?wallet=x/y", "http://a/"), ("wss://a?x=/", "https://a/"),
    ("ws://[::1]:8080/ws", "http://[::1]:8080/"),
  ])
  func theHTTPInterfaceIsBesideTheWebSocket(_ url: String, _ root: String) {
    #expect(TransportFactory.serverRoot(of: url) == root)
  }
}
