// The opening handshake as a client sees it (RFC 6455 §4.1).

import HTTP1

/// Why a server's answer does not open a WebSocket connection (§4.1). The transport is to be closed.
public enum HandshakeFailure: Error, Hashable, Sendable {
  /// Not 101: an ordinary HTTP answer, a redirect or a refusal.
  case status(Int)
  case upgradeMissing
  case connectionMissing
  /// `Sec-WebSocket-Accept` is missing, or not the answer to our key: something between us and the server
  /// answered that is not a WebSocket server.
  case acceptWrong
  case subprotocolNotRequested(String)
  case extensionNotRequested(String)
  /// The parameters of the compression that the server chose are wrong, or not what was offered (RFC 7692 §7.1).
  case compression(DeflateParameterError)
  /// `Sec-WebSocket-Protocol` or `Sec-WebSocket-Extensions` breaks its grammar.
  case headerMalformed(String)

  /// What was wrong, for people.
  public var reason: String {
    switch self {
    case .status(let status): "the server answered \(status) instead of 101"
    case .upgradeMissing: "the answer has no \"Upgrade: websocket\""
    case .connectionMissing: "the answer has no \"Connection: Upgrade\""
    case .acceptWrong: "Sec-WebSocket-Accept does not answer our key"
    case .subprotocolNotRequested(let name): "the server chose sub-protocol \(name), not requested"
    case .extensionNotRequested(let name): "the server chose extension \(name), not requested"
    case .compression(let error): error.reason
    case .headerMalformed(let name): "\(name) is malformed"
    }
  }
}

/// A client's side of the opening handshake: the request, and the check of its answer.
public struct ClientHandshake: Sendable {
  /// What the server chose.
  public struct Accepted: Hashable, Sendable {
    public let subprotocol: String?
    public let extensions: [ExtensionOffer]
  }

  private let key: String
  private let host: String
  private let subprotocols: [String]
  private let extensions: [ExtensionOffer]

  /// - Parameters:
  ///   - nonce: 16 bytes from the system's random source, new for each connection (§4.1 item 7).
  ///   - host: the value of the Host header: name or address, with the port where it is not the default.
  ///   - subprotocols: best first, each a token, no two the same (§4.1 item 10).
  public init(
    nonce: (UInt64, UInt64), host: String, subprotocols: [String] = [],
    extensions: [ExtensionOffer] = []
  ) {
    key = HandshakeKey.key(nonce: nonce)
    self.host = host
    self.subprotocols = subprotocols
    self.extensions = extensions
  }

  /// The header fields of the GET request; the caller may add its own (Origin, Authorization).
  public var requestHeaders: HTTPHeaders {
    var headers: HTTPHeaders = [
      "Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
      "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13",
    ]
    if !subprotocols.isEmpty {
      headers.append("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", "))
    }
    if !extensions.isEmpty {
      let value = extensions.map(\.headerValue).joined(separator: ", ")
      headers.append("Sec-WebSocket-Extensions", value)
    }
    return headers
  }

  /// Checks the server's answer (§4.1, second list).
  public func verify(
    status: Int, headers: HTTPHeaders
  ) throws(HandshakeFailure) -> Accepted {
    // Item 1
    if status != 101 { throw .status(status) }
    // Items 2 and 3, in any case
    if headers.only("Upgrade")?.lowercased() != "websocket" { throw .upgradeMissing }
    if !headers.containsToken("Connection", "upgrade") { throw .connectionMissing }
    // Item 4
    if headers.only("Sec-WebSocket-Accept") != HandshakeKey.accept(for: key) { throw .acceptWrong }
    // Items 5 and 6
    let extensions = try acceptedExtensions(headers)
    return Accepted(subprotocol: try acceptedSubprotocol(headers), extensions: extensions)
  }

  private func acceptedExtensions(_ headers: HTTPHeaders) throws(HandshakeFailure) -> [ExtensionOffer] {
    guard let accepted = ExtensionOffer.list(in: headers) else {
      throw .headerMalformed("Sec-WebSocket-Extensions")
    }
    for choice in accepted where !extensions.contains(where: { $0.name == choice.name }) {
      throw .extensionNotRequested(choice.name)
    }
    return accepted
  }

  private func acceptedSubprotocol(_ headers: HTTPHeaders) throws(HandshakeFailure) -> String? {
    let name = "Sec-WebSocket-Protocol"
    let values = headers.all(name)
    guard let value = values.first else { return nil }
    // §11.3.4: at most once in an answer; one sub-protocol, its case as requested.
    guard values.count == 1, headers.tokens(name) == [value] else {
      throw .headerMalformed(name)
    }
    guard subprotocols.contains(value) else { throw .subprotocolNotRequested(value) }
    return value
  }
}
