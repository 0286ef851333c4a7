import Testing
import WebSocket

/// What a server accepts, and what a client makes of the answer (RFC 7692 §5.1, §7.1).
@Suite struct DeflateNegotiationTests {
  private static func settings(_ contextTakeover: Bool, _ windowBits: Int = 12) -> DeflateSettings {
    DeflateSettings(
      minimumBytes: 0, contextTakeover: contextTakeover, windowBits: windowBits, level: 4,
      inflationRatio: 200)
  }

  /// Offer, whether windows may be kept, the answer; nil: declined.
  static let answers: [(String, Bool, String?)] = [
    (
      "permessage-deflate", false,
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    ),
    ("permessage-deflate", true, "permessage-deflate"),
    // What browsers send.
    (
      "permessage-deflate; client_max_window_bits", false,
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    ),
    (
      "permessage-deflate; client_max_window_bits", true, "permessage-deflate; client_max_window_bits=12"
    ),
    (
      "permessage-deflate; client_max_window_bits=8", true, "permessage-deflate; client_max_window_bits=8"
    ),
    (
      "permessage-deflate; client_max_window_bits=15; client_no_context_takeover", true,
      "permessage-deflate; client_no_context_takeover"
    ),
    (
      "permessage-deflate; server_max_window_bits=15", true,
      "permessage-deflate; server_max_window_bits=12"
    ),
    ("permessage-deflate; server_max_window_bits=9", true, "permessage-deflate; server_max_window_bits=9"),
    // zlib has no window of 8 bits to compress with.
    ("permessage-deflate; server_max_window_bits=8", true, nil),
    (
      "permessage-deflate; server_no_context_takeover", true,
      "permessage-deflate; server_no_context_takeover"
    ),
    // §7.1.3: the first that can be kept.
    (
      "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=10", true,
      "permessage-deflate; server_max_window_bits=10"
    ),
    ("permessage-deflate; foo, permessage-deflate", true, "permessage-deflate"),
    ("permessage-foo; x=1, permessage-deflate", true, "permessage-deflate"),
    ("permessage-deflate, permessage-deflate; client_max_window_bits=9", true, "permessage-deflate"),
    ("permessage-deflate; server_max_window_bits", true, nil),
    ("x-webkit-deflate-frame", true, nil),
    ("", true, nil),
  ]

  @Test(arguments: answers)
  func serverAnswers(_ offer: String, _ contextTakeover: Bool, _ expected: String?) throws {
    let agreement = Self.settings(contextTakeover).accept(try DeflateOfferTests.offers(offer))
    #expect(agreement?.answer.headerValue == expected)
  }

