import HTTP1
import Testing
import WebSocket

private typealias HeaderFields = [(name: String, value: String)]

/// A browser's request, RFC 6455 §1.2, with fields changed, added or left out.
private func request(
  _ changes: (String, String?)..., adding: HeaderFields = []
) -> HeaderFields {
  var fields: HeaderFields = [
    ("Host", "server.example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", "http://example.com"),
    ("Sec-WebSocket-Version", "13"),
  ]
  for (name, value) in changes {
    fields = fields.compactMap { field in
      field.name == name ? value.map { (name, $0) } : field
    }
  }
  return fields + adding
}

private func refusal(
  method: String = "GET", minorVersion: Int = 1, _ headers: HeaderFields
) -> HandshakeRefusal? {
  do throws(HandshakeRefusal) {
    _ = try ServerHandshake(method: method, httpMinorVersion: minorVersion, headers: HTTPHeaders(headers))
    return nil
  } catch {
    return error
  }
}

private func accept(_ headers: HeaderFields) throws -> ServerHandshake {
  try ServerHandshake(method: "GET", httpMinorVersion: 1, headers: HTTPHeaders(headers))
}

private func lines(_ headers: HTTPHeaders) -> [String] {
  headers.pairs.map { "\($0.name): \($0.value)" }
}

@Suite struct ServerHandshakeTests {
  /// The key and its answer of §1.3.
  @Test func answersTheExample() throws {
    let handshake = try accept(request(adding: [("Sec-WebSocket-Protocol", "chat, superchat")]))
    #expect(handshake.subprotocols == ["chat", "superchat"])
    #expect(handshake.extensions == [])
    #expect(
      lines(try handshake.responseHeaders(subprotocol: "chat")) == [
        "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Protocol: chat",
      ])
    #expect(try handshake.responseHeaders().count == 3)
  }

  @Test func acceptsWhatClientsSend() {
    #expect(refusal(request(("Upgrade", "WebSocket"))) == nil)
    #expect(refusal(request(("Upgrade", "h2c, websocket"))) == nil)
    #expect(refusal(request(("Connection", "keep-alive, Upgrade"))) == nil)
    #expect(refusal(request(("Connection", "keep-alive ,\tUPGRADE"))) == nil)
    #expect(refusal(request(("Connection", "keep-alive"), adding: [("connection", "upgrade")])) == nil)
    #expect(refusal(request().map { ($0.name.lowercased(), " " + $0.value + " ") }) == nil)
    #expect(refusal(request(("Sec-WebSocket-Key", "+/+/+/+/+/+/+/+/+/+/+w=="))) == nil)
    #expect(refusal(minorVersion: 2, request()) == nil)
  }

  @Test func refusesEachRuleBroken() {
    #expect(refusal(method: "POST", request()) == .methodNotGET)
    #expect(refusal(method: "get", request()) == .methodNotGET)
    #expect(refusal(minorVersion: 0, request()) == .httpVersionTooOld)
    #expect(refusal(request(("Host", nil))) == .hostMissing)
    #expect(refusal(request(adding: [("host", "b")])) == .hostMissing)
    #expect(refusal(request(("Upgrade", nil))) == .upgradeMissing)
    #expect(refusal(request(("Upgrade", "websockets"))) == .upgradeMissing)
    #expect(refusal(request(("Upgrade", "h2c"))) == .upgradeMissing)
    #expect(refusal(request(("Connection", nil))) == .connectionMissing)
    #expect(refusal(request(("Connection", "keep-alive"))) == .connectionMissing)
    #expect(refusal(request(("Connection", "not-upgrade"))) == .connectionMissing)
    #expect(refusal(request(adding: [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])) == .keyMissing)
    #expect(refusal(request(("Sec-WebSocket-Key", nil))) == .keyMissing)
    for version in ["8", "0", "12", "013", "13, 8", "", nil] {
      #expect(refusal(request(("Sec-WebSocket-Version", version))) == .versionNotSupported)
    }
    let twice = request(adding: [("Sec-WebSocket-Version", "13")])
    #expect(refusal(twice) == .versionNotSupported)
  }

  @Test(arguments: [
    "", "=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZTE=",
    "dGhlIHNhbXBsZSBub25jZTEy", "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25j!Q==",
    "dGhlIHNhbXBsZSBub2 jZQ==", "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==",
  ])
  func refusesKeysThatAreNot16Bytes(_ key: String) {
    #expect(refusal(request(("Sec-WebSocket-Key", key))) == .keyInvalid)
  }

  @Test func refusalsSayWhatIsRight() {
    #expect(HandshakeRefusal.methodNotGET.status == 405)
    #expect(lines(HandshakeRefusal.methodNotGET.headers) == ["Allow: GET"])
    #expect(HandshakeRefusal.versionNotSupported.status == 426)
    #expect(
      lines(HandshakeRefusal.versionNotSupported.headers).first == "Sec-WebSocket-Version: 13")
    #expect(HandshakeRefusal.upgradeMissing.status == 426)
    #expect(lines(HandshakeRefusal.upgradeMissing.headers).first == "Upgrade: websocket")
    #expect(HandshakeRefusal.keyInvalid.status == 400)
    #expect(HandshakeRefusal.keyInvalid.reason.contains("16 bytes"))
  }

  @Test func subprotocols() throws {
    let several: HeaderFields = [
      ("Sec-WebSocket-Protocol", "walletpush.v1 ,, bearer.a-b_c.d"), ("sec-websocket-protocol", "x"),
    ]
    let handshake = try accept(request(adding: several))
    #expect(handshake.subprotocols == ["walletpush.v1", "bearer.a-b_c.d", "x"])
    #expect(throws: LocalError.subprotocolNotOffered) {
      _ = try handshake.responseHeaders(subprotocol: "y")
    }
    for bad in ["a b", "a, b/c", "a;b", "\"a\"", "é"] {
      let headers = request(adding: [("Sec-WebSocket-Protocol", bad)])
      #expect(refusal(headers) == .subprotocolsMalformed)
    }
  }
}

