import EventLoop
import HTTP1

/// Why a call has no response. A status, whichever, is a response.
public enum UpstreamError: Error, Equatable, Sendable {
  public enum Phase: String, Hashable, Sendable { case connect, firstByte, total }

  /// Which side has to mend it.
  public enum Fault: Hashable, Sendable {
    /// Ours: the request, the configuration, our limits, our shutdown.
    case local
    /// The server, or what stands before it, broke the protocol or our limits.
    case peer
    /// The way there: names, connections, time.
    case network
  }

  /// The request is not one: a header value with a line break, for example.
  case invalidRequest(HTTPLocalError)
  /// An `https:` URL, and the client was made without ``TransportSecurity``.
  case securityNotConfigured
  /// Too many requests wait for a connection to this origin.
  case overloaded
  case nameNotResolved(ResolverError)
  /// No address could be connected to; what the last one said.
  case connectFailed(SystemError)
  /// TLS could not be set up, or broke: an unknown issuer, a certificate of another host, an alert …
  case insecure(FilterError, explanation: String)
  case timedOut(Phase)
  /// The connection ended before a byte of the response.
  case closedBeforeResponse
  /// The connection broke, with this error of the kernel.
  case connectionBroken(SystemError)
  /// The response is not HTTP/1.1, or it ended too early (`closedEarly`).
  case malformedResponse(HTTPError)
  /// A body of more than the request's ``HTTPClientRequest/responseBytesLimit``, on the wire or inflated.
  case responseTooLarge(limit: Int)
  /// The body is compressed in a way that was not asked for.
  case unknownContentCoding
  /// The compressed body is damaged.
  case malformedContentCoding
  /// The task was cancelled.
  case cancelled
  /// The client or its loops have been shut down.
  case stopped

  public var fault: Fault {
    switch self {
    case .invalidRequest, .securityNotConfigured, .overloaded, .cancelled, .stopped: .local
    case .insecure(let error, _): error.fault == .local ? .local : .peer
    case .malformedResponse, .responseTooLarge, .unknownContentCoding, .malformedContentCoding: .peer
    case .nameNotResolved, .connectFailed, .timedOut, .closedBeforeResponse, .connectionBroken: .network
    }
  }

  /// The same request may well succeed later, or at another endpoint.
  public var isTransient: Bool {
    switch self {
    case .invalidRequest, .securityNotConfigured, .cancelled, .stopped: false
    case .insecure(let error, _): error.fault != .local
    case .overloaded, .nameNotResolved, .connectFailed, .timedOut, .closedBeforeResponse, .connectionBroken,
      .malformedResponse, .responseTooLarge, .unknownContentCoding, .malformedContentCoding:
      true
    }
  }

  /// A word for metrics.
  var outcome: String {
    switch self {
    case .invalidRequest: "invalid_request"
    case .securityNotConfigured, .insecure: "tls"
    case .overloaded: "overloaded"
    case .nameNotResolved: "dns"
    case .connectFailed: "connect"
    case .timedOut(.connect): "timeout_connect"
    case .timedOut(.firstByte): "timeout_first_byte"
    case .timedOut(.total): "timeout_total"
    case .closedBeforeResponse, .connectionBroken: "closed"
    case .malformedResponse, .unknownContentCoding, .malformedContentCoding: "malformed"
    case .responseTooLarge: "too_large"
    case .cancelled: "cancelled"
    case .stopped: "stopped"
    }
  }
}

extension UpstreamError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidRequest(let error): "the request can't be sent: \(error)"
    case .securityNotConfigured: "https needs TLS, and the client has none"
    case .overloaded: "too many requests are waiting for this server"
    case .nameNotResolved(let error): error.description
    case .connectFailed(let error): "no connection: \(error)"
    case .insecure(_, let explanation): "no secure connection: \(explanation)"
    case .timedOut(.connect): "timed out while connecting"
    case .timedOut(.firstByte): "timed out while waiting for the response"
    case .timedOut(.total): "timed out"
    case .closedBeforeResponse: "the server closed the connection without a response"
    case .connectionBroken(let error): "the connection broke: \(error)"
    case .malformedResponse(let error): "malformed response: \(error)"
    case .responseTooLarge(let limit): "the response is longer than \(limit) bytes"
    case .unknownContentCoding: "the response is compressed in an unknown way"
    case .malformedContentCoding: "the response's compressed body is damaged"
    case .cancelled: "cancelled"
    case .stopped: "the client has stopped"
    }
  }
}