  @Test func serverKeepsToWhatWasAsked() throws {
    let offers = try DeflateOfferTests.offers(
      "permessage-deflate; server_max_window_bits=10; client_max_window_bits=14")
    let agreement = try #require(Self.settings(true, 15).accept(offers))
    #expect(
      agreement.parameters == DeflateParameters(serverMaxWindowBits: 10, clientMaxWindowBits: 14))
    // Its own smaller window needs no word, and is kept to.
    let plain = try #require(Self.settings(true, 9).accept(DeflateOfferTests.offers("permessage-deflate")))
    #expect(plain.parameters == DeflateParameters(serverMaxWindowBits: 9, clientMaxWindowBits: 15))
    #expect(plain.answer.parameters.isEmpty)
  }

  static let agreed: [(DeflateOffer, String, DeflateParameters?)] = [
    (DeflateOffer(), "", nil),
    (DeflateOffer(), "permessage-deflate", DeflateParameters()),
    (
      DeflateOffer(), "permessage-deflate; client_max_window_bits=10; server_max_window_bits=8",
      DeflateParameters(serverMaxWindowBits: 8, clientMaxWindowBits: 10)
    ),
    (
      DeflateOffer(), "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      DeflateParameters(serverNoContextTakeover: true, clientNoContextTakeover: true)
    ),
    (
      DeflateOffer(serverMaxWindowBits: 10), "permessage-deflate; server_max_window_bits=9",
      DeflateParameters(serverMaxWindowBits: 9)
    ),
    // §7.1.1.2, §7.1.2.2: what a client hints at it keeps, answered or not.
    (
      DeflateOffer(clientNoContextTakeover: true, clientMaxWindowBits: .bits(11)), "permessage-deflate",
      DeflateParameters(clientNoContextTakeover: true, clientMaxWindowBits: 11)
    ),
  ]

  @Test(arguments: agreed)
  func clientAgrees(_ offer: DeflateOffer, _ answer: String, _ expected: DeflateParameters?) throws {
    #expect(try offer.agreed(DeflateOfferTests.offers(answer)) == expected)
  }

  static let refused: [(DeflateOffer, String, DeflateParameterError)] = [
    (DeflateOffer(), "permessage-deflate, permessage-deflate", .acceptedTwice),
    (DeflateOffer(), "permessage-deflate; foo=1", .unknown("foo")),
    (
      DeflateOffer(), "permessage-deflate; client_max_window_bits",
      .valueMissing("client_max_window_bits")
    ),
    (
      DeflateOffer(), "permessage-deflate; client_max_window_bits=16",
      .valueInvalid("client_max_window_bits", "16")
    ),
    (
      DeflateOffer(clientMaxWindowBits: .notOffered), "permessage-deflate; client_max_window_bits=10",
      .notOffered("client_max_window_bits")
    ),
    (
      DeflateOffer(clientMaxWindowBits: .bits(10)), "permessage-deflate; client_max_window_bits=11",
      .windowTooLarge("client_max_window_bits", 11)
    ),
    (
      DeflateOffer(serverMaxWindowBits: 10), "permessage-deflate; server_max_window_bits=11",
      .windowTooLarge("server_max_window_bits", 11)
    ),
    (
      DeflateOffer(serverMaxWindowBits: 10), "permessage-deflate",
      .notAnswered("server_max_window_bits")
    ),
    (
      DeflateOffer(serverNoContextTakeover: true), "permessage-deflate",
      .notAnswered("server_no_context_takeover")
    ),
    (
      DeflateOffer(), "permessage-deflate; server_no_context_takeover=1",
      .valueNotAllowed("server_no_context_takeover")
    ),
  ]

  @Test(arguments: refused)
  func clientRefuses(_ offer: DeflateOffer, _ answer: String, _ expected: DeflateParameterError) throws {
    let answers = try DeflateOfferTests.offers(answer)
    #expect(throws: expected) { try offer.agreed(answers) }
  }

  /// Whatever a client of ours offers, what a server of ours answers is right to it, and both hold the same.
  @Test(arguments: [false, true], [9, 12, 15])
  func bothEndsAgree(_ contextTakeover: Bool, _ windowBits: Int) throws {
    let windows: [DeflateOffer.ClientWindow] = [.notOffered, .any, .bits(8), .bits(11), .bits(15)]
    for window in windows {
      for serverBits in [nil, 9, 12, 15] as [Int?] {
        for (server, client) in [(false, false), (true, false), (false, true), (true, true)] {
          let offer = DeflateOffer(
            serverNoContextTakeover: server, clientNoContextTakeover: client,
            serverMaxWindowBits: serverBits, clientMaxWindowBits: window)
          let agreement = try #require(
            Self.settings(contextTakeover, windowBits).accept([offer.extensionOffer]))
          let agreed = try #require(try offer.agreed([agreement.answer]))
          #expect(agreed.serverNoContextTakeover == agreement.parameters.serverNoContextTakeover)
          #expect(agreed.clientNoContextTakeover == agreement.parameters.clientNoContextTakeover)
          // What one sends with, the other can hold.
          #expect(agreement.parameters.serverMaxWindowBits <= agreed.serverMaxWindowBits)
          #expect(
            agreed.clientMaxWindowBits <= agreement.parameters.clientMaxWindowBits)
        }
      }
    }
  }
}
