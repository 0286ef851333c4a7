/// Values side by side in memory, by index: what the fan-out walks along. Its owner keeps to indices below `count`; nothing
/// is checked at each access, counted or copied.
struct SlotArray<Slot>: ~Copyable {
  private(set) var slots: UnsafeMutablePointer<Slot>
  private(set) var count = 0

  init() { slots = .allocate(capacity: 0) }

  deinit {
    slots.deinitialize(count: count)
    slots.deallocate()
  }

  /// Grows to at least `needed` slots, twice as many as there are where that is more.
  mutating func grow(to needed: Int, filling slot: Slot) {
    let larger = max(64, needed, count * 2)
    let grown = UnsafeMutablePointer<Slot>.allocate(capacity: larger)
    grown.moveInitialize(from: slots, count: count)
    (grown + count).initialize(repeating: slot, count: larger - count)
    slots.deallocate()
    slots = grown
    count = larger
  }
}
