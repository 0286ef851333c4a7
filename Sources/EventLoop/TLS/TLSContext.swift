import COpenSSL

/// SSL_CTX: what sessions have in common. Shared by all loops, and changed by nobody once it is made.
final class TLSContext: @unchecked Sendable {
  let pointer: OpaquePointer
  /// OpenSSL calls back for them as long as there is a session of this context.
  private let tickets: TLSTicketKeys?

  /// What is the same for both roles: TLS 1.2 and later, nothing compressed (RFC 7525 §3.3), nothing renegotiated.
  ///
  /// - Parameter tickets: a server's; nil: nothing is resumed.
  init(_ role: TLSSession.Role, tickets: TLSTicketKeys?) throws(TLSFailure) {
    ERR_clear_error()
    let method = role == .server ? TLS_server_method() : TLS_client_method()
    guard let pointer = SSL_CTX_new(method) else { throw .take() }
    self.pointer = pointer
    self.tickets = tickets
    _ = SSL_CTX_set_options(
      pointer, copenssl_SSL_OP_NO_COMPRESSION() | copenssl_SSL_OP_NO_RENEGOTIATION())
    // An idle session needs no buffers. And no chain is to be looked for beyond what the file gives.
    _ = copenssl_SSL_CTX_set_mode(pointer, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
    _ = copenssl_SSL_CTX_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
    SSL_CTX_set_msg_callback(pointer, TLSSession.messageSeen)
    guard copenssl_SSL_CTX_set_min_proto_version(pointer, TLS1_2_VERSION) == 1,
      copenssl_SSL_CTX_set_max_proto_version(pointer, 0) == 1
    else { throw .take() }
    if let tickets { tickets.serve(pointer) }
  }

  deinit { SSL_CTX_free(pointer) }

  /// What we speak, as RFC 7301 §3.1 writes it: each name with its length in front.
  static let applicationProtocols = [8] + Array("http/1.1".utf8)
}