/// `Sec-WebSocket-Extensions`: RFC 6455 §9.1, RFC 7692 §7.
@Suite struct ExtensionOffersTests {
  private static func offer(_ name: String, _ parameters: (String, String?)...) -> ExtensionOffer {
    ExtensionOffer(
      name: name,
      parameters: parameters.map { ExtensionOffer.Parameter(name: $0.0, value: $0.1) })
  }

  static let rows: [(String, [ExtensionOffer])] = [
    ("", []),
    (" , ,", []),
    ("foo", [offer("foo")]),
    ("foo, bar", [offer("foo"), offer("bar")]),
    ("foo;a", [offer("foo", ("a", nil))]),
    ("foo ; a = 1 ;\tb", [offer("foo", ("a", "1"), ("b", nil))]),
    ("foo; a=\"1\"", [offer("foo", ("a", "1"))]),
    ("foo; a=\"\\1\\0\"; b", [offer("foo", ("a", "10"), ("b", nil))]),
    (
      "permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate",
      [
        offer(
          "permessage-deflate", ("client_max_window_bits", nil), ("server_max_window_bits", "10")),
        offer("permessage-deflate"),
      ]
    ),
  ]

  @Test(arguments: rows) func parses(_ value: String, _ offers: [ExtensionOffer]) throws {
    let handshake = try accept(request(adding: [("Sec-WebSocket-Extensions", value)]))
    #expect(handshake.extensions == offers)
    // What is written is read again.
    let written = offers.map(\.headerValue).joined(separator: ", ")
    let again = try accept(request(adding: [("Sec-WebSocket-Extensions", written)]))
    #expect(again.extensions == offers)
  }

  @Test(arguments: [
    "foo;", "foo;;a", ";a", "foo a", "foo; a=", "foo; a=\"\"", "foo; a=\"b", "foo; a=\"b c\"",
    "foo; a=\"b\\\"", "foo; a=b c", "foo=1", "foo; =1", "(foo)", "foo; a=\"b\"c", "foo; a=\"é\"", "é",
  ])
  func refuses(_ value: String) {
    #expect(refusal(request(adding: [("Sec-WebSocket-Extensions", value)])) == .extensionsMalformed)
  }

  @Test func answersOnlyWhatWasOffered() throws {
    let handshake = try accept(request(adding: [("Sec-WebSocket-Extensions", "foo; a")]))
    let choice = Self.offer("foo", ("a", "1"))
    #expect(
      lines(try handshake.responseHeaders(extensions: [choice])).last
        == "Sec-WebSocket-Extensions: foo; a=1")
    #expect(throws: LocalError.extensionNotOffered) {
      _ = try handshake.responseHeaders(extensions: [Self.offer("bar")])
    }
  }
}
