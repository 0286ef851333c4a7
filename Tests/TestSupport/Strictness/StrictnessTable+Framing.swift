// Where a message ends: everything that two parsers have read differently.

extension StrictnessFamily {
  static let twoLengths = StrictnessFamily(
    "Two lengths: CL.TE, TE.CL, CL.CL",
    """
    A message that declares its length twice is refused, even where the two agree (RFC 9112 §6.3 would let a recipient \
    repair some of them).
    """,
    [
      .post("Content-Length: 4\r\nTransfer-Encoding: chunked", 400),
      .post("Transfer-Encoding: chunked\r\nContent-Length: 4", 400),
      .post("Content-Length: 0\r\nTransfer-Encoding: chunked", 400),
      .post("Transfer-Encoding: identity\r\nContent-Length: 4", 400),
      .post("Content-Length: 4\r\nContent-Length: 5", 400),
      .post("Content-Length: 4\r\nContent-Length: 4", 400),
      .post("Content-Length: 4\r\ncontent-length: 4", 400),
      .post("Content-Length: 4, 5", 400),
      .post("Content-Length: 4,4", 400),
      .post("Content-Length: 4,", 400),
      .post("Content-Length: 4\r\nContent-Length:", 400),
    ])

  static let transferEncoding = StrictnessFamily(
    "Transfer-Encoding in disguise: TE.TE",
    """
    `chunked` once, alone and spelled right, in any letter case and with blanks around it (RFC 9112 §6.1, §7). Another \
    coding is answered with 501; what is no list of codings, and any coding at all in HTTP/1.0, with 400.
    """,
    [
      .post("Transfer-Encoding: xchunked", 501),
      .post("Transfer-Encoding: chunkedx", 501),
      .post("Transfer-Encoding: identity", 501),
      .post("Transfer-Encoding: gzip", 501),
      .post("Transfer-Encoding: gzip, chunked", 501),
      .post("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked", 501),
      .post("Transfer-Encoding: chunked, identity", 400),
      .post("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow", 400),
      .post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
      .post("Transfer-Encoding: chunked, chunked", 400),
      .post("Transfer-Encoding:", 400),
      .post("Transfer-Encoding: chunked,", 400),
      .post("Transfer-Encoding: ,chunked", 400),
      .post("Transfer-Encoding: \"chunked\"", 400),
      .post("Transfer-Encoding: 'chunked'", 501),
      .post("Transfer-Encoding: chun ked", 400),
      .post("Transfer-Encoding: chunked;q=1", 400),
      .post("Transfer-Encoding: \u{B}chunked", 400),
      .post("Transfer-Encoding: chunked\u{0}", 400),
      .post("Transfer-Encoding: \u{A0}chunked", 400),
      .post("Transfer-Encoding : chunked", 400),
      .post("Transfer-Encoding\t: chunked", 400),
      .post("Transfer-Encoding\r\n: chunked", 400),
      .post(" Transfer-Encoding: chunked", 400),
      .post("X: y\r\n Transfer-Encoding: chunked", 400),
      .post("X: y\nTransfer-Encoding: chunked", 400),
      .post("X: y\rTransfer-Encoding: chunked", 400),
      StrictnessCase(
        "`Transfer-Encoding: chunked` in HTTP/1.0",
        "POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, .closed),
      .post("Transfer-Encoding:\tCHUNKED ", 405, .kept, body: "0\r\n\r\n"),
      .post("Transfer_Encoding: chunked", 405, .kept),
      .post("TE: identity, trailers", 405, .kept),
    ])

  static let contentLength = StrictnessFamily(
    "Content-Length",
    "Digits, in range (RFC 9110 §8.6). Leading zeros are digits; the number is decimal.",
    [
      .post("Content-Length: +4", 400),
      .post("Content-Length: -4", 400),
      .post("Content-Length: 0x4", 400),
      .post("Content-Length: 4.0", 400),
      .post("Content-Length: 4e0", 400),
      .post("Content-Length: 4 4", 400),
      .post("Content-Length: 4;", 400),
      .post("Content-Length: \"4\"", 400),
      .post("Content-Length: \u{664}", 400),
      .post("Content-Length: \u{B}4", 400),
      .post("Content-Length: 4\u{0}", 400),
      .post("Content-Length:", 400),
      .post("Content-Length : 4", 400),
      .post("Content-Length: 9223372036854775808", 400),
      .post("Content-Length: 18446744073709551620", 400),
      .post("Content-Length: 9223372036854775807", 413),
      .post("Content-Length: 4", 405, .kept, body: "body"),
      .post("Content-Length: \t4 ", 405, .kept, body: "body"),
      .post("Content-Length: 010", 405, .kept, body: "ten bytes!"),
      .post("Content_Length: 4", 405, .kept),
      StrictnessCase(
        "a body behind `GET`", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", 200, .kept
      ),
      StrictnessCase(
        "a body behind `HEAD`", "HEAD /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", 200,
        .kept),
    ])

  static let chunks = StrictnessFamily(
    "Chunks",
    """
    Hexadecimal digits, then extensions in their grammar, then CRLF; exactly that many bytes and a CRLF (RFC 9112 §7.1). \
    Extensions are checked, bounded in all and dropped (§7.1.1).
    """,
    [
      .chunked("\r\n", 400),
      .chunked("x\r\n", 400),
      .chunked("-1\r\n", 400),
      .chunked("+1\r\n", 400),
      .chunked("0x1\r\n", 400),
      .chunked(" 1\r\n", 400),
      .chunked("1 \r\n", 400),
      .chunked("1 1\r\n", 400),
      .chunked("1,1\r\n", 400),
      .chunked("1_0\r\n", 400),
      .chunked("\u{661}\r\n", 400),
      .chunked("1\n", 400),
      .chunked("1\r1\r\n", 400),
      .chunked("8000000000000000\r\n", 400),
      .chunked("ffffffffffffffff\r\n", 400),
      .chunked("10000000000000001\r\n", 400),
      .chunked("7fffffffffffffff\r\n", 413),
      .chunked("10001\r\n", 413),
      .chunked("1\r\nx0\r\n\r\n", 400),
      .chunked("1\r\nxy\r\n0\r\n\r\n", 400),
      .chunked("1\r\nx\n0\r\n\r\n", 400),
      .chunked("1\r\nx\r0\r\n\r\n", 400),
      .chunked("1;\r\n", 400),
      .chunked("1;=a\r\n", 400),
      .chunked("1;a=\r\n", 400),
      .chunked("1;a b\r\n", 400),
      .chunked("1;a=\"b\r\n", 400),
      .chunked("1;a=\u{0}\r\n", 400),
      .chunked("1;a\nx\r\n0\r\n\r\n", 400),
      .chunked("1;a\rx\r\n0\r\n\r\n", 400),
      .chunked("00000000000000000001\r\nx\r\n0\r\n\r\n", 405, .kept),
      .chunked("1;a=b;c=\"d;\\\"e\" ; f\r\nx\r\n0;g\r\n\r\n", 405, .kept),
      StrictnessCase(
        "17 chunks of one byte, each with 1,000 bytes of extension",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          + String(repeating: "1;\(repeated("a", 1_000))\r\nx\r\n", count: 17), 400, .closed),
    ])

  static let trailers = StrictnessFamily(
    "Trailers",
    """
    They obey the rules of header lines and are dropped: none is ever taken for a header (RFC 9110 §6.5.1, RFC 9112 §7.1.2).
    """,
    [
      .chunked("0\r\nX: y\n\r\n", 400),
      .chunked("0\r\nX : y\r\n\r\n", 400),
      .chunked("0\r\n X: y\r\n\r\n", 400),
      .chunked("0\r\nX: \u{0}\r\n\r\n", 400),
      .chunked("0\r\nGET /healthz HTTP/1.1\r\n\r\n", 400),
      .chunked("0\r\nContent-Length: 4\r\n\r\n", 405, .kept),
      .chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n", 405, .kept),
      .chunked("0\r\nHost: b\r\nConnection: close\r\n\r\n", 405, .kept),
    ])
}

func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
