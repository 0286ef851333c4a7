import Testing
import WebSocket

/// What may stand in an offer, and what declines it (RFC 7692 §7.1).
@Suite struct DeflateOfferTests {
  /// The offers of a header, as a server's handshake reads them.
  static func offers(_ header: String) throws -> [ExtensionOffer] {
    try ServerHandshake(
      method: "GET", httpMinorVersion: 1,
      headers: [
        "Host": "a", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Extensions": header,
      ]
    ).extensions
  }

  static func offer(_ header: String) throws -> ExtensionOffer { try #require(try offers(header).first) }

  static let right: [(String, DeflateOffer)] = [
    ("permessage-deflate", DeflateOffer(clientMaxWindowBits: .notOffered)),
    ("permessage-deflate; client_max_window_bits", DeflateOffer()),
    ("permessage-deflate; client_max_window_bits=9", DeflateOffer(clientMaxWindowBits: .bits(9))),
    ("permessage-deflate; client_max_window_bits=\"15\"", DeflateOffer(clientMaxWindowBits: .bits(15))),
    (
      "permessage-deflate; client_max_window_bits; server_max_window_bits=10",
      DeflateOffer(serverMaxWindowBits: 10)
    ),
    (
      "permessage-deflate; server_max_window_bits=8",
      DeflateOffer(serverMaxWindowBits: 8, clientMaxWindowBits: .notOffered)
    ),
    (
      "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
      DeflateOffer(
        serverNoContextTakeover: true, clientNoContextTakeover: true, clientMaxWindowBits: .notOffered)
    ),
  ]

  @Test(arguments: right)
  func parses(_ header: String, _ expected: DeflateOffer) throws {
    let parsed = try DeflateOffer(try Self.offer(header))
    #expect(parsed == expected)
    // What we write is what we read.
    #expect(try DeflateOffer(try Self.offer(parsed.extensionOffer.headerValue)) == parsed)
  }

  static let wrong: [(String, DeflateParameterError)] = [
    ("window=9", .unknown("window")),
    ("Server_No_Context_Takeover", .unknown("Server_No_Context_Takeover")),
    ("server_no_context_takeover; server_no_context_takeover", .duplicate("server_no_context_takeover")),
    ("client_max_window_bits; client_max_window_bits=10", .duplicate("client_max_window_bits")),
    ("server_no_context_takeover=1", .valueNotAllowed("server_no_context_takeover")),
    ("client_no_context_takeover=true", .valueNotAllowed("client_no_context_takeover")),
    ("server_max_window_bits", .valueMissing("server_max_window_bits")),
    ("server_max_window_bits=7", .valueInvalid("server_max_window_bits", "7")),
    ("server_max_window_bits=16", .valueInvalid("server_max_window_bits", "16")),
    ("server_max_window_bits=010", .valueInvalid("server_max_window_bits", "010")),
    ("server_max_window_bits=+9", .valueInvalid("server_max_window_bits", "+9")),
    ("server_max_window_bits=1e1", .valueInvalid("server_max_window_bits", "1e1")),
    ("client_max_window_bits=08", .valueInvalid("client_max_window_bits", "08")),
    (
      "client_max_window_bits=99999999999999999999",
      .valueInvalid("client_max_window_bits", "99999999999999999999")
    ),
  ]

  @Test(arguments: wrong)
  func refuses(_ parameters: String, _ expected: DeflateParameterError) throws {
    let offer = try Self.offer("permessage-deflate; " + parameters)
    #expect(throws: expected) { try DeflateOffer(offer) }
    #expect(!expected.reason.isEmpty)
  }
}
