import COpenSSL
import EventLoop

/// TLS 1.2 and later for outgoing connections, by the system's OpenSSL.
///
/// The peer's certificate is always checked: a chain to a trusted issuer, the dates, and the URL's host among
/// its subject alternative names (RFC 9110 §4.3.4). There is no way to switch that off.
public final class TLSClient: TransportSecurity, @unchecked Sendable {
  /// Whose certificates are believed.
  public enum Trust: Hashable, Sendable {
    /// The machine's own store (on Debian, the package ca-certificates).
    case system
    /// Only the certificates in this PEM file.
    case file(String)
  }

  /// SSL_CTX: shared by all sessions, and changed by none of them.
  private let context: OpaquePointer

  public init(trust: Trust) throws(TLSSetupError) {
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw .failed(TLSFailure.take()) }
    do throws(TLSSetupError) {
      try Self.configure(context, trust)
    } catch {
      SSL_CTX_free(context)
      throw error
    }
    self.context = context
  }

  deinit { SSL_CTX_free(context) }

  private static func configure(_ context: OpaquePointer, _ trust: Trust) throws(TLSSetupError) {
    TLSSession.configure(context)
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    // Kept-alive connections make few handshakes: nothing is resumed.
    _ = copenssl_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    // RFC 7301 §3.1: each name with its length in front. 0 is success here.
    let protocols = [8] + Array("http/1.1".utf8)
    guard copenssl_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1,
      SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0
    else { throw .failed(TLSFailure.take()) }
    switch trust {
    case .system:
      guard SSL_CTX_set_default_verify_paths(context) == 1 else { throw .failed(TLSFailure.take()) }
    case .file(let path):
      guard SSL_CTX_load_verify_locations(context, path, nil) == 1 else {
        throw .unreadableTrust(file: path, TLSFailure.take())
      }
    }
  }

  public func makeFilter(host: String) throws(FilterError) -> any ByteFilter {
    ERR_clear_error()
    guard let session = TLSSession(context, role: .client), session.expect(host: host) else {
      throw TLSFailure.take().filterError(.local)
    }
    return session
  }

  public func explanation(of error: FilterError) -> String { TLSFailure(code: error.code).description }
}

/// Why there is no ``TLSClient``.
public enum TLSSetupError: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadableTrust(file: String, TLSFailure)
  case failed(TLSFailure)

  public var description: String {
    switch self {
    case .unreadableTrust(let file, let failure): "no certificates could be read from \(file): \(failure)"
    case .failed(let failure): "TLS could not be set up: \(failure)"
    }
  }
}
