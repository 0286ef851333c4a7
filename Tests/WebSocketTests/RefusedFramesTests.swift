import TestSupport
import Testing
import WebSocket

/// What a client must not send, and the rule it breaks.
struct Refused: CustomTestStringConvertible, Sendable {
  let name: String
  let frames: [RawFrame]
  var before: [Recorded] = []
  let error: RemoteError
  var limits = roomy

  var testDescription: String { name }
}

private func refuse(
  _ name: String, _ frames: RawFrame..., before: [Recorded] = [], gives error: RemoteError,
  limits: WebSocketLimits = roomy
) -> Refused {
  Refused(name: name, frames: frames, before: before, error: error, limits: limits)
}

private func limits(bytes: Int = 1 << 20, fragments: Int = 1000) -> WebSocketLimits {
  WebSocketLimits(messageBytes: bytes, fragments: fragments, replyBytes: 4096)
}

private let framing: [Refused] = [
  refuse("RSV1", RawFrame(0xC1, "x"), gives: .reservedBits),
  refuse("RSV2", RawFrame(0xA1, "x"), gives: .reservedBits),
  refuse("RSV3", RawFrame(0x91, "x"), gives: .reservedBits),
  refuse("RSV1 on a ping", RawFrame(0xC9), gives: .reservedBits),
  refuse(
    "RSV after a message", RawFrame(0x81, "a"), RawFrame(0xF1), before: [.text("a")], gives: .reservedBits),
  refuse("not masked", RawFrame(0x81, "x").unmasked, gives: .unmasked),
  refuse("ping not masked", RawFrame(0x89).unmasked, gives: .unmasked),
  refuse("5 bytes in 16 bits", RawFrame(0x82, bytes(5)).length(bits: 16), gives: .lengthNotMinimal),
  refuse("125 bytes in 16 bits", RawFrame(0x82, bytes(125)).length(bits: 16), gives: .lengthNotMinimal),
  refuse("125 bytes in 64 bits", RawFrame(0x82, bytes(125)).length(bits: 64), gives: .lengthNotMinimal),
  refuse("65535 bytes in 64 bits", RawFrame(0x82, bytes(65535)).length(bits: 64), gives: .lengthNotMinimal),
  refuse("top bit of the length", RawFrame(0x82).declaring(1 << 63), gives: .lengthTopBit),
  refuse("all bits of the length", RawFrame(0x82).declaring(.max), gives: .lengthTopBit),
]

private let control: [Refused] = [
  refuse("fragmented ping", RawFrame(0x09, "x"), gives: .controlFragmented),
  refuse("fragmented pong", RawFrame(0x0A), gives: .controlFragmented),
  refuse("fragmented close", RawFrame(0x08), gives: .controlFragmented),
  refuse("ping of 126 bytes", RawFrame(0x89, bytes(126)), gives: .controlTooLong),
  refuse("pong of 126 bytes", RawFrame(0x8A, bytes(126)), gives: .controlTooLong),
  refuse("close of 126 bytes", RawFrame(0x88, [3, 232] + bytes(124)), gives: .controlTooLong),
  refuse("ping of 65536 bytes", RawFrame(0x89, bytes(65536)), gives: .controlTooLong),
  refuse("close of one byte", RawFrame(0x88, [3]), gives: .closePayloadOfOneByte),
  refuse("close reason", RawFrame(0x88, [3, 232, 0xCE]), gives: .closeReasonNotUTF8),
  refuse(
    "close reason with a surrogate", RawFrame(0x88, [3, 232, 0xED, 0xA0, 0x80]), gives: .closeReasonNotUTF8),
]

private let fragments: [Refused] = [
  refuse("continuation first", RawFrame(0x80, "x"), gives: .continuationWithoutMessage),
  refuse("continuation first, not final", RawFrame(0x00), gives: .continuationWithoutMessage),
  refuse(
    "continuation after a message", RawFrame(0x81, "a"), RawFrame(0x80), before: [.text("a")],
    gives: .continuationWithoutMessage),
  refuse(
    "continuation after a fragmented message", RawFrame(0x01, "a"), RawFrame(0x80, "b"), RawFrame(0x80),
    before: [.text("ab")], gives: .continuationWithoutMessage),
  refuse("text in text", RawFrame(0x01, "a"), RawFrame(0x81, "b"), gives: .messageInsideMessage),
  refuse("binary in text", RawFrame(0x01, "a"), RawFrame(0x02), gives: .messageInsideMessage),
  refuse(
    "text in text after a ping", RawFrame(0x01), RawFrame(0x8A), RawFrame(0x01), before: [.pong([])],
    gives: .messageInsideMessage),
  refuse(
    "four of three fragments", RawFrame(0x01), RawFrame(0x00), RawFrame(0x00), RawFrame(0x00),
    gives: .tooManyFragments, limits: limits(fragments: 3)),
]

private let size: [Refused] = [
  refuse("11 of 10 bytes", RawFrame(0x82, bytes(11)), gives: .messageTooBig, limits: limits(bytes: 10)),
  refuse("1 of 0 bytes", RawFrame(0x82, bytes(1)), gives: .messageTooBig, limits: limits(bytes: 0)),
  refuse(
    "6 and 5 of 10 bytes", RawFrame(0x02, bytes(6)), RawFrame(0x80, bytes(5)), gives: .messageTooBig,
    limits: limits(bytes: 10)),
  refuse(
    "a length that would overflow a sum", RawFrame(0x02, bytes(6)),
    RawFrame(0x80).declaring(UInt64(Int64.max)), gives: .messageTooBig),
  refuse("only declared", RawFrame(0x82).declaring(1 << 40), gives: .messageTooBig),
]

