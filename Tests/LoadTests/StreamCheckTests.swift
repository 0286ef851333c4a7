import Testing

@testable import Load

@Suite struct StreamCheckTests {
  private typealias Check = StreamCheck

  private static func price(_ revision: UInt64) -> ServerFrame {
    .data(.price, revision: revision, acceptedAt: nil)
  }
  private static func heartbeat(_ revision: UInt64, _ epoch: String = "e") -> ServerFrame {
    .heartbeat(epoch: epoch, revision: revision)
  }
  private static func snapshot(_ revision: UInt64, _ epoch: String = "e", isLoading: Bool = false)
    -> ServerFrame
  {
    .snapshot(wallet: "w", epoch: epoch, revision: revision, isLastPart: true, isLoading: isLoading)
  }
  private static let hello = ServerFrame.hello(epoch: "e")
  private static let ok = ServerFrame.ok(isResumed: nil, refusals: [])
  private static let beginning = [hello, ok, snapshot(10), heartbeat(10)]

  /// What follows a subscribe and its first heartbeat, and what its last frame breaks.
  static let streams: [(String, [ServerFrame], Violation?)] = [
    (
      "ascending", [price(11), .data(.balance, revision: 12, acceptedAt: nil), price(40), heartbeat(40)], nil
    ),
    ("a repeat", [price(11), price(11)], nil),
    ("descending", [price(12), price(11)], .revisionDescended),
    (
      "descending to a balance", [price(12), .data(.balance, revision: 11, acceptedAt: nil)],
      .revisionDescended
    ),
    ("the revision of the heartbeat", [price(10)], .belowHeartbeat),
    ("below the heartbeat", [price(11), heartbeat(20), price(15)], .belowHeartbeat),
    ("above the heartbeat", [price(11), heartbeat(20), price(21)], nil),
    ("a repeat behind the heartbeat", [price(11), heartbeat(11), price(11)], nil),
    ("a heartbeat below data", [price(20), heartbeat(19)], .heartbeatBehind),
    ("a heartbeat below a heartbeat", [heartbeat(20), heartbeat(19)], .heartbeatBehind),
    ("the same heartbeat", [heartbeat(20), heartbeat(20)], nil),
    ("a heartbeat below a snapshot", [snapshot(30), heartbeat(29)], .heartbeatBehind),
    ("a snapshot of before", [price(20), snapshot(11), price(21), heartbeat(21)], nil),
    ("another epoch in a heartbeat", [heartbeat(20, "f")], .epochChanged),
    ("another epoch in a snapshot", [snapshot(20, "f")], .epochChanged),
    ("another epoch in a hello", [.hello(epoch: "f")], .epochChanged),
    ("conflated", [price(11), .lag, price(90), price(95), heartbeat(99), price(100)], nil),
    ("descending while conflated", [.lag, price(95), price(90)], .revisionDescended),
    ("other things", [.status, .other, .reconnect, .error(code: "x"), price(11)], nil),
  ]

  private func expect(_ check: inout StreamCheck, _ frame: ServerFrame, _ expected: Violation?) {
    let found = check.take(frame)
    #expect(found == expected, "\(frame)")
  }

  @Test(arguments: streams) func promisesAreKept(
    _ name: String, _ frames: [ServerFrame], _ expected: Violation?
  ) throws {
    var check = StreamCheck()
    check.subscribed()
    for frame in Self.beginning + frames.dropLast() { expect(&check, frame, nil) }
    let last = try #require(frames.last)
    expect(&check, last, expected)
  }

  /// A later subscribe's answer may be older, up to its heartbeat, and that alone.
  @Test func aCatchUpMayBeOlder() {
    var check = StreamCheck()
    check.subscribed()
    for frame in Self.beginning + [Self.price(50)] { expect(&check, frame, nil) }
    check.subscribed()
    expect(&check, Self.price(51), nil)
    expect(&check, Self.price(40), .revisionDescended)
    expect(&check, Self.ok, nil)
    #expect(!check.isLive)
    for frame in [Self.price(20), Self.snapshot(9), Self.price(12), Self.heartbeat(60), Self.price(61)] {
      expect(&check, frame, nil)
    }
    #expect(check.isLive)
    expect(&check, Self.price(55), .revisionDescended)
  }

  @Test func oneResumesFromTheLastHeartbeatOrAFrameAfterIt() {
    var check = StreamCheck()
    check.subscribed()
    for frame in Self.beginning.dropLast() { _ = check.take(frame) }
    #expect(check.resumePoint == nil)
    _ = check.take(Self.heartbeat(10))
    #expect(check.resumePoint == "e:10")
    _ = check.take(Self.price(13))
    #expect(check.resumePoint == "e:13")
    _ = check.take(Self.heartbeat(20))
    #expect(check.resumePoint == "e:20")
  }

  @Test func aLoadingWalletIsNotResumed() {
    var check = StreamCheck()
    check.subscribed()
    for frame in [Self.hello, Self.ok, Self.snapshot(10, isLoading: true), Self.heartbeat(10)] {
      _ = check.take(frame)
    }
    #expect(check.resumePoint == nil)
    _ = check.take(Self.snapshot(12))
    _ = check.take(Self.heartbeat(12))
    #expect(check.resumePoint == "e:12")
  }

  @Test func repeatsAreCounted() {
    var check = StreamCheck()
    check.subscribed()
    for frame in Self.beginning + [11, 11, 12, 12, 12].map(Self.price) { _ = check.take(frame) }
    #expect(check.repeats == 3)
  }
}
