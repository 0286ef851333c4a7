// Theory of operation
//
// OpenSSL works on two memory BIOs instead of a socket: what came from the peer is put into `inbound`, what
// is to go to the peer is taken out of `outbound`. A memory BIO takes everything it is given, so OpenSSL only
// ever waits for input, and a write is done when it returns.
//
// The connection bounds both: it feeds one read at a time and takes what came of it before the next, and it
// hands over what it wants to have written in pieces.
import COpenSSL
import EventLoop

/// One TLS connection. Thread-confined.
final class TLSSession: ByteFilter {
  enum Role { case client, server }

  let session: OpaquePointer
  /// Both belong to the session.
  private let inbound: OpaquePointer
  private let outbound: OpaquePointer
  private(set) var isEstablished = false

  /// What is the same for both roles.
  static func configure(_ context: OpaquePointer) {
    _ = SSL_CTX_set_options(
      context, copenssl_SSL_OP_NO_COMPRESSION() | copenssl_SSL_OP_NO_RENEGOTIATION())
    // An idle session needs no buffers.
    _ = copenssl_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
  }

  /// Nil when memory has run out.
  init?(_ context: OpaquePointer, role: Role) {
    guard let session = SSL_new(context) else { return nil }
    guard let inbound = BIO_new(BIO_s_mem()) else {
      SSL_free(session)
      return nil
    }
    guard let outbound = BIO_new(BIO_s_mem()) else {
      BIO_free(inbound)
      SSL_free(session)
      return nil
    }
    // An empty BIO means "more to come", not the end.
    _ = copenssl_BIO_set_mem_eof_return(inbound, -1)
    SSL_set_bio(session, inbound, outbound)
    switch role {
    case .client: SSL_set_connect_state(session)
    case .server: SSL_set_accept_state(session)
    }
    self.session = session
    self.inbound = inbound
    self.outbound = outbound
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

  // MARK: - ByteFilter

  func start() throws(FilterError) { try handshake() }

  func receive(_ bytes: UnsafeRawBufferPointer) throws(FilterError) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    ERR_clear_error()
    var taken = 0
    guard BIO_write_ex(inbound, base, bytes.count, &taken) == 1, taken == bytes.count else {
      throw TLSFailure.take().filterError(.local)
    }
    if !isEstablished { try handshake() }
  }

  private func handshake() throws(FilterError) {
    ERR_clear_error()
    let result = SSL_do_handshake(session)
    if result == 1 {
      isEstablished = true
    } else if SSL_get_error(session, result) != SSL_ERROR_WANT_READ {
      throw failure()
    }
  }

  func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(FilterError) -> PlainRead {
    guard isEstablished else { return .needsInput }
    ERR_clear_error()
    var count = 0
    let result = SSL_read_ex(session, buffer.baseAddress, buffer.count, &count)
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
    var written = 0
    guard SSL_write_ex(session, base, bytes.count, &written) == 1, written == bytes.count else {
      throw failure()
    }
  }

  func endOutput() throws(FilterError) {
    // In the middle of a handshake there is nothing to end.
    guard isEstablished else { return }
    ERR_clear_error()
    if SSL_shutdown(session) < 0 { throw failure() }
  }

  func takeOutbound() -> [UInt8] {
    let waiting = Int(copenssl_BIO_pending(outbound))
    guard waiting > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: waiting) { buffer, count in
      var taken = 0
      count = BIO_read_ex(outbound, buffer.baseAddress, waiting, &taken) == 1 ? taken : 0
    }
  }

  /// Why OpenSSL gave up. A certificate that was refused says why; anything else is in the error queue.
  private func failure() -> FilterError {
    let verdict = SSL_get_verify_result(session)
    let failure = TLSFailure.take()
    if !isEstablished, verdict != Int(X509_V_OK) {
      return TLSFailure(code: UInt64(clamping: verdict)).filterError(.peer)
    }
    return failure.filterError(.peer)
  }
}
