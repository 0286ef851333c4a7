import COpenSSL
import EventLoop
import Glibc
import Testing

@testable import Upstream

/// A certificate authority of our own and certificates of several kinds, made by the `openssl` command.
final class Certificates: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case good, expired, other, nameless, selfSigned, stranger

    /// What stands in the certificate.
    var extensions: String {
      switch self {
      case .good, .expired, .selfSigned, .stranger: "subjectAltName=DNS:localhost,IP:127.0.0.1"
      case .other: "subjectAltName=DNS:other.test,DNS:*.localhost,IP:127.0.0.2"
      case .nameless: "keyUsage=digitalSignature"
      }
    }
  }

  static let shared = Result { try Certificates() }

  let directory: String

  private init() throws {
    var template = Array("/tmp/upstream-certificates-XXXXXX".utf8CString)
    directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    try run("openssl req -x509 \(Self.key) -keyout ca.key -out ca.pem -subj /CN=ca -days 30")
    try run("openssl req -x509 \(Self.key) -keyout ca2.key -out ca2.pem -subj /CN=ca2 -days 30")
    for kind in Kind.allCases { try make(kind) }
  }

  private static let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

  private func make(_ kind: Kind) throws {
    let name = kind.rawValue
    if kind == .selfSigned {
      return try run(
        "openssl req -x509 \(Self.key) -keyout \(name).key -out \(name).pem -subj /CN=localhost -days 30"
          + " -addext \(kind.extensions)")
    }
    let issuer = kind == .stranger ? "ca2" : "ca"
    try run("openssl req \(Self.key) -keyout \(name).key -out \(name).csr -subj /CN=localhost")
    try run("echo '\(kind.extensions)' > \(name).ext")
    try run(
      "openssl x509 -req -in \(name).csr -CA \(issuer).pem -CAkey \(issuer).key -CAcreateserial"
        + " -days \(kind == .expired ? -1 : 30) -extfile \(name).ext -out \(name).pem")
  }

  private func run(_ command: String) throws {
    let script = "cd '\(directory)' && (\(command)) >>log 2>&1"
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(script), nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    try #require(posix_spawn(&process, "/bin/sh", nil, nil, &arguments, environ) == 0)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    try #require(status == 0, "failed: \(command)")
  }

  var client: TLSClient {
    get throws { try TLSClient(trust: .file("\(directory)/ca.pem")) }
  }

  /// A server's side with that certificate.
  func server(_ kind: Kind) throws -> TLSServerContext {
    try TLSServerContext(certificate: "\(directory)/\(kind).pem", key: "\(directory)/\(kind).key")
  }
}

/// Just enough of a TLS server for a test.
final class TLSServerContext: @unchecked Sendable {
  private let context: OpaquePointer

  init(certificate: String, key: String) throws {
    context = try #require(SSL_CTX_new(TLS_server_method()))
    TLSSession.configure(context)
    try #require(SSL_CTX_use_certificate_chain_file(context, certificate) == 1)
    try #require(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1)
  }

  deinit { SSL_CTX_free(context) }

  func makeFilter() -> any ByteFilter {
    guard let session = TLSSession(context, role: .server) else { fatalError("no memory for a session") }
    sessions.sessions.append(session)
    return session
  }

  /// Only the server's loop makes them, and the test looks when that has ended.
  private final class Sessions: @unchecked Sendable { var sessions: [TLSSession] = [] }
  private let sessions = Sessions()

  /// The names that clients asked for, in order; nil where one gave none.
  var serverNames: [String?] {
    sessions.sessions.map { session in
      SSL_get_servername(session.session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
    }
  }

  var versions: [String] {
    sessions.sessions.map { SSL_get_version($0.session).map { String(cString: $0) } ?? "" }
  }
}
