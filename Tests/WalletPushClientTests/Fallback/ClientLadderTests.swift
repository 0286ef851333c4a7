import Ethereum
import Testing

@testable import WalletPushClient

/// The machine without a WebSocket, and back.
@Suite struct ClientLadderTests {
  private static let kinds = Set(TransportKind.allCases)

  private func asked(_ target: String, _ rig: Rig) throws -> RequestID {
    try #require(rig.requests.last { $0.call.target.contains(target) }, "no request for \(target)").id
  }

  private func answer(_ target: String, _ rig: inout Rig, status: Int = 200, _ body: String = "{}") throws {
    let id = try asked(target, rig)
    let now = rig.now
    let head = HTTPHead(status: status, contentType: "application/json", retryAfter: nil)
    rig.act { $0.answered(id, head, now: now, random: 0) }
    rig.act { $0.receivedBody(id, Array(body.utf8), now: now, random: 0) }
    rig.act { $0.finished(id, now: now, random: 0) }
    rig.pass(.zero)
  }

  private func stream(_ rig: inout Rig, _ text: String) throws {
    let id = try asked("/stream", rig)
    let now = rig.now
    let head = HTTPHead(status: 200, contentType: "text/event-stream", retryAfter: nil)
    rig.act { $0.answered(id, head, now: now, random: 0) }
    rig.act { $0.receivedBody(id, Array(text.utf8), now: now, random: 0) }
    rig.pass(.zero)
  }

  /// By an event stream, with a snapshot and a heartbeat.
  private func streaming(token: String? = nil) throws -> Rig {
    var rig = Rig(kinds: Self.kinds, token: token)
    try rig.subscribe([wallet])
    rig.open()
    rig.lose(nil, "403 instead of an upgrade")
    rig.pass(.zero)
    try answer("chains", &rig)
    try stream(
      &rig,
      event(Say.ok(1, wallets: [wallet])) + event(Say.snapshot()) + event(Say.heartbeat(10), id: "e1:10"))
    return rig
  }

  private func price(_ rig: Rig) throws -> String? {
    rig.machine.state.wallets[try walletKey()]?.rows[try tokenKey(native)]?.price.usd?.plainText
  }

  @Test func goesDownAtOnceAndFollows() throws {
    var rig = try streaming()
    guard case .live(let greeting) = rig.connection else { throw Unexpected() }
    #expect(greeting.transport == .eventStream)
    #expect(!rig.changes.contains { if case .connection(.waiting) = $0 { true } else { false } })
    try stream(&rig, event(Say.price(native, "3000", rev: 12), id: "e1:12"))
    #expect(try price(rig) == "3000")
    #expect(rig.sent.isEmpty)
  }

