import COpenSSL

/// TLS 1.2 and later for outgoing connections, by the system's OpenSSL.
///
/// The peer's certificate is always checked: a chain to a trusted issuer, the dates, and the URL's host among
/// its subject alternative names (RFC 9110 §4.3.4). There is no way to switch that off.
public final class TLSClient: Sendable {
  /// Whose certificates are believed.
  public enum Trust: Hashable, Sendable {
    /// The machine's own store (on Debian, the package ca-certificates).
    case system
    /// Only the certificates in this PEM file.
    case file(String)
  }

  private let context: TLSContext

  public init(trust: Trust) throws(TLSSetupError) {
    do throws(TLSFailure) {
      // Kept-alive connections make few handshakes: nothing is resumed.
      context = try TLSContext(.client, tickets: nil)
    } catch {
      throw .failed(error)
    }
    SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
    // 0 is success here.
    let protocols = TLSContext.applicationProtocols
    guard SSL_CTX_set_alpn_protos(context.pointer, protocols, UInt32(protocols.count)) == 0 else {
      throw .failed(.take())
    }
    switch trust {
    case .system:
      guard SSL_CTX_set_default_verify_paths(context.pointer) == 1 else { throw .failed(.take()) }
    case .file(let path):
      guard SSL_CTX_load_verify_locations(context.pointer, path, nil) == 1 else {
        throw .unreadableTrust(file: path, .take())
      }
    }
  }

  /// A filter for one connection. It is established only when the peer has proved to be `host`, a DNS name in
  /// lower case or an address literal.
  public func makeFilter(host: String) throws(FilterError) -> any ByteFilter {
    ERR_clear_error()
    guard let session = TLSSession(context, role: .client), session.expect(host: host) else {
      throw TLSFailure.take().filterError(.local)
    }
    return session
  }

  /// One phrase that tells an operator what is wrong.
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
