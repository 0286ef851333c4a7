import Ethereum
import JSON
import Ledger
import TestSupport
import Testing

@testable import WalletPushClient

@Suite struct ServerFrameTests {
  @Test func readsARow() throws {
    guard
      case .token(let key, let row, let block, let revision) = try frame(Say.token(rev: 12, Say.row(coin)))
    else { throw Unexpected() }
    #expect(try key == walletKey() && row.token == tokenKey(coin))
    #expect(block == 9 && revision == 12)
    #expect(row.symbol == "T" && row.decimals == 18 && row.isListed && row.isVisible)
    #expect(try row.balance == UInt256(decimal: "1000000000000000000"))
    #expect(row.price.usd?.plainText == "2000.5" && row.price.change24h?.plainText == "-1.20")
    #expect(row.balanceState == .fresh && row.price.state == .fresh && row.price.acceptedAt == 1)
    #expect(row.value?.roundedText() == "2000.50")
  }

  /// Unknown is nil, never zero.
  static let unknowns: [(String, @Sendable (TokenRow) -> Bool)] = [
    (Say.row(balance: nil), { $0.balance == nil && $0.value == nil }),
    (Say.row(price: nil), { $0.price.usd == nil && $0.value == nil }),
    (Say.row(decimals: nil), { $0.decimals == nil && $0.value == nil }),
    (Say.row(decimals: 78), { $0.decimals == nil }),
    (Say.row(balance: "-1"), { $0.balance == nil }),
    (Say.row(balance: "1e3"), { $0.balance == nil }),
    (Say.row(price: "a lot"), { $0.price.usd == nil }),
    (Say.row(balance: "0", price: nil, decimals: nil), { $0.value?.roundedText() == "0.00" }),
    (Say.row(state: "rotten"), { $0.balanceState == .unknown }),
  ]

  @Test(arguments: unknowns.indices) func unknown(index: Int) throws {
    let (text, fits) = Self.unknowns[index]
    guard case .token(_, let row, _, _) = try frame(Say.token(rev: 12, text)) else { throw Unexpected() }
    #expect(fits(row), "\(text): \(row)")
  }

  /// What is no frame of the protocol is ignored, not an error.
  @Test(arguments: [
    "1", "[]", "{}", #"{"type":7}"#, #"{"type":"news"}"#, #"{"type":"price"}"#,
    #"{"type":"price","token":"ETH:native"}"#, #"{"type":"price","token":"ETH:0x12","rev":3}"#,
    #"{"type":"price","token":"ETH:native","rev":9007199254740992}"#,
    #"{"type":"price","token":"ETH:native","rev":-1}"#, #"{"type":"heartbeat"}"#,
    #"{"type":"snapshot","wallet":"ETH:native","rev":1,"tokens":[]}"#, #"{"type":"batch","frames":{}}"#,
    #"{"type":"hello"}"#, #"{"type":"status"}"#, #"{"type":"status","wallet":"\#(wallet)"}"#,
  ])
  func ignored(text: String) throws {
    guard case .other = try frame(text) else { throw Unexpected() }
  }

  @Test func batchesHoldDataOnly() throws {
    let inner = [Say.price(rev: 1), Say.heartbeat(2), #"{"type":"batch","frames":[]}"#, "7"]
    guard
      case .batch(let frames) = try frame(#"{"type":"batch","frames":[\#(inner.joined(separator: ","))]}"#)
    else { throw Unexpected() }
    #expect(frames.count == 1 && frames.allSatisfy(\.isData))
  }

  /// Whatever the bytes are, they are a frame or a JSON error.
  @Test func survivesAnything() {
    var random = SeededGenerator(seed: 11)
    let whole = [
      Say.hello(), Say.snapshot(), Say.price(rev: 3), Say.balance("7", rev: 4),
      Say.token(rev: 5, Say.row(coin)),
      Say.resumed(1, wallets: [wallet]), Say.error(2, "cooldown", retry: 4), Say.heartbeat(6),
      #"{"type":"status","wallet":"\#(wallet)","refreshing":"done","as_of":1,"block":2}"#,
      #"{"type":"reconnect","reason":"drain","retry_ms":99999999999999}"#,
    ].map { Array($0.utf8) }
    var frames = 0
    for _ in 0..<4_000 {
      var bytes = whole[Int.random(in: 0..<whole.count, using: &random)]
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 32...126, using: &random)
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...3, using: &random)) }
      var rig = Rig()
      rig.open()
      if (try? ServerFrame(parsing: bytes)) != nil { frames += 1 }
      rig.act { [now = rig.now] in $0.received(bytes, now: now, random: 1) }
    }
    #expect(frames > 100)
  }
}

struct Unexpected: Error {}
