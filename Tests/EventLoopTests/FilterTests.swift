import Testing

@testable import EventLoop

/// A stand-in for TLS: each side says hello before anything passes, every byte is turned over, 0xEE ends the
/// stream and 0xBB is forbidden.
private final class Flip: ByteFilter {
  var isEstablished = false
  var outbound: [UInt8] = []
  var plain: [UInt8] = []
  var writes: [Int] = []
  var isEnded = false
  var insistsOnEnd = false

  static let hello: UInt8 = 0xaa
  static let end: UInt8 = 0xee
  static let bad: UInt8 = 0xbb
  static let alert: UInt8 = 0xcc

  func start() { outbound.append(Self.hello) }

  func receive(_ bytes: UnsafeRawBufferPointer) throws(FilterError) {
    for byte in bytes {
      if !isEstablished {
        guard byte == Self.hello else { throw fail() }
        isEstablished = true
      } else if byte == Self.bad {
        throw fail()
      } else {
        plain.append(byte)
      }
    }
  }

  private func fail() -> FilterError {
    outbound.append(Self.alert)
    return FilterError(fault: .peer, code: 9)
  }

  func readPlain(into buffer: UnsafeMutableRawBufferPointer) -> PlainRead {
    guard let first = plain.first else { return .needsInput }
    if first == Self.end {
      isEnded = true
      return .ended
    }
    let part = plain.prefix(buffer.count).prefix { $0 != Self.end }
    plain.removeFirst(part.count)
    for (index, byte) in part.enumerated() { buffer[index] = ~byte }
    return .bytes(part.count)
  }

  func inputEnded() throws(FilterError) {
    if insistsOnEnd, !isEnded { throw FilterError(fault: .peer, code: 1) }
  }

  func writePlain(_ bytes: UnsafeRawBufferPointer) {
    writes.append(bytes.count)
    outbound.append(contentsOf: bytes.map { ~$0 })
  }

  func endOutput() { outbound.append(Self.end) }

  func takeOutbound() -> [UInt8] {
    defer { outbound = [] }
    return outbound
  }
}

@Suite struct FilterTests {
  private struct Ends {
    var hand: HandTurned
    var server = Recorder()
    var client = Recorder()
    var serverFilter = Flip()
    var clientFilter = Flip()
    var serverEnd: Connection
    var clientEnd: Connection
  }

  /// Both ends filtered; `connected` not yet waited for.
  private func ends(
    isServerFiltered: Bool = true, _ change: (inout EventLoopConfiguration) -> Void = { _ in }
  ) throws -> Ends {
    let hand = try HandTurned(change)
    let (server, client) = (Recorder(), Recorder())
    let (serverFilter, clientFilter) = (Flip(), Flip())
    let listener = try hand.listen { connection in
      if isServerFiltered { connection.filter = serverFilter }
      server.connection = connection
      return server
    }
    let clientEnd = hand.loop.connect(to: listener.address, handler: client)
    clientEnd.filter = clientFilter
    clientEnd.write([1])
    #expect(!client.isConnected)
    hand.turn { server.connection != nil }
    return Ends(
      hand: hand, server: server, client: client, serverFilter: serverFilter, clientFilter: clientFilter,
      serverEnd: try #require(server.connection), clientEnd: clientEnd)
  }

  /// Bytes without the marks of `Flip`, turned over or not.
  private func plain(_ count: Int) -> [UInt8] { pattern(count).map { $0 & 0x0f } }

  @Test func handshakesAndPassesBytesBothWays() throws {
    let ends = try ends()
    ends.hand.turn { ends.server.bytes == [1] }
    #expect(ends.client.connectedCount == 1 && ends.server.connectedCount == 0)
    ends.serverEnd.sendNow([2])
    for byte in 3..<10 { ends.serverEnd.write([UInt8(byte)]) }
    ends.serverEnd.sendNow([10])
    ends.hand.turn { ends.client.bytes == Array(2...10) }
    #expect(
      ends.serverFilter.writes == [1, 8], "what is sent at once is alone, a turn's other bytes are gathered")
    #expect(ends.serverEnd.unsentBytes == 0 && ends.clientEnd.unsentBytes == 0)
  }

