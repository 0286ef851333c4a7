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
