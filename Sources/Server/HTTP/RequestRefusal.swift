/// Why a request is turned away before anybody looks at what it asks for.
enum RequestRefusal {
  case host
  case origin
  /// Too many; there will be room again in so long.
  case rate(Duration)

  static let reasons = ["host", "origin", "rate"]

  /// As it is counted.
  var reason: String {
    switch self {
    case .host: "host"
    case .origin: "origin"
    case .rate: "rate"
    }
  }

  var response: Response {
    switch self {
    case .host:
      // RFC 9110 §15.5.20.
      return .error(
        421, "misdirected",
        "this server is not asked for by that name; http.allowedHosts lists the names it answers to")
    case .origin:
      return .error(
        403, "forbidden", "pages of this origin may not use the server; see http.allowedOrigins")
    case .rate(let wait):
      return .temporary(
        429, "rate_limited", "too many requests; the limit is limits.requestsPerSecond", retry: wait)
    }
  }
}
