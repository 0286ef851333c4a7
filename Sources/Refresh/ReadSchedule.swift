import Ledger

/// When each watched wallet is to be read next: a binary heap with lazy deletion. Pure.
struct ReadSchedule {
  private struct Entry {
    var due: UnixMilliseconds
    var wallet: WalletID
  }
  private var heap: [Entry] = []
  /// The entry of a wallet that counts; others of it are leftovers.
  private var due: [WalletID: UnixMilliseconds] = [:]

  var count: Int { due.count }
  /// Leftovers included.
  var entryCount: Int { heap.count }
  var next: UnixMilliseconds? { heap.first?.due }

  func isScheduled(_ wallet: WalletID) -> Bool { due[wallet] != nil }

  mutating func schedule(_ wallet: WalletID, at time: UnixMilliseconds) {
    due[wallet] = time
    heap.append(Entry(due: time, wallet: wallet))
    siftUp(heap.count - 1)
    dropLeftovers()
  }

  mutating func remove(_ wallet: WalletID) {
    due[wallet] = nil
    dropLeftovers()
  }

  /// Leftovers must not outnumber what counts.
  private mutating func dropLeftovers() {
    if heap.count > 2 * due.count + 64 { rebuild() }
  }

  /// Takes a wallet that is due.
  mutating func takeDue(now: UnixMilliseconds) -> WalletID? {
    while let first = heap.first, first.due <= now {
      removeFirst()
      guard due[first.wallet] == first.due else { continue }
      due[first.wallet] = nil
      return first.wallet
    }
    return nil
  }

  private mutating func rebuild() {
    heap = due.map { Entry(due: $0.value, wallet: $0.key) }
    heap.sort { $0.due < $1.due }
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < heap.count && heap[child].due < heap[least].due {
        least = child
      }
      if least == index { return }
      heap.swapAt(index, least)
      index = least
    }
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].due < heap[parent].due else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }
}
