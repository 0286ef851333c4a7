import EventLoop
import Ethereum
import HTTP1
import Ledger
import Metrics
import Push
import Synchronization
import WebSocket

/// Which address answers what. Shared by all loops, immutable; a route that needs more than what is at hand answers
/// later, away from the loop.
final class Router: Sendable {
  enum Action {
    case now(Response)
    case later(@Sendable () async -> Response)
    case upgrade(Upgrade)
    case follow(@Sendable () async -> Following)
  }

  /// What comes of a request for a wallet's changes.
  enum Following: Sendable {
    case response(Response)
    /// The head, and then events until the connection ends.
    case stream(head: Response, Follower, since: String?)
    /// Nothing is new: the answer waits, with these headers.
    case poll(headers: [(name: String, value: String)], Follower, since: ResumePoint, wait: Duration)
  }

  struct Follower: Sendable {
    var wallet: WalletKey
    var authority: Authority
  }

  struct Upgrade {
    /// The 101, whole.
    var response: [UInt8]
    /// `?wallet=` of the address.
    var wallets: [String]
    /// Access tokens of the request.
    var tokens: [String]
    /// The compression that the response agrees to.
    var deflate: DeflateParameters?
  }

  let settings: Settings
  let limits: HTTPLimits
  let services: Services
  let hosts: HostPolicy
  let origins: OriginPolicy
  let clients: ClientAddresses
  let rates: RequestRates

  init(settings: Settings, services: Services) {
    self.settings = settings
    self.services = services
    limits = HTTPLimits(
      lineBytes: settings.limits.headBytes, headBytes: settings.limits.headBytes,
      headerCount: settings.limits.headerCount, bodyBytes: settings.limits.bodyBytes)
    hosts = HostPolicy(settings)
    origins = OriginPolicy(
      allowed: settings.http.allowedOrigins, isSecure: settings.http.tls != nil)
    clients = ClientAddresses(trusted: settings.http.trustedProxies)
    rates = RequestRates(settings.limits, clients: clients)
  }

  /// - Parameter overdraft: takes room for the request, where it is one that counts; else how long to wait.
  func route(_ head: RequestHead, body: [UInt8], overdraft: () -> Duration?) -> Action {
    guard hosts.allows(head) else { return refuse(.host) }
    let segments: [String]
    let query: [QueryItem]
    do throws(RequestTargetError) {
      segments = try head.pathSegments()
      query = try head.queryItems()
    } catch {
      return .now(.error(400, "bad_request", error.explanation))
    }
    // No address of ours is as long, and no file's name (NAME_MAX). Comparing strings takes the square of the
    // length of a run of combining marks.
    guard segments.allSatisfy({ $0.utf8.count <= 255 }) else {
      return .now(.notFound("there is no such address: a part of its path is longer than 255 bytes"))
    }
    guard origins.allows(head.headers.first("Origin"), host: head.host) else {
      return refuse(.origin)
    }
    let request = Request(head: head, body: body, segments: segments, query: query)
    let action = dispatch(request, overdraft)
    guard let origin = head.headers.first("Origin"), origins.isListed(origin) else { return action }
    return action.allowing(origin, isPreflight: head.method == "OPTIONS")
  }

