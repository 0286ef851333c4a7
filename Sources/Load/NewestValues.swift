import JSON

/// What one client has been told last, by revision: of each price, and of each row of a wallet. For the few clients that
/// stop reading, and for the witness of each that says what there is. Sans-I/O.
struct NewestValues {
  enum Verdict: Hashable {
    /// It has everything that the witness saw, or something newer.
    case newest
    /// It lacks something, and was not told yet that it has everything up to there.
    case behind
    /// It was told that it has everything up to there, and yet lacks something: keys of such values.
    case missing([String])
  }

  private static let limits = JSONLimits(depth: 32, numberBytes: 128)

  /// A paced client is skipped over values at any time: only a heartbeat says that it has everything.
  private let isPaced: Bool
  private var prices: [String: UInt64] = [:]
  /// By wallet and token, with a blank between.
  private var rows: [String: UInt64] = [:]
  private var coveredTo: UInt64 = 0
  private var isLagging = false
  private(set) var lags = 0
  /// Whether a heartbeat has come since the subscribe.
  private(set) var isComplete = false

  init(isPaced: Bool) { self.isPaced = isPaced }

  mutating func take(_ message: UnsafeRawBufferPointer) {
    guard let value = try? JSONParser.parse(message, limits: Self.limits) else { return }
    take(value)
  }

  private mutating func take(_ value: JSONValue) {
    switch value["type"]?.string {
    case "price":
      guard let token = value["token"]?.string, let revision = Self.revision(value) else { return }
      prices[token] = revision
      covered(revision)
    case "balance", "token":
      guard let wallet = value["wallet"]?.string, let token = value["token"]?.string,
        let revision = Self.revision(value)
      else { return }
      rows["\(wallet) \(token)"] = revision
      covered(revision)
    case "snapshot": take(snapshot: value)
    case "batch":
      for frame in value["frames"]?.array ?? [] { take(frame) }
    case "lag":
      isLagging = true
      lags += 1
    case "heartbeat":
      isLagging = false
      isComplete = true
      coveredTo = max(coveredTo, Self.revision(value) ?? 0)
    default: break
    }
  }

  private mutating func take(snapshot value: JSONValue) {
    guard let wallet = value["wallet"]?.string else { return }
    for row in value["tokens"]?.array ?? [] {
      guard let token = row["token"]?.string, let revision = Self.revision(row) else { continue }
      rows["\(wallet) \(token)"] = revision
    }
  }

  private mutating func covered(_ revision: UInt64) {
    if isComplete, !isPaced, !isLagging { coveredTo = max(coveredTo, revision) }
  }

  private static func revision(_ value: JSONValue) -> UInt64? {
    value["rev"]?.number?.int64.flatMap { UInt64(exactly: $0) }
  }

  /// - Parameter witness: a client of the same wallets or tokens that began later, and got them whole.
  func compare(to witness: NewestValues) -> Verdict {
    var missing: [String] = []
    var isBehind = false
    func expect(_ revision: UInt64, of key: String, has: UInt64?) {
      if let has, has >= revision { return }
      if coveredTo >= revision { missing.append(key) } else { isBehind = true }
    }
    for (key, revision) in witness.rows {
      // A price belongs to the rows of all wallets.
      let price = key.split(separator: " ").last.flatMap { prices[String($0)] }
      expect(revision, of: key, has: [rows[key], price].compactMap { $0 }.max())
    }
    if witness.rows.isEmpty {
      for (token, revision) in witness.prices { expect(revision, of: token, has: prices[token]) }
    }
    if !missing.isEmpty { return .missing(missing.sorted()) }
    return isBehind ? .behind : .newest
  }
}
