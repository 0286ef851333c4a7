#if os(Linux) && !WALLETPUSH_URLSESSION
  import EventLoop
  import Upstream
#else
  import Foundation
#endif

/// Makes a client's transports, one for each attempt to connect.
public struct TransportFactory: Sendable {
  let make: @Sendable () -> any Transport
  /// What replaces a WebSocket, goes by it.
  let http: (any HTTPCaller)?
  let kinds: Set<TransportKind>

  /// Other WebSockets than the built-in one, and nothing else.
  public init(_ make: @escaping @Sendable () -> any Transport) {
    self.init(kinds: [.webSocket], http: nil, make)
  }

  init(kinds: Set<TransportKind>, http: (any HTTPCaller)?, _ make: @escaping @Sendable () -> any Transport) {
    self.make = make
    self.http = http
    self.kinds = kinds
  }

  /// To a server's `/ws`, and where no WebSocket gets through, to its HTTP interface beside that: by URLSession on Apple's
  /// systems, on Linux by an event loop and OpenSSL.
  ///
  /// - Parameters:
  ///   - url: `wss://wallets.example/ws`; `ws:` for one on this machine.
  ///   - kinds: those to take.
  ///   - certificateAuthority: on Linux, a PEM file: only what it holds is trusted. Nil: the system's store.
  public static func server(
    _ url: String, kinds: Set<TransportKind> = Set(TransportKind.allCases),
    limits: ClientLimits = ClientLimits(),
    certificateAuthority: String? = nil
  ) throws(TransportSetupError) -> TransportFactory {
    #if os(Linux) && !WALLETPUSH_URLSESSION
      try onLoop(url, kinds, limits, certificateAuthority)
    #else
      try byURLSession(url, kinds, limits)
    #endif
  }

  #if os(Linux) && !WALLETPUSH_URLSESSION
    private static func onLoop(
      _ text: String, _ kinds: Set<TransportKind>, _ limits: ClientLimits, _ certificateAuthority: String?
    ) throws(TransportSetupError) -> TransportFactory {
      let url: WebSocketURL
      let root: HTTPURL
      do throws(HTTPURLError) {
        url = try WebSocketURL(text)
        root = try HTTPURL(serverRoot(of: text))
      } catch {
        throw .badURL(text, "\(error)")
      }
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
      let http = LoopHTTPCaller(root: root, home: home, security: security)
      return TransportFactory(kinds: kinds, http: http) { [security] in
        LoopTransport(url: url, home: home, security: security, messageBytes: limits.messageBytes)
      }
    }
  #else
    private static func byURLSession(
      _ text: String, _ kinds: Set<TransportKind>, _ limits: ClientLimits
    ) throws(TransportSetupError) -> TransportFactory {
      guard let url = URL(string: text), ["ws", "wss"].contains(url.scheme?.lowercased()), url.host != nil,
        let root = URL(string: serverRoot(of: text))
      else {
        throw .badURL(text, "a WebSocket URL begins with ws:// or wss://")
      }
      return TransportFactory(kinds: kinds, http: URLSessionCaller(root: root)) {
        URLSessionTransport(url: url, messageBytes: limits.messageBytes)
      }
    }
  #endif

  /// Where the HTTP interface lies, of a server's WebSocket: beside it. `wss://a/b/ws?c` makes `https://a/b/`.
  static func serverRoot(of webSocket: String) -> String {
    let http = "http" + webSocket.dropFirst(2)
    let address = http.prefix { $0 != "?" && $0 != "#" }
    // Two slashes are the scheme's.
    guard address.count(where: { $0 == "/" }) > 2, let slash = address.lastIndex(of: "/") else {
      return address + "/"
    }
    return String(address[...slash])
  }

  /// The `/ws` below a server's root: of `https://a/b`, `wss://a/b/ws`. Other texts as they are.
  static func webSocket(of root: String) -> String {
    guard root.prefix(4).lowercased() == "http", !root.contains(where: { $0 == "?" || $0 == "#" }) else {
      return root
    }
    // Two slashes are the scheme's.
    let isFolder = root.hasSuffix("/") && root.count(where: { $0 == "/" }) > 2
    return "ws" + root.dropFirst(4) + (isFolder ? "ws" : "/ws")
  }
}

/// Why there are no transports.
public enum TransportSetupError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The text, and what is wrong with it.
  case badURL(String, String)
  /// A thread, a descriptor or the certificates are not to be had.
  case unavailable(String)

  /// For logs: what went wrong, in one line.
  public var description: String {
    switch self {
    case .badURL(let text, let reason): "\(text): \(reason)"
    case .unavailable(let reason): reason
    }
  }
}
