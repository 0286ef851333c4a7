// Session tickets (RFC 5077, RFC 8446 §4.6.1): the server keeps nothing of a session, it gives the client all of it,
// sealed. Whoever has the key can open the tickets, and in TLS 1.2 the sessions themselves; so keys live in memory
// only, and each is given up after a while. They belong to the server, not to its certificate: a reload leaves them.
import COpenSSL
import Glibc
import Synchronization

/// The keys that seal session tickets: one that seals, and the one before it, which still opens. Any thread.
final class TLSTicketKeys: Sendable {
  /// How long a key seals, in seconds, and how long a ticket is good. A key is kept as long again as it has sealed:
  /// that is until the last ticket it sealed has run out.
  static let period: Int64 = 7_200

  struct Key {
    /// As it stands in a ticket.
    let name: [UInt8]
    let cipher: [UInt8]
    let mac: [UInt8]
    let made: Int64

    /// Nil when there is no randomness.
    init?(made: Int64) {
      guard let name = TLSTicketKeys.random(16), let cipher = TLSTicketKeys.random(32),
        let mac = TLSTicketKeys.random(32)
      else { return nil }
      self.name = name
      self.cipher = cipher
      self.mac = mac
      self.made = made
    }
  }

  /// The newest first.
  private let keys = Mutex<[Key]>([])
  private let clock: @Sendable () -> Int64

  /// - Parameter clock: in seconds, never going back.
  init(clock: @escaping @Sendable () -> Int64 = TLSTicketKeys.monotonicSeconds) { self.clock = clock }

  static let monotonicSeconds: @Sendable () -> Int64 = {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec)
  }

  /// The key that seals now.
  func sealing() -> Key? {
    let now = clock()
    return keys.withLock { keys in
      keys.removeAll { now - $0.made >= 2 * Self.period }
      if let newest = keys.first, now - newest.made < Self.period { return newest }
      guard let key = Key(made: now) else { return nil }
      keys.insert(key, at: 0)
      return key
    }
  }

  /// The key of that name; `isOld` when it seals no more.
  func opening(_ name: UnsafeRawBufferPointer) -> (key: Key, isOld: Bool)? {
    let now = clock()
    return keys.withLock { keys in
      guard let key = keys.first(where: { $0.name.elementsEqual(name) }), now - key.made < 2 * Self.period
      else {
        return nil
      }
      return (key, now - key.made >= Self.period)
    }
  }

  static func random(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return RAND_bytes(&bytes, Int32(count)) == 1 ? bytes : nil
  }

  // MARK: - OpenSSL

  /// Makes these the keys of a server's context, which must not outlive them.
  func serve(_ context: OpaquePointer) {
    _ = SSL_CTX_set_ex_data(context, Self.slot, Unmanaged.passUnretained(self).toOpaque())
    SSL_CTX_set_timeout(context, Int(Self.period))
    _ = copenssl_SSL_CTX_set_tlsext_ticket_key_evp_cb(context) { session, name, iv, cipher, mac, isSealing in
      guard let session, let name, let iv, let cipher, let mac,
        let data = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), TLSTicketKeys.slot)
      else { return -1 }
      let keys = Unmanaged<TLSTicketKeys>.fromOpaque(data).takeUnretainedValue()
      return isSealing == 1 ? keys.seal(name, iv, cipher, mac) : keys.open(name, iv, cipher, mac)
    }
  }

  /// The slot of an SSL_CTX that is left to the application.
  private static let slot: Int32 = 0

  /// 1 to seal, -1 to fail the handshake (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
  private func seal(
    _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
    _ mac: OpaquePointer
  ) -> Int32 {
    guard let key = sealing(), RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1,
      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, iv) == 1, Self.setKey(mac, key)
    else { return -1 }
    name.update(from: key.name, count: key.name.count)
    return 1
  }

  /// 0 for a ticket of somebody else or of long ago: then the handshake is a full one. 2 asks for a new ticket.
  private func open(
    _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
    _ mac: OpaquePointer
  ) -> Int32 {
    guard let (key, isOld) = opening(UnsafeRawBufferPointer(start: name, count: 16)) else { return 0 }
    guard Self.setKey(mac, key), EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, iv) == 1
    else {
      return -1
    }
    return isOld ? 2 : 1
  }

  private static func setKey(_ mac: OpaquePointer, _ key: Key) -> Bool {
    copenssl_EVP_MAC_CTX_set_hmac_sha256_key(mac, key.mac, key.mac.count) == 1
  }
}
