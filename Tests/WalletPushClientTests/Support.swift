import Ethereum
import JSON
import Ledger
import Testing

@testable import WalletPushClient

let wallet = "ETH:0x00000000000000000000000000000000000000aa"
let other = "BSC:0x00000000000000000000000000000000000000bb"
let native = "ETH:native"
let coin = "ETH:0x00000000000000000000000000000000000000c1"

/// One of ten more.
func numbered(_ digit: Int) -> String { "ETH:0x" + String(repeating: "0", count: 39) + "\(digit)" }

func walletKey(_ text: String = wallet) throws -> WalletKey { try WalletKey(parsing: text) }
func tokenKey(_ text: String) throws -> TokenKey { try TokenKey(parsing: text) }

func frame(_ text: String) throws -> ServerFrame { try ServerFrame(parsing: Array(text.utf8)) }

/// Frames as a server sends them.
enum Say {
  static func hello(_ epoch: String = "e1", messageBytes: Int = 65_536) -> String {
    #"""
    {"type":"hello","protocol":"walletpush.v1","server":"s","epoch":"\#(epoch)","rev":5,"ping_s":25,
    "limits":{"wallets":100,"ops_per_s":20,"message_bytes":\#(messageBytes)}}
    """#
  }

  static func row(
    _ token: String = native, balance: String? = "1000000000000000000", price: String? = "2000.5",
    decimals: Int? = 18, listed: Bool = true, visible: Bool = true, state: String = "fresh"
  ) -> String {
    #"""
    {"token":"\#(token)","symbol":"T","name":"Token","decimals":\#(number(decimals)),"logo":null,
    "listed":\#(listed),"visible":\#(visible),"balance":\#(text(balance)),"balance_state":"\#(state)",
    "price_usd":\#(text(price)),"change_24h":"-1.20","price_state":"fresh","price_at":1,"value_usd":null}
    """#
  }

  static func snapshot(
    _ key: String = wallet, rev: Int = 10, part: Int = 1, of parts: Int = 1, state: String = "fresh",
    rows: [String] = [Say.row()]
  ) -> String {
    #"""
    {"type":"snapshot","wallet":"\#(key)","epoch":"e1","rev":\#(rev),"part":\#(part),"parts":\#(parts),
    "state":"\#(state)","block":7,"as_of":70,"tokens":[\#(rows.joined(separator: ","))]}
    """#
  }

  static func price(_ token: String = native, _ usd: String? = "3000", rev: Int) -> String {
    #"""
    {"type":"price","token":"\#(token)","price_usd":\#(text(usd)),"change_24h":"0.01",
    "price_state":"fresh","price_at":2,"rev":\#(rev)}
    """#
  }

  static func balance(
    _ amount: String?, _ key: String = wallet, _ token: String = native, rev: Int
  ) -> String {
    #"""
    {"type":"balance","wallet":"\#(key)","token":"\#(token)","balance":\#(text(amount)),
    "balance_state":"fresh","block":8,"rev":\#(rev)}
    """#
  }

  static func token(_ key: String = wallet, rev: Int, _ row: String) -> String {
    let members = String(row.dropFirst())
    return #"{"type":"token","wallet":"\#(key)","block":9,"rev":\#(rev),\#(members)"#
  }

  static func heartbeat(_ rev: Int) -> String { #"{"type":"heartbeat","epoch":"e1","rev":\#(rev)}"# }
  static let lag = #"{"type":"lag","rev":1}"#

  static func ok(_ id: Int, wallets: [String] = [], tokens: [String] = [], more: String = "") -> String {
    #"{"type":"ok","id":\#(id),"wallets":\#(list(wallets)),"tokens":\#(list(tokens)),"failed":[]\#(more)}"#
  }

  static func resumed(_ id: Int, wallets: [String] = [], tokens: [String] = [], _ isResumed: Bool = true)
    -> String
  {
    ok(id, wallets: wallets, tokens: tokens, more: #","resumed":\#(isResumed),"changed":0"#)
  }

  static func error(_ id: Int, _ code: String, retry: Int? = nil) -> String {
    let more = retry.map { #","retry_ms":\#($0)"# } ?? ""
    return #"{"type":"error","id":\#(id),"code":"\#(code)","message":"m"\#(more)}"#
  }

  private static func number(_ value: Int?) -> String { value.map { "\($0)" } ?? "null" }
  private static func text(_ value: String?) -> String { value.map { "\"\($0)\"" } ?? "null" }
  private static func list(_ keys: [String]) -> String {
    "[" + keys.map { "\"\($0)\"" }.joined(separator: ",") + "]"
  }
}

/// A machine, its time, and what it wants done.
struct Rig {
  var machine: ClientMachine
  var now = ContinuousClock.now
  private(set) var sent: [JSONValue] = []
  private(set) var connects = 0
  private(set) var disconnects = 0
  /// WebSockets beside what there is: how many were opened, were given up, and took over.
  private(set) var beside = (opened: 0, dropped: 0, tookOver: 0)
  private(set) var requests: [(id: RequestID, call: HTTPCall)] = []
  private(set) var cancelled: Set<RequestID> = []
  private(set) var asked: [TokenReason] = []
  private(set) var answers: [CallID: Result<Answer, ClientError>] = [:]
  private(set) var changes: [Change] = []

  init(
    options: ClientOptions = ClientOptions(), kinds: Set<TransportKind> = [.webSocket], token: String? = nil,
    canAsk: Bool = false
  ) {
    machine = ClientMachine(options: options, kinds: kinds, token: token, canAskForTokens: canAsk)
  }

  mutating func act(_ body: (inout ClientMachine) -> Void) {
    body(&machine)
    for action in machine.takeActions() {
      switch action {
      case .connect: connects += 1
      case .disconnect: disconnects += 1
      case .connectBeside: beside.opened += 1
      case .disconnectBeside: beside.dropped += 1
      case .takeOver: beside.tookOver += 1
      case .request(let id, let call): requests.append((id, call))
      case .cancel(let id): cancelled.insert(id)
      case .send(let text):
        sent.append((try? JSONParser.parse(text, limits: JSONLimits(depth: 8, numberBytes: 64))) ?? "no JSON")
      case .askForToken(let reason): asked.append(reason)
      case .answer(let id, let result): answers[id] = result
      case .report(let change): changes.append(change)
      }
    }
  }

  mutating func hear(_ frames: String...) {
    for frame in frames {
      act { [now = now] in $0.received(Array(frame.utf8), now: now, random: 0) }
    }
  }

  mutating func open() { act { [now = now] in $0.open(now: now) } }

  mutating func lose(_ code: UInt16? = nil, _ reason: String = "", random: UInt64 = 0) {
    act { [now = now] in $0.lost(code: code, reason: reason, now: now, random: random) }
  }

  /// Lets time pass, and whatever is due in it happen.
  mutating func pass(_ duration: Duration) {
    let end = now + duration
    while let deadline = machine.deadline, deadline <= end {
      now = max(now, deadline)
      act { [now = now] in $0.timeoutReached(now: now, random: 0) }
    }
    now = end
  }

  mutating func subscribe(_ wallets: [String] = [], tokens: [String] = []) throws {
    let keys =
      try wallets.map { WatchedKey.wallet(try walletKey($0)) }
      + tokens.map { WatchedKey.token(try tokenKey($0)) }
    act { $0.subscribe(to: keys) }
  }

  /// The last op that was sent, and its id.
  func lastSent(_ op: String) throws -> (id: Int, message: JSONValue) {
    let message = try #require(sent.last { $0["op"]?.string == op })
    return (try #require(message["id"]?.int), message)
  }

  var connection: ConnectionState? {
    for case .connection(let state) in changes.reversed() { return state }
    return nil
  }

  var notices: [Notice] {
    var notices: [Notice] = []
    for case .notice(let notice) in changes { notices.append(notice) }
    return notices
  }

  /// Subscribed to `wallet`, with its snapshot and a heartbeat.
  static func live(token: String? = nil) throws -> Rig {
    var rig = Rig(token: token)
    try rig.subscribe([wallet])
    rig.open()
    rig.hear(Say.hello())
    rig.hear(Say.ok(try rig.lastSent("subscribe").id, wallets: [wallet]), Say.snapshot(), Say.heartbeat(10))
    return rig
  }
}
