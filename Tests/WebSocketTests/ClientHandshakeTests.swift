import HTTP1
import Testing
import WebSocket

private typealias HeaderFields = [(name: String, value: String)]

/// "the sample nonce", of RFC 6455 §1.3.
private let nonce: (UInt64, UInt64) = (0x7468_6520_7361_6D70, 0x6C65_206E_6F6E_6365)

private let handshake = ClientHandshake(
  nonce: nonce, host: "server.example.com:8080", subprotocols: ["chat", "superchat"],
  extensions: [ExtensionOffer(name: "foo")])

private func answer(
  _ changes: (String, String?)..., adding: HeaderFields = []
) -> HTTPHeaders {
  var fields: HeaderFields = [
    ("Upgrade", "websocket"), ("Connection", "Upgrade"),
    ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
  ]
  for (name, value) in changes {
    fields = fields.compactMap { field in
      field.name == name ? value.map { (name, $0) } : field
    }
  }
  return HTTPHeaders(fields + adding)
}

private func failure(status: Int = 101, _ headers: HTTPHeaders) -> HandshakeFailure? {
  do throws(HandshakeFailure) {
    _ = try handshake.verify(status: status, headers: headers)
    return nil
  } catch {
    return error
  }
}

@Suite struct ClientHandshakeTests {
  @Test func writesTheRequest() {
    let lines = handshake.requestHeaders.pairs.map { "\($0.name): \($0.value)" }
    #expect(
      lines == [
        "Host: server.example.com:8080", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Extensions: foo",
      ])
    let plain = ClientHandshake(nonce: nonce, host: "a")
    #expect(plain.requestHeaders.count == 5)
  }

  @Test func acceptsAnAnswer() throws {
    let plain = try handshake.verify(status: 101, headers: answer())
    #expect(plain.subprotocol == nil && plain.extensions == [])
    let chosen = try handshake.verify(
      status: 101,
      headers: answer(adding: [
        ("sec-websocket-protocol", "superchat"), ("Sec-WebSocket-Extensions", "foo; a=1"),
      ]))
    #expect(chosen.subprotocol == "superchat")
    #expect(chosen.extensions.map(\.headerValue) == ["foo; a=1"])
    #expect(failure(answer(("Upgrade", "WebSocket"), ("Connection", "keep-alive, upgrade"))) == nil)
  }

  @Test func refusesEachRuleBroken() {
    #expect(failure(status: 200, answer()) == .status(200))
    #expect(failure(status: 401, [:]) == .status(401))
    #expect(failure(answer(("Upgrade", nil))) == .upgradeMissing)
    #expect(failure(answer(("Upgrade", "h2c"))) == .upgradeMissing)
    #expect(failure(answer(("Connection", nil))) == .connectionMissing)
    #expect(failure(answer(("Connection", "close"))) == .connectionMissing)
    #expect(failure(answer(("Sec-WebSocket-Accept", nil))) == .acceptWrong)
    #expect(failure(answer(("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="))) == .acceptWrong)
    let twice = answer(adding: [("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")])
    #expect(failure(twice) == .acceptWrong)
  }

  @Test func refusesWhatWasNotRequested() {
    func with(_ name: String, _ values: String...) -> HandshakeFailure? {
      failure(answer(adding: values.map { (name, $0) }))
    }
    #expect(with("Sec-WebSocket-Protocol", "other") == .subprotocolNotRequested("other"))
    #expect(with("Sec-WebSocket-Protocol", "Chat") == .subprotocolNotRequested("Chat"))
    let malformed = HandshakeFailure.headerMalformed("Sec-WebSocket-Protocol")
    #expect(with("Sec-WebSocket-Protocol", "chat, superchat") == malformed)
    #expect(with("Sec-WebSocket-Protocol", "chat", "chat") == malformed)
    #expect(with("Sec-WebSocket-Protocol", "") == malformed)
    #expect(with("Sec-WebSocket-Extensions", "foo, bar") == .extensionNotRequested("bar"))
    let list = HandshakeFailure.headerMalformed("Sec-WebSocket-Extensions")
    #expect(with("Sec-WebSocket-Extensions", "foo;") == list)
  }

  /// Both ends of the handshake understand each other.
  @Test func clientAndServerMeet() throws {
    for low in 0..<20 as Range<UInt64> {
      let client = ClientHandshake(
        nonce: (low &* 0x1234_5678_9ABC_DEF1, ~low), host: "a", subprotocols: ["v1"])
      let server = try ServerHandshake(
        method: "GET", httpMinorVersion: 1, headers: client.requestHeaders)
      let accepted = try client.verify(
        status: 101, headers: server.responseHeaders(subprotocol: server.subprotocols.first))
      #expect(accepted.subprotocol == "v1")
    }
  }
}
