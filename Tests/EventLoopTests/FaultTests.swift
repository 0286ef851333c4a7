import Glibc
import Synchronization
import Testing

@testable import EventLoop

/// The kernel says no, or takes less than it was given.
@Suite struct FaultTests {
  @Test(arguments: [1, 3, 7_001]) func shortWrites(taken: Int) throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    hand.loop.systemCalls.send = { send($0, $1, min($2, taken), Int32(MSG_NOSIGNAL)) }
    hand.loop.systemCalls.sendMany = { descriptor, vectors, _ in
      send(descriptor, vectors[0].iov_base, min(vectors[0].iov_len, taken), Int32(MSG_NOSIGNAL))
    }
    let bytes = pattern(taken * 100)
    for chunk in 0..<10 {
      let slice = Array(bytes[chunk * taken * 10..<(chunk + 1) * taken * 10])
      if chunk % 3 == 0 { pair.serverEnd.sendNow(slice) } else { pair.serverEnd.write(slice) }
    }
    hand.turn { pair.client.bytes.count >= bytes.count }
    #expect(pair.client.bytes == bytes)
    #expect(pair.server.drainedCount == 1)
  }

  @Test func nothingIsTakenEveryOtherTime() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    nonisolated(unsafe) var calls = 0
    let kernel = SystemCalls.kernel
    hand.loop.systemCalls.send = { descriptor, bytes, count in
      calls += 1
      if calls % 2 == 1 {
        errno = EAGAIN
        return -1
      }
      return kernel.send(descriptor, bytes, count)
    }
    for round in 0..<5 {
      pair.serverEnd.write(pattern(1_000, seed: UInt64(round)))
      hand.turn { pair.client.bytes.count == 1_000 * (round + 1) }
    }
    #expect(pair.client.bytes == (0..<5).flatMap { pattern(1_000, seed: UInt64($0)) })
    #expect(pair.server.drainedCount == 5)
  }

  @Test func progressIsNotedFromWhenBytesAreLeftOver() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    let kernel = SystemCalls.kernel
    let before = pair.serverEnd.lastProgress
    hand.turn(times: 5)
    hand.loop.systemCalls.send = { _, _, _ in
      errno = EAGAIN; return -1
    }
    hand.loop.systemCalls.sendMany = { _, _, _ in
      errno = EAGAIN; return -1
    }
    pair.serverEnd.sendNow([1, 2])
    let leftOver = pair.serverEnd.lastProgress
    #expect(leftOver == hand.loop.now && leftOver > before)
    hand.turn(times: 5)
    pair.serverEnd.sendNow([3])
    pair.serverEnd.write([4])
    hand.turn(times: 5)
    #expect(pair.serverEnd.lastProgress == leftOver, "being asked for more is no progress")
    #expect(pair.serverEnd.unsentBytes == 4)
    hand.loop.systemCalls = kernel
    hand.turn { pair.client.bytes == [1, 2, 3, 4] }
    #expect(pair.serverEnd.lastProgress > leftOver)
  }

  @Test(arguments: [false, true]) func aSendErrorCloses(sendsNow: Bool) throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    hand.loop.systemCalls.send = { _, _, _ in
      errno = ETIMEDOUT; return -1
    }
    hand.loop.systemCalls.sendMany = hand.loop.systemCalls.failing(ETIMEDOUT)
    if sendsNow { pair.serverEnd.sendNow([1]) } else { pair.serverEnd.write([1]) }
    #expect(pair.server.closeReasons == [], "never inside a write")
    hand.turn { !pair.server.closeReasons.isEmpty }
    #expect(pair.server.closeReasons == [.failed(SystemError(.send, code: ETIMEDOUT))])
  }

  @Test func aReadErrorCloses() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    hand.loop.systemCalls.receive = { _, _, _ in
      errno = EIO; return -1
    }
    pair.clientEnd.write([1])
    hand.turn { !pair.server.closeReasons.isEmpty }
    #expect(pair.server.closeReasons == [.failed(SystemError(.receive, code: EIO))])
  }

  @Test(arguments: [EAGAIN, EINTR]) func anInterruptedReadIsTriedAgain(code: Int32) throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    nonisolated(unsafe) var calls = 0
    let kernel = SystemCalls.kernel
    hand.loop.systemCalls.receive = { descriptor, buffer, count in
      calls += 1
      guard calls > 2 else {
        errno = code
        return -1
      }
      return kernel.receive(descriptor, buffer, count)
    }
    pair.clientEnd.write([1])
    hand.turn { pair.server.bytes == [1] }
    #expect(calls == 3)
  }

  @Test func theWriteBudgetLeavesTheRestForTheNextTurn() throws {
    let hand = try HandTurned { $0.writeBytesPerTurn = 1_000 }
    let pair = try hand.pair()
    nonisolated(unsafe) var most = 0
    let kernel = SystemCalls.kernel
    hand.loop.systemCalls.send = { descriptor, bytes, count in
      most = max(most, count)
      return kernel.send(descriptor, bytes, count)
    }
    for _ in 0..<10 { pair.serverEnd.write(pattern(700)) }
    hand.loop.turn()
    #expect(pair.serverEnd.unsentBytes == 6_000)
    hand.turn { pair.client.bytes.count == 7_000 }
    #expect(pair.client.bytes == (0..<10).flatMap { _ in pattern(700) })
    #expect(most == 1_000)
    #expect(pair.server.drainedCount == 1)
  }

  // MARK: - Accepting

  @Test(arguments: [EMFILE, ENFILE]) func withoutDescriptorsItShedsAndRests(code: Int32) throws {
    let hand = try HandTurned {
      $0.acceptPause = .seconds(3_600); $0.acceptsPerTurn = 4
    }
    let server = Recorder()
    let listener = try hand.listen { _ in server }
    let isExhausted = Atomic(true)
    nonisolated(unsafe) var calls = 0
    let kernel = SystemCalls.kernel
    hand.loop.systemCalls.accept = { descriptor, address, length in
      calls += 1
      // The first call of each pair finds no descriptor; the second has the spare one.
      if isExhausted.load(ordering: .relaxed), calls % 2 == 1 {
        errno = code
        return -1
      }
      return kernel.accept(descriptor, address, length)
    }
    let clients = (0..<10).map { _ in Recorder() }
    for client in clients { _ = hand.loop.connect(to: listener.address, handler: client) }
    hand.turn { hand.loop.statistics.shed > 0 }
    #expect(hand.loop.statistics.shed <= 4)
    let callsBeforeRest = calls
    hand.turn(times: 5)
    #expect(calls == callsBeforeRest, "it rests, and does not spin")
    hand.turn {
      // As if the pause had passed.
      listener.timerFired(tag: 0, now: hand.loop.now)
      return hand.loop.statistics.shed == 10
    }
    hand.turn { clients.allSatisfy { $0.inputEndedCount + $0.closeReasons.count > 0 } }
    #expect(hand.loop.spareDescriptor >= 0)
    isExhausted.store(false, ordering: .relaxed)
    listener.timerFired(tag: 0, now: hand.loop.now)
    let late = Recorder()
    hand.loop.connect(to: listener.address, handler: late).write([1])
    hand.turn { server.bytes == [1] }
    #expect(hand.loop.statistics.accepted == 1)
  }

  @Test(arguments: [ECONNABORTED, EPROTO, EINTR, EPERM, ENOMEM, ENOBUFS])
  func otherAcceptErrorsAreSurvived(code: Int32) throws {
    let hand = try HandTurned { $0.acceptPause = .milliseconds(2) }
    let server = Recorder()
    let listener = try hand.listen { _ in server }
    nonisolated(unsafe) var left = 3
    let kernel = SystemCalls.kernel
    hand.loop.systemCalls.accept = { descriptor, address, length in
      left -= 1
      if left >= 0 {
        errno = code
        return -1
      }
      return kernel.accept(descriptor, address, length)
    }
    hand.loop.connect(to: listener.address, handler: Recorder()).write([1])
    hand.turn { server.bytes == [1] }
    #expect(left < 0)
  }

  @Test func anAcceptThatAlwaysFailsDoesNotSpin() throws {
    let hand = try HandTurned { $0.acceptPause = .seconds(60) }
    let listener = try hand.listen { _ in Recorder() }
    nonisolated(unsafe) var calls = 0
    hand.loop.systemCalls.accept = { _, _, _ in
      calls += 1
      errno = EINVAL
      return -1
    }
    _ = hand.loop.connect(to: listener.address, handler: Recorder())
    hand.turn { calls > 0 }
    hand.turn(times: 50)
    #expect(calls <= 16)
  }

  @Test func theConnectionBudgetRefuses() throws {
    let hand = try HandTurned { $0.budget = ConnectionBudget(connections: 3, perAddress: nil) }
    var servers: [Connection] = []
    let listener = try hand.listen {
      servers.append($0); return Recorder()
    }
    let clients = (0..<5).map { _ in Recorder() }
    for client in clients { _ = hand.loop.connect(to: listener.address, handler: client) }
    hand.turn { hand.loop.statistics.refusedConnections == 2 }
    #expect(hand.loop.statistics.acceptedOpen == 3)
    #expect(hand.loop.statistics.connectionsOpen == 8)
    servers[0].close(.requested, afterFlush: false)
    hand.turn { hand.loop.statistics.acceptedOpen == 2 }
    _ = hand.loop.connect(to: listener.address, handler: Recorder())
    hand.turn { hand.loop.statistics.accepted == 4 }
  }

  @Test func acceptsAreBoundedPerTurn() throws {
    let hand = try HandTurned { $0.acceptsPerTurn = 5 }
    let listener = try hand.listen { _ in Recorder() }
    let clients = (0..<20).map { _ in Recorder() }
    for client in clients { _ = hand.loop.connect(to: listener.address, handler: client) }
    var most: UInt64 = 0
    var last: UInt64 = 0
    hand.turn {
      most = max(most, hand.loop.statistics.accepted - last)
      last = hand.loop.statistics.accepted
      return hand.loop.statistics.accepted == 20
    }
    // All twenty wait when the first is accepted, unless the kernel is slow to bring them.
    #expect(most <= 5)
  }

  // MARK: - Fairness

  @Test func aFloodDoesNotStarveTheOthers() throws {
    let hand = try HandTurned()
    let flood = try hand.pair()
    let quiet = try hand.pair(.echo())
    flood.server.keepsBytes = false
    // The flood never ends: whatever is taken is sent again.
    let piece = pattern(1_000_000)
    flood.client.onDrained = { $0.write(piece) }
    flood.clientEnd.write(piece)
    hand.turn(times: 3)
    let received = flood.server.receivedCount
    let turns = hand.loop.statistics.turns
    quiet.clientEnd.write([42])
    // Turns that begin with something there for the quiet ones; how long the kernel takes is not the loop's doing.
    var waits = 0
    hand.turn {
      if quiet.serverEnd.isReadable || quiet.clientEnd.isReadable { waits += 1 }
      return quiet.client.bytes == [42]
    }
    let taken = hand.loop.statistics.turns - turns
    #expect(waits <= 2, "there and back")
    #expect(flood.server.receivedCount - received <= Int(taken), "at most one read a turn")
    #expect(flood.server.receivedCount > 0)
  }
}

extension SystemCalls {
  fileprivate func failing(_ code: Int32) -> @Sendable (Int32, UnsafeMutablePointer<iovec>, Int) -> Int {
    { _, _, _ in
      errno = code
      return -1
    }
  }
}
