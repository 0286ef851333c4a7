import Ethereum
import JSON
import Ledger

/// A call of the server's HTTP interface: what is asked, and how the answer is read. Pure.
struct APICall<Value: Sendable>: Sendable {
  let request: HTTPCall
  /// What 304 stands for; nil where the request has no condition.
  private let unchanged: Value?
  private let read: @Sendable (HTTPHead, [UInt8]) throws(APIError) -> Value

  /// - Parameters:
  ///   - noun: what the answer is to be.
  ///   - read: nil where it is something else.
  fileprivate init(
    _ request: HTTPCall, unchanged: Value? = nil, _ noun: String,
    _ read: @escaping @Sendable (HTTPHead, JSONValue) -> Value?
  ) {
    self.request = request
    self.unchanged = unchanged
    self.read = { head, body throws(APIError) in
      let value: JSONValue
      do throws(JSONError) {
        value = try JSONParser.parse(body, limits: ServerFrame.limits)
      } catch {
        throw .malformed("\(noun) was expected, and no JSON came: \(error)")
      }
      guard let value = read(head, value) else { throw .malformed("\(noun) was expected") }
      return value
    }
  }

  /// - Throws: ``APIError/refused(status:_:)``, ``APIError/malformed(_:)``
  func value(_ head: HTTPHead, _ body: [UInt8]) throws(APIError) -> Value {
    if head.isSuccess { return try read(head, body) }
    if head.status == 304, let unchanged { return unchanged }
    throw .refused(status: head.status, HTTPRefusal(head, body).refusal)
  }
}

extension APICall<Void> {
  /// What the answer says does not matter.
  fileprivate init(_ request: HTTPCall) {
    self.request = request
    unchanged = nil
    read = { _, _ throws(APIError) in }
  }

  static func delete(_ wallet: WalletKey) -> Self {
    APICall(HTTPCall(method: "DELETE", target: HTTPLink.path(wallet)))
  }
}

extension APICall<WalletPage> {
  static func wallets(limit: Int, after: WalletID?) -> Self {
    let query = "limit=\(limit)" + (after.map { "&after=\($0)" } ?? "")
    return APICall(HTTPCall(target: "api/v1/wallets?\(query)"), "a page of wallets") { _, value in
      WalletPage(value, after: after ?? 0)
    }
  }
}

extension APICall<RegisteredWallet> {
  static func wallet(_ wallet: WalletKey) -> Self {
    APICall(HTTPCall(target: HTTPLink.path(wallet)), "a wallet") { _, value in RegisteredWallet(value) }
  }

  static func wallet(_ id: WalletID) -> Self {
    APICall(HTTPCall(target: "api/v1/wallets/\(id)"), "a wallet") { _, value in RegisteredWallet(value) }
  }
}

extension APICall<(wallet: RegisteredWallet, isNew: Bool)> {
  static func add(_ wallet: WalletKey) -> Self {
    var body = JSONWriter(reserving: 128)
    body.beginObject()
    body.member("chain", wallet.chain.description)
    body.member("address", wallet.address.lowercase)
    body.endObject()
    return APICall(.sending("POST", "api/v1/wallets", body), "a wallet") { head, value in
      RegisteredWallet(value).map { ($0, head.status == 201) }
    }
  }
}

extension APICall<WalletBalances> {
  static func balances(_ wallet: WalletKey) -> Self {
    APICall(HTTPCall(target: "\(HTTPLink.path(wallet))/balances"), "a snapshot of \(wallet)") { head, value in
      WalletBalances(value, of: wallet, etag: head.etag)
    }
  }
}

extension APICall<WalletBalances?> {
  /// Nil where nothing has changed since then.
  static func balances(since held: WalletBalances) -> Self {
    let wallet = held.wallet.key
    var request = HTTPCall(target: "\(HTTPLink.path(wallet))/balances")
    request.headers["If-None-Match"] = held.etag
    // Without a condition 304 answers nothing.
    let unchanged: WalletBalances?? = held.etag == nil ? nil : .some(nil)
    return APICall(request, unchanged: unchanged, "a snapshot of \(wallet)") { head, value in
      WalletBalances(value, of: wallet, etag: head.etag).map(Optional.some)
    }
  }
}

extension APICall<BalancesRefresh> {
  static func refresh(_ wallet: WalletKey) -> Self {
    let request = HTTPCall(method: "POST", target: "\(HTTPLink.path(wallet))/refresh_balances")
    return APICall(request, "the result of a refresh") { _, value in BalancesRefresh(value) }
  }
}

extension APICall<TokenRow> {
  static func setVisible(_ isVisible: Bool, _ token: TokenKey, in wallet: WalletKey) -> Self {
    // What is on another chain is no token of the wallet's; to say so is the server's.
    let name =
      token.chain == wallet.chain ? token.contract?.lowercase ?? "native" : token.description
    var body = JSONWriter(reserving: 32)
    body.beginObject()
    body.member("is_visible", isVisible)
    body.endObject()
    return APICall(.sending("PATCH", "\(HTTPLink.path(wallet))/tokens/\(name)", body), "a row") { _, value in
      TokenRow(value)
    }
  }
}

extension APICall<[ChainStatus]> {
  static var chains: Self {
    APICall(HTTPCall(target: "api/v1/chains"), "a list of chains") { _, value in
      value["chains"]?.array?.compactMap { ChainStatus($0) }
    }
  }
}

extension HTTPCall {
  fileprivate static func sending(_ method: String, _ target: String, _ body: JSONWriter) -> HTTPCall {
    HTTPCall(
      method: method, target: target, headers: ["Content-Type": "application/json"], body: body.bytes)
  }
}
