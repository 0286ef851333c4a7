import COpenSSL
import Metrics
import Synchronization

/// TLS 1.2 and 1.3 for accepted connections, by the system's OpenSSL. Any thread.
///
/// The choices are those Mozilla calls intermediate, without finite-field Diffie-Hellman: forward secrecy and
/// authenticated encryption only. Whatever name a client asks for (RFC 6066 §3), it is shown the one certificate:
/// whether that is good for the name is the client's to say.
public final class TLSServer: Sendable {
  private let current: Mutex<TLSContext>
  private let tickets: TLSTicketKeys
  let plainTextAnswer: [UInt8]
  let handshakes = TLSHandshakeCounters()

  /// - Parameter plainTextAnswer: what a client is told that speaks a plain text protocol (HTTP) where TLS is
  ///   spoken; sent as it is.
  public convenience init(_ identity: TLSIdentity, plainTextAnswer: [UInt8]) throws(TLSIdentityError) {
    try self.init(identity, plainTextAnswer: plainTextAnswer, tickets: TLSTicketKeys())
  }

  init(_ identity: TLSIdentity, plainTextAnswer: [UInt8], tickets: TLSTicketKeys) throws(TLSIdentityError) {
    self.plainTextAnswer = plainTextAnswer
    self.tickets = tickets
    current = Mutex(try Self.context(identity, tickets))
  }

  /// Connections from now on are shown this certificate. Those that are open stay as they are, and sessions made
  /// with the certificate before are still resumed. When it throws nothing has changed.
  public func use(_ identity: TLSIdentity) throws(TLSIdentityError) {
    let context = try Self.context(identity, tickets)
    current.withLock { $0 = context }
  }

  /// For a connection that was just accepted.
  public func makeFilter() -> any ByteFilter { TLSServerFilter(self) }

  /// Nil when memory has run out.
  func makeSession() -> TLSSession? { TLSSession(current.withLock { $0 }, role: .server) }

  // MARK: - Choices

  /// TLS 1.2: ephemeral elliptic curves and authenticated encryption. The order is by what they cost.
  private static let ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
  private static let ciphersTLS13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
  private static let groups = "X25519:P-256:P-384"
  /// RFC 8446 §4.6.1 allows any number; a browser that opens a second connection uses one.
  private static let ticketsPerHandshake = 1

  private static func context(
    _ identity: TLSIdentity, _ tickets: TLSTicketKeys
  ) throws(TLSIdentityError) -> TLSContext {
    let context: TLSContext
    do throws(TLSFailure) {
      context = try TLSContext(.server, tickets: tickets)
      try configure(context.pointer)
    } catch {
      throw .unusable(error)
    }
    try identity.apply(to: context)
    return context
  }

  private static func configure(_ context: OpaquePointer) throws(TLSFailure) {
    // Our order, so that the cheapest is taken; but a client that prefers ChaCha20 has no AES in hardware.
    _ = SSL_CTX_set_options(
      context, copenssl_SSL_OP_CIPHER_SERVER_PREFERENCE() | copenssl_SSL_OP_PRIORITIZE_CHACHA())
    // RFC 5246 §7.4.1.2 leaves it to us in which circle of servers a session may be resumed.
    let circle = Array("walletpush".utf8)
    guard SSL_CTX_set_cipher_list(context, ciphers) == 1,
      SSL_CTX_set_ciphersuites(context, ciphersTLS13) == 1,
      copenssl_SSL_CTX_set1_groups_list(context, groups) == 1,
      SSL_CTX_set_num_tickets(context, ticketsPerHandshake) == 1,
      SSL_CTX_set_session_id_context(context, circle, UInt32(circle.count)) == 1
    else { throw .take() }
    SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
  }

  /// Called when a client offers protocols at all.
  private static let selectProtocol: SSL_CTX_alpn_select_cb_func = {
    _, chosen, chosenCount, offered, count, _ in
    // RFC 7301 §3.2: a server that speaks none of them says no_application_protocol.
    guard let chosen, let chosenCount, let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let end = offered + Int(count)
    var entry = offered
    while entry < end {
      let length = Int(entry.pointee)
      guard entry + length < end else { break }
      let name = UnsafeBufferPointer(start: entry + 1, count: length)
      if name.elementsEqual("http/1.1".utf8) {
        chosen.pointee = entry + 1
        chosenCount.pointee = UInt8(length)
        return SSL_TLSEXT_ERR_OK
      }
      entry += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
}

/// How handshakes ended.
struct TLSHandshakeCounters: Sendable {
  enum Failure: String, CaseIterable, Sendable {
    /// The client broke the protocol or has nothing in common with us.
    case refused
    /// It spoke plain text.
    case plainText = "plain_text"
    /// It went away, or ran out of time.
    case unfinished
  }

  private let full = versions {
    Counter(label: "tls_handshakes_total", dimensions: [("resumed", "false"), $0])
  }
  private let resumed = versions {
    Counter(label: "tls_handshakes_total", dimensions: [("resumed", "true"), $0])
  }
  private let failures = Failure.allCases.map {
    Counter(label: "tls_handshakes_failed_total", dimensions: [("reason", $0.rawValue)])
  }

  /// TLS 1.2's and TLS 1.3's.
  private static func versions(_ make: ((String, String)) -> Counter) -> [Counter] {
    ["1.2", "1.3"].map { make(("version", $0)) }
  }

  func count(_ session: TLSSession) {
    let counters = session.isResumed ? resumed : full
    counters[session.version == TLS1_3_VERSION ? 1 : 0].increment()
  }

  func count(_ failure: Failure) {
    if let index = Failure.allCases.firstIndex(of: failure) { failures[index].increment() }
  }
}