  private func dispatch(_ request: Request, _ overdraft: () -> Duration?) -> Action {
    // RFC 9110 §9.3.7: about the server as a whole there is nothing to say, but that it is there.
    if request.head.target == "*" { return .now(Response(status: 204)) }
    switch request.segments.first ?? "" {
    case "ws" where request.segments.count == 1: return upgrade(request)
    case "api" where request.segments.count > 2 && request.segments[1] == "v1": return api(request, overdraft)
    case "healthz" where request.segments.count == 1:
      return onlyRead(request) { .now(.json(200, Array(#"{"status":"ok"}"#.utf8))) }
    case "readyz" where request.segments.count == 1: return onlyRead(request, readiness)
    case "metrics" where request.segments.count == 1:
      if let wait = overdraft() { return refuse(.rate(wait)) }
      return authorized(request) { request in onlyRead(request) { metrics(for: request.authority) } }
    default: return .now(file(request))
    }
  }

  private func onlyRead(_ request: Request, _ action: () -> Action) -> Action {
    let method = request.head.method
    return method == "GET" || method == "HEAD" ? action() : .now(.methodNotAllowed("GET, HEAD"))
  }

  private func api(_ request: Request, _ overdraft: () -> Duration?) -> Action {
    // A browser asks before it sends the token, and so without it (Fetch §4.8, CORS-preflight fetch).
    if request.head.method == "OPTIONS" { return .now(Response(status: 204)) }
    if let wait = overdraft() { return refuse(.rate(wait)) }
    // What everybody may know, and needs before there is a token.
    if request.segments.count == 3, let file = InterfaceDescription.file(request.segments[2]) {
      return onlyRead(request) { .now(serve(file, request)) }
    }
    return authorized(request, authorizedAPI)
  }

  private func authorizedAPI(_ request: Request) -> Action {
    let method = request.head.method
    switch request.segments[2] {
    case "wallets": return walletRoute(request)
    case "chains" where request.segments.count == 3:
      return method == "GET" || method == "HEAD" ? chains() : .now(.methodNotAllowed("GET"))
    case "stats" where request.segments.count == 3:
      return method == "GET" || method == "HEAD"
        ? statistics(for: request.authority) : .now(.methodNotAllowed("GET"))
    default: return .now(.notFound("no such address; see /api/v1/wallets, /api/v1/chains, /api/v1/stats"))
    }
  }

  // MARK: WebSocket

  static let subprotocol = "walletpush.v1"

  private func upgrade(_ request: Request) -> Action {
    // RFC 6455 §4.2.1 knows no handshake with a body: who sees one does not agree with us about what follows.
    guard request.body.isEmpty, !request.head.headers.contains("Transfer-Encoding") else {
      return .now(.error(400, "bad_request", "An opening handshake has no body; send none."))
    }
    let handshake: ServerHandshake
    do throws(HandshakeRefusal) {
      handshake = try ServerHandshake(
        method: request.head.method, httpMinorVersion: request.head.minorVersion,
        headers: request.head.headers)
    } catch {
      return .now(.error(error.status, "bad_request", error.reason, headers: error.headers.pairs))
    }
    let chosen = handshake.subprotocols.contains(Self.subprotocol) ? Self.subprotocol : nil
    let compression = settings.compression
    let agreement = compression.enabled ? compression.deflate.accept(handshake.extensions) : nil
    var response: [UInt8] = []
    response.reserveCapacity(256)
    do {
      let headers = try handshake.responseHeaders(
        subprotocol: chosen, extensions: agreement.map { [$0.answer] } ?? [])
      try ResponseEncoder.encode(
        ResponseHead(status: 101, headers: headers), into: &response)
    } catch {
      return .now(.internalError("the handshake could not be answered"))
    }
    let tokens =
      BearerToken.all(in: request.head.headers) + BearerToken.all(inSubprotocols: handshake.subprotocols)
    return .upgrade(
      Upgrade(
        response: response, wallets: request.queries("wallet"), tokens: tokens,
        deflate: agreement?.parameters))
  }

  // MARK: Files

  private func file(_ request: Request) -> Response {
    guard request.head.method == "GET" || request.head.method == "HEAD" else {
      return .methodNotAllowed("GET, HEAD")
    }
    guard let file = services.files.lookup(pathSegments: request.segments) else {
      return .notFound("there is no such page; the API is below /api/v1, the WebSocket at /ws")
    }
    // A page names its files relative to itself, so that it may stand below any path of a proxy.
    if let name = request.segments.last, request.head.rawPath.hasSuffix("/") {
      return Response(status: 308, headers: [("Location", "../" + name)])
    }
    return serve(file, request)
  }

  private func serve(_ file: StaticFile, _ request: Request) -> Response {
    let common: [(name: String, value: String)] =
      [("ETag", file.etag), ("Cache-Control", "no-cache")] + StaticFiles.securityHeaders
    if request.head.headers.matches(etag: file.etag) { return Response(status: 304, headers: common) }
    return Response(status: 200, headers: [("Content-Type", file.contentType)] + common, body: file.bytes)
  }

  // MARK: Encoding

  /// What is to be written, one piece after the other. The body is not copied: clients that are slow to take a page share it.
  func encode(_ response: Response, isHead: Bool, keepsAlive: Bool, loop: EventLoop) -> [[UInt8]] {
    Self.encode(
      response, isHead: isHead, keepsAlive: keepsAlive, unixSeconds: loop.wallClockMilliseconds / 1_000)
  }

  static func encode(
    _ response: Response, isHead: Bool, keepsAlive: Bool, unixSeconds: Int64
  ) -> [[UInt8]] {
    var headers = HTTPHeaders(response.headers)
    headers.append("Date", HTTPDate.format(unixSeconds: unixSeconds))
    if !response.endsWithConnection, !HTTPStatus.allowsNoBody(response.status) {
      headers.append("Content-Length", String(response.body.count))
    }
    if !keepsAlive { headers.append("Connection", "close") }
    var out: [UInt8] = []
    out.reserveCapacity(256)
    do {
      try ResponseEncoder.encode(ResponseHead(status: response.status, headers: headers), into: &out)
    } catch {
      // A header that can't be sent is ours; the client gets an answer all the same.
      return [
        Array("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
      ]
    }
    return isHead || response.body.isEmpty ? [out] : [out, response.body]
  }

  private let responses: [Counter] = (1...5).map {
    Counter(label: "http_responses_total", dimensions: [("status", "\($0)xx")])
  }

  private let refusals = Dictionary(
    uniqueKeysWithValues: RequestRefusal.reasons.map {
      ($0, Counter(label: "http_requests_refused_total", dimensions: [("reason", $0)]))
    })

  private func refuse(_ refusal: RequestRefusal) -> Action {
    refusals[refusal.reason]?.increment()
    return .now(refusal.response)
  }

  /// From a request's being whole to its answer's being written.
  let latency = Metrics.Timer(label: "http_request")

  private let malformed = Counter(label: "http_requests_malformed_total")

  private let timeouts = Dictionary(
    uniqueKeysWithValues: HTTPPhase.allCases.filter { $0 != .answer }.map {
      ($0, Counter(label: "http_timeouts_total", dimensions: [("waiting_for", $0.rawValue)]))
    })

  /// A request that broke a rule of HTTP/1.1, or a limit of ours.
  func count(refused error: HTTPError) { malformed.increment() }

  func count(timeout phase: HTTPPhase) { timeouts[phase]?.increment() }

  func count(_ status: Int) {
    if (1...5).contains(status / 100) { responses[status / 100 - 1].increment() }
  }
}

extension Router.Action {
  private static let preflightHeaders: [(name: String, value: String)] = [
    ("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, Last-Event-ID"),
    // In seconds: the most that Chromium takes.
    ("Access-Control-Max-Age", "7200"),
  ]
  private static let exposingHeaders: [(name: String, value: String)] = [
    ("Access-Control-Expose-Headers", "ETag, Retry-After, WWW-Authenticate")
  ]

  /// Lets a page of a listed origin read the answer, or ask whether it may (Fetch §3.2).
  fileprivate func allowing(_ origin: String, isPreflight: Bool) -> Router.Action {
    let headers =
      [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
      + (isPreflight ? Self.preflightHeaders : Self.exposingHeaders)
    switch self {
    case .now(var response):
      response.headers += headers
      return .now(response)
    case .later(let make):
      return .later {
        var response = await make()
        response.headers += headers
        return response
      }
    case .follow(let make): return .follow { await make().adding(headers) }
    case .upgrade: return self
    }
  }
}

extension Router.Following {
  fileprivate func adding(_ more: [(name: String, value: String)]) -> Router.Following {
    switch self {
    case .response(var response):
      response.headers += more
      return .response(response)
    case .stream(var head, let follower, let since):
      head.headers += more
      return .stream(head: head, follower, since: since)
    case .poll(let headers, let follower, let since, let wait):
      return .poll(headers: headers + more, follower, since: since, wait: wait)
    }
  }
}

extension HTTPHeaders {
  /// `If-None-Match` (RFC 9110 §13.1.2), compared weakly.
  func matches(etag: String) -> Bool {
    let strip: (Substring) -> Substring = { $0.hasPrefix("W/") ? $0.dropFirst(2) : $0 }
    let wanted = strip(etag[...])
    return all("If-None-Match").contains { list in
      list.split(separator: ",").contains { entry in
        let entry = entry.trimmingBlanks
        return entry == "*" || strip(entry) == wanted
      }
    }
  }
}

extension Substring {
  var trimmingBlanks: Substring {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
