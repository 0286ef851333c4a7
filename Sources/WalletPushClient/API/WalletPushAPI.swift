// Calls that are public throw `any Error`: to catch one case of a typed error with its payload crashes the compiler of
// Swift 6.3 where the body has an autoclosure.

import Ethereum
import Ledger

/// The server's HTTP interface: what is asked for once, and needs no connection that stays.
/// ```swift
/// let api = try WalletPushAPI("https://wallets.example", token: token)
/// let (wallet, isNew) = try await api.addWallet(key)
/// for try await wallet in api.allWallets() { print(wallet.id, wallet.key) }
/// ```
/// A ``WalletPushClient`` has one with its own options and access tokens: ``WalletPushClient/api``. What is to stay up to
/// date is the client's: ``WalletPushClient/subscribe(wallets:tokens:)``.
///
/// All calls throw ``APIError`` and nothing else, and end with ``APIError/cancelled`` when their task is cancelled. Of an
/// answer no more than ``ClientLimits/answerBytes`` is taken, and it has to be here within ``ClientTimes/answer``; nothing
/// is asked again but after a 401, with another access token. Copies share connections and tokens: make one, and keep it.
public struct WalletPushAPI: Sendable {
  private let http: (any HTTPCaller)?
  private let options: ClientOptions
  let access: AccessTokens

  /// - Parameters:
  ///   - transports: ``TransportFactory/server(_:kinds:limits:certificateAuthority:)``, whatever kinds it takes. One made
  ///     from other WebSockets has no HTTP: all calls fail with ``APIError/unreachable(_:)``.
  ///   - token: an access token that is good for as long as this is used, or the first one.
  ///   - tokens: asked where there is no token, and when the server does not take the one at hand (`expired`): then the
  ///     call is made once more.
  public init(
    transports: TransportFactory, options: ClientOptions = ClientOptions(), token: String? = nil,
    tokens: WalletPushClient.TokenSource? = nil
  ) {
    http = transports.http
    self.options = options
    access = AccessTokens(token: token, source: tokens)
  }

  /// The interface of a server: `https://wallets.example`, or what a ``WalletPushClient`` takes, `wss://wallets.example/ws`.
  public init(
    _ url: String, options: ClientOptions = ClientOptions(), token: String? = nil,
    tokens: WalletPushClient.TokenSource? = nil
  ) throws(TransportSetupError) {
    let transports = try TransportFactory.server(
      TransportFactory.webSocket(of: url), limits: options.limits)
    self.init(transports: transports, options: options, token: token, tokens: tokens)
  }

  // MARK: - Wallets

  /// A page of the wallets that the server knows, and the access token grants.
  ///
  /// - Parameters:
  ///   - limit: wallets of the page, 1 to 1,000.
  ///   - after: ``WalletPage/next`` of the page before.
  public func wallets(limit: Int = 100, after: WalletID? = nil) async throws -> WalletPage {
    try await call(.wallets(limit: limit, after: after))
  }

  /// All of them, asked for as they are read.
  ///
  /// - Parameter pageSize: wallets of one request, 1 to 1,000.
  public func allWallets(pageSize: Int = 500) -> WalletList { WalletList(api: self, pageSize: pageSize) }

  /// Has the server follow a wallet.
  ///
  /// - Returns: the wallet, and whether it was not there before.
  @discardableResult
  public func addWallet(
    _ wallet: WalletKey
  ) async throws -> (wallet: RegisteredWallet, isNew: Bool) {
    try await call(.add(wallet))
  }

  /// The wallet of a key. The server follows it from then on, as with all calls for a key but
  /// ``deleteWallet(_:)`` and ``setVisible(_:_:in:)``.
  public func wallet(_ key: WalletKey) async throws -> RegisteredWallet {
    try await call(.wallet(key))
  }

  /// The wallet of a number.
  ///
  /// - Throws: ``APIError/refused(status:_:)`` with 404, `not_found`, where it is nobody's.
  public func wallet(id: WalletID) async throws -> RegisteredWallet { try await call(.wallet(id)) }

  /// Has the server forget a wallet. Everybody's subscriptions to it end.
  ///
  /// - Throws: ``APIError/refused(status:_:)`` with 404, `not_found`, where there is none.
  public func deleteWallet(_ wallet: WalletKey) async throws { try await call(.delete(wallet)) }

  // MARK: - Balances

  /// What the server holds of a wallet: at once, without waiting for a chain.
  public func balances(of wallet: WalletKey) async throws -> WalletBalances {
    try await call(.balances(wallet))
  }

  /// The same, if a row, a price or a state has changed since then.
  ///
  /// - Returns: nil where nothing has; what the server then sends has no body.
  public func balances(ifChangedSince held: WalletBalances) async throws -> WalletBalances? {
    try await call(.balances(since: held))
  }

  /// Has the server read the chain now, and waits until it has.
  ///
  /// - Throws: ``APIError/refused(status:_:)`` with 429, `cooldown` and ``APIError/retry``, right after another refresh;
  ///   with 502, `upstream_down`, when the chain cannot be read. Then nothing is lost.
  @discardableResult
  public func refreshBalances(of wallet: WalletKey) async throws -> BalancesRefresh {
    try await call(.refresh(wallet))
  }

  /// Shows or hides a token of a wallet.
  ///
  /// - Returns: its row as it is now.
  /// - Throws: ``APIError/refused(status:_:)`` with 404, `not_found`, where the wallet has no row of the token.
  @discardableResult
  public func setVisible(
    _ isVisible: Bool, _ token: TokenKey, in wallet: WalletKey
  ) async throws -> TokenRow {
    try await call(.setVisible(isVisible, token, in: wallet))
  }

  // MARK: - Chains

  /// The chains that the server reads, in the order of its settings.
  public func chains() async throws -> [ChainStatus] { try await call(.chains) }

  // MARK: - Calling

  /// A 401 is told only once another token is not taken either, or not to be had.
  private func call<Value>(_ call: APICall<Value>) async throws(APIError) -> Value {
    let token = try await access.current()
    do throws(APIError) {
      return try await answer(call, token)
    } catch {
      guard case .refused(status: 401, _) = error, let other = try await access.replacement(for: token) else {
        throw error
      }
      return try await answer(call, other)
    }
  }

  private func answer<Value>(_ call: APICall<Value>, _ token: String?) async throws(APIError) -> Value {
    guard let http else { throw .unreachable("these transports have WebSockets alone") }
    var request = call.request
    request.timeout = options.times.answer
    request.headers["Accept"] = "application/json"
    request.headers["Accept-Language"] = options.language
    if let token { request.headers["Authorization"] = "Bearer \(token)" }
    let (head, body) = try await http.whole(request, bytesMax: options.limits.answerBytes)
    return try call.value(head, body)
  }
}
