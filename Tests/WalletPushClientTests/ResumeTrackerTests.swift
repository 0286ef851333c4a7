import Ethereum
import Ledger
import Testing

@testable import WalletPushClient

@Suite struct ResumeTrackerTests {
  /// What happens on a first connection, and what a client may subscribe with on the next one.
  enum Step {
    case frame(String)
    case sent
    case answered(String, resumed: Bool)
    case refused
    case add(String)
    case drop
    case connect(String)
  }

  private static func begun(_ rest: Step...) -> [Step] {
    [.add(wallet), .connect("e1"), .sent, .answered(wallet, resumed: false)] + rest
  }

  private static func settled(_ rest: Step...) -> [Step] {
    begun(.frame(Say.snapshot()), .frame(Say.heartbeat(10))) + rest
  }

  static let cases: [(String, [Step], since: [String: String?])] = [
    ("after a heartbeat", settled(), [wallet: "e1:10"]),
    (
      "a data frame after it", settled(.frame(Say.price(rev: 12)), .frame(Say.balance("1", rev: 14))),
      [wallet: "e1:14"]
    ),
    (
      "in a batch", settled(.frame(#"{"type":"batch","frames":[\#(Say.price(rev: 12))]}"#)), [wallet: "e1:12"]
    ),
    (
      "an older one does not go back", settled(.frame(Say.price(rev: 12)), .frame(Say.price(rev: 11))),
      [wallet: "e1:12"]
    ),
    ("no heartbeat yet", begun(.frame(Say.snapshot()), .frame(Say.price(rev: 11))), [wallet: nil]),
    ("no snapshot", begun(.frame(Say.heartbeat(10))), [wallet: nil]),
    ("loading", begun(.frame(Say.snapshot(state: "loading")), .frame(Say.heartbeat(10))), [wallet: nil]),
    (
      "loading, then read",
      begun(
        .frame(Say.snapshot(state: "loading")), .frame(Say.heartbeat(10)), .frame(Say.snapshot(rev: 12)),
        .frame(Say.heartbeat(12))), [wallet: "e1:12"]
    ),
    (
      "read, and no heartbeat since", settled(.frame(Say.snapshot(rev: 12)), .frame(Say.price(rev: 13))),
      [wallet: nil]
    ),
    (
      "half a snapshot", begun(.frame(Say.snapshot(part: 1, of: 2)), .frame(Say.heartbeat(10))), [wallet: nil]
    ),
    (
      "both halves",
      begun(
        .frame(Say.snapshot(part: 1, of: 2)), .frame(Say.snapshot(part: 2, of: 2)), .frame(Say.heartbeat(10))),
      [wallet: "e1:10"]
    ),
    ("conflated", settled(.frame(Say.lag), .frame(Say.price(rev: 20))), [wallet: "e1:10"]),
    (
      "conflated, and caught up",
      settled(
        .frame(Say.lag), .frame(Say.price(rev: 20)), .frame(Say.heartbeat(25)), .frame(Say.price(rev: 26))),
      [wallet: "e1:26"]
    ),
    (
      "another subscribe under way",
      settled(.add(other), .sent, .frame(Say.price(rev: 20))), [wallet: "e1:10", other: nil]
    ),
    (
      "another subscribe answered",
      settled(.add(other), .sent, .answered(other, resumed: false), .frame(Say.price(rev: 20))),
      [wallet: "e1:10", other: nil]
    ),
    (
      "another subscribe refused",
      settled(.add(other), .sent, .refused, .frame(Say.price(rev: 20))), [wallet: "e1:20", other: nil]
    ),
    ("wished for, never sent", settled(.add(other)), [wallet: "e1:10", other: nil]),
    (
      "lost in the catch-up",
      settled(.drop, .connect("e1"), .sent, .answered(wallet, resumed: true), .frame(Say.price(rev: 40))),
      [wallet: "e1:10"]
    ),
    (
      "caught up",
      settled(.drop, .connect("e1"), .sent, .answered(wallet, resumed: true), .frame(Say.heartbeat(50))),
      [wallet: "e1:50"]
    ),
    ("lost before the answer", settled(.drop, .connect("e1"), .sent), [wallet: "e1:10"]),
    ("another epoch", settled(.drop, .connect("e2")), [wallet: nil]),
    (
      "not resumed",
      settled(.drop, .connect("e1"), .sent, .answered(wallet, resumed: false), .frame(Say.heartbeat(50))),
      [wallet: nil]
    ),
    (
      "registered again",
      settled(
        .drop, .connect("e1"), .sent, .answered(wallet, resumed: true),
        .frame(Say.snapshot(state: "loading")),
        .frame(Say.heartbeat(50))), [wallet: nil]
    ),
  ]

  @Test(arguments: cases.indices) func since(index: Int) throws {
    let (name, steps, expected) = Self.cases[index]
    var tracker = ResumeTracker()
    for step in steps { try take(step, &tracker) }
    tracker.disconnected()
    // Whatever the next connection's epoch is, what was held for another one is void already.
    var found: [String: String?] = [:]
    for message in tracker.plan(keysPerMessage: 10) {
      for key in message.keys { found.updateValue(message.since, forKey: key.description) }
    }
    #expect(found == expected, "\(name)")
  }

  private func take(_ step: Step, _ tracker: inout ResumeTracker) throws {
    switch step {
    case .frame(let text): tracker.receive(try frame(text))
    case .sent: tracker.subscribeSent()
    case .answered(let key, let resumed):
      tracker.subscribeAnswered([.wallet(try walletKey(key))], isResumed: resumed)
    case .refused: tracker.subscribeRefused()
    case .add(let key): tracker.add(.wallet(try walletKey(key)))
    case .drop: tracker.disconnected()
    case .connect(let epoch): tracker.connected(epoch: epoch)
    }
  }

  /// A token's one price frame comes before the heartbeat.
  @Test func tokensNeedNoSnapshot() throws {
    var tracker = ResumeTracker()
    let key = WatchedKey.token(try tokenKey(coin))
    tracker.add(key)
    tracker.connected(epoch: "e1")
    tracker.subscribeSent()
    tracker.subscribeAnswered([key], isResumed: false)
    tracker.receive(try frame(Say.price(coin, rev: 3)))
    tracker.receive(try frame(Say.heartbeat(9)))
    tracker.disconnected()
    #expect(
      tracker.plan(keysPerMessage: 10) == [SubscribeMessage(tokens: [try tokenKey(coin)], since: "e1:9")])
  }

  /// One `since` for all: the oldest; and no message longer than the server takes.
  @Test func plansInPieces() throws {
    var tracker = ResumeTracker()
    let keys = try (0..<5).map { try walletKey(numbered($0)) }
    tracker.connected(epoch: "e1")
    for (index, key) in keys.enumerated() {
      tracker.add(.wallet(key))
      tracker.subscribeSent()
      tracker.subscribeAnswered([.wallet(key)], isResumed: true)
      if index == 0 {
        tracker.receive(try frame(Say.heartbeat(7)))
        tracker.disconnected()
        tracker.connected(epoch: "e1")
      }
    }
    tracker.receive(try frame(Say.heartbeat(30)))
    tracker.disconnected()
    tracker.remove(.wallet(keys[4]))
    let plan = tracker.plan(keysPerMessage: 2)
    #expect(plan.map(\.since) == ["e1:7", "e1:7"])
    #expect(plan.map(\.wallets) == [Array(keys[0..<2]), Array(keys[2..<4])])
  }
}
