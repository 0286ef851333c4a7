import Ethereum
import JSON
import Ledger

/// From bytes to frames. Nothing here traps, whatever the bytes are; the transport bounds their number.
extension ServerFrame {
  /// Snapshots are four deep: frame, list, row. A batch adds two.
  static let limits = JSONLimits(depth: 16, numberBytes: 128)

  /// Reads a message.
  ///
  /// - Throws: ``JSONError`` where it is no JSON; a message of another shape than the protocol's is `other`.
  init(parsing bytes: [UInt8]) throws(JSONError) {
    self = ServerFrame(try JSONParser.parse(bytes, limits: Self.limits)) ?? .other
  }

  init?(_ value: JSONValue) {
    switch value["type"]?.string {
    case "hello": self.init(hello: value)
    case "ok": self = .ok(AcceptedFrame(value))
    case "pong": self = .pong(id: value["id"]?.int, time: value["time"]?.number?.int64)
    case "error": self = .error(id: value["id"]?.int, ServerRefusal(value))
    case "snapshot": self.init(snapshot: value)
    case "batch":
      // A batch holds data frames only; anything else in it, another batch above all, is left out.
      guard let inner = value["frames"]?.array else { return nil }
      self = .batch(inner.compactMap { ServerFrame(data: $0) })
    case "status": self.init(status: value)
    case "heartbeat":
      guard let revision = value.revision else { return nil }
      self = .heartbeat(revision: revision)
    case "lag": self = .lag
    case "reconnect": self = .reconnect(retry: value.retry)
    default: self.init(data: value)
    }
  }

  private init?(data value: JSONValue) {
    switch value["type"]?.string {
    case "price":
      guard let token = value.token, let revision = value.revision else { return nil }
      self = .price(token, TokenPrice(value), revision: revision)
    case "balance": self.init(balance: value)
    case "token":
      guard let wallet = value.wallet, let row = TokenRow(value), let revision = value.revision else {
        return nil
      }
      self = .token(wallet, row, block: value["block"]?.number?.uint64, revision: revision)
    default: return nil
    }
  }

  private init?(hello value: JSONValue) {
    guard let epoch = value["epoch"]?.string else { return nil }
    let limits = value["limits"]
    self = .hello(
      ServerGreeting(
        server: value["server"]?.string ?? "", epoch: epoch,
        pingInterval: value["ping_s"]?.number.flatMap { Duration(seconds: $0.double) } ?? .seconds(25),
        walletsMax: limits?["wallets"]?.int, messageBytes: max(limits?["message_bytes"]?.int ?? 65_536, 0),
        transport: .webSocket))
  }

  init?(snapshot value: JSONValue) {
    guard let wallet = value.wallet, let revision = value.revision, let rows = value["tokens"]?.array else {
      return nil
    }
    self = .snapshot(
      SnapshotFrame(
        wallet: wallet, revision: revision, part: value["part"]?.number?.uint64 ?? 1,
        parts: value["parts"]?.number?.uint64 ?? 1, state: CellState(named: value["state"]),
        block: value["block"]?.number?.uint64, asOf: value["as_of"]?.number?.int64,
        rows: rows.compactMap { TokenRow($0) }))
  }

  private init?(balance value: JSONValue) {
    guard let wallet = value.wallet, let token = value.token, let revision = value.revision else {
      return nil
    }
    self = .balance(
      BalanceFrame(
        wallet: wallet, token: token, balance: value["balance"]?.amount,
        state: CellState(named: value["balance_state"]), block: value["block"]?.number?.uint64,
        revision: revision))
  }

  private init?(status value: JSONValue) {
    if value["auth"]?.string == "expiring" {
      self = .status(.expiring(at: value["at"]?.number?.int64))
    } else if let wallet = value.wallet {
      self.init(status: value, of: wallet)
    } else if let chain = value["chain"]?.string.flatMap({ try? ChainCode(parsing: $0) }) {
      let since = value["since"]?.number?.int64
      self = .status(.chain(chain, isDown: value["state"]?.string == "down", since: since))
    } else if let prices = value["prices"]?.string, prices == "stale" || prices == "live" {
      self = .status(.prices(areStale: prices == "stale"))
    } else {
      return nil
    }
  }

