import Ethereum
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import WalletPushClient

/// Calls over a server that answers as the test says.
@Suite struct WalletPushAPITests {
  @Test func whatGoesWithEveryCall() async throws {
    let caller = FakeCaller.taking("t1")
    let options = ClientOptions(times: ClientTimes(answer: .seconds(77)), language: "zh")
    #expect(try await caller.api(options: options, token: "t1").chains().isEmpty)
    #expect(
      caller.calls == [
        HTTPCall(
          target: "api/v1/chains",
          headers: [
            "Accept": "application/json", "Accept-Language": "zh", "Authorization": "Bearer t1",
          ], timeout: .seconds(77))
      ])
    let bare = FakeCaller.taking(nil)
    _ = try await bare.api().chains()
    #expect(bare.calls.map(\.headers) == [["Accept": "application/json"]])
  }

  @Test func everyCallAsksForItsOwn() async throws {
    let wallet = #"{"id":7,"wallet":"\#(wallet)","token_count":1,"epoch":"e1","rev":1}"#
    let caller = FakeCaller { call throws(HTTPFailure) in
      if call.method == "DELETE" { return FakeCaller.answer(204) }
      if call.target.hasSuffix("/balances") {
        return call.headers["If-None-Match"] == nil
          ? FakeCaller.answer(200, Say.snapshot(), etag: "tag") : FakeCaller.answer(304)
      }
      if call.method == "PATCH" { return FakeCaller.answer(200, Say.row()) }
      return call.target.contains("?")
        ? FakeCaller.answer(200, #"{"wallets":[]}"#) : FakeCaller.answer(200, wallet)
    }
    let (api, key) = (caller.api(), try walletKey())
    #expect(try await api.wallets().wallets.isEmpty)
    #expect(try await api.addWallet(key).isNew == false)
    #expect(try await api.wallet(key) == api.wallet(id: 7))
    let balances = try await api.balances(of: key)
    #expect(balances.wallet.total.text == "2000.50")
    #expect(try await api.balances(ifChangedSince: balances) == nil)
    #expect(try await api.refreshBalances(of: key).tokenCount == 1)
    #expect(try await api.setVisible(true, try tokenKey(native), in: key).isVisible)
    try await api.deleteWallet(key)
    #expect(
      caller.calls.map { "\($0.method) \($0.target.replacing("api/v1/wallets", with: ""))" } == [
        "GET ?limit=100", "POST ", "GET /\(WalletPushClientTests.wallet)", "GET /7",
        "GET /\(WalletPushClientTests.wallet)/balances", "GET /\(WalletPushClientTests.wallet)/balances",
        "POST /\(WalletPushClientTests.wallet)/refresh_balances",
        "PATCH /\(WalletPushClientTests.wallet)/tokens/native", "DELETE /\(WalletPushClientTests.wallet)",
      ])
  }

  // MARK: - What becomes of an answer

  @Test func answersAreBounded() async throws {
    let body = #"{"chains":[]}"#
    let caller = FakeCaller { _ throws(HTTPFailure) in
      FakeCaller.answer(200, String(body.prefix(6)), String(body.dropFirst(6)))
    }
    let fits = ClientOptions(limits: ClientLimits(answerBytes: body.utf8.count))
    #expect(try await caller.api(options: fits).chains().isEmpty)
    let short = ClientOptions(limits: ClientLimits(answerBytes: body.utf8.count - 1))
    await #expect(throws: APIError.tooLarge(bytes: body.utf8.count - 1)) {
      try await caller.api(options: short).chains()
    }
  }

  @Test func failures() async throws {
    let broken = FakeCaller { _ throws(HTTPFailure) in
      FakeCaller.answer(200, #"{"chains":[]}"#, failure: .failed("reset"))
    }
    await #expect(throws: APIError.unreachable("reset")) { try await broken.api().chains() }
    let nobody = FakeCaller { _ throws(HTTPFailure) in throw .failed("no route") }
    await #expect(throws: APIError.unreachable("no route")) { try await nobody.api().chains() }
    let late = FakeCaller { _ throws(HTTPFailure) in throw .timedOut }
    await #expect(throws: APIError.timedOut) { try await late.api().chains() }
    let webSockets = TransportFactory { ClientActorTests.FakeTransport() }
    await #expect(throws: APIError.unreachable("these transports have WebSockets alone")) {
      try await WalletPushAPI(transports: webSockets).chains()
    }
    // Nothing is asked again.
    #expect(broken.calls.count == 1 && nobody.calls.count == 1 && late.calls.count == 1)
  }

  @Test func anAnswerHasItsTime() async throws {
    let options = ClientOptions(times: ClientTimes(answer: .milliseconds(1)))
    await #expect(throws: APIError.timedOut) { try await FakeCaller.silent.api(options: options).chains() }
  }

  @Test func cancelling() async throws {
    let caller = FakeCaller.silent
    let call = Task { try await caller.api().chains() }
    try await eventually("the request") { caller.calls.isEmpty ? nil : true }
    call.cancel()
    await #expect(throws: APIError.cancelled) { try await call.value }
  }

  // MARK: - Access tokens

  @Test func aRefusedTokenIsReplacedOnce() async throws {
    let reasons = Mutex<[TokenReason]>([])
    let caller = FakeCaller.taking("t2")
    let api = caller.api(token: "t1") { reason in
      reasons.withLock { $0.append(reason) }
      return "t2"
    }
    _ = try await api.chains()
    _ = try await api.chains()
    #expect(caller.tokens == ["Bearer t1", "Bearer t2", "Bearer t2"])
    #expect(reasons.withLock { $0 } == [.expired])
    // A client's own word counts for the next call.
    api.access.keep("t1")
    _ = try await api.chains()
    #expect(caller.tokens.suffix(2) == ["Bearer t1", "Bearer t2"])
  }

  @Test func theFirstTokenIsAskedFor() async throws {
    let caller = FakeCaller.taking("t1")
    let reasons = Mutex<[TokenReason]>([])
    let api = caller.api { reason in
      reasons.withLock { $0.append(reason) }
      return "t1"
    }
    _ = try await api.chains()
    _ = try await api.chains()
    #expect(caller.tokens == ["Bearer t1", "Bearer t1"] && reasons.withLock { $0 } == [.connecting])
  }

  /// Nobody to ask, the same token again, none after none, and two that are no good.
  @Test func aRefusalIsTold() async throws {
    let refused = APIError.refused(status: 401, ServerRefusal(code: "unauthorized", message: "no good"))
    for (token, answers, tokens) in [
      ("t1", nil, ["Bearer t1"]), (nil, nil, [nil]), ("t1", ["t1"], ["Bearer t1"]), (nil, [nil, nil], [nil]),
      ("t1", ["t2"], ["Bearer t1", "Bearer t2"]), ("t1", [nil], ["Bearer t1"]),
    ] as [(String?, [String?]?, [String?])] {
      let caller = FakeCaller.taking("good")
      let rest = Mutex(answers ?? [])
      var source: WalletPushClient.TokenSource?
      if answers != nil { source = { _ in rest.withLock { $0.isEmpty ? "good" : $0.removeFirst() } } }
      await #expect(throws: refused) { try await caller.api(token: token, tokens: source).chains() }
      #expect(caller.tokens == tokens)
    }
  }

  @Test func noneIsNeeded() async throws {
    let asked = Atomic(0)
    let caller = FakeCaller.taking(nil)
    let api = caller.api { _ in
      asked.add(1, ordering: .relaxed)
      return nil
    }
    _ = try await api.chains()
    _ = try await api.chains()
    #expect(caller.tokens == [nil, nil] && asked.load(ordering: .relaxed) == 1)
  }

  @Test func whoIsAskedFails() async throws {
    struct SignedOut: Error {}
    let caller = FakeCaller.taking("good")
    for token in [nil, "t1"] as [String?] {
      await #expect(throws: APIError.noToken("SignedOut()")) {
        try await caller.api(token: token) { _ in throw SignedOut() }.chains()
      }
    }
    #expect(caller.tokens == ["Bearer t1"])
  }

  /// However many calls want a token, one asks. Who gives up does not keep the others from getting it.
  @Test func oneAsksForAll() async throws {
    let asked = Atomic(0)
    let (gate, opened) = AsyncStream<Void>.makeStream()
    let access = AccessTokens(token: "old") { _ in
      asked.add(1, ordering: .relaxed)
      for await _ in gate { break }
      return "new"
    }
    let calls = (0..<10).map { _ in
      Task { try await access.replacement(for: "old") }
    }
    try await eventually("all wait") { access.waitingCount == 10 }
    calls[0].cancel()
    await #expect(throws: APIError.cancelled) { try await calls[0].value }
    opened.finish()
    for call in calls.dropFirst() { #expect(try await call.value == "new") }
    #expect(try await access.replacement(for: "old") == "new")
    #expect(try await access.current() == "new")
    #expect(asked.load(ordering: .relaxed) == 1)
    let late = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await access.ask()
    }
    late.cancel()
    await #expect(throws: APIError.cancelled) { try await late.value }
  }

  @Test func aClientSharesItsTokens() async throws {
    let caller = FakeCaller.taking("t1", "t2")
    let transports = TransportFactory(kinds: [.webSocket], http: caller) { ClientActorTests.FakeTransport() }
    let client = WalletPushClient(transports: transports, token: "t1")
    _ = try await client.api.chains()
    await client.authenticate("t2")
    _ = try await client.api.chains()
    #expect(caller.tokens == ["Bearer t1", "Bearer t2"])
  }

  /// What the connection was given, calls send too, and nobody is asked again.
  @Test func aClientsConnectionSharesItsTokens() async throws {
    let (caller, transport) = (FakeCaller.taking("t1"), ClientActorTests.FakeTransport())
    let transports = TransportFactory(kinds: [.webSocket], http: caller) { transport }
    let asked = Atomic(0)
    let client = WalletPushClient(transports: transports) { _ in
      asked.add(1, ordering: .relaxed)
      return "t1"
    }
    await client.connect()
    transport.say(Say.hello())
    try await eventually("auth") { transport.sent.contains { $0["op"] == "auth" } }
    _ = try await client.api.chains()
    #expect(caller.tokens == ["Bearer t1"] && asked.load(ordering: .relaxed) == 1)
    await client.close()
  }

  // MARK: - Lists

  private func page(_ ids: ClosedRange<Int>, next: Int?) -> String {
    let wallets = ids.map { #"{"id":\#($0),"wallet":"\#(numbered($0))"}"# }.joined(separator: ",")
    return #"{"wallets":[\#(wallets)],"next":\#(next.map { "\($0)" } ?? "null")}"#
  }

  @Test func allWallets() async throws {
    let pages = [
      "limit=2": page(1...2, next: 2), "limit=2&after=2": #"{"wallets":[{"id":3}],"next":3}"#,
      "limit=2&after=3": page(4...5, next: nil),
    ]
    let caller = FakeCaller { call throws(HTTPFailure) in
      FakeCaller.answer(200, pages[String(call.target.drop { $0 != "?" }.dropFirst())] ?? "")
    }
    let list = caller.api().allWallets(pageSize: 2)
    for _ in 1...2 {
      var ids: [WalletID] = []
      for try await wallet in list { ids.append(wallet.id) }
      #expect(ids == [1, 2, 4, 5])
    }
    #expect(caller.calls.count == 6)
    // Whoever stops early has not asked for the rest.
    for try await _ in list { break }
    #expect(caller.calls.count == 7)
  }

  @Test func aListGoesOnAfterAFailure() async throws {
    let failures = Atomic(1)
    let (first, second) = (page(1...1, next: 1), page(2...2, next: nil))
    let caller = FakeCaller { call throws(HTTPFailure) in
      guard call.target.contains("after=1") else { return FakeCaller.answer(200, first) }
      if failures.subtract(1, ordering: .relaxed).oldValue > 0 { throw .failed("reset") }
      return FakeCaller.answer(200, second)
    }
    var iterator = caller.api().allWallets().makeAsyncIterator()
    #expect(try await iterator.next()?.id == 1)
    await #expect(throws: APIError.unreachable("reset")) { try await iterator.next() }
    #expect(try await iterator.next()?.id == 2)
    #expect(try await iterator.next() == nil)
    #expect(try await iterator.next() == nil)
    #expect(caller.calls.count == 3)
  }

  // MARK: - URLs

  @Test(arguments: [
    ("https://a.test", "wss://a.test/ws"), ("http://a.test:1/b/", "ws://a.test:1/b/ws"),
    ("HTTPS://a.test", "wsS://a.test/ws"), ("wss://a.test/ws", "wss://a.test/ws"), ("", ""),
    ("https://a.test/?b", "https://a.test/?b"), ("http", "ws/ws"), ("https://", "wss:///ws"),
  ]) func webSocketOfARoot(_ root: String, _ expected: String) {
    #expect(TransportFactory.webSocket(of: root) == expected)
  }

  @Test func whatIsNoURL() throws {
    for text in ["", "a.test", "https://", "https://a.test/?b", "ftp://a.test"] {
      #expect(throws: TransportSetupError.self, "\(text)") { try WalletPushAPI(text) }
    }
    _ = try WalletPushAPI("https://a.test")
    _ = try WalletPushAPI("wss://a.test/ws")
  }
}