  @Test func goesDownToPollingWhereStreamsAreHeldBack() throws {
    var rig = try streaming()
    rig.pass(.seconds(3))
    let first = try asked("/stream", rig)
    rig.act { [now = rig.now] in $0.finished(first, now: now, random: 0) }
    // The stream's end is a loss like another one: the same way is tried again, by what it may resume from.
    rig.pass(.seconds(1))
    try answer("chains", &rig)
    let head = HTTPHead(status: 407, contentType: "text/html", retryAfter: nil)
    let id = try asked("/stream", rig)
    #expect(rig.requests.last?.call.headers["Last-Event-ID"] == "e1:10")
    rig.act { [now = rig.now] in $0.answered(id, head, now: now, random: 0) }
    rig.act { [now = rig.now] in $0.finished(id, now: now, random: 0) }
    rig.pass(.zero)
    try answer("chains", &rig)
    guard case .live(let greeting) = rig.connection else { throw Unexpected() }
    #expect(greeting.transport == .polling)
    #expect(rig.requests.last?.call.target.hasSuffix("changes?wait=0&since=e1:10") == true)
    try answer(
      "changes", &rig, #"{"epoch":"e1","rev":13,"changes":[\#(Say.price(native, "3001", rev: 13))]}"#)
    #expect(try price(rig) == "3001" && rig.notices.contains(.resumed(true, changed: nil)))
  }

  @Test func climbsBackWithTheStreamsCursor() throws {
    var rig = try streaming()
    let stream = try asked("/stream", rig)
    rig.pass(.milliseconds(7_499))
    #expect(rig.beside.opened == 0)
    rig.pass(.milliseconds(1))
    #expect(rig.beside.opened == 1)
    // Refused: later. Meanwhile the stream goes on.
    rig.act { [now = rig.now] in $0.lostBeside(now: now, random: 0) }
    rig.pass(.seconds(15))
    #expect(rig.beside.opened == 2 && rig.cancelled.isEmpty)
    rig.act { [now = rig.now] in $0.receivedBeside(Array(Say.hello().utf8), now: now, random: 0) }
    #expect(rig.beside.tookOver == 1 && rig.beside.dropped == 0 && rig.cancelled == [stream])
    let (id, message) = try rig.lastSent("subscribe")
    #expect(message["since"]?.string == "e1:10")
    rig.hear(Say.resumed(id, wallets: [wallet]), Say.heartbeat(11), Say.price(native, "3002", rev: 12))
    #expect(try price(rig) == "3002")
    guard case .live(let greeting) = rig.connection else { throw Unexpected() }
    #expect(greeting.transport == .webSocket && rig.disconnects == 0)
    // What is late of the stream is not heard.
    let now = rig.now
    rig.act {
      $0.receivedBody(stream, Array(event(Say.price(native, "1", rev: 99)).utf8), now: now, random: 0)
    }
    #expect(try price(rig) == "3002")
    rig.pass(.seconds(25))
    #expect(rig.beside.opened == 2)
  }

  @Test func aWebSocketBesideWithoutAGreetingIsGivenUp() throws {
    var rig = try streaming()
    rig.pass(.milliseconds(7_500))
    rig.act { [now = rig.now] in $0.receivedBeside(Array(Say.heartbeat(4).utf8), now: now, random: 0) }
    rig.pass(.milliseconds(9_999))
    #expect(rig.beside.dropped == 0)
    rig.pass(.milliseconds(1))
    #expect(rig.beside.dropped == 1 && rig.beside.tookOver == 0)
    rig.pass(.seconds(15))
    #expect(rig.beside.opened == 2)
  }

  /// Opening again tries the WebSocket at once.
  @Test func openingTriesTheWebSocket() throws {
    var rig = try streaming()
    rig.open()
    #expect(rig.beside.opened == 1)
    rig.open()
    #expect(rig.beside.opened == 1)
  }

  @Test func closingLeavesNothing() throws {
    var rig = try streaming()
    let stream = try asked("/stream", rig)
    rig.open()
    rig.act { $0.close() }
    #expect(rig.cancelled == [stream] && rig.beside.dropped == 1 && rig.machine.deadline == nil)
    #expect(rig.connection == .idle)
  }

  @Test func whatCannotBeReachedIsNotGoneDownFor() throws {
    var rig = Rig(kinds: Self.kinds)
    rig.open()
    rig.lose(nil, "no route")
    rig.pass(.zero)
    let id = try asked("chains", rig)
    rig.act { [now = rig.now] in $0.failed(id, .failed("no route"), now: now, random: 0) }
    guard case .waiting(nil, "no route", .milliseconds(250)) = rig.connection else { throw Unexpected() }
    rig.pass(.milliseconds(250))
    #expect(rig.connects == 2 && rig.requests.count == 1)
  }

  @Test func tokensTravelInHeaders() throws {
    var rig = try streaming(token: "t1")
    #expect(rig.notices == [.access(.accepted)])
    #expect(rig.requests.last?.call.headers["Authorization"] == "Bearer t1")
    try stream(&rig, event(#"{"type":"error","code":"unauthorized","message":"ended"}"#))
    #expect(rig.notices.contains(.access(.expired)))
    guard case .waiting(4_101, "ended", _) = rig.connection else { throw Unexpected() }
  }

  /// Between streams there is no order.
  @Test func aPriceIsItsStreamsWalletsAlone() throws {
    let second = numbered(1)
    var rig = try streaming()
    try rig.subscribe([second], tokens: [native])
    rig.pass(.zero)
    try stream(&rig, event(Say.ok(1, wallets: [second])) + event(Say.snapshot(second)))
    try stream(&rig, event(Say.price(native, "7", rev: 30), id: "e1:30"))
    let state = rig.machine.state
    #expect(state.wallets[try walletKey(second)]?.rows[try tokenKey(native)]?.price.usd?.plainText == "7")
    #expect(try price(rig) == "2000.5" && state.prices[try tokenKey(native)]?.usd == nil)
  }

  @Test func aCallIsAnsweredBesideTheStream() throws {
    var rig = try streaming()
    let key = try walletKey()
    let id = rig.machine.nextCallID()
    rig.act { $0.call(.get(key), id: id) }
    rig.pass(.zero)
    try answer("/balances", &rig, Say.snapshot(rows: [Say.row(price: "1")]))
    guard case .success(.wallet(let whole))? = rig.answers[id] else { throw Unexpected() }
    #expect(whole.rows[try tokenKey(native)]?.price.usd?.plainText == "1")
    // It stands in no order to the stream.
    #expect(try price(rig) == "2000.5")
  }
}
