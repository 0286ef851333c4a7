import EventLoop

/// Makes what stands between a connection's socket and HTTP for `https:` URLs.
public protocol TransportSecurity: Sendable {
  /// A client's filter for one connection. It must not become established before the peer has proved to be
  /// `host`, a DNS name in lower case or an address literal.
  func makeFilter(host: String) throws(FilterError) -> any ByteFilter

  /// One phrase that tells an operator what is wrong.
  func explanation(of error: FilterError) -> String
}

extension TLSClient: TransportSecurity {}

extension Connection {
  /// Puts a filter between this connection, just begun, and whoever speaks `https:` or `wss:` on it.
  ///
  /// - Parameter security: nil: the client was made without any.
  func secure(by security: (any TransportSecurity)?, host: String) throws(UpstreamError) {
    guard let security else { throw .securityNotConfigured }
    do {
      filter = try security.makeFilter(host: host)
    } catch {
      throw .insecure(error, explanation: security.explanation(of: error))
    }
  }
}
