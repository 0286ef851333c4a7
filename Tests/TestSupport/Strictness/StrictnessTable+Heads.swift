// The head: its lines, what stands in them, what it is for.

extension StrictnessFamily {
  static let lines = StrictnessFamily(
    "Lines",
    """
    CRLF and nothing else ends a line; RFC 9112 §2.2 would let a bare LF pass and turn a bare CR into a space. One empty \
    line before a request is passed over.
    """,
    [
      StrictnessCase("LF behind the request line", "GET /healthz HTTP/1.1\nHost: a\r\n\r\n", 400, .closed),
      StrictnessCase(
        "LF behind a header line", "GET /healthz HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400, .closed),
      StrictnessCase("LF for the empty line", "GET /healthz HTTP/1.1\r\nHost: a\r\n\n", 400, .closed),
      StrictnessCase("LF everywhere", "GET /healthz HTTP/1.1\nHost: a\n\n", 400, .closed),
      StrictnessCase("CR for the end of a line", "GET /healthz HTTP/1.1\rHost: a\r\n\r\n", 400, .closed),
      StrictnessCase(
        "CR within a value", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n", 400, .closed),
      StrictnessCase("CR CR LF", "GET /healthz HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, .closed),
      StrictnessCase("LF before the request", "\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400, .closed),
      StrictnessCase(
        "two empty lines before the request", "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400, .closed
      ),
      StrictnessCase(
        "one empty line before the request", "\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200, .kept),
    ])

  static let fields = StrictnessFamily(
    "Header lines",
    """
    A token, a colon right behind it, a value without control characters (RFC 9110 §5.5, RFC 9112 §5.1). Folded lines \
    are refused (§5.2), before the first header too.
    """,
    [
      .get(" Host: a", 400),
      .get("\tHost: a", 400),
      .get("Host: a\r\nX: y\r\n z", 400),
      .get("Host: a\r\nX: y\r\n\tz", 400),
      .get("Host: a\r\nX:\r\n y", 400),
      .get("Host: a\r\nX : y", 400),
      .get("Host: a\r\nX\t: y", 400),
      .get("Host : a", 400),
      .get("Host: a\r\nX", 400),
      .get("Host: a\r\n: y", 400),
      .get("Host: a\r\nX Y: z", 400),
      .get("Host: a\r\nX(Y): z", 400),
      .get("Host: a\r\nX@Y: z", 400),
      .get("Host: a\r\nX/Y: z", 400),
      .get("Host: a\r\n\"X\": y", 400),
      .get("Host: a\r\n\u{FEFF}X: y", 400),
      .get("Host: a\r\nX\u{0}: y", 400),
      .get("Host: a\r\nX\u{7F}: y", 400),
      .get("Host: a\r\nX: \u{0}", 400),
      .get("Host: a\r\nX: y\u{0}Content-Length: 4", 400),
      .get("Host: a\r\nX: \u{8}", 400),
      .get("Host: a\r\nX: \u{C}", 400),
      .get("Host: a\r\nX: \u{1B}[31m", 400),
      .get("Host: a\r\nX: \u{7F}", 400),
      .get("Host: a\r\nX:y", 200, .kept),
      .get("Host: a\r\nX:", 200, .kept),
      .get("Host: a\r\nX: y\tz", 200, .kept),
      .get("Host: a\r\nX: \u{E9}", 200, .kept),
      .get("Host: a\r\nX: y\r\nX: z", 200, .kept),
    ])

  static let requestLine = StrictnessFamily(
    "Method and version",
    """
    Three words with one space between them (RFC 9112 §3); `HTTP/1.0` or `HTTP/1.1`, in capitals (§2.3). A method is \
    case-sensitive (RFC 9110 §9.1); an unknown one is not allowed anywhere, and one longer than 32 bytes is not implemented.
    """,
    [
      StrictnessCase("HTTP/0.9: `GET /`", "GET /\r\n", 400, .closed),
      .line("GET /healthz", 400),
      .line("GET  /healthz HTTP/1.1", 400),
      .line("GET /healthz  HTTP/1.1", 400),
      .line("GET /healthz HTTP/1.1 ", 400),
      .line(" GET /healthz HTTP/1.1", 400),
      .line("GET\t/healthz\tHTTP/1.1", 400),
      .line("GET /healthz HTTP/1.1 HTTP/1.1", 400),
      .line("GET /healthz http/1.1", 400),
      .line("GET /healthz HTTP/1.10", 400),
      .line("GET /healthz HTTP/01.1", 400),
      .line("GET /healthz HTTP/1", 400),
      .line("GET /healthz HTTP/1.", 400),
      .line("GET /healthz HTTP/1,1", 400),
      .line("GET /healthz HTTP/+1.1", 400),
      .line("GET /healthz HTTP /1.1", 400),
      .line("GET /healthz HTTPS/1.1", 400),
      .line("GET /healthz HTTP/1.2", 505),
      .line("GET /healthz HTTP/2.0", 505),
      .line("GET /healthz HTTP/0.9", 505),
      StrictnessCase("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, .closed),
      StrictnessCase("the first bytes of TLS", bytes: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], 400, .closed),
      .line("G(T /healthz HTTP/1.1", 400),
      .line("GET: /healthz HTTP/1.1", 400),
      .line("G\u{C9}T /healthz HTTP/1.1", 400),
      .line("\u{0}GET /healthz HTTP/1.1", 400),
      StrictnessCase(
        "a method of 33 letters", repeated("A", 33) + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501, .closed),
      .line("CONNECT a:443 HTTP/1.1", 501),
      .line("get /healthz HTTP/1.1", 405, .kept),
      .line("TRACE /healthz HTTP/1.1", 405, .kept),
      .line("TEAPOT /healthz HTTP/1.1", 405, .kept),
      StrictnessCase("HTTP/1.0 without Host", "GET /healthz HTTP/1.0\r\n\r\n", 200, .closed),
      StrictnessCase(
        "HTTP/1.0 with `Connection: keep-alive`", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        200,
        .kept),
    ])

  static let target = StrictnessFamily(
    "Target",
    """
    A path that begins with `/`, or a whole http(s) address (RFC 9112 §3.2), in visible ASCII without `#`. What is \
    encoded must decode to UTF-8 without controls, slashes and backslashes, and `..` leads nowhere, encoded or not; those \
    are refused when the request has been read, so the connection goes on.
    """,
    [
      .target("healthz", 400, .closed),
      .target("*", 400, .closed),
      .target("a:80", 400, .closed),
      .target("?a=b", 400, .closed),
      .target("ftp://a/healthz", 400, .closed),
      .target("javascript:alert(1)", 400, .closed),
      .target("http://", 400, .closed),
      .target("http:///healthz", 400, .closed),
      .target("http://u:p@a/healthz", 400, .closed),
      .target("http://a:99999/healthz", 400, .closed),
      .target("/healthz#a", 400, .closed),
      .target("/health z", 400, .closed),
      .target("/\u{0}", 400, .closed),
      .target("/\u{7F}", 400, .closed),
      .target("/\t", 400, .closed),
      .target("/\u{E9}", 400, .closed),
      .line("POST * HTTP/1.1", 400),
      .line("POST a:80 HTTP/1.1", 400),
      .target("/%", 400, .kept),
      .target("/%4", 400, .kept),
      .target("/%zz", 400, .kept),
      .target("/healthz?a=%zz", 400, .kept),
      .target("/%00", 400, .kept),
      .target("/%0d%0aX:%20y", 400, .kept),
      .target("/a%2fb", 400, .kept),
      .target("/a%5cb", 400, .kept),
      .target("/a\\b", 400, .kept),
      .target("/%c0%af", 400, .kept),
      .target("/%ff", 400, .kept),
      .target("/..", 400, .kept),
      .target("/a/../healthz", 400, .kept),
      .target("/%2e%2e/healthz", 400, .kept),
      .target("/.%2E/healthz", 400, .kept),
      .target("/%252e%252e/healthz", 404, .kept),
      .target("/.../healthz", 404, .kept),
      .target("//./healthz", 200, .kept),
      .target("/%68ealthz?a=b", 200, .kept),
      .target("http://a/healthz", 200, .kept),
      .target("HTTP://b/healthz", 200, .kept),
      StrictnessCase("`OPTIONS *`", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204, .kept),
      StrictnessCase("`OPTIONS http://a`", "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", 204, .kept),
    ])

  static let host = StrictnessFamily(
    "Host",
    """
    Exactly one in HTTP/1.1, at most one in HTTP/1.0, a name or an address with a port (RFC 9112 §3.2). A host in the \
    target outranks it, as §3.2.2 asks, but does not replace it.
    """,
    [
      StrictnessCase("none", "GET /healthz HTTP/1.1\r\n\r\n", 400, .closed),
      StrictnessCase(
        "none, with `GET http://a/healthz`", "GET http://a/healthz HTTP/1.1\r\n\r\n", 400, .closed),
      .get("Host: a\r\nHost: a", 400),
      .get("Host: a\r\nhost: b", 400),
      StrictnessCase(
        "two in HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, .closed),
      .get("Host:", 400),
      .get("Host: a, b", 400),
      .get("Host: a b", 400),
      .get("Host: a/b", 400),
      .get("Host: u@a", 400),
      .get("Host: http://a", 400),
      .get("Host: a:b", 400),
      .get("Host: a:65536", 400),
      .get("Host: a:80:80", 400),
      .get("Host: [::1", 400),
      .get("Host: [::1]x", 400),
      .get("Host: [::1%25eth0]", 400),
      .get("Host: a%0", 400),
      .get("Host: \u{E9}", 400),
      .get("Host: [::1]:8080", 200, .kept),
    ])
}
