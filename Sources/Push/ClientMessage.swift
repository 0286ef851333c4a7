// What a client says: JSON in, a typed operation out. Sans-I/O; every refusal says what would be right.

import Ethereum
import JSON
import Ledger

/// A client's own mark on a request, given back on its direct reply.
enum MessageID: Sendable, Equatable {
  case integer(Int64)
  case text(String)
}

/// Why a message is refused.
struct Refusal: Error, Equatable {
  enum Code: String, Sendable, CaseIterable {
    case badJSON = "bad_json"
    case badRequest = "bad_request"
    case unknownOperation = "unknown_op"
    case unauthorized
    case forbidden
    case badWallet = "bad_wallet"
    case badToken = "bad_token"
    case chainUnsupported = "chain_unsupported"
    case notSubscribed = "not_subscribed"
    case tooManyWallets = "too_many_wallets"
    case rateLimited = "rate_limited"
    case cooldown
    case upstreamDown = "upstream_down"
    case `internal`
  }
  var code: Code
  var message: String
  /// For refusals that pass: when to come back.
  var retryMilliseconds: Int64?

  init(_ code: Code, _ message: String, retryMilliseconds: Int64? = nil) {
    self.code = code
    self.message = message
    self.retryMilliseconds = retryMilliseconds
  }
}

/// Wallets or tokens as a list of a message named them: each stands or fails alone.
struct KeyList<Key: Hashable & Sendable>: Sendable {
  var keys: [Key] = []
  var failed = FailedKeys()

  var count: Int { keys.count + failed.count }
}

enum RateChange: Sendable, Equatable {
  case absent
  case unlimited
  /// Ticks a second of the whole connection.
  case ticksPerSecond(Double)
}

struct Subscription: Sendable {
  var wallets: KeyList<WalletKey>?
  var tokens: KeyList<TokenKey>?
  enum Since: Sendable, Equatable {
    case absent
    case point(ResumePoint)
    /// A string that is no point of any epoch of ours.
    case foreign
  }
  var since = Since.absent
  var rate = RateChange.absent
  var batch: Bool?
}

enum Operation: Sendable {
  case subscribe(Subscription)
  case unsubscribe(wallets: KeyList<WalletKey>?, tokens: KeyList<TokenKey>?)
  case list
  case get(WalletKey)
  case refresh(WalletKey)
  case set(rate: RateChange, batch: Bool?)
  case auth(String)
  case ping
}

extension Operation {
  /// Entries of its lists, those that failed too.
  var keyCount: Int {
    switch self {
    case .subscribe(let subscription): (subscription.wallets?.count ?? 0) + (subscription.tokens?.count ?? 0)
    case .unsubscribe(let wallets, let tokens): (wallets?.count ?? 0) + (tokens?.count ?? 0)
    case .list, .get, .refresh, .set, .auth, .ping: 0
    }
  }
}

struct ClientMessage: Sendable {
  var id: MessageID?
  var operation: Result<Operation, Refusal>

  static let limits = JSONLimits(depth: 8, numberBytes: 64)
  static let idCharacters = 36
  /// No op has a longer name, in bytes.
  private static let longestName = 16

  /// Never fails as a whole: what can't be understood is a message with a refusal.
  static func parse(_ bytes: UnsafeRawBufferPointer) -> ClientMessage {
    let value: JSONValue
    do {
      value = try JSONParser.parse(bytes, limits: limits)
    } catch {
      return ClientMessage(id: nil, operation: .failure(Refusal(.badJSON, error.description)))
    }
    guard let object = value.object else {
      let found = value.kindDescription
      return refused(nil, "a message is a JSON object such as {\"op\":\"ping\"}, this is \(found)")
    }
    let id: MessageID?
    switch parseID(object["id"]) {
    case .success(let parsed): id = parsed
    case .failure(let refusal): return ClientMessage(id: nil, operation: .failure(refusal))
    }
    guard let name = object["op"]?.string else {
      return refused(id, "a message needs \"op\", a string, such as \"subscribe\"")
    }
    return ClientMessage(id: id, operation: parseOperation(name, object))
  }

  private static func refused(_ id: MessageID?, _ message: String) -> ClientMessage {
    ClientMessage(id: id, operation: .failure(Refusal(.badRequest, message)))
  }

  /// An integer of magnitude below 2^53, or a string of at most 36 characters.
  private static func parseID(_ value: JSONValue?) -> Result<MessageID?, Refusal> {
    switch value {
    case nil: return .success(nil)
    case .number(let number):
      if let integer = number.int64, integer.magnitude < 1 << 53 { return .success(.integer(integer)) }
    case .string(let text):
      if text.unicodeScalars.count <= idCharacters { return .success(.text(text)) }
    case .null, .bool, .array, .object: break
    }
    return .failure(
      Refusal(.badRequest, "\"id\" is an integer below 2^53 or a string of at most 36 characters"))
  }

