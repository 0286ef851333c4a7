import Ethereum
import Testing

@testable import WalletPushClient

/// Polling in place of a WebSocket, and who holds a request.
@Suite struct HTTPPollTests {
  private func changes(_ rev: Int, _ frames: String...) -> String {
    #"{"epoch":"e1","rev":\#(rev),"changes":[\#(frames.joined(separator: ","))]}"#
  }

  @Test func oneAsksAgainFromWhereItIs() throws {
    var served = try ServedLink.greeted(.polling)
    try served.subscribe(wallet, 1)
    #expect(try served.asked("changes").call.target == "api/v1/wallets/\(wallet)/changes?wait=0")
    try served.answer("changes", changes(10, Say.snapshot()))
    #expect(try served.reply(1)?.get().isResumed == nil)
    #expect(try served.cursors() == [nil, "e1:10"])
    // A snapshot is no news: the first poll that waits comes a second later.
    served.pass(.milliseconds(999))
    #expect(served.requests.count == 2)
    served.pass(.milliseconds(1))
    #expect(try served.asked("changes").call.target == "api/v1/wallets/\(wallet)/changes?wait=25&since=e1:10")
    #expect(try served.asked("changes").call.timeout == .seconds(40))
    try served.answer("changes", changes(12, Say.price(rev: 12)))
    served.pass(.milliseconds(250))
    #expect(try served.asked("changes").call.target.hasSuffix("since=e1:12"))
    try served.answer("changes", changes(12))
    served.pass(.milliseconds(999))
    #expect(served.requests.count == 4)
    served.pass(.milliseconds(1))
    #expect(served.requests.count == 5 && served.link.end == nil)
  }

  @Test func itResumes() throws {
    var served = try ServedLink.greeted(.polling)
    try served.subscribe(wallet, 1, since: "e1:7")
    #expect(try served.asked("changes").call.target.hasSuffix("?wait=0&since=e1:7"))
    try served.answer("changes", changes(9, Say.price(rev: 9)))
    #expect(try served.reply(1)?.get().isResumed == true)
  }

  /// What is about the wallet alone is its refusal; all else ends the link.
  @Test func refusals() throws {
    let forbidden = #"{"code":"forbidden","error":"not yours"}"#
    var served = try ServedLink.greeted(.polling)
    try served.subscribe(wallet, 1)
    try served.answer("changes", status: 403, forbidden)
    #expect(try served.reply(1)?.get().failed.map(\.refusal.message) == ["not yours"])
    #expect(served.link.end == nil && served.link.deadline == nil)

    served = try ServedLink.greeted(.polling)
    try served.subscribe(wallet, 1)
    try served.answer("changes", changes(10, Say.snapshot()))
    served.pass(.seconds(1))
    try served.answer("changes", status: 403, forbidden)
    guard case .status(.forbidden) = served.frames.last?.frame else { throw Unexpected() }
    #expect(served.link.end == nil)
  }

  @Test(arguments: [
    (403, "<html>blocked", true), (404, #"{"code":"not_found","error":"x"}"#, true), (408, "", false),
    (429, #"{"code":"rate_limited","error":"x","retry_ms":90}"#, false), (500, "", false),
    (200, "<html>", true),
    (200, #"{"epoch":"e1","changes":[]}"#, true),
  ])
  func otherAnswersEndIt(_ status: Int, _ body: String, _ isUnusable: Bool) throws {
    var served = try ServedLink.greeted(.polling)
    try served.subscribe(wallet, 1)
    try served.answer("changes", status: status, body)
    #expect(served.link.end?.isUnusable == isUnusable && served.link.end?.code == nil)
    #expect(served.link.end?.retry == (status == 429 ? .milliseconds(90) : nil))
  }

  // MARK: - Many wallets

  private func many(_ kind: TransportKind, _ count: Int) throws -> ServedLink {
    var served = try ServedLink.greeted(kind)
    for digit in 0..<count { try served.subscribe(numbered(digit), digit) }
    return served
  }

  /// The targets of the requests from a number on.
  private func targets(_ served: ServedLink, from start: Int) -> [String] {
    served.requests.dropFirst(start).map { String($0.call.target.dropFirst("api/v1/wallets/".count)) }
  }

  @Test func theFirstFourHoldARequestEachTheOthersGoRound() throws {
    var served = try many(.eventStream, 6)
    #expect(
      targets(served, from: 1)
        == (0..<4).map { "\(numbered($0))/stream" } + ["\(numbered(4))/changes?wait=0"])
    // One after the other, and each at once the first time.
    try served.answer("\(numbered(4))/changes", changes(10, Say.snapshot(numbered(4))))
    #expect(targets(served, from: 6) == ["\(numbered(5))/changes?wait=0"])
    try served.answer("\(numbered(5))/changes", changes(10, Say.snapshot(numbered(5))))
    served.pass(.milliseconds(4_999))
    #expect(targets(served, from: 7).isEmpty)
    served.pass(.milliseconds(1))
    #expect(targets(served, from: 7) == ["\(numbered(4))/changes?wait=0&since=e1:10"])
    // Who is new does not wait for the rest of the round.
    try served.subscribe(numbered(6), 6)
    try served.answer("\(numbered(4))/changes", changes(11))
    #expect(targets(served, from: 8) == ["\(numbered(6))/changes?wait=0"])
    try served.answer("\(numbered(6))/changes", changes(11, Say.snapshot(numbered(6))))
    #expect(targets(served, from: 9) == ["\(numbered(5))/changes?wait=0&since=e1:10"])
  }

  @Test func whoLeavesMakesRoom() throws {
    var served = try many(.eventStream, 6)
    try served.answer("\(numbered(4))/changes", changes(10, Say.snapshot(numbered(4))))
    let asked = try served.asked("\(numbered(5))/changes").id
    served.send(.unsubscribe(wallets: [try walletKey(numbered(0))], tokens: []), 50)
    #expect(try served.asked("\(numbered(4))/stream").call.headers["Last-Event-ID"] == "e1:10")
    // The one that is being asked is waited for, then has a stream.
    served.send(.unsubscribe(wallets: [try walletKey(numbered(1))], tokens: []), 51)
    #expect(!served.cancelled.contains(asked) && targets(served, from: 8).isEmpty)
    try served.answer("\(numbered(5))/changes", changes(12, Say.snapshot(numbered(5))))
    #expect(targets(served, from: 8) == ["\(numbered(5))/stream"])
    served.pass(.seconds(9))
    #expect(served.requests.count == 9)
  }

  /// Nobody stops being asked because somebody else is gone.
  @Test func theRoundGoesOnWithoutWhoIsGone() throws {
    var served = try many(.polling, 7)
    for digit in [4, 5, 6] {
      try served.answer("\(numbered(digit))/changes", changes(10, Say.snapshot(numbered(digit))))
    }
    served.pass(.seconds(5))
    try served.answer("\(numbered(4))/changes", changes(10))
    try served.answer("\(numbered(5))/changes", changes(10))
    let gone = try served.asked("\(numbered(6))/changes")
    let before = served.requests.count
    served.send(.unsubscribe(wallets: [try walletKey(numbered(6))], tokens: []), 50)
    #expect(served.cancelled.contains(gone.id))
    #expect(targets(served, from: before) == ["\(numbered(4))/changes?wait=0&since=e1:10"])
  }
}
