import JSON
import TestSupport
import Testing

@testable import Server

/// Many clients that mean harm: what they hold is bounded, they are got rid of, and a neighbour's prices keep coming.
///
/// Times are short so that the tests are; none of them is measured.
@Suite(.serialized) struct HostileTests {
  /// Enough to tell bounded from not: in a debug build, with the attackers in the same process.
  private static let memory = 64 << 20
  /// Soon over, and yet not before an honest neighbour has shaken hands on a busy machine.
  private static let handshake = Duration.seconds(2)

  private func wires(_ count: Int, _ scene: Scene) async throws -> [Wire] {
    var wires: [Wire] = []
    for _ in 0..<count { wires.append(try await Wire.connect(port: try scene.port)) }
    return wires
  }

  /// Writes a byte to each of those that are open until all have ended.
  private func drip(_ wires: [Wire], _ byte: String) async throws {
    try await eventually("the end of all that drip") {
      let open = wires.filter { !$0.isEnded }
      for wire in open { wire.write(byte) }
      return open.isEmpty
    }
  }

  private func status(_ wire: Wire) -> Int? {
    var bytes = wire.bytes
    return Answer.take(from: &bytes)?.status
  }

  // MARK: - Slow

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: a\r\nX: ",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: ",
    "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n",
    "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;",
  ])
  func headsAndBodiesThatDrip(_ text: String) async throws {
    try await withScene({ $0.limits.handshake = Self.handshake }) { scene in
      let neighbour = try await scene.watcher()
      try await expectMemory(below: Self.memory) {
        let slow = try await wires(100, scene)
        for wire in slow { wire.write(text) }
        try await scene.expectPrices(at: neighbour, "401.25")
        try await drip(slow, "a")
        #expect(slow.allSatisfy { status($0) == 408 })
        try await scene.expectPrices(at: neighbour, "402.25")
      }
      try await scene.untilOpen(1)
      #expect(try scene.budget.addressCount == 0)
    }
  }

  @Test func connectionsThatSayNothing() async throws {
    try await withScene({ $0.limits.handshake = Self.handshake }) { scene in
      let neighbour = try await scene.watcher()
      let mute = try await wires(100, scene)
      try await scene.expectPrices(at: neighbour, "403.25")
      for wire in mute { #expect(try await wire.untilEnd().isEmpty) }
      try await scene.untilOpen(1)
    }
  }

  /// An empty line and then a byte now and then: the first head is awaited from the accept.
  @Test func emptyLinesPutNothingOff() async throws {
    try await withScene({ $0.limits.handshake = Self.handshake }) { scene in
      let slow = try await Wire.connect(port: try scene.port)
      slow.write("\r\n")
      try await drip([slow], "G")
      #expect(status(slow) == 408)
    }
  }

  @Test func restBetweenRequestsEnds() async throws {
    try await withScene({ $0.limits.keepAlive = .milliseconds(300) }) { scene in
      let wire = try await Wire.connect(port: try scene.port)
      wire.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
      var bytes = try await wire.untilEnd()
      #expect(Answer.take(from: &bytes)?.status == 200)
      #expect(bytes.isEmpty)
    }
  }

  /// Answers of 1 MiB, asked for again and again, and never taken.
  @Test func answersThatAreNotTaken() async throws {
    let folder = try TemporaryFolder()
    try folder.write("index.html", String(repeating: "x", count: 1 << 20))
    try await withScene({
      $0.http.webRoot = folder.path
      $0.limits.slow = .milliseconds(500)
    }) { scene in
      let neighbour = try await scene.watcher()
      try await expectMemory(below: 4 * Self.memory) {
        let slow = try await wires(20, scene)
        for wire in slow {
          wire.pause()
          wire.write(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 500))
        }
        try await scene.expectPrices(at: neighbour, "404.25")
        // Of 500 answers to each at most one is begun beyond `limits.unsentBytes`.
        try await eventually("all to be got rid of") {
          #expect(try await scene.heldBytes() < 20 * ((1 << 20) + scene.settings.limits.unsentBytes + 1_024))
          return try scene.budget.open == 1
        }
        try await scene.expectPrices(at: neighbour, "405.25")
      }
    }
  }

  /// Nor does the kernel take what it can't send: else a slow client would cost megabytes there, and look like a fast one.
  @Test func theKernelHoldsLittle() async throws {
    let folder = try TemporaryFolder()
    try folder.write("index.html", String(repeating: "x", count: 1 << 20))
    try await withScene({ $0.http.webRoot = folder.path }) { scene in
      let wire = try await Wire.connect(port: try scene.port)
      wire.pause()
      wire.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      try await eventually("most of the answer to wait here") {
        try await scene.heldBytes() > 1 << 19
      }
    }
  }

  /// The same by one who takes them: all come, whole and in order.
  @Test func pipelinedAnswersThatAreTaken() async throws {
    let folder = try TemporaryFolder()
    let page = String(repeating: "x", count: 100_000)
    try folder.write("index.html", page)
    try await withScene({ $0.http.webRoot = folder.path }) { scene in
      let wire = try await Wire.connect(port: try scene.port)
      let requests = String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 40)
      wire.write(requests + "GET /api/v1/stats HTTP/1.1\r\nHost: a\r\n\r\n" + requests)
      wire.write("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      var bytes = try await wire.untilEnd()
      var lengths: [Int] = []
      while let answer = Answer.take(from: &bytes) { lengths.append(answer.body.count) }
      #expect(lengths.count == 82)
      #expect(
        lengths.filter { $0 == page.utf8.count }.count == 80 && lengths[40] < 50_000 && lengths[81] < 100)
    }
  }

  /// A WebSocket that began behind an answer that was waited for is read like any other.
  @Test func upgradeBehindAnAnswer() async throws {
    try await withScene { scene in
      let wire = try await Wire.connect(port: try scene.port)
      wire.write("GET /api/v1/stats HTTP/1.1\r\nHost: a\r\n\r\n" + Wire.handshake("/ws"))
      try await eventually("hello") { wire.bytes.firstRange(of: Array(#""type":"hello""#.utf8)) }
      let ping = Array(#"{"op":"ping"}"#.utf8)
      wire.write([0x81, 0x80 | UInt8(ping.count), 0, 0, 0, 0] + ping)
      try await eventually("pong") { wire.bytes.firstRange(of: Array(#""type":"pong""#.utf8)) }
    }
  }

  // MARK: - WebSockets

  @Test(arguments: ["pings", "pongs", "operations", "garbage"])
  func floods(_ kind: String) async throws {
    try await withScene({
      $0.limits.opsPerSecond = 1
      $0.limits.excessMessages = 100
    }) { scene in
      let neighbour = try await scene.watcher()
      // Masked with zeros: as they stand.
      let frame: [UInt8] =
        switch kind {
        case "pings": [0x89, 0x84, 0, 0, 0, 0, 1, 2, 3, 4]
        case "pongs": [0x8A, 0x80, 0, 0, 0, 0]
        case "operations": [0x81, 0x8D, 0, 0, 0, 0] + Array(#"{"op":"ping"}"#.utf8)
        default: [0x81, 0x80, 0, 0, 0, 0]
        }
      let flood = Array(repeating: frame, count: 50_000).flatMap { $0 }
      try await expectMemory(below: Self.memory) {
        var clients: [PushTester] = []
        for _ in 0..<10 { clients.append(try await scene.client()) }
        for client in clients { client.send(raw: flood) }
        try await scene.expectPrices(at: neighbour, "406.25")
        for client in clients {
          let end = try await client.ended()
          #expect(end.code == 4003 && !end.reason.isEmpty, "\(end)")
          #expect(client.frames.count < 300, "no reply for each")
        }
        #expect(try await scene.heldBytes() < 1 << 20)
      }
      try await scene.expectPrices(at: neighbour, "407.25")
    }
  }

  @Test(arguments: [0, 1])
  func tinyFragments(_ bytes: Int) async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      let rest: [UInt8] = [0, 0x80 | UInt8(bytes), 0, 0, 0, 0] + [UInt8](repeating: 0x20, count: bytes)
      var flood: [UInt8] = [0x01, 0x80, 0, 0, 0, 0]
      for _ in 0..<20_000 { flood += rest }
      var clients: [PushTester] = []
      for _ in 0..<10 { clients.append(try await scene.client()) }
      for client in clients { client.send(raw: flood) }
      for client in clients { #expect(try await client.ended().code == 1008) }
      try await scene.expectPrices(at: neighbour, "408.25")
    }
  }

  /// A frame that says it is long makes nothing grow.
  @Test func framesThatAreNeverFinished() async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      for _ in 0..<50 {
        let wire = try await Wire.webSocket(port: try scene.port)
        wire.write([0x81, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0, 0x20])
      }
      try await scene.expectPrices(at: neighbour, "409.25")
      #expect(try await scene.heldBytes() < 50 * 1_024)
      try await scene.expectPrices(at: neighbour, "410.25")
    }
  }

  @Test func halfOpen() async throws {
    try await withScene({
      $0.limits.idlePing = .milliseconds(200)
      // The neighbour's answers have to come in time.
      $0.limits.pong = .seconds(4)
    }) { scene in
      let neighbour = try await scene.watcher()
      var gone: [Wire] = []
      for _ in 0..<50 { gone.append(try await Wire.webSocket(port: try scene.port)) }
      try await scene.expectPrices(at: neighbour, "411.25")
      let reason: [UInt8] = [0x10, 0x0D] + Array("no pong".utf8)  // behind the code, 4109
      for wire in gone {
        let bytes = try await wire.untilEnd()
        #expect(bytes.firstRange(of: reason) != nil)
      }
      try await scene.untilOpen(1)
      try await scene.expectPrices(at: neighbour, "412.25")
    }
  }

  // MARK: - Too many

  @Test func connectionsBeyondTheLimit() async throws {
    try await withScene({
      $0.limits.connections = 20
      // Those that hold places say nothing.
      $0.limits.handshake = .seconds(3_600)
    }) { scene in
      let neighbour = try await scene.watcher()
      try await scene.untilOpen(1)
      let holding = try await wires(19, scene)
      try await scene.untilOpen(20)
      try await expectMemory(below: Self.memory) {
        for round in 0..<5 {
          let refused = try await wires(100, scene)
          for wire in refused { wire.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") }
          for wire in refused {
            var bytes = try await wire.untilEnd()
            let answer = try #require(Answer.take(from: &bytes))
            #expect(answer.status == 503 && answer[header: "Retry-After"] == "5" && bytes.isEmpty)
            #expect(answer[header: "Connection"] == "close")
            #expect(answer.json["code"] == "too_many_connections")
          }
          #expect(try scene.budget.open == 20)
          try await scene.expectPrices(at: neighbour, "42\(round).25")
        }
      }
      holding[0].abort()
      try await scene.untilOpen(19)
      #expect(try await scene.call("GET", "/healthz").status == 200)
      holding[1].abort()
      try await eventually("the metric") {
        let text = try await scene.call("GET", "/metrics").text
        let counts = text.split(separator: "\n").filter {
          $0.hasPrefix("walletpush_eventloop_refused_total{") && $0.contains(#"limit="connections""#)
        }
        return counts.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +) >= 500
      }
    }
  }

  @Test func connectionsOfOneAddress() async throws {
    try await withScene({
      $0.limits.connectionsPerAddress = 3
      $0.limits.handshake = .seconds(3_600)
    }) { scene in
      let neighbour = try await scene.watcher()
      let holding = try await wires(2, scene)
      try await scene.untilOpen(3)
      #expect(try await scene.call("GET", "/healthz").status == 503)
      try await scene.expectPrices(at: neighbour, "431.25")
      holding[0].abort()
      try await scene.untilOpen(2)
      #expect(try await scene.call("GET", "/healthz").status == 200)
    }
  }

  @Test func clientsBehindAProxy() async throws {
    try await withScene({
      $0.limits.connectionsPerAddress = 2
      $0.http.trustedProxies = [AddressRange("127.0.0.0/8")].compactMap { $0 }
    }) { scene in
      func client(_ forwarded: String) async throws -> PushTester {
        try await scene.client(headers: [("X-Forwarded-For", forwarded)])
      }
      // The proxy itself is nobody's client.
      let neighbour = try await scene.watcher()
      let held = [try await client("198.51.100.7"), try await client("192.0.2.1, 198.51.100.7, 127.0.0.9")]
      let more = try await client("203.0.113.1, 198.51.100.7").ended()
      #expect(more.code == 4111 && !more.reason.isEmpty, "\(more)")
      let headers = [("X-Forwarded-For", "198.51.100.7")]
      let answer = try await scene.call("GET", "/healthz", headers: headers)
      #expect(answer.status == 503 && answer[header: "Retry-After"] == "5", "\(answer)")
      #expect(answer.json["code"] == "too_many_connections")
      // Others come in, and one /64 is one of them.
      let others = [try await client("2001:db8::1"), try await client("2001:db8::2")]
      #expect(try await client("2001:db8::3").ended().code == 4111)
      for client in held + others { #expect(try await client.ask(1, #""op":"ping""#)["type"] == "pong") }
      // Nor does a body wait outside: it is not asked for.
      let wire = try await Wire.connect(port: try scene.port)
      wire.write(
        "POST /api/v1/wallets HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\nExpect: 100-continue\r\n"
          + "Content-Length: 60\r\n\r\n")
      #expect(String(decoding: try await wire.untilEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
      // A plain request counts until its answer is taken, a WebSocket until it ends.
      held[0].close()
      try await eventually("room for the address") {
        try await scene.call("GET", "/healthz", headers: headers).status == 200
      }
      for _ in 0..<3 { #expect(try await scene.call("GET", "/healthz", headers: headers).status == 200) }
      #expect(try await client("198.51.100.7").ask(1, #""op":"ping""#)["type"] == "pong")
      try await scene.expectPrices(at: neighbour, "432.25")
    }
  }
}
