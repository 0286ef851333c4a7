/// What one reader has not looked at yet. A value that waits already is not queued again: the reader will find the newest
/// one anyway. So a slow reader gets fewer changes, not older ones, and the queue is no longer than what there is to
/// change, and ``eventsMax`` events.
struct ChangeQueue: Sendable {
  /// Beyond it the oldest events are left out.
  static let eventsMax = 256

  private var changes: [Change] = []
  /// Of `changes`, from the front: looked at.
  private var head = 0
  private var waiting: Set<Change> = []
  private var events = 0

  var count: Int { changes.count - head }

  mutating func push(_ change: Change) {
    if change.isEvent {
      events += 1
      if events > Self.eventsMax { dropOldestEvent() }
    } else if !waiting.insert(change).inserted {
      return
    }
    changes.append(change)
  }

  mutating func pop() -> Change? {
    guard head < changes.count else { return nil }
    let change = changes[head]
    head += 1
    if change.isEvent { events -= 1 } else { waiting.remove(change) }
    compact()
    return change
  }

  private mutating func dropOldestEvent() {
    guard let index = changes[head...].firstIndex(where: \.isEvent) else { return }
    changes.remove(at: index)
    events -= 1
  }

  /// Gives back what was looked at once it is half of the storage: so each change costs the same.
  private mutating func compact() {
    guard head == changes.count || head >= 64 && head * 2 >= changes.count else { return }
    changes.removeFirst(head)
    head = 0
  }
}

extension Change {
  /// Something that happened, as against a value that is other than it was.
  var isEvent: Bool {
    switch self {
    case .connection, .notice: true
    case .wallet, .row, .price, .status: false
    }
  }
}
