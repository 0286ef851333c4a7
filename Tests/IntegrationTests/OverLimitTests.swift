import Ethereum
import EventLoop
import TestSupport
import Testing

@testable import Server

/// Connections beyond `limits.connections` and `limits.connectionsPerAddress`: each is told so in its own protocol, and
/// nobody else notices.
@Suite(.serialized) struct OverLimitTests {
  enum Limit: String, CaseIterable, Sendable {
    case connections
    case address

    var words: String { self == .connections ? "come back later" : "from your address" }
  }

  /// Soon over, and yet not before an honest neighbour has shaken hands on a busy machine.
  private static let handshake = Duration.seconds(2)

  /// Which no server knows.
  private static let wallet = "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"

  /// A full server: two watchers hold its places. The test gets one of them and a client's TLS.
  private func withFull(
    _ limit: Limit, secure: Bool = false, handshake: Duration = .seconds(10),
    _ body: (Scene, PushTester, TLSClient?) async throws -> Void
  ) async throws {
    let files = secure ? try CertificateFiles() : nil
    try await withScene({ settings in
      settings.http.tls = files?.settings
      settings.limits.handshake = handshake
      settings.limits.bodyBytes = 1 << 20
      switch limit {
      case .connections: settings.limits.connections = 2
      case .address: settings.limits.connectionsPerAddress = 2
      }
    }) { scene in
      let neighbour = try await scene.watcher(tls: files?.client)
      let other = try await scene.client(tls: files?.client)
      try await body(scene, neighbour, files?.client)
      #expect(try await other.ask(9, #""op":"ping""#)["type"] == "pong")
      #expect(try scene.budget.open == 2)
    }
  }

  /// Refused for the limit, refused for the other one, and turned away.
  private func counts(_ limit: Limit, _ scene: Scene) async throws -> [UInt64] {
    var counts: [UInt64] = [0, 0, 0]
    for shard in try scene.server.services.shards {
      let now = try await shard.loop.perform { shard.loop.statistics }
      let refused = [now.refusedConnections, now.refusedAddress]
      counts[0] += limit == .connections ? refused[0] : refused[1]
      counts[1] += limit == .connections ? refused[1] : refused[0]
      counts[2] += now.turnedAway
    }
    return counts
  }

  private func untilFree(_ scene: Scene) async throws {
    try await eventually("the places of those turned away") {
      try scene.budget.turnedAwayOpen == 0
    }
  }

  /// A connection that the server has refused, by its own account, and that has said nothing yet.
  private func refusedWire(
    _ limit: Limit, _ scene: Scene, _ tls: TLSClient?, number: UInt64 = 1
  ) async throws -> Wire {
    let wire = try await Wire.connect(port: try scene.port, tls: tls)
    try await eventually("the refusal") { try await counts(limit, scene)[0] == number }
    try await eventually("the connection") { wire.isConnected }
    return wire
  }

