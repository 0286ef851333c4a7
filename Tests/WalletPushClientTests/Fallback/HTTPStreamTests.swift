import Ethereum
import Testing

@testable import WalletPushClient

/// Server-Sent Events in place of a WebSocket.
@Suite struct HTTPStreamTests {
  private func streaming(since: String? = nil) throws -> ServedLink {
    var served = try ServedLink.greeted(.eventStream)
    try served.subscribe(wallet, 1, since: since)
    try served.head("stream")
    return served
  }

  @Test func aStreamForEachWallet() throws {
    var served = try ServedLink.greeted(.eventStream)
    try served.subscribe(wallet, 1, since: "e1:7")
    try served.subscribe(other, 2)
    let first = try served.asked("\(wallet)/stream").call
    #expect(first.isStream && first.headers["Accept"] == "text/event-stream")
    #expect(first.headers["Last-Event-ID"] == "e1:7")
    #expect(try served.asked("\(other)/stream").call.headers["Last-Event-ID"] == nil)
    served.send(.list, 3)
    #expect(try served.reply(3)?.get().wallets.map(\.description) == [wallet, other])
    served.send(.unsubscribe(wallets: [try walletKey()], tokens: []), 4)
    #expect(served.cancelled == [try served.asked("\(wallet)/stream").id])
  }

  /// The frames come as they do by a WebSocket, whichever way the bytes are cut. Only an event with an id has a cursor.
  @Test(arguments: [1, 7, 10_000]) func framesAndCursors(_ size: Int) throws {
    var served = try streaming()
    let text =
      "retry: 5\n\n" + event(Say.hello()) + event(Say.ok(77, wallets: [wallet])) + event(Say.snapshot())
      + ": hi\n\n"
      + event(Say.heartbeat(10), id: "e1:10") + event(Say.price(rev: 11), id: "e1:11") + event(Say.lag)
      + event("no JSON") + event(Say.price(rev: 14))
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      let piece = bytes[start..<min(start + size, bytes.count)]
      try served.bytes("stream", String(decoding: piece, as: UTF8.self))
    }
    #expect(try served.cursors() == [nil, "e1:10", "e1:11", nil, nil])
    #expect(try served.reply(1)?.get().wallets == [try walletKey()])
    #expect(served.link.end == nil)
  }

  @Test func itsSubscribeIsAnsweredOnce() throws {
    var served = try streaming()
    try served.bytes(
      "stream", event(Say.resumed(5, wallets: [wallet])) + event(Say.resumed(5, wallets: [wallet])))
    let replies = served.frames.filter { if case .ok = $0.frame { true } else { false } }
    #expect(replies.count == 1)
    #expect(try served.reply(1)?.get().isResumed == true)
  }

  @Test func aRefusedWalletIsOver() throws {
    var served = try streaming()
    let refused =
      #"{"type":"ok","wallets":[],"failed":[{"wallet":"\#(wallet)","code":"forbidden","message":"m"}]}"#
    try served.bytes("stream", event(refused))
    #expect(try served.reply(1)?.get().failed.map(\.refusal.code) == ["forbidden"])
    #expect(served.cancelled == [try served.asked("stream").id] && served.link.end == nil)
  }

  @Test func aDeletedWalletIsOver() throws {
    var served = try streaming()
    let deleted = #"{"type":"status","wallet":"\#(wallet)","state":"deleted"}"#
    try served.bytes(
      "stream", event(Say.ok(1, wallets: [wallet])) + event(deleted) + event(Say.price(rev: 9)))
    #expect(try served.cursors() == [nil])
    #expect(served.cancelled == [try served.asked("stream").id] && served.link.end == nil)
  }

  @Test func aProxyThatHoldsStreamsBackIsFoundOut() throws {
    var served = try streaming()
    served.pass(.milliseconds(9_999))
    #expect(served.link.end == nil)
    served.pass(.milliseconds(1))
    #expect(served.link.end == HTTPLink.End(reason: "the stream is held back", isUnusable: true))
    served = try ServedLink.greeted(.eventStream)
    try served.subscribe(wallet, 1)
    #expect(try served.asked("stream").call.timeout == .seconds(10))
    try served.fail("stream", .timedOut)
    #expect(served.link.end?.isUnusable == true)
    served = try ServedLink.greeted(.eventStream)
    try served.subscribe(wallet, 1)
    try served.head("stream", 200, "text/html")
    #expect(served.link.end == HTTPLink.End(reason: "no event stream", isUnusable: true))
  }

  /// Twice the server's interval and some grace, from the last byte.
  @Test func silenceEndsIt() throws {
    var served = try streaming()
    let hello = Say.hello().replacing(#""ping_s":25"#, with: #""ping_s":10"#)
    try served.bytes("stream", "retry: 1500\n\n" + event(hello))
    served.pass(.milliseconds(24_999))
    try served.bytes("stream", ": \n\n")
    served.pass(.milliseconds(24_999))
    #expect(served.link.end == nil)
    served.pass(.milliseconds(1))
    #expect(served.link.end == HTTPLink.End(reason: "no sign of life", retry: .milliseconds(1_500)))
  }

  @Test func theServerEndsIt() throws {
    var served = try streaming()
    try served.bytes("stream", "retry: 3172\n\n")
    try served.finish("stream")
    #expect(served.link.end == HTTPLink.End(reason: "the stream ended", retry: .milliseconds(3_172)))
    served = try streaming()
    try served.fail("stream", .failed("reset"))
    #expect(served.link.end == HTTPLink.End(reason: "reset"))
  }

  @Test func anEventIsBounded() throws {
    var served = ServedLink(.eventStream, limits: ClientLimits(messageBytes: 100))
    try served.answer("chains", "{}")
    try served.subscribe(wallet, 1)
    try served.head("stream")
    try served.bytes("stream", "data: " + String(repeating: "x", count: 100))
    #expect(served.link.end?.reason == "an event of more than 100 bytes")
  }
}
