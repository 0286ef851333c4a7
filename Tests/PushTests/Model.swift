import JSON
import Testing

/// What a client that follows the protocol's rules holds: frames merged into rows.
struct Model {
  private(set) var wallets: [String: [String: JSONValue]] = [:]
  private(set) var epoch = ""
  private(set) var lags = 0
  private(set) var dataFrames = 0
  private var newestData: UInt64 = 0
  private var isCatchingUp = false
  /// The last heartbeat of this connection.
  private var promised: UInt64 = 0
  /// From where it may resume: the last heartbeat, or a data frame after it.
  private(set) var resumePoint: UInt64?
  /// The wallets that may be resumed: their snapshot was complete, and a heartbeat followed.
  private(set) var resumable: Set<String> = []
  private var confirmable: Set<String> = []

  mutating func reconnected() {
    isCatchingUp = false
    newestData = 0
    promised = 0
    confirmable = []
  }

  /// Wallets the client doesn't follow any more.
  mutating func forget(_ keys: some Sequence<String>) {
    for key in keys {
      wallets[key] = nil
      resumable.remove(key)
      confirmable.remove(key)
    }
  }

  /// A subscribe with `since` was answered: up to the next heartbeat older changes come, and what comes with them
  /// is nothing to resume from.
  mutating func resumed() { isCatchingUp = true }

  mutating func take(_ frame: JSONValue, _ location: SourceLocation = #_sourceLocation) {
    switch frame.type {
    case "snapshot": takeSnapshot(frame)
    case "balance", "token", "price":
      dataFrames += 1
      let revision = frame.rev ?? 0
      if !isCatchingUp {
        #expect(revision > newestData, "out of order: \(frame)", sourceLocation: location)
        #expect(revision > promised, "a heartbeat promised it already: \(frame)", sourceLocation: location)
      }
      newestData = max(newestData, revision)
      if let point = resumePoint, !isCatchingUp { resumePoint = max(point, revision) }
      takeData(frame, location)
    case "batch": for inner in frame.list("frames") { take(inner, location) }
    case "heartbeat":
      resumePoint = frame.rev
      promised = frame.rev ?? 0
      epoch = frame.text("epoch") ?? ""
      resumable.formUnion(confirmable)
      confirmable = []
      isCatchingUp = false
    case "lag": lags += 1
    default: break
    }
  }

  private mutating func takeSnapshot(_ frame: JSONValue) {
    let key = frame.text("wallet") ?? ""
    if frame["part"]?.int == 1 { wallets[key] = [:] }
    for row in frame.list("tokens") { wallets[key]?[row.text("token") ?? ""] = row }
    resumable.remove(key)
    confirmable.remove(key)
    if frame["part"] == frame["parts"], frame.text("state") != "loading" { confirmable.insert(key) }
  }

  private mutating func takeData(_ frame: JSONValue, _ location: SourceLocation) {
    let token = frame.text("token") ?? ""
    switch frame.type {
    case "price":
      for (key, rows) in wallets where rows[token] != nil { merge(frame, into: key, token) }
    case "token":
      let key = frame.text("wallet") ?? ""
      #expect(wallets[key] != nil, "a row of a wallet without a snapshot: \(frame)", sourceLocation: location)
      wallets[key]?[token] = frame
    default:
      let key = frame.text("wallet") ?? ""
      #expect(
        wallets[key]?[token] != nil,
        "a balance without a row: \(frame), have \(wallets[key].map(\.count) ?? -1)",
        sourceLocation: location)
      merge(frame, into: key, token)
    }
  }

  private mutating func merge(_ frame: JSONValue, into key: String, _ token: String) {
    guard var object = wallets[key]?[token]?.object else { return }
    for name in Self.compared {
      guard let value = frame[name] else { continue }
      object[name] = value
    }
    wallets[key]?[token] = .object(object)
  }

  static let compared = [
    "symbol", "visible", "balance", "balance_state", "price_usd", "change_24h", "price_state", "price_at",
  ]

  /// Whether the rows of the wallet are what the snapshot says.
  func differences(from snapshot: JSONValue, wallet: String) -> [String] {
    let held = wallets[wallet] ?? [:]
    var found: [String] = []
    let rows = snapshot.list("tokens")
    if rows.count != held.count { found.append("\(wallet): \(held.count) rows, not \(rows.count)") }
    for row in rows {
      let token = row.text("token") ?? ""
      for name in Self.compared where held[token]?[name] != row[name] {
        found.append("\(wallet) \(token) \(name): \(held[token]?[name] ?? "-"), not \(row[name] ?? "-")")
      }
    }
    return found
  }
}
