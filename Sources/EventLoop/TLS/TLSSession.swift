// Theory of operation
//
// OpenSSL does no I/O of its own. It reads from and writes to a BIO of ours (TLSSession+Transport.swift) that moves
// bytes between OpenSSL and two arrays: what came from the peer and is not read yet, and what is to go to the peer.
// Writing never waits, so OpenSSL only ever waits for input, and a write is done when it returns. OpenSSL's own
// memory BIOs do the same, but keep for good what they have once grown to; ours own nothing while the connection is
// idle.
//
// The connection bounds both arrays: it feeds one read at a time and takes what came of it before the next, and it
// hands over what it wants to have written in pieces. What a peer can make us say by itself is bounded here.
import COpenSSL

/// One TLS connection. Thread-confined.
final class TLSSession: ByteFilter {
  enum Role { case client, server }

  let session: OpaquePointer
  private let context: TLSContext
  private(set) var isEstablished = false

  /// From the peer, `inboundRead` bytes of which OpenSSL has taken.
  var inbound: [UInt8] = []
  var inboundRead = 0
  /// For the peer.
  var outbound: [UInt8] = []
  /// Set when the peer does what we don't put up with: nothing is read any more.
  private(set) var refusal: TLSFailure?
  private var receivedBytes = 0
  private var keyUpdates = 0

  /// Nil when memory has run out.
  init?(_ context: TLSContext, role: Role) {
    guard let session = SSL_new(context.pointer) else { return nil }
    guard let transport = Self.transport, let bio = BIO_new(transport) else {
      SSL_free(session)
      return nil
    }
    self.session = session
    self.context = context
    let me = Unmanaged.passUnretained(self).toOpaque()
    BIO_set_data(bio, me)
    BIO_set_init(bio, 1)
    // The session owns it from here on, for both directions.
    SSL_set_bio(session, bio, bio)
    copenssl_SSL_set_msg_callback_arg(session, me)
    switch role {
    case .client: SSL_set_connect_state(session)
    case .server: SSL_set_accept_state(session)
    }
  }

  deinit { SSL_free(session) }

  /// Makes the handshake fail unless the peer's certificate is for `host`.
  func expect(host: String) -> Bool {
    guard let parameters = SSL_get0_param(session) else { return false }
    // RFC 6125 §6.4.4: the common name is not looked at; §7.2: `*` stands for a whole label.
    X509_VERIFY_PARAM_set_hostflags(
      parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    // RFC 6066 §3: an address is no server name.
    if X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 { return true }
    ERR_clear_error()
    return copenssl_SSL_set_tlsext_host_name(session, host) == 1 && SSL_set1_host(session, host) == 1
  }

  /// TLS1_2_VERSION or TLS1_3_VERSION; the latter until a ClientHello was read.
  var version: Int32 { SSL_version(session) }
  /// Whether the handshake was an abbreviated one (RFC 8446 §2.2, RFC 5077).
  var isResumed: Bool { SSL_session_reused(session) == 1 }

  // MARK: - ByteFilter

  func start() throws(FilterError) { try handshake() }

  func receive(_ bytes: some Collection<UInt8>) throws(FilterError) {
    guard !bytes.isEmpty else { return }
    receivedBytes &+= bytes.count
    inbound.append(contentsOf: bytes)
    if !isEstablished { try handshake() }
  }

  private func handshake() throws(FilterError) {
    ERR_clear_error()
    let result = SSL_do_handshake(session)
    if result == 1 {
      isEstablished = true
    } else if refusal != nil || SSL_get_error(session, result) != SSL_ERROR_WANT_READ {
      throw failure()
    }
  }

  func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(FilterError) -> PlainRead {
    guard isEstablished else { return .needsInput }
    ERR_clear_error()
    var count = 0
    let result = SSL_read_ex(session, buffer.baseAddress, buffer.count, &count)
    if refusal != nil { throw failure() }
    if result == 1, count > 0 { return .bytes(count) }
    switch SSL_get_error(session, result) {
    case SSL_ERROR_WANT_READ: return .needsInput
    case SSL_ERROR_ZERO_RETURN: return .ended
    default: throw failure()
    }
  }

  func inputEnded() throws(FilterError) {
    guard SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN == 0 else { return }
    throw TLSFailure.truncated.filterError(.peer)
  }

  func writePlain(_ bytes: UnsafeRawBufferPointer) throws(FilterError) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    ERR_clear_error()
    outbound.reserveCapacity(outbound.count + Self.sealedBytes(bytes.count))
    var written = 0
    guard SSL_write_ex(session, base, bytes.count, &written) == 1, written == bytes.count else {
      throw failure()
    }
  }

  /// What so many plain bytes become at most: a header and a tag for each record (RFC 8446 §5.2, RFC 5288 §3).
  private static func sealedBytes(_ count: Int) -> Int {
    count + (count / Int(SSL3_RT_MAX_PLAIN_LENGTH) + 1) * 32
  }

  func endOutput() throws(FilterError) {
    // In the middle of a handshake there is nothing to end.
    guard isEstablished else { return }
    ERR_clear_error()
    if SSL_shutdown(session) < 0 { throw failure() }
  }

  func takeOutbound() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &outbound)
    return taken
  }

  /// Why OpenSSL gave up. A certificate that was refused says why; anything else is in the error queue.
  private func failure() -> FilterError {
    let failure = TLSFailure.take()
    if let refusal { return refusal.filterError(.peer) }
    let verdict = SSL_get_verify_result(session)
    if !isEstablished, verdict != Int(X509_V_OK) {
      return TLSFailure(code: UInt64(clamping: verdict)).filterError(.peer)
    }
    return failure.filterError(.peer)
  }

  // MARK: - What the peer may make us do

  /// RFC 8446 §4.6.3: a peer may change keys whenever it likes, and each time costs us several key derivations and,
  /// if it asks for it, an answer. One that does so without sending anything wants to keep us busy.
  func countKeyUpdate() {
    keyUpdates += 1
    if keyUpdates > Self.keyUpdatesFree + receivedBytes / Self.bytesPerKeyUpdate {
      refuse(.tooManyKeyUpdates)
    }
  }

  func refuse(_ failure: TLSFailure) { refusal = refusal ?? failure }

  static let keyUpdatesFree = 128
  private static let bytesPerKeyUpdate = 4_096
}