  @Test func aSlowReaderGetsEverythingInOrder() throws {
    let ends = try ends { $0.sendBufferBytes = 8_192 }
    ends.hand.turn { ends.server.bytes == [1] }
    ends.clientEnd.pauseReading()
    ends.clientEnd.shrinkReceiveBuffer()
    let bytes = plain(300_000)
    for begin in stride(from: 0, to: bytes.count, by: 1_000) {
      ends.serverEnd.write(Array(bytes[begin..<begin + 1_000]))
    }
    ends.hand.turn(times: 5)
    #expect(ends.serverEnd.unsentBytes > 0 && ends.server.drainedCount == 0)
    ends.clientEnd.resumeReading()
    ends.hand.turn { ends.client.bytes.count >= bytes.count }
    #expect(ends.client.bytes == bytes)
    #expect(ends.server.drainedCount == 1 && ends.serverEnd.unsentBytes == 0)
  }

  @Test func pausedPlainBytesComeOnResume() throws {
    let ends = try ends { $0.readBufferBytes = 8 }
    ends.server.onReceive = { $1.pauseReading() }
    ends.hand.turn { ends.server.bytes == [1] }
    // In the filter already, so that the socket is silent.
    ends.serverFilter.plain = (2...16).map { ~UInt8($0) }
    ends.hand.turn(times: 3)
    #expect(ends.server.bytes == [1])
    ends.serverEnd.resumeReading()
    ends.hand.turn(times: 3)
    #expect(ends.server.bytes == Array(1...9), "a pause inside received holds")
    ends.server.onReceive = nil
    ends.serverEnd.resumeReading()
    ends.hand.turn { ends.server.bytes == Array(1...16) }
  }

  @Test func closeAfterFlushSaysTheEnd() throws {
    let ends = try ends()
    ends.hand.turn { ends.server.bytes == [1] }
    ends.client.onInputEnded = { $0.close(.endOfStream, afterFlush: true) }
    ends.serverEnd.write([7, 8])
    ends.serverEnd.close(.local(code: 5), afterFlush: true)
    ends.hand.turn { !ends.server.closeReasons.isEmpty && !ends.client.closeReasons.isEmpty }
    #expect(ends.client.bytes == [7, 8])
    #expect(ends.clientFilter.isEnded && ends.client.inputEndedCount == 1)
    #expect(ends.client.closeReasons == [.endOfStream] && ends.server.closeReasons == [.local(code: 5)])
  }

  @Test func closeAfterFlushWaitsForTheHandshake() throws {
    let hand = try HandTurned()
    let (server, client) = (Recorder(), Recorder())
    let listener = try hand.listen { connection in
      connection.filter = Flip()
      connection.write([1, 2])
      connection.close(.requested, afterFlush: true)
      return server
    }
    hand.loop.connect(to: listener.address, handler: client).filter = Flip()
    client.onInputEnded = { $0.close(.endOfStream, afterFlush: false) }
    hand.turn { !server.closeReasons.isEmpty }
    #expect(client.bytes == [1, 2])
    #expect(server.closeReasons == [.requested])
  }

  @Test(arguments: [[Flip.hello, Flip.bad], [0x00]]) func aBrokenRuleSendsTheAlertAndCloses(_ sent: [UInt8])
    throws
  {
    let hand = try HandTurned()
    let (server, client) = (Recorder(), Recorder())
    let listener = try hand.listen { connection in
      connection.filter = Flip()
      connection.write([1])
      return server
    }
    let clientEnd = hand.loop.connect(to: listener.address, handler: client)
    clientEnd.write(sent)
    client.onInputEnded = { $0.close(.endOfStream, afterFlush: false) }
    hand.turn { !server.closeReasons.isEmpty }
    #expect(server.closeReasons == [.filter(FilterError(fault: .peer, code: 9))])
    #expect(server.bytes == [])
    #expect(client.bytes == [Flip.hello, Flip.alert], "queued plain bytes are dropped")
  }

  @Test func anEndWithoutAWordCanBeRefused() throws {
    let ends = try ends()
    ends.hand.turn { ends.server.bytes == [1] }
    ends.serverFilter.insistsOnEnd = true
    ends.clientEnd.close(.requested, afterFlush: false)
    ends.hand.turn { !ends.server.closeReasons.isEmpty }
    #expect(ends.server.closeReasons == [.filter(FilterError(fault: .peer, code: 1))])
    #expect(ends.server.inputEndedCount == 0)
  }
}