  private static func parseOperation(_ name: String, _ object: JSONObject) -> Result<Operation, Refusal> {
    // Comparing strings takes the square of the length of a run of combining marks.
    let isShort = name.utf8.count <= longestName
    do throws(Refusal) {
      switch isShort ? name : "" {
      case "subscribe": return .success(.subscribe(try parseSubscription(object)))
      case "unsubscribe":
        let wallets = try parseWallets(object)
        let tokens = try parseTokens(object)
        guard wallets != nil || tokens != nil else { throw missingKeys(name) }
        return .success(.unsubscribe(wallets: wallets, tokens: tokens))
      case "list": return .success(.list)
      case "get": return .success(.get(try parseWallet(object)))
      case "refresh": return .success(.refresh(try parseWallet(object)))
      case "set":
        return .success(.set(rate: try parseRate(object["rate"]), batch: try parseBatch(object["batch"])))
      case "auth":
        guard let token = object["token"]?.string else {
          throw Refusal(.badRequest, "auth needs \"token\", a string")
        }
        return .success(.auth(token))
      case "ping": return .success(.ping)
      default:
        return .failure(
          Refusal(
            .unknownOperation,
            "no op \"\(name.clipped(to: 40))\"; there are subscribe, unsubscribe, list, get, refresh, set, auth, ping"
          ))
      }
    } catch {
      return .failure(error)
    }
  }

  private static func missingKeys(_ name: String) -> Refusal {
    Refusal(.badRequest, "\(name) needs \"wallets\" or \"tokens\", a list of strings such as \"ETH:0x…\"")
  }

  private static func parseSubscription(_ object: JSONObject) throws(Refusal) -> Subscription {
    var result = Subscription()
    result.wallets = try parseWallets(object)
    result.tokens = try parseTokens(object)
    guard result.wallets != nil || result.tokens != nil else { throw missingKeys("subscribe") }
    switch object["since"] {
    case nil, .null: break
    case .string(let text): result.since = ResumePoint(parsing: text).map { .point($0) } ?? .foreign
    default: throw Refusal(.badRequest, "\"since\" is a string such as \"k3f9:8121\"")
    }
    result.rate = try parseRate(object["rate"])
    result.batch = try parseBatch(object["batch"])
    return result
  }

  private static func parseRate(_ value: JSONValue?) throws(Refusal) -> RateChange {
    switch value {
    case nil: return .absent
    case .null: return .unlimited
    case .number(let number):
      let rate = number.double
      if rate > 0, rate.isFinite { return .ticksPerSecond(rate) }
    default: break
    }
    throw Refusal(.badRequest, "\"rate\" is ticks a second, a number above 0, or null for unlimited")
  }

  private static func parseBatch(_ value: JSONValue?) throws(Refusal) -> Bool? {
    guard let value else { return nil }
    guard let batch = value.bool else { throw Refusal(.badRequest, "\"batch\" is true or false") }
    return batch
  }

  private static func parseWallet(_ object: JSONObject) throws(Refusal) -> WalletKey {
    guard let text = object["wallet"]?.string else {
      throw Refusal(.badRequest, "\"wallet\" is a string such as \"ETH:0x…\"")
    }
    do {
      return try WalletKey(parsing: text)
    } catch {
      throw Refusal(.badWallet, error.description)
    }
  }

  private static func parseWallets(_ object: JSONObject) throws(Refusal) -> KeyList<WalletKey>? {
    try parseKeys(object["wallets"], name: "wallets", isToken: false, .badWallet) {
      text throws(KeyError) in try WalletKey(parsing: text)
    }
  }

  private static func parseTokens(_ object: JSONObject) throws(Refusal) -> KeyList<TokenKey>? {
    try parseKeys(object["tokens"], name: "tokens", isToken: true, .badToken) {
      text throws(KeyError) in try TokenKey(parsing: text)
    }
  }

  /// A key named twice counts once.
  private static func parseKeys<Key>(
    _ value: JSONValue?, name: String, isToken: Bool, _ code: Refusal.Code,
    _ parse: (String) throws(KeyError) -> Key
  ) throws(Refusal) -> KeyList<Key>? {
    guard let value else { return nil }
    let wrong = Refusal(.badRequest, "\"\(name)\" is a list of strings such as \"ETH:0x…\"")
    guard let entries = value.array else { throw wrong }
    var list = KeyList<Key>()
    var seen: Set<Key> = []
    for entry in entries {
      guard let text = entry.string else { throw wrong }
      do throws(KeyError) {
        let key = try parse(text)
        if seen.insert(key).inserted { list.keys.append(key) }
      } catch {
        list.failed.append(text, isToken: isToken, Refusal(code, error.description))
      }
    }
    return list
  }
}

extension String {
  /// The first so many characters. Unicode scalars, not grapheme clusters: one of those has no bounds.
  func clipped(to count: Int) -> String { String(String.UnicodeScalarView(unicodeScalars.prefix(count))) }
}
