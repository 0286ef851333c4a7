import TestSupport
import Testing
import WebSocket

/// What a client may send, and what a server makes of it.
struct Accepted: CustomTestStringConvertible, Sendable {
  let name: String
  let frames: [RawFrame]
  let events: [Recorded]
  var output: [UInt8] = []

  var testDescription: String { name }
}

let accepted: [Accepted] = [
  Accepted(name: "nothing", frames: [], events: []),
  Accepted(name: "empty text", frames: [RawFrame(0x81)], events: [.text("")]),
  Accepted(name: "empty binary", frames: [RawFrame(0x82)], events: [.binary([])]),
  Accepted(name: "text", frames: [RawFrame(0x81, "Hello")], events: [.text("Hello")]),
  Accepted(name: "text κόσμε", frames: [RawFrame(0x81, "κόσμε 💰")], events: [.text("κόσμε 💰")]),
  Accepted(name: "125 bytes", frames: [RawFrame(0x82, bytes(125))], events: [.binary(bytes(125))]),
  Accepted(name: "126 bytes", frames: [RawFrame(0x82, bytes(126))], events: [.binary(bytes(126))]),
  Accepted(name: "127 bytes", frames: [RawFrame(0x82, bytes(127))], events: [.binary(bytes(127))]),
  Accepted(
    name: "65535 bytes", frames: [RawFrame(0x82, bytes(65535))], events: [.binary(bytes(65535))]),
  Accepted(
    name: "65536 bytes", frames: [RawFrame(0x82, bytes(65536))], events: [.binary(bytes(65536))]),
  Accepted(
    name: "three messages", frames: [RawFrame(0x81, "a"), RawFrame(0x82, [1]), RawFrame(0x81, "c")],
    events: [.text("a"), .binary([1]), .text("c")]),
  Accepted(
    name: "two fragments", frames: [RawFrame(0x01, "Hel"), RawFrame(0x80, "lo")],
    events: [.text("Hello")]),
  Accepted(
    name: "empty fragments",
    frames: [RawFrame(0x01), RawFrame(0x00), RawFrame(0x00, "x"), RawFrame(0x00), RawFrame(0x80)],
    events: [.text("x")]),
  Accepted(
    name: "only empty fragments", frames: [RawFrame(0x02), RawFrame(0x80)], events: [.binary([])]),
  Accepted(
    name: "two fragmented messages",
    frames: [RawFrame(0x01, "a"), RawFrame(0x80, "b"), RawFrame(0x02, [1]), RawFrame(0x80, [2])],
    events: [.text("ab"), .binary([1, 2])]),
  Accepted(
    name: "a scalar cut by fragments",
    frames: "💰é".utf8.map { RawFrame(0x00, [$0]) }.enumerated().map { index, frame in
      RawFrame(index == 0 ? 0x01 : index == 5 ? 0x80 : 0x00, frame.payload)
    }, events: [.text("💰é")]),
  Accepted(
    name: "ping between fragments",
    frames: [RawFrame(0x01, "Hel"), RawFrame(0x89, "p"), RawFrame(0x80, "lo")],
    events: [.ping([0x70]), .text("Hello")], output: [0x8A, 0x01, 0x70]),
  Accepted(
    name: "pings and pongs between empty fragments",
    frames: [RawFrame(0x01), RawFrame(0x89), RawFrame(0x8A, "q"), RawFrame(0x80, "é")],
    events: [.ping([]), .pong([0x71]), .text("é")], output: [0x8A, 0x00]),
  Accepted(
    name: "ping within a scalar",
    frames: [RawFrame(0x01, [0xE2, 0x82]), RawFrame(0x89, bytes(125)), RawFrame(0x80, [0xAC])],
    events: [.ping(bytes(125)), .text("€")], output: [0x8A, 125] + bytes(125)),
  Accepted(name: "empty ping", frames: [RawFrame(0x89)], events: [.ping([])], output: [0x8A, 0]),
  Accepted(
    name: "ten pings", frames: (0..<10).map { RawFrame(0x89, [$0]) },
    events: (0..<10).map { .ping([$0]) }, output: (0..<10).flatMap { [0x8A, 1, $0] }),
  Accepted(name: "unsolicited pong", frames: [RawFrame(0x8A, "p")], events: [.pong([0x70])]),
]

@Suite struct AcceptedFramesTests {
  @Test(arguments: accepted) func serverAccepts(_ row: Accepted) {
    expectThreeFeeds(
      row.frames.flatMap(\.bytes), giving: Transcript(events: row.events, output: row.output),
      trailing: [0x89]
    ) { serve($0) }
  }

  @Test(arguments: accepted) func serverAcceptsInRandomPieces(_ row: Accepted) {
    expectRandomFeeds(
      row.frames.flatMap(\.bytes), giving: Transcript(events: row.events, output: row.output),
      seeds: 0..<20, longest: 40
    ) { serve($0) }
  }

  @Test(arguments: accepted) func clientAcceptsUnmasked(_ row: Accepted) {
    expectThreeFeeds(
      row.frames.flatMap(\.unmasked.bytes), giving: row.events, trailing: [0x89]
    ) { receiveAsClient($0).events }
  }

  /// One masking key is as good as another, one with zero bytes too.
  @Test(arguments: [[0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0xFF, 0, 0xFF, 0]] as [[UInt8]])
  func anyMaskingKey(_ key: [UInt8]) {
    for count in 0...40 {
      var frame = RawFrame(0x82, bytes(count))
      frame.key = key
      expectThreeFeeds(
        frame.bytes, giving: Transcript(events: [.binary(bytes(count))]), trailing: [0x82]
      ) { serve($0) }
    }
  }
}

/// The examples of RFC 6455 §5.7, byte for byte.
@Suite struct RFCExamplesTests {
  static let masked: [UInt8] = [
    0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
  ]

  @Test func maskedText() {
    expectThreeFeeds(Self.masked, giving: Transcript(events: [.text("Hello")]), trailing: [0x81]) {
      serve($0)
    }
  }

  @Test func maskedPong() {
    let pong: [UInt8] = [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
    expectThreeFeeds(pong, giving: [.pong(Array("Hello".utf8))], trailing: [0x81]) {
      serve($0).events
    }
  }

  @Test(
    arguments: [
      ([0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F], .text("Hello")),
      ([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F], .text("Hello")),
      ([0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F], .ping(Array("Hello".utf8))),
      ([0x82, 0x7E, 0x01, 0x00] + bytes(256), .binary(bytes(256))),
      ([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + bytes(65536), .binary(bytes(65536))),
    ] as [([UInt8], Recorded)])
  func unmasked(_ frame: [UInt8], _ event: Recorded) {
    expectThreeFeeds(frame, giving: [event], trailing: [0x81]) { receiveAsClient($0).events }
  }

  @Test func encodersWriteThem() {
    #expect(WebSocketFrame.text("Hello") == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
    #expect(WebSocketFrame.binary(bytes(256)) == [0x82, 0x7E, 0x01, 0x00] + bytes(256))
    #expect(WebSocketFrame.binary(bytes(65536)) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + bytes(65536))
    var header: [UInt8] = []
    FrameHeader.encodeHeader(opcode: .text, length: 5, maskingKey: 0x37FA_213D, into: &header)
    #expect(header == Array(Self.masked.prefix(6)))
  }
}
