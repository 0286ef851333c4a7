import COpenSSL

/// The beginning of a server's side of a connection: what a stranger may not do, and a session as soon as he says
/// something that looks like TLS. Once that is established it goes on by itself. Thread-confined.
///
/// A client that connects and is silent costs a few bytes, not the ten kilobytes of a session.
final class TLSServerFilter: ByteFilter {
  private let server: TLSServer
  private(set) var session: TLSSession?
  /// What came before it was clear what it is.
  private var early: [UInt8] = []
  /// In the place of TLS, when the client does not speak it.
  private var answer: [UInt8] = []
  private var isCounted = false
  /// Until no ClientHello can come.
  private var watch: HelloWatch? = HelloWatch()

  init(_ server: TLSServer) { self.server = server }

  deinit { if !isCounted { server.handshakes.count(.unfinished) } }

  var isEstablished: Bool { session?.isEstablished ?? false }
  var successor: (any ByteFilter)? { isEstablished ? session : nil }

  /// The client speaks first.
  func start() {}

  func receive(_ bytes: UnsafeRawBufferPointer) throws(FilterError) {
    guard watch?.allows(bytes) ?? true else { throw refuse(.refused, .helloTooLong) }
    if let session { return try feed(bytes, to: session) }
    early.append(contentsOf: bytes)
    guard let first = early.first else { return }
    if first != UInt8(SSL3_RT_HANDSHAKE) {
      // A letter: the client speaks HTTP. Anything else OpenSSL answers with an alert.
      if UInt8(ascii: "A")...UInt8(ascii: "Z") ~= first { throw refusePlainText() }
    } else {
      // Until its first record is whole a client costs what it sent, not what a handshake does.
      guard early.count >= 5 else { return }
      let record = Int(early[3]) << 8 | Int(early[4])
      guard early.count >= 5 + record || record > SSL3_RT_MAX_PLAIN_LENGTH else { return }
    }
    guard let session = server.makeSession() else { throw TLSFailure.take().filterError(.local) }
    self.session = session
    var whole: [UInt8] = []
    swap(&whole, &early)
    try feed(whole, to: session)
  }

  private func feed(_ bytes: some Collection<UInt8>, to session: TLSSession) throws(FilterError) {
    do throws(FilterError) {
      try session.receive(bytes)
    } catch {
      note(.refused)
      throw error
    }
    // TLS 1.3, until another one is agreed upon.
    if session.version != TLS1_3_VERSION { watch = nil }
    guard session.isEstablished else { return }
    isCounted = true
    server.handshakes.count(session)
  }

  private func refusePlainText() -> FilterError {
    answer = server.plainTextAnswer
    return refuse(.plainText, .plainText)
  }

  private func refuse(_ kind: TLSHandshakeCounters.Failure, _ failure: TLSFailure) -> FilterError {
    note(kind)
    return failure.filterError(.peer)
  }

  private func note(_ failure: TLSHandshakeCounters.Failure) {
    guard !isCounted else { return }
    isCounted = true
    server.handshakes.count(failure)
  }

  func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(FilterError) -> PlainRead {
    guard let session else { return .needsInput }
    return try session.readPlain(into: buffer)
  }

  func inputEnded() throws(FilterError) { try session?.inputEnded() }
  func writePlain(_ bytes: UnsafeRawBufferPointer) throws(FilterError) { try session?.writePlain(bytes) }
  func endOutput() throws(FilterError) { try session?.endOutput() }

  func takeOutbound() -> [UInt8] {
    if let session { return session.takeOutbound() }
    var taken: [UInt8] = []
    swap(&taken, &answer)
    return taken
  }
}
