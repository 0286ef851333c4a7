import Ethereum
import HTTP1
import JSON
import Ledger
import Refresh

extension Router {
  /// `/api/v1/wallets` and below.
  func walletRoute(_ request: Request) -> Action {
    let method = request.head.method
    let isRead = method == "GET" || method == "HEAD"
    let rest = Array(request.segments.dropFirst(3))
    switch rest.count {
    case 0:
      if isRead { return .later { await self.listWallets(request) } }
      if method == "POST" { return .later { await self.createWallet(request) } }
      return .now(.methodNotAllowed("GET, POST"))
    case 1:
      if isRead { return .later { await self.withWallet(rest[0], request, registers: true, self.oneWallet) } }
      if method == "DELETE" {
        return .later { await self.withWallet(rest[0], request, registers: false, self.deleteWallet) }
      }
      return .now(.methodNotAllowed("GET, DELETE"))
    case 2: return walletPart(request, id: rest[0], part: rest[1], isRead: isRead)
    case 3 where rest[1] == "tokens":
      guard method == "PATCH" else { return .now(.methodNotAllowed("PATCH")) }
      return .later { await self.patchToken(request, id: rest[0], token: rest[2]) }
    default: return .now(.notFound("no such address below /api/v1/wallets"))
    }
  }

  private func walletPart(_ request: Request, id: String, part: String, isRead: Bool) -> Action {
    switch part {
    case "stream":
      return isRead ? .follow { await self.stream(request, id: id) } : .now(.methodNotAllowed("GET"))
    case "changes":
      return isRead ? .follow { await self.changes(request, id: id) } : .now(.methodNotAllowed("GET"))
    case "balances":
      guard isRead else { return .now(.methodNotAllowed("GET")) }
      return .later {
        await self.withWallet(id, request, registers: true) { await self.balances($0, request) }
      }
    case "refresh_balances":
      guard request.head.method == "POST" else { return .now(.methodNotAllowed("POST")) }
      return .later { await self.refreshBalances(request, id: id) }
    default: return .now(.notFound("no such address below /api/v1/wallets/{id}"))
    }
  }

  // MARK: Which wallet

  /// A wallet as the address names it: by number or by key.
  private enum WalletName {
    case id(WalletID)
    case key(WalletKey)
  }

  private func parse(_ text: String) throws(KeyError) -> WalletName {
    if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let id = WalletID(text) {
      return .id(id)
    }
    return .key(try WalletKey(parsing: text))
  }

  /// Finds the wallet, or registers it where a key may do so, and goes on with it.
  ///
  /// Of a wallet that the access token does not grant nothing is told: its number is nobody's, its key is forbidden
  /// whether or not somebody follows it.
  private func withWallet(
    _ text: String, _ request: Request, registers: Bool, _ body: (WalletCells) async -> Response
  ) async -> Response {
    do throws(Refused) {
      return await body(try await findWallet(text, request, registers: registers))
    } catch {
      return error.response
    }
  }

  struct Refused: Error {
    var response: Response
  }

  /// The same, for whoever goes on by itself.
  func findWallet(
    _ text: String, _ request: Request, registers: Bool
  ) async throws(Refused) -> WalletCells {
    let name: WalletName
    do {
      name = try parse(text)
    } catch {
      throw Refused(response: .error(400, "bad_wallet", error.description))
    }
    switch name {
    case .id(let id):
      guard let cells = await services.ledger.wallet(id), request.authority.grants(cells.key) else {
        throw Refused(response: missing(text))
      }
      return cells
    case .key(let key):
      guard request.authority.grants(key) else { throw Refused(response: forbidden("wallet \(key)")) }
      if registers {
        if let failure = await register(key).failure { throw Refused(response: failure) }
      }
      guard let id = await services.ledger.walletID(of: key), let cells = await services.ledger.wallet(id)
      else { throw Refused(response: missing(text)) }
      return cells
    }
  }

  func missing(_ text: String) -> Response { .notFound("wallet \(text) does not exist") }

