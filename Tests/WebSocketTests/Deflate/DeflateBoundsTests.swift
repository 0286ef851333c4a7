import TestSupport
import Testing

@testable import WebSocket

/// What a peer can make us hold (RFC 7692 §8: memory, and the length of what inflates).
@Suite struct DeflateBoundsTests {
  /// `count` zero bytes, or another text, compressed as a peer would.
  private static func compressed(_ bytes: [UInt8]) throws -> [UInt8] {
    let deflater = try #require(Deflater(windowBits: 15, level: 9))
    return try #require(bytes.withUnsafeBytes { deflater.compress($0) })
  }

  private static func limits(_ bytes: Int) -> WebSocketLimits {
    WebSocketLimits(messageBytes: bytes, fragments: 10_000, replyBytes: 4_096)
  }

  /// 64 MiB in 64 KiB: refused at the limit, and no memory taken beyond it.
  @Test func bombsAreCutAtTheLimit() throws {
    let bomb = try Self.compressed([UInt8](repeating: 0x61, count: 64 << 20))
    let frame = RawFrame(0xC2, bomb).bytes
    for limit in [1, 255, 256, 257, 65_536, 1_000_000] {
      #expect(serveDeflated([frame], limits: Self.limits(limit)).events == [.error(.messageTooBig)])
    }
  }

  /// The machine's memory while a bomb goes off piece by piece.
  @Test func memoryNeverExceedsTheLimit() throws {
    let limit = 100_000
    let pool = DeflatePool(eager(contextTakeover: false))
    var machine = WebSocketConnection(
      role: .server, limits: Self.limits(limit),
      messageExtension: PerMessageDeflate(
        DeflateParameters(serverNoContextTakeover: true, clientNoContextTakeover: true), role: .server,
        pool: pool))
    let bomb = try Self.compressed([UInt8](repeating: 0, count: 10 << 20))
    var events: [Recorded] = []
    var most = 0
    for start in stride(from: 0, to: bomb.count, by: 10) {
      let piece = Array(bomb[start..<min(start + 10, bomb.count)])
      machine.feed(RawFrame(start == 0 ? 0x42 : 0x00, piece).bytes, &events)
      most = max(most, machine.heldBytes)
    }
    #expect(events == [.error(.messageTooBig)])
    // The buffer, and an inflater.
    #expect(most <= limit + 1 + 32_768 + 7_168)
    #expect(machine.takeOutput() == serverClose(1009, RemoteError.messageTooBig.reason))
    #expect(machine.heldBytes == 0)
    #expect(pool.statistics.refusedSize == 1)
  }

  @Test func exactlyTheLimitPasses() throws {
    for count in [300, 65_536, 100_000] {
      let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
      let frame = RawFrame(0xC2, try Self.compressed(message)).bytes
      #expect(serveDeflated([frame], limits: Self.limits(count)).events == [.binary(message)])
      #expect(serveDeflated([frame], limits: Self.limits(count - 1)).events == [.error(.messageTooBig)])
    }
  }

