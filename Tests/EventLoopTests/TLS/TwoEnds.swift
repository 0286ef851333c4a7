import COpenSSL
import TestSupport
import Testing

@testable import EventLoop

/// A TLS client and a server's filter with nothing between them: what one says, the other hears.
final class TwoEnds {
  let client: TLSSession
  let beginning: TLSServerFilter
  private(set) var server: any ByteFilter
  /// What the server said, a transmission each.
  var said: [[UInt8]] = []
  /// Plain bytes that came through.
  var atServer: [UInt8] = []
  var atClient: [UInt8] = []
  var clientEnded = false
  var serverEnded = false

  init(
    _ server: TLSServer, _ options: ClientOptions = ClientOptions(), session: OpaquePointer? = nil
  ) throws {
    beginning = try #require(server.makeFilter() as? TLSServerFilter)
    self.server = beginning
    let context = try TLSContext(.client, tickets: nil)
    try options.apply(to: context.pointer)
    client = try #require(TLSSession(context, role: .client))
    if let name = options.serverName {
      try #require(copenssl_SSL_set_tlsext_host_name(client.session, name) == 1)
    }
    if let session { try #require(SSL_set_session(client.session, session) == 1) }
  }

  /// Runs until nobody has anything to say.
  func handshake() throws {
    try client.start()
    try pump()
  }

  func pump() throws {
    while true {
      let fromClient = client.takeOutbound()
      if !fromClient.isEmpty { try feedServer(fromClient) }
      let fromServer = server.takeOutbound()
      if !fromServer.isEmpty {
        said.append(fromServer)
        try feedClient(fromServer)
      }
      if fromClient.isEmpty, fromServer.isEmpty { return }
    }
  }

  func feedServer(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try server.receive($0) }
    if let successor = server.successor { server = successor }
    serverEnded = try Self.read(server, into: &atServer) || serverEnded
  }

  func feedClient(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try client.receive($0) }
    clientEnded = try Self.read(client, into: &atClient) || clientEnded
  }

  private static func read(_ filter: any ByteFilter, into all: inout [UInt8]) throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1_000)
    while true {
      switch try buffer.withUnsafeMutableBytes({ try filter.readPlain(into: $0) }) {
      case .bytes(let count): all.append(contentsOf: buffer[..<count])
      case .needsInput: return false
      case .ended: return true
      }
    }
  }

  func clientWrites(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try client.writePlain($0) } }
  func serverWrites(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try server.writePlain($0) } }

  /// What a second connection resumes. The caller frees it.
  func ticket() throws -> OpaquePointer { try #require(SSL_get1_session(client.session)) }

  var serverSession: TLSSession { get throws { try #require(beginning.session) } }
}

/// What a test's client offers.
struct ClientOptions {
  var version: Int32?
  /// nil: none are offered.
  var protocols: [String]?
  var serverName: String?
  var ciphers: String?
  var ciphersTLS13: String?
  var groups: String?
  /// May renegotiate.
  var renegotiates = false

  func apply(to context: OpaquePointer) throws {
    _ = copenssl_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT))
    if let version {
      try #require(copenssl_SSL_CTX_set_min_proto_version(context, version) == 1)
      try #require(copenssl_SSL_CTX_set_max_proto_version(context, version) == 1)
      // Or the library's default would not let the client speak what is too old.
      if version < TLS1_2_VERSION { SSL_CTX_set_security_level(context, 0) }
    }
    if let protocols {
      let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
      try #require(SSL_CTX_set_alpn_protos(context, list, UInt32(list.count)) == 0)
    }
    if let ciphers { try #require(SSL_CTX_set_cipher_list(context, ciphers) == 1) }
    if let ciphersTLS13 { try #require(SSL_CTX_set_ciphersuites(context, ciphersTLS13) == 1) }
    if let groups { try #require(copenssl_SSL_CTX_set1_groups_list(context, groups) == 1) }
    if renegotiates { _ = SSL_CTX_clear_options(context, copenssl_SSL_OP_NO_RENEGOTIATION()) }
  }
}

extension TLSIdentity {
  convenience init(_ certificate: TestCertificate, intermediates: [TestCertificate] = []) throws {
    try self.init(
      certificate: certificate.pem + intermediates.flatMap(\.pem), key: try certificate.keyPEM)
  }
}

extension TLSServer {
  /// With a certificate of its own, and tickets whose time the test may set.
  static func testing(
    _ certificate: TestCertificate? = nil, tickets: TLSTicketKeys = TLSTicketKeys()
  ) throws -> TLSServer {
    try TLSServer(
      try TLSIdentity(try certificate ?? TestCertificate(CertificateRequest())),
      plainTextAnswer: Array("plain text".utf8), tickets: tickets)
  }
}

/// The TLS records that begin in a stream of bytes (RFC 8446 §5.1): their types and the lengths of their contents.
func records(_ bytes: [UInt8]) -> [(type: UInt8, count: Int)] {
  var records: [(UInt8, Int)] = []
  var offset = 0
  while offset + 5 <= bytes.count {
    let count = Int(bytes[offset + 3]) << 8 | Int(bytes[offset + 4])
    records.append((bytes[offset], count))
    offset += 5 + count
  }
  return records
}
