import TestSupport
import Testing
import WebSocket

/// Settings that compress all there is, and keep windows.
func eager(
  contextTakeover: Bool = true, windowBits: Int = 15, minimumBytes: Int = 0, ratio: Int = 2_000
) -> DeflateSettings {
  DeflateSettings(
    minimumBytes: minimumBytes, contextTakeover: contextTakeover, windowBits: windowBits, level: 6,
    inflationRatio: ratio)
}

/// The transcript of a fresh server with compression fed `chunks`.
func serveDeflated(
  _ chunks: [[UInt8]], limits: WebSocketLimits = roomy, parameters: DeflateParameters = DeflateParameters(),
  settings: DeflateSettings = eager()
) -> Transcript {
  serve(
    chunks, limits: limits,
    messageExtension: PerMessageDeflate(parameters, role: .server, pool: DeflatePool(settings)))
}

/// The bytes of RFC 7692 §7.2.3, and what breaks its rules.
@Suite struct PerMessageDeflateTests {
  static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
  /// §7.2.3.4: BFINAL set, then an empty block without it.
  static let finalHello: [UInt8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]

  static let examples: [(String, [RawFrame], [Recorded])] = [
    ("§7.2.3.1 one block", [RawFrame(0xC1, hello)], [.text("Hello")]),
    (
      "§7.2.3.1 two frames",
      [RawFrame(0x41, Array(hello[..<3])), RawFrame(0x80, Array(hello[3...]))], [.text("Hello")]
    ),
    (
      "§7.2.3.2 the window is shared",
      [RawFrame(0xC1, hello), RawFrame(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])],
      [.text("Hello"), .text("Hello")]
    ),
    (
      "§7.2.3.3 a stored block",
      [RawFrame(0xC1, [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00])], [.text("Hello")]
    ),
    ("§7.2.3.4 BFINAL", [RawFrame(0xC1, finalHello)], [.text("Hello")]),
    (
      "the window lives on behind BFINAL",
      [RawFrame(0xC1, finalHello), RawFrame(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])],
      [.text("Hello"), .text("Hello")]
    ),
    (
      "BFINAL, and the empty block is missing",
      [RawFrame(0xC1, Array(finalHello.dropLast())), RawFrame(0xC1, hello)], [.text("Hello"), .text("Hello")]
    ),
    ("two messages' worth in one", [RawFrame(0xC1, finalHello.dropLast() + hello)], [.text("HelloHello")]),
    (
      "§7.2.3.5 two blocks",
      [RawFrame(0xC1, [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00])],
      [.text("Hello")]
    ),
    ("§7.2.3.6 empty", [RawFrame(0xC1, [0x00]), RawFrame(0xC1, hello)], [.text(""), .text("Hello")]),
    ("empty, without a block", [RawFrame(0xC2), RawFrame(0xC1, hello)], [.binary([]), .text("Hello")]),
    (
      "not compressed, for a change", [RawFrame(0x81, "Hello"), RawFrame(0xC1, hello)],
      [.text("Hello"), .text("Hello")]
    ),
    (
      "a ping between, and empty fragments",
      [
        RawFrame(0x41), RawFrame(0x00, Array(hello[..<5])), RawFrame(0x89, "p"), RawFrame(0x00),
        RawFrame(0x00, Array(hello[5...])), RawFrame(0x80),
      ], [.ping(Array("p".utf8)), .text("Hello")]
    ),
  ]

  @Test(arguments: examples.indices)
  func inflates(_ index: Int) {
    let (name, frames, events) = Self.examples[index]
    expectThreeFeeds(frames.flatMap(\.bytes), giving: events, trailing: [0x89]) { serveDeflated($0).events }
    #expect(!name.isEmpty)
  }

  static let broken: [(String, [RawFrame], [Recorded])] = [
    ("a reserved block type", [RawFrame(0xC1, [0x07, 0x00])], [.error(.extensionDataInvalid)]),
    ("cut off", [RawFrame(0xC1, Array(hello[..<4]))], [.error(.extensionDataInvalid)]),
    (
      "no DEFLATE behind the final block", [RawFrame(0xC1, finalHello.dropLast() + [0xFF, 0xFF])],
      [.error(.extensionDataInvalid)]
    ),
    (
      "the stored length is wrong", [RawFrame(0xC1, [0x00, 0x05, 0x00, 0xFF, 0xFF])],
      [.error(.extensionDataInvalid)]
    ),
    (
      "refers to what was never sent", [RawFrame(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])],
      [.error(.extensionDataInvalid)]
    ),
    (
      "inflates to what is not UTF-8", [RawFrame(0xC1, [0x00, 0x01, 0x00, 0xFE, 0xFF, 0xC3, 0x00])],
      [.error(.textNotUTF8)]
    ),
    (
      "not UTF-8 in the middle",
      [
        RawFrame(
          0x41, [0x00, 0x88, 0x13, 0x77, 0xEC] + [UInt8](repeating: 0x61, count: 4_998) + [0xC3, 0x28])
      ],
      [.error(.textNotUTF8)]
    ),
    (
      "RSV1 on a continuation", [RawFrame(0x41, Array(hello[..<3])), RawFrame(0xC0, Array(hello[3...]))],
      [.error(.reservedBits)]
    ),
    ("RSV1 on a ping", [RawFrame(0xC9, hello)], [.error(.reservedBits)]),
    ("RSV1 on a close", [RawFrame(0xC8, hello)], [.error(.reservedBits)]),
  ]

  @Test(arguments: broken.indices)
  func refuses(_ index: Int) {
    let (name, frames, events) = Self.broken[index]
    expectThreeFeeds(frames.flatMap(\.bytes), giving: events, trailing: [0x89]) { serveDeflated($0).events }
    #expect(!name.isEmpty)
  }

  /// Without context takeover nothing may be referred to, and nothing lingers from a message that was refused.
  @Test func windowIsForgottenWhereAgreed() {
    let parameters = DeflateParameters(clientNoContextTakeover: true)
    let frames = [RawFrame(0xC1, Self.hello), RawFrame(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])]
    expectThreeFeeds(
      frames.flatMap(\.bytes), giving: [.text("Hello"), .error(.extensionDataInvalid)], trailing: [0x89]
    ) { serveDeflated($0, parameters: parameters).events }
  }

  @Test func whatIsNotShorterGoesAsItIs() throws {
    let pool = DeflatePool(eager(minimumBytes: 20))
    var machine = WebSocketConnection(
      role: .server, limits: roomy,
      messageExtension: PerMessageDeflate(DeflateParameters(), role: .server, pool: pool))
    func send(_ text: String) throws -> [UInt8] {
      var out: [UInt8] = []
      try machine.send(text: text, into: &out)
      return out
    }
    let long = String(repeating: "balance ", count: 10)
    #expect(try send("short short short")[0] == 0x81)
    let noise = String(decoding: (0..<60).map { UInt8(33 + ($0 &* 73) % 90) }, as: UTF8.self)
    #expect(try send(noise)[0] == 0x81)
    let compressed = try send(long)
    #expect(compressed[0] == 0xC1)
    #expect(compressed.count < 30)
    // With the window kept, what was sent before costs next to nothing; pings are never compressed.
    #expect(try send(long).count < compressed.count)
    var ping: [UInt8] = []
    try machine.ping(Array(long.utf8), into: &ping)
    #expect(ping[0] == 0x89)
    #expect(pool.statistics.compressedMessages == 2)
    #expect(pool.statistics.compressedBytesIn == 160)
  }

  /// RFC 7692 §6: the first frame of a message compressed by itself is the same for every connection.
  @Test func sharedFramesAreTheSameMessage() {
    let pool = DeflatePool(eager(contextTakeover: false, windowBits: 12))
    let text = String(repeating: "{\"token\":\"ETH:native\"}", count: 100)
    let plain = WebSocketFrame.text(text)
    let first = WebSocketFrame.compressed(plain, windowBits: 12, pool: pool)
    #expect(first[0] == 0xC1)
    #expect(first.count < 200)
    // The pool's window is forgotten in between.
    #expect(WebSocketFrame.compressed(plain, windowBits: 12, pool: pool) == first)
    #expect(
      WebSocketFrame.compressed(WebSocketFrame.text("x"), windowBits: 12, pool: pool) == [0x81, 1, 0x78])
    #expect(WebSocketFrame.compressed([], windowBits: 12, pool: pool) == [])
    var client = WebSocketConnection(
      role: .client(maskingSeed: 1), limits: roomy,
      messageExtension: PerMessageDeflate(
        DeflateParameters(serverNoContextTakeover: true), role: .client, pool: DeflatePool(eager())))
    #expect(client.feed(first + plain + first) == [.text(text), .text(text), .text(text)])
  }
}
