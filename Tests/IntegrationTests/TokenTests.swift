import Ethereum
import JSON
import TestSupport
import Testing

@testable import Server

@Suite("Access tokens, over HTTP and WebSocket")
struct TokenTests {
  private func withGuardedScene(
    _ configure: (inout Settings) -> Void = { _ in }, _ body: (Scene, Issuer) async throws -> Void
  ) async throws {
    let issuer = try Issuer()
    try await withScene({
      $0.auth = issuer.settings
      configure(&$0)
    }) { try await body($0, issuer) }
  }

  private func body(_ wallet: WalletKey) -> String {
    #"{"chain":"\#(wallet.chain)","address":"\#(wallet.address)"}"#
  }

  // MARK: - HTTP

  @Test("what needs a token, and what does not")
  func routes() async throws {
    try await withGuardedScene { scene, issuer in
      let wallet = scene.wallet
      let guarded = [
        ("GET", "/api/v1/wallets"), ("POST", "/api/v1/wallets"), ("GET", "/api/v1/wallets/1"),
        ("GET", "/api/v1/wallets/\(wallet)"), ("DELETE", "/api/v1/wallets/\(wallet)"),
        ("GET", "/api/v1/wallets/\(wallet)/balances"), ("POST", "/api/v1/wallets/\(wallet)/refresh_balances"),
        ("PATCH", "/api/v1/wallets/\(wallet)/tokens/native"), ("GET", "/api/v1/chains"),
        ("HEAD", "/api/v1/chains"), ("GET", "/api/v1/stats"), ("GET", "/api/v1/nothing"),
        ("GET", "/api//v1/./stats"), ("GET", "/api/v1/%73tats"), ("GET", "/metrics"),
        ("GET", "/api/v1/stats?access_token=\(try issuer.token())"),
      ]
      for (method, path) in guarded {
        let answer = try await scene.call(method, path)
        #expect(answer.status == 401, "\(method) \(path)")
        #expect(answer[header: "WWW-Authenticate"] == #"Bearer realm="walletpush""#)
        if method != "HEAD" { #expect(answer.json["code"] == "unauthorized", "\(method) \(path)") }
      }
      for path in ["/healthz", "/readyz", "/", "/nothing", "/api", "/api/v1"] {
        #expect(try await scene.call("GET", path).status != 401, "\(path)")
      }
      // Nothing came of it all.
      let list = try await scene.call("GET", "/api/v1/wallets", headers: try issuer.bearer())
      #expect(list.json["wallets"]?.array?.isEmpty == true)
      let figures = try await scene.call("GET", "/metrics", headers: try issuer.bearer()).text
      #expect(figures.contains(#"walletpush_access_tokens_refused_total{reason="missing"}"#))
      #expect(figures.contains("walletpush_access_tokens_accepted_total "))
      #expect(figures.contains("walletpush_push_closed_token_expired "))
    }
  }

  @Test("a token of each algorithm", arguments: SigningKey.Kind.allCases)
  func accepted(_ kind: SigningKey.Kind) async throws {
    try await withGuardedScene { scene, issuer in
      #expect(try await scene.call("GET", "/api/v1/chains", headers: try issuer.bearer(kind)).status == 200)
      let client = try await scene.client(headers: try issuer.bearer(kind))
      #expect(try await client.ask(1, #""op":"list""#)["type"] == "ok")
    }
  }

  @Test("a bad token is told what is wrong with it")
  func refused() async throws {
    try await withGuardedScene { scene, issuer in
      let good = try issuer.token()
      let cases: [(String, String)] = [
        ("Bearer", "three parts"), ("Bearer x", "three parts"), ("Bearer " + good.dropLast(2), "signature"),
        ("Bearer " + good + "=", "base64url"), ("Bearer " + good + " " + good, "send a signed one"),
        ("bearer " + (try issuer.token(lifetime: -1)), "expired"),
        ("Bearer " + (try SigningKey(.es256).token(#"{"exp":9999999999}"#, kid: "ES256")), "signature"),
        ("Bearer " + (try SigningKey.shared(.es256).token(#"{"exp":9999999999}"#, kid: "x")), "no key"),
        ("Bearer " + (try issuer.token(.es256, lifetime: 3_600, #""wallets":"all""#)), "claim of wallets"),
      ]
      for (value, words) in cases {
        let answer = try await scene.call("GET", "/api/v1/chains", headers: [("Authorization", value)])
        #expect(answer.status == 401, "\(words)")
        #expect(answer.json["code"] == "unauthorized")
        #expect(answer.json["error"]?.string?.contains(words) == true, "\(answer.text), not: \(words)")
        let challenge = answer[header: "WWW-Authenticate"] ?? ""
        #expect(
          challenge.hasPrefix(#"Bearer realm="walletpush", error="invalid_token", error_description=""#))
        #expect(challenge.contains(words))
      }
      let basic = try await scene.call("GET", "/api/v1/chains", headers: [("Authorization", "Basic YTpi")])
      #expect(basic[header: "WWW-Authenticate"] == #"Bearer realm="walletpush""#)
      let twice = try await scene.call(
        "GET", "/api/v1/chains", headers: try issuer.bearer() + issuer.bearer())
      #expect(twice.status == 400)
    }
  }

  @Test("issuer and audience of the settings")
  func rules() async throws {
    try await withGuardedScene({
      $0.auth?.issuer = "https://id.example"
      $0.auth?.audience = "walletpush"
    }) { scene, issuer in
      func status(_ claims: String) async throws -> Int {
        let token = try issuer.token(lifetime: 60, claims)
        return try await scene.call("GET", "/api/v1/chains", headers: [("Authorization", "Bearer \(token)")])
          .status
      }
      let right = try await status(#""iss":"https://id.example","aud":["x","walletpush"]"#)
      #expect(right == 200)
      #expect(try await status(#""iss":"https://id.example""#) == 401)
      #expect(try await status(#""aud":"walletpush""#) == 401)
    }
  }

  @Test("a claim of wallets bounds every call, and tells nothing of other wallets")
  func bounded() async throws {
    try await withGuardedScene { scene, issuer in
      let (all, mine) = (try issuer.bearer(), try issuer.bearer(wallets: [scene.world.wallets[1]]))
      var ids: [Int] = []
      for wallet in scene.world.wallets.prefix(2) {
        let made = try await scene.call("POST", "/api/v1/wallets", headers: all, body: body(wallet))
        ids.append(try #require(made.json["id"]?.int))
      }
      let (other, own) = (scene.world.wallets[0], scene.world.wallets[1])
      let unknown = scene.world.wallets[2]
      let visibility = #"{"is_visible":false}"#
      let calls: [(String, String, String?)] = [
        ("GET", "", nil), ("GET", "/balances", nil), ("POST", "/refresh_balances", nil),
        ("PATCH", "/tokens/native", visibility), ("DELETE", "", nil),
      ]
      for (method, suffix, sent) in calls {
        func call(_ name: String) async throws -> Answer {
          try await scene.call(method, "/api/v1/wallets/\(name)\(suffix)", headers: mine, body: sent)
        }
        // Another's number is like none.
        let (hidden, missing) = (try await call("\(ids[0])"), try await call("999"))
        #expect(hidden.status == 404 && missing.status == 404, "\(method) \(suffix)")
        #expect(hidden.text.replacing("\(ids[0])", with: "999") == missing.text, "\(method) \(suffix)")
        // A key is forbidden, known here or not.
        let (known, stranger) = (try await call("\(other)"), try await call("\(unknown)"))
        #expect(known.status == 403 && stranger.status == 403, "\(method) \(suffix)")
        #expect(known.json["code"] == "forbidden")
        #expect(known[header: "WWW-Authenticate"]?.contains(#"error="insufficient_scope""#) == true)
        #expect(known.text.replacing("\(other)", with: "\(unknown)") == stranger.text, "\(method) \(suffix)")
      }
      let made = try await scene.call("POST", "/api/v1/wallets", headers: mine, body: body(unknown))
      #expect(made.status == 403)
      // None was read, stored or deleted.
      let list = try await scene.call("GET", "/api/v1/wallets", headers: all)
      #expect(list.json["wallets"]?.array?.compactMap { $0["id"]?.int } == ids)

      for name in ["\(ids[1])", "\(own)", "eth:\(own.address)"] {
        #expect(try await scene.call("GET", "/api/v1/wallets/\(name)", headers: mine).status == 200)
      }
      #expect(try await scene.call("POST", "/api/v1/wallets", headers: mine, body: body(own)).status == 200)
      #expect(try await scene.call("GET", "/api/v1/wallets/\(own)/balances", headers: mine).status == 200)
      #expect(try await scene.call("GET", "/api/v1/stats", headers: mine).status == 200)
      #expect(try await scene.call("GET", "/metrics", headers: mine).status == 403)
      #expect(try await scene.call("DELETE", "/api/v1/wallets/\(ids[1])", headers: mine).status == 204)
    }
  }

  @Test("listing pages through what the claim grants")
  func listing() async throws {
    try await withGuardedScene { scene, issuer in
      let all = try issuer.bearer()
      for wallet in scene.world.wallets {
        _ = try await scene.call("POST", "/api/v1/wallets", headers: all, body: body(wallet))
      }
      let granted = [scene.world.wallets[0], scene.world.wallets[2]]
      let unknown = try WalletKey(parsing: "ETH:0x0000000000000000000000000000000000000009")
      let headers = try issuer.bearer(wallets: granted + [unknown])
      func page(_ query: String) async throws -> ([String], Int?) {
        let json = try await scene.call("GET", "/api/v1/wallets?\(query)", headers: headers).json
        return (json["wallets"]?.array?.compactMap { $0["wallet"]?.string } ?? [], json["next"]?.int)
      }
      #expect(try await page("").0 == granted.map(\.description))
      #expect(try await page("").1 == nil)
      let (first, next) = try await page("limit=1")
      #expect(first == ["\(granted[0])"])
      let (second, end) = try await page("limit=1&after=\(try #require(next))")
      #expect(second == ["\(granted[1])"])
      let (third, none) = try await page("limit=1&after=\(try #require(end))")
      #expect(third.isEmpty && none == nil)
      let nothing = try await scene.call(
        "GET", "/api/v1/wallets", headers: try issuer.bearer(wallets: []))
      #expect(nothing.json["wallets"]?.array?.isEmpty == true)
    }
  }

  // MARK: - WebSocket

  @Test("by header, by sub-protocol, by op; never by the address")
  func ways() async throws {
    try await withGuardedScene { scene, issuer in
      let token = try issuer.token(.edDSA, wallets: [scene.wallet])
      let target = "/ws?wallet=\(scene.wallet)"
      let byHeader = try await scene.client(target, headers: [("Authorization", "Bearer \(token)")])
      _ = try await byHeader.freshSnapshot()
      let bySubprotocol = try await scene.client(
        target, subprotocols: ["walletpush.v1", "bearer.\(token)"])
      #expect(bySubprotocol.subprotocol == "walletpush.v1")
      _ = try await bySubprotocol.freshSnapshot()

      let byOp = try await scene.client(target + "&token=\(token)&access_token=\(token)")
      let refusal = try await byOp.next("error")
      #expect(refusal["code"] == "unauthorized" && refusal["id"] == nil)
      let subscribe = #""op":"subscribe","wallets":["\#(scene.wallet)","\#(scene.world.wallets[1])"]"#
      #expect(try await byOp.ask(1, subscribe)["code"] == "unauthorized")
      #expect(
        try await byOp.ask(2, #""op":"auth","token":"\#(token.dropLast(3))""#)["code"] == "unauthorized")
      #expect(try await byOp.ask(3, #""op":"auth","token":"\#(token)""#)["type"] == "ok")
      let ok = try await byOp.ask(4, subscribe)
      #expect(ok["wallets"]?.array?.map(\.string) == ["\(scene.wallet)"])
      #expect(ok["failed"]?[0]?["code"] == "forbidden")
      _ = try await byOp.freshSnapshot()
    }
  }

  @Test("a bad token of the handshake: upgraded, then closed with 4001 and a reason")
  func badHandshake() async throws {
    try await withGuardedScene { scene, issuer in
      let (good, old) = (try issuer.token(), try issuer.token(lifetime: -5))
      let cases: [([String], [(String, String)], String)] = [
        ([], [("Authorization", "Bearer \(old)")], "the access token has expired"),
        ([], [("Authorization", "Bearer")], "three parts"),
        (["walletpush.v1", "bearer.\(old)"], [], "the access token has expired"),
        (["bearer.x"], [], "three parts"),
        (["bearer.\(good)"], [("Authorization", "Bearer \(good)")], "give one access token"),
      ]
      for (subprotocols, headers, words) in cases {
        let client = try await scene.client(subprotocols: subprotocols, headers: headers)
        let ended = try await client.ended()
        #expect(ended.code == 4001 && ended.reason.contains(words), "\(ended)")
      }
    }
  }

  @Test("no token in time: 4001")
  func tooLate() async throws {
    try await withGuardedScene({ $0.limits.handshake = .seconds(2) }) { scene, _ in
      let client = try await scene.client()
      #expect(try await client.ended().code == 4001)
    }
  }

  @Test("a token ends on a live socket; a newer one in time keeps it")
  func expiry() async throws {
    try await withGuardedScene { scene, issuer in
      let headers = try issuer.bearer(.hs256, lifetime: 8)
      let renewed = try await scene.client(headers: headers)
      let client = try await scene.client(headers: headers)
      let notice = try await client.next("status")
      #expect(notice["auth"] == "expiring" && notice["at"]?.int != nil)
      #expect(try await renewed.ask(1, #""op":"auth","token":"\#(try issuer.token())""#)["type"] == "ok")
      let ended = try await client.ended()
      #expect(ended.code == 4101 && !ended.reason.isEmpty)
      #expect(Int(WalletPushServer.clock()) >= notice["at"]?.int ?? .max)
      #expect(try await renewed.ask(2, #""op":"list""#)["type"] == "ok")
    }
  }

  // MARK: - Keys

  @Test("a reload takes newer keys; a bad file keeps those before")
  func reload() async throws {
    try await withGuardedScene { scene, issuer in
      let (old, new) = (try issuer.bearer(.rs256), try issuer.bearer(.edDSA))
      func status(_ headers: [(String, String)]) async throws -> Int {
        try await scene.call("GET", "/api/v1/chains", headers: headers).status
      }
      let client = try await scene.client(headers: old)
      try issuer.publish([.edDSA])
      #expect(try await status(old) == 200)
      try await scene.server.reload(scene.settings)
      #expect(try await status(old) == 401)
      #expect(try await status(new) == 200)
      // Who is in stays in.
      #expect(try await client.ask(1, #""op":"list""#)["type"] == "ok")
      for text in ["", "{", "{}", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"AAAA"}]}"#] {
        try issuer.publish(text)
        try await scene.server.reload(scene.settings)
        #expect(try await status(new) == 200, "\(text)")
        #expect(try await status(old) == 401, "\(text)")
      }
      var open = scene.settings
      open.auth = nil
      try await scene.server.reload(open)
      #expect(try await status([]) == 401)
    }
  }

  @Test("a start without usable keys is refused with one line")
  func badStart() async throws {
    let issuer = try Issuer()
    try await withScene(starts: false, { $0.auth = issuer.settings }) { scene in
      let cases: [(String?, String)] = [
        ("", "expected a JSON Web Key Set"), ("{}", "expected a JSON Web Key Set"),
        (#"{"keys":[]}"#, "expected at least one key"),
        (#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, "at least 2048 bits"),
        (nil, "No such file or directory; expected a JSON Web Key Set"),
      ]
      for (text, words) in cases {
        var settings = scene.settings
        if let text { try issuer.publish(text) } else { settings.auth?.keys += ".gone" }
        let path = settings.auth?.keys ?? ""
        do {
          try await scene.start(settings)
          Issue.record("it started: \(words)")
        } catch let error as SettingsError {
          #expect(error.description.hasPrefix("auth.keys: \(path): "), "\(error)")
          #expect(error.description.contains(words), "\(error)")
          #expect(!error.description.contains("\n"))
        }
      }
    }
  }

  // MARK: - Origins

  @Test("a page of a listed origin may ask first, and may read why it was refused")
  func preflight() async throws {
    try await withGuardedScene({ $0.http.allowedOrigins = ["https://app.example"] }) { scene, issuer in
      let listed = [("Origin", "https://app.example")]
      let asking = [
        ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "authorization"),
      ]
      let preflight = try await scene.call("OPTIONS", "/api/v1/wallets", headers: listed + asking)
      #expect(preflight.status == 204)
      #expect(preflight[header: "Access-Control-Allow-Origin"] == "https://app.example")
      #expect(preflight[header: "Access-Control-Allow-Headers"]?.contains("Authorization") == true)
      #expect(preflight[header: "Access-Control-Max-Age"] == "7200")
      let refused = try await scene.call("GET", "/api/v1/wallets", headers: listed)
      #expect(refused.status == 401)
      #expect(refused[header: "Access-Control-Allow-Origin"] == "https://app.example")
      #expect(refused[header: "Access-Control-Expose-Headers"]?.contains("WWW-Authenticate") == true)
      #expect(refused[header: "Access-Control-Max-Age"] == nil)

      let foreign = try await scene.call(
        "OPTIONS", "/api/v1/wallets", headers: [("Origin", "https://x.example")] + asking)
      #expect(foreign.status == 403 && foreign[header: "Access-Control-Max-Age"] == nil)
      // Our own page needs no entry and no permission.
      let own = [("Origin", "http://127.0.0.1:\(try scene.port)")]
      let answer = try await scene.call("GET", "/api/v1/chains", headers: own + issuer.bearer())
      #expect(answer.status == 200 && answer[header: "Access-Control-Allow-Origin"] == nil)
    }
  }
}
