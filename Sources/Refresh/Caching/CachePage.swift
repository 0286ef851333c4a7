import Ledger

/// The entries of one wallet, or the metadata of all tokens. Pure.
///
/// A read brings hundreds of entries that say the same, so an entry is a number and a place in a short list of what
/// entries say: 8 bytes, where a dictionary of them takes ten times as many.
struct CachePage {
  private struct Slot {
    var id: UInt32
    var value: UInt32
  }
  /// In ascending order of their numbers.
  private var slots: [Slot] = []
  private var values: [CacheEntry] = []

  /// Of the page itself, with its places in the tables around it.
  static let overheadBytes = 192

  var count: Int { slots.count }
  var bytes: Int {
    Self.overheadBytes + slots.count * MemoryLayout<Slot>.stride + values.count
      * MemoryLayout<CacheEntry>.stride
  }
  /// When the last of the entries is over.
  var until: UnixMilliseconds { values.map(\.until).max() ?? .min }

  subscript(id: UInt32) -> CacheEntry? {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = (low + high) / 2
      if slots[middle].id < id { low = middle + 1 } else { high = middle }
    }
    guard low < slots.count, slots[low].id == id else { return nil }
    return values[Int(slots[low].value)]
  }

  /// - Parameter news: `nil` takes an entry away. No number twice.
  mutating func merge(_ news: [(id: UInt32, entry: CacheEntry?)]) {
    var merged: [Slot] = []
    merged.reserveCapacity(slots.count + news.count)
    // What no entry says any more is left behind.
    var kept: [CacheEntry] = []
    var places: [CacheEntry: UInt32] = [:]
    func place(of entry: CacheEntry) -> UInt32 {
      if let place = places[entry] { return place }
      let place = UInt32(kept.count)
      places[entry] = place
      kept.append(entry)
      return place
    }
    var placesBefore: [UInt32?] = Array(repeating: nil, count: values.count)
    func keep(_ slot: Slot) {
      let value = Int(slot.value)
      let place = placesBefore[value] ?? place(of: values[value])
      placesBefore[value] = place
      merged.append(Slot(id: slot.id, value: place))
    }
    var rest = slots[...]
    for (id, entry) in news.sorted(by: { $0.id < $1.id }) {
      while let first = rest.first, first.id < id {
        keep(first)
        rest.removeFirst()
      }
      if rest.first?.id == id { rest.removeFirst() }
      if let entry { merged.append(Slot(id: id, value: place(of: entry))) }
    }
    for slot in rest { keep(slot) }
    // Room that was reserved and not used is given back.
    slots = merged.count == merged.capacity ? merged : Array(merged[...])
    values = kept
  }
}
