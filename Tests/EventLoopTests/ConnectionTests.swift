import CLinux
import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite struct ConnectionTests {
  @Test func echoes() throws {
    let hand = try HandTurned()
    let pair = try hand.pair(.echo())
    #expect(pair.clientEnd.isOutgoing && !pair.serverEnd.isOutgoing)
    #expect(pair.serverEnd.peer == pair.clientEnd.local)
    let bytes = pattern(100)
    pair.clientEnd.write(bytes)
    hand.turn { pair.client.bytes.count >= bytes.count }
    #expect(pair.client.bytes == bytes)
    #expect(pair.client.connectedCount == 1 && pair.server.connectedCount == 0)
    #expect(pair.client.drainedCount == 0, "nothing was left over")
    #expect(hand.loop.statistics.bytesIn == 200 && hand.loop.statistics.bytesOut == 200)
  }

  @Test func aThousandConnectionsEcho() throws {
    raiseDescriptorLimit()
    let hand = try HandTurned()
    let listener = try hand.listen { _ in Recorder.echo() }
    let clients = (0..<1_000).map { _ in Recorder() }
    for (index, client) in clients.enumerated() {
      hand.loop.connect(to: listener.address, handler: client).write(pattern(64, seed: UInt64(index)))
    }
    hand.turn { clients.allSatisfy { $0.bytes.count >= 64 } }
    for (index, client) in clients.enumerated() { #expect(client.bytes == pattern(64, seed: UInt64(index))) }
    #expect(hand.loop.statistics.accepted == 1_000)
    #expect(hand.loop.statistics.connectionsOpen == 2_000)
  }

  @Test func whatIsWrittenInATurnGoesOutAtOnceAndInOrder() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    nonisolated(unsafe) var calls = 0
    let kernel = SystemCalls.kernel
    hand.loop.systemCalls.sendMany = {
      calls += 1; return kernel.sendMany($0, $1, $2)
    }
    hand.loop.systemCalls.send = {
      calls += 1; return kernel.send($0, $1, $2)
    }
    for byte in 0..<50 { pair.clientEnd.write([UInt8(byte)]) }
    pair.clientEnd.sendNow([50])
    pair.clientEnd.write([])
    #expect(pair.clientEnd.unsentBytes == 51)
    #expect(calls == 0)
    hand.turn { pair.server.bytes.count == 51 }
    #expect(pair.server.bytes == Array(0...50))
    #expect(calls == 1)
    pair.clientEnd.sendNow([51])
    #expect(calls == 2 && pair.clientEnd.unsentBytes == 0)
    hand.turn { pair.server.bytes.count == 52 }
  }

  @Test(arguments: [false, true], [50, 1_000, 70_000])
  func aSlowReaderGetsEverythingInOrder(sendsNow: Bool, chunkBytes: Int) throws {
    let hand = try HandTurned { $0.sendBufferBytes = 8_192 }
    let pair = try hand.pair()
    pair.clientEnd.pauseReading()
    pair.clientEnd.shrinkReceiveBuffer()
    let bytes = pattern(700_000)
    for begin in stride(from: 0, to: bytes.count, by: chunkBytes) {
      let chunk = Array(bytes[begin..<begin + chunkBytes])
      if sendsNow { pair.serverEnd.sendNow(chunk) } else { pair.serverEnd.write(chunk) }
    }
    hand.turn(times: 5)
    #expect(pair.serverEnd.unsentBytes > 0)
    #expect(pair.server.drainedCount == 0)
    pair.clientEnd.resumeReading()
    hand.turn { pair.client.bytes.count >= bytes.count }
    #expect(pair.client.bytes == bytes)
    #expect(pair.serverEnd.unsentBytes == 0)
    #expect(pair.server.drainedCount == 1)
    // EPOLLIN, and no EPOLLOUT.
    #expect(pair.serverEnd.armedEvents == 1)
  }

  @Test func halfClose() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    pair.clientEnd.write(pattern(10))
    pair.clientEnd.close(.local(code: 7), afterFlush: true)
    #expect(!pair.clientEnd.isOpen)
    hand.turn { pair.server.inputEndedCount > 0 }
    #expect(pair.server.bytes == pattern(10))
    #expect(pair.server.closeReasons == [])
    #expect(pair.serverEnd.isInputEnded)
    // Not even EPOLLIN: end of file is readable for ever.
    #expect(pair.serverEnd.armedEvents == 0)
    pair.serverEnd.write(pattern(20))
    hand.turn(times: 3)
    #expect(pair.server.inputEndedCount == 1)
    pair.serverEnd.close(.requested, afterFlush: true)
    hand.turn { !pair.server.closeReasons.isEmpty && !pair.client.closeReasons.isEmpty }
    #expect(pair.client.bytes == [], "a closing connection tells its handler nothing more")
    #expect(pair.client.closeReasons == [.local(code: 7)])
    #expect(pair.server.closeReasons == [.requested])
  }

  @Test func closeAfterFlushDeliversEverythingToAPeerThatKeepsSending() throws {
    let hand = try HandTurned { $0.sendBufferBytes = 8_192 }
    let pair = try hand.pair()
    let bytes = pattern(1_000_000)
    // Unread input at the time of close(2) would answer with a reset.
    pair.serverEnd.pauseReading()
    pair.clientEnd.write(pattern(200_000, seed: 2))
    pair.client.onReceive = { $1.write([1, 2, 3]) }
    pair.client.onInputEnded = { $0.close(.endOfStream, afterFlush: false) }
    hand.turn(times: 3)
    pair.serverEnd.write(bytes)
    pair.serverEnd.close(.local(code: 1_000), afterFlush: true)
    hand.turn { !pair.client.closeReasons.isEmpty && !pair.server.closeReasons.isEmpty }
    #expect(pair.client.bytes == bytes)
    #expect(pair.client.closeReasons == [.endOfStream])
    #expect(pair.server.closeReasons == [.local(code: 1_000)])
    #expect(pair.server.bytes == [] && pair.server.drainedCount == 0)
    #expect(hand.loop.timerCount == 0)
  }

  @Test func lingeringEndsByItself() throws {
    let hand = try HandTurned { $0.lingerTimeout = .milliseconds(5) }
    let pair = try hand.pair()
    pair.serverEnd.close(.local(code: 3), afterFlush: true)
    hand.turn { pair.client.inputEndedCount == 1 }
    hand.turn { !pair.server.closeReasons.isEmpty }
    #expect(pair.server.closeReasons == [.local(code: 3)])
    #expect(pair.client.closeReasons == [])
  }

  @Test func aFlushWithoutProgressIsGivenUp() throws {
    let hand = try HandTurned {
      $0.flushTimeout = .milliseconds(20); $0.sendBufferBytes = 8_192
    }
    let pair = try hand.pair()
    pair.clientEnd.pauseReading()
    pair.clientEnd.shrinkReceiveBuffer()
    pair.serverEnd.write(pattern(1_000_000))
    pair.serverEnd.close(.timedOut, afterFlush: true)
    hand.turn { !pair.server.closeReasons.isEmpty }
    #expect(pair.server.closeReasons == [.timedOut])
    #expect(hand.loop.statistics.connectionsOpen == 1)
  }

  @Test func aStaleNameFindsNothing() throws {
    let hand = try HandTurned()
    let first = try hand.pair()
    let (old, clientOld) = (first.serverEnd.id, first.clientEnd.id)
    #expect(hand.loop.connection(old) === first.serverEnd)
    first.serverEnd.close(.requested, afterFlush: false)
    #expect(hand.loop.connection(old) != nil, "the slot is kept to the end of the turn")
    hand.turn { !first.server.closeReasons.isEmpty }
    first.clientEnd.close(.requested, afterFlush: false)
    hand.turn { !first.client.closeReasons.isEmpty }
    #expect(hand.loop.connection(old) == nil && hand.loop.connection(clientOld) == nil)
    let second = try hand.pair()
    let reused = [second.serverEnd.id, second.clientEnd.id]
    #expect(Set(reused.map(\.index)) == [old.index, clientOld.index])
    #expect(hand.loop.connection(old) == nil && hand.loop.connection(clientOld) == nil)
    first.serverEnd.write([1])
    first.serverEnd.sendNow([1])
    first.serverEnd.abort()
    first.serverEnd.resumeReading()
    second.clientEnd.write([2])
    hand.turn { !second.server.bytes.isEmpty }
    #expect(second.server.bytes == [2] && second.client.bytes == [])
    #expect(first.server.closeReasons.count == 1)
  }

  @Test func oneHandlerClosesAnotherConnectionOfTheSameBatch() throws {
    let hand = try HandTurned()
    let (a, b) = (try hand.pair(), try hand.pair())
    a.server.onReceive = { _, _ in b.serverEnd.abort() }
    b.server.onReceive = { _, _ in a.serverEnd.abort() }
    a.clientEnd.sendNow([1])
    b.clientEnd.sendNow([1])
    hand.turn { !a.server.closeReasons.isEmpty || !b.server.closeReasons.isEmpty }
    hand.turn(times: 3)
    #expect(a.server.receivedCount + b.server.receivedCount == 1)
    #expect(a.server.closeReasons.count + b.server.closeReasons.count == 1)
  }

  @Test func closingInsideClosedWaitsForTheNextTurn() throws {
    let hand = try HandTurned()
    let (a, b) = (try hand.pair(), try hand.pair())
    a.server.onClosed = { _ in b.serverEnd.close(.local(code: 2), afterFlush: false) }
    a.serverEnd.close(.local(code: 1), afterFlush: false)
    hand.loop.turn()
    #expect(a.server.closeReasons == [.local(code: 1)] && b.server.closeReasons == [])
    hand.loop.turn()
    #expect(b.server.closeReasons == [.local(code: 2)])
  }

  @Test func connectionRefused() throws {
    let hand = try HandTurned()
    let port = try RefusingPort()
    let client = Recorder()
    let connection = hand.loop.connect(
      to: SocketAddress(127, 0, 0, 1, port: port.number), handler: client)
    connection.write([1])
    #expect(client.closeReasons == [], "never inside connect")
    hand.turn { !client.closeReasons.isEmpty }
    #expect(client.closeReasons == [.failed(SystemError(.connect, code: ECONNREFUSED))])
    #expect(!client.isConnected)
    #expect(hand.loop.statistics.connectionsOpen == 0)
    withExtendedLifetime(port) {}
  }

  @Test(arguments: [false, true]) func aConnectThatTakesTooLongCanBeClosed(afterFlush: Bool) throws {
    let hand = try HandTurned()
    let client = Recorder()
    // A full backlog answers nothing: the connect hangs.
    let listener = try hand.listen { _ in nil }
    let connection = hand.loop.connect(to: listener.address, handler: client)
    connection.close(.timedOut, afterFlush: afterFlush)
    hand.loop.turn()
    #expect(client.closeReasons == [.timedOut] && !client.isConnected)
  }

  @Test func aResetSaysSo() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    pair.clientEnd.abort()
    hand.turn { !pair.server.closeReasons.isEmpty }
    #expect(pair.server.closeReasons == [.failed(SystemError(.receive, code: ECONNRESET))])
    #expect(pair.client.closeReasons == [.requested])
  }

  @Test func whatWasSentBeforeAResetIsStillRead() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    pair.clientEnd.sendNow(pattern(100_000))
    #expect(pair.clientEnd.unsentBytes == 0)
    pair.clientEnd.abort()
    hand.turn { !pair.server.closeReasons.isEmpty }
    #expect(pair.server.closeReasons.count == 1)
  }

  @Test func writingToADeadPeerCloses() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    pair.clientEnd.close(.requested, afterFlush: false)
    hand.turn { pair.server.inputEndedCount == 1 }
    pair.serverEnd.sendNow([1])
    hand.turn {
      pair.serverEnd.sendNow([2]); return !pair.server.closeReasons.isEmpty
    }
    guard case .failed(let error) = pair.server.closeReasons.first else {
      Issue.record("\(pair.server.closeReasons)")
      return
    }
    #expect([EPIPE, ECONNRESET].contains(error.code))
  }

  @Test func pausedReadingHoldsThePeerBack() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    pair.serverEnd.pauseReading()
    pair.clientEnd.write([1, 2, 3])
    hand.turn(times: 4)
    #expect(pair.server.bytes == [])
    pair.serverEnd.resumeReading()
    hand.turn { pair.server.bytes == [1, 2, 3] }
  }

  @Test func pausingInsideReceivedStopsIt() throws {
    let hand = try HandTurned { $0.readBufferBytes = 16 }
    let pair = try hand.pair()
    pair.server.onReceive = { $1.pauseReading() }
    pair.clientEnd.write(pattern(100))
    hand.turn { !pair.server.bytes.isEmpty }
    hand.turn(times: 10)
    #expect(pair.server.bytes == Array(pattern(100).prefix(16)))
    pair.server.onReceive = nil
    pair.serverEnd.resumeReading()
    hand.turn { pair.server.bytes == pattern(100) }
  }

  @Test func theHandlerCanBeSwapped() throws {
    let hand = try HandTurned { $0.readBufferBytes = 4 }
    let pair = try hand.pair()
    let next = Recorder()
    pair.server.onReceive = { $1.handler = next }
    pair.clientEnd.write([1, 2, 3, 4, 5, 6, 7])
    hand.turn { next.bytes == [5, 6, 7] }
    #expect(pair.server.bytes == [1, 2, 3, 4])
    pair.clientEnd.close(.requested, afterFlush: false)
    hand.turn { next.inputEndedCount == 1 }
    pair.serverEnd.close(.endOfStream, afterFlush: true)
    hand.turn { next.closeReasons == [.endOfStream] }
    #expect(pair.server.closeReasons == [])
  }

  @Test func anAcceptHandlerMayPauseWriteAndClose() throws {
    let hand = try HandTurned()
    let server = Recorder()
    let listener = try hand.listen { connection in
      connection.pauseReading()
      connection.sendNow([1])
      connection.write([2])
      connection.close(.local(code: 4), afterFlush: true)
      return server
    }
    let client = Recorder()
    client.onInputEnded = { $0.close(.endOfStream, afterFlush: false) }
    hand.loop.connect(to: listener.address, handler: client).write([9])
    hand.turn { !server.closeReasons.isEmpty }
    #expect(client.bytes == [1, 2] && server.bytes == [])
    #expect(server.closeReasons == [.local(code: 4)])
  }

  @Test func bytesMayBeChangedInPlace() throws {
    let hand = try HandTurned()
    let pair = try hand.pair()
    pair.server.onReceive = { bytes, connection in
      for index in bytes.indices { bytes[index] ^= 0xff }
      connection.write(copying: UnsafeRawBufferPointer(bytes))
    }
    pair.clientEnd.write([0, 1, 254])
    hand.turn { pair.client.bytes == [255, 254, 1] }
  }

  @Test func aClosedConnectionLetsGoOfItsHandlerAndItself() throws {
    let hand = try HandTurned()
    weak var handler: Recorder?
    weak var connection: Connection?
    do {
      let pair = try hand.pair()
      (handler, connection) = (pair.server, pair.serverEnd)
      pair.server.connection = nil
      pair.serverEnd.write(pattern(10))
      pair.serverEnd.abort()
      hand.turn { !pair.server.closeReasons.isEmpty }
    }
    #expect(handler == nil && connection == nil)
  }

  /// Options are set once, at the listener.
  @Test func acceptedConnectionsHaveTheOptions() throws {
    let hand = try HandTurned {
      $0.unsentLowWaterBytes = 20_000
      $0.sendBufferBytes = 50_000
    }
    let pair = try hand.pair()
    for end in [pair.serverEnd, pair.clientEnd] {
      func option(_ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(end.descriptor, level, name, &value, &length)
        return value
      }
      #expect(option(Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
      #expect(option(Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT) == 20_000)
      // The kernel doubles it, for its own bookkeeping.
      #expect(option(SOL_SOCKET, SO_SNDBUF) == 100_000)
    }
  }

  @Test func aConnectionIsSmall() {
    #expect(class_getInstanceSize(Connection.self) <= 200)
  }

  @Test func aRefusedConnectionIsClosed() throws {
    let hand = try HandTurned()
    let listener = try hand.listen { _ in nil }
    let client = Recorder()
    _ = hand.loop.connect(to: listener.address, handler: client)
    hand.turn { client.inputEndedCount == 1 }
    #expect(hand.loop.statistics.acceptedOpen == 0)
  }
}

/// A shell's usual 1,024 are fewer than the ends of a thousand connections.
private func raiseDescriptorLimit() {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// The size of a class's instances, which Swift doesn't tell on Linux: the header, then what `dump` would
/// show.
private func class_getInstanceSize(_ type: Connection.Type) -> Int {
  // The instance size is the 32-bit word after flags and address point of Swift's class metadata.
  let metadata = unsafeBitCast(type as Any.Type, to: UnsafeRawPointer.self)
  return Int(metadata.load(fromByteOffset: 2 * 8 + 4 + 4, as: UInt32.self))
}
