import Ethereum
import Ledger

/// The head of a chain as it was last seen, and what a newer look at it means. Pure.
struct HeadTrack {
  enum Look: Equatable {
    /// Nothing was seen before.
    case first
    case same
    /// The child of what was seen.
    case next
    /// Higher; whether it descends from what was seen is to be asked for.
    case ahead
    /// Another block where the one seen was, or a lower head that a second look confirmed.
    case reorganised
    /// Lower: the node lags, perhaps.
    case behind
  }

  private(set) var held: BlockHeader?
  private var low: LowHead?
  /// Blocks seen lately and their parents, the lowest first: a lower head that is one of them is no other chain, and those that are still
  /// in the chain say from where on it is another.
  private var seen: [BlockHeader] = []

  static let seenMaximum = 64

  mutating func look(at head: BlockHeader, now: UnixMilliseconds) -> Look {
    guard let held else { return .first }
    if head.number >= held.number { low = nil }
    if head.number == held.number { return head.hash == held.hash ? .same : .reorganised }
    if held.number < head.number {
      guard head.number - held.number == 1 else { return .ahead }
      return head.parentHash == held.hash ? .next : .reorganised
    }
    if let known = seen.last(where: { $0.number == head.number }) {
      return known.hash == head.hash ? .behind : .reorganised
    }
    guard let low else {
      low = LowHead(now: now)
      return .behind
    }
    return low.isConfirmed(held: held.number, found: head.number, now: now) ? .reorganised : .behind
  }

  /// Everything up to this block was looked at.
  mutating func accept(_ head: BlockHeader) {
    guard head != held else { return }
    held = head
    low = nil
    if let parent = head.parent, parent.number > seen.last?.number ?? 0 { seen.append(parent) }
    seen.append(head)
    if seen.count > Self.seenMaximum { seen.removeFirst(seen.count - Self.seenMaximum) }
  }

  /// Blocks seen lately below this height, the lowest first.
  func seen(below number: UInt64) -> [BlockHeader] { seen.filter { $0.number < number } }

  /// What was seen above this block is not in the chain any more.
  mutating func rewind(to fork: BlockHeader) {
    seen.removeAll { $0.number > fork.number }
    held = fork
    low = nil
  }

  mutating func reset() { self = HeadTrack() }
}

extension BlockHeader {
  /// As much as a block says of the one below it; nothing but number and hash counts.
  fileprivate var parent: BlockHeader? {
    number == 0 ? nil : BlockHeader(number: number - 1, hash: parentHash, parentHash: .zero, timestamp: 0)
  }
}
