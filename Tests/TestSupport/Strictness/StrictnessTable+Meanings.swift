// What a request asks for beside its answer: to be told to go on, to go on in another protocol, to be patient.

extension StrictnessFamily {
  static let expectation = StrictnessFamily(
    "Expect and Connection",
    """
    `100-continue` is the only expectation there is (RFC 9110 §10.1.1), and it is ignored in HTTP/1.0 and where the body \
    is there already. `Connection: close` is obeyed in any letter case and any list.
    """,
    [
      .post("Expect: tea", 417),
      .post("Expect: 100-continue, tea", 417),
      .post("Expect: 100-continue\r\nExpect: tea", 417),
      .post("Expect:", 417),
      .post("Expect: 100-Continue\r\nContent-Length: 4", 405, .kept, body: "body"),
      .post("Expect: 100-continue", 405, .kept),
      .get("Host: a\r\nConnection: x, CLOSE", 200),
      .get("Host: a\r\nConnection: keep-alive\r\nConnection: close", 200),
      .get("Host: a\r\nConnection: keep-alive, ,", 200, .kept),
    ])

  static let upgrade = StrictnessFamily(
    "Upgrades",
    """
    An opening handshake is a GET without a body (RFC 6455 §4.2.1). What follows it is no longer HTTP: a request sent \
    behind it is a broken frame. A protocol nobody speaks here is ignored (RFC 9110 §7.8).
    """,
    [
      handshake(
        "an opening handshake with a request behind it", behind: "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
      handshake(
        "an opening handshake with a body", "Content-Length: 4\r\n", behind: "body", 400, .kept),
      handshake(
        "an opening handshake with a chunked body", "Transfer-Encoding: chunked\r\n",
        behind: "1\r\nx\r\n0\r\n\r\n", 400, .kept),
      handshake(
        "an opening handshake with two keys", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", 400, .kept),
      handshake("an opening handshake by POST", method: "POST", 405, .kept),
      handshake("an opening handshake in HTTP/1.0", version: "1.0", 505, .closed),
      StrictnessCase("`GET /ws` without Upgrade", "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", 426, .kept),
      .get("Host: a\r\nConnection: upgrade\r\nUpgrade: h2c", 200, .kept),
    ])

  private static func handshake(
    _ title: String, _ fields: String = "", method: String = "GET", version: String = "1.1",
    behind: String = "",
    _ status: Int = 101, _ fate: StrictnessCase.Fate = .webSocket(1002)
  ) -> StrictnessCase {
    StrictnessCase(
      title,
      "\(method) /ws HTTP/\(version)\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(fields)\r\n\(behind)",
      status, fate)
  }

  static let limits = StrictnessFamily(
    "Limits",
    "With the default settings `limits.headBytes` 16,384, `limits.headerCount` 100 and `limits.bodyBytes` 65,536.",
    [
      StrictnessCase(
        "a target of 20,000 bytes", "GET /\(repeated("a", 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414, .closed),
      StrictnessCase(
        "a header line of 20,000 bytes",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: \(repeated("a", 20_000))\r\n\r\n", 431, .closed),
      StrictnessCase(
        "20 header lines of 1,000 bytes",
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\(repeated("X: \(repeated("a", 995))\r\n", 20))\r\n", 431,
        .closed),
      StrictnessCase(
        "101 header lines", "GET /healthz HTTP/1.1\r\nHost: a\r\n\(repeated("X: y\r\n", 100))\r\n", 431,
        .closed),
      StrictnessCase(
        "100 header lines", "GET /healthz HTTP/1.1\r\nHost: a\r\n\(repeated("X: y\r\n", 99))\r\n", 200, .kept),
      StrictnessCase(
        "101 trailer lines",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
          + "\(repeated("X: y\r\n", 101))\r\n", 431, .closed),
      .post("Content-Length: 65537", 413),
      StrictnessCase(
        "a body of 65,536 bytes",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n\(repeated("a", 65_536))", 405,
        .kept),
    ])
}
