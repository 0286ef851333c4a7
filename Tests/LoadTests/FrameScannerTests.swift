import TestSupport
import Testing

@testable import Load

@Suite struct FrameScannerTests {
  static let price =
    #"{"type":"price","token":"ETH:0xa0b8","price_usd":"1.0002","change_24h":"-0.01","price_state":"fresh","price_at":1763805600123,"rev":8122}"#
  static let unpriced =
    #"{"type":"price","token":"ETH:native","price_usd":null,"change_24h":null,"price_state":"unknown","price_at":null,"rev":0}"#
  static let balance =
    #"{"type":"balance","wallet":"ETH:0xd8da","token":"ETH:0xa0b8","balance":"25000000","balance_state":"fresh","block":21000001,"rev":8123}"#
  static let heartbeat = #"{"type":"heartbeat","epoch":"k3f9","rev":8140}"#

  /// As the server writes them: by template.
  static let fitting: [(String, [ServerFrame])] = [
    (price, [.data(.price, revision: 8_122, acceptedAt: 1_763_805_600_123)]),
    (unpriced, [.data(.price, revision: 0, acceptedAt: nil)]),
    (balance, [.data(.balance, revision: 8_123, acceptedAt: nil)]),
    (
      #"{"type":"balance","wallet":"ETH:0xd8da","token":"ETH:0x1","balance":null,"balance_state":"unknown","block":null,"rev":9007199254740991}"#,
      [.data(.balance, revision: ServerFrame.revisionLimit - 1, acceptedAt: nil)]
    ),
    (heartbeat, [.heartbeat(epoch: "k3f9", revision: 8_140)]),
    (#"{"type":"heartbeat","epoch":"","rev":0}"#, [.heartbeat(epoch: "", revision: 0)]),
    (
      #"{"type":"batch","frames":[\#(price),\#(balance),\#(unpriced)]}"#,
      [
        .data(.price, revision: 8_122, acceptedAt: 1_763_805_600_123),
        .data(.balance, revision: 8_123, acceptedAt: nil), .data(.price, revision: 0, acceptedAt: nil),
      ]
    ),
  ]

  /// Everything else: by a full parse.
  static let odd: [(String, [ServerFrame]?)] = [
    // Another order, spaces, members of later versions, escapes.
    (#"{"rev":8122,"price_at":17,"type":"price"}"#, [.data(.price, revision: 8_122, acceptedAt: 17)]),
    (#"{"type": "price", "price_at": -5, "rev": 3}"#, [.data(.price, revision: 3, acceptedAt: -5)]),
    (price.replacing("\"rev\"", with: "\"new\":[{\"rev\":1}],\"rev\""), fitting[0].1),
    (price.replacing("fresh", with: "fr\\u0065sh"), fitting[0].1),
    (price.replacing("ETH:0xa0b8", with: "ETH:\\\"rev\\\":7"), fitting[0].1),
    (" " + heartbeat + "\n", [.heartbeat(epoch: "k3f9", revision: 8_140)]),
    (
      #"{"type":"token","wallet":"ETH:0x1","price_at":5,"rev":7}"#,
      [.data(.token, revision: 7, acceptedAt: nil)]
    ),
    (
      #"{"type":"snapshot","wallet":"ETH:0x1","epoch":"e","rev":9,"part":1,"parts":2,"state":"fresh","tokens":[]}"#,
      [.snapshot(wallet: "ETH:0x1", epoch: "e", revision: 9, isLastPart: false, isLoading: false)]
    ),
    (
      #"{"type":"snapshot","wallet":"ETH:0x1","epoch":"e","rev":9,"part":1,"parts":1,"state":"loading","tokens":[]}"#,
      [.snapshot(wallet: "ETH:0x1", epoch: "e", revision: 9, isLastPart: true, isLoading: true)]
    ),
    (#"{"type":"hello","protocol":"walletpush.v1","epoch":"k3f9","rev":1}"#, [.hello(epoch: "k3f9")]),
    (#"{"type":"lag","rev":8122}"#, [.lag]),
    (#"{"type":"ok","id":1,"wallets":[],"failed":[]}"#, [.ok(isResumed: nil, refusals: [])]),
    (
      #"{"type":"ok","id":1,"failed":[{"wallet":"x","code":"bad_wallet"}],"resumed":true,"changed":3}"#,
      [.ok(isResumed: true, refusals: ["bad_wallet"])]
    ),
    (#"{"type":"error","code":"cooldown","message":"x"}"#, [.error(code: "cooldown")]),
    (#"{"type":"reconnect","reason":"drain","retry_ms":1}"#, [.reconnect]),
    (#"{"type":"status","prices":"stale"}"#, [.status]),
    (#"{"type":"pong","id":8}"#, [.other]),
    (#"{"type":"prices_of_a_later_version"}"#, [.other]),
    (#"{"type":"batch","frames":[]}"#, []),
    (#"{"type":"batch","frames":[{"type":"lag"},{"type":"later"}]}"#, [.lag, .other]),
    // No frames of the protocol.
    ("", nil), ("{", nil), ("[]", nil), ("{}", nil), (#"{"type":7}"#, nil), (#"{"type":"price"}"#, nil),
    (#"{"type":"heartbeat","rev":1}"#, nil), (#"{"type":"heartbeat","epoch":"e","rev":-1}"#, nil),
    (#"{"type":"heartbeat","epoch":"e","rev":1.0}"#, nil),
    (#"{"type":"heartbeat","epoch":"e","rev":01}"#, nil),
    (#"{"type":"heartbeat","epoch":"e","rev":9007199254740992}"#, nil),
    (#"{"type":"heartbeat","epoch":"e","rev":99999999999999999999}"#, nil),
    (price + "x", nil), (String(price.dropLast()), nil), (price + price, nil),
    (price.replacing("\"rev\":8122", with: "\"rev\":1,\"rev\":8122"), nil),
    (price.replacing("1.0002", with: "1.\u{1}0002"), nil),
    (#"{"type":"batch","frames":[\#(price),{"type":"price"}]}"#, nil),
    (#"{"type":"batch","frames":[\#(price),]}"#, nil), (#"{"type":"batch","frames":{}}"#, nil),
    (#"{"type":"batch","frames":[{"type":"batch","frames":[]}]}"#, nil),
    (#"{"type":"error"}"#, nil), (#"{"type":"hello"}"#, nil), (#"{"type":"snapshot","rev":1}"#, nil),
  ]

  /// In the middle of other bytes, which are none of its business, at every alignment.
  private func scan(_ message: String, _ scanner: inout FrameScanner, offset: Int = 0) -> [ServerFrame]? {
    let around = Array(repeating: UInt8(ascii: "7"), count: 16)
    let bytes = around.prefix(offset) + Array(message.utf8) + around
    return bytes.withUnsafeBytes {
      scanner.scan(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + message.utf8.count)]))
        ? scanner.frames : nil
    }
  }

  private func parse(_ message: String) -> [ServerFrame]? {
    var frames: [ServerFrame] = []
    return Array(message.utf8).withUnsafeBytes { ServerFrame.parse($0, into: &frames) } ? frames : nil
  }

  @Test(arguments: fitting) func whatTheServerWritesNeedsNoParser(
    _ message: String, _ expected: [ServerFrame]
  ) {
    var scanner = FrameScanner()
    for offset in 0..<8 {
      let found = scan(message, &scanner, offset: offset)
      #expect(found == expected)
    }
    #expect(scanner.fullParses == 0)
    #expect(parse(message) == expected)
  }

  @Test(arguments: odd) func everythingElseIsParsedInFull(_ message: String, _ expected: [ServerFrame]?) {
    var scanner = FrameScanner()
    for offset in 0..<8 {
      let found = scan(message, &scanner, offset: offset)
      #expect(found == expected)
    }
    #expect(scanner.fullParses == 8)
  }

  @Test func nothingIsLeftOfTheMessageBefore() {
    var scanner = FrameScanner()
    let (first, second) = (scan(Self.price, &scanner), scan("{", &scanner))
    #expect(first != nil && second == nil)
    #expect(scanner.frames.isEmpty)
  }

  /// Random edits of frames, ASCII only, for what is no UTF-8 never comes so far: both ways say the same.
  @Test(arguments: 1...20) func bothWaysSayTheSame(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let messages = Self.fitting.map(\.0) + Self.odd.map(\.0)
    let pieces = [
      "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "9", "-", ".", "e", " ", "null", "true", "\u{1}",
      "\"rev\":7", "\"price_at\":5", "{\"type\":\"", "price", "9007199254740992", "9007199254740991",
      "\\u0041",
    ]
    var scanner = FrameScanner()
    var fits = 0
    for round in 0..<1_500 {
      var bytes = Array((messages.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
        let start = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.remove(at: start)
        case 1: bytes[start] = UInt8.random(in: 1..<128, using: &random)
        case 2: bytes.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: start)
        case 3: bytes.removeSubrange(start..<min(bytes.count, start + Int.random(in: 1..<20, using: &random)))
        default:
          // Another digit in place of one: still well-formed, another value.
          if (48...57).contains(bytes[start]) { bytes[start] = UInt8.random(in: 48...57, using: &random) }
        }
      }
      let message = String(decoding: bytes, as: UTF8.self)
      let before = scanner.fullParses
      let scanned = scan(message, &scanner)
      if scanner.fullParses == before { fits += 1 }
      #expect(scanned == parse(message), "seed \(seed), round \(round): \(message)")
    }
    // Otherwise nothing was compared.
    #expect(fits > 50)
  }
}
