import TestSupport
import Testing

@testable import EventLoop

/// TLS over real sockets of a loop that is turned by hand.
@Suite struct TLSConnectionTests {
  /// Keeps what comes off the wire, on its way to the filter behind it.
  private final class Tap: ByteFilter {
    let filter: any ByteFilter
    var heard: [UInt8] = []

    init(_ filter: any ByteFilter) { self.filter = filter }

    var isEstablished: Bool { filter.isEstablished }
    func start() throws(FilterError) { try filter.start() }
    func receive(_ bytes: UnsafeRawBufferPointer) throws(FilterError) {
      heard.append(contentsOf: bytes)
      try filter.receive(bytes)
    }
    func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(FilterError) -> PlainRead {
      try filter.readPlain(into: buffer)
    }
    func inputEnded() throws(FilterError) { try filter.inputEnded() }
    func writePlain(_ bytes: UnsafeRawBufferPointer) throws(FilterError) { try filter.writePlain(bytes) }
    func endOutput() throws(FilterError) { try filter.endOutput() }
    func takeOutbound() -> [UInt8] { filter.takeOutbound() }
  }

  private struct Ends {
    var hand: HandTurned
    var server = Recorder()
    var client = Recorder()
    var tap: Tap
    var serverEnd: Connection
    var clientEnd: Connection
  }

  /// An established connection.
  private func ends(_ change: (inout EventLoopConfiguration) -> Void = { _ in }) throws -> Ends {
    let hand = try HandTurned(change)
    let authority = try TestCertificate.authority("ca")
    let folder = try TemporaryFolder()
    try folder.write("ca.pem", String(decoding: authority.pem, as: UTF8.self))
    let tls = try TLSServer.testing(TestCertificate(CertificateRequest(), issuer: authority))
    let tap = Tap(try TLSClient(trust: .file(folder.path + "/ca.pem")).makeFilter(host: "localhost"))
    let (server, client) = (Recorder(), Recorder())
    let listener = try hand.listen { connection in
      connection.filter = tls.makeFilter()
      server.connection = connection
      return server
    }
    let clientEnd = hand.loop.connect(to: listener.address, handler: client)
    clientEnd.filter = tap
    hand.turn { client.isConnected && server.connection?.filter?.isEstablished == true }
    // The ticket: all that was said has been heard.
    hand.turn(times: 3)
    hand.turn { hand.loop.statistics.bytesIn == hand.loop.statistics.bytesOut }
    return Ends(
      hand: hand, server: server, client: client, tap: tap, serverEnd: try #require(server.connection),
      clientEnd: clientEnd)
  }

  @Test func aTurnsFramesAreOneRecord() throws {
    let ends = try ends()
    ends.tap.heard = []
    for index in 0..<16 { ends.serverEnd.write(pattern(200, seed: UInt64(index))) }
    ends.hand.turn { ends.client.bytes.count == 16 * 200 }
    #expect(ends.client.bytes == (0..<16).flatMap { pattern(200, seed: UInt64($0)) })
    let burst = records(ends.tap.heard)
    #expect(burst.count == 1, "one record for 16 frames")
    // TLS 1.3: the type within and the tag (RFC 8446 §5.2).
    #expect(burst.first?.count == 16 * 200 + 1 + 16)
  }

  @Test func aSharedFrameGoesAtOnce() throws {
    let ends = try ends()
    ends.tap.heard = []
    let frame = pattern(3_000)
    ends.serverEnd.sendNow(frame)
    #expect(ends.serverEnd.unsentBytes == 0, "it is with the kernel")
    ends.hand.turn { ends.client.bytes == frame }
    #expect(records(ends.tap.heard).count == 1)
  }

  @Test func longWritesFillTheirRecords() throws {
    let ends = try ends()
    ends.tap.heard = []
    for index in 0..<50 { ends.serverEnd.write(pattern(2_000, seed: UInt64(index))) }
    ends.hand.turn { ends.client.bytes.count == 100_000 }
    // 65,536 bytes are four whole records, and the rest three.
    #expect(records(ends.tap.heard).count == 7)
  }

  @Test func aSlowReaderGetsEverything() throws {
    let ends = try ends { $0.sendBufferBytes = 8_192 }
    ends.clientEnd.pauseReading()
    ends.clientEnd.shrinkReceiveBuffer()
    let bytes = pattern(4_000_000)
    ends.serverEnd.sendNow(bytes)
    ends.hand.turn(times: 5)
    // The plain bytes wait, and at most a piece of them sealed; the kernel holds the rest.
    #expect(ends.serverEnd.unsentBytes > 3_000_000 && ends.serverEnd.unsentBytes < 4_010_000)
    ends.clientEnd.resumeReading()
    ends.hand.turn { ends.client.bytes.count >= bytes.count }
    #expect(ends.client.bytes == bytes && ends.serverEnd.unsentBytes == 0)
  }

  @Test func aPausedReaderHoldsNoMoreThanOneRead() throws {
    let ends = try ends()
    ends.server.onReceive = { $1.pauseReading() }
    let bytes = pattern(300_000)
    ends.clientEnd.write(bytes)
    ends.hand.turn { ends.serverEnd.isReadingPaused }
    ends.hand.turn(times: 20)
    let session = try #require(ends.serverEnd.filter as? TLSSession)
    #expect(session.inbound.count <= ends.hand.loop.configuration.readBufferBytes)
    ends.server.onReceive = nil
    ends.serverEnd.resumeReading()
    ends.hand.turn { ends.server.bytes == bytes }
  }

  @Test func bothSidesSayGoodbye() throws {
    let ends = try ends()
    ends.client.onInputEnded = { $0.close(.endOfStream, afterFlush: true) }
    ends.serverEnd.write([1, 2, 3])
    ends.serverEnd.close(.local(code: 7), afterFlush: true)
    ends.hand.turn { !ends.server.closeReasons.isEmpty && !ends.client.closeReasons.isEmpty }
    #expect(ends.client.bytes == [1, 2, 3] && ends.client.inputEndedCount == 1)
    // Without close_notify it would be an error of the filter.
    #expect(ends.client.closeReasons == [.endOfStream] && ends.server.closeReasons == [.local(code: 7)])
  }

  @Test func anEndThatWasCutOffIsAnError() throws {
    let ends = try ends()
    ends.clientEnd.close(.requested, afterFlush: false)
    ends.hand.turn { !ends.server.closeReasons.isEmpty }
    #expect(
      ends.server.closeReasons == [.filter(FilterError(fault: .peer, code: TLSFailure.truncated.code))])
  }

  @Test func aClientThatOnlyConnectsCostsNoSession() throws {
    let hand = try HandTurned()
    let (server, client) = (Recorder(), Recorder())
    let tls = try TLSServer.testing()
    let listener = try hand.listen { connection in
      connection.filter = tls.makeFilter()
      server.connection = connection
      return server
    }
    _ = hand.loop.connect(to: listener.address, handler: client)
    hand.turn { server.connection != nil && client.isConnected }
    hand.turn(times: 3)
    #expect((server.connection?.filter as? TLSServerFilter)?.session == nil)
  }
}
