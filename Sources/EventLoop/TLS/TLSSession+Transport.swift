import COpenSSL

private func tlsSession(_ data: UnsafeMutableRawPointer?) -> TLSSession? {
  data.map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
}

/// The C side of a session: OpenSSL calls these while one of the session's methods is under way, on its thread.
extension TLSSession {
  /// Our kind of BIO; made once, nil when memory has run out.
  nonisolated(unsafe) static let transport: OpaquePointer? = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "walletpush") else {
      return nil
    }
    BIO_meth_set_read(method) { bio, buffer, count in
      guard let me = tlsSession(BIO_get_data(bio)), let buffer else { return -1 }
      return me.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count)), bio)
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      guard let me = tlsSession(BIO_get_data(bio)), let bytes, count > 0 else { return -1 }
      me.outbound.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    // There is nothing to flush, which is a success; of all else (kernel TLS, say) we know nothing.
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
  }()

  private func read(into buffer: UnsafeMutableRawBufferPointer, _ bio: OpaquePointer?) -> Int32 {
    BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
    // Not "try again": OpenSSL gives up, and the session says why.
    guard refusal == nil else { return -1 }
    let count = min(buffer.count, inbound.count - inboundRead)
    guard count > 0 else {
      BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
      return -1
    }
    inbound.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[inboundRead..<inboundRead + count]))
    }
    inboundRead += count
    if inboundRead == inbound.count {
      inbound = []
      inboundRead = 0
    }
    return Int32(count)
  }

  /// Sees every handshake message that was received and every alert that is sent (SSL_CTX_set_msg_callback(3)).
  static let messageSeen:
    @convention(c) (
      Int32, Int32, Int32, UnsafeRawPointer?, Int, OpaquePointer?, UnsafeMutableRawPointer?
    ) -> Void = { isSent, _, type, bytes, count, _, data in
      guard let bytes, count > 1 else { return }
      if isSent == 0, type == SSL3_RT_HANDSHAKE {
        guard bytes.load(as: UInt8.self) == UInt8(SSL3_MT_KEY_UPDATE) else { return }
        tlsSession(data)?.countKeyUpdate()
      } else if isSent == 1, type == SSL3_RT_ALERT {
        // RFC 5246 §7.2.2: OpenSSL declines to renegotiate with a warning and goes on; a peer could have any number
        // of them piled up here. It has its answer; then the connection ends.
        guard bytes.load(fromByteOffset: 1, as: UInt8.self) == UInt8(TLS1_AD_NO_RENEGOTIATION) else { return }
        tlsSession(data)?.refuse(.renegotiation)
      }
    }
}
