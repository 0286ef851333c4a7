import Ledger

/// The wallets of one chain that wait to be read, and how many reads are under way. Pure.
///
/// A wallet that finds a free place is read by itself, at once. Those that had to wait are read together: the more
/// wait, the fewer calls a wallet costs.
struct ReadQueue<Entry> {
  private var waiting: [Entry] = []
  private var first = 0
  private(set) var running = 0
  let width: Int

  /// More than this is more than one call takes, whatever they hold.
  static var entriesMaximum: Int { 128 }

  /// - Parameter width: reads under way at once.
  init(width: Int) { self.width = max(1, width) }

  var waitingCount: Int { waiting.count - first }

  mutating func add(_ entry: Entry) { waiting.append(entry) }

  /// Begins a read of the wallets that have waited longest. `nil`: none waits, or no read may begin.
  mutating func begin() -> [Entry]? {
    guard running < width, waitingCount > 0 else { return nil }
    running += 1
    let count = min(Self.entriesMaximum, waitingCount)
    let taken = Array(waiting[first..<first + count])
    first += count
    // The used front is dropped now and then, not every time.
    if first == waiting.count || first > 1_024 {
      waiting.removeFirst(first)
      first = 0
    }
    return taken
  }

  /// Of those that `begin` gave, these did not fit: they go before all others.
  mutating func putBack(_ entries: some Collection<Entry>) {
    waiting.replaceSubrange(0..<first, with: entries)
    first = 0
  }

  mutating func end() { running -= 1 }
}
