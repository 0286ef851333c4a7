import Ethereum
import HTTP1
import Push

// Access tokens in HTTP (RFC 6750).

extension Router {
  /// Goes on with a request whose access token is right, or that needs none.
  func authorized(_ request: Request, _ route: (Request) -> Action) -> Action {
    var request = request
    guard let access = services.access else {
      request.authority = .everybody
      return route(request)
    }
    let tokens = BearerToken.all(in: request.head.headers)
    guard let token = tokens.first else {
      access.countMissing()
      // §3.1: who brought nothing is not told what was wrong with it.
      return .now(
        .unauthorized("send an access token: \"Authorization: Bearer …\"", challenge: Self.challenge))
    }
    // §2: not more than one.
    guard tokens.count == 1 else {
      return .now(
        .error(
          400, "bad_request", "send one Authorization header",
          headers: [("WWW-Authenticate", Self.challenge + ", error=\"invalid_request\"")]))
    }
    do {
      request.authority = try access.authenticate(token, now: services.clock())
    } catch {
      let reason = ", error=\"invalid_token\", error_description=\"\(error.reason)\""
      return .now(.unauthorized(error.reason, challenge: Self.challenge + reason))
    }
    return route(request)
  }

  private static let challenge = "Bearer realm=\"walletpush\""

  /// §3.1. The same whether or not there is such a wallet.
  func forbidden(_ what: String) -> Response {
    .error(
      403, "forbidden", "the access token does not grant \(what)",
      headers: [("WWW-Authenticate", Self.challenge + ", error=\"insufficient_scope\"")])
  }
}

extension Response {
  fileprivate static func unauthorized(_ message: String, challenge: String) -> Response {
    .error(401, "unauthorized", message, headers: [("WWW-Authenticate", challenge)])
  }
}