private let text: [Refused] =
  ([
    [0x80], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
    [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xCE], [0xE2, 0x82], [0xF0, 0x9F, 0x92], [0x61, 0xC3, 0x61],
    [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xED, 0xA0, 0x80],
  ] as [[UInt8]]).flatMap { bytes in
    let middle = bytes.count / 2
    return [
      refuse("text \(bytes)", RawFrame(0x81, bytes), gives: .textNotUTF8),
      refuse(
        "text \(bytes) in two", RawFrame(0x01, Array(bytes[..<middle])),
        RawFrame(0x80, Array(bytes[middle...])), gives: .textNotUTF8),
    ]
  }

private let opcodes: [Refused] = [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF].map {
  refuse("opcode \($0)", RawFrame(0x80 | $0), gives: .reservedOpcode)
}

private let codes: [Refused] =
  ([
    0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
  ] as [UInt16]).map {
    refuse("close \($0)", RawFrame(0x88, [UInt8($0 >> 8), UInt8($0 & 0xFF)]), gives: .closeCodeInvalid($0))
  }

@Suite struct RefusedFramesTests {
  @Test(arguments: framing + control + fragments + size + text + opcodes + codes)
  func serverRefuses(_ row: Refused) {
    let expected = Transcript(
      events: row.before + [.error(row.error)],
      output: serverClose(row.error.closeCode.rawValue, row.error.reason), state: .failed)
    let bytes = row.frames.flatMap(\.bytes)
    // Behind the broken frame a good one: it must be dropped.
    let trailing = RawFrame(0x81, "more").bytes
    expectThreeFeeds(bytes, giving: expected, trailing: trailing) { serve($0, limits: row.limits) }
    expectRandomFeeds(bytes, giving: expected, seeds: 0..<5, longest: 7) { serve($0, limits: row.limits) }
  }

  @Test(arguments: [0x81, 0x82, 0x88, 0x89, 0x8A] as [UInt8])
  func clientRefusesMasked(_ firstByte: UInt8) {
    expectThreeFeeds(
      RawFrame(firstByte).bytes, giving: [.error(.masked)], trailing: [0x81, 0x00]
    ) { receiveAsClient($0).events }
  }

  /// The codes of §7.4.1, and reasons that fit a Close frame.
  @Test func errorsCarryCodes() {
    #expect(RemoteError.unmasked.closeCode.rawValue == 1002)
    #expect(RemoteError.textNotUTF8.closeCode.rawValue == 1007)
    #expect(RemoteError.messageTooBig.closeCode.rawValue == 1009)
    #expect(RemoteError.tooManyFragments.closeCode.rawValue == 1008)
    for row in framing + control + fragments + size + text + opcodes + codes {
      #expect(row.error.reason.utf8.count <= 123)
      #expect(row.error.closeCode.mayBeSent)
    }
  }

  /// A limit is met exactly by what it allows.
  @Test func limitsAllowWhatTheySay() {
    let tight = limits(bytes: 10, fragments: 3)
    #expect(serve([RawFrame(0x82, bytes(10)).bytes], limits: tight).events == [.binary(bytes(10))])
    let three = [RawFrame(0x02, bytes(6)), RawFrame(0x00, [1]), RawFrame(0x80, [1, 2, 3])]
    #expect(
      serve(three.map(\.bytes), limits: tight).events == [.binary(bytes(6) + [1, 1, 2, 3])])
    // Each message counts for itself, and control frames count for none.
    let again = three + [RawFrame(0x89, bytes(100))] + three
    #expect(serve(again.map(\.bytes), limits: tight).events.count == 3)
    let none = limits(bytes: 0)
    #expect(serve([RawFrame(0x81).bytes], limits: none).events == [.text("")])
  }

  /// §8.1: text that cannot become right is refused with the byte that spoils it, not at the end.
  @Test(
    arguments: [
      [0x61, 0xFF], [0x61, 0xED, 0xA0], [0xF4, 0x90], [0xE0, 0x9F], [0xF0, 0x8F], [0xC1], [0xE2, 0x41],
      [0xF0, 0x9F, 0x41], [0x80],
    ] as [[UInt8]])
  func textFailsFast(_ start: [UInt8]) {
    // Within one frame of which more is declared, all at once and byte by byte
    let unfinished = RawFrame(0x81, start).declaring(1000).bytes
    expectThreeFeeds(unfinished, giving: [.error(.textNotUTF8)], trailing: []) { serve($0).events }
    // In a fragment that more may follow
    let fragment = RawFrame(0x01, start).bytes
    expectThreeFeeds(fragment, giving: [.error(.textNotUTF8)], trailing: []) { serve($0).events }
    // Without its last byte it might still become right.
    let before = RawFrame(0x01, Array(start.dropLast())).bytes
    expectThreeFeeds(before, giving: [], trailing: []) { serve($0).events }
  }

  /// The limit is checked when the header is there, before anything is kept.
  @Test func tooLongIsRefusedByItsHeader() {
    var connection = WebSocketConnection(role: .server, limits: limits(bytes: 1000))
    let header = RawFrame(0x82).declaring(1001).bytes
    #expect(connection.feed(Array(header.dropLast())) == [])
    #expect(connection.heldBytes == 0)
    #expect(connection.feed([header[header.count - 1]]) == [.error(.messageTooBig)])
  }
}
