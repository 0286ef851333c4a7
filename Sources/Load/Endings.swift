import EventLoop
import Glibc
import Upstream
import WebSocket

extension WebSocketEnding {
  /// A stable word for reports: `connect_refused`, `http_503`, `close_4100` …
  var kind: String {
    switch self {
    case .closed(let code, _): code.map { "close_\($0.rawValue)" } ?? "close_without_code"
    case .failed(let error): error.kind
    }
  }

  /// For people.
  var text: String {
    switch self {
    case .closed(let code, let reason): "closed with \(code.map { "\($0.rawValue)" } ?? "no code") \(reason)"
    case .failed(let error): "\(error)"
    }
  }
}

extension WebSocketClientError {
  fileprivate var kind: String {
    switch self {
    case .transport(let error): error.kind
    case .malformedResponse: "handshake_malformed"
    case .notOpened(.status(let status)): "http_\(status)"
    case .notOpened: "handshake_refused"
    case .handshakeTimedOut: "handshake_timeout"
    case .protocolBroken: "protocol_broken"
    case .noPong: "silent"
    case .closeTimedOut: "close_timeout"
    case .endedWithoutClose: "connection_lost"
    case .aborted: "given_up"
    }
  }
}

extension UpstreamError {
  fileprivate var kind: String {
    switch self {
    case .nameNotResolved: "name_not_resolved"
    case .connectFailed(let error):
      switch (error.call, error.code) {
      case (_, ECONNREFUSED): "connect_refused"
      // EADDRNOTAVAIL: all ports of the source are taken.
      case (.connect, EADDRNOTAVAIL): "out_of_ports"
      case (.bind, _): "source_not_bound"
      case (.socket, EMFILE), (.socket, ENFILE): "out_of_descriptors"
      default: "connect_failed"
      }
    case .insecure: "tls"
    case .timedOut(.connect): "connect_timeout"
    case .closedBeforeResponse, .connectionBroken: "connection_lost"
    default: "connect_failed"
    }
  }
}
