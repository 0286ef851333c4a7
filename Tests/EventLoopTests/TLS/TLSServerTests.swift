import COpenSSL
import Synchronization
import TestSupport
import Testing

@testable import EventLoop

/// What a server agrees to, and what it refuses, without a socket.
@Suite struct TLSServerTests {
  private func failure(_ body: () throws -> Void) -> TLSFailure? {
    do {
      try body()
      return nil
    } catch {
      return (error as? FilterError).map { TLSFailure(code: $0.code) }
    }
  }

  // MARK: - Choices

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func bytesPassBothWays(_ version: Int32) throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: version))
    try ends.handshake()
    #expect(ends.client.isEstablished && ends.server.isEstablished)
    #expect(try ends.serverSession.version == version && ends.serverSession.isResumed == false)
    let long = pattern(100_000)
    try ends.clientWrites([1, 2, 3])
    try ends.serverWrites(long)
    try ends.pump()
    #expect(ends.atServer == [1, 2, 3] && ends.atClient == long)
    try ends.server.endOutput()
    try ends.client.endOutput()
    try ends.pump()
    #expect(ends.clientEnded && ends.serverEnded)
    try ends.server.inputEnded()
  }

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func nothingDependsOnHowBytesAreCut(_ version: Int32) throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: version))
    try ends.client.start()
    while !ends.client.isEstablished || !ends.server.isEstablished {
      for byte in ends.client.takeOutbound() { try ends.feedServer([byte]) }
      for byte in ends.server.takeOutbound() { try ends.feedClient([byte]) }
    }
    try ends.clientWrites([9, 8, 7])
    for byte in ends.client.takeOutbound() { try ends.feedServer([byte]) }
    #expect(ends.atServer == [9, 8, 7])
  }

  @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
  func whatIsOldIsRefused(_ version: Int32) throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: version, ciphers: "ALL:@SECLEVEL=0"))
    let failure = failure { try ends.handshake() }
    #expect(failure?.description.contains("unsupported protocol") == true)
  }

  /// No static RSA, no CBC, no finite-field Diffie-Hellman.
  @Test(arguments: ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"])
  func weakCiphersAreRefused(_ ciphers: String) throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: TLS1_2_VERSION, ciphers: ciphers))
    #expect(failure { try ends.handshake() }?.description.contains("no shared cipher") == true)
  }

  @Test(arguments: [
    (ClientOptions(), "TLS_AES_128_GCM_SHA256"),
    (
      ClientOptions(ciphersTLS13: "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
      "TLS_CHACHA20_POLY1305_SHA256"
    ),
    (
      ClientOptions(version: TLS1_2_VERSION, ciphers: "ECDHE+AES256:ECDHE+AES128"),
      "ECDHE-ECDSA-AES128-GCM-SHA256"
    ),
  ])
  func theCheapestCipherIsTakenUnlessTheClientHasNoAES(_ options: ClientOptions, _ name: String) throws {
    let ends = try TwoEnds(.testing(), options)
    try ends.handshake()
    let cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(try ends.serverSession.session))
    #expect(cipher.map { String(cString: $0) } == name)
  }

  @Test(arguments: [("X25519", true), ("P-256", true), ("P-384:P-521", true), ("P-521", false)])
  func groups(_ groups: String, _ isServed: Bool) throws {
    let ends = try TwoEnds(.testing(), ClientOptions(groups: groups))
    #expect((failure { try ends.handshake() } == nil) == isServed)
  }

  @Test(
    arguments: [
      (nil, true), (["http/1.1"], true), (["h2", "http/1.1"], true), (["h2"], false),
      (["http/1.0", "h3"], false),
    ] as [([String]?, Bool)])
  func applicationProtocols(_ offered: [String]?, _ isServed: Bool) throws {
    let ends = try TwoEnds(.testing(), ClientOptions(protocols: offered))
    let failure = failure { try ends.handshake() }
    if isServed {
      #expect(failure == nil)
      var chosen: UnsafePointer<UInt8>?
      var count: UInt32 = 0
      SSL_get0_alpn_selected(ends.client.session, &chosen, &count)
      let name = UnsafeBufferPointer(start: chosen, count: Int(count))
      #expect(String(decoding: name, as: UTF8.self) == (offered == nil ? "" : "http/1.1"))
    } else {
      #expect(failure?.description.contains("no application protocol") == true)
      // RFC 7301 §3.2: the alert is 120, no_application_protocol, and fatal.
      #expect(ends.server.takeOutbound().suffix(2) == [2, 120])
    }
  }

  /// Whatever name is asked for, and without one: the one certificate.
  @Test(arguments: ["localhost", "someone.else.test", nil])
  func anyNameIsServed(_ name: String?) throws {
    let ends = try TwoEnds(.testing(), ClientOptions(serverName: name))
    try ends.handshake()
    #expect(ends.client.isEstablished)
  }

  @Test func theWholeChainIsSent() throws {
    let root = try TestCertificate.authority("root")
    let middle = try TestCertificate.authority("middle", issuer: root)
    let own = try TestCertificate(CertificateRequest(), issuer: middle)
    let server = try TLSServer(TLSIdentity(own, intermediates: [middle]), plainTextAnswer: [])
    let ends = try TwoEnds(server)
    try ends.handshake()
    let chain = try #require(SSL_get_peer_cert_chain(ends.client.session))
    #expect(copenssl_sk_X509_num(chain) == 2)
  }

  // MARK: - Resumption

  /// The session of a second connection that offers the ticket of a first one.
  private func resume(
    _ server: TLSServer, version: Int32, _ meanwhile: () throws -> Void = {}
  ) throws -> Bool {
    let options = ClientOptions(version: version)
    let first = try TwoEnds(server, options)
    try first.handshake()
    let ticket = try first.ticket()
    defer { SSL_SESSION_free(ticket) }
    try meanwhile()
    let second = try TwoEnds(server, options, session: ticket)
    try second.handshake()
    #expect(try second.client.isResumed == second.serverSession.isResumed)
    return second.client.isResumed
  }

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func sessionsAreResumed(_ version: Int32) throws { #expect(try resume(.testing(), version: version)) }

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func alsoUnderANewCertificate(_ version: Int32) throws {
    let server = try TLSServer.testing()
    let other = try TLSIdentity(TestCertificate(CertificateRequest("renewed")))
    #expect(try resume(server, version: version) { try server.use(other) })
  }

  @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func notByAnotherServer(_ version: Int32) throws {
    let first = try TwoEnds(.testing(), ClientOptions(version: version))
    try first.handshake()
    let ticket = try first.ticket()
    defer { SSL_SESSION_free(ticket) }
    let second = try TwoEnds(.testing(), ClientOptions(version: version), session: ticket)
    try second.handshake()
    #expect(second.client.isEstablished && !second.client.isResumed)
  }

  @Test func oneTicketIsGiven() throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: TLS1_3_VERSION))
    try ends.handshake()
    // RFC 8446 §5.1: encrypted, it is a record of application data, and the last thing that is said.
    #expect(records(try #require(ends.said.last)).map(\.type) == [23])
  }

  @Test func aKeyIsGivenUpAfterAWhile() throws {
    final class Clock: Sendable { let now = Atomic<Int64>(1_000) }
    let clock = Clock()
    let keys = TLSTicketKeys { clock.now.load(ordering: .relaxed) }
    let server = try TLSServer.testing(tickets: keys)
    func wait(_ seconds: Int64) { clock.now.add(seconds, ordering: .relaxed) }
    let first = try #require(keys.sealing()?.name)
    wait(TLSTicketKeys.period - 1)
    #expect(keys.sealing()?.name == first)
    // A ticket of the last moment is still opened under the next key, and for as long as it is good.
    #expect(try resume(server, version: TLS1_3_VERSION) { wait(2) })
    let second = try #require(keys.sealing()?.name)
    #expect(second != first)
    #expect(first.withUnsafeBytes { keys.opening($0)?.isOld } == true)
    #expect(second.withUnsafeBytes { keys.opening($0)?.isOld } == false)
    wait(TLSTicketKeys.period)
    #expect(first.withUnsafeBytes { keys.opening($0) } == nil)
    #expect(try resume(server, version: TLS1_2_VERSION) { wait(2 * TLSTicketKeys.period) } == false)
  }

  // MARK: - What strangers do

  @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "OPTIONS", "P"])
  func plainTextGetsAPlainAnswer(_ text: String) throws {
    let ends = try TwoEnds(.testing())
    #expect(failure { try ends.feedServer(Array(text.utf8)) } == .plainText)
    #expect(ends.server.takeOutbound() == Array("plain text".utf8))
    #expect(ends.beginning.session == nil, "no memory is spent on it")
  }

  @Test(
    arguments: [
      [0x00, 0x01, 0x02, 0x03, 0x04, 0x05],
      [0x80, 0x2e, 0x01, 0x00, 0x02, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10] + [UInt8](repeating: 0, count: 40),
      [0x17, 0x03, 0x03, 0x00, 0x01, 0x00],
    ] as [[UInt8]])
  func garbageIsRefused(_ bytes: [UInt8]) throws {
    let ends = try TwoEnds(.testing())
    #expect(failure { try ends.feedServer(bytes) } != nil)
  }

  @Test func aClientHelloThatIsTooLongIsRefusedBeforeMemoryIsSpent() throws {
    let ends = try TwoEnds(.testing())
    // Its header alone: 16,385 bytes are announced.
    let hello: [UInt8] = [0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x40, 0x01]
    #expect(failure { for byte in hello { try ends.feedServer([byte]) } } == .helloTooLong)
    #expect(ends.beginning.session == nil)
  }

  @Test(arguments: [1, 2, 3, 4])
  func itsLengthMayLieInTwoRecords(_ cut: Int) throws {
    let ends = try TwoEnds(.testing())
    let head: [UInt8] = [0x01, 0x00, 0xff, 0xff]
    let first = [0x16, 0x03, 0x01, 0x00, UInt8(cut)] + head[..<cut]
    let second = [0x16, 0x03, 0x01, 0x00, 0x64] + head[cut...] + [UInt8](repeating: 0, count: 96)
    #expect(failure { for byte in first + second { try ends.feedServer([byte]) } } == .helloTooLong)
  }

  /// RFC 8446 §4.1.4: a server may ask for another one, and it is in plain text too.
  @Test func norMayTheSecondClientHelloBeTooLong() throws {
    let ends = try TwoEnds(.testing())
    // TLS 1.3 alone, X25519 alone, and no key share: the server asks for one.
    let extensions: [UInt8] = [
      0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04,  // supported_versions
      0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x1d,  // supported_groups
      0x00, 0x0d, 0x00, 0x08, 0x00, 0x06, 0x04, 0x03, 0x08, 0x04, 0x08, 0x07,  // signature_algorithms
      0x00, 0x33, 0x00, 0x02, 0x00, 0x00,  // key_share
    ]
    let suites: [UInt8] = [0x00, 0x00, 0x02, 0x13, 0x01, 0x01, 0x00, 0x00, UInt8(extensions.count)]
    let random = [UInt8](repeating: 7, count: 32)
    let length = UInt8(2 + random.count + suites.count + extensions.count)
    let first =
      [0x16, 0x03, 0x01, 0x00, length + 4, 0x01, 0x00, 0x00, length, 0x03, 0x03] + random + suites
      + extensions
    try ends.feedServer(first)
    #expect(!ends.server.takeOutbound().isEmpty && !ends.beginning.isEstablished)
    let second: [UInt8] = [
      0x14, 0x03, 0x03, 0x00, 0x01, 0x01, 0x16, 0x03, 0x03, 0x00, 0x64, 0x01, 0x01, 0xff, 0xb8,
    ]
    #expect(failure { for byte in second { try ends.feedServer([byte]) } } == .helloTooLong)
  }

  /// What is encrypted may look like anything: TLS 1.2 has the same type for it.
  @Test func encryptedHandshakesAreNotLookedInto() throws {
    for _ in 0..<200 {
      for version in [TLS1_2_VERSION, TLS1_3_VERSION] {
        let ends = try TwoEnds(.testing(), ClientOptions(version: version))
        try ends.handshake()
      }
    }
  }

  @Test func aClientHelloThatIsNotWholeCostsNoSession() throws {
    let ends = try TwoEnds(.testing())
    try ends.client.start()
    let hello = ends.client.takeOutbound()
    for byte in hello.dropLast() { try ends.feedServer([byte]) }
    #expect(ends.beginning.session == nil)
    try ends.feedServer([try #require(hello.last)])
    #expect(ends.beginning.session != nil)
  }

  @Test func aRecordThatIsTooLongEndsTheConnection() throws {
    let ends = try TwoEnds(.testing())
    try ends.handshake()
    // RFC 8446 §5.2: at most 2^14 + 256 bytes.
    #expect(failure { try ends.feedServer([0x17, 0x03, 0x03, 0x41, 0x01]) } != nil)
  }

  @Test func aRecordThatWasTouchedEndsTheConnection() throws {
    let ends = try TwoEnds(.testing())
    try ends.handshake()
    try ends.clientWrites([1, 2, 3])
    var record = ends.client.takeOutbound()
    record[record.count - 1] ^= 1
    #expect(failure { try ends.feedServer(record) } != nil)
    #expect(ends.atServer == [])
    #expect(!ends.server.takeOutbound().isEmpty, "an alert says why")
  }

  @Test func anEndWithoutGoodbyeIsNoticed() throws {
    let ends = try TwoEnds(.testing())
    try ends.handshake()
    #expect(failure { try ends.server.inputEnded() } == .truncated)
  }

  @Test func keyUpdatesAreAnswered() throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: TLS1_3_VERSION))
    try ends.handshake()
    for round in 0..<5 {
      try #require(SSL_key_update(ends.client.session, SSL_KEY_UPDATE_REQUESTED) == 1)
      try ends.clientWrites([UInt8(round)])
      try ends.serverWrites([UInt8(round)])
      try ends.pump()
    }
    #expect(ends.atServer == [0, 1, 2, 3, 4] && ends.atClient == [0, 1, 2, 3, 4])
  }

  @Test func aFloodOfKeyUpdatesIsEnded() throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: TLS1_3_VERSION))
    try ends.handshake()
    var flood: [UInt8] = []
    for _ in 0..<2_000 {
      try #require(SSL_key_update(ends.client.session, SSL_KEY_UPDATE_REQUESTED) == 1)
      try #require(SSL_do_handshake(ends.client.session) == 1)
      flood += ends.client.takeOutbound()
    }
    #expect(failure { try ends.feedServer(flood) } == .tooManyKeyUpdates)
    let answers = records(ends.server.takeOutbound()).count
    #expect(answers >= TLSSession.keyUpdatesFree && answers < TLSSession.keyUpdatesFree + 40)
  }

  @Test func renegotiationIsRefused() throws {
    let ends = try TwoEnds(.testing(), ClientOptions(version: TLS1_2_VERSION, renegotiates: true))
    try ends.handshake()
    try #require(SSL_renegotiate(ends.client.session) == 1)
    _ = SSL_do_handshake(ends.client.session)
    #expect(failure { try ends.feedServer(ends.client.takeOutbound()) } == .renegotiation)
    #expect(records(ends.server.takeOutbound()).map(\.type) == [21], "the alert goes out first")
  }

  // MARK: - Memory

  @Test func nothingIsKeptWhileIdle() throws {
    let ends = try TwoEnds(.testing())
    try ends.handshake()
    try ends.serverWrites(pattern(200_000))
    try ends.clientWrites(pattern(200_000))
    try ends.pump()
    #expect(try ends.serverSession.inbound.capacity == 0 && ends.serverSession.outbound.capacity == 0)
    #expect(ends.client.inbound.capacity == 0 && ends.client.outbound.capacity == 0)
  }
}
