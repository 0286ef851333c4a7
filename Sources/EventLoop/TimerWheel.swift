/// Told when a timer of an ``EventLoop`` comes due.
public protocol TimerTarget: AnyObject {
  /// `tag` is the one given to `schedule`; `now` is the turn's time, never before the deadline.
  func timerFired(tag: UInt64, now: LoopInstant)
}

/// Names a scheduled timer. Slots are reused with a new generation, so a late name cancels nothing.
public struct TimerID: Hashable, Sendable {
  let rawValue: UInt64

  init(index: UInt32, generation: UInt32) {
    rawValue = UInt64(generation) << 32 | UInt64(index)
  }

  private init() { rawValue = 0 }

  var index: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
  var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }

  /// Names no timer; cancelling it does nothing. For a stored property that has none yet.
  public static let none = TimerID()
}

/// A hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7): O(1) to schedule and to cancel.
///
/// Time is cut into ticks of a millisecond, counted from the wheel's start. Level 0 has one slot for each of
/// the 64 ticks around now, level 1 one slot for each 64 ticks, and so on: a deadline belongs to the level of
/// the highest 6-bit digit in which it differs from the current tick. When the current tick enters a slot of
/// a higher level, the slot's timers are handed down; those in a slot of level 0 are due. One word per level
/// says which slots hold anything, so the next deadline is a few bit scans away however far it is.
///
/// Timers are entries of a slab, chained by index; free ones are chained too, so that in a steady state
/// nothing is allocated. The due ones form a chain of their own and are popped one by one, since a timer that
/// fires may cancel the next one. Deadlines are rounded up to a tick (a timer never fires early); within a
/// tick, and only there, the order is that of scheduling.
struct TimerWheel {
  private static let levelBits = 6
  private static let slotsPerLevel = 1 << levelBits
  /// 64^7 ticks are 139 years.
  private static let levels = 7
  private static let tickMaximum = (UInt64(1) << (levelBits * levels)) - 1
  private static let nanosecondsPerTick: UInt64 = 1_000_000
  private static let none = UInt32.max
  /// The list of a timer that is due and not yet popped, as against one of the slots.
  private static let dueList = levels * slotsPerLevel

  private struct Entry {
    var target: (any TimerTarget)?
    var tag: UInt64
    var tick: UInt64
    var next: UInt32
    var previous: UInt32
    var generation: UInt32
    /// Index into `lists`; -1 while the entry is free.
    var list: Int32
  }

  private struct List {
    var first = TimerWheel.none
    var last = TimerWheel.none
  }

  private let start: LoopInstant
  private var currentTick: UInt64 = 0
  private var entries: ContiguousArray<Entry> = []
  private var firstFree = none
  private var lists = ContiguousArray(repeating: List(), count: dueList + 1)
  private var occupied = ContiguousArray<UInt64>(repeating: 0, count: levels)

  /// Timers that are scheduled, or due and not yet popped.
  private(set) var count = 0
  /// Entries in the slab, free ones included: the most timers there ever were at once.
  var slabCount: Int { entries.count }

  init(start: LoopInstant) { self.start = start }

  /// A timer at `deadline`, due at once when that is past. The wheel holds `target` until then.
  mutating func schedule(at deadline: LoopInstant, _ target: any TimerTarget, tag: UInt64) -> TimerID {
    let tick = min(ticks(untilRoundedUp: deadline), Self.tickMaximum)
    let index = takeEntry()
    entries[Int(index)].target = target
    entries[Int(index)].tag = tag
    entries[Int(index)].tick = tick
    count += 1
    place(index)
    return TimerID(index: index, generation: entries[Int(index)].generation)
  }

  /// False when the timer has fired or was cancelled.
  @discardableResult
  mutating func cancel(_ id: TimerID) -> Bool {
    let index = Int(id.index)
    guard id != .none, index < entries.count, entries[index].generation == id.generation,
      entries[index].list >= 0
    else { return false }
    unlink(id.index)
    free(id.index)
    return true
  }

  /// Makes due what has its deadline at or before `now`. Time does not go back.
  mutating func advance(to now: LoopInstant) {
    let target = now < start ? 0 : (now.nanoseconds - start.nanoseconds) / Self.nanosecondsPerTick
    while let next = nextSlot(), next.tick <= target {
      currentTick = next.tick
      empty(level: next.level, slot: next.slot)
    }
    currentTick = max(currentTick, min(target, Self.tickMaximum))
  }

