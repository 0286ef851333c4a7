import TestSupport
import Testing
import WebSocket

@Suite struct SendingTests {
  @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 70000])
  func serverFrames(_ count: Int) throws {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    var out: [UInt8] = [0xAA]
    try connection.send(binary: bytes(count), into: &out)
    let expected = RawFrame(0x82, bytes(count)).unmasked.bytes
    #expect(out == [0xAA] + expected)
    #expect(WebSocketFrame.binary(bytes(count)) == expected)
    let header = FrameHeader.headerLength(payloadLength: count)
    #expect(header == expected.count - count)
    #expect(FrameHeader.headerLength(payloadLength: count, masked: true) == header + 4)
  }

  @Test func textAndControlFrames() throws {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    var out: [UInt8] = []
    try connection.send(text: "€", into: &out)
    try connection.ping([1], into: &out)
    try connection.pong(into: &out)
    try Array("ab".utf8).withUnsafeBytes { try connection.send(.text, $0, into: &out) }
    #expect(
      out == [0x81, 3, 0xE2, 0x82, 0xAC, 0x89, 1, 1, 0x8A, 0, 0x81, 2, 0x61, 0x62])
  }

  @Test func refusesWhatBreaksARule() {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    var out: [UInt8] = []
    #expect(throws: LocalError.controlTooLong) { try connection.ping(bytes(126), into: &out) }
    #expect(throws: LocalError.controlTooLong) { try connection.pong(bytes(126), into: &out) }
    #expect(throws: LocalError.textNotUTF8) {
      try [0xC3 as UInt8].withUnsafeBytes { try connection.send(.text, $0, into: &out) }
    }
    #expect(out == [])
  }

  /// §5.3: each frame has a key of its own, and another seed gives others.
  @Test func clientsMaskEveryFrame() throws {
    var keys: Set<[UInt8]> = []
    for seed: UInt64 in 0..<10 {
      var connection = WebSocketConnection(role: .client(maskingSeed: seed), limits: roomy)
      var out: [UInt8] = []
      for _ in 0..<10 {
        out = []
        try connection.send(text: "Hello", into: &out)
        #expect(out.count == 11)
        #expect(Array(out[..<2]) == [0x81, 0x85])
        let key = Array(out[2..<6])
        #expect(out[6...].enumerated().map { $1 ^ key[$0 % 4] } == Array("Hello".utf8))
        keys.insert(key)
      }
    }
    #expect(keys.count == 100)
  }

  @Test func clientsMaskTheirReplies() {
    var connection = WebSocketConnection(role: .client(maskingSeed: 3), limits: roomy)
    _ = connection.feed([0x89, 2, 0x68, 0x69, 0x88, 2, 0x03, 0xE8])
    let replies = connection.takeOutput()
    #expect(serve([replies]).events == [.pong(Array("hi".utf8)), .close(1000, "")])
  }

  @Test func headersOfEveryKind() {
    var out: [UInt8] = []
    FrameHeader.encodeHeader(opcode: .text, fin: false, rsv1: true, length: 1, into: &out)
    FrameHeader.encodeHeader(opcode: .continuation, length: 126, maskingKey: 0x0102_0304, into: &out)
    FrameHeader.encodeHeader(opcode: .close, length: -1, into: &out)
    #expect(out == [0x41, 1, 0x80, 0xFE, 0, 126, 1, 2, 3, 4, 0x88, 0])
  }

  /// §5.5.3: when pongs pile up because nobody takes them, the older ones give way.
  @Test func waitingPongsAreBounded() {
    let limits = WebSocketLimits(messageBytes: 10, fragments: 10, replyBytes: 300)
    var connection = WebSocketConnection(role: .server, limits: limits)
    for index in 0..<1000 {
      let payload = [UInt8(index & 0xFF)] + bytes(99)
      #expect(connection.feed(RawFrame(0x89, payload).bytes) == [.ping(payload)])
    }
    let waiting = connection.takeOutput()
    #expect(waiting.count <= 300)
    #expect(Array(waiting.suffix(102)) == [0x8A, 100, UInt8(999 & 0xFF)] + bytes(99))
    // Even where the limit holds none, the most recent ping is answered.
    let none = WebSocketLimits(messageBytes: 10, fragments: 10, replyBytes: 0)
    #expect(
      serve([RawFrame(0x89, "a").bytes, RawFrame(0x89, "b").bytes], limits: none).output
        == [0x8A, 1, 0x62])
  }
}
