import JSON
import TestSupport
import Testing

/// Whatever one client does wrong, its neighbour goes on getting its prices.
@Suite(.serialized) struct NeighbourTests {
  enum Offence: String, CaseIterable, Sendable {
    case unknownOperation = #"{"op":"dance","id":3}"#
    case badJSON = #"{"op":"#
    case notAnObject = #"[1]"#
    case badChecksum = #"{"op":"get","id":3,"wallet":"ETH:0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}"#
    case unknownChain = #"{"op":"get","id":3,"wallet":"NOPE:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"}"#
    case longID = #"{"op":"ping","id":"0123456789012345678901234567890123456789"}"#
    case noRate = #"{"op":"set","id":3,"rate":0}"#

    var code: JSONValue {
      switch self {
      case .unknownOperation: "unknown_op"
      case .badJSON, .notAnObject: self == .badJSON ? "bad_json" : "bad_request"
      case .badChecksum: "bad_wallet"
      case .unknownChain: "chain_unsupported"
      case .longID, .noRate: "bad_request"
      }
    }
    var keepsID: Bool { ![.badJSON, .notAnObject, .longID].contains(self) }
  }

  @Test func wordsThatAreRefused() async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      let client = try await scene.client()
      for (index, offence) in Offence.allCases.enumerated() {
        client.send(offence.rawValue)
        let error = try await client.next("error")
        #expect(error["code"] == offence.code, "\(offence): \(error)")
        #expect(error["id"] == (offence.keepsID ? 3 : nil), "\(offence): \(error)")
        #expect(error["message"]?.string?.isEmpty == false)
        try await scene.expectPrices(at: neighbour, "35\(index).25")
      }
      // Nobody is cut off for it.
      #expect(try await client.ask(8, #""op":"ping""#)["type"] == "pong")
    }
  }

  @Test func oneBadWalletFailsAlone() async throws {
    try await withScene { scene in
      let client = try await scene.client()
      let ok = try await client.ask(
        1,
        #""op":"subscribe","wallets":["ETH:0xZZ","\#(scene.wallet)","NOPE:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"]"#
      )
      #expect(ok["wallets"]?.array == [.string("\(scene.wallet)")])
      let codes = (ok["failed"]?.array ?? []).compactMap { $0["code"]?.string }
      #expect(codes.sorted() == ["bad_wallet", "chain_unsupported"])
    }
  }

  @Test func binaryMessage() async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      let client = try await scene.client()
      client.send(binary: [1, 2, 3])
      let end = try await client.ended()
      #expect(end.code == 1003)
      #expect(!end.reason.isEmpty)
      try await scene.expectPrices(at: neighbour, "351.25")
    }
  }

  @Test func messageTooBig() async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      let client = try await scene.client()
      client.send(#"{"op":"ping","x":""# + String(repeating: "x", count: 65_536) + #""}"#)
      let end = try await client.ended()
      #expect(end.code == 1009)
      #expect(!end.reason.isEmpty)
      try await scene.expectPrices(at: neighbour, "352.25")
    }
  }

  @Test(
    arguments: [
      // Not masked, a reserved bit, an opcode nobody knows, text that is not UTF-8 (masked with zeros).
      ([0x81, 0x01, 0x41], 1002), ([0xC1, 0x80, 0, 0, 0, 0], 1002), ([0x83, 0x80, 0, 0, 0, 0], 1002),
      ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007),
    ] as [([UInt8], UInt16)])
  func brokenFrames(_ bytes: [UInt8], _ code: UInt16) async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      let client = try await scene.client()
      client.send(raw: bytes)
      #expect(try await client.ended().code == code)
      try await scene.expectPrices(at: neighbour, "353.25")
    }
  }

  @Test(arguments: [
    "\u{16}\u{3}\u{1}garbage\r\n\r\n", "GET /ws HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
    "GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n",
    "POST /api/v1/wallets HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST /api/v1/wallets HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n",
    "POST /api/v1/wallets HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  ])
  func garbageOnThePort(_ text: String) async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      let wire = try await Wire.connect(port: try scene.port)
      wire.write(text)
      var bytes = try await wire.untilEnd()
      let taken = Answer.take(from: &bytes)
      let answer = try #require(taken, "\(String(decoding: bytes, as: UTF8.self))")
      #expect((400..<600).contains(answer.status))
      #expect(answer.json["code"]?.string != nil, "\(answer)")
      #expect(bytes.isEmpty)
      try await scene.expectPrices(at: neighbour, "354.25")
    }
  }

  @Test func longHead() async throws {
    try await withScene { scene in
      let wire = try await Wire.connect(port: try scene.port)
      wire.write("GET / HTTP/1.1\r\nHost: a\r\n")
      for index in 0..<50 { wire.write("X-\(index): \(String(repeating: "y", count: 1_000))\r\n") }
      var bytes = try await wire.untilEnd()
      #expect(Answer.take(from: &bytes)?.status == 431)
    }
  }

  @Test func goneWithoutGoodbye() async throws {
    try await withScene { scene in
      let neighbour = try await scene.watcher()
      let client = try await scene.watcher()
      let half = try await Wire.connect(port: try scene.port)
      half.write("GET /ws HTTP/1.1\r\nHo")
      client.abort()
      half.abort()
      try await scene.expectPrices(at: neighbour, "355.25")
      try await eventually("the client is forgotten") {
        try await scene.call("GET", "/api/v1/stats").json["connections"]?.int == 1
      }
    }
  }

  @Test func tooManyOperations() async throws {
    try await withScene({ $0.limits.opsPerSecond = 2 }) { scene in
      let neighbour = try await scene.watcher()
      let client = try await scene.client()
      for id in 1...20 { client.send(#"{"op":"ping","id":\#(id)}"#) }
      let replies = try await eventually("all replies") {
        let replies = client.frames.filter { $0["id"] != nil }
        return replies.count == 20 ? replies : nil
      }
      #expect(replies.compactMap { $0["id"]?.int } == Array(1...20))
      let refused = replies.filter { $0["code"] == "rate_limited" }
      #expect(!refused.isEmpty && refused.allSatisfy { ($0["retry_ms"]?.int ?? 0) > 0 })
      try await scene.expectPrices(at: neighbour, "356.25")
    }
  }

  @Test func tooManyWallets() async throws {
    try await withScene({ $0.limits.walletsPerConnection = 2 }) { scene in
      let client = try await scene.client()
      let names = scene.world.wallets.map { "\"\($0)\"" }.joined(separator: ",")
      let ok = try await client.ask(1, #""op":"subscribe","wallets":[\#(names)]"#)
      #expect(ok["wallets"]?.array?.count == 2)
      #expect(ok["failed"]?[0]?["code"] == "too_many_wallets")
    }
  }
}