  private func register(_ key: WalletKey) async -> (isNew: Bool, failure: Response?) {
    switch await services.ledger.register([key]).first {
    case .success(let registered): (registered.isNew, nil)
    case .failure(.chainUnsupported(let chain)):
      (
        false,
        .error(
          400, "chain_unsupported",
          "chain \(chain) is not served here; GET /api/v1/chains lists those that are")
      )
    case .failure(.serverFull(let limit)):
      (false, .error(403, "too_many_wallets", "the server holds \(limit) wallets already, its limit"))
    case .failure(.notStored), nil:
      (false, .internalError("the wallet could not be stored; try again"))
    }
  }

  // MARK: Wallets

  private func listWallets(_ request: Request) async -> Response {
    guard let limit = integer(request.query("limit") ?? "100", in: 1...1_000) else {
      return .error(400, "bad_request", "limit is a number from 1 to 1000")
    }
    guard let after = integer(request.query("after") ?? "0", in: 0...Int.max) else {
      return .error(400, "bad_request", "after is the id of the last wallet of the page before")
    }
    let ledger = services.ledger
    let page = await ledger.walletPage(
      after: WalletID(after), limit: limit, among: request.authority.wallets)
    let revision = await ledger.revision
    return .json(200) { writer in
      writer.key("wallets")
      writer.beginArray()
      for (id, key) in page {
        writer.beginObject()
        writer.wallet(id, key)
        writer.endObject()
      }
      writer.endArray()
      writer.key("next")
      // A page that isn't full is the last one.
      if page.count == limit, let last = page.last { writer.int(Int(last.id)) } else { writer.null() }
      writer.member("epoch", ledger.epoch)
      writer.member("rev", revision)
    }
  }

  private func integer(_ text: String, in range: ClosedRange<Int>) -> Int? {
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int(text), range.contains(value)
    else { return nil }
    return value
  }