  /// A long run inflates a thousandfold: refused above 64 KiB, while text that repeats itself within a limit of
  /// that length passes, and so does real JSON of any length.
  @Test func ratioIsBounded() throws {
    let settings = eager(ratio: 200)
    let run = [UInt8](repeating: 0x20, count: 1 << 20)
    #expect(
      serveDeflated(
        [RawFrame(0xC1, try Self.compressed(run)).bytes], settings: settings
      ).events == [.error(.inflationRatio)])
    let short = [UInt8](repeating: 0x20, count: 65_536)
    #expect(
      serveDeflated([RawFrame(0xC1, try Self.compressed(short)).bytes], settings: settings).events
        == [.text(short)])
    var rows = "["
    for row in 0..<8_000 { rows += "{\"wallet\":\"ETH:0x\(row &* 2_654_435_761)\",\"balance\":\"0\"}," }
    let json = Array(rows.utf8)
    #expect(
      serveDeflated(
        [RawFrame(0xC1, try Self.compressed(json)).bytes], settings: settings
      ).events == [.text(json)])
    #expect(RemoteError.inflationRatio.closeCode == .messageTooBig)
  }

  @Test func ratioCountsRefusals() throws {
    let pool = DeflatePool(eager(ratio: 10))
    var machine = WebSocketConnection(
      role: .server, limits: roomy,
      messageExtension: PerMessageDeflate(DeflateParameters(), role: .server, pool: pool))
    let run = try Self.compressed([UInt8](repeating: 0x20, count: 100_000))
    #expect(machine.feed(RawFrame(0xC1, run).bytes) == [.error(.inflationRatio)])
    #expect(pool.statistics.refusedRatio == 1)
    #expect(pool.statistics.inflatedMessages == 0)
  }

  /// Empty blocks inflate to nothing, for ever: the bytes on the wire are bounded too.
  @Test func emptyBlocksComeToAnEnd() {
    let blocks = [UInt8](repeating: 0, count: 1_000).enumerated().flatMap { _ in
      [0x00, 0, 0, 0xFF, 0xFF] as [UInt8]
    }
    var frames = RawFrame(0x42, blocks).bytes
    for _ in 0..<10 { frames += RawFrame(0x00, blocks).bytes }
    #expect(serveDeflated([frames], limits: Self.limits(10_000)).events == [.error(.messageTooBig)])
    // One frame of more than that is refused by its header.
    let long = RawFrame(0xC2).declaring(1 << 30).bytes
    #expect(serveDeflated([long], limits: Self.limits(10_000)).events == [.error(.messageTooBig)])
  }

  @Test func nothingIsHeldWithoutContextTakeover() throws {
    let pool = DeflatePool(eager(contextTakeover: false))
    let parameters = DeflateParameters(serverNoContextTakeover: true, clientNoContextTakeover: true)
    var machine = WebSocketConnection(
      role: .server, limits: roomy,
      messageExtension: PerMessageDeflate(parameters, role: .server, pool: pool))
    let message = RawFrame(0xC1, PerMessageDeflateTests.hello).bytes
    var out: [UInt8] = []
    for _ in 0..<3 {
      #expect(machine.feed(Array(message[..<8])) == [])
      // The few bytes themselves, and no zlib stream.
      #expect((1...64).contains(machine.heldBytes))
      #expect(machine.feed(Array(message[8...])) == [.text("Hello")])
      _ = machine.feed([])
      try machine.send(text: String(repeating: "a", count: 1_000), into: &out)
      #expect(machine.heldBytes == 0)
    }
    // The streams went back to the pool, one of each.
    let held = pool.heldBytes
    #expect(held > 0)
    _ = machine.feed(message)
    #expect(pool.heldBytes == held)
  }

  /// A message that is begun costs what came of it, until that is worth an inflater.
  @Test func aBeginningIsGathered() throws {
    let settings = eager(contextTakeover: false)
    var generator = SeededGenerator(seed: 1)
    let text = generator.bytes(20_000).map { $0 & 0x7F }
    let message = try Self.compressed(text)
    try #require(message.count > 2 * PerMessageDeflate.gatheredBytes)
    var machine = WebSocketConnection(
      role: .server, limits: roomy,
      messageExtension: PerMessageDeflate(
        DeflateParameters(serverNoContextTakeover: true, clientNoContextTakeover: true), role: .server,
        pool: DeflatePool(settings)))
    var frames = RawFrame(0x42, Array(message[..<PerMessageDeflate.gatheredBytes])).bytes
    #expect(machine.feed(frames) == [])
    #expect((4_096...8_192).contains(machine.heldBytes))
    frames = RawFrame(0x00, [message[PerMessageDeflate.gatheredBytes]]).bytes
    #expect(machine.feed(frames) == [])
    #expect(machine.heldBytes > 32_768 + 7_168)
    frames = RawFrame(0x80, Array(message[(PerMessageDeflate.gatheredBytes + 1)...])).bytes
    #expect(machine.feed(frames) == [.binary(text)])
    #expect(machine.heldBytes == 0)
  }

  /// What a connection with windows holds is what the documentation says.
  @Test func heldBytesAreStated() throws {
    let machine = PerMessageDeflate(
      DeflateParameters(clientMaxWindowBits: 12), role: .server, pool: DeflatePool(eager(windowBits: 12)))
    #expect(machine.heldBytes == 0)
    _ = [UInt8](repeating: 0x61, count: 100).withUnsafeBytes { machine.encode($0) }
    #expect(machine.heldBytes == 2 << 14 + 6_144)
    var buffer = AssemblyBuffer()
    try PerMessageDeflateTests.hello.withUnsafeBytes {
      try machine.decode($0, isLast: true, into: &buffer, limit: 100)
    }
    #expect(machine.heldBytes == 2 << 14 + 6_144 + 1 << 12 + 7_168)
    machine.release()
    #expect(machine.heldBytes == 0)
  }

  /// Random bytes as a compressed message end in a message or an error, however they are cut.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func noiseDoesNoHarm(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var payload = generator.bytes(300)
    if seed % 2 == 0 {
      // What was right, with a few bytes changed, gets further.
      payload = try Self.compressed(Array(String(repeating: "price_usd \(seed) ", count: 200).utf8))
      for _ in 0..<3 {
        payload[Int.random(in: 0..<payload.count, using: &generator)] ^= UInt8(generator.next() & 0xFF)
      }
    }
    let frame = RawFrame(0xC2, payload).bytes
    let whole = serveDeflated([frame])
    expectRandomFeeds(frame, giving: whole, seeds: 0..<3, longest: 40) { serveDeflated($0) }
  }
}