  /// The first timer that is due, taken out of the wheel.
  mutating func popDue() -> (target: any TimerTarget, tag: UInt64)? {
    let index = lists[Self.dueList].first
    guard index != Self.none else { return nil }
    unlink(index)
    let tag = entries[Int(index)].tag
    let target = entries[Int(index)].target
    free(index)
    return target.map { ($0, tag) }
  }

  var hasDue: Bool { lists[Self.dueList].first != Self.none }

  /// When to call ``advance(to:)`` next. It may be before the first deadline (a slot to hand down), never
  /// after.
  var nextWakeUp: LoopInstant? {
    if hasDue { return start }
    guard let next = nextSlot() else { return nil }
    return LoopInstant(nanoseconds: start.nanoseconds &+ next.tick &* Self.nanosecondsPerTick)
  }

  // MARK: - Slots

  private func ticks(untilRoundedUp deadline: LoopInstant) -> UInt64 {
    guard deadline > start else { return 0 }
    let nanoseconds = deadline.nanoseconds - start.nanoseconds
    let whole = nanoseconds / Self.nanosecondsPerTick
    return nanoseconds % Self.nanosecondsPerTick == 0 ? whole : whole + 1
  }

  /// Puts an entry where its tick belongs, seen from the current tick.
  private mutating func place(_ index: UInt32) {
    let tick = entries[Int(index)].tick
    guard tick > currentTick else { return append(index, to: Self.dueList) }
    let highestBit = 63 - (tick ^ currentTick).leadingZeroBitCount
    let level = highestBit / Self.levelBits
    let slot = Int(tick >> UInt64(level * Self.levelBits)) & (Self.slotsPerLevel - 1)
    occupied[level] |= 1 << UInt64(slot)
    append(index, to: level * Self.slotsPerLevel + slot)
  }

  /// The earliest slot that holds anything, and the tick at which it begins.
  ///
  /// All timers of a level come before those of the level above. In each level the slots before the current
  /// digit are empty: their time has passed.
  private func nextSlot() -> (level: Int, slot: Int, tick: UInt64)? {
    for level in 0..<Self.levels where occupied[level] != 0 {
      let slot = occupied[level].trailingZeroBitCount
      let shift = UInt64(level * Self.levelBits)
      let rest = currentTick & ((1 << (shift + UInt64(Self.levelBits))) - 1)
      let above = currentTick - rest
      return (level, slot, above | UInt64(slot) << shift)
    }
    return nil
  }

  /// Hands a slot's timers down, in their order; those of level 0 become due.
  private mutating func empty(level: Int, slot: Int) {
    occupied[level] &= ~(1 << UInt64(slot))
    let list = level * Self.slotsPerLevel + slot
    var index = lists[list].first
    lists[list] = List()
    while index != Self.none {
      let next = entries[Int(index)].next
      place(index)
      index = next
    }
  }

  // MARK: - Lists and slab

  private mutating func append(_ index: UInt32, to list: Int) {
    let last = lists[list].last
    entries[Int(index)].list = Int32(list)
    entries[Int(index)].previous = last
    entries[Int(index)].next = Self.none
    if last == Self.none { lists[list].first = index } else { entries[Int(last)].next = index }
    lists[list].last = index
  }

  private mutating func unlink(_ index: UInt32) {
    let list = Int(entries[Int(index)].list)
    let (next, previous) = (entries[Int(index)].next, entries[Int(index)].previous)
    if previous == Self.none { lists[list].first = next } else { entries[Int(previous)].next = next }
    if next == Self.none { lists[list].last = previous } else { entries[Int(next)].previous = previous }
    if lists[list].first == Self.none, list != Self.dueList {
      occupied[list / Self.slotsPerLevel] &= ~(1 << UInt64(list % Self.slotsPerLevel))
    }
  }

  private mutating func takeEntry() -> UInt32 {
    if firstFree != Self.none {
      let index = firstFree
      firstFree = entries[Int(index)].next
      return index
    }
    entries.append(
      Entry(target: nil, tag: 0, tick: 0, next: Self.none, previous: Self.none, generation: 1, list: -1))
    return UInt32(entries.count - 1)
  }

  private mutating func free(_ index: UInt32) {
    count -= 1
    entries[Int(index)].target = nil
    entries[Int(index)].list = -1
    // Generation 0 is never given out: it would make `TimerID.none` a name.
    entries[Int(index)].generation = max(1, entries[Int(index)].generation &+ 1)
    entries[Int(index)].next = firstFree
    firstFree = index
  }
}