  private func createWallet(_ request: Request) async -> Response {
    let body: JSONValue
    do {
      body = try JSONParser.parse(request.body, limits: JSONLimits(depth: 8, numberBytes: 64))
    } catch {
      return .error(400, "bad_json", error.description)
    }
    guard let chain = body["chain"]?.string, let address = body["address"]?.string else {
      return .error(
        400, "bad_request", #"send {"chain":"ETH","address":"0x…"} with both members as strings"#)
    }
    let key: WalletKey
    do {
      key = try WalletKey(parsing: "\(chain):\(address)")
    } catch {
      return .error(400, "bad_wallet", error.description)
    }
    guard request.authority.grants(key) else { return forbidden("wallet \(key)") }
    let registration = await register(key)
    if let failure = registration.failure { return failure }
    guard let id = await services.ledger.walletID(of: key), let cells = await services.ledger.wallet(id)
    else { return .internalError("the wallet was deleted meanwhile; try again") }
    await services.ledger.want(id)
    return await oneWallet(cells, status: registration.isNew ? 201 : 200)
  }

  private func oneWallet(_ cells: WalletCells) async -> Response { await oneWallet(cells, status: 200) }

  private func oneWallet(_ cells: WalletCells, status: Int) async -> Response {
    let revision = await services.ledger.revision
    return .json(status) { writer in
      writer.wallet(cells.id, cells.key)
      writer.member("epoch", services.ledger.epoch)
      writer.member("rev", revision)
    }
  }

  private func deleteWallet(_ cells: WalletCells) async -> Response {
    do {
      guard try await services.ledger.delete(cells.id) else { return missing(String(cells.id)) }
      return Response(status: 204)
    } catch {
      return .internalError("the wallet could not be deleted; try again")
    }
  }

  // MARK: Balances

  private func balances(_ cells: WalletCells, _ request: Request) async -> Response {
    await services.ledger.visit(cells.id)
    guard let snapshot = await services.ledger.snapshot(of: cells.id) else {
      return missing(String(cells.id))
    }
    let etag = "W/\"\(snapshot.epoch)-\(snapshot.contentRevision)\""
    if request.head.headers.matches(etag: etag) {
      return Response(status: 304, headers: [("ETag", etag), ("Cache-Control", "no-cache")])
    }
    return Response(
      status: 200,
      headers: [
        ("Content-Type", "application/json; charset=utf-8"), ("ETag", etag), ("Cache-Control", "no-cache"),
      ],
      body: snapshot.whole())
  }

  private func refreshBalances(_ request: Request, id: String) async -> Response {
    let language = Language(acceptLanguage: request.head.headers.first("Accept-Language"))
    return await withWallet(id, request, registers: true) { cells in
      do throws(RefreshError) {
        let outcome = try await services.refresh.refreshNow(cells.id)
        return await refreshed(cells, outcome, language)
      } catch {
        return refusal(error, cells)
      }
    }
  }

  private func refreshed(
    _ cells: WalletCells, _ outcome: RefreshOutcome, _ language: Language
  ) async -> Response {
    let address = cells.key.address.lowercase
    return .json(200) { writer in
      writer.member(
        "message",
        language == .chinese
          ? "钱包 \(address) 的代币余额已成功更新" : "the token balances of wallet \(address) were refreshed")
      writer.member("wallet_address", address)
      writer.member("refresh_time", CivilTime(unixSeconds: services.clock() / 1_000).description)
      writer.member("token_count", outcome.tokenCount)
      writer.member("status", "success")
      writer.wallet(cells.id, cells.key)
      writer.member("epoch", services.ledger.epoch)
      writer.member("rev", outcome.revision)
    }
  }

  private func refusal(_ error: RefreshError, _ cells: WalletCells) -> Response {
    switch error {
    case .cooldown(let ago, let retry):
      let seconds = max(1, (retry + 999) / 1_000)
      return .temporary(
        429, "cooldown", "refreshed \(ago / 1_000) s ago; possible again in \(seconds) s",
        retry: .milliseconds(retry))
    case .unknownWallet: return missing(String(cells.id))
    default:
      return .temporary(
        502, "upstream_down",
        "chain \(cells.key.chain) cannot be read now: \(error.description); the balances held are kept",
        retry: error.retry)
    }
  }

  // MARK: Visibility

  private func patchToken(_ request: Request, id: String, token: String) async -> Response {
    let body: JSONValue
    do {
      body = try JSONParser.parse(request.body, limits: JSONLimits(depth: 8, numberBytes: 64))
    } catch {
      return .error(400, "bad_json", error.description)
    }
    guard let isVisible = body["is_visible"]?.bool else {
      return .error(400, "bad_request", #"send {"is_visible":true} or {"is_visible":false}"#)
    }
    return await withWallet(id, request, registers: false) { cells in
      await setVisible(isVisible, cells, token: token)
    }
  }

  private func setVisible(_ isVisible: Bool, _ cells: WalletCells, token: String) async -> Response {
    let contract: Address?
    do {
      contract = try TokenKey.contract(parsing: token)
    } catch {
      return .error(400, "bad_token", error.description)
    }
    let key = TokenKey(chain: cells.key.chain, contract: contract)
    do {
      guard let tokenID = await services.ledger.tokenID(of: key),
        let (row, price) = try await services.ledger.setVisible(isVisible, wallet: cells.id, token: tokenID)
      else { return .notFound("wallet \(cells.id) has no token \(token)") }
      let revision = await services.ledger.revision
      return .json(200, Frames.row(row, price: price, epoch: services.ledger.epoch, revision: revision))
    } catch {
      return .internalError("the change could not be stored; try again")
    }
  }
}

extension JSONWriter {
  /// `"id":7,"wallet":"ETH:0x…","chain":"ETH","address":"0x…"`
  fileprivate mutating func wallet(_ id: WalletID, _ key: WalletKey) {
    member("id", Int(id))
    member("wallet", key.description)
    member("chain", key.chain.description)
    member("address", key.address.lowercase)
  }
}
