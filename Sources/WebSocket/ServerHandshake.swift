// The opening handshake as a server sees it (RFC 6455 §4.2).

import HTTP1

/// Why a request is not upgraded. Each case has an HTTP status, the header fields that belong to it, and
/// a sentence that says what would be right.
public enum HandshakeRefusal: Error, Hashable, Sendable {
  case methodNotGET
  case httpVersionTooOld
  case hostMissing
  case upgradeMissing
  case connectionMissing
  case versionNotSupported
  case keyMissing
  case keyInvalid
  case subprotocolsMalformed
  case extensionsMalformed

  /// The status code to answer with.
  public var status: Int {
    switch self {
    case .methodNotGET: 405
    case .httpVersionTooOld: 505
    case .upgradeMissing, .connectionMissing, .versionNotSupported: 426
    case .hostMissing, .keyMissing, .keyInvalid, .subprotocolsMalformed, .extensionsMalformed: 400
    }
  }

  /// Header fields the answer needs beside its usual ones.
  public var headers: HTTPHeaders {
    switch self {
    case .methodNotGET:
      ["Allow": "GET"]
    case .versionNotSupported:
      // §4.2.2 and §4.4: the version we speak. RFC 9110 §15.5.22: a 426 names the protocol.
      ["Sec-WebSocket-Version": "13", "Upgrade": "websocket", "Connection": "Upgrade"]
    case .upgradeMissing, .connectionMissing:
      ["Upgrade": "websocket", "Connection": "Upgrade"]
    case .httpVersionTooOld, .hostMissing, .keyMissing, .keyInvalid, .subprotocolsMalformed,
      .extensionsMalformed:
      [:]
    }
  }

  /// What would be right, for people.
  public var reason: String {
    switch self {
    case .methodNotGET: "A WebSocket handshake is a GET request."
    case .httpVersionTooOld: "A WebSocket handshake needs HTTP/1.1."
    case .hostMissing: "Send one Host header."
    case .upgradeMissing: "This address speaks WebSocket: send \"Upgrade: websocket\"."
    case .connectionMissing: "This address speaks WebSocket: send \"Connection: Upgrade\"."
    case .versionNotSupported: "Send \"Sec-WebSocket-Version: 13\"."
    case .keyMissing: "Send one Sec-WebSocket-Key header."
    case .keyInvalid: "Sec-WebSocket-Key must be the base64 of 16 bytes."
    case .subprotocolsMalformed: "Sec-WebSocket-Protocol must be a comma-separated list of tokens."
    case .extensionsMalformed:
      "Sec-WebSocket-Extensions must be a comma-separated list of name; parameter=value."
    }
  }
}

/// A client's request to become a WebSocket connection, found to be right. What of its offers to accept
/// is for the application to choose.
public struct ServerHandshake: Sendable {
  /// The sub-protocols the client offers, best first (§4.2.1 item 8).
  public let subprotocols: [String]
  /// The extensions the client offers, in order (§4.2.1 item 9).
  public let extensions: [ExtensionOffer]
  private let accept: String
  private static let answer: HTTPHeaders = ["Upgrade": "websocket", "Connection": "Upgrade"]

  /// Checks a request (§4.2.1).
  ///
  /// - Parameters:
  ///   - method: the request's, as it stands in the request line.
  ///   - httpMinorVersion: 1 in HTTP/1.1.
  ///   - headers: all fields of the request.
  public init(
    method: String, httpMinorVersion: Int, headers: HTTPHeaders
  ) throws(HandshakeRefusal) {
    // §4.2.1 item 1
    if method != "GET" { throw .methodNotGET }
    if httpMinorVersion < 1 { throw .httpVersionTooOld }
    // Item 2
    if headers.count(of: "Host") != 1 { throw .hostMissing }
    // Items 3 and 4: in any case, among others
    if !headers.containsToken("Upgrade", "websocket") { throw .upgradeMissing }
    if !headers.containsToken("Connection", "upgrade") { throw .connectionMissing }
    // Item 6, and §4.4 before the key: another version may have another key.
    if headers.only("Sec-WebSocket-Version") != "13" { throw .versionNotSupported }
    // Item 5
    guard let key = headers.only("Sec-WebSocket-Key") else { throw .keyMissing }
    guard HandshakeKey.isValid(key) else { throw .keyInvalid }
    // Items 8 and 9
    guard let subprotocols = headers.tokens("Sec-WebSocket-Protocol") else { throw .subprotocolsMalformed }
    guard let extensions = ExtensionOffer.list(in: headers) else { throw .extensionsMalformed }
    self.subprotocols = subprotocols
    self.extensions = extensions
    accept = HandshakeKey.accept(for: key)
  }

  /// The header fields of the 101 answer (§4.2.2 item 5).
  ///
  /// - Parameters:
  ///   - subprotocol: one of `subprotocols`; nil: none, which the client may take or leave.
  ///   - extensions: as they were accepted, each of them offered.
  public func responseHeaders(
    subprotocol: String? = nil, extensions accepted: [ExtensionOffer] = []
  ) throws(LocalError) -> HTTPHeaders {
    var headers = Self.answer
    headers.append("Sec-WebSocket-Accept", accept)
    if let subprotocol {
      guard subprotocols.contains(subprotocol) else { throw .subprotocolNotOffered }
      headers.append("Sec-WebSocket-Protocol", subprotocol)
    }
    if !accepted.isEmpty {
      for choice in accepted where !extensions.contains(where: { $0.name == choice.name }) {
        throw .extensionNotOffered
      }
      let value = accepted.map(\.headerValue).joined(separator: ", ")
      headers.append("Sec-WebSocket-Extensions", value)
    }
    return headers
  }
}