  private init?(status value: JSONValue, of wallet: WalletKey) {
    switch value["state"]?.string {
    case "deleted": self = .status(.deleted(wallet))
    case "forbidden": self = .status(.forbidden(wallet))
    default:
      guard let refreshing = value["refreshing"]?.string.flatMap(StatusFrame.Refreshing.init(rawValue:))
      else {
        return nil
      }
      self = .status(
        .refreshing(
          wallet, refreshing, asOf: value["as_of"]?.number?.int64, block: value["block"]?.number?.uint64))
    }
  }
}

extension AcceptedFrame {
  init(_ value: JSONValue) {
    id = value["id"]?.int
    wallets = value["wallets"]?.array?.compactMap { $0.string.flatMap { try? WalletKey(parsing: $0) } } ?? []
    tokens = value["tokens"]?.array?.compactMap { $0.string.flatMap { try? TokenKey(parsing: $0) } } ?? []
    failed = value["failed"]?.array?.compactMap { FailedKey($0) } ?? []
    isResumed = value["resumed"]?.bool
    changed = value["changed"]?.int
  }
}

extension FailedKey {
  init?(_ value: JSONValue) {
    if let wallet = value.wallet {
      key = .wallet(wallet)
    } else if let token = value.token {
      key = .token(token)
    } else {
      return nil
    }
    refusal = ServerRefusal(value)
  }
}

extension ServerRefusal {
  init(_ value: JSONValue) {
    self.init(
      code: value["code"]?.string ?? "internal", message: value["message"]?.string ?? "", retry: value.retry)
  }
}

extension TokenPrice {
  init(_ value: JSONValue) {
    self.init(
      usd: value["price_usd"]?.string.flatMap { ExactDecimal(parsing: $0) },
      change24h: value["change_24h"]?.string.flatMap { ExactDecimal(parsing: $0) },
      state: CellState(named: value["price_state"]), acceptedAt: value["price_at"]?.number?.int64)
  }
}

extension TokenRow {
  init?(_ value: JSONValue) {
    guard let token = value.token else { return nil }
    self.init(
      token: token, symbol: value["symbol"]?.string, name: value["name"]?.string,
      decimals: value["decimals"]?.int.flatMap { Valuation.decimalsRange.contains($0) ? $0 : nil },
      logo: value["logo"]?.string, isListed: value["listed"]?.bool ?? false,
      isVisible: value["visible"]?.bool ?? true, balance: value["balance"]?.amount,
      balanceState: CellState(named: value["balance_state"]), price: TokenPrice(value))
  }
}

extension CellState {
  /// A word that is missing, or that this library does not know, says that nothing is known.
  init(named value: JSONValue?) {
    switch value?.string {
    case "fresh": self = .fresh
    case "stale": self = .stale
    case "loading": self = .loading
    default: self = .unknown
    }
  }
}

extension Duration {
  /// Nil for what is no time at all, or more than a day.
  init?(seconds: Double) {
    guard seconds > 0, seconds <= 86_400 else { return nil }
    self = .milliseconds(Int64(seconds * 1_000))
  }
}

extension JSONValue {
  var wallet: WalletKey? { self["wallet"]?.string.flatMap { try? WalletKey(parsing: $0) } }
  fileprivate var token: TokenKey? { self["token"]?.string.flatMap { try? TokenKey(parsing: $0) } }

  /// Revisions are below 2^53.
  var revision: Revision? {
    self["rev"]?.number?.uint64.flatMap { $0 < 1 << 53 ? $0 : nil }
  }

  var retry: Duration? {
    self["retry_ms"]?.number?.int64.flatMap { $0 >= 0 ? .milliseconds(min($0, 86_400_000)) : nil }
  }

  /// Base units as text.
  fileprivate var amount: UInt256? { string.flatMap { try? UInt256(decimal: $0) } }
}
