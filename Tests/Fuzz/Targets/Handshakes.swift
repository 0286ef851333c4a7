// The opening handshake of a WebSocket connection (RFC 6455 §4, §9.1): header fields, one a line.
//
// Invariant: fields give a handshake or a refusal with a status, nothing else. What a server accepts of the
// offers makes an answer that a client which made those offers accepts, with the same meaning. Any fields as
// an answer are accepted or give a `HandshakeFailure`.

import HTTP1

@testable import WebSocket

func fuzzHandshakes(_ input: FuzzInput) throws {
  var input = input
  let choice = input.choice()
  var headers = fields(input.rest)
  if choice & 1 == 0 {
    headers.append(contentsOf: [
      "Host": "a", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ])
  }
  try asRequest(headers)
  try asAnswer(headers)
}

private func fields(_ bytes: ArraySlice<UInt8>) -> HTTPHeaders {
  var headers = HTTPHeaders()
  for line in bytes.split(separator: UInt8(ascii: "\n")) {
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    headers.append(
      String(decoding: line[..<colon], as: UTF8.self),
      String(decoding: line[colon...].dropFirst(), as: UTF8.self))
  }
  return headers
}

private func asRequest(_ headers: HTTPHeaders) throws {
  let handshake: ServerHandshake
  do throws(HandshakeRefusal) {
    handshake = try ServerHandshake(method: "GET", httpMinorVersion: 1, headers: headers)
  } catch {
    try require((400...599).contains(error.status) && !error.reason.isEmpty, "\(error)")
    return
  }
  // A client that makes the same offers, and the server's answer with the first of each.
  let client = ClientHandshake(
    nonce: (1, 2), host: "a", subprotocols: handshake.subprotocols, extensions: handshake.extensions)
  let server: ServerHandshake
  do throws(HandshakeRefusal) {
    server = try ServerHandshake(method: "GET", httpMinorVersion: 1, headers: client.requestHeaders)
  } catch {
    throw Violation(description: "offered again it is refused: \(error)")
  }
  try requireEqual(server.subprotocols, handshake.subprotocols, "sub-protocols")
  try requireEqual(server.extensions, handshake.extensions, "extensions")
  let answer = try server.responseHeaders(
    subprotocol: server.subprotocols.first, extensions: Array(server.extensions.prefix(1)))
  let accepted = try client.verify(status: 101, headers: answer)
  try requireEqual(accepted.subprotocol, server.subprotocols.first, "the accepted sub-protocol")
  try requireEqual(accepted.extensions, Array(server.extensions.prefix(1)), "the accepted extension")
}

private func asAnswer(_ headers: HTTPHeaders) throws {
  let client = ClientHandshake(
    nonce: (1, 2), host: "a", subprotocols: ["walletpush.v1", "x"],
    extensions: [ExtensionOffer(name: "permessage-deflate")])
  var headers = headers
  headers.append("Sec-WebSocket-Accept", HandshakeKey.accept(for: HandshakeKey.key(nonce: (1, 2))))
  let accepted: ClientHandshake.Accepted
  do throws(HandshakeFailure) {
    accepted = try client.verify(status: 101, headers: headers)
  } catch {
    try require(!error.reason.isEmpty, "\(error) without a reason")
    return
  }
  try require(accepted.extensions.allSatisfy { $0.name == "permessage-deflate" }, "not offered: \(accepted)")
  let subprotocol = accepted.subprotocol ?? "x"
  try require(["walletpush.v1", "x"].contains(subprotocol), "not offered: \(accepted)")
}
