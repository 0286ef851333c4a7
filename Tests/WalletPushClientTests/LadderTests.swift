import Testing

@testable import WalletPushClient

@Suite struct LadderTests {
  private func ladder(_ kinds: TransportKind...) -> Ladder {
    Ladder(Set(kinds), recovery: BackOff(first: .seconds(15), longest: .seconds(300)))
  }

  private func down(
    _ ladder: inout Ladder, _ code: UInt16?, wasLive: Bool, isUnusable: Bool, is expected: Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let goesDown = ladder.failed(code: code, wasLive: wasLive, isUnusable: isUnusable)
    #expect(goesDown == expected, sourceLocation: sourceLocation)
  }

  /// Never was a WebSocket: down at once where the server gave no close code of its own.
  @Test(
    arguments: [
      (nil, false, false, true), (1_006, false, false, true), (4_001, false, true, false),
      (4_111, false, true, false), (nil, true, true, false),
    ] as [(UInt16?, Bool, Bool, Bool)])
  func fromTheWebSocketDown(_ code: UInt16?, _ wasLive: Bool, _ isUnusable: Bool, _ isDown: Bool) {
    var ladder = ladder(.webSocket, .eventStream, .polling)
    ladder.begin()
    #expect(ladder.kind == .webSocket)
    down(&ladder, code, wasLive: wasLive, isUnusable: isUnusable, is: isDown)
    #expect(ladder.kind == (isDown ? .eventStream : .webSocket))
  }

  /// A server that restarts refuses for a moment.
  @Test func oneThatHasWorkedIsTriedTwiceAgain() {
    var ladder = ladder(.webSocket, .eventStream, .polling)
    ladder.begin()
    ladder.worked()
    down(&ladder, 1_006, wasLive: true, isUnusable: false, is: false)
    ladder.begin()
    down(&ladder, nil, wasLive: false, isUnusable: true, is: false)
    ladder.begin()
    down(&ladder, nil, wasLive: false, isUnusable: false, is: true)
    #expect(ladder.kind == .eventStream)
  }

  @Test func fromTheStreamOnlyWhereTheServerAnswers() {
    var ladder = ladder(.webSocket, .eventStream, .polling)
    ladder.begin()
    _ = ladder.failed(code: nil, wasLive: false, isUnusable: false)
    down(&ladder, nil, wasLive: false, isUnusable: false, is: false)
    #expect(ladder.kind == .eventStream)
    down(&ladder, nil, wasLive: true, isUnusable: true, is: true)
    #expect(ladder.kind == .polling)
    down(&ladder, nil, wasLive: true, isUnusable: true, is: false)
    #expect(ladder.kind == .polling)
  }

  @Test func whatWorkedLastComesFirstUntilItFailsTwice() {
    var ladder = ladder(.webSocket, .eventStream, .polling)
    ladder.begin()
    _ = ladder.failed(code: nil, wasLive: false, isUnusable: false)
    ladder.worked()
    for kind: TransportKind in [.eventStream, .eventStream, .webSocket] {
      ladder.begin()
      #expect(ladder.kind == kind)
      if kind == .eventStream { down(&ladder, nil, wasLive: false, isUnusable: false, is: false) }
    }
  }

  @Test func aWebSocketIsTriedEverMoreRarely() {
    var ladder = ladder(.webSocket, .eventStream)
    let none = ladder.nextRecovery(random: .max)
    #expect(none == nil)
    _ = ladder.failed(code: nil, wasLive: false, isUnusable: false)
    ladder.worked()
    let waits = (0..<7).map { _ in ladder.nextRecovery(random: 0) }
    #expect(waits == [7.5, 15, 30, 60, 120, 150, 150].map { .seconds($0) })
    ladder.tookOver()
    ladder.worked()
    let next = ladder.nextRecovery(random: 0)
    #expect(ladder.kind == .webSocket && next == nil)
  }

  @Test func onlyThoseThatAreToBeHad() {
    var polling = ladder(.polling)
    polling.begin()
    let none = polling.nextRecovery(random: 0)
    #expect(polling.kind == .polling && none == nil)
    down(&polling, nil, wasLive: false, isUnusable: true, is: false)
    var socket = ladder(.webSocket)
    socket.begin()
    down(&socket, nil, wasLive: false, isUnusable: true, is: false)
    #expect(socket.kind == .webSocket)
    #expect(ladder().kind == .webSocket)
  }
}
