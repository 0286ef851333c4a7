import TestSupport
import Testing
import WebSocket

/// Client and server, with all that can be negotiated: whatever is sent arrives.
@Suite struct DeflateTwoEndsTests {
  private static func message(_ generator: inout SeededGenerator) -> [UInt8] {
    let words = ["balance", "price_usd", "ETH:native", "0x", "💰", "\"stale\"", ",", "{", "}"]
    let count = Int.random(in: 0...3_000, using: &generator) >> Int.random(in: 0...8, using: &generator)
    if Int.random(in: 0..<4, using: &generator) == 0 { return generator.bytes(count * 4) }
    return (0..<count).flatMap { _ in Array(words[Int.random(in: 0..<words.count, using: &generator)].utf8) }
  }

  private static func exchange(
    _ offer: DeflateOffer, _ settings: DeflateSettings, seed: UInt64
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let agreement = try #require(settings.accept([offer.extensionOffer]))
    let agreed = try #require(try offer.agreed([agreement.answer]))
    var server = WebSocketConnection(
      role: .server, limits: roomy,
      messageExtension: PerMessageDeflate(agreement.parameters, role: .server, pool: DeflatePool(settings)))
    var client = WebSocketConnection(
      role: .client(maskingSeed: seed), limits: roomy,
      messageExtension: PerMessageDeflate(agreed, role: .client, pool: DeflatePool(eager())))
    var (sent, heard): ([Recorded], [Recorded]) = ([], [])
    for round in 0..<24 {
      let message = Self.message(&generator)
      sent.append(.binary(message))
      var wire: [UInt8] = []
      if round % 2 == 0 {
        try client.send(binary: message, into: &wire)
      } else {
        try server.send(binary: message, into: &wire)
      }
      for chunk in Feed.random(seed: generator.next(), longest: 900).chunks(of: wire) {
        if round % 2 == 0 { server.feed(chunk, &heard) } else { client.feed(chunk, &heard) }
      }
    }
    #expect(
      heard == sent, "seed \(seed), \(offer.extensionOffer.headerValue), \(agreement.answer.headerValue)")
  }

  @Test(arguments: [false, true], [9, 10, 12, 15])
  func everyWindowAndTakeover(_ contextTakeover: Bool, _ windowBits: Int) throws {
    let windows: [DeflateOffer.ClientWindow] = [.notOffered, .any, .bits(8), .bits(9), .bits(15)]
    var seed: UInt64 = 0
    for window in windows {
      for serverBits in [nil, 9, 13, 15] as [Int?] {
        for (server, client) in [(false, false), (true, false), (false, true), (true, true)] {
          seed += 1
          let offer = DeflateOffer(
            serverNoContextTakeover: server, clientNoContextTakeover: client,
            serverMaxWindowBits: serverBits, clientMaxWindowBits: window)
          try Self.exchange(
            offer, eager(contextTakeover: contextTakeover, windowBits: windowBits), seed: seed)
        }
      }
    }
  }

  /// Many connections on one pool, their messages cut and mixed: no window leaks from one into another.
  @Test func connectionsShareAPool() throws {
    let pool = DeflatePool(eager(contextTakeover: false, windowBits: 12))
    let parameters = DeflateParameters(serverNoContextTakeover: true, clientNoContextTakeover: true)
    var generator = SeededGenerator(seed: 9)
    final class End {
      var machine: WebSocketConnection
      var wire: ArraySlice<UInt8> = []
      var heard: [Recorded] = []
      let sent: [UInt8]
      init(_ sent: [UInt8], _ pool: DeflatePool, _ parameters: DeflateParameters) throws {
        self.sent = sent
        machine = WebSocketConnection(
          role: .client(maskingSeed: 1), limits: roomy,
          messageExtension: PerMessageDeflate(parameters, role: .client, pool: pool))
        var server = WebSocketConnection(
          role: .server, limits: roomy,
          messageExtension: PerMessageDeflate(parameters, role: .server, pool: pool))
        var out: [UInt8] = []
        try server.send(binary: sent, into: &out)
        wire = out[...]
      }
    }
    let ends = try (0..<10).map { _ in try End(Self.message(&generator), pool, parameters) }
    while ends.contains(where: { !$0.wire.isEmpty }) {
      for end in ends where !end.wire.isEmpty {
        let count = min(end.wire.count, Int.random(in: 1...60, using: &generator))
        end.machine.feed(Array(end.wire.prefix(count)), &end.heard)
        end.wire = end.wire.dropFirst(count)
      }
    }
    for end in ends { #expect(end.heard == [.binary(end.sent)]) }
  }
}
