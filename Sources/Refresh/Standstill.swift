import Ledger

/// Whether a chain stands still: a node that answers and whose head does not move shows values that may be true no
/// longer, and so does one that does not answer. Pure.
///
/// The sign is the time of the newest block, where the chain makes blocks by the clock. One that makes them on demand,
/// as test chains do, has an old block legitimately: there only blocks count that were announced and that no node shows.
struct Standstill {
  /// The newest block may be so old; `nil`: its age says nothing.
  let limit: UnixMilliseconds?

  private struct Head {
    var number: UInt64
    var time: UnixMilliseconds
  }
  private var heads: [EndpointTable.HeadKind: Head] = [:]
  /// The first block that was announced and not seen.
  private var awaited: Head?
  /// Since when no node says what the newest block is.
  private var lostAt: UnixMilliseconds?

  /// So long may it take until a block that was announced is there.
  static let patience: UnixMilliseconds = 30_000
  /// An announcement that leads by more is of another chain, or bogus.
  static let leadMaximum: UInt64 = 100_000

  init(limit: Duration?) { self.limit = limit?.inMilliseconds }

  /// A block was named as the newest.
  /// - Parameter timestamp: its own, in Unix seconds.
  mutating func look(_ kind: EndpointTable.HeadKind, _ number: UInt64, timestamp: UInt64) {
    lostAt = nil
    var time = UnixMilliseconds(clamping: timestamp.multipliedReportingOverflow(by: 1_000).partialValue)
    if let held = heads[kind] {
      // Some nodes tell contracts a time between the newest block and the next.
      if held.number == number { time = min(time, held.time) }
      if kind == .node, number < held.number { awaited = nil }
    }
    heads[kind] = Head(number: number, time: time)
    if kind == .node, let block = awaited?.number, block <= number { awaited = nil }
  }

  /// A block was announced.
  mutating func announced(_ number: UInt64, now: UnixMilliseconds) {
    guard awaited == nil, let held = heads[.node], number > held.number,
      number - held.number <= Self.leadMaximum
    else { return }
    awaited = Head(number: number, time: now)
  }

  /// No node says what the newest block is, however often it is asked.
  mutating func lost(now: UnixMilliseconds) { lostAt = lostAt ?? now }

  /// Whether that is why the chain stands still.
  var isLost: Bool { lostAt != nil }

  /// Nobody looks any more: what was seen says nothing of later.
  mutating func forget() {
    heads = [:]
    lostAt = nil
    awaited = nil
  }

  /// Since when the chain stands still; `nil`: it moves, as far as is known.
  func since(now: UnixMilliseconds) -> UnixMilliseconds? {
    if let lostAt { return lostAt }
    if let limit, let newest = heads.values.map(\.time).max(), now - newest > limit { return newest }
    if let awaited, now - awaited.time >= Self.patience { return awaited.time }
    return nil
  }
}
