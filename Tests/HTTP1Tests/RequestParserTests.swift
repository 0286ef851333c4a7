import HTTP1
import TestSupport
import Testing

@Suite struct RequestParserTests {
  /// The bytes behind an upgrade's `end` belong to the next protocol: they stay in the input.
  @Test func upgradeLeavesWhatFollows() throws {
    let request =
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
    let frame: [UInt8] = [0x81, 0x80, 0, 0, 0, 0]
    let bytes = Array(request.utf8) + frame
    for headStart in stride(from: 0, to: request.utf8.count, by: 7) {
      var parser = RequestParser(limits: .test)
      try bytes.withUnsafeBytes { whole in
        var first = UnsafeRawBufferPointer(rebasing: whole[..<headStart])
        #expect(try parser.next(&first) == nil)
        var input = UnsafeRawBufferPointer(rebasing: whole[headStart...])
        guard case .head(let head) = try parser.next(&input), case .end = try parser.next(&input) else {
          Issue.record("expected head and end")
          return
        }
        #expect(head.asksToUpgrade(to: "websocket"))
        #expect(!head.asksToUpgrade(to: "h2c"))
        #expect(Array(input) == frame)
      }
    }
  }

  @Test func bodyPiecesLieInTheInput() throws {
    let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody".utf8)
    var parser = RequestParser(limits: .test)
    try bytes.withUnsafeBytes { whole in
      var input = whole
      guard case .head = try parser.next(&input), case .body(let piece) = try parser.next(&input) else {
        Issue.record("expected head and body")
        return
      }
      #expect(piece.baseAddress == whole.baseAddress.map { $0 + whole.count - 4 })
      #expect(input.isEmpty)
    }
  }

  @Test func idleBetweenRequestsOnly() throws {
    let request = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi".utf8)
    var parser = RequestParser(limits: .test)
    for _ in 0..<2 {
      #expect(parser.isIdle)
      for (index, byte) in request.enumerated() {
        try [byte].withUnsafeBytes { buffer in
          var input = buffer
          while try parser.next(&input) != nil {}
        }
        #expect(parser.isIdle == (index == request.count - 1))
      }
    }
  }

  /// A hundred thousand of them wait: the size is a promise.
  @Test func isSmall() {
    #expect(MemoryLayout<RequestParser>.size <= 256)
  }

  @Test(
    arguments: [
      (1, [:], true), (0, [:], false), (1, ["Connection": "close"], false),
      (1, ["Connection": "Upgrade", "connection": "a , CLOSE"], false),
      (0, ["Connection": "Keep-Alive"], true), (0, ["Connection": "keep-alive, close"], false),
      (1, ["Connection": "closed, x-close"], true),
    ] as [(Int, HTTPHeaders, Bool)])
  func keepAlive(_ minorVersion: Int, _ headers: HTTPHeaders, _ expected: Bool) {
    let request = RequestHead(method: "GET", target: "/", minorVersion: minorVersion, headers: headers)
    #expect(request.keepAlive == expected)
    #expect(ResponseHead(status: 200, minorVersion: minorVersion, headers: headers).keepAlive == expected)
  }

  @Test func whatAHeadSays() {
    var head = RequestHead(
      method: "GET", target: "/", minorVersion: 0,
      headers: ["Expect": "100-continue", "Connection": "upgrade", "Upgrade": "websocket"])
    #expect(!head.expectContinue)
    #expect(!head.asksToUpgrade(to: "websocket"))
    #expect(head.host == nil)
    head.minorVersion = 1
    #expect(head.expectContinue)
    #expect(head.asksToUpgrade(to: "websocket"))
    head.headers.append("Host", "a")
    #expect(head.host == "a")
    head.targetAuthority = "b"
    #expect(head.host == "b")
  }

  /// Mutated good requests: events or an `HTTPError`, the same for every cutting, and never a trap.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func mutations(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array("\r\n\0\t :;,=\"\\%#/+-0123456789afAFxX.[]".utf8) + [0x7F, 0x80, 0xFF]
    let corpus = acceptedRequests.map(\.text) + refusedRequests.map(\.text)
    for text in corpus {
      var bytes = Array(text.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        let byte = try #require(alphabet.randomElement(using: &generator))
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[index] = byte
        case 1: bytes.insert(byte, at: index)
        default: if bytes.count > 1 { bytes.remove(at: index) }
        }
      }
      let whole = readRequests([bytes])
      #expect(readRequests(bytes.map { [$0] }) == whole, "seed \(seed): \(text.debugDescription)")
    }
  }
}
