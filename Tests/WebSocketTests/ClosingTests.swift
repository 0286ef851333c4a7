import TestSupport
import Testing
import WebSocket

/// The closing handshake: RFC 6455 §5.5.1, §7.
@Suite struct ClosingTests {
  @Test(
    arguments: [
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4001,
      4100, 4111, 4999,
    ] as [UInt16])
  func peerClosesAndGetsItsCodeBack(_ code: UInt16) {
    let reason = "κόσμε"
    let frame = RawFrame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    let expected = Transcript(
      events: [.close(code, reason)], output: serverClose(code), state: .closed)
    // §5.5.1, §1.4: what comes after a Close is dropped, be it right or wrong.
    let trailing = RawFrame(0x81, "more").bytes + [0xFF, 0xFF]
    expectThreeFeeds(frame.bytes, giving: expected, trailing: trailing) { serve($0) }
  }

  @Test func emptyCloseGetsEmptyClose() {
    let expected = Transcript(events: [.close(nil, "")], output: [0x88, 0], state: .closed)
    expectThreeFeeds(RawFrame(0x88).bytes, giving: expected, trailing: [0x81]) { serve($0) }
  }

  @Test func closeWithinAMessage() {
    let bytes = RawFrame(0x01, "Hel").bytes + RawFrame(0x88, [3, 232]).bytes
    let expected = Transcript(events: [.close(1000, "")], output: serverClose(1000), state: .closed)
    expectThreeFeeds(bytes, giving: expected, trailing: RawFrame(0x80, "lo").bytes) { serve($0) }
  }

  @Test func longestReason() {
    let frame = RawFrame(0x88, [3, 232] + [UInt8](repeating: 0x61, count: 123))
    let expected = Transcript(
      events: [.close(1000, String(repeating: "a", count: 123))], output: serverClose(1000),
      state: .closed)
    expectThreeFeeds(frame.bytes, giving: expected, trailing: [0x81]) { serve($0) }
  }

  @Test func weCloseFirst() throws {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    var out: [UInt8] = []
    try connection.close(.drain, reason: "bye", into: &out)
    #expect(out == serverClose(4100, "bye"))
    #expect(connection.state == .closing)
    // Messages on their way still arrive; after our Close nothing is sent, a pong neither (§5.5.1).
    #expect(connection.feed(RawFrame(0x81, "late").bytes) == [.text("late")])
    #expect(connection.feed(RawFrame(0x89, "p").bytes) == [.ping([0x70])])
    #expect(connection.hasOutput == false)
    // The peer's answer ends it, and is not answered.
    #expect(connection.feed(RawFrame(0x88, [0x10, 0x04]).bytes) == [.close(4100, "")])
    #expect(connection.state == .closed)
    #expect(connection.hasOutput == false)
    #expect(connection.feed(RawFrame(0x81, "later").bytes) == [])
  }

  @Test func aBrokenRuleAfterOurCloseIsNotAnswered() throws {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    var out: [UInt8] = []
    try connection.close(.goingAway, into: &out)
    #expect(connection.feed(RawFrame(0x83).bytes) == [.error(.reservedOpcode)])
    #expect(connection.state == .failed)
    #expect(connection.hasOutput == false)
  }

  @Test func nothingIsSentAfterAClose() throws {
    for peerFirst in [false, true] {
      var connection = WebSocketConnection(role: .server, limits: roomy)
      var out: [UInt8] = []
      if peerFirst {
        _ = connection.feed(RawFrame(0x88).bytes)
      } else {
        try connection.close(nil, into: &out)
        #expect(out == [0x88, 0])
      }
      out = []
      var errors: [LocalError] = []
      do throws(LocalError) { try connection.send(text: "x", into: &out) } catch { errors.append(error) }
      do throws(LocalError) { try connection.send(binary: [1], into: &out) } catch { errors.append(error) }
      do throws(LocalError) { try connection.ping(into: &out) } catch { errors.append(error) }
      do throws(LocalError) { try connection.pong(into: &out) } catch { errors.append(error) }
      do throws(LocalError) { try connection.close(.normal, into: &out) } catch { errors.append(error) }
      #expect(errors == [LocalError](repeating: .notOpen, count: 5))
      #expect(out == [])
    }
  }

  @Test func waitingPongsGoBeforeOurClose() throws {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    _ = connection.feed(RawFrame(0x89, "p").bytes)
    var out: [UInt8] = []
    try connection.close(.normal, into: &out)
    #expect(out == [0x8A, 1, 0x70] + serverClose(1000))
    #expect(connection.hasOutput == false)
  }

  @Test func closeRefusesWhatMayNotBeSent() {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    var out: [UInt8] = []
    for code: UInt16 in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
      #expect(throws: LocalError.closeCodeInvalid(code)) {
        try connection.close(CloseCode(rawValue: code), into: &out)
      }
    }
    #expect(throws: LocalError.reasonTooLong) {
      try connection.close(.normal, reason: String(repeating: "é", count: 62), into: &out)
    }
    #expect(throws: LocalError.reasonWithoutCode) { try connection.close(nil, reason: "x", into: &out) }
    #expect(out == [])
    #expect(connection.state == .open)
  }

  @Test func ownCodes() {
    let stay: [CloseCode] = [.unauthorized, .forbidden, .abuse]
    let comeBack: [CloseCode] = [.drain, .tokenExpired, .slow, .noPong, .tooManyConnections]
    #expect(stay.map(\.rawValue) == [4001, 4002, 4003])
    #expect(comeBack.map(\.rawValue) == [4100, 4101, 4108, 4109, 4111])
    #expect((stay + comeBack).allSatisfy { $0.mayBeSent })
  }
}
