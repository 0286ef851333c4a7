import JSON

/// What a load test wants to know of a message of the server: a data frame, or what is told about the connection.
enum ServerFrame: Hashable {
  enum DataKind: UInt8, Hashable { case price, balance, token }

  /// `acceptedAt` is `price_at`: Unix milliseconds, nil in other frames and where it is null.
  case data(DataKind, revision: UInt64, acceptedAt: Int64?)
  case hello(epoch: String)
  case heartbeat(epoch: String, revision: UInt64)
  /// `isLoading`: the wallet's first read is still under way.
  case snapshot(wallet: String, epoch: String, revision: UInt64, isLastPart: Bool, isLoading: Bool)
  case lag
  /// `refusals`: the codes of its `failed` list.
  case ok(isResumed: Bool?, refusals: [String])
  case error(code: String)
  case reconnect
  case status
  /// A `type` that this version does not know, or that says nothing to it: clients ignore those.
  case other

  /// Revisions are below 2^53: every number of JSON up to there is exact.
  static let revisionLimit: UInt64 = 1 << 53
}

extension ServerFrame {
  private static let limits = JSONLimits(depth: 32, numberBytes: 128)

  /// Reads a message by a full parse, whatever its order and shape, and appends what it holds: several frames of a
  /// batch.
  ///
  /// - Returns: false when it is no frame of the protocol; then nothing is appended.
  static func parse(_ message: UnsafeRawBufferPointer, into frames: inout [ServerFrame]) -> Bool {
    guard let value = try? JSONParser.parse(message, limits: limits) else { return false }
    guard value["type"]?.string == "batch" else {
      guard let frame = ServerFrame(value) else { return false }
      frames.append(frame)
      return true
    }
    guard let elements = value["frames"]?.array else { return false }
    let before = frames.count
    for element in elements {
      guard element["type"]?.string != "batch", let frame = ServerFrame(element) else {
        frames.removeSubrange(before...)
        return false
      }
      frames.append(frame)
    }
    return true
  }

  /// Nil: not an object with a `type`, or a member that its type needs is missing or of another kind.
  private init?(_ value: JSONValue) {
    guard let type = value["type"]?.string else { return nil }
    switch type {
    case "price": self.init(.price, value)
    case "balance": self.init(.balance, value)
    case "token": self.init(.token, value)
    case "heartbeat":
      guard let epoch = value["epoch"]?.string, let revision = Self.revision(value) else { return nil }
      self = .heartbeat(epoch: epoch, revision: revision)
    case "snapshot": self.init(snapshot: value)
    case "hello":
      guard let epoch = value["epoch"]?.string else { return nil }
      self = .hello(epoch: epoch)
    case "ok":
      let failed = value["failed"]?.array ?? []
      self = .ok(
        isResumed: value["resumed"]?.bool, refusals: failed.map { $0["code"]?.string ?? "unknown" })
    case "error":
      guard let code = value["code"]?.string else { return nil }
      self = .error(code: code)
    case "lag": self = .lag
    case "reconnect": self = .reconnect
    case "status": self = .status
    default: self = .other
    }
  }

  private init?(_ kind: DataKind, _ value: JSONValue) {
    guard let revision = Self.revision(value) else { return nil }
    // Of a price alone: a row holds the time of its price too, and that may be long past.
    let acceptedAt = kind == .price ? value["price_at"]?.number?.int64 : nil
    self = .data(kind, revision: revision, acceptedAt: acceptedAt)
  }

  private init?(snapshot value: JSONValue) {
    guard let wallet = value["wallet"]?.string, let epoch = value["epoch"]?.string,
      let revision = Self.revision(value)
    else { return nil }
    let (part, parts) = (value["part"]?.int ?? 1, value["parts"]?.int ?? 1)
    self = .snapshot(
      wallet: wallet, epoch: epoch, revision: revision, isLastPart: part >= parts,
      isLoading: value["state"]?.string == "loading")
  }

  private static func revision(_ value: JSONValue) -> UInt64? {
    guard let number = value["rev"]?.number?.int64, let revision = UInt64(exactly: number),
      revision < revisionLimit
    else { return nil }
    return revision
  }
}
