import Ethereum
import JSON
import Ledger
import Testing

@testable import WalletPushClient

/// What is asked, and how answers are read.
@Suite struct APICallTests {
  private static let walletText =
    #""id":7,"wallet":"\#(wallet)","chain":"ETH","address":"0x00","epoch":"e1","rev":8"#

  private func head(_ status: Int = 200, retryAfter: String? = nil, etag: String? = nil) -> HTTPHead {
    HTTPHead(status: status, contentType: "application/json", retryAfter: retryAfter, etag: etag)
  }

  private func read<Value>(
    _ call: APICall<Value>, _ text: String, _ status: Int = 200, etag: String? = nil
  ) throws(APIError) -> Value {
    try call.value(head(status, etag: etag), Array(text.utf8))
  }

  private func held(etag: String? = #"W/"e1-10""#) throws -> WalletBalances {
    try read(.balances(try walletKey()), Say.snapshot(), etag: etag)
  }

  // MARK: - Requests

  @Test func requests() throws {
    let key = try walletKey()
    let path = "api/v1/wallets/\(wallet)"
    let json = ["Content-Type": "application/json"]
    func expect(
      _ request: HTTPCall, _ method: String, _ target: String, headers: [String: String] = [:],
      body: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) {
      #expect(
        request
          == HTTPCall(method: method, target: target, headers: headers, body: Array(body.utf8)),
        sourceLocation: sourceLocation)
    }
    expect(APICall.wallets(limit: 50, after: nil).request, "GET", "api/v1/wallets?limit=50")
    expect(APICall.wallets(limit: 1, after: 9).request, "GET", "api/v1/wallets?limit=1&after=9")
    expect(APICall.wallet(key).request, "GET", path)
    expect(APICall.wallet(7).request, "GET", "api/v1/wallets/7")
    expect(APICall.delete(key).request, "DELETE", path)
    expect(
      APICall.add(key).request, "POST", "api/v1/wallets", headers: json,
      body: #"{"chain":"ETH","address":"0x00000000000000000000000000000000000000aa"}"#)
    expect(APICall.balances(key).request, "GET", "\(path)/balances")
    expect(
      APICall.balances(since: try held()).request, "GET", "\(path)/balances",
      headers: ["If-None-Match": #"W/"e1-10""#])
    expect(APICall.balances(since: try held(etag: nil)).request, "GET", "\(path)/balances")
    expect(APICall.refresh(key).request, "POST", "\(path)/refresh_balances")
    expect(
      APICall.setVisible(false, try tokenKey(native), in: key).request, "PATCH", "\(path)/tokens/native",
      headers: json, body: #"{"is_visible":false}"#)
    expect(
      APICall.setVisible(true, try tokenKey(coin), in: key).request, "PATCH",
      "\(path)/tokens/0x00000000000000000000000000000000000000c1", headers: json,
      body: #"{"is_visible":true}"#)
    // Of another chain: no token of the wallet's, and never taken for one.
    expect(
      APICall.setVisible(true, try tokenKey("BSC:native"), in: key).request, "PATCH",
      "\(path)/tokens/BSC:native", headers: json, body: #"{"is_visible":true}"#)
    expect(APICall.chains.request, "GET", "api/v1/chains")
  }

  // MARK: - Answers

  @Test func wallets() throws {
    let key = try walletKey()
    let expected = RegisteredWallet(id: 7, key: key)
    #expect(try read(.wallet(key), "{\(Self.walletText),\"new\":[1]}") == expected)
    #expect(try read(.wallet(7), "{\(Self.walletText)}") == expected)
    let added = try read(.add(key), "{\(Self.walletText)}", 201)
    #expect(added.wallet == expected && added.isNew)
    #expect(try read(.add(key), "{\(Self.walletText)}", 200).isNew == false)
    try read(.delete(key), "", 204)
  }

  @Test func pages() throws {
    let zero = Self.walletText.replacing("7", with: "0")
    // One that no library of today can read is left out, and its page goes on.
    let page =
      #"{"wallets":[{\#(Self.walletText)},{"id":8,"wallet":"SOL:7xKX"},{\#(zero)},3],"next":8,"epoch":"e1","rev":8}"#
    #expect(
      try read(.wallets(limit: 2, after: 6), page)
        == WalletPage(wallets: [RegisteredWallet(id: 7, key: try walletKey())], next: 8))
    for last in [#"{"wallets":[],"next":null}"#, #"{"wallets":[]}"#] {
      #expect(try read(.wallets(limit: 2, after: 6), last) == WalletPage(wallets: [], next: nil))
    }
  }

  @Test func balances() throws {
    let first = try held()
    #expect(first.epoch == "e1" && first.revision == 10 && first.etag == #"W/"e1-10""#)
    #expect(first.wallet.key == (try walletKey()) && first.wallet.isComplete)
    // To the last digit.
    let exact = try read(
      .balances(try walletKey()),
      Say.snapshot(rows: [
        Say.row(
          balance: "115792089237316195423570985008687907853269984665640564039457",
          price: "0.000000000000000001")
      ]))
    let row = try #require(exact.wallet.rows[try tokenKey(native)])
    #expect(row.balance?.decimal == "115792089237316195423570985008687907853269984665640564039457")
    #expect(row.price.usd?.plainText == "0.000000000000000001")
    let call = APICall.balances(since: first)
    #expect(try read(call, "", 304) == nil)
    #expect(try read(call, Say.snapshot(rev: 11), etag: "x")?.revision == 11)
  }

  /// Nothing was asked that 304 could answer.
  @Test func unchangedUnasked() throws {
    let refused = APIError.refused(status: 304, ServerRefusal(code: "http_304", message: "HTTP 304"))
    #expect(throws: refused) { try read(.balances(try walletKey()), "", 304) }
    #expect(throws: refused) { try read(.balances(since: try held(etag: nil)), "", 304) }
    #expect(throws: refused) { try read(.chains, "", 304) }
  }

  @Test func refreshes() throws {
    let text =
      #"{"message":"done","wallet_address":"0x00","refresh_time":"2026-11-22 10:21:00","token_count":12,"#
      + #""status":"success",\#(Self.walletText)}"#
    #expect(
      try read(.refresh(try walletKey()), text)
        == BalancesRefresh(
          wallet: RegisteredWallet(id: 7, key: try walletKey()), tokenCount: 12,
          refreshedAt: 1_795_342_860_000, message: "done", epoch: "e1", revision: 8))
    let bare = try read(.refresh(try walletKey()), #"{\#(Self.walletText),"token_count":0}"#)
    #expect(bare.refreshedAt == nil && bare.message.isEmpty)
  }

  @Test func rows() throws {
    let row = try read(
      .setVisible(false, try tokenKey(coin), in: try walletKey()), Say.row(coin, visible: false))
    #expect(row.token == (try tokenKey(coin)) && !row.isVisible)
  }

  @Test func chains() throws {
    let text = #"""
      {"chains":[{"chain":"ETH","chain_id":1,"name":"Ethereum","symbol":"ETH","state":"down","since":5,
      "reason":"unreachable","endpoints":[{"host":"a.test","state":"failing","latency_ms":12,"error_percent":50,
      "block":7,"multicall3":true},{"host":"b.test","state":"new word","latency_ms":null,"error_percent":101,
      "block":null},{"state":"up"}]},{"chain":"BSC","state":"up"},{"chain":"?","state":"up"},{"chain":"X"}]}
      """#
    let chains = try read(.chains, text)
    #expect(
      chains == [
        ChainStatus(
          chain: try ChainCode(parsing: "ETH"), chainID: 1, name: "Ethereum", symbol: "ETH", isDown: true,
          since: 5, reason: "unreachable",
          endpoints: [
            ChainEndpoint(
              host: "a.test", state: "failing", latency: .milliseconds(12), errorPercent: 50, block: 7,
              hasMulticall3: true),
            ChainEndpoint(
              host: "b.test", state: "new word", latency: nil, errorPercent: nil, block: nil,
              hasMulticall3: false),
          ]),
        ChainStatus(
          chain: try ChainCode(parsing: "BSC"), chainID: nil, name: "", symbol: "", isDown: false, since: nil,
          reason: nil, endpoints: []),
      ])
  }

  // MARK: - What is none

  @Test(arguments: [
    "", "<html>", "[]", "null", "{}", #"{"id":"7"}"#, #"{"wallets":7,"chains":7,"tokens":7}"#,
    #"{"wallets":[],"next":"8"}"#, #"{"wallets":[],"next":6}"#, #"{"wallets":[],"next":5}"#,
    #"{"wallets":[],"next":99999999999999999999}"#,
    #"{"id":1e99,"wallet":"ETH:0x00000000000000000000000000000000000000aa","token_count":1}"#,
    #"{"id":7,"wallet":"ETH:0x0","token_count":1,"epoch":"e1","rev":1}"#,
    #"{"id":7,"token":"ETH","wallet":"ETH:0x","tokens":[],"rev":9007199254740992,"epoch":"e1","token_count":-1}"#,
  ]) func malformed(_ text: String) throws {
    let key = try walletKey()
    let since = try held()
    func expectMalformed(_ noun: String, _ body: () throws -> Void) {
      let error = #expect(throws: APIError.self) { try body() }
      guard case .malformed(let fault) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(fault.hasPrefix("\(noun) was expected"))
    }
    expectMalformed("a page of wallets") { _ = try read(.wallets(limit: 1, after: 6), text) }
    expectMalformed("a wallet") { _ = try read(.wallet(key), text) }
    expectMalformed("a wallet") { _ = try read(.add(key), text) }
    expectMalformed("a snapshot of \(wallet)") { _ = try read(.balances(key), text) }
    expectMalformed("a snapshot of \(wallet)") { _ = try read(.balances(since: since), text) }
    expectMalformed("the result of a refresh") { _ = try read(.refresh(key), text) }
    expectMalformed("a row") { _ = try read(.setVisible(true, try tokenKey(native), in: key), text) }
    expectMalformed("a list of chains") { _ = try read(.chains, text) }
  }

  /// Another wallet's, a later part alone, one without an epoch.
  @Test func snapshotsThatAreNone() throws {
    for text in [
      Say.snapshot(other), Say.snapshot(part: 2, of: 2), Say.snapshot().replacing("epoch", with: "era"),
    ] {
      #expect(throws: APIError.malformed("a snapshot of \(wallet) was expected")) {
        try read(.balances(try walletKey()), text)
      }
    }
  }

  @Test func refusals() throws {
    func expect(
      _ error: APIError, _ status: Int, _ body: String, retryAfter: String? = nil,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let head = head(status, retryAfter: retryAfter)
      #expect(throws: error, sourceLocation: sourceLocation) {
        try APICall.chains.value(head, Array(body.utf8))
      }
    }
    let cooldown = ServerRefusal(code: "cooldown", message: "too soon", retry: .milliseconds(5_500))
    expect(
      .refused(status: 429, cooldown), 429,
      #"{"error":"too soon","code":"cooldown","retry_ms":5500,"more":{}}"#,
      retryAfter: "6")
    #expect(APIError.refused(status: 429, cooldown).retry == .milliseconds(5_500))
    expect(
      .refused(status: 429, ServerRefusal(code: "rate_limited", message: "m", retry: .seconds(1))), 429,
      #"{"error":"m","code":"rate_limited"}"#, retryAfter: "1")
    expect(
      .refused(status: 404, ServerRefusal(code: "not_found", message: "wallet 9 does not exist")), 404,
      #"{"error":"wallet 9 does not exist","code":"not_found"}"#)
    expect(
      .refused(status: 502, ServerRefusal(code: "http_502", message: "HTTP 502")), 502, "<h1>Bad gateway",
      retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT")
    expect(.refused(status: 302, ServerRefusal(code: "http_302", message: "HTTP 302")), 302, "")
  }
}
