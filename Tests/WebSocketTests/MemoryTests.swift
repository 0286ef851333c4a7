import Testing
import WebSocket

/// A connection that is between messages is small and holds no memory beside itself.
@Suite struct MemoryTests {
  @Test func machineIsSmall() {
    #expect(MemoryLayout<WebSocketConnection>.size <= 96)
  }

  @Test(arguments: [1, 3, 1000])
  func nothingIsHeldBetweenFrames(_ pieceBytes: Int) {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    let frames = [
      RawFrame(0x81, "Hello"), RawFrame(0x82, bytes(5000)), RawFrame(0x89, bytes(125)), RawFrame(0x8A),
      RawFrame(0x01, "Hel"), RawFrame(0x89, "ping"), RawFrame(0x80, "lo"),
    ]
    for frame in frames {
      let bytes = frame.bytes
      for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
        _ = connection.feed(Array(bytes[start..<min(start + pieceBytes, bytes.count)]))
      }
      _ = connection.takeOutput()
      let isWithinAMessage = frame.firstByte == 0x01 || frame.payload == Array("ping".utf8)
      #expect((connection.heldBytes > 0) == isWithinAMessage)
    }
    #expect(connection.heldBytes == 0)
  }

  /// A whole frame is delivered where it lies.
  @Test func wholeFramesAreNotCopied() throws {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    var frames = RawFrame(0x82, bytes(300)).bytes + RawFrame(0x89, "p").bytes
    try frames.withUnsafeMutableBytes { memory in
      var input = memory
      guard case .message(.binary, let payload)? = try connection.next(&input) else {
        Issue.record("no message")
        return
      }
      #expect(payload.baseAddress == UnsafeRawPointer(memory.baseAddress)?.advanced(by: 8))
      #expect(Array(payload) == bytes(300))
      #expect(connection.heldBytes == 0)
      #expect(input.count == 7)
      guard case .ping(let ping)? = try connection.next(&input) else {
        Issue.record("no ping")
        return
      }
      #expect(ping.baseAddress == UnsafeRawPointer(memory.baseAddress)?.advanced(by: 314))
      if try connection.next(&input) != nil { Issue.record("an event from nothing") }
    }
  }

  /// A declared length allocates nothing: memory grows with what arrived.
  @Test func declaredLengthsAllocateNothing() {
    var connection = WebSocketConnection(role: .server, limits: roomy)
    _ = connection.feed(RawFrame(0x82).declaring(1 << 20).bytes)
    #expect(connection.heldBytes == 0)
    var arrived = 0
    for count in [1, 10, 100, 1000, 10000, 100_000] {
      _ = connection.feed(bytes(count))
      arrived += count
      #expect(connection.heldBytes <= max(256, 2 * arrived))
    }
  }

  @Test func nothingIsHeldAfterTheEnd() {
    var failed = WebSocketConnection(role: .server, limits: roomy)
    _ = failed.feed(RawFrame(0x01, bytes(1000).map { $0 & 0x7F }).bytes)
    _ = failed.feed(RawFrame(0x83).bytes)
    _ = failed.takeOutput()
    #expect(failed.heldBytes == 0)
    var closed = WebSocketConnection(role: .server, limits: roomy)
    _ = closed.feed(RawFrame(0x02, bytes(1000)).bytes)
    _ = closed.feed(RawFrame(0x88).bytes)
    _ = closed.takeOutput()
    #expect(closed.heldBytes == 0)
    _ = closed.feed(bytes(1000))
    #expect(closed.heldBytes == 0)
  }
}
