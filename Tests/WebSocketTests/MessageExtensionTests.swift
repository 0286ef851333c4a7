import TestSupport
import Testing
import WebSocket

/// An extension for tests: turns the message round and adds a byte.
private final class Reversing: MessageExtension {
  private var held: [UInt8] = []

  func decode(
    _ piece: UnsafeRawBufferPointer, isLast: Bool, into message: inout AssemblyBuffer, limit: Int
  ) throws(RemoteError) {
    held += piece
    guard isLast else { return }
    guard held.last == 0x2A else { throw .extensionDataInvalid }
    if held.count - 1 > limit { throw .messageTooBig }
    [UInt8](held.dropLast().reversed()).withUnsafeBytes { message.append($0, expected: 0) }
    held = []
  }

  func encode(_ payload: UnsafeRawBufferPointer) -> [UInt8]? {
    payload.isEmpty ? nil : payload.reversed() + [0x2A]
  }

  var heldBytes: Int { held.capacity }
  func release() { held = [] }
}

@Suite struct MessageExtensionTests {
  private func expect(
    _ frames: [RawFrame], _ events: [Recorded], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectThreeFeeds(
      frames.flatMap(\.bytes), giving: events, trailing: [0x89], sourceLocation: sourceLocation
    ) { serve($0, messageExtension: Reversing()).events }
  }

  @Test func decodesWhatIsMarked() {
    expect([RawFrame(0xC1, "cba*"), RawFrame(0x81, "abc")], [.text("abc"), .text("abc")])
    expect([RawFrame(0x41, "cb"), RawFrame(0x89), RawFrame(0x80, "a*")], [.ping([]), .text("abc")])
    // What is not UTF-8 before it is decoded may be after it.
    expect([RawFrame(0x41, [0x61, 0xA9]), RawFrame(0x80, [0xC3, 0x2A])], [.text("éa")])
  }

  @Test func refusesWhatIsWrong() {
    expect([RawFrame(0xC1, "abc")], [.error(.extensionDataInvalid)])
    expect([RawFrame(0xC1, [0xC3, 0xA9, 0x2A])], [.error(.textNotUTF8)])
    // RFC 7692 §6: RSV1 stands on the first fragment of a message alone.
    expect([RawFrame(0x01, "a"), RawFrame(0xC0, "b")], [.error(.reservedBits)])
    expect([RawFrame(0xC9)], [.error(.reservedBits)])
    expect([RawFrame(0xA1)], [.error(.reservedBits)])
  }

  @Test func encodesWhatIsSent() throws {
    var connection = WebSocketConnection(
      role: .server, limits: roomy, messageExtension: Reversing())
    var out: [UInt8] = []
    try connection.send(text: "ab", into: &out)
    try connection.send(text: "", into: &out)
    try connection.ping([1], into: &out)
    #expect(out == [0xC1, 3, 0x62, 0x61, 0x2A, 0x81, 0, 0x89, 1, 1])
  }
}
