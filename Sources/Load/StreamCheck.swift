/// What a server's frames may not do.
public enum Violation: String, Hashable, Sendable, CaseIterable {
  /// A data frame with a lower revision than the one before.
  case revisionDescended = "revision_descended"
  /// A data frame with a revision that a heartbeat had already covered.
  case belowHeartbeat = "below_heartbeat"
  /// A heartbeat with a lower revision than something that came before it.
  case heartbeatBehind = "heartbeat_behind"
  /// Another epoch than the connection began with.
  case epochChanged = "epoch_changed"
  /// A message that is no frame of the protocol, or a binary one.
  case malformedFrame = "malformed_frame"
  /// A slow client that has everything, as it was told, but not the newest value of something.
  case newestMissing = "newest_missing"
}

/// Watches over the order of one connection's frames, as the protocol promises it. Sans-I/O.
///
/// Data frames ascend, but for what answers a later subscribe; what a heartbeat covers comes before it, and what comes
/// after it is newer; the epoch stays.
struct StreamCheck {
  private enum Phase: UInt8 {
    case begun
    /// A subscribe was sent.
    case asked
    /// Its `ok` is there: snapshots or a catch-up follow, up to a heartbeat, and may be older.
    case answered
    case live
  }

  private var phase = Phase.begun
  private var epoch: String?
  /// Of the last data frame that came in order.
  private var newestData: UInt64 = 0
  private var heartbeat: UInt64 = 0
  /// Of everything.
  private var highest: UInt64 = 0
  /// Wallets whose last snapshot was `loading`: those can't be resumed.
  private var loading: Set<String> = []
  /// Data frames with the revision of the one before: they do no harm.
  private(set) var repeats = 0

  /// Whether everything that was asked for is there, and what comes now is news.
  var isLive: Bool { phase == .live }

  /// What to subscribe with as `since` over another connection; nil: nothing that may be resumed from.
  var resumePoint: String? {
    guard phase == .live, loading.isEmpty, let epoch else { return nil }
    return "\(epoch):\(max(heartbeat, newestData))"
  }

  mutating func subscribed() { phase = .asked }

  /// - Returns: what it broke.
  mutating func take(_ frame: ServerFrame) -> Violation? {
    switch frame {
    case .data(_, let revision, _): return takeData(revision)
    case .hello(let epoch): return check(epoch)
    case .heartbeat(let epoch, let revision): return takeHeartbeat(revision) ?? check(epoch)
    case .snapshot(let wallet, let epoch, let revision, let isLastPart, let isLoading):
      highest = max(highest, revision)
      if isLoading { loading.insert(wallet) } else if isLastPart { loading.remove(wallet) }
      return check(epoch)
    case .ok:
      if phase == .asked { phase = .answered }
      return nil
    case .lag, .error, .reconnect, .status, .other: return nil
    }
  }

  private mutating func takeData(_ revision: UInt64) -> Violation? {
    defer { highest = max(highest, revision) }
    if phase == .answered { return nil }
    defer { newestData = max(newestData, revision) }
    if revision < newestData { return .revisionDescended }
    if revision == newestData { repeats += 1 }
    return phase == .live && revision <= heartbeat && revision != newestData ? .belowHeartbeat : nil
  }

  private mutating func takeHeartbeat(_ revision: UInt64) -> Violation? {
    if phase == .answered { phase = .live }
    defer {
      heartbeat = max(heartbeat, revision)
      highest = max(highest, revision)
    }
    return revision < highest ? .heartbeatBehind : nil
  }

  private mutating func check(_ epoch: String) -> Violation? {
    defer { self.epoch = self.epoch ?? epoch }
    return self.epoch == nil || self.epoch == epoch ? nil : .epochChanged
  }
}
