import TestSupport
import Testing
import WebSocket

/// A client and a server without a socket between them: what one writes the other reads, in random pieces.
private struct TwoEnds: ~Copyable {
  var client = WebSocketConnection(role: .client(maskingSeed: 1), limits: roomy)
  var server = WebSocketConnection(role: .server, limits: roomy)
  var toServer: [UInt8] = []
  var toClient: [UInt8] = []
  var clientHeard: [Recorded] = []
  var serverHeard: [Recorded] = []
  var generator: SeededGenerator

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
  }

  /// Carries bytes until nobody has any left.
  mutating func pump() {
    while !toServer.isEmpty || !toClient.isEmpty {
      let seed = generator.next()
      for chunk in Feed.random(seed: seed, longest: 500).chunks(of: toServer) {
        server.feed(chunk, &serverHeard)
      }
      toServer = []
      toClient += server.takeOutput()
      for chunk in Feed.random(seed: seed &+ 1, longest: 500).chunks(of: toClient) {
        client.feed(chunk, &clientHeard)
      }
      toClient = []
      toServer += client.takeOutput()
    }
  }
}

@Suite struct TwoEndsTests {
  @Test func talkPingAndClose() throws {
    var ends = TwoEnds(seed: 5)
    try ends.client.send(text: "subscribe", into: &ends.toServer)
    try ends.client.ping([1, 2], into: &ends.toServer)
    try ends.server.send(text: "hello", into: &ends.toClient)
    try ends.server.ping([9], into: &ends.toClient)
    ends.pump()
    #expect(ends.serverHeard == [.text("subscribe"), .ping([1, 2]), .pong([9])])
    #expect(
      ends.clientHeard == [.text("hello"), .ping([9]), .pong([1, 2])])
    try ends.server.close(.drain, reason: "drain", into: &ends.toClient)
    ends.pump()
    #expect(ends.clientHeard.last == .close(4100, "drain"))
    #expect(ends.serverHeard.last == .close(4100, ""))
    #expect(ends.client.state == .closed)
    #expect(ends.server.state == .closed)
    #expect(ends.client.heldBytes == 0)
    #expect(ends.server.heldBytes == 0)
  }

  @Test func bothCloseAtOnce() throws {
    var ends = TwoEnds(seed: 6)
    try ends.client.close(.goingAway, into: &ends.toServer)
    try ends.server.close(.drain, into: &ends.toClient)
    ends.pump()
    #expect(ends.clientHeard == [.close(4100, "")])
    #expect(ends.serverHeard == [.close(1001, "")])
    #expect(ends.client.state == .closed)
    #expect(ends.server.state == .closed)
  }

  @Test func aBrokenRuleReachesTheOtherEndAsAClose() {
    var ends = TwoEnds(seed: 7)
    ends.toServer = RawFrame(0x83).bytes
    ends.pump()
    #expect(ends.serverHeard == [.error(.reservedOpcode)])
    #expect(ends.clientHeard == [.close(1002, RemoteError.reservedOpcode.reason)])
    #expect(ends.server.state == .failed)
  }

  /// Whatever is sent arrives, however it is cut: random messages, whole and in fragments, with pings
  /// between them.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func whatIsSentArrives(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var ends = TwoEnds(seed: seed)
    var sent: [Recorded] = []
    for _ in 0..<30 {
      switch Int.random(in: 0..<4, using: &generator) {
      case 0:
        let text = randomText(&generator)
        try ends.client.send(text: text, into: &ends.toServer)
        sent.append(.text(text))
      case 1:
        let binary = generator.bytes(
          Int.random(in: 0...70000, using: &generator) >> Int.random(in: 0...12, using: &generator))
        try ends.client.send(binary: binary, into: &ends.toServer)
        sent.append(.binary(binary))
      case 2:
        let ping = generator.bytes(Int.random(in: 0...125, using: &generator))
        try ends.client.ping(ping, into: &ends.toServer)
        sent.append(.ping(ping))
      default:
        try sendFragments(of: randomText(&generator), &ends, &generator, &sent)
      }
    }
    ends.pump()
    #expect(ends.serverHeard == sent, "seed \(seed)")
    #expect(ends.server.heldBytes == 0, "seed \(seed)")
  }

  private func sendFragments(
    of text: String, _ ends: inout TwoEnds, _ generator: inout SeededGenerator, _ sent: inout [Recorded]
  ) throws {
    let pieces = Feed.random(seed: generator.next(), longest: 30).chunks(of: Array(text.utf8))
    for (index, piece) in pieces.enumerated() {
      let isLast = index == pieces.count - 1
      ends.toServer += RawFrame((isLast ? 0x80 : 0) | (index == 0 ? 1 : 0), piece).bytes
      if !isLast, Bool.random(using: &generator) {
        try ends.client.ping([UInt8(index & 0xFF)], into: &ends.toServer)
        sent.append(.ping([UInt8(index & 0xFF)]))
      }
    }
    if !pieces.isEmpty { sent.append(.text(text)) }
  }

  private func randomText(_ generator: inout SeededGenerator) -> String {
    let scalars: [Unicode.Scalar] = ["a", "\u{7F}", "é", "\u{7FF}", "€", "\u{FFFF}", "💰", "\u{10FFFF}"]
    var text = ""
    for _ in 0..<Int.random(in: 0...200, using: &generator) {
      text.unicodeScalars.append(scalars[Int.random(in: 0..<scalars.count, using: &generator)])
    }
    return text
  }

  /// Random bytes never trap, and end in nothing or in an error.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func noiseDoesNoHarm(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var noise = generator.bytes(400)
    // A good beginning gets further into the machine.
    noise[0] = [0x81, 0x82, 0x01, 0x02, 0x89, 0x88][Int.random(in: 0..<6, using: &generator)]
    noise[1] |= 0x80
    let whole = serve([noise])
    expectRandomFeeds(noise, giving: whole, seeds: 0..<3, longest: 9) { serve($0) }
    _ = receiveAsClient([noise])
  }
}