  private func expectTurnedAway(_ wire: Wire, _ limit: Limit, isHead: Bool = false) async throws {
    try await eventually("the end") { wire.closeReason }
    var bytes = wire.bytes
    let answer = try #require(
      Answer.take(from: &bytes, isHead: isHead), "\(String(describing: wire.closeReason))")
    #expect(bytes.isEmpty && wire.closeReason == .requested, "no reset")
    #expect(answer.status == 503 && answer[header: "Retry-After"] == "5", "\(answer)")
    #expect(answer[header: "Connection"] == "close")
    guard !isHead else { return }
    #expect(answer.json["code"] == "too_many_connections")
    #expect(answer.json["error"]?.string?.contains(limit.words) == true, "\(answer)")
  }

  // MARK: - Told

  @Test(arguments: Limit.allCases, [false, true])
  func aWebSocketIsClosedWithItsCode(_ limit: Limit, _ secure: Bool) async throws {
    try await withFull(limit, secure: secure) { scene, neighbour, tls in
      let unknown = try WalletKey(parsing: Self.wallet)
      for round in 1...20 {
        let end = try await scene.client("/ws?wallet=\(unknown)", tls: tls).ended()
        #expect(end.code == 4111 && end.reason.contains(limit.words), "\(end)")
        #expect(try await counts(limit, scene) == [UInt64(round), 0, UInt64(round)])
      }
      try await scene.expectPrices(at: neighbour, "441.25")
      try await untilFree(scene)
      #expect(try await scene.server.services.ledger.walletID(of: unknown) == nil)
    }
  }

  /// All at once, as after a lost network.
  @Test func manyWebSocketsAtOnce() async throws {
    try await withFull(.connections) { scene, neighbour, _ in
      let codes = try await withThrowingTaskGroup(of: UInt16?.self) { group in
        for _ in 0..<60 { group.addTask { try await scene.client().ended().code } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes == Array(repeating: 4111, count: 60))
      #expect(try await counts(.connections, scene) == [60, 0, 60])
      try await scene.expectPrices(at: neighbour, "442.25")
    }
  }

  /// They speak when the refusal is long decided, and look for an answer only then.
  @Test(arguments: ["GET", "HEAD", "POST", "EXPECT", "UPGRADE"], [false, true])
  func whoeverSpeaksLateReadsTheAnswer(_ kind: String, _ secure: Bool) async throws {
    let wallet = try WalletKey(parsing: Self.wallet)
    let body = #"{"chain":"ETH","address":"\#(wallet.address)"}"# + String(repeating: " ", count: 300_000)
    let post = "POST /api/v1/wallets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    let request =
      switch kind {
      case "POST": post + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
      // It waits to be asked for the body, and is not.
      case "EXPECT": post + "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
      // Only the WebSocket's own address is upgraded.
      case "UPGRADE": Wire.handshake("/api/v1/wallets/\(wallet)/balances")
      default: "\(kind) /api/v1/wallets/\(wallet)/balances HTTP/1.1\r\nHost: a\r\n\r\n"
      }
    for limit in Limit.allCases {
      try await withFull(limit, secure: secure) { scene, neighbour, tls in
        let wire = try await refusedWire(limit, scene, tls)
        wire.pause()
        wire.write(request)
        wire.resume()
        try await expectTurnedAway(wire, limit, isHead: kind == "HEAD")
        try await untilFree(scene)
        #expect(try await counts(limit, scene) == [1, 0, 1])
        #expect(try await scene.server.services.ledger.walletID(of: wallet) == nil)
        try await scene.expectPrices(at: neighbour, "443.25")
      }
    }
  }

  // MARK: - Slow

  /// Neither a byte now and then nor a stuck handshake keeps the place.
  @Test(arguments: ["", "GET / HTTP/1.1\r\nX: ", "\r\n"], [false, true])
  func whoeverIsSlowIsDropped(_ text: String, _ secure: Bool) async throws {
    try await withFull(.address, secure: secure, handshake: Self.handshake) { scene, neighbour, tls in
      let wire = try await refusedWire(.address, scene, tls)
      wire.write(text)
      try await eventually("the end of one that drips") {
        if wire.isEnded { return true }
        if !text.isEmpty { wire.write("a") }
        return nil
      }
      if text.hasPrefix("GET") {
        var bytes = wire.bytes
        #expect(Answer.take(from: &bytes)?.json["code"] == "too_many_connections")
      }
      try await untilFree(scene)
      try await scene.expectPrices(at: neighbour, "444.25")
      #expect(try await counts(.address, scene) == [1, 0, 1])
    }
  }

  @Test func aStuckTLSHandshakeIsDropped() async throws {
    try await withFull(.connections, secure: true, handshake: Self.handshake) { scene, neighbour, _ in
      let wire = try await refusedWire(.connections, scene, nil)
      wire.write([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x01])
      #expect(try await wire.untilEnd().isEmpty)
      try await untilFree(scene)
      try await scene.expectPrices(at: neighbour, "445.25")
    }
  }

  /// It was told, but takes nothing and never ends its side.
  @Test func whoeverStaysIsDropped() async throws {
    try await withFull(.connections) { scene, neighbour, _ in
      let wire = try await refusedWire(.connections, scene, nil)
      wire.pause()
      wire.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      try await untilFree(scene)
      #expect(wire.bytes.isEmpty && wire.closeReason == nil)
      try await scene.expectPrices(at: neighbour, "446.25")
      wire.abort()
    }
  }

  @Test func aHeadThatIsTooLong() async throws {
    try await withFull(.connections) { scene, _, _ in
      let wire = try await refusedWire(.connections, scene, nil)
      wire.write("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 20_000))
      var bytes = try await wire.untilEnd()
      #expect(Answer.take(from: &bytes)?.status == 431)
      try await untilFree(scene)
    }
  }

  // MARK: - Flood

  /// Those that say nothing take all places; from the next one on the refusal comes unasked, as no other answer does.
  @Test func aFloodIsRefusedAtOnce() async throws {
    try await withFull(.connections) { scene, neighbour, _ in
      var wires: [Wire] = []
      let refused = try await eventually("a refusal at once") {
        for _ in 0..<100 { wires.append(try await Wire.connect(port: try scene.port)) }
        return wires.first { !$0.bytes.isEmpty }
      }
      var bytes = try await refused.untilEnd()
      let answer = try #require(Answer.take(from: &bytes))
      #expect(answer.status == 503 && answer[header: "Retry-After"] == "5" && bytes.isEmpty)
      #expect(answer.json["code"] == "too_many_connections")
      try await scene.expectPrices(at: neighbour, "447.25")
      for wire in wires { wire.abort() }
      try await untilFree(scene)
      let (all, other, told) = try await { ($0[0], $0[1], $0[2]) }(counts(.connections, scene))
      #expect(all == UInt64(wires.count) && other == 0 && told >= 256 && told < all)
      #expect(try await scene.client().ended().code == 4111)
    }
  }

  /// A place that becomes free is the next one's, and whoever is turned away then is not in its way.
  @Test func aFreePlaceIsTaken() async throws {
    try await withFull(.address) { scene, neighbour, _ in
      let away = try await refusedWire(.address, scene, nil)
      neighbour.close()
      try await scene.untilOpen(1)
      #expect(try await scene.call("GET", "/healthz").status == 200)
      try await scene.untilOpen(1)
      away.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
      try await expectTurnedAway(away, .address)
      let client = try await scene.client()
      #expect(try await client.ask(1, #""op":"ping""#)["type"] == "pong")
    }
  }
}
