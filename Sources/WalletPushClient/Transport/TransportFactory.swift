#if canImport(Darwin)
  import Foundation
#endif
#if os(Linux)
  import EventLoop
  import Upstream
#endif

/// Makes a client's transports, one for each attempt to connect.
public struct TransportFactory: Sendable {
  let make: @Sendable () -> any Transport

  /// Other transports than the built-in one.
  public init(_ make: @escaping @Sendable () -> any Transport) { self.make = make }

  /// By WebSocket, to a server's `/ws`: by URLSession on Apple's systems, on Linux by an event loop and OpenSSL.
  ///
  /// - Parameters:
  ///   - url: `wss://wallets.example/ws`; `ws:` for one on this machine.
  ///   - certificateAuthority: on Linux, a PEM file: only what it holds is trusted. Nil: the system's store.
  public static func webSocket(
    _ url: String, limits: ClientLimits = ClientLimits(), certificateAuthority: String? = nil
  ) throws(TransportSetupError) -> TransportFactory {
    #if os(Linux)
      try onLoop(url, limits, certificateAuthority)
    #else
      try byURLSession(url, limits)
    #endif
  }

  #if os(Linux)
    private static func onLoop(
      _ text: String, _ limits: ClientLimits, _ certificateAuthority: String?
    ) throws(TransportSetupError) -> TransportFactory {
      let url: WebSocketURL
      do throws(HTTPURLError) { url = try WebSocketURL(text) } catch { throw .badURL(text, "\(error)") }
      let home: LoopHome
      do throws(SystemError) { home = try LoopHome.shared.get() } catch { throw .unavailable("\(error)") }
      var security: TLSClient?
      if url.isSecure {
        do throws(TLSSetupError) {
          security = try TLSClient(trust: certificateAuthority.map { .file($0) } ?? .system)
        } catch {
          throw .unavailable("\(error)")
        }
      }
      return TransportFactory { [security] in
        LoopTransport(url: url, home: home, security: security, messageBytes: limits.messageBytes)
      }
    }
  #else
    private static func byURLSession(
      _ text: String, _ limits: ClientLimits
    ) throws(TransportSetupError) -> TransportFactory {
      guard let url = URL(string: text), ["ws", "wss"].contains(url.scheme?.lowercased()), url.host != nil
      else {
        throw .badURL(text, "a WebSocket URL begins with ws:// or wss://")
      }
      return TransportFactory { URLSessionTransport(url: url, messageBytes: limits.messageBytes) }
    }
  #endif
}

/// Why there are no transports.
public enum TransportSetupError: Error, Sendable, Hashable, CustomStringConvertible {
  case badURL(String, String)
  /// A thread, a descriptor or the certificates are not to be had.
  case unavailable(String)

  public var description: String {
    switch self {
    case .badURL(let text, let reason): "\(text): \(reason)"
    case .unavailable(let reason): reason
    }
  }
}
